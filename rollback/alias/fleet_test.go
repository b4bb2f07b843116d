package alias_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/rollback/alias"
	"github.com/org/lambda-rollback-action/rollback/report"
)

// fleet is several functions, each as in the plain scene.
type fleet struct {
	names     []string
	lambdas   map[string]*fakeLambda
	functions []alias.Function
	ctx       context.Context
	cancel    context.CancelCauseFunc
}

func playFleet(t *testing.T, names []string, act func(*testing.T, *fleet)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		f := &fleet{names: names, lambdas: map[string]*fakeLambda{}}
		for _, name := range names {
			l := newFakeLambda(map[int64]time.Time{
				40: clockAt(0, 0).AddDate(0, 0, -5), 41: clockAt(0, 0).AddDate(0, 0, -4), 42: clockAt(1, 30),
			})
			l.set("live", 42, nil, "")
			l.latency = 100 * time.Millisecond
			f.lambdas[name] = l
			f.functions = append(f.functions, function(t.Context(), name, l, &fakeLog{}))
		}
		f.ctx, f.cancel = context.WithCancelCause(t.Context())
		defer f.cancel(nil)
		act(t, f)
	})
}

// run gives the results by name; each says truly what its alias serves.
func (f *fleet) run(t *testing.T, allOrNothing bool) map[string]report.Function {
	t.Helper()
	before := map[string]string{}
	for name, l := range f.lambdas {
		before[name] = l.serving("live")
	}
	results := rollBack(f.ctx, f.functions, allOrNothing)
	require.Len(t, results, len(f.functions))
	out := map[string]report.Function{}
	for i, r := range results {
		assert.Equal(t, f.names[i], r.Function, "results are in the order of the functions")
		now := f.lambdas[r.Function].serving("live")
		if r.Status == report.RolledBack {
			assert.Equal(t, r.To, now, "%s: %s; %v", r.Function, r.Message, r.Notes)
		} else if now != "43" { // what somebody else deployed
			assert.Equal(t, before[r.Function], now, "%s: %s; %v", r.Function, r.Message, r.Notes)
			assert.Empty(t, r.To)
			assert.Empty(t, r.MovedAt)
		}
		if r.Status == report.Failed {
			assert.Contains(t, failures, r.Reason, "no reason of a failure: %s", r.Message)
		}
		out[r.Function] = r
	}
	return out
}

// failures are the contract's reasons of what failed.
var failures = []report.Reason{
	report.InvalidInput, report.NoCredentials, report.AccessDenied, report.FunctionNotFound, report.AliasNotFound,
	report.VersionNotFound, report.AliasOnLatest, report.AliasChanged, report.Throttled, report.Timeout,
	report.Cancelled, report.Unhealthy, report.AWSError,
}

func (f *fleet) movesOf(name string) int { return f.lambdas[name].count("UpdateAlias live") }

func TestFleetMovesAll(t *testing.T) {
	t.Parallel()
	for _, allOrNothing := range []bool{false, true} {
		t.Run(fmt.Sprintf("all-or-nothing=%t", allOrNothing), func(t *testing.T) {
			t.Parallel()
			var names []string
			for i := range 20 {
				names = append(names, fmt.Sprintf("api-%02d", i))
			}
			playFleet(t, names, func(t *testing.T, f *fleet) {
				for _, r := range f.run(t, allOrNothing) {
					assert.Equal(t, report.RolledBack, r.Status, r.Message)
				}
			})
		})
	}
}

func TestFleetWithoutAllOrNothing(t *testing.T) {
	t.Parallel()
	playFleet(t, []string{"api", "worker", "billing"}, func(t *testing.T, f *fleet) {
		f.lambdas["worker"].faults = always("UpdateAlias live", fault{err: answer(403, "AccessDeniedException", "")})
		f.lambdas["billing"].set("live", 41, nil, "")
		r := f.run(t, false)
		assert.Equal(t, report.RolledBack, r["api"].Status)
		assert.Equal(t, report.AccessDenied, r["worker"].Reason)
		assert.Equal(t, report.NotDeployed, r["billing"].Reason)
	})
}

// One that cannot move keeps all where they are.
func TestAllOrNothingBlocked(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		given  func(*fakeLambda, *alias.Function)
		reason report.Reason
	}{
		"there is no alias": {func(l *fakeLambda, _ *alias.Function) { l.remove("live") }, report.AliasNotFound},
		"it may not be read": {func(l *fakeLambda, _ *alias.Function) {
			l.faults = always("GetAlias live", fault{err: answer(403, "AccessDeniedException", "")})
		}, report.AccessDenied},
		"it is on $LATEST":      {func(l *fakeLambda, _ *alias.Function) { l.aliases["live"].version = "$LATEST" }, report.AliasOnLatest},
		"its target is gone":    {func(_ *fakeLambda, f *alias.Function) { f.Request.Target = 7 }, report.VersionNotFound},
		"nothing to go back to": {func(l *fakeLambda, _ *alias.Function) { delete(l.versions, 41); delete(l.versions, 40) }, report.NoPreviousVersion},
	} {
		for _, dry := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/dry-run=%t", name, dry), func(t *testing.T) {
				t.Parallel()
				playFleet(t, []string{"api", "worker", "billing"}, func(t *testing.T, f *fleet) {
					for i := range f.functions {
						f.functions[i].DryRun = dry
					}
					test.given(f.lambdas["worker"], &f.functions[1])
					r := f.run(t, true)
					assert.Equal(t, test.reason, r["worker"].Reason)
					for _, other := range []string{"api", "billing"} {
						assert.NotEqual(t, report.RolledBack, r[other].Status)
						assert.Contains(t, r[other].Message, "worker", "it says which one is in the way")
						assert.Empty(t, f.lambdas[other].updates)
						assert.Zero(t, f.lambdas[other].count("CreateAlias"))
					}
				})
			})
		}
	}
}

// One that is where it should be is in nobody's way.
func TestAllOrNothingWithBenignSkips(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		given  func(*fakeLambda, *alias.Function)
		reason report.Reason
	}{
		"not deployed":      {func(l *fakeLambda, _ *alias.Function) { l.set("live", 41, nil, "") }, report.NotDeployed},
		"already on target": {func(_ *fakeLambda, f *alias.Function) { f.Request.Target = 42 }, report.AlreadyOnTarget},
		"already rolled back": {func(l *fakeLambda, _ *alias.Function) {
			l.set("live", 41, nil, "")
			l.set(memoryAlias, 41, nil, "rejected=42@7002 run=7002/1 at=1999-12-31T00:00:00Z by=rollback")
		}, report.AlreadyRolledBack},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			playFleet(t, []string{"api", "worker"}, func(t *testing.T, f *fleet) {
				test.given(f.lambdas["worker"], &f.functions[1])
				r := f.run(t, true)
				assert.Equal(t, report.RolledBack, r["api"].Status, r["api"].Message)
				assert.Equal(t, report.Skipped, r["worker"].Status)
				assert.Equal(t, test.reason, r["worker"].Reason)
			})
		})
	}
}

// A move that fails takes the others back, weights and all.
func TestAllOrNothingReturnsTheMoved(t *testing.T) {
	t.Parallel()
	playFleet(t, []string{"api", "worker", "billing"}, func(t *testing.T, f *fleet) {
		f.lambdas["api"].set("live", 41, map[string]float64{"42": 0.25}, "")
		f.lambdas["worker"].faults = always("UpdateAlias live", fault{err: answer(403, "AccessDeniedException", "")})
		r := f.run(t, true)
		assert.Equal(t, "41+42:0.25", f.lambdas["api"].serving("live"))
		assert.Equal(t, "42", f.lambdas["billing"].serving("live"))
		for _, name := range f.names {
			assert.Equal(t, report.Failed, r[name].Status, r[name].Message)
			assert.Empty(t, f.lambdas[name].serving(memoryAlias), "nothing was rolled back, so nothing is rejected")
		}
		assert.Contains(t, r["billing"].Message, "worker")
	})
}

func TestAllOrNothingOutlivesFaultsOnTheWayBack(t *testing.T) {
	t.Parallel()
	for name, broken := range passingFaults {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			playFleet(t, []string{"api", "worker"}, func(t *testing.T, f *fleet) {
				f.lambdas["api"].set("live", 41, map[string]float64{"42": 0.25}, "")
				f.lambdas["api"].faults = only("UpdateAlias live", 2, broken)
				f.lambdas["worker"].faults = always("UpdateAlias live", fault{err: answer(403, "AccessDeniedException", "")})
				r := f.run(t, true)
				assert.Equal(t, report.Failed, r["api"].Status, r["api"].Message)
				assert.Equal(t, "41+42:0.25", f.lambdas["api"].serving("live"))
			})
		})
	}
}

func TestAllOrNothingCannotReturn(t *testing.T) {
	t.Parallel()
	playFleet(t, []string{"api", "worker"}, func(t *testing.T, f *fleet) {
		denied := fault{err: answer(403, "AccessDeniedException", "")}
		f.lambdas["api"].faults = only("UpdateAlias live", 2, denied)
		f.lambdas["worker"].faults = always("UpdateAlias live", denied)
		r := f.run(t, true)
		assert.Equal(t, report.RolledBack, r["api"].Status)
		assert.Contains(t, warnings(r["api"]), "could not be returned")
		assert.Equal(t, report.AccessDenied, r["worker"].Reason)
	})
}

// A way back that is not made is not taken for one: the version is the same, but
// the canary's weight is missing.
func TestAllOrNothingIsCutOffOnTheWayBackToACanary(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		processed bool
		serves    string
		status    report.Status
	}{
		"it was not carried out": {false, "41", report.RolledBack},
		"it was carried out":     {true, "41+42:0.25", report.Failed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			playFleet(t, []string{"api", "worker"}, func(t *testing.T, f *fleet) {
				f.lambdas["api"].set("live", 41, map[string]float64{"42": 0.25}, "")
				f.lambdas["api"].faults = only("UpdateAlias live", 2, fault{err: answer(500, "ServiceException", ""), processed: test.processed})
				f.lambdas["api"].after = func(call string, n int) {
					if call == "UpdateAlias live" && n == 2 {
						f.cancel(alias.ErrCancelled)
					}
				}
				f.lambdas["worker"].faults = always("UpdateAlias live", fault{err: answer(403, "AccessDeniedException", "")})
				r := rollBack(f.ctx, f.functions, true)[0]
				assert.Equal(t, test.serves, f.lambdas["api"].serving("live"))
				assert.Equal(t, test.status, r.Status, r.Message)
				assert.Equal(t, test.status == report.RolledBack, strings.Contains(warnings(r), "could not be returned"))
			})
		})
	}
}

// The signal comes while the way back is retried: what is said of where the
// alias is must hold.
func TestAllOrNothingCancelledOnTheWayBack(t *testing.T) {
	t.Parallel()
	playFleet(t, []string{"api", "worker"}, func(t *testing.T, f *fleet) {
		f.lambdas["api"].faults = only("UpdateAlias live", 2, passingFaults["throttled, with Retry-After"])
		f.lambdas["api"].after = func(call string, n int) {
			if call == "UpdateAlias live" && n == 2 {
				f.cancel(alias.ErrCancelled)
			}
		}
		f.lambdas["worker"].faults = always("UpdateAlias live", fault{err: answer(403, "AccessDeniedException", "")})
		r := f.run(t, true)
		assert.Equal(t, "41", f.lambdas["api"].serving("live"))
		assert.NotContains(t, warnings(r["api"]), "serves version 42")
	})
}

// A newer deploy of one function lands between read and move.
func TestAllOrNothingWithANewerDeploy(t *testing.T) {
	t.Parallel()
	playFleet(t, []string{"api", "worker"}, func(t *testing.T, f *fleet) {
		w := f.lambdas["worker"]
		w.before = func(call string, n int) {
			if call == "UpdateAlias live" && n == 1 {
				w.versions[43] = fakeVersion{modified: clockAt(3, 30), state: types.StateActive}
				w.set("live", 43, nil, "")
			}
		}
		r := f.run(t, true)
		assert.Equal(t, report.Superseded, r["worker"].Reason)
		assert.Equal(t, "43", w.serving("live"))
	})
}

// A signal in the middle: nothing more moves, not even back.
func TestFleetIsCancelledInTheMiddle(t *testing.T) {
	t.Parallel()
	for _, allOrNothing := range []bool{false, true} {
		t.Run(fmt.Sprintf("all-or-nothing=%t", allOrNothing), func(t *testing.T) {
			t.Parallel()
			var names []string
			for i := range 12 {
				names = append(names, fmt.Sprintf("api-%02d", i))
			}
			playFleet(t, names, func(t *testing.T, f *fleet) {
				f.lambdas["api-00"].latency = 50 * time.Millisecond // it is ahead of the others
				f.lambdas["api-00"].after = func(call string, _ int) {
					if call == "UpdateAlias live" {
						f.cancel(alias.ErrCancelled)
					}
				}
				r := f.run(t, allOrNothing)
				assert.Equal(t, report.RolledBack, r["api-00"].Status, r["api-00"].Message)
				for _, name := range names {
					assert.LessOrEqual(t, f.movesOf(name), 1, "%s: nothing more is moved", name)
					if r[name].Status != report.RolledBack {
						assert.Equal(t, report.Cancelled, r[name].Reason, r[name].Message)
					}
				}
				assert.Equal(t, report.Cancelled, r["api-11"].Reason)
			})
		})
	}
}
