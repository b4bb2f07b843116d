package alias_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/rollback/alias"
	"github.com/org/lambda-rollback-action/rollback/report"
)

// scene is one function, one failed run, and whoever else is at work. It plays
// in a synctest bubble, so that hours pass in no time.
type scene struct {
	lambda   *fakeLambda
	function alias.Function
	log      *fakeLog

	ctx    context.Context
	cancel context.CancelCauseFunc // a signal
	giveUp context.CancelFunc      // the end of the time that a signal leaves

	before string // what the alias served at first
	others string // what somebody else made it serve; empty: nobody did
}

// play sets up the plain scene: `live` serves 42, which this run's deploy made
// on top of 41. The input timeout is five minutes.
func play(t *testing.T, act func(*testing.T, *scene)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		finish, giveUp := context.WithCancel(t.Context())
		work, cancel := context.WithCancelCause(t.Context())
		limited, end := context.WithTimeoutCause(work, 5*time.Minute, alias.ErrTimeout)
		s := &scene{log: &fakeLog{}, ctx: limited, cancel: cancel, giveUp: giveUp}
		s.lambda = newFakeLambda(map[int64]time.Time{
			40: clockAt(0, 0).AddDate(0, 0, -5), 41: clockAt(0, 0).AddDate(0, 0, -4), 42: clockAt(1, 30),
		})
		s.lambda.set("live", 42, nil, "serves production")
		s.function = function(finish, "api", s.lambda, s.log)
		defer end()
		defer cancel(nil)
		defer giveUp()
		act(t, s)
	})
}

func function(finish context.Context, name string, l *fakeLambda, log alias.Log) alias.Function {
	run := failedRun()
	return alias.Function{
		Name: name, Alias: "live", Region: "eu-west-1", Environment: "production",
		Request: alias.Request{OnlyIfDeployed: true, Remember: true},
		Lambda:  l, Runs: fakeRuns{}, Log: log, Clock: bubbleClock{}, Finish: finish,
		Run:      report.Run{ID: run.ID, Attempt: run.Attempt},
		Evidence: func(context.Context) report.Run { return run },
	}
}

// rollBack rolls functions back and gives their results.
func rollBack(ctx context.Context, functions []alias.Function, allOrNothing bool) []report.Function {
	f := alias.NewFleet(functions)
	f.RollBack(ctx, allOrNothing)
	return f.Results()
}

// run rolls back and checks what must be true whatever happened.
func (s *scene) run(t *testing.T) report.Function {
	t.Helper()
	s.before = s.lambda.serving("live")
	results := rollBack(s.ctx, []alias.Function{s.function}, false)
	require.Len(t, results, 1)
	s.truthful(t, results[0])
	return results[0]
}

// truthful: the alias is where it was, on the target alone, or where somebody
// else put it; the result says which; and no request could have done harm.
func (s *scene) truthful(t *testing.T, r report.Function) {
	t.Helper()
	now := s.lambda.serving("live")
	explanation := fmt.Sprintf("%s (%s): %s %s; notes: %v; the alias serves %s", r.Status, r.Reason, r.Message, r.To, r.Notes, now)
	switch r.Status {
	case report.RolledBack:
		require.NotEmpty(t, r.To, explanation)
		assert.NotEmpty(t, r.MovedAt, explanation)
		if now != r.To {
			assert.Equal(t, s.others, now, explanation)
			assert.Contains(t, warnings(r), "somebody else", explanation)
		}
	case report.Skipped, report.Failed, report.Planned:
		assert.Empty(t, r.MovedAt, explanation)
		if now != s.before && (s.others == "" || now != s.others) {
			assert.Contains(t, r.Message, "not known", "it did move: %s", explanation)
		}
	default:
		assert.Fail(t, "no such status", explanation)
	}
	assert.NotEmpty(t, r.Reason, explanation)
	assert.NotEmpty(t, r.Message, explanation)
	if s.lambda.aliases["live"] != nil {
		assert.Equal(t, "serves production", s.lambda.description("live"), "the alias's own Description")
	}
	for _, in := range s.lambda.updates {
		assert.NotEmpty(t, in.RevisionId, "UpdateAlias %s without a revision", *in.Name)
		if assert.NotNil(t, in.RoutingConfig, "UpdateAlias %s without a routing config", *in.Name) {
			assert.NotNil(t, in.RoutingConfig.AdditionalVersionWeights, "UpdateAlias %s: weights would stay", *in.Name)
		}
		if *in.Name == "live" {
			assert.Nil(t, in.Description, "the alias's own Description is never touched")
		}
	}
}

func warnings(r report.Function) string {
	var out []string
	for _, n := range r.Notes {
		if n.Warning {
			out = append(out, n.Text)
		}
	}
	return strings.Join(out, "\n")
}

// only breaks the nth occurrence of a call, alone.
func only(call string, nth int, f fault) func(string, int) *fault {
	return func(c string, n int) *fault {
		if c == call && n == nth {
			return &f
		}
		return nil
	}
}

// always breaks every occurrence of a call.
func always(call string, f fault) func(string, int) *fault {
	return func(c string, _ int) *fault {
		if c == call {
			return &f
		}
		return nil
	}
}

// step is a call of the plain rollback, and which occurrence.
type step struct {
	call string
	n    int
}

// plainSteps are all calls of a rollback that has no memory yet.
var plainSteps = []step{
	{"GetAlias live", 1}, {"GetAlias live-rollback", 1},
	{"GetFunctionConfiguration 42", 1}, {"GetFunctionConfiguration 41", 1}, {"GetFunctionConfiguration 40", 1},
	{"UpdateAlias live", 1}, {"CreateAlias live-rollback", 1}, {"GetAlias live", 2},
}

func TestPlainRollback(t *testing.T) {
	t.Parallel()
	play(t, func(t *testing.T, s *scene) {
		r := s.run(t)
		assert.Equal(t, report.RolledBack, r.Status)
		assert.Equal(t, report.PreviousVersion, r.Reason)
		assert.Equal(t, "42", r.From)
		assert.Equal(t, "41", r.To)
		assert.Equal(t, "41", s.lambda.serving("live"))
		assert.Equal(t, []string{"42"}, r.Rejected)
		assert.Equal(t, []report.Change{{Kind: report.ChangeCode, What: "code SHA-256", From: "sha-42", To: "sha-41"}}, r.Changes)
		assert.Empty(t, warnings(r))
		var want []string
		for _, step := range plainSteps {
			want = append(want, step.call)
		}
		assert.ElementsMatch(t, want, s.lambda.calls)
	})
}

func TestRollbackClearsTheCanarysWeight(t *testing.T) {
	t.Parallel()
	play(t, func(t *testing.T, s *scene) {
		s.lambda.set("live", 41, map[string]float64{"42": 0.1}, "serves production")
		r := s.run(t)
		assert.Equal(t, report.CanaryStopped, r.Reason)
		assert.True(t, r.WeightsCleared)
		assert.Equal(t, "41", s.lambda.serving("live"))
	})
}

func TestSameStepAgainChangesNothing(t *testing.T) {
	t.Parallel()
	play(t, func(t *testing.T, s *scene) {
		s.run(t)
		updates, description := len(s.lambda.updates), s.lambda.description("live-rollback")
		read := s.lambda.count("GetFunctionConfiguration")
		r := s.run(t)
		assert.Equal(t, read, s.lambda.count("GetFunctionConfiguration"), "the memory says enough")
		assert.Equal(t, report.AlreadyRolledBack, r.Reason)
		assert.Len(t, s.lambda.updates, updates)
		assert.Equal(t, 1, s.lambda.count("CreateAlias"))
		assert.Equal(t, description, s.lambda.description("live-rollback"))
	})
}

func TestDryRunChangesNothing(t *testing.T) {
	t.Parallel()
	play(t, func(t *testing.T, s *scene) {
		s.function.DryRun = true
		r := s.run(t)
		assert.Equal(t, report.Planned, r.Status)
		assert.Equal(t, report.PreviousVersion, r.Reason)
		assert.Equal(t, "41", r.To)
		assert.Equal(t, "42", s.lambda.serving("live"))
		assert.Empty(t, s.lambda.updates)
		assert.Zero(t, s.lambda.count("CreateAlias"))
	})
}

// A fault that may pass by itself is outlived, at whichever call it strikes,
// and whether or not the request had been carried out.
func TestPassingFaultsAreOutlived(t *testing.T) {
	t.Parallel()
	for name, f := range passingFaults {
		for _, step := range plainSteps {
			t.Run(fmt.Sprintf("%s/%s %d", name, step.call, step.n), func(t *testing.T) {
				t.Parallel()
				play(t, func(t *testing.T, s *scene) {
					s.lambda.faults = only(step.call, step.n, f)
					start := time.Now()
					r := s.run(t)
					assert.Equal(t, report.RolledBack, r.Status, r.Message)
					assert.Equal(t, "41", s.lambda.serving("live"))
					assert.Equal(t, "41", s.lambda.serving("live-rollback"))
					assert.Equal(t, []string{"42"}, r.Rejected)
					assert.Empty(t, warnings(r))
					if strings.Contains(name, "Retry-After") && step.call != "GetFunctionConfiguration 40" { // which is not needed
						assert.GreaterOrEqual(t, time.Since(start), 7*time.Second)
					}
				})
			})
		}
	}
}

// A fault that lasts ends with the input timeout, and the truth is told.
func TestLastingFaultsEndWithTheTimeout(t *testing.T) {
	t.Parallel()
	for name, f := range passingFaults {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			play(t, func(t *testing.T, s *scene) {
				s.lambda.faults = always("UpdateAlias live", f)
				start := time.Now()
				r := s.run(t)
				assert.LessOrEqual(t, time.Since(start), 5*time.Minute+20*time.Second)
				switch {
				case f.processed:
					assert.Equal(t, report.RolledBack, r.Status, r.Message)
				case strings.HasPrefix(name, "throttled"):
					assert.Equal(t, report.Throttled, r.Reason, r.Message)
				default:
					assert.Equal(t, report.Timeout, r.Reason, r.Message)
				}
			})
		})
	}
}

func TestErrorsThatDoNotPass(t *testing.T) {
	t.Parallel()
	denied := fault{err: answer(403, "AccessDeniedException", "")}
	bad := fault{err: answer(400, "InvalidParameterValueException", "no")}
	for name, test := range map[string]struct {
		call   string
		fault  fault
		status report.Status
		reason report.Reason
		says   string // in the message; of a rolled back one, in a warning
	}{
		"reading the alias is denied":   {call: "GetAlias live", fault: denied, status: report.Failed, reason: report.AccessDenied, says: "lambda:GetAlias"},
		"reading a version is denied":   {call: "GetFunctionConfiguration 42", fault: denied, status: report.Failed, reason: report.AccessDenied, says: "lambda:GetFunctionConfiguration"},
		"moving is denied":              {call: "UpdateAlias live", fault: denied, status: report.Failed, reason: report.AccessDenied, says: "lambda:UpdateAlias on " + arn("live")},
		"writing the memory is denied":  {call: "CreateAlias live-rollback", fault: denied, status: report.RolledBack, reason: report.PreviousVersion, says: "lambda:CreateAlias"},
		"reading is refused":            {call: "GetAlias live", fault: bad, status: report.Failed, reason: report.AWSError, says: "InvalidParameterValueException"},
		"moving is refused":             {call: "UpdateAlias live", fault: bad, status: report.Failed, reason: report.AWSError, says: "not changed"},
		"writing the memory is refused": {call: "CreateAlias live-rollback", fault: bad, status: report.RolledBack, reason: report.PreviousVersion, says: "InvalidParameterValueException"},
		"the credentials have expired":  {call: "GetAlias live", fault: fault{err: answer(403, "ExpiredTokenException", "expired")}, status: report.Failed, reason: report.NoCredentials, says: "credentials"},
		"a version is gone when read":   {call: "GetFunctionConfiguration 41", fault: fault{err: answer(404, "ResourceNotFoundException", "")}, status: report.RolledBack, reason: report.PreviousVersion},
		"a 404 is no retry of the move": {call: "UpdateAlias live", fault: fault{err: answer(404, "ResourceNotFoundException", "")}, status: report.Failed, reason: report.VersionNotFound, says: "deleted"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			play(t, func(t *testing.T, s *scene) {
				s.lambda.faults = always(test.call, test.fault)
				if test.status == report.RolledBack {
					s.lambda.faults = only(test.call, 1, test.fault)
				}
				r := s.run(t)
				assert.Equal(t, test.status, r.Status, r.Message)
				assert.Equal(t, test.reason, r.Reason, r.Message)
				if test.status == report.RolledBack {
					assert.Contains(t, warnings(r), test.says)
				} else {
					assert.Contains(t, r.Message, test.says)
					assert.Equal(t, "42", s.lambda.serving("live"))
				}
				n := 0
				for _, c := range s.lambda.calls {
					if c == test.call {
						n++
					}
				}
				switch {
				case test.call == "GetFunctionConfiguration 42":
					assert.Equal(t, 2, n, "ahead, and because it is needed")
				case test.call != "GetAlias live" || test.status == report.Failed:
					assert.Equal(t, 1, n, "it is not tried again")
				}
			})
		})
	}
}

func TestReadBackDeniedAfterTheMove(t *testing.T) {
	t.Parallel()
	play(t, func(t *testing.T, s *scene) {
		s.lambda.faults = only("GetAlias live", 2, fault{err: answer(403, "AccessDeniedException", "")})
		r := s.run(t)
		assert.Equal(t, report.RolledBack, r.Status)
		assert.Contains(t, warnings(r), "lambda:GetAlias")
	})
}

func TestWhatDoesNotExist(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		given  func(*scene)
		reason report.Reason
	}{
		"the alias":             {func(s *scene) { s.lambda.remove("live") }, report.AliasNotFound},
		"the function":          {func(s *scene) { s.lambda.remove("live"); s.lambda.deleted = true }, report.FunctionNotFound},
		"the chosen version":    {func(s *scene) { s.function.Request.Target = 37 }, report.VersionNotFound},
		"a version: on $LATEST": {func(s *scene) { s.lambda.aliases["live"].version = "$LATEST" }, report.AliasOnLatest},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			play(t, func(t *testing.T, s *scene) {
				test.given(s)
				r := s.run(t)
				assert.Equal(t, report.Failed, r.Status)
				assert.Equal(t, test.reason, r.Reason, r.Message)
				assert.Empty(t, s.lambda.updates)
				assert.Zero(t, s.lambda.count("CreateAlias"))
			})
		})
	}
}

// The version that serves was deleted between two reads (the alias had left it).
func TestServingVersionIsGone(t *testing.T) {
	t.Parallel()
	play(t, func(t *testing.T, s *scene) {
		delete(s.lambda.versions, 42)
		r := s.run(t)
		assert.Equal(t, report.RolledBack, r.Status, r.Message)
		assert.Equal(t, report.PreviousVersion, r.Reason)
		assert.Equal(t, "41", r.To)
		assert.Less(t, len(s.lambda.calls), 40)
	})
}

func TestAnotherOperationIsInProgress(t *testing.T) {
	t.Parallel()
	conflict := fault{err: answer(409, "ResourceConflictException", "An update is in progress")}
	t.Run("once", func(t *testing.T) {
		t.Parallel()
		play(t, func(t *testing.T, s *scene) {
			s.lambda.faults = only("UpdateAlias live", 1, conflict)
			assert.Equal(t, report.RolledBack, s.run(t).Status)
		})
	})
	t.Run("for ever", func(t *testing.T) {
		t.Parallel()
		play(t, func(t *testing.T, s *scene) {
			s.lambda.faults = always("UpdateAlias live", conflict)
			r := s.run(t)
			assert.Equal(t, report.Timeout, r.Reason)
			assert.Contains(t, r.Message, "not changed")
			assert.Contains(t, r.Message, "An update is in progress")
		})
	})
}

// Somebody else changes the alias between the read and the move.
func TestAliasChangesUnderTheMove(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		given   func(*scene)
		others  func(*scene, int) // at the nth try to move
		status  report.Status
		reason  report.Reason
		serving string
	}{
		"a newer deploy lands: it stays": {
			others: func(s *scene, n int) {
				if n == 1 {
					s.lambda.versions[43] = fakeVersion{modified: clockAt(3, 30), state: types.StateActive}
					s.move("43", 43)
				}
			},
			status: report.Skipped, reason: report.Superseded, serving: "43",
		},
		"a newer deploy lands, and a snapshot is there but no job times: it stays": {
			given: func(s *scene) {
				s.lambda.set("live-rollback", 41, nil, "rejected= run=7002/1 by=snapshot")
				s.function.Evidence = func(context.Context) report.Run { return report.Run{ID: thisRun, Attempt: 1} }
			},
			others: func(s *scene, n int) {
				if n == 1 {
					s.lambda.versions[43] = fakeVersion{modified: clockAt(3, 30), state: types.StateActive}
					s.move("43", 43)
				}
			},
			status: report.Skipped, reason: report.Superseded, serving: "43",
		},
		"somebody put the target there alone": {
			others: func(s *scene, n int) {
				if n == 1 {
					s.move("41", 41)
				}
			},
			status: report.RolledBack, reason: report.PreviousVersion, serving: "41",
		},
		"somebody went further back": {
			others: func(s *scene, n int) {
				if n == 1 {
					s.move("40", 40)
				}
			},
			status: report.Skipped, reason: report.NotDeployed, serving: "40",
		},
		"somebody only touched it": {
			others: func(s *scene, n int) {
				if n == 1 {
					s.lambda.set("live", 42, nil, "serves production")
				}
			},
			status: report.RolledBack, reason: report.PreviousVersion, serving: "41",
		},
		"somebody only touched it, and this run published two versions": {
			given: func(s *scene) {
				s.lambda.versions[41] = fakeVersion{modified: clockAt(1, 20), state: types.StateActive}
			},
			others: func(s *scene, n int) {
				if n == 1 {
					s.lambda.set("live", 42, nil, "serves production")
				}
			},
			status: report.RolledBack, reason: report.PreviousVersion, serving: "40",
		},
		"somebody put it on $LATEST": {
			others: func(s *scene, n int) {
				if n == 1 {
					s.move("40", 40)
					s.lambda.aliases["live"].version = "$LATEST"
					s.others = "$LATEST"
				}
			},
			status: report.Failed, reason: report.AliasOnLatest, serving: "$LATEST",
		},
		"somebody touches it again and again": {
			others: func(s *scene, _ int) { s.lambda.set("live", 42, nil, "serves production") },
			status: report.Failed, reason: report.AliasChanged, serving: "42",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			play(t, func(t *testing.T, s *scene) {
				if test.given != nil {
					test.given(s)
				}
				s.lambda.before = func(call string, n int) {
					if call == "UpdateAlias live" {
						test.others(s, n)
					}
				}
				r := s.run(t)
				assert.Equal(t, test.status, r.Status, r.Message)
				assert.Equal(t, test.reason, r.Reason, r.Message)
				assert.Equal(t, test.serving, s.lambda.serving("live"))
				if test.reason == report.AliasChanged {
					assert.Equal(t, 4, s.lambda.count("UpdateAlias live"), "decided again three times")
				}
			})
		})
	}
}

func TestFromIsWhatTheAliasPointedAtWhenLastReadBeforeAMove(t *testing.T) {
	t.Parallel()
	play(t, func(t *testing.T, s *scene) {
		s.lambda.before = func(call string, n int) {
			if call == "UpdateAlias live" && n == 1 {
				s.move("40", 40)
			}
		}
		assert.Equal(t, "40", s.run(t).From)
	})
}

// move is what somebody else does to `live`.
func (s *scene) move(serving string, version int64) {
	s.others = serving
	s.lambda.set("live", version, nil, "serves production")
}

func TestSomebodyMovesTheAliasAfterTheRollback(t *testing.T) {
	t.Parallel()
	play(t, func(t *testing.T, s *scene) {
		s.lambda.versions[43] = fakeVersion{modified: clockAt(4, 0), state: types.StateActive}
		s.lambda.after = func(call string, _ int) {
			if call == "UpdateAlias live" {
				s.move("43", 43)
			}
		}
		r := s.run(t)
		assert.Equal(t, report.RolledBack, r.Status)
		assert.Equal(t, "43", s.lambda.serving("live"))
	})
}

func TestProvisionedConcurrencyShiftsTheTraffic(t *testing.T) {
	t.Parallel()
	t.Run("until it is there", func(t *testing.T) {
		t.Parallel()
		play(t, func(t *testing.T, s *scene) {
			s.lambda.shifting = 2 * time.Minute
			start := time.Now()
			r := s.run(t)
			assert.Equal(t, report.RolledBack, r.Status)
			assert.Empty(t, warnings(r))
			assert.Contains(t, strings.Join(s.log.lines, "\n"), "version 41 does not have all of the traffic yet: 40% still goes to version 42")
			assert.GreaterOrEqual(t, time.Since(start), 2*time.Minute)
			assert.False(t, r.WeightsCleared, "the weights were Lambda's own")
		})
	})
	t.Run("longer than the timeout", func(t *testing.T) {
		t.Parallel()
		play(t, func(t *testing.T, s *scene) {
			s.lambda.shifting = time.Hour
			start := time.Now()
			r := s.run(t)
			assert.Equal(t, report.RolledBack, r.Status)
			assert.Contains(t, warnings(r), "the traffic is still shifting: 40% went to version 42 at the time limit")
			assert.Equal(t, 5*time.Minute, time.Since(start).Round(time.Second))
			assert.Equal(t, "41", s.lambda.serving("live-rollback"), "remembered before the time was over")
		})
	})
	t.Run("and the job is run again meanwhile", func(t *testing.T) {
		t.Parallel()
		play(t, func(t *testing.T, s *scene) {
			s.lambda.shifting = time.Hour
			s.run(t)
			updates := len(s.lambda.updates)
			ctx, end := context.WithTimeout(t.Context(), time.Minute)
			defer end()
			s.ctx = ctx
			assert.Equal(t, report.AlreadyRolledBack, s.run(t).Reason)
			assert.Len(t, s.lambda.updates, updates)
		})
	})
}

func TestPendingTargetIsWaitedFor(t *testing.T) {
	t.Parallel()
	pending := func(s *scene, d time.Duration) {
		v := s.lambda.versions[41]
		v.state = types.StatePending
		s.lambda.versions[41] = v
		time.AfterFunc(d, func() {
			s.lambda.mu.Lock()
			defer s.lambda.mu.Unlock()
			v.state = types.StateActive
			s.lambda.versions[41] = v
		})
	}
	t.Run("until it is ready", func(t *testing.T) {
		t.Parallel()
		play(t, func(t *testing.T, s *scene) {
			pending(s, time.Minute)
			assert.Equal(t, report.RolledBack, s.run(t).Status)
		})
	})
	t.Run("while there is time for an older one, which is taken then", func(t *testing.T) {
		t.Parallel()
		play(t, func(t *testing.T, s *scene) {
			s.lambda.latency = 10 * time.Millisecond
			pending(s, time.Hour)
			r := s.run(t)
			assert.Equal(t, report.RolledBack, r.Status, r.Message)
			assert.Equal(t, "40", r.To)
			time.Sleep(time.Hour) // the bubble's timer
		})
	})
	t.Run("no longer than the timeout, where there is no other", func(t *testing.T) {
		t.Parallel()
		play(t, func(t *testing.T, s *scene) {
			s.lambda.latency = 10 * time.Millisecond // no poll ends in the very instant of the timeout
			for v := range s.lambda.versions {
				if v < 41 {
					delete(s.lambda.versions, v)
				}
			}
			pending(s, time.Hour)
			r := s.run(t)
			assert.Equal(t, report.Timeout, r.Reason, r.Message)
			assert.Contains(t, r.Message, "Pending")
			time.Sleep(time.Hour) // the bubble's timer
		})
	})
}

// The run is cancelled, or its time is over, before, during and after each
// call; what was under way can be finished, or not even that.
func TestEndsAnywhere(t *testing.T) {
	t.Parallel()
	for _, cause := range []error{alias.ErrCancelled, alias.ErrTimeout} {
		for _, when := range []string{"before", "during", "after", "unanswered", "lost"} {
			for _, grace := range []time.Duration{6 * time.Second, 0} {
				for _, step := range plainSteps {
					t.Run(fmt.Sprintf("%s/%s/%s left/%s %d", cause, when, grace, step.call, step.n), func(t *testing.T) {
						t.Parallel()
						play(t, func(t *testing.T, s *scene) { endAt(t, s, cause, when, grace, step) })
					})
				}
			}
		}
	}
}

func endAt(t *testing.T, s *scene, cause error, when string, grace time.Duration, at step) {
	s.lambda.latency = 100 * time.Millisecond
	stop := func() {
		s.cancel(cause)
		if grace == 0 {
			s.giveUp()
		} else {
			time.AfterFunc(grace, s.giveUp)
		}
	}
	is := func(call string, n int) bool { return call == at.call && n == at.n }
	switch when {
	case "before":
		s.lambda.before = func(call string, n int) {
			if is(call, n) {
				stop()
			}
		}
	case "during":
		s.lambda.before = func(call string, n int) {
			if is(call, n) {
				time.AfterFunc(50*time.Millisecond, stop)
			}
		}
	case "after", "unanswered", "lost":
		s.lambda.after = func(call string, n int) {
			if is(call, n) {
				stop()
			}
		}
	}
	if when == "unanswered" {
		s.lambda.faults = only(at.call, at.n, fault{hang: true, processed: true})
	}
	if when == "lost" {
		s.lambda.faults = only(at.call, at.n, passingFaults["answer lost after it was carried out"])
	}
	start := time.Now()
	r := s.run(t)
	assert.LessOrEqual(t, time.Since(start), 800*time.Millisecond+grace, "it ends within the time that is left")
	if r.Status == report.Failed {
		want := report.Cancelled
		if errors.Is(cause, alias.ErrTimeout) {
			want = report.Timeout
		}
		assert.Equal(t, want, r.Reason, r.Message)
	}
	moved := slices.Index(plainSteps, at) > slices.Index(plainSteps, step{"UpdateAlias live", 1})
	if moved {
		assert.Equal(t, report.RolledBack, r.Status, r.Message)
	}
	if s.lambda.count("UpdateAlias live") == 0 {
		assert.Equal(t, report.Failed, r.Status, r.Message)
	}
	assert.LessOrEqual(t, s.lambda.count("UpdateAlias live"), 1, "no new move starts")
	time.Sleep(time.Minute) // the bubble's timers
}

// The cost, by the calls that a rollback makes.
func TestCost(t *testing.T) {
	t.Parallel()
	calls := func(t *testing.T, versions int64, gap int64) (n int, untilMove time.Duration) {
		play(t, func(t *testing.T, s *scene) {
			s.lambda.latency = 100 * time.Millisecond
			serving := versions + gap
			s.lambda.versions = map[int64]fakeVersion{serving: {modified: clockAt(1, 30), state: types.StateActive}}
			for v := int64(1); v < versions; v++ {
				s.lambda.versions[v] = fakeVersion{modified: clockAt(0, 0).AddDate(0, 0, -1), state: types.StateActive}
			}
			s.lambda.set("live", serving, nil, "serves production")
			start := time.Now()
			r := s.run(t)
			require.Equal(t, report.RolledBack, r.Status, r.Message)
			require.Equal(t, strconv.FormatInt(versions-1, 10), r.To)
			n, untilMove = len(s.lambda.calls), s.lambda.firstUp.Sub(start)
		})
		return n, untilMove
	}
	few, row := calls(t, 3, 0)
	many, manyRow := calls(t, 3_000, 0)
	assert.Equal(t, few, many, "the same calls with 3 versions and with 3,000")
	assert.Equal(t, 200*time.Millisecond, row, "the move is the third call in a row")
	assert.Equal(t, row, manyRow)
	over, _ := calls(t, 3, 1_197)
	assert.LessOrEqual(t, over, 40, "over a gap of 1,197 deleted versions")
	worst, _ := calls(t, 3_000, 1_197)
	t.Logf("calls: %d plain, %d over a gap of 1,197 above 2 versions, %d above 2,999", few, over, worst)
}

// What is read in the first round, beside the serving version: the next two, or
// more where those were rejected, so that one is likely to be the target; but not
// any number of them.
func TestCandidatesAreReadAtOnce(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		memory string
		given  func(*scene)
		want   []string
	}{
		"nothing was rejected":               {want: []string{"40", "41", "42"}},
		"one was":                            {memory: "rejected=41@7001", want: []string{"40", "41", "42"}},
		"three were":                         {memory: "rejected=41@7001,40@7001,39@7001", want: []string{"38", "39", "40", "41", "42"}},
		"nine were: six are the most":        {memory: "rejected=41@1,40@1,39@1,38@1,37@1,36@1,35@1,34@1,33@1", want: []string{"36", "37", "38", "39", "40", "41", "42"}},
		"some were, and no run can clear it": {memory: "rejected=38-41", want: []string{"36", "37", "42"}},
		"a canary is in flight": {
			given: func(s *scene) { s.lambda.set("live", 41, map[string]float64{"42": 0.1}, "serves production") },
			want:  []string{"39", "40", "41", "42"},
		},
		"this run took a snapshot": {
			given: func(s *scene) { s.remembers(38, "rejected= run=7002/1 at=1999-12-31T00:00:00Z by=snapshot") },
			want:  []string{"38", "42"},
		},
		"there is one number below": {
			given: func(s *scene) {
				s.lambda.versions = map[int64]fakeVersion{
					1: {modified: clockAt(0, 0).AddDate(0, 0, -1), state: types.StateActive}, 2: {modified: clockAt(1, 30), state: types.StateActive},
				}
				s.lambda.set("live", 2, nil, "serves production")
			},
			want: []string{"1", "2"},
		},
		"the target serves a share: it is read once": {
			given: func(s *scene) {
				s.lambda.set("live", 42, map[string]float64{"40": 0.1}, "serves production")
				s.function.Request.Target = 40
			},
			want: []string{"40", "42"},
		},
		"the target is the newer half of a canary: it is read once": {
			given: func(s *scene) {
				s.lambda.set("live", 42, map[string]float64{"40": 0.1}, "serves production")
				s.function.Request.Target = 42
			},
			want: []string{"40", "42"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			play(t, func(t *testing.T, s *scene) {
				for v := int64(30); v < 42; v++ {
					s.lambda.versions[v] = fakeVersion{modified: clockAt(0, 0).AddDate(0, 0, int(v)-45), state: types.StateActive}
				}
				if test.memory != "" {
					s.remembers(30, test.memory+" run=7001/1 at=1999-12-31T00:00:00Z by=rollback")
				}
				if test.given != nil {
					test.given(s)
				}
				s.lambda.latency = 100 * time.Millisecond
				start := time.Now()
				var mu sync.Mutex
				var read []string
				s.lambda.before = func(call string, _ int) {
					if version, found := strings.CutPrefix(call, "GetFunctionConfiguration "); found && time.Since(start) == s.lambda.latency {
						mu.Lock()
						defer mu.Unlock()
						read = append(read, version)
					}
				}
				s.run(t)
				slices.Sort(read)
				assert.Equal(t, test.want, read)
			})
		})
	}
}
