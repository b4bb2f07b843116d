package exact_test

import (
	"encoding/json"
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/org/lambda-rollback-action/rollback/exact"
)

// The file is written by test/exact/test_exact.py, which compares thousands more.
func TestAsSciPySays(t *testing.T) {
	t.Parallel()
	file, err := os.Open("testdata/scipy.jsonl")
	require.NoError(t, err)
	defer file.Close()
	n := 0
	for lines := json.NewDecoder(file); ; n++ {
		var q struct {
			Strata              []exact.Table
			Rise, Alpha, Answer float64
			Least               int
		}
		err := lines.Decode(&q)
		if errors.Is(err, io.EOF) {
			break
		}
		require.NoError(t, err)
		got := exact.PValue(q.Strata...)
		switch {
		case q.Rise > 0:
			assert.InDelta(t, q.Answer, exact.Test{Alpha: q.Alpha, Least: q.Least}.Power(q.Rise, q.Strata...), 1e-10, "%+v", q)
		case q.Answer > 1e-40:
			assert.InEpsilon(t, q.Answer, got, 1e-7, "%+v", q)
		default:
			assert.InDelta(t, q.Answer, got, 1e-40, "%+v", q)
		}
	}
	assert.Equal(t, 120, n)
}

func TestPValue(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		strata []exact.Table
		want   float64
	}{
		"nothing was counted":                {nil, 1},
		"no call":                            {[]exact.Table{{}}, 1},
		"no error":                           {[]exact.Table{{Calls: 10, OtherCalls: 90}}, 1},
		"all calls of both failed":           {[]exact.Table{{Calls: 10, Errors: 10, OtherCalls: 90, OtherErrors: 90}}, 1},
		"a lady who tastes tea":              {[]exact.Table{{Calls: 4, Errors: 4, OtherCalls: 4}}, 1.0 / 70},
		"two errors of a tenth of the calls": {[]exact.Table{{Calls: 10, Errors: 2, OtherCalls: 90}}, 10.0 * 9 / 100 / 99},
		"an empty stratum adds nothing":      {[]exact.Table{{Calls: 4, Errors: 4, OtherCalls: 4}, {}, {Calls: 7}}, 1.0 / 70},
		"two strata that say nothing apart":  {[]exact.Table{{Calls: 1, Errors: 1, OtherCalls: 9}, {Calls: 1, Errors: 1, OtherCalls: 9}}, 1.0 / 100},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.InDelta(t, c.want, exact.PValue(c.strata...), 1e-15)
		})
	}
}

// An incident begins with the second step, and hits both versions. Pooled, the
// version under test had more of its calls then, and seems to be worse.
func TestAnIncidentInOneStratumIsNoRise(t *testing.T) {
	t.Parallel()
	strata := []exact.Table{
		{Calls: 300, Errors: 0, OtherCalls: 2700, OtherErrors: 3},
		{Calls: 1500, Errors: 75, OtherCalls: 1500, OtherErrors: 75},
	}
	pooled := exact.Table{Calls: 1800, Errors: 75, OtherCalls: 4200, OtherErrors: 78}
	assert.Greater(t, exact.PValue(strata...), 0.4)
	assert.Less(t, exact.PValue(pooled), 1e-6)
}

func TestMillionsOfCalls(t *testing.T) {
	t.Parallel()
	const calls = 10_000_000
	even := exact.Table{Calls: calls, Errors: 1_000_000, OtherCalls: calls, OtherErrors: 1_000_000}
	assert.InDelta(t, 0.5, exact.PValue(even), 0.001)
	million := exact.Table{Calls: calls / 10, Errors: 10_000, OtherCalls: calls / 10, OtherErrors: 10_000}
	assert.InDelta(t, 0.5, exact.PValue(million, million), 0.005)
	even.Errors += 4000 // 3 standard deviations
	assert.InDelta(t, 0.00145, exact.PValue(even), 0.0001)
	assert.InDelta(t, 1, exact.Test{Alpha: 0.01, Least: 2}.Power(0.05, even), 1e-9)
}

func TestProperties(t *testing.T) {
	t.Parallel()
	tables := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) exact.Table {
		s := exact.Table{Calls: rapid.IntRange(0, 500).Draw(t, "calls"), OtherCalls: rapid.IntRange(0, 500).Draw(t, "other calls")}
		s.Errors = rapid.IntRange(0, s.Calls).Draw(t, "errors")
		s.OtherErrors = rapid.IntRange(0, s.OtherCalls).Draw(t, "other errors")
		return s
	}), 1, 4)
	rapid.Check(t, func(t *rapid.T) {
		strata := tables.Draw(t, "strata")
		p := exact.PValue(strata...)
		assert.True(t, p >= 0 && p <= 1, p)
		power := exact.Test{Alpha: 0.01, Least: 2}.Power(0.05, strata...)
		assert.True(t, power >= 0 && power <= 1, power)

		more := slices.Clone(strata)
		if last := &more[len(more)-1]; last.Errors < last.Calls {
			last.Errors++
			assert.LessOrEqual(t, exact.PValue(more...), p*(1+1e-9), "one error more is no better")
		}
		turned := slices.Concat(strata[1:], strata[:1])
		assert.InDelta(t, p, exact.PValue(turned...), 1e-12, "the order of the strata does not count")
	})
}

// The figures are those of the contract: the calls of a canary beside nine times
// as many of stable.
func TestNeeded(t *testing.T) {
	t.Parallel()
	single := exact.Test{Alpha: 0.01, Least: 2}
	for name, c := range map[string]struct {
		test   exact.Test
		beside bool
		strata []exact.Table
		want   int
		known  bool
	}{
		"stable errs at 0 %":                         {single, true, []exact.Table{{Calls: 10, OtherCalls: 90}}, 93, true},
		"stable errs at 0.1 %":                       {single, true, []exact.Table{{Calls: 1000, OtherCalls: 9000, OtherErrors: 9}}, 122, true},
		"stable errs at 1 %":                         {single, true, []exact.Table{{Calls: 1000, OtherCalls: 9000, OtherErrors: 90}}, 217, true},
		"at one of 15 looks":                         {exact.Test{Alpha: 0.01 / 15, Least: 2}, true, []exact.Table{{Calls: 10, OtherCalls: 90}}, 153, true},
		"beside the hour before the deploy":          {single, false, []exact.Table{{Calls: 10, OtherCalls: 3600}}, 93, true},
		"few calls before the deploy":                {single, false, []exact.Table{{Calls: 10, OtherCalls: 20}}, 0, false},
		"nothing to compare with":                    {single, false, []exact.Table{{Calls: 10}}, 0, false},
		"nobody calls the version":                   {single, true, []exact.Table{{OtherCalls: 90}}, 0, false},
		"no strata":                                  {single, true, nil, 0, false},
		"the calls of an earlier step count as well": {single, true, []exact.Table{{Calls: 60, OtherCalls: 540}, {Calls: 10, OtherCalls: 90}}, 93, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, known := c.test.Needed(0.05, 0.95, c.beside, c.strata...)
			assert.Equal(t, c.known, known)
			assert.Equal(t, c.want, got)
		})
	}
}

// Over several strata the power rests on errors that are spread as expected. It is
// compared with trials.
func TestPowerOverStrataIsThatOfTrials(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2)) // the same numbers each time
	for name, strata := range map[string][]exact.Table{
		"10 %, then half":              {{Calls: 30, OtherCalls: 270}, {Calls: 60, OtherCalls: 60, OtherErrors: 1}},
		"errors in the first step":     {{Calls: 60, OtherCalls: 540, OtherErrors: 27}, {Calls: 100, OtherCalls: 100}},
		"three steps, stable at 1 %":   {{Calls: 40, OtherCalls: 360, OtherErrors: 4}, {Calls: 60, OtherCalls: 120, OtherErrors: 1}, {Calls: 80, OtherCalls: 80, OtherErrors: 1}},
		"the second step tells little": {{Calls: 80, OtherCalls: 720, OtherErrors: 1}, {Calls: 100, OtherCalls: 5}},
	} {
		test := exact.Test{Alpha: 0.01, Least: 2}
		const trials, rise = 4000, 0.05
		rejected := 0
		for range trials {
			tried := slices.Clone(strata)
			for i := range tried {
				s := &tried[i]
				s.Errors = 0
				for range s.Calls {
					if random.Float64() < rise+float64(s.OtherErrors)/float64(s.OtherCalls) {
						s.Errors++
					}
				}
			}
			if test.Rejects(tried...) {
				rejected++
			}
		}
		seen := float64(rejected) / trials
		noise := 4 * math.Sqrt(seen*(1-seen)/trials)
		assert.InDelta(t, seen, test.Power(rise, strata...), noise+0.01, name)
		t.Logf("%s: power %.3f, in trials %.3f", name, test.Power(rise, strata...), seen)
	}
}
