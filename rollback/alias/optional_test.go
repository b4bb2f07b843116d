package alias_test

import (
	"context"
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/stretchr/testify/assert"

	"github.com/org/lambda-rollback-action/rollback/alias"
	"github.com/org/lambda-rollback-action/rollback/report"
)

// lastingFaults last as long as the program, and no retry helps.
var lastingFaults = map[string]fault{
	"denied":           {err: answer(403, "AccessDeniedException", "")},
	"refused":          {err: answer(400, "InvalidParameterValueException", "")},
	"an error of AWS":  {err: answer(500, "ServiceException", "")},
	"no answer":        {hang: true},
	"an empty answer":  {empty: true},
	"refused connects": {err: sendError("connection refused")},
}

func failing(call string, f fault) func(string, int) *fault {
	return func(c string, _ int) *fault {
		if c == call {
			return &f
		}
		return nil
	}
}

// A version that is read ahead and is not needed does not stop the move.
func TestAVersionThatIsNotNeededStopsNothing(t *testing.T) {
	t.Parallel()
	for name, given := range map[string]func(*scene) (version string){
		"the second candidate": func(*scene) string { return "40" },
		"the second candidate, and the version is named": func(s *scene) string {
			s.function.Request.Deployed = 42
			return "40"
		},
		"the live version, and the version is named": func(s *scene) string {
			s.function.Request.Deployed = 42
			return "42"
		},
		"the live version, and the target is chosen": func(s *scene) string {
			s.function.Request.Target = 41
			return "42"
		},
		"the live version, and nothing need be proven": func(s *scene) string {
			s.function.Request.OnlyIfDeployed = false
			return "42"
		},
		"a probe below a gap": func(s *scene) string {
			s.exist(42, 30, 29)
			return "39"
		},
	} {
		for kind, f := range lastingFaults {
			t.Run(name+"/"+kind, func(t *testing.T) {
				t.Parallel()
				play(t, func(t *testing.T, s *scene) {
					s.lambda.faults = failing("GetFunctionConfiguration "+given(s), f)
					began := time.Now()
					r := s.run(t)
					assert.Equal(t, report.RolledBack, r.Status, r.Message)
					assert.LessOrEqual(t, s.lambda.firstUp.Sub(began), 4*time.Second)
				})
			})
		}
	}
}

// The shortcut of a fleet stops nothing, whatever is wrong with it.
func TestAliasesThatCannotBeListedAreReadOneByOne(t *testing.T) {
	t.Parallel()
	faults := map[string]fault{"throttled": {err: answer(429, "TooManyRequestsException", "")}}
	maps.Copy(faults, lastingFaults)
	for name, f := range faults {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			playFleet(t, []string{"api", "worker", "billing"}, func(t *testing.T, f2 *fleet) {
				for i, name := range f2.names {
					f2.lambdas[name].faults = failing("ListAliases", f)
					f2.functions[i].Lambda = listed{f2.lambdas[name], nil}
				}
				began := time.Now()
				for name, r := range f2.run(t, false) {
					assert.Equal(t, report.RolledBack, r.Status, r.Message)
					assert.LessOrEqual(t, f2.lambdas[name].firstUp.Sub(began), 5*time.Second)
				}
			})
		})
	}
}

// Versions that cannot be listed are found by their numbers in time.
func TestVersionsThatCannotBeListed(t *testing.T) {
	t.Parallel()
	faults := maps.Clone(lastingFaults)
	faults["not a call of this server"] = fault{err: answer(501, "NotImplemented", "")}
	faults["not a path of this server"] = fault{err: answer(404, "UnknownError", "")}
	for name, f := range faults {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			play(t, func(t *testing.T, s *scene) {
				s.exist(42, 30, 29)
				s.lambda.faults = failing("ListVersionsByFunction", f)
				r := s.run(t)
				assert.Equal(t, report.RolledBack, r.Status, r.Message)
				assert.Equal(t, "30", s.lambda.serving("live"))
			})
		})
	}
	t.Run("the function no longer exists", func(t *testing.T) {
		t.Parallel()
		play(t, func(t *testing.T, s *scene) {
			s.exist(42, 30, 29)
			s.lambda.faults = failing("ListVersionsByFunction", fault{err: answer(404, "ResourceNotFoundException", "")})
			r := s.run(t)
			assert.Equal(t, report.FunctionNotFound, r.Reason, r.Message)
		})
	})
}

// A memory alias that never answers leaves time for the move, however short the time
// limit is and however many functions there are.
func TestAMemoryThatNeverAnswersLeavesTimeForTheMove(t *testing.T) {
	t.Parallel()
	for _, limit := range []time.Duration{20 * time.Second, time.Minute, 5 * time.Minute} {
		for _, functions := range []int{1, 30} {
			t.Run(fmt.Sprintf("%s, %d functions", limit, functions), func(t *testing.T) {
				t.Parallel()
				inTime(t, fleetOf{functions: functions, stuck: functions, mustMove: functions}, limit, limit*2/3, func(l *fakeLambda) {
					l.faults = failing("GetAlias "+memoryAlias, fault{err: answer(503, "ServiceUnavailable", "")})
				})
			})
		}
	}
}

// Functions that wait do not hold up the others.
func TestFunctionsThatAreStuckHoldUpNoOthers(t *testing.T) {
	t.Parallel()
	for name, stuck := range map[string]func(*fakeLambda){
		"another operation is in progress": func(l *fakeLambda) {
			l.faults = failing("UpdateAlias live", fault{err: answer(409, "ResourceConflictException", "An update is in progress")})
		},
		"a version that is needed cannot be read": func(l *fakeLambda) {
			l.faults = failing("GetFunctionConfiguration 42", fault{err: answer(503, "ServiceUnavailable", "")})
		},
		"the alias cannot be read": func(l *fakeLambda) {
			l.faults = failing("GetAlias live", fault{err: answer(500, "ServiceException", "")})
		},
		"the target is Pending": func(l *fakeLambda) {
			l.versions[41] = fakeVersion{modified: l.versions[41].modified, state: types.StatePending}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inTime(t, fleetOf{functions: 17, stuck: 16, mustMove: 1}, 5*time.Minute, 10*time.Second, stuck)
		})
	}
}

// fleetOf is a fleet of which the first functions are stuck, and the last ones must
// move in time. Both can be all of them.
type fleetOf struct{ functions, stuck, mustMove int }

// inTime rolls back a fleet.
func inTime(t *testing.T, of fleetOf, limit, within time.Duration, stuck func(*fakeLambda)) {
	t.Helper()
	var names []string
	for i := range of.functions {
		names = append(names, fmt.Sprintf("api-%02d", i))
	}
	playFleet(t, names, func(t *testing.T, f *fleet) {
		for _, name := range names[:of.stuck] {
			stuck(f.lambdas[name])
		}
		ctx, stop := context.WithTimeoutCause(f.ctx, limit, alias.ErrTimeout)
		defer stop()
		began := time.Now()
		results := rollBack(ctx, f.functions, false)
		for _, r := range results[of.functions-of.mustMove:] {
			assert.Equal(t, report.RolledBack, r.Status, r.Message)
			assert.LessOrEqual(t, f.lambdas[r.Function].firstUp.Sub(began), within, r.Message)
		}
	})
}
