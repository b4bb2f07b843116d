package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/org/lambda-rollback-action/test/binary"
	"github.com/org/lambda-rollback-action/test/emulator"
)

const (
	runnerName = "GitHub Actions 1000000042"
	// stepLimit is far above what a step takes here: a hanging one is a fault.
	stepLimit = time.Minute
	role      = "arn:aws:iam::" + emulator.Account + ":role/rollback-production"
)

// A runner starts the action as GitHub's runner does: all it knows comes from
// the environment and from files.
type runner struct {
	binary   string
	module   string // directory of the sources
	work     string // scratch directory
	defaults map[string]string
}

// newRunner builds the action.
func newRunner(ctx context.Context, work string) (*runner, error) {
	gomod, err := goCommand(ctx, "env", "GOMOD")
	if err != nil {
		return nil, err
	}
	r := &runner{module: filepath.Dir(gomod), work: work}
	if r.defaults, err = readDefaults(filepath.Join(r.module, "action.yml")); err != nil {
		return nil, err
	}
	r.binary, err = binary.Build(ctx, work)
	return r, err
}

func goCommand(ctx context.Context, args ...string) (string, error) {
	var stderr bytes.Buffer
	command := exec.CommandContext(ctx, "go", args...)
	command.Stderr = &stderr
	out, err := command.Output()
	if err != nil {
		return "", fmt.Errorf("failed to run go %s: %w\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return strings.TrimSpace(string(out)), nil
}

// readDefaults reads the inputs' defaults from action.yml: the runner sets all
// of them.
func readDefaults(path string) (map[string]string, error) {
	text, err := os.ReadFile(path)
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

// A finished step is all that the runner gets back.
type finished struct {
	exit     int
	log      string // stdout, and stderr behind it
	outputs  map[string]string
	summary  string
	duration time.Duration
}

// step runs the action in the job of run that is at work.
func (r *runner) step(ctx context.Context, st *stage, a act, own emulator.WorkflowRun) (finished, error) {
	dir, err := os.MkdirTemp(r.work, "step-")
	if err != nil {
		return finished{}, fmt.Errorf("failed to make a directory for the step: %w", err)
	}
	files := map[string]string{"event.json": "", "output": "", "summary": ""}
	payload, err := r.payload(own)
	if err != nil {
		return finished{}, err
	}
	files["event.json"] = payload
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			return finished{}, fmt.Errorf("failed to write %s: %w", name, err)
		}
	}

	ctx, cancel := context.WithTimeout(ctx, stepLimit)
	defer cancel()
	command := exec.CommandContext(ctx, r.binary)
	command.Dir = dir
	command.Env = r.environment(st, a, own, dir)
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	begun := time.Now()
	err = command.Run()
	done := finished{exit: command.ProcessState.ExitCode(), log: stdout.String() + stderr.String(), duration: time.Since(begun)}
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
		return finished{}, fmt.Errorf("failed to run the action: %w", err)
	}
	if ctx.Err() != nil {
		return done, fmt.Errorf("the action was still at work after %s; its log was:\n%s", stepLimit, done.log)
	}

	outputs, err := os.ReadFile(filepath.Join(dir, "output"))
	if err != nil {
		return done, fmt.Errorf("failed to read the outputs: %w", err)
	}
	if done.outputs, err = parseOutputs(string(outputs)); err != nil {
		return done, err
	}
	summary, err := os.ReadFile(filepath.Join(dir, "summary"))
	if err != nil {
		return done, fmt.Errorf("failed to read the summary: %w", err)
	}
	done.summary = string(summary)
	return done, nil
}

// environment is the whole environment of the step; nothing of the demo's own
// is handed on.
func (r *runner) environment(st *stage, a act, own emulator.WorkflowRun, dir string) []string {
	sha, id := own.SHA, strconv.FormatInt(own.ID, 10)
	env := map[string]string{
		"HOME": dir, "CI": "true",
		"GITHUB_ACTIONS": "true", "GITHUB_ACTION": "rollback", "GITHUB_ACTION_REF": "v1",
		"GITHUB_ACTION_REPOSITORY": "org/lambda-rollback-action",
		"GITHUB_ACTOR":             own.Actor, "GITHUB_ACTOR_ID": "583231", "GITHUB_TRIGGERING_ACTOR": own.Actor,
		"GITHUB_BASE_REF": "", "GITHUB_HEAD_REF": "",
		"GITHUB_EVENT_NAME": own.Event, "GITHUB_EVENT_PATH": filepath.Join(dir, "event.json"),
		"GITHUB_GRAPHQL_URL": st.URL + "/graphql",
		"GITHUB_JOB":         a.run.jobs[len(a.run.jobs)-1].name,
		"GITHUB_OUTPUT":      filepath.Join(dir, "output"), "GITHUB_STEP_SUMMARY": filepath.Join(dir, "summary"),
		"GITHUB_REF": "refs/heads/" + own.Branch, "GITHUB_REF_NAME": own.Branch,
		"GITHUB_REF_PROTECTED": "true", "GITHUB_REF_TYPE": "branch",
		"GITHUB_REPOSITORY": repository, "GITHUB_REPOSITORY_ID": "1",
		"GITHUB_REPOSITORY_OWNER": "acme", "GITHUB_REPOSITORY_OWNER_ID": "583231",
		"GITHUB_RETENTION_DAYS": "90",
		"GITHUB_RUN_ID":         id, "GITHUB_RUN_NUMBER": strconv.Itoa(own.Number), "GITHUB_RUN_ATTEMPT": strconv.Itoa(own.Attempt),
		"GITHUB_SERVER_URL": "https://github.com", "GITHUB_SHA": sha,
		"GITHUB_WORKFLOW":     own.Workflow,
		"GITHUB_WORKFLOW_REF": repository + "/" + own.WorkflowFile + "@refs/heads/" + own.Branch, "GITHUB_WORKFLOW_SHA": sha,
		"GITHUB_WORKSPACE": dir,
		"RUNNER_ARCH":      "X64", "RUNNER_OS": "Linux", "RUNNER_ENVIRONMENT": "github-hosted", "RUNNER_NAME": runnerName,
		"RUNNER_TEMP": dir, "RUNNER_TOOL_CACHE": dir, "RUNNER_WORKSPACE": dir,
	}
	maps.Copy(env, st.Env())
	maps.Copy(env, st.site.env())
	if st.people != nil {
		maps.Copy(env, st.people.Env())
	}
	// The job's own identity is the only way in, as role-to-assume has it.
	delete(env, "AWS_ACCESS_KEY_ID")
	delete(env, "AWS_SECRET_ACCESS_KEY")
	for name, value := range r.inputs(st, a) {
		env["INPUT_"+strings.ToUpper(strings.ReplaceAll(name, " ", "_"))] = value
	}
	list := make([]string, 0, len(env))
	for _, name := range slices.Sorted(maps.Keys(env)) {
		list = append(list, name+"="+env[name])
	}
	return list
}

// inputs are what the workflow gives under `with:`, and the defaults.
func (r *runner) inputs(st *stage, a act) map[string]string {
	inputs := maps.Clone(r.defaults)
	for name, value := range inputs {
		if value == "${{ github.token }}" {
			inputs[name] = st.GitHub.Token
		}
	}
	maps.Copy(inputs, with(st, a))
	if len(a.told) > 0 {
		maps.Copy(inputs, st.people.Inputs(a.told...))
	}
	return inputs
}

// with is what the workflow itself says.
func with(st *stage, a act) map[string]string {
	names := make([]string, 0, len(st.functions))
	for _, f := range st.functions {
		names = append(names, f.Name())
	}
	with := map[string]string{
		"function-name": strings.Join(names, "\n"), "aws-region": region, "role-to-assume": role,
	}
	if needs := needs(a.run); needs != "" {
		with["needs"] = needs
	}
	if a.well != nil {
		with["health-url"] = st.Health(st.functions[0].Name(), alias, func(version int64) int {
			if slices.Contains(a.well, version) {
				return http.StatusOK
			}
			return http.StatusInternalServerError
		})
		with["health-interval"], with["health-timeout"] = "100ms", "1s"
	}
	maps.Copy(with, a.inputs)
	return with
}

// needs is `${{ toJSON(needs) }}` in the last job of the run.
func needs(r run) string {
	type result struct {
		Result  string            `json:"result"`
		Outputs map[string]string `json:"outputs"`
	}
	all := map[string]result{}
	for _, j := range r.jobs {
		if j.result != "" {
			all[j.name] = result{j.result, map[string]string{}}
		}
	}
	if len(all) == 0 {
		return ""
	}
	text, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		panic(err) // strings alone
	}
	return string(text)
}

// payload is a real payload of the run's event, with the run's particulars.
func (r *runner) payload(own emulator.WorkflowRun) (string, error) {
	text, err := os.ReadFile(filepath.Join(r.module, "github", "testdata", "events", own.Event+".json"))
	if err != nil {
		return "", fmt.Errorf("failed to read the event's payload: %w", err)
	}
	var event map[string]any
	if err := json.Unmarshal(text, &event); err != nil {
		return "", fmt.Errorf("failed to parse the event's payload: %w", err)
	}
	change := func(key string, values map[string]any) {
		object, _ := event[key].(map[string]any)
		if object == nil {
			object = map[string]any{}
		}
		maps.Copy(object, values)
		event[key] = object
	}
	event["ref"] = "refs/heads/" + own.Branch
	change("repository", map[string]any{
		"id": 1, "name": "shop", "full_name": repository, "html_url": "https://github.com/" + repository, "default_branch": own.Branch,
	})
	change("sender", map[string]any{"login": own.Actor})
	if own.Event == "push" {
		event["after"], event["created"] = own.SHA, false
		change("repository", map[string]any{"pushed_at": own.CreatedAt.Unix()})
		change("pusher", map[string]any{"name": own.Actor})
		change("head_commit", map[string]any{"id": own.SHA, "message": own.Commit, "timestamp": own.CreatedAt.Format(time.RFC3339)})
	}
	patched, err := json.MarshalIndent(event, "", "  ")
	return string(patched), err
}

// parseOutputs reads GITHUB_OUTPUT as the runner does: name=value, or
// name<<DELIMITER, lines, DELIMITER.
func parseOutputs(text string) (map[string]string, error) {
	outputs := map[string]string{}
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	for i := 0; i < len(lines); i++ {
		if lines[i] == "" {
			continue
		}
		name, delimiter, heredoc := strings.Cut(lines[i], "<<")
		if key, value, plain := strings.Cut(lines[i], "="); plain && (!heredoc || len(key) < len(name)) {
			outputs[key] = value
			continue
		}
		length := slices.Index(lines[i+1:], delimiter)
		if !heredoc || length < 0 {
			return nil, fmt.Errorf("the runner would refuse the outputs at %q", lines[i])
		}
		outputs[name] = strings.Join(lines[i+1:i+1+length], "\n")
		i += length + 1
	}
	return outputs, nil
}
