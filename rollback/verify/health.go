package verify

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// errHealthTimeout is the cause of a URL's time being over.
var errHealthTimeout = errors.New("the time for health checks was over")

// healthChecks has one check a URL; each must pass.
func (r *run) healthChecks() []check {
	var checks []check
	seen := map[string]int{}
	for _, u := range r.options.Health.URLs {
		name := "health " + r.sanitize(bareURL(u), longestText)
		if seen[name]++; seen[name] > 1 { // they differ in what is not shown
			name = fmt.Sprintf("%s (%d)", name, seen[name])
		}
		checks = append(checks, &probeSeries{run: r, health: r.options.Health, prober: newProber(r, u), name: name})
	}
	return checks
}

// probeSeries counts the answers of one URL.
type probeSeries struct {
	run    *run
	health Health
	prober prober

	name     string
	probes   int
	accepted int
	streak   int // accepted in a row, up to now
	longest  int
	problem  string // the last one
	times    []time.Duration
}

// verify probes until enough accepted answers came in a row, or the time is over.
func (p *probeSeries) verify(ctx context.Context) result {
	want := max(p.health.Successes, 1)
	within, cancel := context.WithTimeoutCause(ctx, p.health.Timeout, errHealthTimeout)
	defer cancel()
	end := p.run.clock.Now().Add(p.health.Timeout) // no probe begins in the instant of the end
	for within.Err() == nil && p.run.clock.Now().Before(end) {
		began := p.run.clock.Now()
		a := p.prober.probe(within)
		if within.Err() != nil && a.problem != "" {
			p.countCutOff(a)
			break
		}
		p.count(a)
		if p.streak == want {
			return newResult(p.name, report.CheckPassed, "%d answers in a row were %s, after %d probes%s", want, p.expectation(), p.probes, p.latency())
		}
		if pause := p.health.Interval - p.run.clock.Now().Sub(began); pause > 0 {
			_ = p.run.clock.Sleep(within, pause) // the loop's head looks at the context
		}
	}
	if ctx.Err() != nil {
		return newResult(p.name, report.CheckInconclusive, "stopped before its end: %s; until then %s", context.Cause(ctx), p.summary())
	}
	return newResult(p.name, report.CheckFailed, "not %d times in a row %s within %s: %s", want, p.expectation(), p.health.Timeout, p.summary())
}

// preflight probes once.
func (p *probeSeries) preflight(ctx context.Context) []Preflight {
	a := p.prober.probe(ctx)
	if a.problem != "" {
		return newPreflight(p.name, report.CheckInconclusive,
			"it is not healthy now, and a rollback would be reported as not healthy as long as that lasts: %s", a.problem)
	}
	return newPreflight(p.name, report.CheckPassed, "it answers with %s, in %s", p.expectation(), milliseconds(a.took))
}

func (p *probeSeries) count(a answer) {
	p.probes++
	if a.took > 0 {
		p.times = append(p.times, a.took)
	}
	if a.problem != "" {
		if a.problem != p.problem {
			p.run.log.Infof("%s: %s; probing on", p.name, a.problem)
		}
		p.problem, p.streak = a.problem, 0
		return
	}
	p.accepted++
	p.streak++
	p.longest = max(p.longest, p.streak)
}

// countCutOff takes note of a probe that the end of the time ended. It counts only
// where there is nothing better: a server that never answers must be named.
func (p *probeSeries) countCutOff(a answer) {
	if p.probes == 0 {
		p.probes++
		p.problem = a.problem
	}
}

func (p *probeSeries) expectation() string {
	text := p.health.StatusText
	if text == "" {
		text = "200"
	}
	text = "status " + text
	if p.health.Body != "" {
		text += " with the text that the body must hold"
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
	return fmt.Sprintf("; answered in %s to %s, median %s", milliseconds(sorted[0]), milliseconds(sorted[len(sorted)-1]), milliseconds(sorted[len(sorted)/2]))
}
