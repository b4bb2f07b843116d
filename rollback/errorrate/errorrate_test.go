package errorrate_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"pgregory.net/rapid"

	"github.com/org/lambda-rollback-action/rollback/errorrate"
)

var began = time.Date(2026, 11, 26, 4, 0, 0, 0, time.UTC)

// minutes are so many calls in each of several minutes, and the errors of each.
func minutes(from, calls int, errors ...int) []errorrate.Minute {
	var out []errorrate.Minute
	for i, n := range errors {
		out = append(out, errorrate.Minute{Start: began.Add(time.Duration(from+i) * time.Minute), Calls: calls, Errors: n})
	}
	return out
}

// hour is the hour before the deploy, with so many calls and errors a minute.
func hour(calls, errors int) []errorrate.Minute {
	each := make([]int, 60)
	for i := range each {
		each[i] = errors
	}
	return minutes(-90, calls, each...)
}

func throttled(m []errorrate.Minute, throttles int) []errorrate.Minute {
	for i := range m {
		m[i].Throttles = throttles
	}
	return m
}

func beside(steps ...errorrate.Step) errorrate.Evidence { return errorrate.Evidence{Steps: steps} }

func before(tested, other []errorrate.Minute) errorrate.Evidence {
	return errorrate.Evidence{Against: errorrate.Before, Steps: []errorrate.Step{{Tested: tested, Other: other}}}
}

func TestJudge(t *testing.T) {
	t.Parallel()
	const (
		passed, failed, inconclusive = errorrate.Passed, errorrate.Failed, errorrate.Inconclusive
	)
	for name, c := range map[string]struct {
		evidence errorrate.Evidence
		status   errorrate.Status
		reason   errorrate.Reason
		why      string
	}{
		"a healthy canary": {
			beside(errorrate.Step{Tested: minutes(0, 60, 0, 0, 0, 0, 0), Other: minutes(0, 540, 0, 1, 0, 1, 0)}),
			passed, errorrate.NoReason, "an increase of 5 points would have been detected",
		},
		"a bad canary": {
			beside(errorrate.Step{Tested: minutes(0, 60, 3, 2, 4, 3, 5), Other: minutes(0, 540, 0, 1, 0, 1, 0)}),
			failed, errorrate.NoReason, "more than chance explains (p < 0.0001)",
		},
		"an incident that hits both": {
			beside(errorrate.Step{Tested: minutes(0, 600, 0, 60, 63, 58, 61), Other: minutes(0, 5400, 5, 540, 538, 541, 550)}),
			passed, errorrate.NoReason, "",
		},
		"93 calls are enough beside one without errors": {
			beside(errorrate.Step{Tested: minutes(0, 31, 0, 0, 0), Other: minutes(0, 279, 0, 0, 0)}),
			passed, errorrate.NoReason, "",
		},
		"92 calls are not": {
			beside(errorrate.Step{Tested: minutes(0, 23, 0, 0, 0, 0), Other: minutes(0, 207, 0, 0, 0, 0)}),
			inconclusive, errorrate.TooFewCalls, "too few calls to tell: 92 seen, about 93 needed",
		},
		"122 where the other errs at 0.1 %": {
			beside(errorrate.Step{Tested: minutes(0, 61, 0, 0), Other: minutes(0, 549, 1, 0)}),
			passed, errorrate.NoReason, "",
		},
		"30 calls where 122 are needed": {
			beside(errorrate.Step{Tested: minutes(0, 6, 0, 0, 0, 0, 0), Other: minutes(0, 1800, 2, 2, 2, 1, 2)}),
			inconclusive, errorrate.TooFewCalls, "too few calls to tell: 30 seen, about 92 needed",
		},
		"two errors of few calls are not enough to go back": {
			beside(errorrate.Step{Tested: minutes(0, 1, 1, 1, 0), Other: minutes(0, 9, 0, 0, 1)}),
			inconclusive, errorrate.TooFewCalls, "too few calls to tell: 3 seen, about",
		},
		"a single error is never a rise": {
			beside(errorrate.Step{Tested: minutes(0, 1, 1, 0), Other: minutes(0, 5000, 0, 0)}),
			inconclusive, errorrate.TooFewCalls, "",
		},
		"three errors at once are one failure that was retried": {
			beside(errorrate.Step{Tested: minutes(0, 20, 0, 3, 0, 0, 0), Other: minutes(0, 180, 0, 0, 0, 0, 0)}),
			inconclusive, errorrate.OneMinute, "more than chance explains (p = 0.00097), but all of the errors were in one minute",
		},
		"a rise of less than a point is left alone": {
			beside(errorrate.Step{Tested: minutes(0, 6000, 18, 17, 19, 18, 20), Other: minutes(0, 54000, 54, 50, 52, 55, 53)}),
			passed, errorrate.NoReason, "",
		},
		"what would be seen at one look is not at one of fifteen": {
			errorrate.Evidence{Looks: 15, Steps: []errorrate.Step{{Tested: minutes(0, 31, 1, 1, 0), Other: minutes(0, 279, 0, 0, 0)}}},
			inconclusive, errorrate.TooFewCalls, "too few calls to tell: 93 seen, about 153 needed",
		},
		"an incident in the second step": {
			beside(
				errorrate.Step{Tested: minutes(0, 60, 0, 0, 0, 0, 0), Other: minutes(0, 540, 0, 1, 0, 1, 1)},
				errorrate.Step{Tested: minutes(6, 300, 15, 16, 14, 15, 15), Other: minutes(6, 300, 16, 14, 15, 15, 15)}),
			passed, errorrate.NoReason, "",
		},
		"a little in each of two steps is enough together": {
			beside(
				errorrate.Step{Tested: minutes(0, 30, 1, 0, 0, 1, 0), Other: minutes(0, 270, 0, 0, 0, 1, 0)},
				errorrate.Step{Tested: minutes(6, 150, 2, 2, 1, 2, 2), Other: minutes(6, 150, 0, 0, 1, 0, 0)}),
			failed, errorrate.NoReason, "more than chance explains",
		},
		"nobody calls": {
			beside(errorrate.Step{Other: minutes(0, 540, 0, 1)}),
			inconclusive, errorrate.NoCalls, "missing data does not mean healthy",
		},
		"nobody calls the other": {
			beside(errorrate.Step{Tested: minutes(0, 100, 50, 50)}),
			inconclusive, errorrate.NothingToCompare, "the other version had no calls at the same time",
		},
		"nothing before the deploy": {
			before(minutes(0, 100, 50, 50), nil),
			inconclusive, errorrate.NothingToCompare, "there is no data from before the deploy",
		},
		"all is throttled": {
			beside(errorrate.Step{Tested: throttled(minutes(0, 0, 0, 0), 20), Other: minutes(0, 540, 0, 0)}),
			inconclusive, errorrate.Throttled, "every call was throttled (40)",
		},
		"many are throttled": {
			beside(errorrate.Step{Tested: throttled(minutes(0, 60, 0, 0, 0, 0, 0), 20), Other: minutes(0, 540, 0, 0, 0, 0, 0)}),
			inconclusive, errorrate.Throttled, "more calls were throttled than usual",
		},
		"many are throttled of both": {
			beside(errorrate.Step{Tested: throttled(minutes(0, 60, 0, 0, 0, 0, 0), 20), Other: throttled(minutes(0, 540, 0, 0, 0, 0, 0), 180)}),
			passed, errorrate.NoReason, "",
		},
		"many are throttled, and the rest fails": {
			beside(errorrate.Step{Tested: throttled(minutes(0, 60, 9, 9, 9, 9, 9), 20), Other: minutes(0, 540, 0, 0, 0, 0, 0)}),
			failed, errorrate.NoReason, "",
		},
		"well against the hour before": {before(minutes(0, 20, 0, 0, 0, 0, 0), hour(20, 0)), passed, errorrate.NoReason, ""},
		"bad against the hour before":  {before(minutes(0, 20, 4, 3, 5, 4, 4), hour(20, 0)), failed, errorrate.NoReason, "more than chance"},
		"bad for one half alone": {
			before(minutes(0, 20, 10, 9, 0, 0, 0, 0), hour(20, 0)),
			inconclusive, errorrate.OneWindow, "more than chance explains (p < 0.0001), but not in both halves of the time",
		},
		"an hour with few calls": {
			before(minutes(0, 20, 0, 0, 0), minutes(-90, 1, 0, 0, 0, 0)),
			inconclusive, errorrate.TooFewCalls, "too few calls to tell: 60 seen, and 4 to compare them with",
		},
		"more errors than calls, which came in parts": {
			before([]errorrate.Minute{{Calls: 1, Errors: 3}}, hour(20, 0)),
			inconclusive, errorrate.TooFewCalls, "",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := errorrate.Judge(c.evidence)
			assert.Equal(t, c.status, v.Status, "%+v", v)
			assert.Equal(t, c.reason, v.Reason, "%+v", v)
			assert.Contains(t, v.Why(), c.why)
		})
	}
}

func TestTheCodeIsProbablyNotTheCause(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		left errorrate.Count
		want bool
	}{
		"nothing was left":                        {errorrate.Count{}, false},
		"the version that was left had as many":   {errorrate.Count{Calls: 200, Errors: 38}, true},
		"the version that was left had none":      {errorrate.Count{Calls: 200}, false},
		"the version that was left was far worse": {errorrate.Count{Calls: 200, Errors: 180}, false},
		"the version that was left had few calls": {errorrate.Count{Calls: 1, Errors: 1}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := before(minutes(0, 20, 4, 3, 5, 4, 4), hour(20, 0))
			e.Left = c.left
			v := errorrate.Judge(e)
			assert.Equal(t, errorrate.Failed, v.Status)
			assert.Equal(t, c.want, v.LikeTheLeft)
			if c.want {
				assert.Contains(t, v.Why(), "the cause is probably not the code")
			}
		})
	}
}

func TestNeededForAPreflight(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		against         errorrate.Against
		expected, other errorrate.Count
		looks, want     int
	}{
		"stable errs at 0.1 %, one look":     {errorrate.Beside, errorrate.Count{Calls: 1000}, errorrate.Count{Calls: 9000, Errors: 9}, 1, 122},
		"enough are expected":                {errorrate.Beside, errorrate.Count{Calls: 10000}, errorrate.Count{Calls: 90000, Errors: 90}, 1, 122},
		"too few are expected":               {errorrate.Beside, errorrate.Count{Calls: 30}, errorrate.Count{Calls: 270}, 1, 93},
		"fifteen looks":                      {errorrate.Beside, errorrate.Count{Calls: 30}, errorrate.Count{Calls: 270}, 15, 153},
		"the bake":                           {errorrate.Before, errorrate.Count{Calls: 30}, errorrate.Count{Calls: 3600, Errors: 36}, 1, 195},
		"nothing before: no number of calls": {errorrate.Before, errorrate.Count{Calls: 30}, errorrate.Count{}, 1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, known := errorrate.Needed(c.against, c.expected, c.other, c.looks)
			assert.Equal(t, c.want, got)
			assert.Equal(t, c.want > 0, known)
		})
	}
}

// Whatever was counted: the answer is one of three, each with what it rests on.
func TestEveryVerdictHasItsGrounds(t *testing.T) {
	t.Parallel()
	drawn := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) errorrate.Minute {
		m := errorrate.Minute{Start: began.Add(time.Duration(rapid.IntRange(0, 9).Draw(t, "minute")) * time.Minute), Calls: rapid.IntRange(0, 300).Draw(t, "calls")}
		m.Errors = rapid.IntRange(0, 1+m.Calls/rapid.IntRange(1, 20).Draw(t, "rate")).Draw(t, "errors")
		m.Throttles = rapid.SampledFrom([]int{0, 0, 0, 1, 50}).Draw(t, "throttles")
		return m
	}), 0, 8)
	rapid.Check(t, func(t *rapid.T) {
		e := errorrate.Evidence{Against: rapid.SampledFrom([]errorrate.Against{errorrate.Beside, errorrate.Before}).Draw(t, "against"), Looks: rapid.IntRange(0, 15).Draw(t, "looks")}
		for range rapid.IntRange(0, 3).Draw(t, "steps") {
			e.Steps = append(e.Steps, errorrate.Step{Tested: drawn.Draw(t, "tested"), Other: drawn.Draw(t, "other")})
		}
		v := errorrate.Judge(e)
		assert.NotEmpty(t, v.Why())
		assert.Equal(t, v.Status == errorrate.Inconclusive, v.Reason != errorrate.NoReason, "%+v", v)
		switch v.Status {
		case errorrate.Failed:
			assert.GreaterOrEqual(t, v.ErrorMinutes, errorrate.LeastErrors)
			assert.GreaterOrEqual(t, v.Tested.Errors, errorrate.LeastErrors)
			assert.LessOrEqual(t, v.PValue, v.Alpha)
		case errorrate.Passed:
			assert.GreaterOrEqual(t, v.Power, errorrate.SeenWith)
		case errorrate.Inconclusive:
			if v.Reason == errorrate.TooFewCalls && v.Needed > 0 {
				assert.Greater(t, v.Needed, v.Tested.Calls)
			}
		}
	})
}
