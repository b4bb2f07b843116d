package e2e_test

import (
	"maps"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/test/emulator"
)

const (
	region     = "eu-west-1"
	repository = "org/shop"
	runID      = 9001
	runnerName = "GitHub Actions 7"
	role       = "arn:aws:sts::123456789012:assumed-role/lambda-rollback/lambda-rollback-9001"
)

// scene is an AWS account with the function of the README, whose alias live
// serves the newest of three versions, and a repository whose workflow runs.
type scene struct {
	*emulator.Emulator

	t        *testing.T
	function *emulator.Function
	before   string            // the version that served
	local    map[string]string // folders in the place of actions of others
}

func newScene(t *testing.T) *scene {
	t.Helper()
	needsEngine(t)
	s := &scene{Emulator: emulator.StartFor(t), t: t}
	s.function = s.Lambda(region).CreateFunction("checkout-api")
	for age := 3; age > 0; age-- {
		s.function.Publish(time.Now().Add(-time.Duration(age) * 24 * time.Hour))
	}
	require.NoError(t, s.function.SetAlias("live", 3, nil))
	s.before = s.function.Serving("live")
	return s
}

// run runs a workflow in the repository. What becomes of its jobs is on GitHub's
// API as it happens.
func (s *scene) run(workflow, event, branch string, payload any, env map[string]string) workflowRun {
	s.t.Helper()
	created := s.GitHub.AddRun(repository, emulator.WorkflowRun{
		ID: runID, Workflow: "Deploy", Branch: branch, Event: event, Commit: "Sell more shoes", CreatedAt: time.Now(),
	})
	all := map[string]string{
		"AWS_ENDPOINT_URL":               s.URL,
		"AWS_EC2_METADATA_DISABLED":      "true",
		"GITHUB_API_URL":                 s.GitHubURL,
		"GITHUB_REPOSITORY":              repository,
		"GITHUB_REF":                     "refs/heads/" + branch,
		"GITHUB_RUN_ID":                  strconv.Itoa(runID),
		"GITHUB_RUN_ATTEMPT":             "1",
		"RUNNER_NAME":                    runnerName,
		"ACTIONS_ID_TOKEN_REQUEST_URL":   s.OIDCURL(),
		"ACTIONS_ID_TOKEN_REQUEST_TOKEN": emulator.OIDCRequestToken,
		"E2E_TOKEN":                      s.GitHub.Token,
	}
	maps.Copy(all, env)
	return runWorkflow(s.t, workflow, event, payload, all, s.local, func(l line) { s.hear(created.ID, l) })
}

// hear tells GitHub's API what a line of the runner says about a job.
func (s *scene) hear(id int64, l line) {
	if l.JobID == "" {
		return
	}
	assert.NoError(s.t, s.GitHub.ChangeRun(repository, id, func(r *emulator.WorkflowRun) {
		at := -1
		for i := range r.Jobs {
			if r.Jobs[i].Name == l.JobID {
				at = i
			}
		}
		if at < 0 {
			r.Jobs = append(r.Jobs, emulator.WorkflowJob{Name: l.JobID, StartedAt: time.Now(), RunnerName: runnerName})
			at = len(r.Jobs) - 1
		}
		if job := &r.Jobs[at]; l.JobResult != "" {
			job.Status, job.Conclusion, job.CompletedAt = "completed", l.JobResult, time.Now()
		}
	}))
}

// push is the payload of a push to a branch.
func (s *scene) push(branch string) map[string]any {
	return map[string]any{
		"ref":         "refs/heads/" + branch,
		"head_commit": map[string]any{"message": "Sell more shoes"},
		"repository":  map[string]any{"full_name": repository, "pushed_at": time.Now().Unix()},
	}
}

// moves are the versions that the alias live went to since the scene began, and
// who moved it.
func (s *scene) moves() []emulator.Call {
	return s.Calls(emulator.Match{Service: emulator.ServiceLambda, Operation: "UpdateAlias", Qualifier: "live"})
}
