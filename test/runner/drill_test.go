package runner_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/test/emulator"
)

// drilled is a step that practises.
func (s *scene) drill() *step {
	return s.step().inputs(map[string]string{"command": "drill", "environment": "staging", "needs": ""})
}

func TestDrill(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		scene  func(s *scene, f *emulator.Function)
		inputs func(s *scene) map[string]string
		want   string // status/reason healthy
		moves  []string
		says   string
	}{
		"there and back": {want: "drilled/ unknown", moves: []string{"4", "5"}, says: "serves version 5, as before: the drill moved it to version 4 in"},
		"with a health page": {
			inputs: func(s *scene) map[string]string { return map[string]string{"health-url": s.by(4, 5)} },
			want:   "drilled/ true", moves: []string{"4", "5"}, says: "all checks passed on both versions",
		},
		"with an invocation": {
			inputs: func(*scene) map[string]string { return map[string]string{"invoke-payload": "{}"} },
			want:   "drilled/ true", moves: []string{"4", "5"},
		},
		"the older version is not well": {
			inputs: func(s *scene) map[string]string { return map[string]string{"health-url": s.by(5)} },
			want:   "failed/unhealthy false", moves: []string{"4", "5"}, says: "serves version 5, as before: ",
		},
		"it is not well after the way back": {
			inputs: func(s *scene) map[string]string { return map[string]string{"health-url": s.by(4)} },
			want:   "failed/unhealthy false", moves: []string{"4", "5"}, says: "and is NOT healthy there",
		},
		"a canary returns, weights and all": {
			scene: func(s *scene, f *emulator.Function) {
				require.NoError(s.tb, f.SetAlias("live", 4, map[string]float64{"5": 0.1}))
			},
			want: "drilled/ unknown", moves: []string{"4", "4+5"},
		},
		"a rejected one is passed over": {
			scene: func(s *scene, f *emulator.Function) { rejects(s, f, "rejected=4") },
			want:  "drilled/ unknown", moves: []string{"3", "5"},
		},
		"nothing to go to": {
			scene: func(s *scene, f *emulator.Function) { rejects(s, f, "rejected=1-4") },
			want:  "skipped/no-previous-version unknown",
		},
		"a dry run": {
			inputs: func(*scene) map[string]string { return map[string]string{"dry-run": "true"} },
			want:   "planned/previous-version unknown", says: "nothing was changed",
		},
		"the way there is denied": {
			scene: func(s *scene, _ *emulator.Function) { s.Fault(on("UpdateAlias", "live"), emulator.Deny()) },
			want:  "failed/access-denied unknown", says: "serves version 5, as before; the drill failed: ",
		},
		"the traffic shifts slowly": {
			scene: func(s *scene, _ *emulator.Function) { s.Fault(on("UpdateAlias", "live"), emulator.SlowWeights(2)) },
			want:  "drilled/ unknown", moves: []string{"4", "5"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			f := s.function("api", 5)
			if c.scene != nil {
				c.scene(s, f)
			}
			was, _ := f.Alias("live")
			memory, _ := f.Alias("live-rollback")
			before := len(f.History("live"))
			st := s.drill().quick()
			if c.inputs != nil {
				st.inputs(c.inputs(s))
			}
			o := st.run()

			assert.Equal(t, c.want, o.end(), o.outputs["message"])
			assert.Contains(t, o.outputs["message"], c.says)
			assert.Equal(t, "false", o.outputs["rolled-back"])
			is, _ := f.Alias("live")
			assert.Equal(t, was.Version, is.Version)
			assert.Equal(t, fmt.Sprint(was.Weights), fmt.Sprint(is.Weights))
			after, _ := f.Alias("live-rollback")
			assert.Equal(t, memory, after, "a drill remembers nothing")
			var moves []string
			for _, m := range f.History("live")[before:] {
				text := append([]string{m.Version}, slices.Collect(maps.Keys(m.Weights))...)
				moves = append(moves, strings.Join(text, "+"))
			}
			assert.Equal(t, c.moves, moves)
		})
	}
}

func TestADrillInProductionNeedsToBeAllowed(t *testing.T) {
	t.Parallel()
	for _, environment := range []string{"", "production", "Production"} {
		s := newScene(t)
		f := s.function("api", 3)
		o := s.drill().input("environment", environment).run()
		refused(t, s, o)
		assert.Contains(t, o.outputs["message"], "allow-production-drill")
		assert.Equal(t, "3", f.Serving("live"))
		o = s.drill().input("environment", environment).input("allow-production-drill", "true").run()
		assert.Equal(t, "drilled/", o.ended(), o.outputs["message"])
	}
}

func TestTheTimesOfADrillAreTold(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.function("api", 5)
	o := s.drill().patient().input("health-url", s.answers(200)).run()
	assert.Equal(t, []string{"started", "alias-moved", "traffic-moved", "verified", "returned", "verified"}, o.proven(t).events())
	assert.Contains(t, o.summary, "Alias returned")
}

// Somebody deploys in the middle of a drill: that is left alone.
func TestADeployDuringADrillStays(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	f := s.function("api", 5)
	s.Fault(on("UpdateAlias", "live"), emulator.After(func(emulator.Call) {
		v := f.Publish(time.Now())
		assert.NoError(t, f.SetAlias("live", v, nil))
	}).Times(1))
	o := s.drill().run()
	assert.Equal(t, "6", f.Serving("live"))
	assert.Equal(t, "failed/alias-changed", o.ended(), o.outputs["message"])
	assert.Contains(t, o.outputs["message"], "version 6")
}

// Somebody rolls back to the very version that the drill goes to: that is no
// move of the drill's, and is not taken back.
func TestARollbackDuringADrillStays(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	f := s.function("api", 5)
	s.Fault(on("UpdateAlias", "live"), emulator.Before(func(emulator.Call) {
		assert.NoError(t, f.SetAlias("live", 4, nil))
	}).Times(1))
	o := s.drill().run()
	assert.Equal(t, "4", f.Serving("live"), o.outputs["message"])
	assert.Equal(t, "failed/alias-changed", o.ended(), o.outputs["message"])
	assert.Contains(t, o.outputs["message"], "somebody else has changed api:live in staging during the drill: it serves version 4 now, and was not moved")
	assert.Equal(t, "false", o.outputs["rolled-back"])
}

// Every kind of fault at every single call: the alias ends where it began.
func TestEveryFaultOfADrill(t *testing.T) {
	t.Parallel()
	faults := map[string]func() emulator.Effect{
		"throttled":   func() emulator.Effect { return emulator.Throttle(0) },
		"error 500":   func() emulator.Effect { return emulator.Status(500, "ServiceException", "x") },
		"reset":       emulator.Reset,
		"lost answer": emulator.LostAnswer,
		"truncated":   emulator.Truncated,
		"denied":      emulator.Deny,
		"412":         func() emulator.Effect { return emulator.Status(412, "PreconditionFailedException", "x") },
		"404":         func() emulator.Effect { return emulator.Status(404, "ResourceNotFoundException", "x") },
	}
	for kind, effect := range faults {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			for nth := 1; nth <= 40; nth++ {
				s := newScene(t)
				f := s.function("api", 4)
				fault := s.Fault(emulator.Match{Service: emulator.ServiceLambda}, effect().Nth(nth))
				o := s.drill().run()
				about := fmt.Sprintf("the fault at call %d: %s: %s", nth, o.ended(), o.outputs["message"])
				assert.Equal(t, "4", f.Serving("live"), about)
				assert.Contains(t, []string{"drilled", "failed"}, o.status(), about)
				assert.Equal(t, "false", o.outputs["rolled-back"], about)
				if o.status() == "drilled" {
					assert.Contains(t, o.outputs["message"], "serves version 4, as before", about)
				}
				if fault.Hits() == 0 { // there are no more calls
					assert.Greater(t, nth, 6, "a drill makes more calls than that")
					return
				}
			}
			assert.Fail(t, "a drill of one function has no end of calls")
		})
	}
}

// A signal at every single call, of two functions, one of them with a canary:
// each ends where it began, weights included.
func TestASignalAtEveryCallOfADrill(t *testing.T) {
	t.Parallel()
	const calls = 20 // of two functions; those of the way back included
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		for nth := 1; nth <= calls; nth++ {
			t.Run(fmt.Sprintf("%s at call %d", sig, nth), func(t *testing.T) {
				t.Parallel()
				s := newScene(t)
				a, b := s.function("a", 5), s.function("b", 5)
				require.NoError(t, a.SetAlias("live", 4, map[string]float64{"5": 0.1}))
				var p *process
				ready := make(chan struct{})
				fault := s.Fault(emulator.Match{Service: emulator.ServiceLambda}, emulator.Before(func(emulator.Call) {
					<-ready
					_ = p.cmd.Process.Signal(sig)
				}).Nth(nth))
				p = s.drill().input("function-name", "a\nb").start()
				close(ready)
				o := p.wait()
				assert.Equal(t, 1, fault.Hits(), "there are fewer calls: lower their number here")
				about := o.ended() + ": " + o.outputs["message"]
				assert.Equal(t, "5", b.Serving("live"), about)
				is, _ := a.Alias("live")
				assert.Equal(t, "4", is.Version, about)
				assert.Equal(t, map[string]float64{"5": 0.1}, is.Weights, about)
				if nth < calls || o.status() != "drilled" { // on a busy machine, the last call ends before the signal is seen
					assert.Equal(t, "failed/cancelled", o.ended(), about)
				}
				if sig == syscall.SIGTERM && o.outputs["rolled-back"] == "true" { // on a busy machine, the time ends before AWS's answer is read
					assert.Contains(t, about, "NOT returned after the drill", "the careful answer")
					return
				}
				assert.Equal(t, "false", o.outputs["rolled-back"], about)
			})
		}
	}
}

// After a signal the way back is still gone, in time.
func TestSignalsDuringADrill(t *testing.T) {
	t.Parallel()
	for sig, limit := range map[syscall.Signal]time.Duration{syscall.SIGINT: afterInterrupt, syscall.SIGTERM: afterTerminate} {
		t.Run(sig.String(), func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			f := s.function("api", 4)
			p := s.drill().inputs(map[string]string{"health-url": s.answers(500), "health-timeout": "60s", "health-interval": "50ms"}).start()
			require.Eventually(t, func() bool { return f.Serving("live") == "3" && len(s.asked(emulator.ServiceHealth)) > 0 }, 20*time.Second, 5*time.Millisecond)
			o, after := p.stop(sig)
			assert.Less(t, after, limit)
			assert.Equal(t, "4", f.Serving("live"), o.outputs["message"])
			assert.Equal(t, "failed/cancelled", o.ended(), o.outputs["message"])
			assert.Contains(t, o.outputs["message"], "serves version 4, as before")
			assert.Equal(t, "false", o.outputs["rolled-back"])
		})
	}
}

func TestADrillOfSeveralFunctions(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	var all []*emulator.Function
	var names []string
	for _, name := range []string{"a", "b", "c"} {
		all, names = append(all, s.function(name, 4)), append(names, name)
	}
	s.Fault(emulator.Match{Operation: "UpdateAlias", Function: "b"}, emulator.Deny().Times(1))
	o := s.drill().input("function-name", strings.Join(names, "\n")).run()
	assert.Equal(t, "failed/access-denied", o.ended(), o.outputs["message"])
	for _, f := range all {
		assert.Equal(t, "4", f.Serving("live"), f.Name())
	}
	var statuses []string
	for _, r := range o.results(t) {
		statuses = append(statuses, r.Status)
	}
	assert.True(t, slices.Equal([]string{"drilled", "failed", "drilled"}, statuses), statuses)
}
