package notify

import (
	"fmt"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// room is how much of an alert a message has room for. Lengths are characters.
type room struct {
	sentence int // of the message, a step, a warning
	value    int // of a fact, a check, a cell
	address  int // longer ones are left out

	facts, rows, checks, notes, steps int
	why                               bool // why this version, and what is not rolled back
}

// rooms are tried one after the other until a message is short enough. What
// goes first is what a reader misses least. The last one fits every service,
// whatever the texts are; a test holds that.
var rooms = []room{
	{sentence: 1000, value: 300, address: 800, facts: 16, rows: 40, checks: 12, notes: 6, steps: 8, why: true},
	{sentence: 600, value: 160, address: 400, facts: 14, rows: 40, checks: 6, notes: 3, steps: 6, why: true},
	{sentence: 400, value: 100, address: 300, facts: 12, rows: 30, checks: 4, notes: 2, steps: 5},
	{sentence: 300, value: 60, address: 200, facts: 10, rows: 20, checks: 3, notes: 1, steps: 4},
	{sentence: 200, value: 30, address: 100, facts: 8, rows: 8, checks: 2, notes: 1, steps: 2},
}

// fitted words an alert with the most room that keeps it below a service's limit.
func fitted[M any](a report.Alert, limit int, word func(report.Alert) M, size func(M) int) M {
	var message M
	for _, r := range rooms {
		message = word(r.shorten(a))
		if size(message) <= limit {
			break
		}
	}
	return message
}

// shorten leaves out what there is no room for, and says so.
func (r room) shorten(a report.Alert) report.Alert {
	a.Message = report.Cut(a.Message, r.sentence)
	a.Verdict = report.Cut(a.Verdict, r.sentence)

	facts := firstOf(a.Facts, r.facts)
	a.Facts = make([]report.Fact, len(facts))
	for i, f := range facts {
		a.Facts[i] = report.Fact{Name: f.Name, Text: report.Cut(f.Text, r.value), URL: r.short(f.URL)}
	}

	rows := firstOf(a.Functions, r.rows)
	a.Left += len(a.Functions) - len(rows)
	a.Functions = make([]report.AlertRow, len(rows))
	for i, f := range rows {
		a.Functions[i] = report.AlertRow{
			Mark: f.Mark, URL: r.short(f.URL),
			Function: report.Cut(f.Function, r.value), Version: report.Cut(f.Version, r.value), Result: report.Cut(f.Result, r.value),
		}
	}

	checks := firstOf(a.Checks, r.checks)
	left := len(a.Checks) - len(checks)
	a.Checks = make([]report.PublishedCheck, len(checks), len(checks)+1)
	for i, c := range checks {
		a.Checks[i] = report.PublishedCheck{Name: report.Cut(c.Name, r.value), Status: c.Status, Detail: report.Cut(c.Detail, r.value)}
	}
	if left > 0 {
		a.Checks = append(a.Checks, report.PublishedCheck{Name: "more checks", Detail: "on the page of the run"})
	}

	a.Notes = r.sentences(a.Notes, r.notes, "More warnings stand on the page of the run.")
	a.Next = r.sentences(a.Next, r.steps, "More steps stand on the page of the run.")
	if r.why {
		a.Why = r.sentences(a.Why, len(a.Why), "")
	} else {
		a.Why, a.NotRolledBack = nil, ""
	}

	links := a.Links
	a.Links = nil
	for _, l := range links {
		if r.short(l.URL) != "" {
			a.Links = append(a.Links, l)
		}
	}
	return a
}

func (r room) short(address string) string {
	if len(address) > r.address {
		return ""
	}
	return address
}

func (r room) sentences(all []string, most int, more string) []string {
	var out []string
	for _, text := range firstOf(all, most) {
		out = append(out, report.Cut(text, r.sentence))
	}
	if len(out) < len(all) {
		out = append(out, more)
	}
	return out
}

func firstOf[T any](all []T, most int) []T { return all[:min(len(all), most)] }

// more says how many functions found no room; empty: all did.
func more(left int) string {
	switch left {
	case 0:
		return ""
	case 1:
		return "… and 1 more, on the page of the run"
	default:
		return fmt.Sprintf("… and %d more, on the page of the run", left)
	}
}

// mostBadNews is how many checks may stand before what to do.
const mostBadNews = 4

// badNews parts the checks that could not say that all is well, for they come
// before what to do, which depends on them. They are the first ones.
func badNews(all []report.PublishedCheck) (bad, others []report.PublishedCheck) {
	n := 0
	for n < min(len(all), mostBadNews) && all[n].Status != report.CheckPassed && all[n].Status != "" {
		n++
	}
	return all[:n], all[n:]
}
