package e2e_test

import (
	"crypto/rand"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/test/emulator"
)

const (
	image   = "lambda-rollback-action-e2e"
	version = "v0.0.0-e2e"
)

// buildImage builds the Dockerfile by the command line of Docker, as GitHub's
// runner does it.
var buildImage = sync.OnceValues(func() (string, error) {
	out, err := exec.Command("docker", "build", "--build-arg", "VERSION="+version, "--tag", image, checkout).CombinedOutput()
	return string(out), err
})

func needsImage(t *testing.T) {
	t.Helper()
	needsEngine(t)
	said, err := buildImage()
	require.NoError(t, err, said)
}

func docker(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.Command("docker", args...).CombinedOutput()
	require.NoError(t, err, "docker %s: %s", strings.Join(args, " "), out)
	return strings.TrimSpace(string(out))
}

func TestTheImageKnowsItsVersion(t *testing.T) {
	needsImage(t)
	assert.Equal(t, "lambda-rollback-action "+version, docker(t, "run", "--rm", image, "--version"))
}

// container is a step of a job, as GitHub's runner starts it.
type container struct {
	t     *testing.T
	name  string
	files string // the directory with the files for outputs and summary
	cmd   *exec.Cmd
}

// container makes the call that the runner would make for a step that rolls
// back after a failed deploy.
func (s *scene) container() *container {
	s.t.Helper()
	c := &container{t: s.t, name: "e2e-" + strings.ToLower(rand.Text()), files: s.t.TempDir()}
	for _, file := range []string{"output", "summary"} {
		require.NoError(s.t, os.WriteFile(filepath.Join(c.files, file), nil, 0o600))
	}
	env := map[string]string{
		"HOME":                           "/github/home",
		"CI":                             "true",
		"GITHUB_ACTIONS":                 "true",
		"GITHUB_EVENT_NAME":              "push",
		"GITHUB_REPOSITORY":              repository,
		"GITHUB_REF":                     "refs/heads/main",
		"GITHUB_RUN_ID":                  "9001",
		"GITHUB_RUN_ATTEMPT":             "1",
		"GITHUB_API_URL":                 s.GitHubURL,
		"GITHUB_OUTPUT":                  "/github/file_commands/output",
		"GITHUB_STEP_SUMMARY":            "/github/file_commands/summary",
		"AWS_ENDPOINT_URL":               s.URL,
		"ACTIONS_ID_TOKEN_REQUEST_URL":   s.OIDCURL(),
		"ACTIONS_ID_TOKEN_REQUEST_TOKEN": emulator.OIDCRequestToken,
		"INPUT_FUNCTION-NAME":            "checkout-api",
		"INPUT_AWS-REGION":               region,
		"INPUT_ROLE-TO-ASSUME":           "arn:aws:iam::123456789012:role/lambda-rollback",
		"INPUT_NEEDS":                    `{"deploy-production":{"result":"failure","outputs":{}}}`,
		"INPUT_GITHUB-TOKEN":             s.GitHub.Token,
	}
	args := []string{"run", "--name", c.name, "--network", "host", "--workdir", "/github/workspace", "--volume", c.files + ":/github/file_commands"}
	for name, value := range maps.All(env) {
		args = append(args, "--env", name+"="+value)
	}
	c.cmd = exec.Command("docker", append(args, image)...)
	s.t.Cleanup(func() { _ = exec.Command("docker", "rm", "--force", c.name).Run() })
	return c
}

// failedDeploy is a deploy of version 4 that failed a minute ago.
func (s *scene) failedDeploy() {
	s.t.Helper()
	now := time.Now()
	s.GitHub.AddRun(repository, emulator.WorkflowRun{
		ID: runID, CreatedAt: now.Add(-10 * time.Minute),
		Jobs: []emulator.WorkflowJob{{Name: "deploy-production", Conclusion: "failure", StartedAt: now.Add(-9 * time.Minute), CompletedAt: now.Add(-time.Minute)}},
	})
	require.NoError(s.t, s.function.SetAlias("live", s.function.Publish(now.Add(-2*time.Minute)), nil))
}

// TestColdStart measures how long it takes from a container's start until the
// alias has moved, with no other machine in between: what the container and the
// program cost. The runner's own time and the way to AWS come on top.
func TestColdStart(t *testing.T) {
	needsEngine(t)
	const times = 9
	var fromRun, fromStart []time.Duration
	for range times {
		t.Run("once", func(t *testing.T) {
			s := newScene(t)
			needsImage(t)
			s.failedDeploy()
			c := s.container()
			began := time.Now()
			out, err := c.cmd.CombinedOutput()
			require.NoError(t, err, "%s", out)
			moves := s.moves()
			require.Len(t, moves, 1)
			require.Equal(t, "3", s.function.Serving("live"))
			started, err := time.Parse(time.RFC3339Nano, docker(t, "inspect", "--format", "{{.State.StartedAt}}", c.name))
			require.NoError(t, err)
			fromRun = append(fromRun, moves[0].End.Sub(began))
			fromStart = append(fromStart, moves[0].End.Sub(started))
			outputs, err := os.ReadFile(filepath.Join(c.files, "output"))
			require.NoError(t, err)
			assert.Contains(t, string(outputs), "rolled-back")
		})
	}
	require.Len(t, fromRun, times)
	slices.Sort(fromRun)
	slices.Sort(fromStart)
	t.Logf("the alias had moved, over %d cold starts: %s after docker run was called (%s to %s), %s after the container had started (%s to %s)",
		times, round(fromRun[times/2]), round(fromRun[0]), round(fromRun[times-1]), round(fromStart[times/2]), round(fromStart[0]), round(fromStart[times-1]))
	assert.Less(t, fromRun[0], time.Second, "the fastest of them: other work on this machine slows down the rest")
}

func round(d time.Duration) time.Duration { return d.Round(time.Millisecond) }

// A process with the number 1 gets only the signals that it asked for, so what
// test/runner shows of signals has to be seen here once more.
func TestACancelledJobIsToldTheTruth(t *testing.T) {
	s := newScene(t)
	needsImage(t)
	s.failedDeploy()
	hangs := emulator.Match{Service: emulator.ServiceLambda, Operation: "GetAlias", Qualifier: "live"}
	s.Fault(hangs, emulator.Hang())
	c := s.container()
	require.NoError(t, c.cmd.Start())
	require.Eventually(t, func() bool { return len(s.Calls(hangs)) > 0 }, 30*time.Second, 10*time.Millisecond)
	sent := time.Now()
	require.NoError(t, c.cmd.Process.Signal(os.Interrupt)) // the runner signals docker, and docker the container
	_ = c.cmd.Wait()
	assert.Less(t, time.Since(sent), 7500*time.Millisecond)
	assert.Equal(t, 1, c.cmd.ProcessState.ExitCode())
	outputs, err := os.ReadFile(filepath.Join(c.files, "output"))
	require.NoError(t, err)
	assert.Contains(t, string(outputs), "cancelled")
	assert.Equal(t, "4", s.function.Serving("live"))
	assert.Empty(t, s.moves())
}
