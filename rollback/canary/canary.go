// Package canary decides how a promotion continues: the new version gets more traffic,
// is watched longer, or loses its traffic again. The decision is a function of counts
// and signals, without a clock and without calls.
// docs/decisions/0018-promote.md explains the rule, with its rates of false alarms and
// of missed failures.
package canary

import (
	"time"

	"github.com/org/lambda-rollback-action/rollback/errorrate"
)

// Step is a share of the traffic, and how long the new version is watched with it.
type Step struct {
	Weight float64 // from 0 to 1
	For    time.Duration
}

// Whole reports whether the new version gets all of the traffic.
func (s Step) Whole() bool { return s.Weight >= 1 }

// Split reports whether two versions share the traffic.
func (s Step) Split() bool { return s.Weight > 0 && s.Weight < 1 }

// Policy says what to do if there is too little evidence below 100%.
type Policy int

// The policies.
const (
	Stop     Policy = iota // go back to the stable version
	Wait                   // watch for the same time again, then go back
	Continue               // continue with the next step
)

// Minute is how often the new version is judged, because CloudWatch counts by the
// minute.
const Minute = time.Minute

// Plan is the plan of a promotion.
type Plan struct {
	Steps        []Step // the last step gives the new version all of the traffic
	Inconclusive Policy
	// Delay is how long after the end of a minute its calls are counted; see DelayOf.
	Delay time.Duration
}

const (
	// publishing is how long CloudWatch takes to publish the metrics of a minute.
	publishing = 2 * time.Minute
	// longestDelay limits the wait for calls that are still running. A function may
	// run for 15 minutes; a later failure is seen at the next look.
	longestDelay = 5 * time.Minute
)

// DelayOf returns how long after the end of a minute its metrics are complete, for a
// function with this timeout: Lambda assigns them to the start of an invocation.
func DelayOf(timeout time.Duration) time.Duration {
	return min(publishing+timeout, longestDelay)
}

// Looks returns the maximum number of times that the new version is judged. The
// probability of a false alarm is split over these looks.
func (p Plan) Looks() int {
	looks := 0
	for _, s := range p.Steps {
		n := max(1, int(s.For/Minute))
		if p.Inconclusive == Wait && s.Split() {
			n *= 2
		}
		if s.For > 0 {
			looks += n
		}
	}
	return max(looks, 1)
}

// Takes returns how long a promotion takes if it never waits for more evidence. from is
// the share of the traffic that the new version already has, or 0. There is one look
// per minute, so each step ends with a whole minute.
func (p Plan) Takes(from float64) time.Duration {
	var all time.Duration
	for _, s := range p.Steps {
		if s.For > 0 && s.Weight >= from {
			lasts := p.lasts(s, false)
			all += (lasts + Minute - 1).Truncate(Minute)
		}
	}
	return all
}

// Expectation says whether a step can give a verdict, based on the calls of the last
// hour.
type Expectation struct {
	Step     Step
	Expected int // expected calls of the new version in the step
	Needed   int // the approximate number needed; 0 if no number is enough, because of the calls of the other version
	Enough   bool
	// Instead is a step that would be enough; zero if no step of up to an hour is.
	Instead Step
}

// longestSuggestion limits the step that is suggested instead.
const longestSuggestion = time.Hour

// Expect says for each step that splits the traffic whether it can give a verdict,
// based on the calls and errors of the alias in the last hour.
func (p Plan) Expect(hour errorrate.Count) []Expectation {
	perMinute := float64(hour.Calls) / 60
	var out []Expectation
	before := 0 // calls of the new version in earlier steps: evidence is carried over
	for _, s := range p.Steps {
		if !s.Split() || s.For <= 0 {
			continue
		}
		e := Expectation{Step: s, Expected: expected(perMinute, s) + before}
		needed, known := p.needed(hour, perMinute, s)
		if known {
			e.Needed = needed
			e.Enough = e.Expected >= needed
		}
		if !e.Enough {
			e.Instead = p.instead(hour, perMinute, s)
		}
		before = e.Expected
		out = append(out, e)
	}
	return out
}

// expected returns the calls of the new version in a step without its first minute,
// which both versions share.
func expected(perMinute float64, s Step) int {
	return int(perMinute * s.Weight * max(0, (s.For-Minute).Minutes()))
}

func (p Plan) needed(hour errorrate.Count, perMinute float64, s Step) (int, bool) {
	minutes := max(1, (s.For - Minute).Minutes())
	tested := errorrate.Count{Calls: int(perMinute * s.Weight * minutes)}
	other := errorrate.Count{Calls: int(perMinute * (1 - s.Weight) * minutes)}
	other.Errors = int(hour.Rate()*float64(other.Calls) + 0.5)
	if tested.Calls == 0 {
		tested.Calls = 1
	}
	if other.Calls == 0 {
		other.Calls = 1
	}
	return errorrate.Needed(errorrate.Beside, tested, other, p.Looks())
}

// instead returns the smallest step that would be enough: half of the traffic, for as
// many minutes as necessary.
func (p Plan) instead(hour errorrate.Count, perMinute float64, s Step) Step {
	weight := max(s.Weight, 0.5)
	for d := max(2*Minute, s.For); d <= longestSuggestion; d += Minute {
		offered := Step{Weight: weight, For: d}
		if needed, known := p.needed(hour, perMinute, offered); known && expected(perMinute, offered) >= needed {
			return offered
		}
	}
	return Step{}
}
