package promotions_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/test/emulator"
)

func TestAGoodVersionIsPromoted(t *testing.T) {
	w := newWorld(t, 600)
	e := w.promote(nil)
	assert.Equal(t, "promoted/", e.How(), e.Outputs["message"])
	assert.Zero(t, e.Code)
	assert.Equal(t, "true", e.Outputs["healthy"])
	assert.Equal(t, "2 3 false 100", e.Outputs["from-version"]+" "+e.Outputs["to-version"]+" "+e.Outputs["rolled-back"]+" "+e.Outputs["canary-weight"])
	assert.Equal(t, "3", serving(w.Functions[0]))
	var went []string
	for _, state := range w.Functions[0].History("live") {
		went = append(went, state.Version)
		for _, weight := range state.Weights {
			assert.Contains(t, []float64{0.1, 0.5}, weight)
		}
	}
	assert.Equal(t, []string{"2", "2", "2", "3"}, went, "one step after the other")
	memory, exists := w.Functions[0].Alias("live-rollback")
	require.True(t, exists)
	assert.Equal(t, "2", memory.Version)
	assert.Contains(t, memory.Description, "by=snapshot")
	assert.Contains(t, e.Summary, "Both versions")
	assert.Contains(t, e.Log, "the promotion takes 24 min if nothing goes wrong")
	// A later job of the run fails: back to the stable version.
	e = w.rollBack("failure")
	assert.Equal(t, "rolled-back/snapshot", e.How(), e.Outputs["message"])
	assert.Equal(t, "2", serving(w.Functions[0]))
}

func TestABadVersionGoesBackAtTenPercent(t *testing.T) {
	w := newWorld(t, 600)
	w.Errors[3] = 0.2
	e := w.promote(nil)
	assert.Equal(t, "failed/unhealthy", e.How(), e.Outputs["message"])
	assert.Equal(t, 1, e.Code)
	assert.Equal(t, "true false 0", e.Outputs["rolled-back"]+" "+e.Outputs["healthy"]+" "+e.Outputs["canary-weight"])
	assert.Equal(t, "2", serving(w.Functions[0]))
	assert.Less(t, w.Minute, 8, "the fault was seen in the first step")
	memory, _ := w.Functions[0].Alias("live-rollback")
	assert.Contains(t, memory.Description, "rejected=3@7001")
	e = w.rollBack("failure")
	assert.Equal(t, "skipped/already-rolled-back", e.How(), e.Outputs["message"])
	// Nor is it promoted again, by any run.
	for _, run := range []string{"7001", "7002"} {
		e = w.promote(map[string]string{"run": run})
		assert.Equal(t, "failed/rejected-before", e.How(), e.Outputs["message"])
	}
	e = w.promote(map[string]string{"run": "7003", "allow-rejected": "true", "steps": "0%, 100%"})
	assert.Equal(t, "promoted/", e.How(), e.Outputs["message"])
}

func TestTooFewCallsGoBack(t *testing.T) {
	for name, c := range map[string]struct {
		policy, want, serves string
	}{
		"stop":     {"stop", "failed/inconclusive", "2"},
		"wait":     {"wait", "failed/inconclusive", "2"},
		"continue": {"continue", "promoted/", "3"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, 6)
			e := w.promote(map[string]string{"on-inconclusive": c.policy})
			assert.Equal(t, c.want, e.How(), e.Outputs["message"])
			assert.Equal(t, c.serves, serving(w.Functions[0]))
			assert.Contains(t, e.Summary, "are expected, but about")
			memory, _ := w.Functions[0].Alias("live-rollback")
			assert.NotContains(t, memory.Description, "rejected=3", "it was not found bad")
			if c.serves == "2" {
				e = w.rollBack("failure")
				assert.Equal(t, "skipped/not-deployed", e.How(), e.Outputs["message"])
				return
			}
			assert.Equal(t, "unknown", e.Outputs["healthy"])
			assert.Contains(t, e.Log, "::warning")
		})
	}
}

func TestAnIncidentThatHitsBothIsNoAlarm(t *testing.T) {
	w := newWorld(t, 3000)
	w.Incident = func(minute int) float64 {
		if minute >= 4 && minute < 6 {
			return 0.3
		}
		return 0
	}
	e := w.promote(map[string]string{"steps": "10% 8m, 100%"})
	assert.Equal(t, "promoted/", e.How(), e.Outputs["message"])
}

func TestBlueGreenIsProvenBeforeAnyTraffic(t *testing.T) {
	w := newWorld(t, 600)
	require.NoError(t, w.Functions[0].Change(3, func(v *emulator.Version) {
		v.Respond = func([]byte) emulator.Response {
			return emulator.Response{Error: "Unhandled", Payload: []byte(`{"errorMessage":"no"}`)}
		}
	}))
	e := w.promote(map[string]string{"steps": "0%, 100% 5m", "invoke-payload": "{}", "warm": "3"})
	assert.Equal(t, "failed/unhealthy", e.How(), e.Outputs["message"])
	assert.Equal(t, "false", e.Outputs["rolled-back"], "it never had any traffic")
	assert.Len(t, w.Functions[0].History("live"), 1)
	assert.Len(t, w.Calls(emulator.Match{Operation: "Invoke"}), 3)
	for _, c := range w.Calls(emulator.Match{Operation: "Invoke"}) {
		assert.Equal(t, "3", c.Qualifier, "by its own number")
	}
}

func TestABakeGoesBack(t *testing.T) {
	w := newWorld(t, 600)
	w.Errors[3] = 0.2
	require.NoError(t, w.Functions[0].SetAlias("live", 3, nil))
	e := w.promote(map[string]string{"steps": "10% 5m, 100% 10m"})
	assert.Equal(t, "failed/unhealthy", e.How(), e.Outputs["message"])
	assert.Equal(t, "2", serving(w.Functions[0]))
	assert.Equal(t, "true", e.Outputs["rolled-back"])
}

func TestAnAlarmGoesBack(t *testing.T) {
	w := newWorld(t, 600)
	w.CloudWatch(region).SetAlarm("checkout", emulator.AlarmOK)
	w.CloudWatch(region).SetAlarm("old", "ALARM")
	w.At[3] = func() { w.CloudWatch(region).SetAlarm("checkout", "ALARM") }
	e := w.promote(map[string]string{"alarms": "checkout,old"})
	assert.Equal(t, "failed/unhealthy", e.How(), e.Outputs["message"])
	assert.Contains(t, e.Summary, "was in ALARM before the promotion began")
	assert.Equal(t, "2", serving(w.Functions[0]))
}

func TestACancelledPromotionGoesBack(t *testing.T) {
	w := newWorld(t, 600)
	w.At[4] = w.Interrupt
	e := w.promote(nil)
	assert.Equal(t, "failed/cancelled", e.How(), e.Outputs["message"])
	assert.Equal(t, "2", serving(w.Functions[0]))
	e = w.rollBack("cancelled")
	assert.Equal(t, "skipped/not-deployed", e.How(), e.Outputs["message"])
	e = w.promote(nil)
	assert.Equal(t, "promoted/", e.How(), "it was not found bad: "+e.Outputs["message"])
}

func TestSomebodyElsesChangeIsLeft(t *testing.T) {
	w := newWorld(t, 600)
	w.At[4] = func() { require.NoError(t, w.Functions[0].SetAlias("live", 1, nil)) }
	e := w.promote(nil)
	assert.Equal(t, "failed/alias-changed", e.How(), e.Outputs["message"])
	assert.Equal(t, "1", serving(w.Functions[0]))
	assert.Equal(t, "false", e.Outputs["rolled-back"])
}

func TestTheSameRunGoesOn(t *testing.T) {
	w := newWorld(t, 600)
	f := w.Functions[0]
	require.NoError(t, f.SetAlias("live-rollback", 2, nil))
	require.NoError(t, f.DescribeAlias("live-rollback", "rejected= run=7001/1 at=2026-01-02T03:04:05Z by=snapshot promotes=3"))
	require.NoError(t, f.SetAlias("live", 2, map[string]float64{"3": 0.5}))
	e := w.promote(map[string]string{"run": "7002"})
	assert.Equal(t, "failed/refused", e.How(), e.Outputs["message"])
	assert.Contains(t, e.Outputs["message"], "run 7001")
	assert.Equal(t, "2+3=0.5", serving(f))
	e = w.promote(nil)
	assert.Equal(t, "promoted/", e.How(), e.Outputs["message"])
	assert.Equal(t, "3", serving(f))
}

func TestWhatIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		given  func(*emulator.Function)
		inputs map[string]string
		want   string
	}{
		"an older version":       {func(f *emulator.Function) { _ = f.SetAlias("live", 3, nil) }, map[string]string{"deployed-version": "2"}, "failed/refused"},
		"an alias on $LATEST":    {func(f *emulator.Function) { _ = f.SetAliasToLatest("live") }, nil, "failed/refused"},
		"a version there is not": {func(*emulator.Function) {}, map[string]string{"deployed-version": "9"}, "failed/version-not-found"},
		"another role": {func(f *emulator.Function) {
			_ = f.Change(3, func(v *emulator.Version) { v.Role = "arn:aws:iam::111111111111:role/other" })
		}, nil, "failed/refused"},
		"another role, all at once": {func(f *emulator.Function) {
			_ = f.Change(3, func(v *emulator.Version) { v.Role = "arn:aws:iam::111111111111:role/other" })
		}, map[string]string{"steps": "0%, 100%"}, "promoted/"},
		"somebody else's weights": {func(f *emulator.Function) { _ = f.SetAlias("live", 2, map[string]float64{"1": 0.2}) }, nil, "failed/refused"},
		"a version that failed":   {func(f *emulator.Function) { _ = f.SetState(3, "Failed", "InternalError") }, nil, "failed/version-not-found"},
		"no version":              {func(*emulator.Function) {}, map[string]string{"deployed-version": ""}, "failed/invalid-input"},
		"steps that fall":         {func(*emulator.Function) {}, map[string]string{"steps": "50% 5m, 10% 5m, 100%"}, "failed/invalid-input"},
		"steps without an end":    {func(*emulator.Function) {}, map[string]string{"steps": "50% 5m"}, "failed/invalid-input"},
		"a wrong Slack address":   {func(*emulator.Function) {}, map[string]string{"slack-webhook-url": "nowhere"}, "failed/invalid-input"},
		"a dry run":               {func(*emulator.Function) {}, map[string]string{"dry-run": "true"}, "planned/"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, 60)
			c.given(w.Functions[0])
			before := serving(w.Functions[0])
			e := w.promote(c.inputs)
			assert.Equal(t, c.want, e.How(), e.Outputs["message"])
			if c.want != "promoted/" {
				assert.Equal(t, before, serving(w.Functions[0]))
			}
		})
	}
}

func TestSeveralFunctionsGoBackTogether(t *testing.T) {
	w := newWorld(t, 600, "api", "worker", "mail")
	w.At[2] = func() { w.Errors[3] = 0.3 }
	e := w.promote(nil)
	assert.Equal(t, "failed/unhealthy", e.How(), e.Outputs["message"])
	for _, f := range w.Functions {
		assert.Equal(t, "2", serving(f), f.Name())
	}
}

// Killed after any change that it made: the rollback job of the same run restores the
// stable version, and never leaves or chooses the new one.
func TestKilledAtAnyCall(t *testing.T) {
	whole := newWorld(t, 600)
	require.Equal(t, "promoted/", whole.promote(nil).How())
	states := whole.Functions[0].History("live")
	for i, state := range states {
		w := newWorld(t, 600)
		f := w.Functions[0]
		if i > 0 {
			require.NoError(t, f.SetAlias("live-rollback", 2, nil))
			require.NoError(t, f.DescribeAlias("live-rollback", "rejected= run=7001/1 at="+w.Now().Format("2006-01-02T15:04:05Z")+" by=snapshot promotes=3"))
			require.NoError(t, f.SetAlias("live", number(state.Version), state.Weights))
		}
		e := w.rollBack("cancelled")
		assert.Equal(t, "2", serving(f), "%s after %v: %s", e.How(), state, e.Outputs["message"])
	}
}

// Every call fails once, or for good, at any time: in the end the alias is on the
// stable version alone or on the new one alone, or the report says otherwise.
func TestFaultsAtAnyCall(t *testing.T) {
	for _, operation := range []string{"GetAlias", "GetFunctionConfiguration", "UpdateAlias", "CreateAlias", "GetMetricData", "GetProvisionedConcurrencyConfig", "DescribeStackResources"} {
		for name, effect := range map[string]emulator.Effect{"throttled": emulator.Throttle(time.Second), "denied": emulator.Deny()} {
			for _, times := range []int{1, 3} {
				w := newWorld(t, 600)
				w.Fault(emulator.Match{Operation: operation}, effect.Times(times))
				e := w.promote(map[string]string{"timeout": "1m"})
				on := serving(w.Functions[0])
				assert.Contains(t, []string{"2", "3"}, on, "%s %s: %s", operation, name, e.Outputs["message"])
				assert.Equal(t, e.Outputs["status"] == "promoted", on == "3", "%s %s %d: %s, %s", operation, name, times, e.How(), e.Outputs["message"])
			}
		}
	}
}
