package alias_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
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

// Somebody deploys 43 while the alias is to return: the report says once what is
// live now, and never that the alias stays where it is not.
func TestAllOrNothingSaysWhatIsLiveAfterADeploy(t *testing.T) {
	t.Parallel()
	for name, lost := range map[string]bool{"before the way back": false, "while its response is lost": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			playFleet(t, []string{"api", "worker"}, func(t *testing.T, f *fleet) {
				api := f.lambdas["api"]
				api.faults = func(call string, n int) *fault {
					if lost && call == "UpdateAlias live" && n == 2 {
						return &fault{err: answer(500, "ServiceException", "")}
					}
					return nil
				}
				api.before = func(call string, n int) {
					if call == "UpdateAlias live" && n == 2 {
						api.mu.Lock()
						api.versions[43] = fakeVersion{modified: time.Now(), state: types.StateActive}
						api.mu.Unlock()
						api.set("live", 43, nil, "")
					}
				}
				f.lambdas["worker"].faults = always("UpdateAlias live", fault{err: answer(403, "AccessDeniedException", "")})

				r := rollBack(f.ctx, f.functions, true)[0]

				assert.Equal(t, "43", api.serving("live"))
				assert.Equal(t, "all-or-nothing is set and another function could not be moved, but this one could not be returned to version 42: "+
					"the alias was changed by somebody else in the meantime, and serves version 43 now", warnings(r))
				assert.True(t, r.ChangedByOthers)
				assert.Equal(t, "somebody else has changed the alias since, and it serves version 43 now", r.AliasState)
				assert.Contains(t, r.Message, "; somebody else changed it after that, and it serves version 43 now")
				assert.Equal(t, 1, strings.Count(r.Message, "43"), r.Message)
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
