package alias_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/rollback/alias"
	"github.com/org/lambda-rollback-action/rollback/report"
)

// prover is the checks after a move: each function's own one, and one that all
// share, where that is given.
type prover struct {
	own      map[int64]bool     // versions on which the own check fails
	shared   map[int64]bool     // versions on which the shared check fails; nil: there is none
	status   report.CheckStatus // of what does not pass; empty: failed
	during   func()             // what happens meanwhile
	asked    [][]alias.Moved
	duration time.Duration
}

func (p *prover) prove(_ context.Context, moved []alias.Moved) []report.Verdict {
	p.asked = append(p.asked, moved)
	began := time.Now()
	time.Sleep(p.duration)
	if p.during != nil {
		p.during()
	}
	bad := report.CheckFailed
	if p.status != "" {
		bad = p.status
	}
	verdict := func(checks []report.Check) report.Health {
		health := report.Healthy
		for _, c := range checks {
			switch c.Status {
			case report.CheckFailed:
				return report.NotHealthy
			case report.CheckInconclusive:
				health = report.HealthUnknown
			case report.CheckPassed:
			}
		}
		return health
	}
	var out []report.Verdict
	for _, m := range moved {
		own := report.Check{Name: "invoke", Status: report.CheckPassed, Detail: "it ran"}
		if p.own[m.Version] {
			own.Status, own.Detail = bad, "a function error"
		}
		checks := []report.Check{own}
		if p.shared != nil {
			shared := report.Check{Name: "health", Status: report.CheckPassed, Detail: "status 200"}
			if p.shared[m.Version] {
				shared.Status, shared.Detail = bad, "status 500"
			}
			checks = append(checks, shared)
		}
		out = append(out, report.Verdict{
			Healthy: verdict(checks), Own: verdict(checks[:1]), Checks: checks,
			Notes: []report.Note{{Text: fmt.Sprintf("looked at version %d", m.Version)}}, Started: began, Ended: time.Now(),
		})
	}
	return out
}

// proven rolls back and proves.
func (s *scene) proven(t *testing.T, p *prover, o alias.ProveOptions) report.Function {
	t.Helper()
	f := alias.NewFleet([]alias.Function{s.function})
	f.RollBack(s.ctx, false)
	require.True(t, f.Moved())
	o.Log = s.log
	if o.Timeout == 0 {
		o.Timeout = 5 * time.Minute
	}
	f.Prove(s.ctx, p.prove, o)
	return f.Results()[0]
}

func titles(r report.Function) []string {
	var out []string
	for _, c := range r.Checks {
		out = append(out, c.Title()+": "+string(c.Status))
	}
	return out
}

func bad(versions ...int64) map[int64]bool {
	out := map[int64]bool{}
	for _, v := range versions {
		out[v] = true
	}
	return out
}

// What follows from the checks. 42 serves at first, 38 to 41 are older.
func TestProve(t *testing.T) {
	t.Parallel()
	stepBack := alias.ProveOptions{StepBack: true, MaxSteps: 3}
	for name, test := range map[string]struct {
		prover  prover
		options alias.ProveOptions
		given   func(*scene)

		end     string // status, reason, verdict
		serves  string
		tried   []string
		checks  []string
		message string // part of it
		memory  string // what the memory alias says at last, or the beginning of it
		warning string // part of one
	}{
		"healthy at once": {
			options: stepBack, end: "rolled-back/previous-version true", serves: "41",
			checks: []string{"invoke: passed"}, message: "; the check passed",
		},
		"not healthy, and on-unhealthy is fail": {
			prover: prover{own: bad(41)}, options: alias.ProveOptions{MaxSteps: 3},
			end: "failed/unhealthy false", serves: "41", checks: []string{"invoke: failed"},
			message: "production is NOT healthy (invoke: a function error); the alias stays on version 41",
		},
		"the next older one is healthy": {
			prover: prover{own: bad(41)}, options: stepBack,
			end: "rolled-back/previous-version true", serves: "40", tried: []string{"41"},
			checks:  []string{"on version 41: invoke: failed", "invoke: passed"},
			message: "is on version 40: it was rolled back from version 42, and version 41 was not healthy either; the check passed",
			memory:  "rejected=42@7002,41 run=7002/1 at=2000-01-01T00:00:00Z by=rollback",
		},
		"the third older one is healthy": {
			prover: prover{own: bad(41, 40)}, options: stepBack,
			end: "rolled-back/previous-version true", serves: "39", tried: []string{"41", "40"},
			checks:  []string{"on version 41: invoke: failed", "on version 40: invoke: failed", "invoke: passed"},
			message: "versions 41 and 40 were not healthy either",
		},
		"no older one is left: back to the first target": {
			prover: prover{own: bad(41, 40, 39, 38)}, options: alias.ProveOptions{StepBack: true, MaxSteps: 9},
			end: "failed/unhealthy false", serves: "41", tried: []string{"41", "40", "39", "38"},
			checks: []string{
				"on version 41: invoke: failed", "on version 40: invoke: failed",
				"on version 39: invoke: failed", "on version 38: invoke: failed",
			},
			memory:  "rejected=42@7002,40,39,38 run=",
			warning: "version 38 is not healthy either, and the action cannot go further back",
			message: "is on version 41, the first target of the rollback from version 42: versions 41, 40, 39 and 38 were not healthy; production is NOT healthy (invoke: a function error); the alias stays on version 41",
		},
		"max-steps is over: back to the first target": {
			prover: prover{own: bad(41, 40)}, options: alias.ProveOptions{StepBack: true, MaxSteps: 1},
			end: "failed/unhealthy false", serves: "41", tried: []string{"41", "40"},
			checks: []string{"on version 41: invoke: failed", "on version 40: invoke: failed"},
		},
		"max-steps is 0: it stays": {
			prover: prover{own: bad(41)}, options: alias.ProveOptions{StepBack: true},
			end: "failed/unhealthy false", serves: "41", checks: []string{"invoke: failed"},
		},
		"only what all functions share fails": {
			prover: prover{shared: bad(41)}, options: stepBack,
			end: "rolled-back/previous-version true", serves: "40", tried: []string{"41"},
			checks:  []string{"on version 41: invoke: passed", "on version 41: health: failed", "invoke: passed", "health: passed"},
			message: "all 2 checks passed",
		},
		"nothing tells": {
			prover: prover{own: bad(41), status: report.CheckInconclusive}, options: stepBack,
			end: "rolled-back/previous-version unknown", serves: "41", checks: []string{"invoke: inconclusive"},
			message: "could not confirm that production recovered (invoke: a function error)",
		},
		"there is no older one at all": {
			prover: prover{own: bad(41)}, options: stepBack,
			given: func(s *scene) {
				delete(s.lambda.versions, 40)
				delete(s.lambda.versions, 39)
				delete(s.lambda.versions, 38)
			},
			end: "failed/unhealthy false", serves: "41", checks: []string{"invoke: failed"},
		},
		"the next older one was rejected: the one below": {
			prover: prover{own: bad(41)}, options: stepBack,
			given: func(s *scene) { s.remembers(39, "rejected=40 run=7001/1 at=1999-12-31T00:00:00Z by=rollback") },
			end:   "rolled-back/previous-version true", serves: "39", tried: []string{"41"},
			checks: []string{"on version 41: invoke: failed", "invoke: passed"},
		},
		"the further move is denied: it stays": {
			prover: prover{own: bad(41)}, options: stepBack,
			given: func(s *scene) {
				s.lambda.faults = only("UpdateAlias live", 2, fault{err: answer(403, "AccessDeniedException", "")})
			},
			end: "failed/unhealthy false", serves: "41", checks: []string{"invoke: failed"},
			memory: "rejected=42@7002 run=", warning: "version 41 is not healthy, but the alias could not be moved further: AWS denied",
		},
		"the further move finds no end: it stays": {
			prover: prover{own: bad(41)}, options: alias.ProveOptions{StepBack: true, MaxSteps: 3, Timeout: 10 * time.Second},
			given: func(s *scene) {
				s.lambda.faults = func(call string, n int) *fault {
					if call == "UpdateAlias live" && n > 1 {
						return &fault{err: answer(429, "TooManyRequestsException", "")}
					}
					return nil
				}
			},
			end: "failed/unhealthy false", serves: "41", checks: []string{"invoke: failed"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			play(t, func(t *testing.T, s *scene) {
				for v := int64(38); v < 40; v++ {
					s.lambda.versions[v] = fakeVersion{modified: clockAt(0, 0).AddDate(0, 0, int(v)-45), state: types.StateActive}
				}
				if test.given != nil {
					test.given(s)
				}
				p := test.prover
				r := s.proven(t, &p, test.options)
				assert.Equal(t, test.end, fmt.Sprintf("%s/%s %s", r.Status, r.Reason, r.Healthy), "%s; %v", r.Message, r.Notes)
				assert.Equal(t, test.serves, s.lambda.serving("live"))
				assert.Equal(t, test.serves, r.To)
				assert.Equal(t, test.tried, r.Tried)
				assert.Equal(t, test.checks, titles(r))
				assert.Contains(t, r.Message, test.message)
				assert.NotEmpty(t, r.MovedAt)
				assert.Contains(t, r.Proof, `"deploy"`, "whose deploy it was does not change")
				assert.True(t, strings.HasPrefix(s.lambda.description(memoryAlias), test.memory), s.lambda.description(memoryAlias))
				assert.Contains(t, warnings(r), test.warning)
				assert.True(t, slices.IsSortedFunc(r.Timeline, func(a, b report.Moment) int { return a.At.Compare(b.At) }))
				looked := 0
				for _, m := range r.Timeline {
					if m.Event == report.Verified {
						assert.Contains(t, m.Detail, fmt.Sprintf("version %d: ", p.asked[looked][0].Version))
						looked++
					}
				}
				assert.Len(t, p.asked, looked)
				for _, v := range r.Tried {
					left := v != r.To
					assert.Equal(t, left, slices.Contains(r.Rejected, v), "version %s of %v", v, r.Rejected)
				}
			})
		})
	}
}

// A check that all functions share says that any of them may be the one, unless
// one is named by its own check. Only alarms that were watched count.
func TestProveOfSeveral(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		own          map[string]bool // functions whose own check fails on 41
		kind         report.CheckKind
		allOrNothing bool
		given        func(*fleet)
		serve        string // api, worker
	}{
		"what they share fails: both go on":           {serve: "40 40"},
		"one's own check fails too: that one goes on": {own: map[string]bool{"worker": true}, serve: "41 40"},
		"an alarm fails that may be old: they stay":   {kind: report.CheckOldAlarm, serve: "41 41"},
		"another check fails, whatever its name is":   {kind: report.CheckOther, serve: "40 40"},
		"all-or-nothing: both go on": {
			own: map[string]bool{"worker": true}, allOrNothing: true, serve: "40 40",
		},
		"all-or-nothing: one has no older version": {
			allOrNothing: true, given: func(f *fleet) { delete(f.lambdas["api"].versions, 40) }, serve: "41 41",
		},
		"all-or-nothing: one may not go on": {
			allOrNothing: true, serve: "41 41", given: func(f *fleet) {
				f.lambdas["api"].faults = only("UpdateAlias live", 2, fault{err: answer(403, "AccessDeniedException", "")})
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			playFleet(t, []string{"api", "worker"}, func(t *testing.T, f *fleet) {
				all := alias.NewFleet(f.functions)
				if test.given != nil {
					test.given(f)
				}
				all.RollBack(f.ctx, test.allOrNothing)
				prove := func(_ context.Context, moved []alias.Moved) (out []report.Verdict) {
					unhealthy := slices.ContainsFunc(moved, func(m alias.Moved) bool { return m.Version == 41 })
					for _, m := range moved {
						v := report.Verdict{
							Healthy: report.Healthy, Own: report.Healthy, Ended: time.Now(),
							Checks: []report.Check{{Name: "alarm production", Status: report.CheckPassed, Kind: test.kind}},
						}
						if unhealthy && (m.Version == 41 || len(test.own) == 0) {
							v.Healthy, v.Checks[0].Status = report.NotHealthy, report.CheckFailed
						}
						if test.own[m.Name] && m.Version == 41 {
							v.Own = report.NotHealthy
						}
						out = append(out, v)
					}
					return out
				}
				all.Prove(f.ctx, prove, alias.ProveOptions{StepBack: true, MaxSteps: 1, Timeout: time.Minute, Log: &fakeLog{}})
				assert.Equal(t, test.serve, f.lambdas["api"].serving("live")+" "+f.lambdas["worker"].serving("live"))
				for i, r := range all.Results() {
					if r.To == "41" {
						assert.Empty(t, r.Tried)
						assert.NotContains(t, r.Message, "either")
					}
					assert.Equal(t, f.lambdas[f.names[i]].serving("live"), r.To, r.Message)
				}
			})
		})
	}
}

// Only what was moved, and stayed where it was moved to, is proven.
func TestProveWhatWasMovedAlone(t *testing.T) {
	t.Parallel()
	playFleet(t, []string{"api", "worker", "billing"}, func(t *testing.T, f *fleet) {
		f.lambdas["worker"].set("live", 41, nil, "") // not deployed
		f.lambdas["billing"].after = func(call string, n int) {
			if call == "UpdateAlias live" && n == 1 {
				f.lambdas["billing"].set("live", 43, nil, "")
			}
		}
		all := alias.NewFleet(f.functions)
		assert.False(t, all.Moved(), "nothing is moved yet")
		all.RollBack(f.ctx, false)
		assert.True(t, all.Moved())
		p := &prover{}
		all.Prove(f.ctx, p.prove, alias.ProveOptions{Log: &fakeLog{}})
		require.Len(t, p.asked, 1)
		require.Len(t, p.asked[0], 1)
		assert.Equal(t, "api", p.asked[0][0].Name)
		r := all.Results()
		assert.Equal(t, []report.Health{report.Healthy, report.HealthUnknown, report.HealthUnknown}, []report.Health{r[0].Healthy, r[1].Healthy, r[2].Healthy})
	})
	playFleet(t, []string{"api"}, func(t *testing.T, f *fleet) {
		f.lambdas["api"].set("live", 41, nil, "")
		all := alias.NewFleet(f.functions)
		all.RollBack(f.ctx, false)
		assert.False(t, all.Moved())
		all.Prove(f.ctx, func(context.Context, []alias.Moved) []report.Verdict {
			assert.Fail(t, "there is nothing to prove")
			return nil
		}, alias.ProveOptions{Log: &fakeLog{}})
	})
}

// Somebody deploys while the checks look: what they found is not said of what
// serves now, and nothing is moved over it.
func TestProveWhileSomebodyDeploys(t *testing.T) {
	t.Parallel()
	for _, healthy := range []bool{true, false} {
		t.Run(fmt.Sprintf("healthy=%t", healthy), func(t *testing.T) {
			t.Parallel()
			play(t, func(t *testing.T, s *scene) {
				p := &prover{own: map[int64]bool{41: !healthy}, during: func() { s.move("43", 43) }}
				r := s.proven(t, p, alias.ProveOptions{StepBack: true, MaxSteps: 3})
				assert.Equal(t, "43", s.lambda.serving("live"))
				assert.Len(t, p.asked, 1)
				assert.True(t, r.ChangedByOthers)
				assert.Equal(t, "alias: inconclusive", titles(r)[0])
				assert.NotEqual(t, report.Healthy, r.Healthy)
				assert.Contains(t, r.AliasState, "it serves version 43 now")
			})
		})
	}
}

// After a signal nothing is moved any more.
func TestProveIsCancelled(t *testing.T) {
	t.Parallel()
	play(t, func(t *testing.T, s *scene) {
		p := &prover{own: bad(41), during: func() { s.cancel(alias.ErrCancelled) }}
		r := s.proven(t, p, alias.ProveOptions{StepBack: true, MaxSteps: 3})
		assert.Equal(t, "41", s.lambda.serving("live"))
		assert.Equal(t, report.Unhealthy, r.Reason)
		assert.Equal(t, 1, s.lambda.count("UpdateAlias live"))
	})
}

// What the checks are told of a move.
func TestMovedFacts(t *testing.T) {
	t.Parallel()
	play(t, func(t *testing.T, s *scene) {
		s.lambda.set("live", 41, map[string]float64{"42": 0.1}, "serves production")
		s.function.ARN = "arn:aws:lambda:eu-west-1:123456789012:function:api"
		p := &prover{own: bad(41), duration: time.Minute}
		began := time.Now()
		r := s.proven(t, p, alias.ProveOptions{StepBack: true, MaxSteps: 3})
		require.Len(t, p.asked, 2)
		want := alias.Moved{
			Name: "api", ARN: s.function.ARN, Alias: "live", Region: "eu-west-1",
			Version: 41, Left: 42, ServedBefore: true, MovedAt: began, DeployedAt: clockAt(1, 30),
		}
		assert.Equal(t, []alias.Moved{want}, p.asked[0])
		want.Version, want.ServedBefore, want.MovedAt = 40, false, began.Add(time.Minute)
		assert.Equal(t, []alias.Moved{want}, p.asked[1])
		assert.Contains(t, strings.Join(s.log.lines, "\n"), s.function.ARN+":live on version 41: not recovered")
		assert.Equal(t, report.Healthy, r.Healthy)
	})
}

// A drill is checked on both ways, and what is said there and back decides.
func TestDrillIsChecked(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		unhealthy map[int64]bool
		end       string
		message   string
	}{
		"well, there and back": {nil, "drilled/ true", "all checks passed on both versions"},
		"not well there":       {bad(41), "failed/unhealthy false", "the drill failed: version 41 was not healthy (invoke: a function error)"},
		"not well back":        {bad(42), "failed/unhealthy false", "the drill failed: and is NOT healthy there (invoke: a function error)"},
		"well on neither":      {bad(41, 42), "failed/unhealthy false", "and is NOT healthy there"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			play(t, func(t *testing.T, s *scene) {
				p := &prover{own: test.unhealthy, duration: time.Minute}
				began := time.Now()
				d := alias.NewDrill([]alias.Function{s.function})
				d.Move(s.ctx)
				d.Check(s.ctx, p.prove, s.log)
				assert.Equal(t, "41", s.lambda.serving("live"))
				d.Restore()
				d.Check(s.ctx, p.prove, s.log)
				r := d.Results(s.ctx)[0]
				assert.Equal(t, "42", s.lambda.serving("live"))
				assert.Empty(t, s.lambda.serving(memoryAlias))
				assert.Equal(t, test.end, fmt.Sprintf("%s/%s %s", r.Status, r.Reason, r.Healthy))
				assert.Contains(t, r.Message, test.message)
				require.Len(t, r.Checks, 2)
				assert.Equal(t, "on version 41: invoke", r.Checks[0].Title())
				assert.Equal(t, "back on version 42: invoke", r.Checks[1].Title())
				there := alias.Moved{Name: "api", Alias: "live", Region: "eu-west-1", Version: 41, Left: 42, MovedAt: began, DeployedAt: began}
				back := there
				back.Version, back.Left, back.MovedAt = 42, 41, began.Add(time.Minute)
				assert.Equal(t, [][]alias.Moved{{there}, {back}}, p.asked)
			})
		})
	}
}

// Of a canary that a drill brought back, either version may answer.
func TestDrillOfACanary(t *testing.T) {
	t.Parallel()
	play(t, func(t *testing.T, s *scene) {
		s.lambda.set("live", 41, map[string]float64{"42": 0.1}, "serves production")
		p := &prover{}
		d := alias.NewDrill([]alias.Function{s.function})
		d.Move(s.ctx)
		d.Check(s.ctx, p.prove, s.log)
		d.Restore()
		d.Check(s.ctx, p.prove, s.log)
		assert.Equal(t, "41+42:0.1", s.lambda.serving("live"))
		require.Len(t, p.asked, 2)
		assert.False(t, p.asked[0][0].Split)
		assert.True(t, p.asked[1][0].Split)
		assert.True(t, d.Results(s.ctx)[0].HadCanary)
	})
}
