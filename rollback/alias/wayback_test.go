package alias_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/rollback/alias"
	"github.com/org/lambda-rollback-action/rollback/report"
)

// A canary's weight is part of what an alias served: each way back restores it.

func TestAllOrNothingRestoresTheCanary(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		version, weighted int64
		weight            float64
		want              string
	}{
		"a small canary":               {41, 42, 0.1, "41+42:0.1"},
		"one that is nearly over":      {41, 42, 0.95, "41+42:0.95"},
		"one with the new as the main": {42, 41, 0.25, "42+41:0.25"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			playFleet(t, []string{"api", "worker"}, func(t *testing.T, f *fleet) {
				api := f.lambdas["api"]
				api.set("live", c.version, map[string]float64{number(c.weighted): c.weight}, "")
				f.lambdas["worker"].faults = always("UpdateAlias live", fault{err: answer(403, "AccessDeniedException", "")})

				results := alias.Run(f.ctx, f.functions, true)

				assert.Equal(t, c.want, api.serving("live"))
				assert.Equal(t, report.Failed, results[0].Status)
				assert.Equal(t, 2, api.moves(), "there and back")
				assert.False(t, results[0].WeightsCleared)
			})
		})
	}
}

func TestADrillRestoresTheCanary(t *testing.T) {
	t.Parallel()
	playFleet(t, []string{"api"}, func(t *testing.T, f *fleet) {
		api := f.lambdas["api"]
		api.set("live", 41, map[string]float64{"42": 0.3}, "")
		drill := alias.NewFleet(f.functions)

		require.Equal(t, []int{0}, drill.Rehearse(f.ctx))
		assert.Equal(t, "41", api.serving("live"), "there, without the weight")
		require.Equal(t, []int{0}, drill.Home([]int{0}))

		assert.Equal(t, "41+42:0.3", api.serving("live"))
		assert.Equal(t, 2, api.moves())
		assert.Equal(t, report.Drilled, drill.Results()[0].Status)
	})
}

// Somebody gives the canary another weight while the drill is away from it: that
// is theirs, and stays.
func TestADrillLeavesAWeightThatOthersGave(t *testing.T) {
	t.Parallel()
	playFleet(t, []string{"api"}, func(t *testing.T, f *fleet) {
		api := f.lambdas["api"]
		api.set("live", 41, map[string]float64{"42": 0.3}, "")
		drill := alias.NewFleet(f.functions)
		require.Equal(t, []int{0}, drill.Rehearse(f.ctx))
		api.set("live", 41, map[string]float64{"40": 0.5}, "")

		assert.Empty(t, drill.Home([]int{0}))

		assert.Equal(t, "41+40:0.5", api.serving("live"))
		assert.Equal(t, report.AliasChanged, drill.Results()[0].Reason)
		assert.True(t, drill.Results()[0].ChangedByOthers)
	})
}

// A function whose rollback is not healthy goes further back, to the lowest that
// can serve, and returns to the first target: never to the canary.
func TestStepsBackAndTheReturnGoWithoutTheCanary(t *testing.T) {
	t.Parallel()
	playFleet(t, []string{"api"}, func(t *testing.T, f *fleet) {
		api := f.lambdas["api"]
		api.versions[39] = fakeVersion{modified: clockAt(0, 0).Add(-6 * 24 * time.Hour), state: api.versions[40].state}
		api.set("live", 41, map[string]float64{"42": 0.3}, "")
		fleet := alias.NewFleet(f.functions)
		fleet.RollBack(f.ctx, false)
		require.Equal(t, "41", api.serving("live"))

		require.Equal(t, []int{0}, fleet.StepBack(f.ctx, []int{0}))
		assert.Equal(t, "40", api.serving("live"))
		require.Equal(t, []int{0}, fleet.StepBack(f.ctx, []int{0}))
		assert.Equal(t, "39", api.serving("live"))
		assert.Empty(t, fleet.StepBack(f.ctx, []int{0}), "there is nothing further back")
		assert.Equal(t, "39", api.serving("live"))
		require.Equal(t, []int{0}, fleet.Return(f.ctx, []int{0}))

		assert.Equal(t, "41", api.serving("live"))
		got := fleet.Results()[0]
		assert.Equal(t, []string{"41", "40", "39"}, got.Tried)
		assert.Equal(t, "41", got.To)
		assert.True(t, got.WeightsCleared)
		assert.Empty(t, fleet.Return(f.ctx, []int{0}), "it is there")
		assert.Equal(t, "41", api.serving("live-rollback"))
		memory, err := alias.ParseDescription(api.description("live-rollback"))
		require.NoError(t, err)
		assert.Equal(t, []string{"42", "40", "39"}, memory.Rejected.Strings(), "the one that serves is not rejected")
	})
}

// With all-or-nothing, a step that one function cannot make is undone for the
// others, and what was tried then is forgotten.
func TestAStepBackThatOneCannotMakeIsUndone(t *testing.T) {
	t.Parallel()
	playFleet(t, []string{"api", "worker"}, func(t *testing.T, f *fleet) {
		worker := f.lambdas["worker"]
		worker.faults = func(call string, n int) *fault {
			if call == "UpdateAlias live" && n > 1 {
				return &fault{err: answer(403, "AccessDeniedException", "")}
			}
			return nil
		}
		fleet := alias.NewFleet(f.functions)
		fleet.RollBack(f.ctx, true)

		assert.Empty(t, fleet.StepBack(f.ctx, []int{0}))

		assert.Equal(t, "41", f.lambdas["api"].serving("live"))
		assert.Equal(t, "41", worker.serving("live"))
		assert.Equal(t, 3, f.lambdas["api"].moves(), "back, further, and returned")
		got := fleet.Results()[0]
		assert.Equal(t, "41", got.To)
		assert.Empty(t, got.Tried)
	})
}

func number(version int64) string { return strconv.FormatInt(version, 10) }

// moves counts the updates of the alias itself, without those of its memory.
func (l *fakeLambda) moves() int {
	return l.count("UpdateAlias live") - l.count("UpdateAlias live-")
}
