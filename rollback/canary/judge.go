package canary

import (
	"time"

	"github.com/org/lambda-rollback-action/rollback/errorrate"
)

// Look is everything that is known about the new version at one time.
type Look struct {
	Step     int           // the index of the step
	Elapsed  time.Duration // the time since the traffic was shifted for this step
	Extended bool          // the step was already extended
	// Counts are the minutes of both versions, for each step so far that split the
	// traffic. Only whole minutes with an unchanged split count.
	Counts []errorrate.Step
	// Bake has the minutes of the alias since it has pointed only at the new version,
	// and those of the hour before the promotion.
	Bake errorrate.Step
	// Unknown reports that the number of calls could not be read.
	Unknown bool
	// Signals are the other signals.
	Signals Signals
}

// Signals are signals about production other than counts.
type Signals struct {
	Alarm     bool // an alarm went into ALARM after the promotion started
	Unhealthy bool // a health check failed
	Unsure    bool // a requested check was inconclusive
}

// Next is what to do after a look.
type Next int

// The possible next actions.
const (
	Keep    Next = iota // look again
	Advance             // on to the next step
	Extend              // watch this step for the same time again
	Back                // go back to the stable version
	Done                // the promotion is complete
)

// Cause is the reason to go back, or how certain it is that there is none.
type Cause int

// The causes.
const (
	NoCause      Cause = iota
	Errors             // the new version fails more often
	Alarm              // an alarm went into ALARM
	HealthCheck        // a health check failed
	Inconclusive       // too little evidence
)

// Decision is what to do after a look, and the reason.
type Decision struct {
	Next    Next
	Cause   Cause // set for Back; for Advance and Done, Inconclusive or none
	Verdict errorrate.Verdict
}

// Unhealthy reports whether the new version was found to be unhealthy.
func (d Decision) Unhealthy() bool {
	return d.Next == Back && (d.Cause == Errors || d.Cause == Alarm || d.Cause == HealthCheck)
}

// Judge decides what to do after a look.
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
	// A step without a duration only shifts the traffic.
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

// lasts returns how long a step is watched: its duration, and the time until its last
// minute has been counted.
func (p Plan) lasts(s Step, extended bool) time.Duration {
	if s.For <= 0 || s.Weight <= 0 {
		return 0
	}
	if extended {
		return 2*s.For + p.Delay
	}
	return s.For + p.Delay
}

// verdict applies the rule for error rates. It compares with the stable version at the
// same time if both have traffic, and otherwise with the hour before.
func (p Plan) verdict(l Look, step Step) errorrate.Verdict {
	if step.Whole() {
		return errorrate.Judge(errorrate.Evidence{Against: errorrate.Before, Steps: []errorrate.Step{l.Bake}, Looks: p.Looks()})
	}
	return errorrate.Judge(errorrate.Evidence{Against: errorrate.Beside, Steps: l.Counts, Looks: p.Looks()})
}

// Counted returns the period whose minutes count for a step: the first minute after
// the shift belongs to both versions, and the last ones are not complete yet. Both
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
