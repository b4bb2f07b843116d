// Package canary decides how a promotion goes on: whether the new version gets more
// traffic, is watched longer, or goes back. It is a function of what was counted and
// seen, without a clock and without a call.
// docs/decisions/0018-promote.md says why the rule is what it is, with its false
// alarms and misses.
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

// Policy says what follows from too little evidence below 100 %.
type Policy int

// The policies.
const (
	Stop     Policy = iota // go back
	Wait                   // watch for as long again, then go back
	Continue               // go on
)

// Minute is how often the new version is judged: CloudWatch counts by the minute.
const Minute = time.Minute

// Plan is how a promotion is meant to go.
type Plan struct {
	Steps        []Step // the last one gives the new version all of the traffic
	Inconclusive Policy
	// Delay is how long after a minute its calls are counted: see DelayOf.
	Delay time.Duration
}

const (
	// publishing is how late CloudWatch has a minute's metrics.
	publishing = 2 * time.Minute
	// longestDelay bounds the waiting for calls that still run. A function may run
	// for 15 minutes; what fails after that is seen at the next look.
	longestDelay = 5 * time.Minute
)

// DelayOf is how long after a minute its metrics are complete, for a function with a
// time limit: Lambda stamps them with the start of an invocation.
func DelayOf(timeout time.Duration) time.Duration {
	return min(publishing+timeout, longestDelay)
}

// Looks is how many times the new version is judged at most: the probability of a
// false alarm is split over them.
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

// Takes is how long a promotion takes that never waits for more evidence, where the
// new version has a share of the traffic already: 0 where it has none. There is a
// look every minute, so that a step ends with a whole one.
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

// Expectation is whether a step can say anything, by the calls of the last hour.
type Expectation struct {
	Step     Step
	Expected int // calls of the new version in it
	Needed   int // about; 0: no number is enough, because of the other version's calls
	Enough   bool
	// Instead is a step that would be enough; zero: there is none within an hour.
	Instead Step
}

// longestSuggestion bounds the step that is offered instead.
const longestSuggestion = time.Hour

// Expect tells of each step that splits the traffic whether it can say anything,
// from the calls and errors of the alias in the last hour.
func (p Plan) Expect(hour errorrate.Count) []Expectation {
	perMinute := float64(hour.Calls) / 60
	var out []Expectation
	before := 0 // calls of the new version in the steps before: evidence is carried over
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

// expected are the calls of the new version in a step without its first minute,
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

// instead is the smallest step that would be enough: half of the traffic, and as many
// minutes as it takes.
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
