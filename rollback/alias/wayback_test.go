package alias_test

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"

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
				api.set("live", c.version, map[string]float64{strconv.FormatInt(c.weighted, 10): c.weight}, "")
				f.lambdas["worker"].faults = always("UpdateAlias live", fault{err: answer(403, "AccessDeniedException", "")})

				results := f.run(t, true)

				assert.Equal(t, c.want, api.serving("live"))
				assert.Equal(t, report.Failed, results["api"].Status)
				assert.Equal(t, 2, api.moves(), "there and back")
				assert.False(t, results["api"].WeightsCleared)
			})
		})
	}
}

func TestADrillRestoresTheCanary(t *testing.T) {
	t.Parallel()
	playFleet(t, []string{"api"}, func(t *testing.T, f *fleet) {
		api := f.lambdas["api"]
		api.set("live", 41, map[string]float64{"42": 0.3}, "")
		drill := alias.NewDrill(f.functions)

		drill.Move(f.ctx)
		assert.Equal(t, "41", api.serving("live"), "there, without the weight")
		drill.Restore()

		assert.Equal(t, "41+42:0.3", api.serving("live"))
		assert.Equal(t, 2, api.moves())
		assert.Equal(t, report.Drilled, drill.Results(f.ctx)[0].Status)
	})
}

// Somebody gives the canary another weight while the drill is away from it: that
// is theirs, and stays.
func TestADrillLeavesAWeightThatOthersGave(t *testing.T) {
	t.Parallel()
	playFleet(t, []string{"api"}, func(t *testing.T, f *fleet) {
		api := f.lambdas["api"]
		api.set("live", 41, map[string]float64{"42": 0.3}, "")
		drill := alias.NewDrill(f.functions)
		drill.Move(f.ctx)
		api.set("live", 41, map[string]float64{"40": 0.5}, "")

		drill.Restore()

		assert.Equal(t, "41+40:0.5", api.serving("live"))
		assert.Equal(t, report.AliasChanged, drill.Results(f.ctx)[0].Reason)
		assert.True(t, drill.Results(f.ctx)[0].ChangedByOthers)
	})
}

// moves counts those of the alias itself, and not those of its memory.
func (l *fakeLambda) moves() int {
	return l.count("UpdateAlias live") - l.count("UpdateAlias live-rollback")
}
