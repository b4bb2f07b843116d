package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/org/lambda-rollback-action/test/emulator"
)

const (
	region     = "eu-west-1"
	repository = "acme/shop"
	role       = "arn:aws:iam::" + emulator.Account + ":role/rollback"
	runnerName = "GitHub Actions 7"
)

// lab has what is needed to measure the cases.
type lab struct {
	work, module, binary, self string
	image                      map[string]string // environment of the image
}

// measured is the result of a case after all of its runs; times are medians.
type measured struct {
	benchCase

	missing                 bool // the client is not installed
	moved, ended            time.Duration
	calls, row, github, too float64 // AWS calls, consecutive calls up to the move, GitHub calls, responses with status 429
	memory                  int64   // bytes
}

// once is the result of one run of a case.
type once struct {
	moved, ended            time.Duration
	calls, row, github, too int
	memory                  int64
}

func (l *lab) measure(ctx context.Context, c benchCase, runs int) (measured, error) {
	m := measured{benchCase: c}
	if !installed(tools[c.client]) {
		m.missing = true
		return m, nil
	}
	if c.slow() {
		runs = min(runs, 1)
	}
	var all []once
	for range runs {
		o, err := l.run(ctx, c)
		if err != nil {
			return m, err
		}
		all = append(all, o)
	}
	m.moved = median(all, func(o once) time.Duration { return o.moved })
	m.ended = median(all, func(o once) time.Duration { return o.ended })
	m.calls = float64(median(all, func(o once) int { return o.calls }))
	m.row = float64(median(all, func(o once) int { return o.row }))
	m.github = float64(median(all, func(o once) int { return o.github }))
	m.too = float64(median(all, func(o once) int { return o.too }))
	m.memory = median(all, func(o once) int64 { return o.memory })
	return m, nil
}

var tools = map[client]string{awsCLI: "aws", lambroll: "lambroll"}

func median[T int | int64 | time.Duration](all []once, of func(once) T) T {
	values := make([]T, len(all))
	for i, o := range all {
		values[i] = of(o)
	}
	slices.Sort(values)
	return values[len(values)/2]
}

// run sets up a case from scratch, and measures it once.
func (l *lab) run(ctx context.Context, c benchCase) (once, error) {
	e, err := emulator.Start()
	if err != nil {
		return once{}, err
	}
	defer e.Close()
	now := time.Now().UTC().Truncate(time.Second)
	names, err := functions(e, c, now)
	if err != nil {
		return once{}, err
	}
	own := addRuns(e, c, now)
	if c.bucket {
		limit := 15.0
		if c.half {
			limit = 7.5
		}
		e.LimitControlPlane(limit, 15)
	}
	for _, service := range []string{emulator.ServiceLambda, emulator.ServiceSTS, emulator.ServiceStacks, emulator.ServiceCodeDeploy} {
		slow(e, service, c.aws)
	}
	slow(e, emulator.ServiceGitHub, c.github)
	slow(e, emulator.ServiceOIDC, c.github)
	env := e.Env()
	if c.roundTrip > 0 {
		far, err := newFar(l.work, e.URL, milliseconds(c.roundTrip))
		if err != nil {
			return once{}, err
		}
		defer far.close()
		for name, value := range env {
			if c.near && !strings.HasPrefix(name, "AWS_") {
				continue
			}
			env[name] = strings.ReplaceAll(value, e.URL, far.url)
		}
		env["AWS_CA_BUNDLE"], env["SSL_CERT_FILE"] = far.authority, far.authority
	}
	command, err := l.command(ctx, c, names, own, env)
	if err != nil {
		return once{}, err
	}
	began := time.Now()
	text, err := command.CombinedOutput()
	ended := time.Since(began)
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		return once{}, fmt.Errorf("failed to start %s: %w", c.client, err)
	}
	return result(e, c, began, ended, command.ProcessState, text)
}

// slow makes every call of a service take ms milliseconds; below 0: the service
// never responds.
func slow(e *emulator.Emulator, service string, ms int) {
	match := emulator.Match{Service: service}
	switch {
	case ms < 0:
		e.Fault(match, emulator.Hang())
	case ms > 0: // a Latency of 0 never ends
		e.Fault(match, emulator.Latency(milliseconds(ms)))
	}
}

// functions creates the functions of the case, each with the version of the failed
// run behind the alias, and returns their names.
func functions(e *emulator.Emulator, c benchCase, now time.Time) ([]string, error) {
	var names []string
	for i := range c.functions {
		name := "api"
		if c.functions > 1 {
			name = fmt.Sprintf("api-%03d", i+1)
		}
		f := e.Lambda(region).CreateFunction(name)
		for n := range c.versions - 1 {
			f.Publish(now.Add(-time.Duration(c.versions-n) * time.Hour))
		}
		for range c.gap {
			f.ForceDelete(f.Publish(now.Add(-time.Hour)))
		}
		failing := f.Publish(now.Add(-6 * time.Minute))
		if err := f.SetAlias("live", failing, nil); err != nil {
			return nil, fmt.Errorf("failed to set the alias up: %w", err)
		}
		names = append(names, name)
	}
	return names, nil
}

// addRuns adds the failed run to GitHub, and any other run that the case needs.
func addRuns(e *emulator.Emulator, c benchCase, now time.Time) emulator.WorkflowRun {
	ago := func(d time.Duration) time.Time { return now.Add(-d) }
	own := e.GitHub.AddRun(repository, emulator.WorkflowRun{
		ID: 7001, Number: 41, CreatedAt: ago(10 * time.Minute),
		Jobs: []emulator.WorkflowJob{
			{Name: "deploy", Conclusion: "failure", StartedAt: ago(9 * time.Minute), CompletedAt: ago(4 * time.Minute)},
			{Name: "rollback", StartedAt: ago(time.Minute), RunnerName: runnerName},
		},
	})
	if c.newer {
		e.GitHub.AddRun(repository, emulator.WorkflowRun{
			ID: 7002, Number: 42, CreatedAt: ago(2 * time.Minute),
			Jobs: []emulator.WorkflowJob{{Name: "test", StartedAt: ago(time.Minute)}},
		})
	}
	return own
}

// command returns the process to measure, with its whole environment.
func (l *lab) command(ctx context.Context, c benchCase, names []string, own emulator.WorkflowRun, env map[string]string) (*exec.Cmd, error) {
	last := c.versions + c.gap
	target := c.versions - 1
	var command *exec.Cmd
	switch c.client {
	case floorOfTwo:
		command = exec.CommandContext(ctx, l.self, floorArgument, names[0], "live", strconv.Itoa(target))
	case awsCLI:
		command = exec.CommandContext(ctx, tools[awsCLI], "lambda", "update-alias", "--function-name", names[0], "--name", "live",
			"--function-version", strconv.Itoa(target), "--routing-config", `{"AdditionalVersionWeights":{}}`)
	case lambroll:
		definition := filepath.Join(l.work, "function.json")
		if err := os.WriteFile(definition, []byte(`{"FunctionName":"`+names[0]+`"}`), 0o600); err != nil {
			return nil, fmt.Errorf("failed to write lambroll's definition: %w", err)
		}
		command = exec.CommandContext(ctx, tools[lambroll], "rollback", "--function", definition, "--alias", "live")
	case thisAction:
		command = exec.CommandContext(ctx, l.binary)
		maps.Copy(env, l.image)
		if err := l.workflow(c, names, last, own, env); err != nil {
			return nil, err
		}
	}
	env["AWS_DEFAULT_REGION"] = region // the only name that the AWS CLI reads
	env["AWS_REGION"], env["PATH"], env["HOME"] = region, os.Getenv("PATH"), l.work
	for _, name := range slices.Sorted(maps.Keys(env)) {
		command.Env = append(command.Env, name+"="+env[name])
	}
	return command, nil
}

// workflow adds to env what the runner provides to a step.
func (l *lab) workflow(c benchCase, names []string, last int, own emulator.WorkflowRun, env map[string]string) error {
	dir, err := os.MkdirTemp(l.work, "step-")
	if err != nil {
		return fmt.Errorf("failed to make a directory for the step: %w", err)
	}
	event, err := json.Marshal(map[string]any{
		"ref": "refs/heads/main",
		"repository": map[string]any{
			"id": 1, "full_name": repository, "pushed_at": own.CreatedAt.Add(-time.Minute).Unix(),
		},
	})
	if err != nil {
		return fmt.Errorf("failed to write the event: %w", err)
	}
	for name, text := range map[string]string{"event.json": string(event), "output": "", "summary": ""} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			return fmt.Errorf("failed to write %s: %w", name, err)
		}
	}
	maps.Copy(env, map[string]string{
		"GITHUB_ACTIONS": "true", "GITHUB_EVENT_NAME": "push", "GITHUB_EVENT_PATH": filepath.Join(dir, "event.json"),
		"GITHUB_OUTPUT": filepath.Join(dir, "output"), "GITHUB_STEP_SUMMARY": filepath.Join(dir, "summary"),
		"GITHUB_REPOSITORY": repository, "GITHUB_REPOSITORY_ID": "1", "GITHUB_REF": "refs/heads/main", "GITHUB_REF_NAME": "main",
		"GITHUB_SHA": own.SHA, "GITHUB_RUN_ID": strconv.FormatInt(own.ID, 10), "GITHUB_RUN_ATTEMPT": "1",
		"GITHUB_RUN_NUMBER": strconv.Itoa(own.Number), "GITHUB_JOB": "rollback", "GITHUB_WORKFLOW": own.Workflow,
		"GITHUB_WORKFLOW_REF": repository + "/" + own.WorkflowFile + "@refs/heads/main",
		"RUNNER_NAME":         runnerName,
	})
	inputs, err := l.defaults()
	if err != nil {
		return err
	}
	inputs["function-name"] = strings.Join(names, "\n")
	inputs["needs"] = `{"deploy":{"result":"failure","outputs":{}}}`
	inputs["github-token"] = "ghs_emulator"
	if c.named {
		var lines []string
		for _, name := range names {
			lines = append(lines, fmt.Sprintf("%s=%d", name, last))
		}
		inputs["deployed-version"] = strings.Join(lines, "\n")
	}
	if c.oidc {
		inputs["role-to-assume"] = role
		delete(env, "AWS_ACCESS_KEY_ID")
		delete(env, "AWS_SECRET_ACCESS_KEY")
	}
	for name, value := range inputs {
		env["INPUT_"+strings.ToUpper(name)] = value
	}
	return nil
}

// defaults returns the values that the runner provides for inputs that a workflow
// omits.
func (l *lab) defaults() (map[string]string, error) {
	text, err := os.ReadFile(filepath.Join(l.module, "action.yml"))
	if err != nil {
		return nil, fmt.Errorf("failed to read action.yml: %w", err)
	}
	var action struct {
		Inputs map[string]struct {
			Default string `yaml:"default"`
		} `yaml:"inputs"`
	}
	if err := yaml.Unmarshal(text, &action); err != nil {
		return nil, fmt.Errorf("failed to parse action.yml: %w", err)
	}
	defaults := map[string]string{}
	for name, input := range action.Inputs {
		defaults[name] = input.Default
	}
	return defaults, nil
}

// result reads from the emulator what the process did.
func result(e *emulator.Emulator, c benchCase, began time.Time, ended time.Duration, state *os.ProcessState, text []byte) (once, error) {
	o := once{ended: ended}
	if usage, ok := state.SysUsage().(*syscall.Rusage); ok {
		o.memory = usage.Maxrss << 10
	}
	asked := e.Calls(emulator.Match{Service: emulator.ServiceLambda})
	moves := 0
	for _, call := range asked {
		if call.Status == 429 {
			o.too++
			continue
		}
		o.calls++
		if call.Operation == "UpdateAlias" && call.Qualifier == "live" {
			moves++
			o.moved = max(o.moved, call.End.Sub(began))
			o.row = max(o.row, inARow(asked, call))
		}
	}
	o.github = len(e.Calls(emulator.Match{Service: emulator.ServiceGitHub}))
	if moves != c.functions {
		return o, fmt.Errorf("%d of %d aliases were moved; it said:\n%s", moves, c.functions, text)
	}
	return o, nil
}

// inARow returns the length of the longest chain of calls that ends with last. Each
// call of the chain began after the response to the one before it.
func inARow(calls []emulator.Call, last emulator.Call) int {
	depth := make([]int, len(calls))
	for i, call := range calls {
		if call.Function != last.Function {
			continue
		}
		for j, before := range calls[:i] {
			if before.Function == last.Function && !before.End.IsZero() && !before.End.After(call.Start) {
				depth[i] = max(depth[i], depth[j])
			}
		}
		depth[i]++
		if call.Number == last.Number {
			return depth[i]
		}
	}
	return 0
}

// installed reports whether a client can be run. The empty name stands for our own
// programs.
func installed(tool string) bool {
	if tool == "" {
		return true
	}
	_, err := exec.LookPath(tool)
	return err == nil
}
