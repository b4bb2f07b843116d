// Package errorrate is the one rule by which a version's error rate counts as
// risen. It takes counts by the minute, wherever they come from, and is a function
// of these alone. docs/decisions/0013-the-rule-for-error-rates.md says why the rule
// is what it is, with its false alarms and misses.
package errorrate

import (
	"slices"
	"time"

	"github.com/org/lambda-rollback-action/rollback/exact"
)

// The rule's numbers.
const (
	// FalseAlarms is how often a version that is no worse may be called so,
	// over all looks together.
	FalseAlarms = 0.01
	// LeastErrors is the errors that it takes, in as many different minutes:
	// retries make a single failure three errors in a row.
	LeastErrors = 2
	// LeastRise is a rise that is worth going back for. Where there are enough
	// calls every difference is more than chance.
	LeastRise = 0.01
	// SeenRise is the rise that would have been seen, with the probability
	// SeenWith, where a version passes.
	SeenRise = 0.05
	SeenWith = 0.95
)

// Minute is what was counted of one version in one minute, by the start of the
// calls. Throttled calls are not among the calls.
type Minute struct {
	Start                    time.Time
	Calls, Errors, Throttles int
}

// Step is a stretch of time in which the split of the traffic stayed the same.
// The minutes that cannot be distinguished from another step's are left out.
type Step struct {
	Tested []Minute
	Other  []Minute
}

// Against is what the version under test is compared with.
type Against int

// The comparisons.
const (
	// Beside is the other version at the same time: an incident hits both.
	Beside Against = iota
	// Before is the hour before the deploy. What has changed since then may
	// be something else.
	Before
)

// Evidence is what the rule judges.
type Evidence struct {
	Against Against
	Steps   []Step
	// Looks is how many times in all the rule is asked while the evidence grows.
	// Less than 1 is 1.
	Looks int
	// Left is the version that served before the one under test and was left
	// because it failed. Zero: there is none. It reports whether both err alike.
	Left Count
}

// Count is calls, and how many of them failed or were throttled.
type Count struct{ Calls, Errors, Throttles int }

// Rate is the share of calls that failed, 0 where there were none.
func (c Count) Rate() float64 {
	if c.Calls == 0 {
		return 0
	}
	return float64(c.Errors) / float64(c.Calls)
}

// Status is the rule's answer.
type Status int

// The answers.
const (
	// Inconclusive says neither. It is never a reason to go back.
	Inconclusive Status = iota
	Passed
	Failed
)

// Reason is why the answer is Inconclusive.
type Reason int

// The reasons. Another answer has none.
const (
	NoReason Reason = iota
	// NoCalls: the version under test got none.
	NoCalls
	// NothingToCompare: the other one got none.
	NothingToCompare
	// Throttled: more calls were throttled than of the other one. Versions share
	// their concurrency, and switching the traffic throttles on its own.
	Throttled
	// OneMinute: a rise, of which all errors fell into one minute.
	OneMinute
	// OneWindow: a rise against the time before, but not in each half of the
	// minutes on its own.
	OneWindow
	// TooFewCalls: no rise, and one might not have been seen.
	TooFewCalls
)

// Verdict is the rule's answer and what it rests on.
type Verdict struct {
	Status  Status
	Reason  Reason
	Against Against
	Tested  Count
	Other   Count
	// PValue is how likely so many errors are where the version is no worse. It
	// counts as a rise up to Alpha.
	PValue, Alpha float64
	// Power is the probability that a rise of SeenRise had been seen.
	Power float64
	// Needed is about how many calls of the version under test it takes in all,
	// with TooFewCalls. Zero: no number of calls is enough, because of the other
	// version's.
	Needed int
	// ErrorMinutes is in how many minutes the version under test had errors.
	ErrorMinutes int
	// LikeTheLeft: there is a rise, and the version that was left had it, too. The
	// cause is probably not the code.
	LikeTheLeft bool
}

// Rose reports whether more errors were found than chance explains, and enough more:
// Failed, or almost.
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

// Needed is about how many calls of the version under test it takes for a verdict
// where both versions get calls as they are expected to, the other one with its
// usual errors, and the rule is asked so many times. Not known where no number of
// calls is enough.
func Needed(against Against, expected, other Count, looks int) (calls int, known bool) {
	test := exact.Test{Alpha: FalseAlarms / float64(max(looks, 1)), Least: LeastErrors}
	return test.Needed(SeenRise, SeenWith, against == Beside, table(expected, other, Count.failed))
}

// risen reports whether the tables show a rise that is large enough. Over several
// steps the rise is what the version under test has more than the other's rate of
// each step would give it.
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

// bothHalves reports whether each half of the minutes shows the rise: against the
// time before, one bad stretch may be anything.
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

// likeTheLeft reports whether the version that was left had the rise, too: its rate
// had risen by the same test, and is within twice and half of that of the version
// under test.
func (e Evidence) likeTheLeft(test exact.Test, v Verdict) bool {
	left, now := e.Left.Rate(), v.Tested.Rate()
	return risen(test, []exact.Table{table(e.Left, v.Other, Count.failed)}) && now >= left/2 && now <= 2*left
}

// tables are the steps as the tests take them.
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

// failed is the calls and how many of them failed. Counts that come in parts can
// have more errors than calls for a while.
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
