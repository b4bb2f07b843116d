package runner_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// command is the program as a person calls it: with arguments, outside a
// workflow.
func (s *scene) command(args ...string) *exec.Cmd {
	s.tb.Helper()
	cmd := exec.Command(program, args...)
	cmd.Dir = s.tb.TempDir()
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + cmd.Dir, "AWS_REGION=" + region, "TERM=xterm-256color"}
	for name, value := range s.Env() {
		if strings.HasPrefix(name, "AWS_") {
			cmd.Env = append(cmd.Env, name+"="+value)
		}
	}
	return cmd
}

type said struct {
	code     int
	out, err string
}

func (s *scene) call(args ...string) said {
	s.tb.Helper()
	cmd := s.command(args...)
	var out, progress bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &progress
	if err := cmd.Run(); err != nil {
		_, exited := errors.AsType[*exec.ExitError](err)
		require.True(s.tb, exited, err)
	}
	return said{cmd.ProcessState.ExitCode(), out.String(), progress.String()}
}

func TestHelpKnowsEveryInput(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	commands := []string{"rollback", "list", "check", "snapshot", "drill"}
	fits := func(text string, lines int) {
		assert.LessOrEqual(t, strings.Count(text, "\n"), lines, text)
		for line := range strings.Lines(text) {
			assert.LessOrEqual(t, len([]rune(strings.TrimSuffix(line, "\n"))), 80, line)
		}
		// What has no short text would be a flag without an explanation.
		assert.NotRegexp(t, `(?m)^  --[a-z-]+( <value>)? *$`, text)
	}
	all := s.call("help", "all")
	assert.Zero(t, all.code)
	for name := range manifest.Inputs {
		if name != "command" {
			assert.Contains(t, all.out, "  --"+name)
		}
	}
	for _, command := range commands {
		assert.Contains(t, all.out, "\n  "+command+"\n")
		page := s.call("help", command)
		assert.Zero(t, page.code)
		assert.Equal(t, page, s.call(command, "--help"))
		fits(page.out, 39)
	}
	for line := range strings.Lines(all.out) {
		assert.LessOrEqual(t, len([]rune(strings.TrimSuffix(line, "\n"))), 80, line)
	}
	for _, args := range [][]string{{"--help"}, {"help"}, {"-h"}} {
		got := s.call(args...)
		assert.Zero(t, got.code)
		fits(got.out, 24)
		assert.Equal(t, 10, strings.Count(got.out, "\n  --"), "the flags that people use")
		for _, command := range commands {
			assert.Contains(t, got.out, "\n  "+command+" ")
		}
	}
	assert.Equal(t, 2, s.call("help", "undo").code)
	assert.Contains(t, s.call("--version").out, "lambda-rollback-action ")
}

func TestWrongArguments(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	f := s.function("api", 3)
	for name, c := range map[string]struct {
		args []string
		says string
	}{
		"no command":               {[]string{"--function-name", "api"}, "the command is missing"},
		"a command there is not":   {[]string{"undo"}, `"undo" is not a command`},
		"a flag there is not":      {[]string{"rollback", "--functon-name", "api"}, "unknown flag --functon-name; `help all` lists the flags"},
		"a flag without its value": {[]string{"rollback", "--function-name"}, "--function-name needs a value"},
		"a word too many":          {[]string{"rollback", "api"}, `unexpected argument "api"`},
		"a word with a sequence":   {[]string{"roll\x1b[2Jback"}, `is not a command`},
	} {
		got := s.call(c.args...)
		assert.Equal(t, 2, got.code, name)
		assert.Contains(t, got.err, c.says, name)
		assert.NotContains(t, got.err, "\x1b", name)
		assert.Empty(t, got.out, name)
	}
	unnamed := s.call("rollback")
	assert.Equal(t, 2, unnamed.code)
	assert.Contains(t, unnamed.err, "Usage: lambda-rollback-action rollback")
	assert.Contains(t, unnamed.err, "--function-name is missing, for example:")
	for line := range strings.Lines(unnamed.err) {
		assert.LessOrEqual(t, len(strings.TrimSpace(line)), 80, line)
	}
	got := s.call("rollback", "--function-name", "api", "--timeout", "5", "--yes")
	assert.Equal(t, 1, got.code)
	assert.Contains(t, got.out, "--timeout has")
	assert.Equal(t, "3", f.Serving("live"))
	assert.Empty(t, s.mutations())
}

// Who is not there cannot be asked: nothing moves by itself.
func TestWithoutATerminalNothingMovesUnasked(t *testing.T) {
	t.Parallel()
	for _, command := range []string{"rollback", "drill"} {
		s := newScene(t)
		f := s.function("api", 3)
		got := s.call(command, "--function-name", "api", "--environment", "staging")
		assert.Equal(t, 1, got.code)
		assert.Contains(t, got.out, "this is not a terminal, so the action cannot ask for confirmation")
		assert.Contains(t, got.out, "--yes")
		assert.Equal(t, "3", f.Serving("live"))
		s.untouched(t)
	}
}

func TestCommandsWithFlags(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		args    []string
		code    int
		status  string
		serving string
		says    string
	}{
		"yes takes the last good version": {[]string{"rollback", "--yes"}, 0, "rolled-back", "4", "is back on version 4"},
		"a version that is given":         {[]string{"rollback", "--target-version", "2"}, 0, "rolled-back", "2", "as chosen"},
		"a version that is not there":     {[]string{"rollback", "--target-version=9"}, 1, "failed", "5", "version 9"},
		"a dry run asks nobody":           {[]string{"rollback", "--dry-run"}, 0, "planned", "5", "nothing was changed"},
		"list":                            {[]string{"list"}, 0, "listed", "5", "← proposed"},
		"check":                           {[]string{"check"}, 0, "ready", "5", "What was checked"},
		"drill":                           {[]string{"drill", "--environment", "staging", "--yes"}, 0, "drilled", "5", "as before"},
		"drill in production":             {[]string{"drill", "--yes"}, 1, "failed", "5", "allow-production-drill"},
		"snapshot without a run":          {[]string{"snapshot"}, 1, "failed", "5", "GITHUB_RUN_ID"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			f := s.function("api", 5)
			args := slices.Concat(c.args, []string{"--function-name", "api", "--alias", "live"})
			got := s.call(args...)
			assert.Equal(t, c.code, got.code, got.out)
			assert.Contains(t, got.out, c.says)
			assert.NotContains(t, got.out+got.err, "::")
			assert.Equal(t, c.serving, f.Serving("live"))

			require.NoError(t, f.SetAlias("live", 5, nil))
			got = s.call(append(args, "--json")...)
			var result map[string]any
			require.NoError(t, json.Unmarshal([]byte(got.out), &result), got.out)
			assert.Equal(t, c.status, result["status"], got.out)
			for output := range manifest.Outputs {
				assert.Contains(t, result, output)
			}
			assert.IsType(t, true, result["rolled-back"])
			assert.IsType(t, []any{}, result["results"])
		})
	}
}

// Undo: a person may go forward to a version that was rejected. It is said that
// it was, and it is not rejected any more.
func TestUndo(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	f := s.function("api", 5)
	require.Equal(t, "rolled-back/previous-version", s.step().run().ended())
	require.Equal(t, "4", f.Serving("live"))

	got := s.call("rollback", "--function-name", "api", "--target-version", "5", "--reason", "it was the database")

	assert.Zero(t, got.code, got.out)
	assert.Equal(t, "5", f.Serving("live"))
	assert.Regexp(t, `version 5 was rejected after run 7001 failed \(\d{4}-\d\d-\d\d \d\d:\d\d UTC\)`, got.out)
	assert.Contains(t, got.err, "it was the database")
	memory, _ := f.Alias("live-rollback")
	assert.NotContains(t, memory.Description, "5@7001")
}

// What was rolled back by hand is undone by hand.
func TestUndoWhatWasDoneByHand(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	f := s.function("api", 5)
	require.Zero(t, s.call("rollback", "--function-name", "api", "--yes").code)
	require.Equal(t, "4", f.Serving("live"))

	got := s.call("rollback", "--function-name", "api", "--target-version", "5")

	assert.Zero(t, got.code, got.out)
	assert.Equal(t, "5", f.Serving("live"))
	assert.Regexp(t, `version 5 was rejected \(\d{4}-\d\d-\d\d \d\d:\d\d UTC, or before that\); a manual rollback to it removes the rejection`, got.out)
	memory, _ := f.Alias("live-rollback")
	assert.NotContains(t, memory.Description, "rejected=5")
}

// Secrets may stand in the environment, for arguments can be seen by others.
func TestInputsComeFromTheEnvironmentToo(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	f := s.function("api", 3)
	cmd := s.command("rollback", "--yes")
	cmd.Env = append(cmd.Env, "INPUT_FUNCTION-NAME=api")
	require.NoError(t, cmd.Run())
	assert.Equal(t, "2", f.Serving("live"))
}

// Who has no workflow is not told to change one.
func TestWithoutCredentialsByHand(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	for _, command := range []string{"check", "list", "rollback"} {
		cmd := s.command(command, "--function-name", "api", "--yes")
		cmd.Env = slices.DeleteFunc(cmd.Env, func(v string) bool {
			return strings.HasPrefix(v, "AWS_ACCESS_KEY_ID") || strings.HasPrefix(v, "AWS_SECRET_ACCESS_KEY")
		})
		out, err := cmd.Output()
		require.Error(t, err)
		assert.Contains(t, string(out), "aws sso login")
		assert.NotContains(t, string(out), "id-token: write`, or run")
	}
}

// A script that is run again, or a person who is not sure, means one rollback.
func TestYesTwiceGoesBackOnce(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	f := s.function("api", 5)
	require.Zero(t, s.call("rollback", "--function-name", "api", "--yes").code)
	require.Equal(t, "4", f.Serving("live"))

	got := s.call("rollback", "--function-name", "api", "--yes")
	assert.Zero(t, got.code, got.out)
	assert.Equal(t, "4", f.Serving("live"))
	assert.Contains(t, got.out, "nothing has been deployed since; to go further back, set --target-version")
	memory, _ := f.Alias("live-rollback")
	assert.Contains(t, memory.Description, "rejected=5 ")

	require.Zero(t, s.call("rollback", "--function-name", "api", "--target-version", "3").code)
	require.Equal(t, "3", f.Serving("live"))
	require.NoError(t, f.SetAlias("live", f.Publish(time.Now()), nil))
	require.Zero(t, s.call("rollback", "--function-name", "api", "--yes").code)
	assert.Equal(t, "3", f.Serving("live"), "a deploy came in between")
}

// A version far back that somebody chose is where the last rollback went, too.
func TestAskingAgainAfterChoosingAVersion(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	f := s.function("api", 5)
	require.Zero(t, s.call("rollback", "--function-name", "api", "--target-version", "2", "--yes").code)
	got := s.call("rollback", "--function-name", "api", "--yes")
	assert.Zero(t, got.code, got.out)
	assert.Equal(t, "2", f.Serving("live"))
	assert.Contains(t, got.out, "set --target-version")
	memory, _ := f.Alias("live-rollback")
	assert.Contains(t, memory.Description, "rejected=5 ")
}
