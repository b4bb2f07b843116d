package canary_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/org/lambda-rollback-action/rollback/canary"
	"github.com/org/lambda-rollback-action/rollback/errorrate"
)

const minute = time.Minute

var usual = canary.Plan{
	Steps: []canary.Step{{0.1, 5 * minute}, {0.5, 5 * minute}, {1, 5 * minute}}, Delay: canary.DelayOf(3 * time.Second),
}

// minutes are so many calls each, with the errors of each.
func minutes(calls int, errors ...int) []errorrate.Minute {
	var out []errorrate.Minute
	for i, n := range errors {
		out = append(out, errorrate.Minute{Start: time.Unix(int64(i)*60, 0), Calls: calls, Errors: n})
	}
	return out
}

func beside(tested, other []errorrate.Minute) []errorrate.Step {
	return []errorrate.Step{{Tested: tested, Other: other}}
}

func TestWhatComesAfterALook(t *testing.T) {
	t.Parallel()
	well := beside(minutes(100, 0, 0, 0, 0), minutes(900, 0, 0, 0, 0))
	bad := beside(minutes(100, 20, 20, 20, 20), minutes(900, 0, 0, 0, 0))
	few := beside(minutes(2, 0, 0, 0, 0), minutes(18, 0, 0, 0, 0))
	hour := minutes(1000, make([]int, 60)...)
	over := 5*minute + usual.Delay
	type want struct {
		next  canary.Next
		cause canary.Cause
	}
	for name, c := range map[string]struct {
		policy canary.Policy
		look   canary.Look
		want   want
	}{
		"the step goes on":                              {canary.Stop, canary.Look{Elapsed: 4 * minute, Counts: well}, want{canary.Keep, canary.NoCause}},
		"the last minute is not counted yet":            {canary.Stop, canary.Look{Elapsed: 5 * minute, Counts: well}, want{canary.Keep, canary.NoCause}},
		"the step is over, and the version is well":     {canary.Stop, canary.Look{Elapsed: over, Counts: well}, want{canary.Advance, canary.NoCause}},
		"it fails in the middle of the step":            {canary.Stop, canary.Look{Elapsed: 3 * minute, Counts: bad}, want{canary.Back, canary.Errors}},
		"it fails, and the policy is to go on":          {canary.Continue, canary.Look{Elapsed: 3 * minute, Counts: bad}, want{canary.Back, canary.Errors}},
		"both fail alike":                               {canary.Stop, canary.Look{Elapsed: over, Counts: beside(minutes(4000, 800, 800, 800, 800), minutes(36000, 7200, 7200, 7200, 7200))}, want{canary.Advance, canary.NoCause}},
		"too few calls: stop":                           {canary.Stop, canary.Look{Elapsed: over, Counts: few}, want{canary.Back, canary.Inconclusive}},
		"too few calls: wait":                           {canary.Wait, canary.Look{Elapsed: over, Counts: few}, want{canary.Extend, canary.Inconclusive}},
		"too few calls: waiting":                        {canary.Wait, canary.Look{Elapsed: over, Counts: few, Extended: true}, want{canary.Keep, canary.NoCause}},
		"too few calls: waited":                         {canary.Wait, canary.Look{Elapsed: over + 5*minute, Counts: few, Extended: true}, want{canary.Back, canary.Inconclusive}},
		"too few calls: continue":                       {canary.Continue, canary.Look{Elapsed: over, Counts: few}, want{canary.Advance, canary.Inconclusive}},
		"nothing was counted":                           {canary.Stop, canary.Look{Elapsed: over}, want{canary.Back, canary.Inconclusive}},
		"the counts cannot be read":                     {canary.Stop, canary.Look{Elapsed: over, Counts: well, Unknown: true}, want{canary.Back, canary.Inconclusive}},
		"the counts cannot be read in the middle":       {canary.Stop, canary.Look{Elapsed: 3 * minute, Counts: bad, Unknown: true}, want{canary.Keep, canary.NoCause}},
		"an alarm rings":                                {canary.Stop, canary.Look{Elapsed: minute, Counts: well, Signals: canary.Signals{Alarm: true}}, want{canary.Back, canary.Alarm}},
		"a health check fails":                          {canary.Continue, canary.Look{Counts: well, Signals: canary.Signals{Unhealthy: true}}, want{canary.Back, canary.HealthCheck}},
		"a health check gave no result":                 {canary.Stop, canary.Look{Elapsed: over, Counts: well, Signals: canary.Signals{Unsure: true}}, want{canary.Back, canary.Inconclusive}},
		"throttled":                                     {canary.Stop, canary.Look{Elapsed: over, Counts: beside([]errorrate.Minute{{Calls: 100, Throttles: 50}, {Calls: 100, Throttles: 50}}, minutes(900, 0, 0))}, want{canary.Back, canary.Inconclusive}},
		"the bake goes on":                              {canary.Stop, canary.Look{Step: 2, Elapsed: 3 * minute, Bake: errorrate.Step{Tested: minutes(1000, 0, 0), Other: hour}}, want{canary.Keep, canary.NoCause}},
		"the bake is over":                              {canary.Stop, canary.Look{Step: 2, Elapsed: over, Bake: errorrate.Step{Tested: minutes(1000, 0, 0, 0, 0), Other: hour}}, want{canary.Done, canary.NoCause}},
		"the bake fails":                                {canary.Stop, canary.Look{Step: 2, Elapsed: 5 * minute, Bake: errorrate.Step{Tested: minutes(1000, 200, 200, 200, 200), Other: hour}}, want{canary.Back, canary.Errors}},
		"the bake has too few calls: it stays":          {canary.Stop, canary.Look{Step: 2, Elapsed: over, Bake: errorrate.Step{Tested: minutes(1, 0, 0), Other: hour}}, want{canary.Done, canary.Inconclusive}},
		"one bad minute in the bake is not two windows": {canary.Stop, canary.Look{Step: 2, Elapsed: 4 * minute, Bake: errorrate.Step{Tested: minutes(1000, 0, 0, 0, 300), Other: hour}}, want{canary.Keep, canary.NoCause}},
		"an alarm in the bake":                          {canary.Stop, canary.Look{Step: 2, Elapsed: minute, Signals: canary.Signals{Alarm: true}}, want{canary.Back, canary.Alarm}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			plan := usual
			plan.Inconclusive = c.policy
			d := plan.Judge(c.look)
			assert.Equal(t, c.want, want{d.Next, d.Cause})
		})
	}
}

func TestStepsWithoutTraffic(t *testing.T) {
	t.Parallel()
	plan := canary.Plan{Steps: []canary.Step{{0, 0}, {1, 0}}, Delay: 2 * minute}
	assert.Equal(t, canary.Advance, plan.Judge(canary.Look{}).Next)
	assert.Equal(t, canary.Decision{Next: canary.Done, Verdict: plan.Judge(canary.Look{Step: 1}).Verdict}, plan.Judge(canary.Look{Step: 1}))
	assert.Equal(t, canary.Back, plan.Judge(canary.Look{Step: 1, Signals: canary.Signals{Unhealthy: true}}).Next)
	assert.Zero(t, plan.Takes(0))
}

func TestTheTimeOfAPlan(t *testing.T) {
	t.Parallel()
	assert.Equal(t, 15, usual.Looks())
	assert.Equal(t, 3*8*minute, usual.Takes(0), "two minutes and three seconds until the last minute is counted, and a look each minute")
	assert.Equal(t, 8*minute, usual.Takes(1), "only the bake is left")
	waiting := usual
	waiting.Inconclusive = canary.Wait
	assert.Equal(t, 25, waiting.Looks(), "the bake is never prolonged")
	assert.Equal(t, 5*minute, canary.DelayOf(15*minute))
}

// The first minute has calls of both splits, and the last ones are not whole.
func TestTheMinutesThatCount(t *testing.T) {
	t.Parallel()
	at := func(text string) time.Time { v, _ := time.Parse("15:04:05", text); return v }
	for name, c := range map[string]struct{ shifted, now, from, to string }{
		"in the middle of a minute": {"10:00:20", "10:06:00", "10:01:00", "10:03:00"},
		"at the full minute":        {"10:00:00", "10:05:03", "10:00:00", "10:03:00"},
		"too early":                 {"10:00:20", "10:02:00", "10:01:00", "10:01:00"},
	} {
		from, to := usual.Counted(at(c.shifted), at(c.now))
		assert.Equal(t, []time.Time{at(c.from), at(c.to)}, []time.Time{from, to}, name)
	}
}

func TestAPreflightSaysWhatAStepCanSay(t *testing.T) {
	t.Parallel()
	plan := canary.Plan{Steps: []canary.Step{{0.1, 5 * minute}, {0.5, 10 * minute}, {1, 5 * minute}}}
	enough := plan.Expect(errorrate.Count{Calls: 60 * 600})
	assert.Len(t, enough, 2)
	assert.True(t, enough[0].Enough)
	assert.Equal(t, 240, enough[0].Expected)
	assert.InDelta(t, 150, enough[0].Needed, 30)

	few := plan.Expect(errorrate.Count{Calls: 60 * 60, Errors: 4})
	assert.False(t, few[0].Enough)
	assert.Equal(t, 24, few[0].Expected)
	assert.InDelta(t, 0.5, few[0].Instead.Weight, 0)
	offered := canary.Plan{Steps: []canary.Step{few[0].Instead, {1, 5 * minute}}}.Expect(errorrate.Count{Calls: 60 * 60, Errors: 4})
	assert.True(t, offered[0].Enough, "what is offered is enough: %+v", offered[0])

	none := plan.Expect(errorrate.Count{Calls: 3})
	assert.False(t, none[0].Enough)
	assert.Zero(t, none[0].Instead)
}
