package runner_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/test/emulator"
)

// distant lets every call to Lambda take so long.
func (s *scene) distant(trip time.Duration) {
	s.Fault(emulator.Match{Service: emulator.ServiceLambda}, emulator.Latency(trip))
}

// rounds is the length of the longest chain of calls that ends with the given
// one, of which each began after the one before it had been answered.
func rounds(calls []emulator.Call, last emulator.Call) int {
	depth := make([]int, len(calls))
	for i, c := range calls { // in the order of arrival: what c followed is known
		for j, before := range calls[:i] {
			if !before.End.IsZero() && !before.End.After(c.Start) {
				depth[i] = max(depth[i], depth[j])
			}
		}
		depth[i]++
		if c.Number == last.Number {
			return depth[i]
		}
	}
	return 0
}

func TestTheMoveIsTheThirdCallInARow(t *testing.T) {
	t.Parallel()
	for name, put := range map[string]func(*scene, *emulator.Function, *step){
		"a bad deploy":     func(*scene, *emulator.Function, *step) {},
		"a version chosen": func(_ *scene, _ *emulator.Function, st *step) { st.input("target-version", "1") },
		"a version told":   func(_ *scene, _ *emulator.Function, st *step) { st.input("deployed-version", "3") },
		"no GitHub to ask": func(_ *scene, _ *emulator.Function, st *step) { st.input("github-token", "") },
		"a canary in flight": func(s *scene, f *emulator.Function, _ *step) {
			require.NoError(s.tb, f.SetAlias("live", 2, map[string]float64{"3": 0.1}))
		},
		"a memory": func(s *scene, f *emulator.Function, _ *step) {
			require.NoError(s.tb, f.SetAlias("live-rollback", 1, nil))
			require.NoError(s.tb, f.DescribeAlias("live-rollback", "rejected=2 run=5/1 at=2026-01-02T03:04:05Z by=rollback"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			f := s.function("api", 3)
			// So long that calls made side by side overlap on a busy machine too.
			s.distant(time.Second)
			st := s.step()
			put(s, f, st)
			o := st.run()
			require.Equal(t, "rolled-back", o.status(), o.outputs["message"])
			move := s.Calls(on("UpdateAlias", "live"))
			require.Len(t, move, 1)
			most := 3
			if name == "a version told" {
				most = 2
			}
			assert.LessOrEqual(t, rounds(s.asked(emulator.ServiceLambda), move[0]), most)
		})
	}
}

// slowGitHub lets every call to GitHub's API take so long.
func (s *scene) slowGitHub(trip time.Duration) {
	s.Fault(emulator.Match{Service: emulator.ServiceGitHub}, emulator.Latency(trip))
}

func TestGitHubIsAskedInAsFewRoundsAsPossible(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		newer       bool
		most, lists int
	}{
		"the run alone":       {false, 1, 1},
		"a newer run at work": {true, 2, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			s.function("api", 3)
			if c.newer {
				s.GitHub.AddRun(repository, emulator.WorkflowRun{
					ID: 7002, Number: 42, Branch: "main", CreatedAt: s.ago(2 * time.Minute),
					Jobs: []emulator.WorkflowJob{{Name: "test", StartedAt: s.ago(time.Minute)}},
				})
			}
			// So long that calls made side by side overlap.
			s.slowGitHub(time.Second)
			s.distant(time.Second)
			o := s.step().run()
			require.Equal(t, "rolled-back", o.status(), o.outputs["message"])
			move := s.Calls(on("UpdateAlias", "live"))
			require.Len(t, move, 1)
			asked, inARow := s.asked(emulator.ServiceGitHub), 0
			for _, call := range asked {
				if call.Start.Before(move[0].Start) {
					inARow = max(inARow, rounds(asked, call))
				}
			}
			assert.Equal(t, c.most, inARow)
			assert.Len(t, s.Calls(emulator.Match{Service: emulator.ServiceGitHub, Operation: "ListWorkflowRuns"}), c.lists)
			assert.True(t, asked[0].Start.Before(s.asked(emulator.ServiceLambda)[0].End), "asked before anything of AWS was answered")
		})
	}
}

// Where the payload and deployed-version tell enough, the alias has moved before
// GitHub has answered anything.
func TestTheMoveDoesNotWaitForGitHub(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	f := s.function("api", 3)
	s.Fault(emulator.Match{Service: emulator.ServiceGitHub}, emulator.Hang())
	o := s.step().input("deployed-version", "3").run()
	assert.Equal(t, "rolled-back", o.status(), o.outputs["message"])
	assert.Equal(t, "2", f.Serving("live"))
	move := s.Calls(on("UpdateAlias", "live"))
	require.Len(t, move, 1)
	for _, call := range s.asked(emulator.ServiceGitHub) {
		assert.True(t, call.End.IsZero() || call.End.After(move[0].End), call.Operation)
	}
}

// How the runs ended that rejected versions is asked one after the other. All of it
// may take five seconds, and one warning says that the rest was not asked.
func TestAMoveWaitsFiveSecondsForOtherRuns(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	f := s.function("api", 8)
	require.NoError(t, f.SetAlias("live-rollback", 1, nil))
	require.NoError(t, f.DescribeAlias("live-rollback", "rejected=7@607,6@606,5@605,4@604,3@603,2@602 run=607/1 at=2026-11-20T08:32:47Z by=rollback"))
	s.Fault(emulator.Match{Service: emulator.ServiceGitHub, Where: func(c emulator.Call) bool {
		return strings.HasPrefix(c.Qualifier, "60")
	}}, emulator.Hang())
	p := s.step().input("timeout", "40s").start()
	o := p.wait()
	require.Equal(t, "rolled-back", o.status(), o.outputs["message"])
	assert.Equal(t, "1", f.Serving("live"), "the careful answer: the versions stay rejected")
	require.Len(t, o.warnings(), 1)
	assert.Contains(t, o.warnings()[0], "GitHub's API did not respond to these requests within 5s in total")
	took := s.Calls(on("UpdateAlias", "live"))[0].Start.Sub(p.started)
	assert.Less(t, took-o.stalled, 9*time.Second)
	assert.Greater(t, took, 5*time.Second)
}

// Above what goes out at once, a function takes four calls until its alias has
// moved, and everything else comes after the last move.
func TestAFleetMovesByFourCallsAFunction(t *testing.T) {
	t.Parallel()
	const functions = 12
	for name, denied := range map[string]bool{"ListAliases allowed": false, "ListAliases denied": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			names := s.many(functions)
			s.distant(30 * time.Millisecond)
			if denied {
				s.Fault(emulator.Match{Service: emulator.ServiceLambda, Operation: "ListAliases"}, emulator.Deny())
			}
			o := s.step().input("function-name", strings.Join(names, "\n")).run()
			require.Equal(t, "rolled-back", o.status(), o.outputs["message"])
			moves := s.Calls(on("UpdateAlias", "live"))
			require.Len(t, moves, functions)
			last := moves[len(moves)-1]
			before := map[string]int{}
			for _, call := range s.asked(emulator.ServiceLambda) {
				if call.Number <= last.Number {
					before[call.Operation]++
				}
			}
			assert.Zero(t, before["CreateAlias"])
			assert.Equal(t, functions, before["UpdateAlias"])
			assert.Equal(t, 2*functions, before["GetFunctionConfiguration"])
			if denied {
				assert.Equal(t, 2*functions, before["GetAlias"])
				assert.LessOrEqual(t, before["ListAliases"], 8, "only those that were under way")
				return
			}
			assert.Equal(t, functions, before["ListAliases"])
			assert.Zero(t, before["GetAlias"])
			assert.Contains(t, o.stdout, "12 of 12 functions were moved, 0 remain")
		})
	}
}

// shape counts the calls to Lambda by operation.
func (s *scene) shape() map[string]int {
	count := map[string]int{}
	for _, c := range s.asked(emulator.ServiceLambda) {
		count[c.Operation]++
	}
	return count
}

func TestThreeThousandVersionsCostWhatThreeCost(t *testing.T) {
	t.Parallel()
	var counts []map[string]int
	for _, versions := range []int{3, 3_000} {
		s := newScene(t)
		f := s.function("api", versions)
		o := s.step().run()
		require.Equal(t, "rolled-back", o.status())
		require.NotEqual(t, f.Versions()[versions-1], f.Serving("live"))
		counts = append(counts, s.shape())
	}
	assert.Equal(t, counts[0], counts[1])
	assert.Zero(t, counts[0]["ListVersionsByFunction"])
}

// gap makes a function whose versions up to below exist, then none for so many
// numbers, then the failed run's.
func (s *scene) gap(below, missing int) *emulator.Function {
	s.tb.Helper()
	f := s.function("api", below+missing+1)
	for v := below + 1; v <= below+missing; v++ {
		require.NoError(s.tb, f.Delete(int64(v)))
	}
	return f
}

func TestAGapOfDeletedVersions(t *testing.T) {
	t.Parallel()
	const missing = 1_197
	for name, below := range map[string]int{"few below": 2, "a page and a half below": 75} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			s.gap(below, missing)
			o := s.step().run()
			require.Equal(t, "rolled-back", o.status())
			assert.LessOrEqual(t, len(s.asked(emulator.ServiceLambda)), 40)
		})
	}
}

// Oldest first is how AWS lists: the version below the gap is on the last page.
func TestAGapAboveThousandsOfVersions(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	f := s.gap(3_000, 1_197)
	s.LimitControlPlane(15, 15)
	o := s.step().run()
	require.Equal(t, "rolled-back", o.status())
	assert.Equal(t, "3000", f.Serving("live"))
	// Each page of 50 is a call that waits for the one before; there is no way
	// to list from the end. The numbers that are tried beside it have a bound.
	assert.LessOrEqual(t, len(s.asked(emulator.ServiceLambda)), 100, s.shape())
}

// TestWhatNeedsNoChangeChangesNothing: each UpdateAlias gives a new revision,
// which breaks somebody else's.
func TestWhatNeedsNoChangeChangesNothing(t *testing.T) {
	t.Parallel()
	remember := func(s *scene, f *emulator.Function, version int64, description string) {
		require.NoError(s.tb, f.SetAlias("live-rollback", version, nil))
		require.NoError(s.tb, f.DescribeAlias("live-rollback", description))
	}
	for name, c := range map[string]struct {
		put  func(*scene, *emulator.Function, *step)
		want string
	}{
		"a dry run":                 {func(_ *scene, _ *emulator.Function, st *step) { st.input("dry-run", "true") }, "planned/previous-version"},
		"chosen, and there already": {func(_ *scene, _ *emulator.Function, st *step) { st.input("target-version", "3") }, "skipped/already-on-target"},
		"this run has rolled back": {func(s *scene, f *emulator.Function, _ *step) {
			require.NoError(s.tb, f.SetAlias("live", 2, nil))
			remember(s, f, 2, "rejected=3@7001 run=7001/1 at=2026-01-02T03:04:05Z by=rollback")
		}, "skipped/already-rolled-back"},
		"a snapshot, and nothing deployed since": {func(s *scene, f *emulator.Function, _ *step) {
			remember(s, f, 3, "rejected= run=7001/1 at=2026-01-02T03:04:05Z by=snapshot")
		}, "skipped/not-deployed"},
		"the deploy failed before it published": {func(s *scene, f *emulator.Function, _ *step) {
			require.NoError(s.tb, f.Change(3, func(v *emulator.Version) { v.LastModified = s.ago(time.Hour) }))
		}, "skipped/not-deployed"},
		"a newer deploy serves": {func(s *scene, f *emulator.Function, _ *step) {
			s.finished()
			require.NoError(s.tb, f.Change(3, func(v *emulator.Version) { v.LastModified = s.ago(time.Minute) }))
		}, "skipped/superseded"},
		"alias on $LATEST": {func(s *scene, f *emulator.Function, _ *step) { require.NoError(s.tb, f.SetAliasToLatest("live")) }, "failed/alias-on-latest"},
		"no such alias":    {func(_ *scene, _ *emulator.Function, st *step) { st.input("alias", "blue") }, "failed/alias-not-found"},
		"no such function": {func(_ *scene, _ *emulator.Function, st *step) { st.input("function-name", "other") }, "failed/function-not-found"},
		"no such version":  {func(_ *scene, _ *emulator.Function, st *step) { st.input("target-version", "7") }, "failed/version-not-found"},
		"nothing to remember, and no version before": {func(s *scene, f *emulator.Function, st *step) {
			st.input("remember", "false")
			require.NoError(s.tb, f.Delete(1))
			require.NoError(s.tb, f.Delete(2))
		}, "skipped/no-previous-version"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			f := s.function("api", 3)
			st := s.step()
			c.put(s, f, st)
			before, _ := f.Alias("live")
			o := st.run()
			assert.Equal(t, c.want, o.ended(), o.outputs["message"])
			assert.Empty(t, s.mutations())
			after, _ := f.Alias("live")
			assert.Equal(t, before, after)
		})
	}
}

func TestTheStepRunAgainChangesNothing(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	f := s.function("api", 3)
	require.Equal(t, "rolled-back", s.step().run().status())
	done := s.mutations()
	for _, attempt := range []string{"1", "2"} {
		o := s.step().set("GITHUB_RUN_ATTEMPT", attempt).run()
		assert.Equal(t, "skipped/already-rolled-back", o.ended())
		assert.Equal(t, done, s.mutations())
		assert.Equal(t, "2", f.Serving("live"))
	}
}
