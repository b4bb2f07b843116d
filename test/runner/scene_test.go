package runner_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/test/emulator"
)

const (
	region     = "eu-west-1"
	repository = "octo-org/octo-repo"
	// repositoryID is that of the payloads in github/testdata/events.
	repositoryID = 300029405
	runnerName   = "GitHub Actions 7"
	failedNeeds  = `{"deploy":{"result":"failure","outputs":{}}}`
)

// scene is a repository whose deploy failed ten minutes after its run began,
// and an AWS account. The job that rolls back is at work.
type scene struct {
	*emulator.Emulator

	tb  testing.TB
	now time.Time
	run emulator.WorkflowRun
}

func newScene(tb testing.TB) *scene {
	tb.Helper()
	return newSceneAhead(tb, 0)
}

// newSceneAhead is newScene where the clocks of AWS and GitHub are ahead of this
// machine's.
func newSceneAhead(tb testing.TB, ahead time.Duration) *scene {
	tb.Helper()
	require.NoError(tb, noticed())
	now := func() time.Time { return time.Now().Add(ahead) }
	s := &scene{Emulator: emulator.StartFor(tb, emulator.WithClock(now)), tb: tb, now: now().UTC().Truncate(time.Second)}
	s.run = s.GitHub.AddRun(repository, emulator.WorkflowRun{
		ID: 7001, Number: 41, Branch: "main", SHA: "f00df00df00df00df00df00df00df00df00df00d", Commit: "Sell more shoes",
		CreatedAt: s.ago(10 * time.Minute),
		Jobs: []emulator.WorkflowJob{
			{
				Name: "deploy", Conclusion: "failure", StartedAt: s.ago(9 * time.Minute), CompletedAt: s.ago(4 * time.Minute),
				Steps: []emulator.WorkflowStep{{Name: "Smoke test", Conclusion: "failure"}},
			},
			{Name: "rollback", StartedAt: s.ago(time.Minute), RunnerName: runnerName},
		},
	})
	return s
}

func (s *scene) ago(d time.Duration) time.Time { return s.now.Add(-d) }

// deployed is when the failed run published.
func (s *scene) deployed() time.Time { return s.ago(6 * time.Minute) }

// function has versions 1 to n, a day apart; the last one is the failed run's
// and serves.
func (s *scene) function(name string, n int) *emulator.Function {
	s.tb.Helper()
	f := s.Lambda(region).CreateFunction(name)
	for i := 1; i < n; i++ {
		f.Publish(s.ago(time.Duration(n-i) * 24 * time.Hour))
	}
	f.Publish(s.deployed())
	require.NoError(s.tb, f.SetAlias("live", int64(n), nil))
	return f
}

// step rolls the function api back, in the job that needs the failed one.
func (s *scene) step() *step {
	s.tb.Helper()
	st := newStep(s.tb)
	for name, value := range s.Env() {
		st.set(name, value)
	}
	for name, value := range map[string]string{
		"AWS_REGION":           region,
		"GITHUB_REPOSITORY":    repository,
		"GITHUB_REPOSITORY_ID": strconv.Itoa(repositoryID),
		"GITHUB_REF":           "refs/heads/main",
		"GITHUB_REF_NAME":      "main",
		"GITHUB_SHA":           s.run.SHA,
		"GITHUB_RUN_ID":        strconv.FormatInt(s.run.ID, 10),
		"GITHUB_RUN_ATTEMPT":   "1",
		"GITHUB_RUN_NUMBER":    "41",
		"GITHUB_JOB":           "rollback",
		"GITHUB_WORKFLOW":      "deploy",
		"GITHUB_ACTOR":         "octocat",
		"RUNNER_NAME":          runnerName,
	} {
		st.set(name, value)
	}
	st.inputs(map[string]string{"function-name": "api", "needs": failedNeeds, "github-token": s.GitHub.Token})
	return st.event("push", s.push())
}

func (s *scene) push() map[string]any {
	return map[string]any{
		"ref":         "refs/heads/main",
		"head_commit": map[string]any{"id": s.run.SHA, "message": s.run.Commit + "\n\nLong story"},
		"repository":  map[string]any{"id": repositoryID, "full_name": repository, "pushed_at": s.ago(11 * time.Minute).Unix()},
	}
}

// example is a real payload, from github/testdata/events.
func example(tb testing.TB, name string) map[string]any {
	tb.Helper()
	raw, err := os.ReadFile(filepath.Join("..", "..", "github", "testdata", "events", name+".json"))
	require.NoError(tb, err)
	var payload map[string]any
	require.NoError(tb, json.Unmarshal(raw, &payload))
	return payload
}

// object is the object under a key of a payload, to be changed.
func object(payload map[string]any, key string) map[string]any {
	return payload[key].(map[string]any)
}

// asked are the calls to a service.
func (s *scene) asked(service string) []emulator.Call {
	return s.Calls(emulator.Match{Service: service})
}

// untouched wants that AWS was not called at all.
func (s *scene) untouched(tb testing.TB) {
	tb.Helper()
	require.Empty(tb, s.asked(emulator.ServiceLambda))
	require.Empty(tb, s.asked(emulator.ServiceSTS))
	require.Empty(tb, s.asked(emulator.ServiceOIDC))
}

// mutations are the names of the calls that changed something at AWS.
func (s *scene) mutations() []string {
	var names []string
	for _, c := range s.Journal() {
		if c.Mutates() {
			names = append(names, c.Operation+" "+c.Qualifier)
		}
	}
	return names
}

func on(operation, qualifier string) emulator.Match {
	return emulator.Match{Service: emulator.ServiceLambda, Operation: operation, Qualifier: qualifier}
}
