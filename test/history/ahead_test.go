package history_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/org/lambda-rollback-action/rollback/report"
	"github.com/org/lambda-rollback-action/test/history"
)

// without leaves out whether GitHub was waited for.
func without(steps []history.Step) []history.Step {
	out := slices.Clone(steps)
	for i := range out {
		out[i].Waited = false
	}
	return out
}

// What is moved without waiting for GitHub is exactly what is moved with its answer.
// Where it is not waited for, it is not asked at all: whether it is slow or hangs
// then makes no difference either.
func TestWhatIsMovedWithoutGitHubIsWhatIsMovedWithIt(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		h := draw(t, limits{runs: 15, overlaps: true, withheld: true})
		for i := range h.Plans {
			h.Plans[i].Faults = 0 // how long a further try waits is random
		}
		with := history.Play(h, history.Ours)
		ahead := history.Play(h, history.OursWithPayload)
		require.Equal(t, without(with.Steps), without(ahead.Steps), "%s", h)
		for i, step := range ahead.Steps {
			if step.Waited {
				require.True(t, with.Steps[i].Waited, "%s", h)
			}
		}
	})
}

func TestANamedVersionMovesWithoutGitHub(t *testing.T) {
	t.Parallel()
	named := plan(history.FailsSmoke, func(p *history.Plan) { p.Tells = true })
	for name, tt := range map[string]struct {
		plans  []history.Plan
		roll   history.Roller
		waited bool
	}{
		"the payload proves when the run began": {[]history.Plan{plan(history.Succeeds), named}, history.OursWithPayload, false},
		"it proves nothing":                     {[]history.Plan{plan(history.Succeeds), named}, history.Ours, true},
		"nobody named the version":              {[]history.Plan{plan(history.Succeeds), plan(history.FailsSmoke)}, history.OursWithPayload, true},
		"a run is right behind another": {[]history.Plan{
			plan(history.Succeeds), plan(history.FailsSmoke, overlaps(1)), plan(history.FailsSmoke, overlaps(1), func(p *history.Plan) { p.Tells, p.Deploy = true, time.Minute }),
		}, history.OursWithPayload, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := history.Play(history.History{Plans: tt.plans}, tt.roll)
			require.NotEmpty(t, w.Steps)
			last := w.Steps[len(w.Steps)-1]
			assert.Equal(t, tt.waited, last.Waited)
			if name != "a run is right behind another" {
				assert.Equal(t, report.RolledBack, last.Status)
			}
		})
	}
}
