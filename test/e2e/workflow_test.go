package e2e_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// fails makes the deploy script's test of what it deployed fail.
var fails = map[string]string{"FAIL": "all"}

// The workflow on the README's first screen. The role is assumed by the job's
// own OIDC token: the step has no other credentials.
func TestAFailedDeployIsRolledBack(t *testing.T) {
	s := newScene(t)

	run := s.run(fromCheckout(t, documented(t, "Deploy")), "push", "main", s.push("main"), fails)

	require.Equal(t, "failure", run.result("deploy-production"))
	require.Equal(t, "success", run.result("rollback-on-failure"))
	assert.NotZero(t, run.code, "the run as a whole has failed")
	moves := s.moves()
	require.Len(t, moves, 2, "the deploy's and the rollback's")
	deployed := "4"
	assert.Contains(t, run.said("deploy-production"), "checkout-api:live serves version "+deployed)
	assert.Equal(t, s.before, s.function.Serving("live"))
	assert.Equal(t, role, moves[1].Actor)
	outputs := run.outputs("rollback-on-failure")
	assert.Equal(t, "rolled-back", outputs["status"])
	assert.Equal(t, "previous-version", outputs["reason"])
	assert.Equal(t, deployed, outputs["from-version"])
	assert.Equal(t, s.before, outputs["to-version"])
	summary := run.summary("rollback-on-failure")
	assert.Contains(t, summary, "checkout-api")
	log := run.said("rollback-on-failure")
	assert.Contains(t, log, `Attribution: version 4 was published`)
	assert.NotContains(t, log, "::warning")
	t.Logf("live served version %s; the deploy moved it to %s and failed; after the rollback it serves %s", s.before, deployed, s.function.Serving("live"))
	t.Logf("the log of the step:\n%s", log)
	t.Logf("the step summary:\n%s", summary)
}

// witness is one more job for a workflow, which shows the outputs of another.
const witness = `
  witness:
    needs: [rollback-on-failure]
    if: always()
    runs-on: ubuntu-latest
    steps:
      - env:
          OUTPUTS: ${{ toJSON(needs.rollback-on-failure.outputs) }}
        run: echo "$OUTPUTS"
`

// The README's workflow that uses the outputs, by a later step and by a later
// job: the action by its public name, nothing changed, one job added.
func TestOutputsReachALaterStepAndALaterJob(t *testing.T) {
	s := newScene(t)

	run := s.run(documented(t, "Deploy and tell")+witness, "push", "main", s.push("main"), fails)

	require.Equal(t, "success", run.result("rollback-on-failure"))
	assert.Equal(t, s.before, s.function.Serving("live"))
	message := run.outputs("rollback-on-failure")["message"]
	require.NotEmpty(t, message)
	said := strings.Split(run.said("rollback-on-failure"), "\n")
	assert.Contains(t, said, message, "the later step has it")
	assert.Equal(t, "success", run.result("tell"))
	assert.Contains(t, run.said("tell"), "production is back on the last good version")
	assert.JSONEq(t, `{"status": "rolled-back"}`, run.said("witness"))
	t.Logf("the later step was handed: %s", message)
	t.Logf("the later job was handed: %s", run.said("witness"))
	t.Logf("the other later job ran because of the output, and said: %s", run.said("tell"))
}

func TestASuccessfulDeployIsLeftAlone(t *testing.T) {
	s := newScene(t)

	run := s.run(documented(t, "Deploy and tell"), "push", "main", s.push("main"), nil)

	assert.Zero(t, run.code)
	assert.Equal(t, "success", run.result("deploy-production"))
	assert.Empty(t, run.result("rollback-on-failure"))
	assert.Empty(t, run.result("tell"))
	assert.Equal(t, "4", s.function.Serving("live"))
	assert.Len(t, s.moves(), 1, "the deploy's own")
}

func TestAnotherBranchIsLeftAlone(t *testing.T) {
	s := newScene(t)

	run := s.run(fromCheckout(t, documented(t, "Deploy")), "push", "feature/shoes", s.push("feature/shoes"), fails)

	require.Equal(t, "failure", run.result("deploy-production"))
	assert.Empty(t, run.result("rollback-on-failure"))
	assert.Equal(t, "4", s.function.Serving("live"))
	assert.Len(t, s.moves(), 1, "the deploy's own")
}

// The button of examples/, with the inputs that its form has.
func TestAVersionChosenByHand(t *testing.T) {
	for name, c := range map[string]struct {
		dryRun          any
		status, serving string
	}{
		"the form as it is only shows it": {nil, "planned", "3"},
		"and then for real":               {false, "rolled-back", "1"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			inputs := map[string]any{"function": "checkout-api", "version": "1", "reason": "totals are wrong"}
			if c.dryRun != nil {
				inputs["dry-run"] = c.dryRun
			}
			payload := map[string]any{"ref": "refs/heads/main", "inputs": inputs}

			run := s.run(example(t, "roll-back-by-hand.yml"), "workflow_dispatch", "main", payload, nil)

			require.Equal(t, "success", run.result("rollback"))
			outputs := run.outputs("rollback")
			assert.Equal(t, c.status+" chosen", outputs["status"]+" "+outputs["reason"], outputs["message"])
			assert.Equal(t, "1", outputs["to-version"])
			assert.Equal(t, c.serving, s.function.Serving("live"))
			assert.Contains(t, run.summary("rollback"), "totals are wrong")
			t.Logf("live served version %s, and serves %s: %s", s.before, s.function.Serving("live"), outputs["message"])
		})
	}
}
