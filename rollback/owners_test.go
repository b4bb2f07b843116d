package rollback_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/github"
	"github.com/org/lambda-rollback-action/rollback"
	"github.com/org/lambda-rollback-action/test/emulator"
)

// quickClock runs ahead instead of waiting.
type quickClock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *quickClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *quickClock) Sleep(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
	return ctx.Err()
}

// history is a rollback of the function api beside a stack that rolls back: each
// step of the stack is made just before a call of ours.
type history struct {
	*emulator.Emulator

	function *emulator.Function
	now      time.Time

	mu    sync.Mutex
	calls int
	steps []func() // of the stack, in order
	at    []int    // before which call each is made
}

func newHistory(t *testing.T, at ...int) *history {
	t.Helper()
	h := &history{Emulator: emulator.StartFor(t), now: time.Now().UTC().Truncate(time.Second), at: at}
	h.function = h.Lambda("eu-west-1").CreateFunction("api")
	for i := range 5 {
		h.function.Publish(h.now.Add(time.Duration(i-9) * 24 * time.Hour))
	}
	h.function.Publish(h.now.Add(-6 * time.Minute))
	require.NoError(t, h.function.SetAlias("live", 6, nil))
	h.GitHub.AddRun("octo-org/octo-repo", emulator.WorkflowRun{
		ID: 7001, Number: 41, Branch: "main", SHA: strings.Repeat("f", 40), CreatedAt: h.now.Add(-10 * time.Minute),
		Jobs: []emulator.WorkflowJob{
			{Name: "deploy", Conclusion: "failure", StartedAt: h.now.Add(-9 * time.Minute), CompletedAt: h.now.Add(-4 * time.Minute)},
			{Name: "rollback", StartedAt: h.now.Add(-time.Minute), RunnerName: "runner"},
		},
	})
	stacks := h.CloudFormation("eu-west-1")
	stacks.Put(emulator.Stack{
		Name: "checkout", Status: "UPDATE_IN_PROGRESS", Updated: h.now.Add(-7 * time.Minute),
		Resources: []emulator.StackResource{{LogicalID: "Live", PhysicalID: h.function.ARN() + ":live", Type: "AWS::Lambda::Alias"}},
	})
	h.steps = []func(){
		func() { stacks.SetStatus("checkout", "UPDATE_ROLLBACK_IN_PROGRESS") },
		func() { assert.NoError(t, h.function.SetAlias("live", 5, nil)) }, // CloudFormation knows no RevisionId
		func() { stacks.SetStatus("checkout", "UPDATE_ROLLBACK_COMPLETE") },
	}
	h.Fault(emulator.Match{Where: func(c emulator.Call) bool { return c.Service != emulator.ServiceGitHub }}, emulator.Before(func(emulator.Call) { h.advance() }))
	return h
}

// advance makes the steps of the stack that come before this call.
func (h *history) advance() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.calls++
	for len(h.steps) > 0 && h.at[0] <= h.calls {
		h.steps[0]()
		h.steps, h.at = h.steps[1:], h.at[1:]
	}
}

// finish makes the steps that are left: the stack goes on after ours has ended.
func (h *history) finish() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, step := range h.steps {
		step()
	}
	h.steps = nil
}

// run rolls back in a job that needs the failed one, and gives the output status
// with the reason, and the summary.
func (h *history) run(t *testing.T, inputs map[string]string) (ended, summary string) {
	t.Helper()
	env := map[string]string{
		"GITHUB_ACTIONS": "true", "GITHUB_REPOSITORY": "octo-org/octo-repo", "GITHUB_REF": "refs/heads/main", "GITHUB_REF_NAME": "main",
		"GITHUB_SHA": strings.Repeat("f", 40), "GITHUB_RUN_ID": "7001", "GITHUB_RUN_ATTEMPT": "1", "GITHUB_RUN_NUMBER": "41",
		"GITHUB_JOB": "rollback", "GITHUB_EVENT_NAME": "push", "GITHUB_EVENT_PATH": "event", "RUNNER_NAME": "runner",
		"GITHUB_OUTPUT": "output", "GITHUB_STEP_SUMMARY": "summary",
	}
	for _, definition := range github.InputDefinitions() {
		env[definition.Variable()] = definition.Default
	}
	for name, value := range inputs {
		env[github.Definition{Name: name}.Variable()] = value
	}
	t.Setenv("AWS_REGION", "eu-west-1")
	for name, value := range h.Env() { // the SDK reads them by itself
		env[name] = value
		t.Setenv(name, value)
	}
	env[github.Definition{Name: "github-token"}.Variable()] = h.GitHub.Token
	files := map[string]*bytes.Buffer{"output": {}, "summary": {}}
	rollback.Main(t.Context(), nil, rollback.Deps{
		Getenv: func(name string) string { return env[name] },
		ReadFile: func(string) ([]byte, error) {
			return []byte(`{"ref":"refs/heads/main","repository":{"full_name":"octo-org/octo-repo"}}`), nil
		},
		Append: func(path string, data []byte) error { files[path].Write(data); return nil },
		Random: rand.Reader, Stdin: strings.NewReader(""), Stdout: io.Discard, Stderr: io.Discard,
		Clock: &quickClock{now: h.now}, HTTP: &http.Client{},
	})
	return output(files["output"].String(), "status") + "/" + output(files["output"].String(), "reason"), files["summary"].String()
}

// output is an output from the file of a step.
func output(file, name string) string {
	lines := strings.Split(file, "\n")
	for i, line := range lines {
		if rest, found := strings.CutPrefix(line, name+"="); found {
			return rest
		}
		if strings.HasPrefix(line, name+"<<") && i+1 < len(lines) {
			return lines[i+1]
		}
	}
	return ""
}

// Wherever the steps of a stack's rollback fall among our calls, the alias ends on
// the version before the deploy, neither undoes what the other did, and the
// report names the stack.
func TestAStackRollsBackBesideOurs(t *testing.T) {
	calls := 0
	func() { // how many calls there are to fall among
		h := newHistory(t, 1000, 1000, 1000)
		h.run(t, map[string]string{"function-name": "api", "needs": `{"deploy":{"result":"failure","outputs":{}}}`, "on-stack-in-progress": "go-on"})
		calls = h.calls
	}()
	require.Greater(t, calls, 5)
	ends := map[string]map[string]int{"wait": {}, "go-on": {}}
	for mode := range ends {
		for first := 1; first <= calls+1; first++ {
			for moved := first; moved <= calls+1; moved++ {
				for _, done := range slices.Compact([]int{moved, moved + 1, calls + 2}) {
					h := newHistory(t, first, moved, done)
					ended, summary := h.run(t, map[string]string{
						"function-name": "api", "needs": `{"deploy":{"result":"failure","outputs":{}}}`, "on-stack-in-progress": mode,
					})
					h.finish()
					what := fmt.Sprintf("%s, the stack's steps before the calls %d, %d and %d: %s", mode, first, moved, done, ended)
					ends[mode][ended]++
					assert.Equal(t, "5", h.function.Serving("live"), what)
					left := false
					for _, state := range h.function.History("live") {
						if state.Version == "5" {
							left = true
						} else {
							assert.Equal(t, "6", state.Version, what)
							assert.False(t, left, what)
						}
					}
					assert.Contains(t, summary, "the stack checkout", what)
					if mode == "wait" {
						assert.Equal(t, "skipped/rolled-back-by-stack", ended, what)
					} else {
						assert.Contains(t, []string{"rolled-back/previous-version", "skipped/not-deployed", "skipped/rolled-back-by-stack"}, ended, what)
					}
				}
			}
		}
	}
	assert.Greater(t, ends["go-on"]["rolled-back/previous-version"], 10, ends)
	t.Log(ends)
}
