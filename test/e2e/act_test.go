package e2e_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// longestRun is far above what a workflow takes here, the first compiling of
// the image included.
const longestRun = 20 * time.Minute

// line is what act says about a job.
type line struct {
	JobID     string `json:"jobID"`
	Step      string `json:"step"`
	Message   string `json:"msg"`
	JobResult string `json:"jobResult"`
	RawOutput bool   `json:"raw_output"`
	Command   string `json:"command"`
	Content   string `json:"content"` // of the step summary
	Name      string `json:"name"`    // of an output
	Value     string `json:"arg"`     // of an output
}

// workflowRun is how a workflow went.
type workflowRun struct {
	lines []line
	text  string // all that act said
	code  int
}

// runWorkflow runs a workflow for an event. local are folders in the place of
// actions of others. heard gets each line as it comes.
func runWorkflow(t *testing.T, workflow, event string, payload any, env, local map[string]string, heard func(line)) workflowRun {
	t.Helper()
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	raw, err := json.Marshal(payload)
	require.NoError(t, err)
	args := []string{
		event, "--json", "--log-prefix-job-id",
		"--directory", checkout, "--bind",
		"--workflows", write("workflow.yml", workflow), "--eventpath", write("event.json", string(raw)),
		"--platform", "ubuntu-latest=" + *base, "--pull=false", "--network", "host",
		"--container-daemon-socket", "-", "--no-cache-server", "--rm",
		// The action under its public name is this checkout, too.
		"--local-repository", self + "v1=" + checkout,
		"--action-cache-path", filepath.Join(dir, "actions"),
		"--env-file", "", "--secret-file", "", "--var-file", "", "--input-file", "",
	}
	for name, value := range env {
		args = append(args, "--env", name+"="+value)
	}
	for action, folder := range local {
		args = append(args, "--local-repository", action+"="+folder)
	}
	args = append(args, "--secret", "GITHUB_TOKEN="+env["E2E_TOKEN"])

	ctx, cancel := context.WithTimeout(t.Context(), longestRun)
	defer cancel()
	cmd := exec.CommandContext(ctx, *act, args...)
	cmd.Env = append(os.Environ(), "XDG_CONFIG_HOME="+dir, "XDG_CACHE_HOME="+dir, "HOME="+dir)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	var run workflowRun
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var l line
		if json.Unmarshal(lines.Bytes(), &l) != nil {
			continue
		}
		run.lines = append(run.lines, l)
		run.text += l.JobID + " | " + strings.TrimRight(l.Message, "\n") + "\n"
		heard(l)
	}
	require.NoError(t, lines.Err())
	_ = cmd.Wait()
	run.code = cmd.ProcessState.ExitCode()
	run.text += stderr.String()
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("act said:\n%s", run.text)
		}
	})
	return run
}

// result is how a job ended; empty for one that was skipped.
func (r workflowRun) result(job string) string {
	for _, l := range r.lines {
		if l.JobID == job && l.JobResult != "" && l.JobResult != "skipped" {
			return l.JobResult
		}
	}
	return ""
}

// said is what the steps of a job wrote.
func (r workflowRun) said(job string) string {
	var text strings.Builder
	for _, l := range r.lines {
		if l.JobID == job && l.RawOutput {
			text.WriteString(strings.TrimRight(l.Message, "\r\n") + "\n")
		}
	}
	return text.String()
}

// outputs are those that the steps of a job set.
func (r workflowRun) outputs(job string) map[string]string {
	found := map[string]string{}
	for _, l := range r.lines {
		if l.JobID == job && l.Command == "set-output" {
			found[l.Name] = l.Value
		}
	}
	return found
}

// summary is what the steps of a job put into the summary.
func (r workflowRun) summary(job string) string {
	at := slices.IndexFunc(r.lines, func(l line) bool { return l.JobID == job && l.Command == "summary" })
	if at < 0 {
		return ""
	}
	return r.lines[at].Content
}
