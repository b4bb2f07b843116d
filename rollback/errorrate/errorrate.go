// Package errorrate has the only rule that decides whether the error rate of a
// version has risen. The rule takes counts by the minute, from any source, and
// depends on nothing else. docs/decisions/0013-the-rule-for-error-rates.md explains
// the reasons for the rule, with its rates of false alarms and of missed failures.
package errorrate

import (
	"slices"
	"time"

	"github.com/org/lambda-rollback-action/rollback/exact"
)

// The parameters of the rule.
const (
	// FalseAlarms is the maximum probability that a version that is no worse is
	// reported as worse, over all looks together.
	FalseAlarms = 0.01
	// LeastErrors is the minimum number of errors, and of different minutes with
	// errors: retries turn a single failure into three errors in a row.
	LeastErrors = 2
	// LeastRise is the smallest rise that justifies going back. With enough calls,
	// every difference is more than chance.
	LeastRise = 0.01
	// SeenRise is the rise that must be detectable, with the probability SeenWith,
	// for a version to pass.
	SeenRise = 0.05
	SeenWith = 0.95
)

// Minute has the counts of one version in one minute. A call belongs to the minute in
// which it started. Calls does not include throttled calls.
type Minute struct {
	Start                    time.Time
	Calls, Errors, Throttles int
}

// Step is a period in which the split of the traffic stayed the same. Minutes that
// cannot be distinguished from those of another step are left out.
type Step struct {
	Tested []Minute
	Other  []Minute
}

// Against is what the version under test is compared with.
type Against int

// The comparisons.
const (
	// Beside is the other version at the same time, so an incident affects both.
	Beside Against = iota
	// Before is the hour before the deploy. Something else may have changed since
	// then.
	Before
)

// Evidence is what the rule judges.
type Evidence struct {
	Against Against
	Steps   []Step
	// Looks is how many times in total the rule is applied while the evidence grows.
	// A value below 1 means 1.
	Looks int
	// Left has the counts of the version that served before the one under test and
	// was replaced because it failed; zero: there is none. It is used to report
	// whether both versions fail about as often.
	Left Count
}

// Count is a number of calls, how many of them failed, and how many further calls
// were throttled.
type Count struct{ Calls, Errors, Throttles int }

// Rate returns the share of calls that failed, or 0 if there were none.
func (c Count) Rate() float64 {
	if c.Calls == 0 {
		return 0
	}
	return float64(c.Errors) / float64(c.Calls)
}

// Status is the result of the rule.
type Status int

// The results.
const (
	// Inconclusive means neither of the others. It is never a reason to go back.
	Inconclusive Status = iota
	Passed
	Failed
)

// Reason is why the result is Inconclusive.
type Reason int

// The reasons. The other results have none.
const (
	NoReason Reason = iota
	// NoCalls means that the version under test had no calls.
	NoCalls
	// NothingToCompare means that the other version had no calls.
	NothingToCompare
	// Throttled means that every call was throttled, or more calls than those of the
	// other version. Versions share their concurrency, and shifting traffic can cause
	// throttling by itself.
	Throttled
	// OneMinute means that there is a rise, but all errors were in one minute.
	OneMinute
	// OneWindow means that there is a rise compared with the time before, but not in
	// each half of the minutes on its own.
	OneWindow
	// TooFewCalls means that there is no rise, but a rise might not have been
	// detected.
	TooFewCalls
)

// Verdict is the result of the rule and what it is based on.
type Verdict struct {
	Status  Status
	Reason  Reason
	Against Against
	Tested  Count
	Other   Count
	// PValue is the probability of at least this many errors if the version is no
	// worse. A value of at most Alpha counts as a rise.
	PValue, Alpha float64
	// Power is the probability that a rise of SeenRise would have been detected.
	Power float64
	// Needed is approximately how many calls of the version under test are required
	// in total; set with TooFewCalls. Zero: no number of calls is enough, because of
	// the calls of the other version.
	Needed int
	// ErrorMinutes is the number of minutes in which the version under test had
	// errors.
	ErrorMinutes int
	// LikeTheLeft reports that there is a rise, and that the version that was
	// replaced had it as well. The cause is then probably not the code.
	LikeTheLeft bool
}

// Rose reports whether there are more errors than chance explains, and the rise is
// large enough: the result is Failed, or would be except for OneMinute or OneWindow.
func (v Verdict) Rose() bool {
	return v.Status == Failed || v.Reason == OneMinute || v.Reason == OneWindow
}

// Judge applies the rule.
func Judge(e Evidence) Verdict {
	test := exact.Test{Alpha: FalseAlarms / float64(max(e.Looks, 1)), Least: LeastErrors}
	v := Verdict{Against: e.Against, Alpha: test.Alpha, PValue: 1}
	for _, s := range e.Steps {
		v.Tested, v.Other = v.Tested.plus(total(s.Tested)), v.Other.plus(total(s.Other))
		for _, m := range s.Tested {
			if m.Errors > 0 {
				v.ErrorMinutes++
			}
		}
	}
	switch {
	case v.Tested.Calls == 0 && v.Tested.Throttles > 0:
		v.Reason = Throttled
		return v
	case v.Tested.Calls == 0:
		v.Reason = NoCalls
		return v
	case v.Other.Calls == 0:
		v.Reason = NothingToCompare
		return v
	}
	tables := e.tables(Count.failed)
	v.PValue = exact.PValue(tables...)
	if v.PValue <= test.Alpha && risen(test, tables) {
		v.LikeTheLeft = e.likeTheLeft(test, v)
		switch {
		case v.ErrorMinutes < LeastErrors:
			v.Reason = OneMinute
		case e.Against == Before && !e.bothHalves(test):
			v.Reason = OneWindow
		default:
			v.Status = Failed
		}
		return v
	}
	v.Power = test.Power(SeenRise, tables...)
	switch {
	case risen(test, e.tables(Count.throttled)):
		v.Reason = Throttled
	case v.Power < SeenWith:
		v.Reason = TooFewCalls
		v.Needed, _ = test.Needed(SeenRise, SeenWith, e.Against == Beside, tables...)
	default:
		v.Status = Passed
	}
	return v
}

// Needed returns approximately how many calls of the version under test a verdict
// requires, if both versions receive the expected calls, the other one with its usual
// errors, and the rule is applied looks times. known is false if no number of calls
// is enough.
func Needed(against Against, expected, other Count, looks int) (calls int, known bool) {
	test := exact.Test{Alpha: FalseAlarms / float64(max(looks, 1)), Least: LeastErrors}
	return test.Needed(SeenRise, SeenWith, against == Beside, table(expected, other, Count.failed))
}

// risen reports whether the tables show a rise that is large enough. Over several
// steps, the rise is the number of errors of the version under test beyond those that
// the rate of the other version in each step would give it.
func risen(test exact.Test, tables []exact.Table) bool {
	rise, calls := 0.0, 0
	for _, t := range tables {
		rise += float64(t.Errors)
		if t.OtherCalls > 0 {
			rise -= float64(t.Calls) * float64(t.OtherErrors) / float64(t.OtherCalls)
		} else {
			rise -= float64(t.Errors) // nothing to compare with
		}
		calls += t.Calls
	}
	return rise >= LeastRise*float64(calls) && test.Rejects(tables...)
}

// bothHalves reports whether each half of the minutes shows the rise. Compared with
// the time before, a single bad period can have any cause.
func (e Evidence) bothHalves(test exact.Test) bool {
	var starts []time.Time
	for _, s := range e.Steps {
		for _, m := range s.Tested {
			starts = append(starts, m.Start)
		}
	}
	slices.SortFunc(starts, time.Time.Compare)
	starts = slices.CompactFunc(starts, time.Time.Equal)
	if len(starts) < 2 {
		return false
	}
	middle := starts[len(starts)/2]
	half := func(second bool) bool {
		h := Evidence{}
		for _, s := range e.Steps {
			s.Tested = slices.DeleteFunc(slices.Clone(s.Tested), func(m Minute) bool { return m.Start.Before(middle) == second })
			h.Steps = append(h.Steps, s)
		}
		return risen(test, h.tables(Count.failed))
	}
	return half(false) && half(true)
}

// likeTheLeft reports whether the version that was replaced had the rise as well: its
// rate had risen by the same test, and is between half and twice the rate of the
// version under test.
func (e Evidence) likeTheLeft(test exact.Test, v Verdict) bool {
	left, now := e.Left.Rate(), v.Tested.Rate()
	return risen(test, []exact.Table{table(e.Left, v.Other, Count.failed)}) && now >= left/2 && now <= 2*left
}

// tables returns one table per step, for the tests.
func (e Evidence) tables(what func(Count) (of, which int)) []exact.Table {
	var out []exact.Table
	for _, s := range e.Steps {
		out = append(out, table(total(s.Tested), total(s.Other), what))
	}
	return out
}

func table(tested, other Count, what func(Count) (of, which int)) exact.Table {
	var t exact.Table
	t.Calls, t.Errors = what(tested)
	t.OtherCalls, t.OtherErrors = what(other)
	return t
}

// failed returns the number of calls and how many of them failed. Counts that arrive
// in parts can have more errors than calls for a while.
func (c Count) failed() (of, which int) {
	calls := max(c.Calls, 0)
	return calls, min(max(c.Errors, 0), calls)
}

func (c Count) throttled() (of, which int) {
	throttles := max(c.Throttles, 0)
	return max(c.Calls, 0) + throttles, throttles
}

func (c Count) plus(d Count) Count {
	return Count{c.Calls + d.Calls, c.Errors + d.Errors, c.Throttles + d.Throttles}
}

func total(minutes []Minute) Count {
	var c Count
	for _, m := range minutes {
		c = c.plus(Count{m.Calls, m.Errors, m.Throttles})
	}
	return c
}
