package verify

import (
	"fmt"
	"slices"
	"time"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// result is what a check found.
type result struct {
	checks  []report.Check
	notes   []report.Note
	watched *report.Watched
	logTail string
}

// newResult returns the result of a check that has one line.
func newResult(name string, status report.CheckStatus, format string, args ...any) result {
	return result{checks: []report.Check{{Name: name, Status: status, Detail: fmt.Sprintf(format, args...)}}}
}

// cutShort adds the reason why the observation period ended early. A passed check
// becomes inconclusive, because a part of the period does not show that all is well.
func (r *result) cutShort(why string) {
	if why == "" {
		return
	}
	if r.checks[0].Status == report.CheckPassed {
		r.checks[0].Status = report.CheckInconclusive
	}
	r.checks[0].Detail += "; " + why
}

// merge joins results, in order.
func merge(results ...result) result {
	var all result
	for _, r := range results {
		all.checks = append(all.checks, r.checks...)
		all.notes = append(all.notes, r.notes...)
		if r.watched != nil {
			all.watched = r.watched
		}
		if r.logTail != "" {
			all.logTail = r.logTail
		}
	}
	return all
}

// named returns the result with the subject before each line, for lists of several
// subjects.
func (r result) named(s Subject) result {
	r.checks, r.notes = slices.Clone(r.checks), slices.Clone(r.notes)
	for i := range r.checks {
		r.checks[i].Name = fmt.Sprintf("%s:%s: %s", s.Function, s.Alias, r.checks[i].Name)
	}
	for i := range r.notes {
		r.notes[i].Text = fmt.Sprintf("%s:%s: %s", s.Function, s.Alias, r.notes[i].Text)
	}
	return r
}

func warning(format string, args ...any) report.Note {
	return report.Note{Warning: true, Text: fmt.Sprintf(format, args...)}
}

func seconds(d time.Duration) time.Duration { return d.Round(time.Second) }

func milliseconds(d time.Duration) string {
	if d < time.Millisecond {
		return "<1ms"
	}
	return d.Round(time.Millisecond).String()
}
