package verify

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// errHealthTimeout is the cause of a URL's time being over.
var errHealthTimeout = errors.New("the time for health checks was over")

// healthChecks has one check a URL; each must pass.
func (r *run) healthChecks() []check {
	var checks []check
	seen := map[string]int{}
	for _, u := range r.Health.URLs {
		name := "health " + r.outside(plain(u), longestText)
		if seen[name]++; seen[name] > 1 { // they differ in what is not shown
			name = fmt.Sprintf("%s (%d)", name, seen[name])
		}
		t := &tally{prober: r.prober(u), name: name, want: max(r.Health.Successes, 1)}
		checks = append(checks, t.watch)
	}
	return checks
}

// tally counts the answers of one URL.
type tally struct {
	prober

	name     string
	want     int
	probes   int
	accepted int
	streak   int // accepted in a row, up to now
	longest  int
	problem  string // the last one
	times    []time.Duration
}

// watch probes until enough accepted answers came in a row, or the time is over.
func (t *tally) watch(ctx context.Context) findings {
	within, cancel := context.WithTimeoutCause(ctx, t.Health.Timeout, errHealthTimeout)
	defer cancel()
	end := t.Clock.Now().Add(t.Health.Timeout) // no probe begins in the instant of the end
	for within.Err() == nil && t.Clock.Now().Before(end) {
		began := t.Clock.Now()
		a := t.probe(within)
		if within.Err() != nil && a.problem != "" {
			t.cutOff(a)
			break
		}
		t.count(a)
		if t.streak == t.want {
			return one(t.name, Passed, "%d answers in a row were %s, after %d probes%s", t.want, t.wanted(), t.probes, t.speed())
		}
		if pause := t.Health.Interval - t.Clock.Now().Sub(began); pause > 0 {
			_ = t.Clock.Sleep(within, pause) // the loop's head looks at the context
		}
	}
	if ctx.Err() != nil {
		return one(t.name, Inconclusive, "stopped before its end: %s; until then %s", context.Cause(ctx), t.sofar())
	}
	return one(t.name, Failed, "not %d times in a row %s within %s: %s", t.want, t.wanted(), t.Health.Timeout, t.sofar())
}

func (t *tally) count(a answer) {
	t.probes++
	if a.took > 0 {
		t.times = append(t.times, a.took)
	}
	if a.problem != "" {
		if a.problem != t.problem {
			t.Log.Infof("%s: %s; probing on", t.name, a.problem)
		}
		t.problem, t.streak = a.problem, 0
		return
	}
	t.accepted++
	t.streak++
	t.longest = max(t.longest, t.streak)
}

// cutOff takes note of a probe that the end of the time ended. It counts only
// where there is nothing better: a server that never answers must be named.
func (t *tally) cutOff(a answer) {
	if t.probes == 0 {
		t.probes++
		t.problem = a.problem
	}
}

func (t *tally) wanted() string {
	text := t.Health.StatusText
	if text == "" {
		text = "200"
	}
	text = "status " + text
	if t.Health.Body != "" {
		text += " with the text that the body must hold"
	}
	return text
}

func (t *tally) sofar() string {
	text := fmt.Sprintf("%d of %d probes accepted, %d in a row at most", t.accepted, t.probes, t.longest)
	if t.problem != "" {
		text += "; last problem: " + t.problem
	}
	return text + t.speed()
}

func (t *tally) speed() string {
	if len(t.times) == 0 {
		return ""
	}
	sorted := slices.Sorted(slices.Values(t.times))
	return fmt.Sprintf("; answered in %s to %s, median %s", milliseconds(sorted[0]), milliseconds(sorted[len(sorted)-1]), milliseconds(sorted[len(sorted)/2]))
}

func milliseconds(d time.Duration) string {
	if d < time.Millisecond {
		return "<1ms"
	}
	return d.Round(time.Millisecond).String()
}
