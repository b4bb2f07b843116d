package alias_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/rollback/alias"
	"github.com/org/lambda-rollback-action/rollback/report"
)

// fakeGuard answers one proposal after the other, and lets the rest go on.
type fakeGuard struct {
	answers   []func() (alias.Hold, error)
	looked    []string
	proposals []alias.Proposal
}

func (g *fakeGuard) Look(arn string) { g.looked = append(g.looked, arn) }

func (g *fakeGuard) Allow(_ context.Context, p alias.Proposal) (alias.Hold, error) {
	g.proposals = append(g.proposals, p)
	if len(g.answers) == 0 {
		return alias.Hold{}, nil
	}
	answer := g.answers[0]
	g.answers = g.answers[1:]
	return answer()
}

func says(h alias.Hold) func() (alias.Hold, error) {
	return func() (alias.Hold, error) { return h, nil }
}

func TestAGuardIsAskedBeforeTheMove(t *testing.T) {
	t.Parallel()
	back := func(f *fleet) func() (alias.Hold, error) {
		return func() (alias.Hold, error) {
			f.lambdas["api"].set("live", 41, nil, "")
			return alias.Hold{Again: true}, nil
		}
	}
	for name, c := range map[string]struct {
		answers func(*fleet) []func() (alias.Hold, error)
		dryRun  bool
		want    string
		serves  string
		asked   int
	}{
		"it lets the move go on": {want: "rolled-back/previous-version", serves: "41", asked: 1},
		"it wants another look, and nothing has changed": {
			answers: func(*fleet) []func() (alias.Hold, error) {
				return []func() (alias.Hold, error){says(alias.Hold{Again: true})}
			},
			want: "rolled-back/previous-version", serves: "41", asked: 2,
		},
		"meanwhile somebody else has moved the alias back": {
			answers: func(f *fleet) []func() (alias.Hold, error) { return []func() (alias.Hold, error){back(f)} },
			want:    "skipped/not-deployed", serves: "41", asked: 2,
		},
		"and it knows who that was": {
			answers: func(f *fleet) []func() (alias.Hold, error) {
				return []func() (alias.Hold, error){back(f), says(alias.Hold{Skip: report.RolledBackByStack, Why: "the stack has rolled back"})}
			},
			want: "skipped/rolled-back-by-stack", serves: "41", asked: 2,
		},
		"it refuses": {
			answers: func(*fleet) []func() (alias.Hold, error) {
				return []func() (alias.Hold, error){func() (alias.Hold, error) {
					return alias.Hold{}, &alias.Problem{Reason: report.StackInProgress, Text: "a stack is at work"}
				}}
			},
			want: "failed/stack-in-progress", serves: "42", asked: 1,
		},
		"a dry run waits for nobody": {dryRun: true, want: "planned/previous-version", serves: "42"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			playFleet(t, []string{"api"}, func(t *testing.T, f *fleet) {
				g := &fakeGuard{}
				if c.answers != nil {
					g.answers = c.answers(f)
				}
				f.functions[0].Guard, f.functions[0].DryRun = g, c.dryRun
				results := rollBack(f.ctx, f.functions, false)
				require.Len(t, results, 1)
				assert.Equal(t, c.want, string(results[0].Status)+"/"+string(results[0].Reason), results[0].Message)
				assert.Equal(t, c.serves, f.lambdas["api"].serving("live"))
				assert.Len(t, g.proposals, c.asked)
				assert.NotEmpty(t, g.looked[0])
				if c.asked > 0 {
					assert.Equal(t, alias.Move, g.proposals[0].Decision.Action)
					assert.False(t, g.proposals[0].Changed)
				}
			})
		})
	}
}

// What was to be left serves, and is good: it must not be remembered as bad.
func TestWhatAStackBroughtBackIsNotRejected(t *testing.T) {
	t.Parallel()
	playFleet(t, []string{"api"}, func(t *testing.T, f *fleet) {
		f.functions[0].Guard = &fakeGuard{answers: []func() (alias.Hold, error){says(alias.Hold{Skip: report.RolledBackByStack, Why: "w"})}}
		results := rollBack(f.ctx, f.functions, false)
		assert.Equal(t, report.RolledBackByStack, results[0].Reason)
		assert.Empty(t, results[0].Rejected)
		assert.Empty(t, results[0].Target)
		assert.Empty(t, f.lambdas["api"].serving("live-rollback"))
	})
}

func TestNoneMovesWhereOneIsRefused(t *testing.T) {
	t.Parallel()
	playFleet(t, []string{"api", "worker"}, func(t *testing.T, f *fleet) {
		f.functions[1].Guard = &fakeGuard{answers: []func() (alias.Hold, error){func() (alias.Hold, error) {
			return alias.Hold{}, &alias.Problem{Reason: report.CodeDeployInProgress, Text: "CodeDeploy is at work"}
		}}}
		for _, r := range rollBack(f.ctx, f.functions, true) {
			assert.Equal(t, report.CodeDeployInProgress, r.Reason)
			assert.Equal(t, "42", f.lambdas[r.Function].serving("live"))
		}
	})
}

// Where a person chose the target, whoever else moves the alias may be told so.
func TestAGuardHearsWhetherAPersonChose(t *testing.T) {
	t.Parallel()
	for target, chosen := range map[int64]bool{0: false, 40: true} {
		playFleet(t, []string{"api"}, func(t *testing.T, f *fleet) {
			g := &fakeGuard{}
			f.functions[0].Guard, f.functions[0].Request.Target = g, target
			rollBack(f.ctx, f.functions, false)
			require.Len(t, g.proposals, 1)
			assert.Equal(t, chosen, g.proposals[0].Chosen)
		})
	}
}
