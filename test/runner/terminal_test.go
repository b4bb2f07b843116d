package runner_test

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/test/emulator"
)

// A person who calls the program alone is told how; a step of a workflow has no
// arguments either.
func TestWithoutArgumentsAtATerminal(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	p := s.sit()
	assert.Equal(t, 2, p.leaves())
	assert.Contains(t, p.screen(), "the command is missing")
	assert.Contains(t, p.screen(), "Usage:")
	assert.Contains(t, p.screen(), "list      show the versions")
	assert.Contains(t, p.screen(), "`help all` shows every flag.")
	assert.NotContains(t, p.screen(), "::error")
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
		p.sees("api:live moves from version 5 to version 3.")
		p.sees("This action rolls back the alias")
		assert.Equal(t, "5", f.Serving("live"), "not before yes was said")
		p.types("y")
		assert.Zero(t, p.leaves(), p.screen())
		assert.Equal(t, "3", f.Serving("live"))
		assert.Contains(t, p.screen(), "Rolled back: api is on version 3, as chosen")
		assert.Contains(t, p.screen(), "checkout is slow")
	})
	// As with docker run -it.
	t.Run("at a terminal whose size comes late", func(t *testing.T) {
		t.Parallel()
		s, f := atATerminal(t)
		p := s.sitAt(pty.Winsize{}, nil, "rollback", "--function-name", "api", "--reason", "known")
		time.Sleep(20 * time.Millisecond)
		require.NoError(t, pty.Setsize(p.tty, &pty.Winsize{Rows: 40, Cols: 120}))
		p.sees("Which version")
		p.types(enter)
		p.sees("now?")
		assert.NotContains(t, p.screen(), "Enter a number", "not line by line")
		p.types("y")
		assert.Zero(t, p.leaves(), p.screen())
		assert.Equal(t, "3", f.Serving("live"))
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
		assert.Contains(t, p.screen(), "nothing was moved: the move was not confirmed; api:live serves version 5")
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
		p.sees("Version 4 was rejected by run 77; this move removes the")
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
			serving: "3", says: "already on the requested version",
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
		p.sees("worker:live moves from version 4 to version 2.")
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
		p.sees("No version is proposed: no version below version 4 is a valid target")
		p.types(ctrlC)
		assert.Equal(t, 1, p.leaves(), p.screen())
		assert.Equal(t, "4", f.Serving("live"))
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
		p.sees("api:live moves from version 5 to version 3.")
		p.sees("environment variable SETTING_0")
		p.sees("more lines, shown in the result")
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
		p.sees("> No, cancel")
		p.types(enter)
		assert.Equal(t, 1, p.leaves(), p.screen())
		assert.Equal(t, "5", f.Serving("live"))
		assert.Empty(t, s.mutations())
	})
	for name, size := range map[string]pty.Winsize{"of a size that is not known": {}, "too small to draw on": {Rows: 6, Cols: 30}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, f := atATerminal(t)
			p := s.sitAt(size, nil, "rollback", "--function-name", "api", "--reason", "known")
			p.sees("Enter a number between 1 and 4")
			p.types("\n")
			p.sees("api:live moves from version 5 to version 3.")
			p.sees("[y/N]")
			p.types("y\n")
			assert.Zero(t, p.leaves(), p.screen())
			assert.Equal(t, "3", f.Serving("live"))
		})
	}
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

// What stands in a version's description can neither act on the terminal nor
// look like a style.
func TestHostileDescriptionsAtATerminal(t *testing.T) {
	t.Parallel()
	hostile := "\x1b[31mred\x1b]0;title\x07 **bold** _x_ \u009b31m \u202egnp\r\n::error::x"
	for _, args := range [][]string{nil, {"--accessible"}} {
		s, f := atATerminal(t)
		for _, v := range []int64{2, 3} {
			require.NoError(t, f.Change(v, func(v *emulator.Version) { v.Description = hostile }))
		}
		p := s.sit(append([]string{"rollback", "--function-name", "api", "--reason", "known"}, args...)...)
		p.sees("Which version")
		p.types(ctrlC)
		p.leaves()
		list := s.call("list", "--function-name", "api")
		whole := s.call("list", "--function-name", "api", "--json")
		for _, seen := range []string{p.saw.String(), list.out, list.err, whole.out, whole.err} {
			for _, sign := range []string{"\x1b[31mred", "\x1b]0;", "\x07", "\u009b", "\u202e", "\n::error"} {
				assert.NotContains(t, seen, sign)
			}
		}
		assert.Contains(t, p.screen(), `\u001b[31mred`)
		var result struct{ Versions []version }
		require.NoError(t, json.Unmarshal([]byte(whole.out), &result))
		assert.Equal(t, hostile, result.Versions[2].Description)
	}
}

// Ctrl-C at any question, by key or by signal, and the end of the input: it is
// said that nothing was moved, and nothing was.
func TestLeavingATerminal(t *testing.T) {
	t.Parallel()
	leave := map[string]func(p *person){
		"Ctrl-C":  func(p *person) { p.types(ctrlC) },
		"SIGINT":  func(p *person) { _ = p.cmd.Process.Signal(syscall.SIGINT) },
		"SIGTERM": func(p *person) { _ = p.cmd.Process.Signal(syscall.SIGTERM) },
		"SIGQUIT": func(p *person) { _ = p.cmd.Process.Signal(syscall.SIGQUIT) }, // Ctrl-\
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
		assert.Contains(t, p.screen(), "nothing was moved: could not list versions of worker:live in production: AWS denied lambda:ListVersionsByFunction")
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

// Who names the version is shown what will change, and asked, too.
func TestNamingTheVersionAtATerminal(t *testing.T) {
	t.Parallel()
	named := []string{"rollback", "--function-name", "api", "--target-version", "4", "--reason", "known"}
	t.Run("yes", func(t *testing.T) {
		t.Parallel()
		s, f := atATerminal(t)
		p := s.sit(named...)
		p.sees("Move api:live in production to version 4 now?")
		assert.NotContains(t, p.screen(), "Which version")
		assert.Equal(t, "5", f.Serving("live"), "not before yes was said")
		p.types("y")
		assert.Zero(t, p.leaves(), p.screen())
		assert.Equal(t, "4", f.Serving("live"))
	})
	// Plain lines: a screen that is drawn again leaves out what stands there already.
	t.Run("no, on plain lines", func(t *testing.T) {
		t.Parallel()
		s, f := atATerminal(t)
		p := s.sit(slices.Concat(named, []string{"--accessible"})...)
		p.sees("Version 4 was rejected by run 77; this move removes the")
		p.types("n\n")
		assert.Equal(t, 1, p.leaves(), p.screen())
		assert.Equal(t, "5", f.Serving("live"))
	})
	t.Run("no", func(t *testing.T) {
		t.Parallel()
		s, f := atATerminal(t)
		p := s.sit(named...)
		p.sees("now?")
		p.types("n")
		assert.Equal(t, 1, p.leaves(), p.screen())
		assert.Equal(t, "5", f.Serving("live"))
		assert.Empty(t, s.mutations())
	})
	t.Run("a version that does not exist", func(t *testing.T) {
		t.Parallel()
		s, f := atATerminal(t)
		p := s.sit("rollback", "--function-name", "api", "--target-version", "9", "--reason", "known")
		assert.Equal(t, 1, p.leaves(), p.screen())
		assert.NotContains(t, p.screen(), "now?")
		assert.Contains(t, p.screen(), "version 9, set in --target-version, does not exist")
		assert.Equal(t, "5", f.Serving("live"))
		assert.Empty(t, s.mutations())
	})
	t.Run("it is there already", func(t *testing.T) {
		t.Parallel()
		s, f := atATerminal(t)
		p := s.sit("rollback", "--function-name", "api", "--target-version", "5", "--reason", "known")
		assert.Zero(t, p.leaves(), p.screen())
		assert.Contains(t, p.screen(), "100% of traffic is already on version 5")
		assert.Equal(t, "5", f.Serving("live"))
	})
	t.Run("somebody deploys meanwhile", func(t *testing.T) {
		t.Parallel()
		s, f := atATerminal(t)
		p := s.sit(named...)
		p.sees("now?")
		require.NoError(t, f.SetAlias("live", f.Publish(time.Now()), nil))
		p.types("y")
		assert.Zero(t, p.leaves(), p.screen())
		assert.Equal(t, "6", f.Serving("live"))
	})
	t.Run("--yes is not asked", func(t *testing.T) {
		t.Parallel()
		s, f := atATerminal(t)
		p := s.sit(append(named, "--yes")...)
		assert.Zero(t, p.leaves(), p.screen())
		assert.Equal(t, "4", f.Serving("live"))
	})
}

// An alias on $LATEST is pointed at a version by who chooses one; a drill could not
// return.
func TestAnAliasOnLatestAtATerminal(t *testing.T) {
	t.Parallel()
	t.Run("rollback", func(t *testing.T) {
		t.Parallel()
		s, f := atATerminal(t)
		require.NoError(t, f.SetAliasToLatest("live"))
		p := s.sit("rollback", "--function-name", "api", "--reason", "known")
		p.sees("Which version should api:live serve? It serves $LATEST.")
		p.types(enter)
		p.sees("now?")
		p.types("y")
		assert.Zero(t, p.leaves(), p.screen())
		assert.Equal(t, "5", f.Serving("live"))
		assert.Contains(t, p.screen(), "does not reach callers until a version is published")
	})
	t.Run("drill", func(t *testing.T) {
		t.Parallel()
		s, f := atATerminal(t)
		require.NoError(t, f.SetAliasToLatest("live"))
		p := s.sit("drill", "--function-name", "api", "--environment", "staging")
		assert.Equal(t, 1, p.leaves(), p.screen())
		assert.Contains(t, p.screen(), "$LATEST")
		assert.Empty(t, s.mutations())
	})
}
