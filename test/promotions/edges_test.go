package promotions_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/test/emulator"
)

// One function is on the new version already: it is only watched at the end, while
// the other one goes through the steps.
func TestAFunctionThatIsThereWaitsForTheBake(t *testing.T) {
	w := newWorld(t, 600, "api", "worker")
	require.NoError(t, w.Functions[0].SetAlias("live", 3, nil))
	e := w.promote(nil)
	assert.Equal(t, "promoted/", e.How(), e.Outputs["message"])
	for _, f := range w.Functions {
		assert.Equal(t, "3", serving(f), f.Name())
	}
}

// At the last look, which is the first that can tell, one function is well and the
// other one is not.
func TestTheLastLookBringsAllBack(t *testing.T) {
	w := newWorld(t, 600, "api", "worker")
	for minute := range 10 {
		w.At[minute] = func() {
			at := w.Now().Truncate(time.Minute).Add(-time.Minute)
			w.Functions[1].TrafficOn("live", 3, at, at.Add(time.Minute), 600, 0.8)
		}
	}
	e := w.promote(map[string]string{"steps": "0%, 100% 2m"})
	assert.Equal(t, "failed/unhealthy", e.How(), e.Outputs["message"])
	for _, f := range w.Functions {
		assert.Equal(t, "2", serving(f), f.Name())
	}
}

// Somebody returns the alias: the promotion ends at the next look, and does not call
// the version promoted.
func TestSomebodyReturnsTheAlias(t *testing.T) {
	for name, steps := range map[string]string{"in the bake": "0%, 100% 10m", "in a step": "10% 10m, 100% 5m"} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, 600)
			w.At[4] = func() { require.NoError(t, w.Functions[0].SetAlias("live", 2, nil)) }
			e := w.promote(map[string]string{"steps": steps})
			assert.Equal(t, "failed/alias-changed", e.How(), e.Outputs["message"])
			assert.Equal(t, "2", serving(w.Functions[0]))
			assert.Less(t, w.Minute, 7, "it ends at the next look")
		})
	}
}

// The bake begins long after the deploy tool has moved the alias: what it is compared
// with is from before the deploy all the same.
func TestALateBakeIsComparedWithTheTimeBeforeTheDeploy(t *testing.T) {
	w := newWorld(t, 600)
	w.Errors[3] = 0.05
	require.NoError(t, w.Functions[0].SetAlias("live", 3, nil))
	require.NoError(t, w.Sleep(t.Context(), 55*time.Minute))
	e := w.promote(map[string]string{"steps": "100% 10m"})
	assert.Equal(t, "failed/unhealthy", e.How(), e.Outputs["message"])
	assert.Equal(t, "2", serving(w.Functions[0]))
}

// A URL that the runner cannot connect to says nothing of the new version, also where
// the deploy tool had moved the alias before anything could be probed.
func TestAURLThatCannotBeReachedBringsNothingBack(t *testing.T) {
	for name, c := range map[string]struct {
		live  int64
		steps string
	}{
		"in the bake":      {3, "100% 10m"},
		"in all the steps": {2, "10% 10m, 100% 10m"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, 600)
			require.NoError(t, w.Functions[0].SetAlias("live", c.live, nil))
			e := w.promote(map[string]string{"steps": c.steps, "health-url": "http://127.0.0.1:1/health", "health-timeout": "1s"})
			assert.Equal(t, "promoted/", e.How(), e.Outputs["message"])
			assert.Equal(t, "unknown", e.Outputs["healthy"])
			assert.Equal(t, "3", serving(w.Functions[0]))
			memory, found := w.Functions[0].Alias("live-rollback")
			require.True(t, found)
			assert.NotContains(t, memory.Description, "rejected=3")
		})
	}
}

// An alarm that could not be read at one look says nothing of the others.
func TestAnAlarmThatCouldNotBeReadOnce(t *testing.T) {
	for name, c := range map[string]struct {
		fault emulator.Effect
		want  string
	}{
		"once":             {emulator.Deny().Nth(4), "promoted/"},
		"never":            {emulator.Deny(), "failed/inconclusive"},
		"not before it":    {emulator.Deny().Times(1), "promoted/"},
		"not at the end":   {emulator.Deny().Skip(8), "failed/inconclusive"},
		"throttled always": {emulator.Throttle(0), "failed/inconclusive"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, 600)
			w.CloudWatch(region).SetAlarm("checkout", emulator.AlarmOK)
			w.Fault(emulator.Match{Operation: "DescribeAlarms"}, c.fault)
			e := w.promote(map[string]string{"alarms": "checkout", "steps": "10% 5m, 100%"})
			assert.Equal(t, c.want, e.How(), e.Outputs["message"])
		})
	}
}

// The log, the timeline and the page have every look.
func TestEveryLookIsTold(t *testing.T) {
	w := newWorld(t, 600)
	e := w.promote(map[string]string{"steps": "10% 4m, 100% 3m"})
	require.Equal(t, "promoted/", e.How(), e.Outputs["message"])
	var results []struct {
		Timeline []struct{ Event, Detail string }
	}
	require.NoError(t, json.Unmarshal([]byte(e.Outputs["results"]), &results))
	var shifts, looks int
	for _, m := range results[0].Timeline {
		switch m.Event {
		case "traffic-shifted":
			shifts++
		case "looked":
			looks++
			assert.Contains(t, e.Log, m.Detail, "as it happened")
		}
	}
	assert.Equal(t, 2, shifts)
	assert.Equal(t, 4+3, looks, "one for each minute whose calls were counted, but for the first of the canary")
	assert.Contains(t, e.Log, "the promotion takes 13 min if nothing goes wrong")
	assert.Equal(t, 13, w.Minute)
}

// The minutes of a promotion are AWS's, whatever time the runner has.
func TestTheRunnersClockIsWrong(t *testing.T) {
	for name, behind := range map[string]time.Duration{"an hour behind": time.Hour, "ten minutes ahead": -10 * time.Minute, "half a minute behind": 30 * time.Second} {
		for version, c := range map[string]struct {
			errors float64
			ended  string
			serves string
		}{"a good version": {0, "promoted/", "3"}, "a bad version": {0.5, "failed/unhealthy", "2"}} {
			t.Run(name+", "+version, func(t *testing.T) {
				w := newWorld(t, 600)
				w.Behind, w.Errors[3] = behind, c.errors
				e := w.promote(nil)
				assert.Equal(t, c.ended, e.How(), e.Outputs["message"])
				assert.Equal(t, c.serves, serving(w.Functions[0]))
				at, err := time.Parse(time.RFC3339, e.Outputs["timestamp"])
				require.NoError(t, err)
				assert.WithinDuration(t, w.Now(), at, time.Minute)
			})
		}
	}
}
