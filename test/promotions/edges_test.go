package promotions_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// One function is on the new version already: it is only watched at the end, while
// the other one goes through the steps.
func TestAFunctionThatIsThereWaitsForTheBake(t *testing.T) {
	w := newWorld(t, 600, "api", "worker")
	require.NoError(t, w.functions[0].SetAlias("live", 3, nil))
	e := w.promote(nil)
	assert.Equal(t, "promoted/", e.how(), e.outputs["message"])
	for _, f := range w.functions {
		assert.Equal(t, "3", serving(f), f.Name())
	}
}

// At the last look, which is the first that can tell, one function is well and the
// other one is not.
func TestTheLastLookBringsAllBack(t *testing.T) {
	w := newWorld(t, 600, "api", "worker")
	for minute := range 10 {
		w.at[minute] = func() {
			at := w.Now().Truncate(time.Minute).Add(-time.Minute)
			w.functions[1].TrafficOn("live", 3, at, at.Add(time.Minute), 600, 0.8)
		}
	}
	e := w.promote(map[string]string{"steps": "0%, 100% 2m"})
	assert.Equal(t, "failed/unhealthy", e.how(), e.outputs["message"])
	for _, f := range w.functions {
		assert.Equal(t, "2", serving(f), f.Name())
	}
}

// Somebody returns the alias: the promotion ends at the next look, and does not call
// the version promoted.
func TestSomebodyReturnsTheAlias(t *testing.T) {
	for name, steps := range map[string]string{"in the bake": "0%, 100% 10m", "in a step": "10% 10m, 100% 5m"} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, 600)
			w.at[4] = func() { require.NoError(t, w.functions[0].SetAlias("live", 2, nil)) }
			e := w.promote(map[string]string{"steps": steps})
			assert.Equal(t, "failed/alias-changed", e.how(), e.outputs["message"])
			assert.Equal(t, "2", serving(w.functions[0]))
			assert.Less(t, w.minute, 7, "it ends at the next look")
		})
	}
}
