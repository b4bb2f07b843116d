package runner_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/test/emulator"
)

// command is the program as a person calls it: with arguments, outside a
// workflow.
func (s *scene) command(args ...string) *exec.Cmd {
	s.tb.Helper()
	cmd := exec.Command(binary, args...)
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
	for _, args := range [][]string{{"--help"}, {"help"}, {"rollback", "--help"}, {"-h"}} {
		got := s.call(args...)
		assert.Zero(t, got.code)
		for name := range manifest.Inputs {
			if name != "command" {
				assert.Contains(t, got.out, "  --"+name)
			}
		}
		for _, command := range []string{"rollback", "list", "check", "snapshot", "drill"} {
			assert.Contains(t, got.out, "\n  "+command+"\n")
		}
		for line := range strings.Lines(got.out) {
			assert.LessOrEqual(t, len([]rune(strings.TrimSuffix(line, "\n"))), 80, line)
		}
	}
	assert.Contains(t, s.call("--version").out, "lambda-rollback-action ")
}

// A person who calls the program alone is told how; a step of a workflow has no
// arguments either.
func TestWithoutArgumentsAtATerminal(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	p := s.sit()
	assert.Equal(t, 2, p.leaves())
	assert.Contains(t, p.screen(), "the command is missing: write one of rollback, list, check, snapshot, drill first")
	assert.NotContains(t, p.screen(), "::error")
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
		"a command there is not":   {[]string{"undo"}, `"undo" is no command`},
		"a flag there is not":      {[]string{"rollback", "--functon-name", "api"}, "there is no flag --functon-name (--function-name?)"},
		"a flag without its value": {[]string{"rollback", "--function-name"}, "--function-name needs a value"},
		"a word too many":          {[]string{"rollback", "api"}, `"api" is neither a flag nor its value`},
		"a word with a sequence":   {[]string{"roll\x1b[2Jback"}, `is no command`},
	} {
		got := s.call(c.args...)
		assert.Equal(t, 2, got.code, name)
		assert.Contains(t, got.err, c.says, name)
		assert.NotContains(t, got.err, "\x1b", name)
		assert.Empty(t, got.out, name)
	}
	got := s.call("rollback", "--function-name", "api", "--timeout", "5", "--yes")
	assert.Equal(t, 1, got.code)
	assert.Contains(t, got.out, "input timeout has")
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
		assert.Contains(t, got.out, "this is not a terminal, so nobody could be asked")
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
	assert.Regexp(t, `version 5 was rejected \(\d{4}-\d\d-\d\d \d\d:\d\d UTC, or before that\); it was chosen by hand all the same`, got.out)
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

// person is somebody at a screen.
type person struct {
	tb  testing.TB
	cmd *exec.Cmd
	tty *os.File

	mu  sync.Mutex
	saw bytes.Buffer
	end chan struct{}
}

func (s *scene) sit(args ...string) *person {
	s.tb.Helper()
	return s.sitAt(pty.Winsize{Rows: 40, Cols: 120}, nil, args...)
}

// sitAt is sit at a terminal of a size, with more in the environment.
func (s *scene) sitAt(size pty.Winsize, env []string, args ...string) *person {
	s.tb.Helper()
	p := &person{tb: s.tb, cmd: s.command(args...), end: make(chan struct{})}
	p.cmd.Env = append(p.cmd.Env, env...)
	var err error
	p.tty, err = pty.StartWithSize(p.cmd, &size)
	require.NoError(s.tb, err)
	go func() {
		defer close(p.end)
		buffer := make([]byte, 4096)
		for {
			n, err := p.tty.Read(buffer)
			p.mu.Lock()
			p.saw.Write(buffer[:n])
			p.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	s.tb.Cleanup(func() { _ = p.cmd.Process.Kill(); _ = p.tty.Close() })
	return p
}

var sequences = regexp.MustCompile("\x1b(\\[[0-9;?<>=$]*[a-zA-Z]|\\][^\x07\x1b]*(\x07|\x1b\\\\)|[=>()][0-9A-B]?|P[^\x1b]*\x1b\\\\)")

// screen is everything that was on it so far, without colours.
func (p *person) screen() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.ReplaceAll(sequences.ReplaceAllString(p.saw.String(), ""), "\r", "")
}

func (p *person) sees(text string) {
	p.tb.Helper()
	require.Eventually(p.tb, func() bool { return strings.Contains(p.screen(), text) }, 20*time.Second, 10*time.Millisecond, "%q is not on the screen", text)
	time.Sleep(150 * time.Millisecond) // until the screen is drawn
}

func (p *person) types(keys string) {
	p.tb.Helper()
	_, err := io.WriteString(p.tty, keys)
	require.NoError(p.tb, err)
}

func (p *person) leaves() int {
	p.tb.Helper()
	done := make(chan error, 1)
	go func() { done <- p.cmd.Wait() }()
	select {
	case <-done:
	case <-time.After(30 * time.Second):
		require.Fail(p.tb, "it goes on", p.screen())
	}
	select {
	case <-p.end:
	case <-time.After(5 * time.Second):
	}
	return p.cmd.ProcessState.ExitCode()
}

const (
	enter = "\r"
	down  = "\x1b[B"
	ctrlC = "\x03"
	// why is of the question for a reason. It begins as the question before it
	// does, and what is the same may not be drawn anew.
	why = "y? (the"
)

// atATerminal is a scene in which version 4 is known to be bad.
func atATerminal(t *testing.T) (*scene, *emulator.Function) {
	s := newScene(t)
	f := s.function("api", 5)
	require.NoError(t, f.SetAlias("live-rollback", 3, nil))
	require.NoError(t, f.DescribeAlias("live-rollback", "rejected=4@77 run=77/1 at=2026-11-20T08:32:47Z by=rollback"))
	return s, f
}

func TestChoosingAtATerminal(t *testing.T) {
	t.Parallel()
	t.Run("the proposed version", func(t *testing.T) {
		t.Parallel()
		s, f := atATerminal(t)
		p := s.sit("rollback", "--function-name", "api")
		p.sees("Which version should api:live serve? It serves 5.")
		assert.Contains(t, p.screen(), "rejected")
		assert.Contains(t, p.screen(), "← proposed")
		assert.Contains(t, p.screen(), "Version 3 is proposed: it is the newest good version before version 5.")
		assert.Equal(t, "5", f.Serving("live"))
		p.types(enter)
		p.sees(why)
		p.types("checkout is slow" + enter)
		p.sees("Move api:live in production to version 3 now?")
		p.sees("api:live goes from version 5 to version 3.")
		p.sees("Nothing but the alias moves")
		assert.Equal(t, "5", f.Serving("live"), "not before yes was said")
		p.types("y")
		assert.Zero(t, p.leaves(), p.screen())
		assert.Equal(t, "3", f.Serving("live"))
		assert.Contains(t, p.screen(), "Rolled back: api is on version 3, as chosen")
		assert.Contains(t, p.screen(), "checkout is slow")
	})
	t.Run("another one", func(t *testing.T) {
		t.Parallel()
		s, f := atATerminal(t)
		p := s.sit("rollback", "--function-name", "api", "--reason", "known")
		p.sees("Which version")
		p.types(down)
		time.Sleep(200 * time.Millisecond)
		p.types(enter)
		p.sees("now?") // the number alone is drawn anew
		p.types("y")
		assert.Zero(t, p.leaves(), p.screen())
		assert.Equal(t, "2", f.Serving("live"))
	})
	t.Run("no", func(t *testing.T) {
		t.Parallel()
		s, f := atATerminal(t)
		p := s.sit("rollback", "--function-name", "api", "--reason", "known")
		p.sees("Which version")
		p.types(enter)
		p.sees("now?")
		p.types("n")
		assert.Equal(t, 1, p.leaves(), p.screen())
		assert.Equal(t, "5", f.Serving("live"))
		assert.Contains(t, p.screen(), "nothing was moved: it was not confirmed; api:live serves version 5")
		assert.Empty(t, s.mutations())
	})
	t.Run("a version that was rejected", func(t *testing.T) {
		t.Parallel()
		s, f := atATerminal(t)
		p := s.sit("rollback", "--function-name", "api", "--reason", "known")
		p.sees("Which version")
		p.types("\x1b[A")
		time.Sleep(200 * time.Millisecond)
		p.types(enter)
		p.sees("now?")
		p.sees("Version 4 was rejected before by run 77; it will count as good again.")
		p.types("y")
		assert.Zero(t, p.leaves(), p.screen())
		assert.Equal(t, "4", f.Serving("live"))
	})
	for name, c := range map[string]struct {
		before, deploy func(f *emulator.Function) error
		serving        string
		says           string
	}{
		"somebody deploys meanwhile": {
			deploy:  func(f *emulator.Function) error { return f.SetAlias("live", f.Publish(time.Now()), nil) },
			serving: "6", says: "it served version 5 when version 3 was chosen, and serves version 6 now",
		},
		"somebody begins a canary meanwhile": {
			deploy: func(f *emulator.Function) error {
				f.Publish(time.Now())
				return f.SetAlias("live", 5, map[string]float64{"6": 0.1})
			},
			serving: "5", says: "it served version 5 when version 3 was chosen, and serves version 5, and version 6 with 10% of the traffic now",
		},
		"a canary ends meanwhile": {
			before:  func(f *emulator.Function) error { return f.SetAlias("live", 3, map[string]float64{"5": 0.1}) },
			deploy:  func(f *emulator.Function) error { return f.SetAlias("live", 3, nil) },
			serving: "3", says: "already on the version asked for",
		},
		"a canary goes on meanwhile": {
			before:  func(f *emulator.Function) error { return f.SetAlias("live", 3, map[string]float64{"5": 0.1}) },
			deploy:  func(f *emulator.Function) error { return f.SetAlias("live", 3, map[string]float64{"5": 0.5}) },
			serving: "3", says: "is on version 3",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, f := atATerminal(t)
			if c.before != nil {
				require.NoError(t, c.before(f))
			}
			p := s.sit("rollback", "--function-name", "api", "--reason", "known")
			p.sees("Which version")
			p.types(enter)
			p.sees("now?")
			require.NoError(t, c.deploy(f))
			deployed, _ := f.Alias("live")
			p.types("y")
			p.leaves()
			assert.Equal(t, c.serving, f.Serving("live"))
			assert.Contains(t, strings.Join(strings.Fields(p.screen()), " "), c.says)
			if is, _ := f.Alias("live"); name != "a canary goes on meanwhile" {
				assert.Equal(t, deployed.Weights, is.Weights)
			}
		})
	}
	t.Run("somebody deploys a function whose version was named", func(t *testing.T) {
		t.Parallel()
		s, f := atATerminal(t)
		named := s.function("worker", 4)
		p := s.sit("rollback", "--function-name", "api,worker", "--target-version", "worker=2", "--reason", "known")
		p.sees("Which version")
		p.types(enter)
		p.sees("now?")
		p.sees("worker:live goes from version 4 to version 2.")
		require.NoError(t, named.SetAlias("live", named.Publish(time.Now()), nil))
		p.types("y")
		p.leaves()
		assert.Equal(t, "5", named.Serving("live"))
		assert.Equal(t, "3", f.Serving("live"))
	})
	t.Run("a drill", func(t *testing.T) {
		t.Parallel()
		s, f := atATerminal(t)
		p := s.sit("drill", "--function-name", "api", "--environment", "staging")
		p.sees("Move api:live in staging to version 3 and back now?")
		p.types("y")
		assert.Zero(t, p.leaves(), p.screen())
		assert.Equal(t, "5", f.Serving("live"))
		assert.Contains(t, p.screen(), "as before")
	})
	t.Run("line by line", func(t *testing.T) {
		t.Parallel()
		s, f := atATerminal(t)
		p := s.sit("rollback", "--function-name", "api", "--accessible")
		p.sees("Enter a number between 1 and 4")
		p.types("3\n")
		p.sees(why)
		p.types("slow\n")
		p.sees("[y/N]")
		p.types("y\n")
		assert.Zero(t, p.leaves(), p.screen())
		assert.Equal(t, "2", f.Serving("live"))
	})
}

// Nobody kills the program at a terminal: a drill that is left there returns
// first, however slow AWS is, also where the terminal is gone.
func TestLeavingADrillAtATerminal(t *testing.T) {
	t.Parallel()
	for name, leave := range map[string]func(p *person){
		"Ctrl-C":                 func(p *person) { p.types(ctrlC) },
		"the terminal is closed": func(p *person) { _ = p.tty.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, f := atATerminal(t)
			s.Fault(on("UpdateAlias", "live"), emulator.Latency(4*time.Second))
			p := s.sit("drill", "--function-name", "api", "--environment", "staging", "--yes")
			require.Eventually(t, func() bool { return len(s.Calls(on("UpdateAlias", "live"))) > 0 }, 20*time.Second, 5*time.Millisecond)
			time.Sleep(300 * time.Millisecond)
			leave(p)
			assert.Equal(t, 1, p.leaves(), p.screen())
			assert.Equal(t, "5", f.Serving("live"))
			moves := f.History("live")
			require.Len(t, moves, 3, "there and back")
			assert.Equal(t, "3", moves[1].Version)
			if name == "Ctrl-C" {
				assert.Contains(t, p.screen(), "api serves version 5, as before; the drill failed: the run was cancelled")
			}
		})
	}
}

// What serves and what is proposed can be chosen from, however many versions
// came after them.
func TestChoosingFarBehind(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	f := s.function("api", 40)
	require.NoError(t, f.SetAlias("live", 5, nil))
	p := s.sit("rollback", "--function-name", "api", "--reason", "known")
	p.sees("Version 4 is proposed: it is the newest good version before version 5.")
	assert.Contains(t, p.screen(), "serves")
	p.types(enter)
	p.sees("Move api:live in production to version 4 now?")
	p.types("y")
	assert.Zero(t, p.leaves(), p.screen())
	assert.Equal(t, "4", f.Serving("live"))
}

func TestChoosingWhereThereIsNothingToPropose(t *testing.T) {
	t.Parallel()
	t.Run("all are rejected", func(t *testing.T) {
		t.Parallel()
		s := newScene(t)
		f := s.function("api", 4)
		rejects(s, f, "rejected=1-3")
		p := s.sit("rollback", "--function-name", "api", "--reason", "known")
		p.sees("None is proposed: no version below version 4 can be gone back to")
		p.types(ctrlC)
		assert.Equal(t, 1, p.leaves(), p.screen())
		assert.Equal(t, "4", f.Serving("live"))
	})
	t.Run("the alias is on $LATEST", func(t *testing.T) {
		t.Parallel()
		s := newScene(t)
		require.NoError(t, s.function("api", 4).SetAliasToLatest("live"))
		p := s.sit("rollback", "--function-name", "api")
		assert.Equal(t, 1, p.leaves(), p.screen())
		assert.Contains(t, p.screen(), "nothing was moved: of api:live, the alias points at $LATEST")
		assert.NotContains(t, p.screen(), "Which version")
		assert.Empty(t, s.mutations())
	})
}

// Terminals that are small, without colours, or cannot be drawn on.
func TestPlainerTerminals(t *testing.T) {
	t.Parallel()
	t.Run("small, with much that differs", func(t *testing.T) {
		t.Parallel()
		s, f := atATerminal(t)
		require.NoError(t, f.Change(3, func(v *emulator.Version) {
			v.Environment = map[string]string{}
			for i := range 40 {
				v.Environment["SETTING_"+strconv.Itoa(i)] = "on"
			}
		}))
		p := s.sitAt(pty.Winsize{Rows: 24, Cols: 80}, nil, "rollback", "--function-name", "api", "--reason", "known")
		p.sees("Which version should api:live serve? It serves 5.")
		p.types(enter)
		p.sees("api:live goes from version 5 to version 3.")
		p.sees("environment variable SETTING_0")
		p.sees("more lines, which the result will have")
		p.sees("Move api:live in production to version 3 now?")
		p.types("y")
		assert.Zero(t, p.leaves(), p.screen())
		assert.Equal(t, "3", f.Serving("live"))
		assert.Contains(t, p.screen(), "environment variable SETTING_39")
	})
	t.Run("without colours", func(t *testing.T) {
		t.Parallel()
		s, f := atATerminal(t)
		p := s.sitAt(pty.Winsize{Rows: 40, Cols: 120}, []string{"NO_COLOR=1"}, "rollback", "--function-name", "api", "--reason", "known")
		p.sees("Which version")
		p.types(enter)
		p.sees("> No, leave all as it is")
		p.types(enter)
		assert.Equal(t, 1, p.leaves(), p.screen())
		assert.Equal(t, "5", f.Serving("live"))
		assert.Empty(t, s.mutations())
	})
	t.Run("dumb", func(t *testing.T) {
		t.Parallel()
		s, f := atATerminal(t)
		p := s.sitAt(pty.Winsize{Rows: 40, Cols: 120}, []string{"TERM=dumb"}, "rollback", "--function-name", "api", "--reason", "known")
		p.sees("Enter a number between 1 and 4")
		p.types("\n")
		p.sees("[y/N]")
		p.types("\x04") // the end of the input is no answer
		assert.Equal(t, 1, p.leaves(), p.screen())
		assert.Equal(t, "5", f.Serving("live"))
		assert.NotContains(t, p.saw.String(), "\x1b")
	})
}

// Ctrl-C at any question, by key or by signal, and the end of the input: it is
// said that nothing was moved, and nothing was.
func TestLeavingATerminal(t *testing.T) {
	t.Parallel()
	leave := map[string]func(p *person){
		"Ctrl-C":  func(p *person) { p.types(ctrlC) },
		"SIGINT":  func(p *person) { _ = p.cmd.Process.Signal(syscall.SIGINT) },
		"SIGTERM": func(p *person) { _ = p.cmd.Process.Signal(syscall.SIGTERM) },
	}
	for how, do := range leave {
		for _, accessible := range []bool{false, true} {
			for question, text := range []string{"Which version", why, "now?"} {
				name := how + " at " + text
				if accessible {
					name += ", line by line"
				}
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					s, f := atATerminal(t)
					args := []string{"rollback", "--function-name", "api"}
					newline := enter
					if accessible {
						args, newline = append(args, "--accessible"), "\n"
					}
					p := s.sit(args...)
					for _, before := range []string{"Which version", why}[:question] {
						p.sees(before)
						p.types(newline)
					}
					p.sees(text)
					do(p)
					assert.Equal(t, 1, p.leaves(), p.screen())
					assert.Contains(t, p.screen(), "nothing was moved")
					assert.Contains(t, p.screen(), "serves version 5")
					assert.Equal(t, "5", f.Serving("live"))
					assert.Empty(t, s.mutations())
				})
			}
		}
	}
	t.Run("Ctrl-C before the first question", func(t *testing.T) {
		t.Parallel()
		s, f := atATerminal(t)
		s.Fault(emulator.Match{Operation: "ListVersionsByFunction"}, emulator.Hang())
		p := s.sit("rollback", "--function-name", "api")
		require.Eventually(t, func() bool { return len(s.Calls(emulator.Match{Operation: "ListVersionsByFunction"})) > 0 }, 20*time.Second, 5*time.Millisecond)
		p.types(ctrlC)
		assert.Equal(t, 1, p.leaves(), p.screen())
		assert.Contains(t, p.screen(), "Nothing was moved")
		assert.Contains(t, p.screen(), "the run was cancelled")
		assert.NotContains(t, p.screen(), "failing version")
		assert.Equal(t, "5", f.Serving("live"))
		assert.Empty(t, s.mutations())
	})
	t.Run("what there is cannot be read", func(t *testing.T) {
		t.Parallel()
		s, f := atATerminal(t)
		s.function("worker", 3)
		s.Fault(emulator.Match{Operation: "ListVersionsByFunction", Function: "worker"}, emulator.Deny())
		p := s.sit("rollback", "--function-name", "api,worker")
		assert.Equal(t, 1, p.leaves(), p.screen())
		assert.Contains(t, p.screen(), "nothing was moved: the versions could not be listed of worker:live in production: AWS denied lambda:ListVersionsByFunction")
		assert.Equal(t, "5", f.Serving("live"))
		assert.Empty(t, s.mutations())
	})
	t.Run("the input ends", func(t *testing.T) {
		t.Parallel()
		s, f := atATerminal(t)
		p := s.sit("rollback", "--function-name", "api", "--accessible")
		p.sees("Enter a number")
		p.types("\x04")
		assert.Equal(t, 1, p.leaves(), p.screen())
		assert.Equal(t, "5", f.Serving("live"))
		assert.Contains(t, p.screen(), "nothing was moved")
	})
}
