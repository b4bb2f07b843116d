package verify

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// errHealthTimeout is the cancellation cause when the time for a URL has expired.
var errHealthTimeout = errors.New("the time limit for the health checks expired")

// healthChecks returns one check per URL. Each must pass.
func (r *run) healthChecks() []check {
	var checks []check
	seen := map[string]int{}
	for _, u := range r.options.Health.URLs {
		name := "health " + r.sanitize(bareURL(u), longestText)
		if seen[name]++; seen[name] > 1 { // the URLs differ only in parts that are not shown
			name = fmt.Sprintf("%s (%d)", name, seen[name])
		}
		checks = append(checks, &probeSeries{run: r, health: r.options.Health, prober: newProber(r, u), name: name})
	}
	return checks
}

// probeSeries counts the responses of one URL.
type probeSeries struct {
	run    *run
	health Health
	prober prober

	name     string
	probes   int
	accepted int
	streak   int // current number of consecutive accepted responses
	longest  int
	problem  string // the latest problem
	reached  bool   // a probe had a connection
	times    []time.Duration
}

// verify probes until enough consecutive responses are accepted, or the time has
// expired.
func (p *probeSeries) verify(ctx context.Context) result {
	want := max(p.health.Successes, 1)
	within, cancel := context.WithTimeoutCause(ctx, p.health.Timeout, errHealthTimeout)
	defer cancel()
	cutOff := false
	end := p.run.clock.Now().Add(p.health.Timeout) // no probe begins at or after this time
	for within.Err() == nil && p.run.clock.Now().Before(end) {
		began := p.run.clock.Now()
		a := p.prober.probe(within)
		p.reached = p.reached || a.reached
		if within.Err() != nil && a.problem != "" {
			p.countCutOff(a)
			cutOff = p.hung(end.Sub(began))
			break
		}
		p.count(a)
		if p.streak == want {
			return newResult(p.name, report.CheckPassed, "%d consecutive responses had %s, after %d probes%s", want, p.expectation(), p.probes, p.latency())
		}
		if pause := p.health.Interval - p.run.clock.Now().Sub(began); pause > 0 {
			_ = p.run.clock.Sleep(within, pause) // the loop condition checks the context
		}
	}
	if ctx.Err() != nil {
		return newResult(p.name, report.CheckInconclusive, "stopped early: %s; until then %s", context.Cause(ctx), p.summary())
	}
	if p.accepted > 0 && p.accepted == p.probes && !cutOff { // the settings leave no time for more probes
		return newResult(p.name, report.CheckInconclusive, "every probe was healthy, but %s is too short for %d consecutive probes %s apart: increase health-timeout (%s)",
			report.DurationText(p.health.Timeout), want, report.DurationText(p.health.Interval), p.summary())
	}
	failed := newResult(p.name, report.CheckFailed, "fewer than %d consecutive responses had %s within %s: %s", want, p.expectation(), report.DurationText(p.health.Timeout), p.summary())
	if !p.reached {
		failed.checks[0].Kind = report.CheckUnreached
		failed.checks[0].Detail += "; no probe reached the server, so no version is the cause: check that the runner can connect to the URL"
	}
	return failed
}

// preflight probes once.
func (p *probeSeries) preflight(ctx context.Context) []Preflight {
	a := p.prober.probe(ctx)
	if a.problem != "" {
		return newPreflight(p.name, report.CheckInconclusive,
			"it is not healthy now, and while this lasts, a rollback would be reported as not healthy: %s", a.problem)
	}
	return newPreflight(p.name, report.CheckPassed, "it responds with %s, in %s", p.expectation(), milliseconds(a.took))
}

func (p *probeSeries) count(a answer) {
	p.probes++
	if a.took > 0 {
		p.times = append(p.times, a.took)
	}
	if a.problem != "" {
		if a.problem != p.problem {
			p.run.log.Infof("%s: %s; still probing", p.name, a.problem)
		}
		p.problem, p.streak = a.problem, 0
		return
	}
	p.accepted++
	p.streak++
	p.longest = max(p.longest, p.streak)
}

// countCutOff records a probe that was cut off when the time expired. It counts only
// if there was no other probe, so that the result names the problem of a server that
// never responds.
func (p *probeSeries) countCutOff(a answer) {
	if p.probes == 0 {
		p.probes++
		p.problem = a.problem
	}
}

// hung reports whether a probe that the end of the time cut off had waited for longer
// than the next one, or an answer, takes.
func (p *probeSeries) hung(waited time.Duration) bool {
	return len(p.times) == 0 || waited > max(p.health.Interval, slices.Max(p.times))
}

func (p *probeSeries) expectation() string {
	text := p.health.StatusText
	if text == "" {
		text = "200"
	}
	text = "status " + text
	if p.health.Body != "" {
		text += " with the required text in the body"
	}
	return text
}

func (p *probeSeries) summary() string {
	text := fmt.Sprintf("%d of %d probes healthy, at most %d in a row", p.accepted, p.probes, p.longest)
	if p.problem != "" {
		text += "; last problem: " + p.problem
	}
	return text + p.latency()
}

func (p *probeSeries) latency() string {
	if len(p.times) == 0 {
		return ""
	}
	sorted := slices.Sorted(slices.Values(p.times))
	return fmt.Sprintf("; response times %s to %s, median %s", milliseconds(sorted[0]), milliseconds(sorted[len(sorted)-1]), milliseconds(sorted[len(sorted)/2]))
}
