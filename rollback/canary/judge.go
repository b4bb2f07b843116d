package canary

import (
	"time"

	"github.com/org/lambda-rollback-action/rollback/errorrate"
)

// Look is everything that is known of the new version at one time.
type Look struct {
	Step     int           // the index of the step
	Elapsed  time.Duration // since the step's share of the traffic was set
	Extended bool          // the step was prolonged before
	// Counts are the minutes of both versions by step, for each step so far that
	// split the traffic. Only whole minutes count in which the split was the same.
	Counts []errorrate.Step
	// Bake are the minutes of the alias since it points at the new version alone, and
	// of the hour before the promotion.
	Bake errorrate.Step
	// Unknown: what was counted could not be read.
	Unknown bool
	// Signals are what else was seen.
	Signals Signals
}

// Signals are what else tells how production is.
type Signals struct {
	Alarm     bool // an alarm went into ALARM since the promotion began
	Unhealthy bool // a health check failed
	Unsure    bool // a check that was asked for gave no result
}

// Next is what comes after a look.
type Next int

// What can come.
const (
	Keep    Next = iota // look again
	Advance             // on to the next step
	Extend              // watch this step for as long again
	Back                // to the stable version
	Done                // the promotion is complete
)

// Cause is why it goes back, or how sure it is that it need not.
type Cause int

// The causes.
const (
	NoCause      Cause = iota
	Errors             // the new version fails more often
	Alarm              // an alarm went off
	HealthCheck        // a health check failed
	Inconclusive       // too little evidence
)

// Decision is what comes after a look, and why.
type Decision struct {
	Next    Next
	Cause   Cause // of Back; of Advance and Done: Inconclusive, or none
	Verdict errorrate.Verdict
}

// Unhealthy reports whether the new version was found bad.
func (d Decision) Unhealthy() bool {
	return d.Next == Back && (d.Cause == Errors || d.Cause == Alarm || d.Cause == HealthCheck)
}

// Judge decides what comes after a look.
func (p Plan) Judge(l Look) Decision {
	step := p.Steps[l.Step]
	d := Decision{Verdict: p.verdict(l, step)}
	switch {
	case l.Signals.Unhealthy:
		d.Next, d.Cause = Back, HealthCheck
		return d
	case l.Signals.Alarm:
		d.Next, d.Cause = Back, Alarm
		return d
	case !l.Unknown && d.Verdict.Status == errorrate.Failed:
		d.Next, d.Cause = Back, Errors
		return d
	}
	if l.Elapsed < p.lasts(step, l.Extended) {
		return d
	}
	d.Next = Advance
	if step.Whole() {
		d.Next = Done
	}
	// A step without a time only shifts the traffic.
	if step.For <= 0 || step.Weight <= 0 || !l.Unknown && !l.Signals.Unsure && d.Verdict.Status == errorrate.Passed {
		return d
	}
	d.Cause = Inconclusive
	switch {
	case step.Whole():
	case p.Inconclusive == Continue:
	case p.Inconclusive == Wait && !l.Extended:
		d.Next = Extend
	default:
		d.Next = Back
	}
	return d
}

// lasts is how long a step is watched: its time, and until its last minute was
// counted.
func (p Plan) lasts(s Step, extended bool) time.Duration {
	if s.For <= 0 || s.Weight <= 0 {
		return 0
	}
	if extended {
		return 2*s.For + p.Delay
	}
	return s.For + p.Delay
}

// verdict is that of the rule for error rates: beside the stable version at the same
// time where there is one, else against the hour before.
func (p Plan) verdict(l Look, step Step) errorrate.Verdict {
	if step.Whole() {
		return errorrate.Judge(errorrate.Evidence{Against: errorrate.Before, Steps: []errorrate.Step{l.Bake}, Looks: p.Looks()})
	}
	return errorrate.Judge(errorrate.Evidence{Against: errorrate.Beside, Steps: l.Counts, Looks: p.Looks()})
}

// Counted is the stretch of time whose minutes count for a step: the first minute
// after the shift is both versions', and the last ones are not complete yet. Both
// ends are whole minutes.
func (p Plan) Counted(shifted, now time.Time) (from, to time.Time) {
	from = shifted.Truncate(Minute)
	if from.Before(shifted) {
		from = from.Add(Minute)
	}
	to = now.Add(-p.Delay).Truncate(Minute)
	if to.Before(from) {
		to = from
	}
	return from, to
}
