package alias_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/rollback/alias"
	"github.com/org/lambda-rollback-action/rollback/report"
)

// neededCalls are those without which the alias is not moved.
var neededCalls = []string{
	"GetAlias live", "GetAlias live-rollback", "GetFunctionConfiguration 42", "GetFunctionConfiguration 41",
	"GetFunctionConfiguration 40", "UpdateAlias live",
}

// A fault that passes holds the move up for as long as it lasts, and for the pause
// between two tries at most. The alias is moved once.
func TestFaultsThatPassAtEveryCall(t *testing.T) {
	t.Parallel()
	faults := map[string]fault{}
	for name, f := range passingFaults {
		if !f.processed { // it would have worked at once
			faults[name] = f
		}
	}
	faults["connection refused"] = fault{err: sendError("connection refused")}
	for _, call := range neededCalls {
		for name, f := range faults {
			for _, lasts := range []time.Duration{time.Second, 10 * time.Second, time.Minute} {
				t.Run(fmt.Sprintf("%s/%s/%s", call, name, lasts), func(t *testing.T) {
					t.Parallel()
					passesAfter(t, call, f, lasts)
				})
			}
		}
	}
	for _, lasts := range []time.Duration{time.Second, 10 * time.Second, 40 * time.Second, time.Minute} {
		t.Run(fmt.Sprintf("UpdateAlias live/another operation is in progress/%s", lasts), func(t *testing.T) {
			t.Parallel()
			passesAfter(t, "UpdateAlias live", fault{err: answer(409, "ResourceConflictException", "in progress")}, lasts)
		})
	}
}

func passesAfter(t *testing.T, call string, f fault, lasts time.Duration) {
	t.Helper()
	play(t, func(t *testing.T, s *scene) {
		began := time.Now()
		s.lambda.faults = func(c string, _ int) *fault {
			if c == call && time.Since(began) < lasts {
				return &f
			}
			return nil
		}
		r := s.run(t)
		require.Equal(t, report.RolledBack, r.Status, r.Message)
		assert.Equal(t, "41", s.lambda.serving("live"))
		moved, err := time.Parse(time.RFC3339, r.MovedAt)
		require.NoError(t, err)
		// The longest pause, or a Retry-After, or a try that hangs; and the part of
		// a second that RFC 3339 leaves out.
		assert.LessOrEqual(t, moved.Sub(began), lasts+8*time.Second+5*time.Second)
		assert.Len(t, s.movesOf("live"), 1)
	})
}

// movesOf are the versions that an alias was brought to, one a change.
func (s *scene) movesOf(name string) (moves []string) {
	s.lambda.mu.Lock()
	defer s.lambda.mu.Unlock()
	return s.lambda.movesMade[name]
}

// A read may lag behind a write: what the answer to the move proves is not undone
// by it.
func TestAStaleReadingAfterTheMove(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		first, last int // readings of the alias that are stale, counted from 1
		notes       string
	}{
		"one":                    {first: 2, last: 2},
		"two in a row":           {first: 2, last: 3},
		"four in a row":          {first: 2, last: 5},
		"until the time is over": {first: 2, last: 1000, notes: "still returned the previous state"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			play(t, func(t *testing.T, s *scene) {
				s.lambda.stale = func(n int) bool { return c.first <= n && n <= c.last }
				r := s.run(t)
				require.Equal(t, report.RolledBack, r.Status, r.Message)
				assert.Equal(t, "41", r.To)
				assert.Equal(t, "41", s.lambda.serving("live"))
				if c.notes == "" {
					assert.Empty(t, warnings(r))
				} else {
					assert.Contains(t, warnings(r), c.notes)
				}
			})
		})
	}
}

// Nor is a move whose answer was lost.
func TestAStaleReadingAfterALostAnswer(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"answer lost after it was carried out", "server error after all was done", "answer breaks off"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			play(t, func(t *testing.T, s *scene) {
				s.lambda.faults = only("UpdateAlias live", 1, passingFaults[name])
				s.lambda.stale = func(n int) bool { return n == 2 } // after the 412
				r := s.run(t)
				require.Equal(t, report.RolledBack, r.Status, r.Message)
				assert.Equal(t, []string{"41"}, s.movesOf("live"))
				assert.Empty(t, warnings(r))
			})
		})
	}
}

// A real way back is no stale reading: it has a revision of its own.
func TestSomebodyMovesItBackAfterTheRollback(t *testing.T) {
	t.Parallel()
	play(t, func(t *testing.T, s *scene) {
		s.lambda.after = func(call string, _ int) {
			if call == "UpdateAlias live" {
				s.move("42", 42)
			}
		}
		r := s.run(t)
		assert.Equal(t, report.AliasChanged, r.Reason, r.Message)
		assert.Contains(t, r.Message, "somebody moved it back")
	})
}

// What no retry can mend ends at once.
func TestFaultsThatNeverPassEndAtOnce(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		err    error
		reason report.Reason
	}{
		"denied":                        {answer(403, "AccessDeniedException", "no"), report.AccessDenied},
		"the session is over":           {answer(403, "ExpiredTokenException", "over"), report.NoCredentials},
		"another account's key":         {answer(403, "UnrecognizedClientException", "no"), report.NoCredentials},
		"the request is not understood": {answer(400, "ValidationException", "no"), report.AWSError},
		"a 404 of something else":       {answer(404, "UnknownError", "no such page"), report.AWSError},
	} {
		for _, call := range []string{"GetAlias live", "UpdateAlias live"} {
			t.Run(name+"/"+call, func(t *testing.T) {
				t.Parallel()
				play(t, func(t *testing.T, s *scene) {
					s.lambda.faults = always(call, fault{err: c.err})
					began := time.Now()
					r := s.run(t)
					assert.Equal(t, c.reason, r.Reason, r.Message)
					assert.Less(t, time.Since(began), time.Second)
					assert.Equal(t, "42", s.lambda.serving("live"))
				})
			})
		}
	}
}

// Only AWS's own word that there is no provisioned concurrency says so.
func TestCheckOfProvisionedConcurrency(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		err  error
		want report.CheckStatus
	}{
		"there is none":                   {answer(404, "ProvisionedConcurrencyConfigNotFoundException", "none"), report.CheckPassed},
		"a 404 that is not Lambda's":      {answer(404, "UnknownError", "no such page"), report.CheckInconclusive},
		"a 404 without a code":            {response(404, nil, nil), report.CheckInconclusive},
		"denied":                          {answer(403, "AccessDeniedException", "no"), report.CheckInconclusive},
		"the function is gone in between": {answer(404, "ResourceNotFoundException", "no function"), report.CheckInconclusive},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			play(t, func(t *testing.T, s *scene) {
				s.function.Lambda = inspected{s.lambda, c.err}
				began := time.Now()
				r := alias.Check(s.ctx, []alias.Function{s.function}, nil)[0]
				for _, line := range r.Checks {
					if line.Name == "provisioned concurrency" {
						assert.Equal(t, c.want, line.Status, line.Detail)
						assert.Less(t, time.Since(began), time.Second, "it is not tried again")
						return
					}
				}
				assert.Fail(t, "the line is missing")
			})
		})
	}
}

// The difference of the clocks counts at the time of the decision, and the report
// says where it decided.
func TestTheClocksAreComparedWhenItIsDecided(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		difference time.Duration
		reason     report.Reason
		noted      bool
	}{
		"equal":                       {0, report.PreviousVersion, false},
		"by less than matters":        {10 * time.Second, report.PreviousVersion, false},
		"by more than the job lasted": {5 * time.Minute, report.NotDeployed, true},
		"by hours, as a zone misread": {2 * time.Hour, report.NotDeployed, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			play(t, func(t *testing.T, s *scene) {
				answered := false // the difference is known once GitHub has answered
				evidence := s.function.Evidence
				s.function.Evidence = func(ctx context.Context) report.Run { answered = true; return evidence(ctx) }
				s.function.ClockDifference = func() time.Duration {
					if !answered {
						return 0
					}
					return c.difference
				}
				r := s.run(t)
				assert.Equal(t, c.reason, r.Reason, r.Message)
				assert.Equal(t, c.noted, strings.Contains(warnings(r), "clocks of AWS and GitHub differ by"), r.Notes)
			})
		})
	}
}

// What is remembered is compared with AWS's times later, and what is published with
// those of AWS's pages: a clock of the runner that is wrong must not stand in either.
func TestTheMemoryAndTheResultHaveAWSsTime(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		ahead time.Duration
		at    string
	}{
		"two hours behind AWS": {2 * time.Hour, "at=2000-01-01T02:00:00Z"},
		"a day ahead":          {-24 * time.Hour, "at=1999-12-31T00:00:00Z"},
		"right":                {0, "at=2000-01-01T00:00:00Z"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			play(t, func(t *testing.T, s *scene) {
				s.function.Ahead = func() time.Duration { return c.ahead }
				r := s.run(t)
				require.Equal(t, report.RolledBack, r.Status)
				assert.Contains(t, s.lambda.description(memoryAlias), c.at)
				assert.Equal(t, c.at, "at="+r.MovedAt)
				for _, m := range r.Timeline {
					assert.Equal(t, c.at, "at="+m.At.UTC().Format(time.RFC3339), m.Event)
				}
				assert.Less(t, r.DurationMS, time.Minute.Milliseconds())
			})
		})
	}
}

// The memory is optional: a memory alias that cannot be read leaves time for the
// move, whatever the fault. A fault of both aliases takes none of that time.
func TestAMemoryThatCannotBeReadLeavesTimeForTheMove(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]fault{
		"500":       {err: answer(500, "ServiceException", "")},
		"KMS":       {err: answer(502, "KMSNotFoundException", "")},
		"throttled": {err: answer(429, "TooManyRequestsException", "")},
	} {
		for _, target := range []int64{0, 40} {
			t.Run(fmt.Sprintf("%s, target %d", name, target), func(t *testing.T) {
				t.Parallel()
				play(t, func(t *testing.T, s *scene) {
					began := time.Now()
					s.lambda.faults = always("GetAlias "+memoryAlias, f)
					s.function.Request.Target = target
					r := s.run(t)
					require.Equal(t, report.RolledBack, r.Status, r.Message)
					assert.Less(t, time.Since(began), 2*time.Minute)
					assert.Contains(t, warnings(r), "could not read which versions were bad: GetAlias of api:live-rollback did not succeed within 1 min 30 s after the alias was read")
				})
			})
		}
	}
	t.Run("both, for most of the time", func(t *testing.T) {
		t.Parallel()
		play(t, func(t *testing.T, s *scene) {
			began := time.Now()
			s.remembers(41, "rejected=41 by=rollback")
			s.lambda.faults = func(call string, _ int) *fault {
				if time.Since(began) > 200*time.Second || !strings.HasPrefix(call, "GetAlias") {
					return nil
				}
				return &fault{err: answer(503, "ServiceException", "")}
			}
			r := s.run(t)
			require.Equal(t, report.RolledBack, r.Status, r.Message)
			assert.Equal(t, "40", r.To, "the memory was read")
		})
	})
}
