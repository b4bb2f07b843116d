// Package verify proves, after the alias was moved, that production recovered:
// it probes, invokes, and watches alarms, metrics and logs. Each check is a
// file. It knows nothing of GitHub, and changes nothing anywhere.
package verify

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// How a check ended: the values of report.Check.Status.
const (
	Passed       = report.CheckPassed
	Failed       = report.CheckFailed
	Inconclusive = report.CheckInconclusive // nothing that tells was seen; never taken for healthy
)

// Subject is one function whose alias was moved.
type Subject struct {
	Function      string // for people, and the name that AWS's metrics know it by
	ARN           string // of the function; empty: it is called by its name
	Alias         string
	Region        string
	Version       string // the target: it must serve now
	FailedVersion string // the one that was left
	LogGroup      string // empty: /aws/lambda/<name>

	// ServedBefore: the version got a share of the traffic before the move, too, as
	// beside a canary.
	ServedBefore bool

	MovedAt    time.Time
	DeployedAt time.Time // when the failing version came; zero: not known
}

// Options say what to check. The zero value checks nothing.
type Options struct {
	Health        Health
	InvokePayload json.RawMessage // nil: do not invoke
	Alarms        []string
	// Observe is how long alarms, metrics and logs are watched. Zero: alarms
	// are looked at once, metrics and logs not at all.
	Observe time.Duration
	// APIs are the APIs of API Gateway whose errors are watched: names of REST
	// APIs and ids of HTTP APIs.
	APIs []string
}

// Health says how the URLs are probed.
type Health struct {
	URLs       []*url.URL
	Statuses   func(int) bool // accepts a status; nil: 200 alone
	StatusText string         // what Statuses accepts, for people
	Successes  int            // accepted answers in a row
	Interval   time.Duration  // from one probe's start to the next one's
	Timeout    time.Duration  // for each URL to become healthy
	Body       string         // text that the body must hold; empty: any body
}

// Verdict is what the checks say together.
type Verdict = report.Verdict

// Log takes one fact a line.
type Log interface {
	Infof(format string, args ...any)
}

// Clock is the time, handed in.
type Clock interface {
	Now() time.Time
	// Sleep returns early, with the context's error, when the context ends.
	Sleep(ctx context.Context, d time.Duration) error
}

// Clients are AWS's APIs in one region. A *cloudwatch.Client is both Alarms
// and Metrics.
type Clients struct {
	Lambda  Invoker
	Alarms  AlarmReader
	Metrics MetricReader
	Logs    LogReader
}

// Verifier runs the checks. HTTP's own time limit and its rules for redirects
// and cookies do not count; its transport does.
type Verifier struct {
	Options

	HTTP  *http.Client
	AWS   func(region string) Clients // asked once for each region
	Clock Clock
	Log   Log
	// Redact takes secrets out of text from outside; nil: there are none.
	Redact func(string) string
}

// Verify runs all checks at once and gives the verdict over everything, and
// one for each subject, in their order; the checks that are common to all
// stand in each. It ends within Observe and the limits of the single checks.
// Where ctx ends, the checks that were not done are inconclusive, and say why
// (the context's cause) and what they knew.
func (v *Verifier) Verify(ctx context.Context, subjects []Subject) (overall Verdict, each []Verdict) {
	if len(subjects) == 0 {
		now := v.Clock.Now()
		return Verdict{Healthy: report.HealthUnknown, Started: now, Ended: now}, nil
	}
	r := v.begin(ctx, subjects)
	defer r.enough(nil)

	common := r.launch(ctx, slices.Concat(r.healthChecks(), r.alarmChecks(subjects), r.apiChecks(subjects)))
	own := make([]*found, len(subjects))
	for i, s := range subjects {
		own[i] = r.launch(ctx, slices.Concat(r.invokeCheck(s), r.metricCheck(s), r.logCheck(s)))
	}
	r.wait.Wait()

	ended := v.Clock.Now()
	shared := common.findings()
	overall = r.verdict(shared, ended)
	for i, s := range subjects {
		mine := own[i].findings()
		one := r.verdict(shared.and(mine), ended)
		one.Own = judge(mine.checks)
		each = append(each, one)
		if len(subjects) > 1 {
			mine = mine.named(s)
		} else {
			overall.Watched, overall.LogTail, overall.Own = mine.watched, mine.logTail, one.Own
		}
		overall.Checks = append(overall.Checks, mine.checks...)
		overall.Notes = append(overall.Notes, mine.notes...)
	}
	overall.Healthy = judge(overall.Checks)
	return overall, each
}

// judge is the rule of the verdict. What says nothing is not health.
func judge(checks []report.Check) report.Health {
	verdict := report.HealthUnknown
	for _, c := range checks {
		switch c.Status {
		case Failed:
			return report.NotHealthy
		case Passed:
			verdict = report.Healthy
		}
	}
	if slices.ContainsFunc(checks, func(c report.Check) bool { return c.Status != Passed }) {
		return report.HealthUnknown
	}
	return verdict
}

// findings is what a check brings home.
type findings struct {
	checks  []report.Check
	notes   []report.Note
	watched *report.Watched
	logTail string
}

func (f findings) and(g findings) findings {
	f.checks = slices.Concat(f.checks, g.checks)
	f.notes = slices.Concat(f.notes, g.notes)
	f.watched, f.logTail = g.watched, g.logTail
	return f
}

// named puts the subject before each line, for lists of several subjects.
func (f findings) named(s Subject) findings {
	f.checks, f.notes = slices.Clone(f.checks), slices.Clone(f.notes)
	for i := range f.checks {
		f.checks[i].Name = fmt.Sprintf("%s:%s: %s", s.Function, s.Alias, f.checks[i].Name)
	}
	for i := range f.notes {
		f.notes[i].Text = fmt.Sprintf("%s:%s: %s", s.Function, s.Alias, f.notes[i].Text)
	}
	return f
}

// check is one thing to find out.
type check func(ctx context.Context) findings

// run is one Verify under way.
type run struct {
	*Verifier

	calls   caller
	regions map[string]Clients
	started time.Time
	wait    sync.WaitGroup
	// watching is what the watch sleeps on. It ends before its time, by
	// enough, when a check has failed: whoever waits for the verdict, to step
	// back or to be woken, need not wait for the rest.
	watching context.Context
	enough   context.CancelCauseFunc
}

func (v *Verifier) begin(ctx context.Context, subjects []Subject) *run {
	r := &run{
		Verifier: v,
		calls:    caller{log: v.Log, clock: v.Clock, gate: make(chan struct{}, callsAtOnce)},
		regions:  map[string]Clients{},
		started:  v.Clock.Now(),
	}
	r.watching, r.enough = context.WithCancelCause(ctx)
	if v.AWS == nil {
		return r
	}
	for _, s := range subjects {
		if _, known := r.regions[s.Region]; !known {
			r.regions[s.Region] = v.AWS(s.Region)
		}
	}
	return r
}

// found collects what several checks find, in the checks' order.
type found struct{ each []findings }

func (f *found) findings() findings {
	var all findings
	for _, one := range f.each {
		all.checks = append(all.checks, one.checks...)
		all.notes = append(all.notes, one.notes...)
		if one.watched != nil {
			all.watched = one.watched
		}
		if one.logTail != "" {
			all.logTail = one.logTail
		}
	}
	return all
}

func (r *run) launch(ctx context.Context, checks []check) *found {
	out := &found{each: make([]findings, len(checks))}
	for i, c := range checks {
		r.wait.Go(func() {
			f := c(ctx)
			out.each[i] = f
			for _, line := range f.checks {
				r.Log.Infof("check %s: %s: %s", line.Name, line.Status, line.Detail)
				if line.Status == Failed {
					r.enough(&endedEarly{by: line.Name})
				}
			}
		})
	}
	return out
}

func (r *run) verdict(f findings, ended time.Time) Verdict {
	return Verdict{
		Healthy: judge(f.checks), Checks: f.checks, Notes: f.notes,
		Watched: f.watched, LogTail: f.logTail, Started: r.started, Ended: ended,
	}
}

// endedEarly is why a watch ended before its time although nobody asked.
type endedEarly struct{ by string }

func (e *endedEarly) Error() string { return fmt.Sprintf("the check %s had failed by then", e.by) }

// untilObserved sleeps until the time to observe is over. Where the watch ends
// before that, it gives the reason as half a sentence.
func (r *run) untilObserved() (cutShort string) {
	return r.sleepWatching(r.Observe - r.Clock.Now().Sub(r.started))
}

// sleepWatching sleeps while the watch goes on.
func (r *run) sleepWatching(d time.Duration) (cutShort string) {
	if d <= 0 || r.Clock.Sleep(r.watching, d) == nil {
		return ""
	}
	return fmt.Sprintf("the watch ended after %s of %s: %s",
		seconds(r.Clock.Now().Sub(r.started)), r.Observe, context.Cause(r.watching))
}

func (r *run) redact(text string) string {
	if r.Redact == nil {
		return text
	}
	return r.Redact(text)
}

// outside makes text from outside fit for a detail: without secrets, on one
// line, limit characters at most. Secrets go first: half a secret is one, too.
func (r *run) outside(text string, limit int) string {
	return report.Line(r.redact(text), limit)
}

// one is the finding of a check that has one line.
func one(name string, status report.CheckStatus, format string, args ...any) findings {
	return findings{checks: []report.Check{{Name: name, Status: status, Detail: fmt.Sprintf(format, args...)}}}
}

func warning(format string, args ...any) report.Note {
	return report.Note{Warning: true, Text: fmt.Sprintf(format, args...)}
}

func seconds(d time.Duration) time.Duration { return d.Round(time.Second) }
