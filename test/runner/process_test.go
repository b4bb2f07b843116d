package runner_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// step is one step of a job, before it is run: the environment and the files
// that the runner gives to the container.
type step struct {
	tb  testing.TB
	env map[string]string
	dir string
	// stdout takes what the process writes; nil: the outcome's log.
	stdout *os.File
}

const (
	outputFile  = "output"
	summaryFile = "summary"
	eventFile   = "event.json"
)

// newStep has everything that every step has. The inputs are those of
// action.yml, each with its default, as the runner hands them over.
func newStep(tb testing.TB) *step {
	tb.Helper()
	s := &step{tb: tb, dir: tb.TempDir()}
	s.env = map[string]string{
		"PATH":                "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
		"HOME":                s.path("home"),
		"GITHUB_WORKSPACE":    s.dir,
		"GITHUB_EVENT_PATH":   s.path(eventFile),
		"GITHUB_OUTPUT":       s.path(outputFile),
		"GITHUB_STEP_SUMMARY": s.path(summaryFile),
		"GITHUB_ENV":          s.path("env"),
		"GITHUB_STATE":        s.path("state"),
		"GITHUB_PATH":         s.path("path"),
		"RUNNER_TEMP":         s.dir,
	}
	maps.Copy(s.env, runnersOwn)
	for name, input := range manifest.Inputs {
		s.input(name, input.Default)
	}
	for _, name := range []string{outputFile, summaryFile, "env", "state", "path"} {
		require.NoError(tb, os.WriteFile(s.path(name), nil, 0o600))
	}
	return s
}

func (s *step) path(name string) string { return filepath.Join(s.dir, name) }

// input sets an input as the runner writes it into the environment.
func (s *step) input(name, value string) *step {
	s.env["INPUT_"+strings.ToUpper(name)] = value
	return s
}

func (s *step) inputs(values map[string]string) *step {
	for name, value := range values {
		s.input(name, value)
	}
	return s
}

func (s *step) set(name, value string) *step {
	s.env[name] = value
	return s
}

func (s *step) unset(names ...string) *step {
	for _, name := range names {
		delete(s.env, name)
	}
	return s
}

// event sets what started the workflow.
func (s *step) event(name string, payload any) *step {
	s.tb.Helper()
	raw, err := json.Marshal(payload)
	require.NoError(s.tb, err)
	return s.rawEvent(name, raw)
}

func (s *step) rawEvent(name string, payload []byte) *step {
	s.tb.Helper()
	s.env["GITHUB_EVENT_NAME"] = name
	require.NoError(s.tb, os.WriteFile(s.path(eventFile), payload, 0o600))
	return s
}

// process is a step at work.
type process struct {
	step    *step
	cmd     *exec.Cmd
	started time.Time
	stdout  bytes.Buffer
	stderr  bytes.Buffer
	limit   *time.Timer
	stall   *stall
}

// longestStep is far above what any step here may take.
const longestStep = 90 * time.Second

func (s *step) start() *process {
	s.tb.Helper()
	p := &process{step: s, cmd: exec.Command(program)}
	p.cmd.Dir = s.dir
	for name, value := range maps.All(s.env) {
		p.cmd.Env = append(p.cmd.Env, name+"="+value)
	}
	p.cmd.Stdout, p.cmd.Stderr = io.Writer(&p.stdout), &p.stderr
	if s.stdout != nil {
		p.cmd.Stdout = s.stdout
	}
	p.started = time.Now()
	require.NoError(s.tb, p.cmd.Start())
	p.stall = watchStall(p.cmd.Process.Pid)
	p.limit = time.AfterFunc(longestStep, func() { _ = p.cmd.Process.Kill() })
	return p
}

func (p *process) signal(s syscall.Signal) {
	p.step.tb.Helper()
	require.NoError(p.step.tb, p.cmd.Process.Signal(s))
}

// outcome is what a step left behind.
type outcome struct {
	code           int
	signalled      bool   // it was killed
	stdout, stderr string // the runner reads both alike
	outputs        map[string]string
	outputsErr     error // the runner would fail the step over the file
	summary        string
	took           time.Duration
	stalled        time.Duration // of that, waiting for a processor
}

func (p *process) wait() outcome {
	p.step.tb.Helper()
	err := p.cmd.Wait()
	p.limit.Stop()
	o := outcome{took: time.Since(p.started), stalled: p.stall.stop(), stdout: p.stdout.String(), stderr: p.stderr.String()}
	if _, failed := errors.AsType[*exec.ExitError](err); err != nil && !failed {
		require.NoError(p.step.tb, err)
	}
	o.code = p.cmd.ProcessState.ExitCode()
	o.signalled = o.code < 0
	o.outputs, o.outputsErr = parseOutputs(p.step.read(outputFile))
	o.summary = p.step.read(summaryFile)
	return o
}

func (s *step) read(name string) string {
	s.tb.Helper()
	text, err := os.ReadFile(s.path(name))
	require.NoError(s.tb, err)
	return string(text)
}

// run runs the step to its end and holds the outcome to what is true of every
// outcome.
func (s *step) run() outcome {
	s.tb.Helper()
	o := s.start().wait()
	o.verify(s.tb)
	return o
}

// everything is all that a person or a later step could read.
func (o outcome) everything() string {
	var b strings.Builder
	b.WriteString(o.stdout + "\n" + o.stderr + "\n" + o.summary)
	for name, value := range o.outputs {
		b.WriteString("\n" + name + "=" + value)
	}
	return b.String()
}

func (o outcome) status() string { return o.outputs["status"] }
func (o outcome) reason() string { return o.outputs["reason"] }

// ended is how it ended, for one comparison.
func (o outcome) ended() string { return o.status() + "/" + o.reason() }

// result is one element of the output `results`.
type result struct {
	Function string `json:"function"`
	Status   string `json:"status"`
	Reason   string `json:"reason"`
	Message  string `json:"message"`
	MovedAt  string `json:"moved-at"`
	Site     struct {
		Status string `json:"status"`
	} `json:"site"`
}

func (o outcome) results(tb testing.TB) []result {
	tb.Helper()
	var all []result
	require.NoError(tb, json.Unmarshal([]byte(o.outputs["results"]), &all))
	return all
}

// warnings are the texts of the annotations of that kind.
func (o outcome) warnings() []string { return o.annotations("warning") }

func (o outcome) annotations(kind string) []string {
	var texts []string
	for _, c := range parseLog(o.stdout + "\n" + o.stderr).commands {
		if c.name == kind {
			texts = append(texts, c.data)
		}
	}
	return texts
}
