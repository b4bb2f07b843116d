package alias_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/rollback/alias"
	"github.com/org/lambda-rollback-action/rollback/report"
)

// More lines that mutation tests found missing in the tables.

func TestDecideTellsThatADeployedVersionIsOlder(t *testing.T) {
	t.Parallel()
	const note = "is older than this run"
	named := func(made time.Time, change func(*report.Run)) func(*picture) {
		return func(p *picture) {
			p.request.Deployed, p.versions[42] = 42, active(made)
			change(&p.run)
		}
	}
	kept := func(*report.Run) {}
	moved := func(notNoted string) expected {
		e := back(report.PreviousVersion, 41, 42)
		e.notNoted = notNoted
		return e
	}
	hold(t, map[string]situation{
		"made in the run":                {given: named(clockAt(1, 30), kept), want: moved(note)},
		"made when is not known":         {given: named(time.Time{}, kept), want: moved(note)},
		"the run's time is not known":    {given: named(clockAt(-30, 0), func(r *report.Run) { r.CreatedAt = time.Time{} }), want: moved(note)},
		"the run's time is only a bound": {given: named(clockAt(-30, 0), func(r *report.Run) { r.CreatedBound = true }), want: moved(note)},
		"made before the run": {given: named(clockAt(-30, 0), kept), want: expected{
			action: alias.Move, reason: report.PreviousVersion, target: 41, reject: []int64{42}, note: note,
		}},
	})
}

func TestDecideWithoutJobs(t *testing.T) {
	t.Parallel()
	hold(t, map[string]situation{
		"no jobs are known: older runs are not asked for": {given: func(p *picture) { p.run.Jobs = nil }, want: expected{
			action: alias.Move, reason: report.PreviousVersion, target: 41, reject: []int64{42}, proof: "not proven", notAsked: "OlderRuns:true",
		}},
		"the deploy's times are not known": {given: func(p *picture) {
			p.run.Jobs[1] = report.Job{Name: "deploy", Status: "completed", Conclusion: "success"}
			p.versions[42] = active(clockAt(1, 5)) // when no other job was running
			p.run.OlderKnown = true
		}, want: expected{
			action: alias.Move, reason: report.PreviousVersion, target: 41, reject: []int64{42}, proof: "before its last job ended (2026-11-22 03:03:00Z)", notProof: "clocks",
		}},
		"the clocks agree, and are not spoken of": {given: func(*picture) {}, want: expected{
			action: alias.Move, reason: report.PreviousVersion, target: 41, reject: []int64{42}, proof: `while its job "deploy"`, notProof: "clocks",
		}},
	})
}

// A version that was rejected serves again, and is older than the run. Whether this
// run put it there needs the time of the rollback, and the newer runs.
func TestDecideARejectedVersionThatServesAgain(t *testing.T) {
	t.Parallel()
	again := func(memory string, change func(*picture)) func(*picture) {
		return func(p *picture) {
			p.versions[42] = active(clockAt(-60, 0))
			p.memory = remembered(memory, 41)
			p.run.OlderKnown, p.concluded = true, map[int64]string{7001: "failure"}
			old := report.Run{ID: 7001, CreatedAt: clockAt(-62, 0), Jobs: []report.Job{jobAt("deploy", clockAt(-61, 0), clockAt(-59, 0), "failure")}}
			p.atWork = map[int64][]report.Run{42: {old}}
			p.since = []report.Run{}
			change(p)
		}
	}
	left := expected{action: alias.Skip, reason: report.NotDeployed, look: true, proof: "the action could not determine who moved the alias to it again"}
	const at = " at=2026-11-22T02:10:00Z"
	hold(t, map[string]situation{
		"this run put it there":                {given: again("rejected=42@7001 run=7001/1"+at+" by=rollback", func(*picture) {}), want: back(report.PreviousVersion, 41, 42)},
		"when the alias was left is not known": {given: again("rejected=42@7001 run=7001/1 by=rollback", func(*picture) {}), want: left},
		"newer runs are not known":             {given: again("rejected=42@7001 run=7001/1"+at+" by=rollback", func(p *picture) { p.run.NewerKnown = false }), want: left},
	})
}

func TestDecideTellsWhyASnapshotIsSuperseded(t *testing.T) {
	t.Parallel()
	hold(t, map[string]situation{
		"by a version that was made after all jobs": {given: func(p *picture) {
			p.memory = remembered("rejected= run=7002/1 by=snapshot", 41)
			p.alias.Version = 43
			p.versions[43] = active(clockAt(3, 1))
		}, want: expected{action: alias.Skip, reason: report.Superseded, reject: []int64{42}, proof: "after the last other job of this run"}},
	})
}

// A second attempt finds what the first one left. What this run published above is
// rejected, and nothing else.
func TestDecideARerunAfterTheRollback(t *testing.T) {
	t.Parallel()
	again := func(change func(*picture)) func(*picture) {
		return func(p *picture) {
			p.memory = remembered("rejected=42@7002 run=7002/1 by=rollback", 41)
			p.alias.Version, p.run.Attempt, p.run.OlderKnown = 41, 2, true
			change(p)
		}
	}
	hold(t, map[string]situation{
		"it published one more":       {given: again(func(p *picture) { p.versions[43] = active(clockAt(1, 45)) }), want: stay(report.AlreadyRolledBack, 43)},
		"somebody else published one": {given: again(func(p *picture) { p.versions[43] = active(clockAt(3, 30)) }), want: stay(report.AlreadyRolledBack)},
		"the one that it published is gone": {given: again(func(p *picture) {
			p.versions[43] = alias.Version{Read: true, LastModified: clockAt(1, 45)}
		}), want: stay(report.AlreadyRolledBack)},
		"a person chose one that this run published": {given: again(func(p *picture) { p.versions[41] = active(clockAt(1, 20)) }), want: stay(report.AlreadyRolledBack)},
	})
}

// After a snapshot, what somebody else put behind the alias is not rejected, unless
// it is newer than what the snapshot recorded.
func TestDecideWhatASnapshotRejects(t *testing.T) {
	t.Parallel()
	serves := func(recorded, version, deployed int64) func(*picture) {
		return func(p *picture) {
			p.memory = remembered("rejected= run=7002/1 by=snapshot", recorded)
			p.alias.Version, p.request.Deployed, p.run.OlderKnown = version, deployed, true
		}
	}
	hold(t, map[string]situation{
		"somebody put an older version there":            {given: serves(41, 39, 42), want: back(report.Snapshot, 41)},
		"this run put an older version there":            {given: serves(41, 39, 39), want: back(report.Snapshot, 41, 39)},
		"a newer one, and not the one that was named":    {given: serves(39, 41, 42), want: back(report.Snapshot, 39, 41)},
		"the one that was named":                         {given: serves(41, 42, 42), want: back(report.Snapshot, 41, 42)},
		"an older one, and nothing says who deployed it": {given: serves(41, 39, 0), want: back(report.Snapshot, 41, 39)},
	})
}

// What is not known of a serving version is asked for before its time decides.
func TestDecideAsksForTheServingVersion(t *testing.T) {
	t.Parallel()
	for name, known := range map[string]func(map[int64]alias.Version){
		"never looked at":  func(all map[int64]alias.Version) { delete(all, 42) },
		"only in the list": func(all map[int64]alias.Version) { all[42] = alias.Version{Exists: true, LastModified: clockAt(1, 30)} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := plainPicture()
			o := p.observation(true)
			known(o.Versions)
			d := alias.Decide(o)
			assert.Equal(t, alias.NeedMore, d.Action)
			assert.Contains(t, d.Query.Versions, int64(42))
		})
	}
}

// A run that succeeded since clears its version, unless a later snapshot of another
// run found an older one live.
func TestDecideWhatASuccessClears(t *testing.T) {
	t.Parallel()
	recorded := func(memory string, version int64) func(*picture) {
		return func(p *picture) {
			p.memory, p.run.OlderKnown = remembered(memory, version), true
			p.concluded = map[int64]string{7001: "success"}
		}
	}
	hold(t, map[string]situation{
		"a snapshot found it live":              {given: recorded("rejected=41@7001 run=7000/1 at=2026-11-22T02:00:00Z by=snapshot", 41), want: back(report.PreviousVersion, 41, 42)},
		"a snapshot found an older one live":    {given: recorded("rejected=41@7001 run=7000/1 at=2026-11-22T02:00:00Z by=snapshot", 40), want: back(report.PreviousVersion, 40, 42)},
		"that snapshot was before the success":  {given: recorded("rejected=41@7001 run=7000/1 at=2026-11-19T02:00:00Z by=snapshot", 40), want: back(report.PreviousVersion, 41, 42)},
		"that snapshot was the run's own":       {given: recorded("rejected=41@7001 run=7001/2 at=2026-11-22T02:00:00Z by=snapshot", 40), want: back(report.PreviousVersion, 41, 42)},
		"a rollback left the alias on an older": {given: recorded("rejected=41@7001 run=7000/1 at=2026-11-22T02:00:00Z by=rollback", 40), want: back(report.PreviousVersion, 41, 42)},
	})
}

func TestDecideTellsWhatAPersonSaw(t *testing.T) {
	t.Parallel()
	saw := func(version, beside int64, why string) situation {
		e := stay(report.Superseded)
		e.why = why
		return situation{given: func(p *picture) {
			p.request.Target, p.request.Manual = 39, true
			p.request.SeenVersion, p.request.SeenWeighted = version, beside
		}, want: e}
	}
	hold(t, map[string]situation{
		"one version":  saw(41, 0, "it served version 41 when version 39 was chosen"),
		"two versions": saw(42, 41, "it served versions 42 and 41 when version 39 was chosen"),
	})
}

// Where nothing tells which job published, a job that failed beside the deploy keeps
// the version rejected, although the run ended well.
func TestDecideAFailureBesideAnUnknownPublisher(t *testing.T) {
	t.Parallel()
	then := func(minute int) time.Time { return clockAt(minute, 0).AddDate(0, 0, -2) }
	hold(t, map[string]situation{
		"a job failed beside the deploy": {given: func(p *picture) {
			p.memory, p.run.OlderKnown = remembered("rejected=41@7001 run=7001/1 by=rollback", 40), true
			p.concluded = map[int64]string{7001: "success"}
			p.rerun = []report.Job{jobAt("deploy", then(5), then(7), "success"), jobAt("lint", then(6), then(8), "failure")}
		}, want: back(report.PreviousVersion, 40, 42)},
		"it failed before the deploy": {given: func(p *picture) {
			p.memory, p.run.OlderKnown = remembered("rejected=41@7001 run=7001/1 by=rollback", 40), true
			p.concluded = map[int64]string{7001: "success"}
			p.rerun = []report.Job{jobAt("lint", then(3), then(4), "failure"), jobAt("deploy", then(5), then(7), "success")}
		}, want: back(report.PreviousVersion, 41, 42)},
	})
}

// The memory is written without waiting for GitHub, unless only GitHub knows the
// attempt that it names.
func TestTheMemoryWaitsForGitHubOnlyForTheAttempt(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		attempt int
		waits   bool
	}{"the attempt is known": {1, false}, "it is not": {0, true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			play(t, func(t *testing.T, s *scene) {
				const slow = 20 * time.Second
				began, written := time.Now(), time.Duration(0)
				s.function.Request.Deployed = 42
				s.function.Run = report.Run{ID: thisRun, Attempt: c.attempt, NotBefore: clockAt(0, 0)}
				s.function.Evidence = func(context.Context) report.Run { time.Sleep(slow); return failedRun() }
				s.lambda.before = func(call string, _ int) {
					if strings.HasPrefix(call, "CreateAlias") {
						written = time.Since(began)
					}
				}
				require.Equal(t, report.RolledBack, s.run(t).Status)
				assert.Contains(t, s.lambda.description(memoryAlias), "run=7002/1")
				assert.Equal(t, c.waits, written >= slow, written)
			})
		})
	}
}

func TestTheTimelineTellsHowLongTheTrafficTook(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		shifting time.Duration
		says     string
	}{
		"at once":    {0, "100% of traffic is on version 41"},
		"in minutes": {2 * time.Minute, "100% of traffic is on version 41; it took 2 min"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			play(t, func(t *testing.T, s *scene) {
				s.lambda.shifting = c.shifting
				r := s.run(t)
				at := slices.IndexFunc(r.Timeline, func(m report.Moment) bool { return m.Event == report.TrafficMoved })
				require.GreaterOrEqual(t, at, 0)
				assert.True(t, strings.HasPrefix(r.Timeline[at].Detail, c.says), r.Timeline[at].Detail)
				assert.Equal(t, c.shifting > 0, strings.Contains(r.Timeline[at].Detail, "at first 40% still went to version 42"), r.Timeline[at].Detail)
			})
		})
	}
}

// A version that was made in a job that nobody named, before the named ones began, is
// left with attention: the workflow may name only the job that checks the deploy.
func TestDecideAVersionOfAnUpstreamJob(t *testing.T) {
	t.Parallel()
	checked := func(change func(*picture)) func(*picture) {
		return func(p *picture) {
			p.run.DeployJobs, p.run.OlderKnown = []string{"smoke test"}, true
			change(p)
		}
	}
	unnamed := expected{action: alias.Skip, reason: report.NotDeployed, look: true, proof: `its job "deploy" was running, but it is not one of the counted jobs`}
	left := expected{action: alias.Skip, reason: report.NotDeployed, notProof: "not one of the counted jobs"}
	hold(t, map[string]situation{
		"it ended before": {given: checked(func(*picture) {}), want: unnamed},
		"a second named job has not begun": {given: checked(func(p *picture) {
			p.run.DeployJobs = append(p.run.DeployJobs, "verify")
			p.run.Jobs = append(p.run.Jobs, report.Job{Name: "verify", Status: "queued"})
		}), want: unnamed},
		"a second named job waits for an approval": {given: checked(func(p *picture) {
			p.run.DeployJobs = append(p.run.DeployJobs, "verify")
			p.run.Jobs = append(p.run.Jobs, report.Job{Name: "verify", Status: "waiting"})
		}), want: unnamed},
		"it is still running": {given: checked(func(p *picture) {
			p.run.Jobs[1].CompletedAt, p.run.Jobs[1].Status, p.run.Jobs[1].Conclusion = time.Time{}, "in_progress", ""
		}), want: left},
		"it ended after the named one began": {given: checked(func(p *picture) { p.run.Jobs[1].CompletedAt = clockAt(2, 30) }), want: left},
		"it is this action's own job, of an earlier attempt": {given: checked(func(p *picture) {
			p.run.Attempt, p.run.Jobs[1].Name = 2, "build"
			p.run.Earlier = []report.Job{jobAt("rollback", clockAt(0, 20), clockAt(0, 50), "success")}
			p.versions[42] = active(clockAt(0, 5).Add(30 * time.Second))
			p.run.Jobs[0].StartedAt = clockAt(0, 55)
		}), want: left},
	})
}

// GitHub gives a job that waits for a runner the time at which it was created.
func TestDecideBesideAJobThatWaits(t *testing.T) {
	t.Parallel()
	hold(t, map[string]situation{
		"made after all others had ended": {given: func(p *picture) {
			p.run.Jobs = append(p.run.Jobs, report.Job{Name: "notify", Status: "queued", StartedAt: clockAt(0, 10)})
			p.versions[42] = active(clockAt(3, 1))
			p.run.OlderKnown = true
		}, want: stay(report.Superseded)},
	})
}

// The version that was named and does not serve is rejected, unless it is known to be
// older than the run.
func TestDecideRejectsTheNamedVersion(t *testing.T) {
	t.Parallel()
	named := func(made time.Time) func(*picture) {
		return func(p *picture) {
			p.request.Deployed, p.alias.Version = 42, 41
			p.versions[42] = active(made)
		}
	}
	hold(t, map[string]situation{
		"when it was made is not known": {given: named(time.Time{}), want: stay(report.NotDeployed, 42)},
		"it was made in the run":        {given: named(clockAt(1, 30)), want: stay(report.NotDeployed, 42)},
		"it was made after the run":     {given: named(clockAt(9, 0)), want: stay(report.NotDeployed, 42)},
		"it was made before the run":    {given: named(clockAt(-9, 0)), want: stay(report.NotDeployed)},
		"when the run began is not known": {given: func(p *picture) {
			named(clockAt(-9, 0))(p)
			p.run = report.Run{ID: thisRun}
		}, want: stay(report.NotDeployed, 42)},
	})
}

// What the log says of tries, and that it says nothing of one that is not made.
func TestTheLogTellsOfTries(t *testing.T) {
	t.Parallel()
	for name, cancelled := range map[string]bool{"there is time": false, "the run was cancelled": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			play(t, func(t *testing.T, s *scene) {
				s.lambda.faults = func(call string, n int) *fault {
					if call != "UpdateAlias live" || n > 1 {
						return nil
					}
					if cancelled {
						s.cancel(alias.ErrCancelled)
					}
					return &fault{err: answer(503, "ServiceException", "")}
				}
				s.run(t)
				log := strings.Join(s.log.lines, "\n")
				if cancelled {
					assert.NotContains(t, log, "trying again")
					return
				}
				assert.Regexp(t, `UpdateAlias: .*; trying again in (\d+0ms|\d+(\.\d\d?)?s) \(try 2\)`, log)
			})
		})
	}
}

// After a conflict the alias is read once, and once more only where nothing has
// changed, as the reading may be stale.
func TestReadingsAfterAConflict(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		after func(s *scene) // when UpdateAlias has been refused
		reads int
	}{
		"somebody changed it": {func(s *scene) { s.move("40", 40) }, 1},
		"nothing shows yet":   {func(*scene) {}, 2},
		"it may not be read again": {func(s *scene) {
			s.lambda.faults = always("GetAlias live", fault{err: answer(403, "AccessDeniedException", "")})
		}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			play(t, func(t *testing.T, s *scene) {
				s.lambda.faults = func(call string, n int) *fault {
					if call == "UpdateAlias live" && n == 1 {
						return &fault{err: answer(412, "PreconditionFailedException", "")}
					}
					return nil
				}
				s.lambda.after = func(call string, n int) {
					if call == "UpdateAlias live" && n == 1 {
						c.after(s)
					}
				}
				s.run(t)
				// Each round of the decision reads the alias and the memory at once,
				// in either order. The other readings are those after the conflict.
				reads := 0
				for _, call := range s.lambda.calls[slices.Index(s.lambda.calls, "UpdateAlias live")+1:] {
					switch call {
					case "GetAlias live":
						reads++
					case "GetAlias live-rollback":
						reads--
					}
					if strings.HasPrefix(call, "UpdateAlias") || strings.HasPrefix(call, "CreateAlias") {
						break
					}
				}
				assert.Equal(t, c.reads, reads, s.lambda.calls)
			})
		})
	}
}

func TestTheLogTellsTheWeights(t *testing.T) {
	t.Parallel()
	play(t, func(t *testing.T, s *scene) {
		s.lambda.set("live", 41, map[string]float64{"42": 0.1}, "serves production")
		require.Equal(t, report.CanaryStopped, s.run(t).Reason)
		assert.Contains(t, strings.Join(s.log.lines, "\n"), "serves version 41, and version 42 with 10% of the traffic")
	})
}

// A move that is under way when the time limit ends has two seconds more, and one
// whose answer is lost at the very end is still looked at.
func TestTheEndOfTheTime(t *testing.T) {
	t.Parallel()
	t.Run("the move is answered after the time limit", func(t *testing.T) {
		t.Parallel()
		play(t, func(t *testing.T, s *scene) {
			s.lambda.latency = time.Second
			deadline, _ := s.ctx.Deadline()
			s.lambda.before = func(call string, n int) {
				if call == "UpdateAlias live" && n == 1 {
					time.Sleep(time.Until(deadline) - 300*time.Millisecond)
				}
			}
			r := s.run(t)
			assert.Equal(t, report.RolledBack, r.Status, r.Message)
		})
	})
	t.Run("the answer is lost, and no time is left", func(t *testing.T) {
		t.Parallel()
		play(t, func(t *testing.T, s *scene) {
			s.lambda.latency = 100 * time.Millisecond
			s.lambda.faults = func(call string, n int) *fault {
				if call == "UpdateAlias live" && n == 1 {
					return &fault{err: answer(503, "ServiceException", ""), processed: true}
				}
				return nil
			}
			s.lambda.after = func(call string, n int) {
				if call == "UpdateAlias live" && n == 1 {
					s.cancel(alias.ErrCancelled)
					s.giveUp()
				}
			}
			r := s.run(t)
			assert.Equal(t, report.RolledBack, r.Status, r.Message)
			assert.Contains(t, strings.Join(s.log.lines, "\n"), "the alias was read back: it is on version 41")
		})
	})
}

// What UpdateAlias did not find is told by a reading: the version, or the alias.
func TestWhatTheMoveDidNotFind(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		then   func(s *scene)
		reason report.Reason
	}{
		"the version is gone": {func(*scene) {}, report.VersionNotFound},
		"the alias is gone": {func(s *scene) {
			s.lambda.faults = always("GetAlias live", fault{err: answer(404, "ResourceNotFoundException", "Cannot find alias arn")})
		}, report.AliasNotFound},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			play(t, func(t *testing.T, s *scene) {
				s.lambda.faults = always("UpdateAlias live", fault{err: answer(404, "ResourceNotFoundException", "not found")})
				s.lambda.after = func(call string, n int) {
					if call == "UpdateAlias live" && n == 1 {
						c.then(s)
					}
				}
				r := s.run(t)
				assert.Equal(t, report.Failed, r.Status)
				assert.Equal(t, c.reason, r.Reason, r.Message)
			})
		})
	}
}

// Where there is nothing further back, the alias is not touched again.
func TestNothingFurtherBack(t *testing.T) {
	t.Parallel()
	play(t, func(t *testing.T, s *scene) {
		delete(s.lambda.versions, 40)
		r := s.proven(t, &prover{own: bad(41)}, alias.ProveOptions{StepBack: true, MaxSteps: 3})
		assert.Equal(t, report.Unhealthy, r.Reason, r.Message)
		assert.Equal(t, 1, s.lambda.count("UpdateAlias live"))
		assert.Equal(t, "41", s.lambda.serving("live"))
	})
}

// A job that is run again checks what an earlier attempt has left: nobody has changed
// it.
func TestARunAgainIsNoChangeByOthers(t *testing.T) {
	t.Parallel()
	play(t, func(t *testing.T, s *scene) {
		s.lambda.set("live", 41, nil, "serves production")
		s.lambda.set(memoryAlias, 41, nil, "rejected=42@7002 run=7002/1 at=2026-11-22T03:04:00Z by=rollback")
		s.function.Run.Attempt = 2
		run := failedRun()
		run.Attempt = 2
		s.function.Evidence = func(context.Context) report.Run { return run }
		r := s.proven(t, &prover{}, alias.ProveOptions{StepBack: true, MaxSteps: 3})
		assert.Equal(t, report.AlreadyRolledBack, r.Reason, r.Message)
		assert.Equal(t, report.Healthy, r.Healthy)
		assert.NotContains(t, r.Message+warnings(r), "somebody else")
	})
}

// Weights that show after the checks are AWS's own where they are of a version that
// was left; else somebody else's.
func TestWeightsAfterTheChecks(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		given  func(s *scene, p *prover)
		says   string
		unsaid string
	}{
		"of the version that was left": {func(s *scene, _ *prover) { s.lambda.shifting = time.Hour }, "version 42 still gets 40% of its traffic", "somebody else"},
		"of the version that was left, on another one": {func(s *scene, p *prover) {
			p.during = func() {
				s.lambda.set("live", 40, map[string]float64{"42": 0.1}, "serves production")
				s.others = s.lambda.serving("live")
			}
		}, "somebody else has changed the alias since, and it serves version 40, and version 42 with 10% of the traffic", "still gets"},
		"of another version": {func(s *scene, p *prover) {
			p.during = func() {
				s.lambda.set("live", 41, map[string]float64{"39": 0.1}, "serves production")
				s.others = s.lambda.serving("live")
			}
		}, "somebody else has changed the alias since, and it serves version 41, and version 39 with 10% of the traffic", "still gets"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			play(t, func(t *testing.T, s *scene) {
				p := &prover{}
				c.given(s, p)
				r := s.proven(t, p, alias.ProveOptions{StepBack: true, MaxSteps: 3})
				said := r.Message + "\n" + warnings(r)
				assert.Contains(t, said, c.says)
				assert.NotContains(t, said, c.unsaid)
			})
		})
	}
}

func TestTheLookAfterTheChecksHasTenSeconds(t *testing.T) {
	t.Parallel()
	for latency, read := range map[time.Duration]bool{5 * time.Second: true, 20 * time.Second: false} {
		t.Run(latency.String(), func(t *testing.T) {
			t.Parallel()
			play(t, func(t *testing.T, s *scene) {
				r := s.proven(t, &prover{during: func() { s.lambda.latency = latency }}, alias.ProveOptions{})
				assert.Equal(t, !read, strings.Contains(warnings(r), "could not determine whether the alias was still on version"), warnings(r))
			})
		})
	}
}

func TestHowOftenTheMemoryIsWritten(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		given  func(s *scene)
		writes int
	}{
		"nothing in it would change": {func(s *scene) {
			s.lambda.set("live", 41, nil, "serves production")
			s.lambda.set(memoryAlias, 41, nil, "rejected=42@7002")
			s.function.Request.Deployed = 42
		}, 0},
		"it has weights": {func(s *scene) {
			s.lambda.set("live", 41, nil, "serves production")
			s.lambda.set(memoryAlias, 41, map[string]float64{"40": 0.1}, "rejected=42@7002")
			s.function.Request.Deployed = 42
		}, 1},
		"it points elsewhere": {func(s *scene) {
			s.lambda.set("live", 41, nil, "serves production")
			s.lambda.set(memoryAlias, 40, nil, "rejected=41@7001")
			s.function.Request.Deployed = 42
		}, 1},
		"somebody else keeps writing it": {func(s *scene) {
			s.lambda.set(memoryAlias, 40, nil, "rejected=39@6999")
			s.lambda.faults = always("UpdateAlias "+memoryAlias, fault{err: answer(412, "PreconditionFailedException", "")})
		}, 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			play(t, func(t *testing.T, s *scene) {
				c.given(s)
				s.run(t)
				assert.Equal(t, c.writes, s.lambda.count("UpdateAlias "+memoryAlias), s.lambda.calls)
			})
		})
	}
}

// A memory whose Description is damaged is begun anew, also where nothing was moved.
func TestADamagedMemoryIsBegunAnew(t *testing.T) {
	t.Parallel()
	play(t, func(t *testing.T, s *scene) {
		s.lambda.set("live", 41, nil, "serves production")
		s.lambda.set(memoryAlias, 40, nil, "rejected=do not touch")
		s.function.Request.Deployed = 42
		require.Equal(t, report.NotDeployed, s.run(t).Reason)
		assert.Equal(t, "41", s.lambda.serving(memoryAlias))
		assert.Equal(t, "rejected=42@7002 at=2000-01-01T00:00:00Z", s.lambda.description(memoryAlias))
	})
}

func TestDecideAsksForNothingBelowVersionOne(t *testing.T) {
	t.Parallel()
	e := stay(report.NoPreviousVersion, 2)
	e.notAsked = "Below:1 "
	hold(t, map[string]situation{
		"the only one below is gone": {given: func(p *picture) {
			p.alias.Version = 2
			p.versions = map[int64]alias.Version{2: p.versions[42], 1: {Read: true}}
			p.run.OlderKnown = true
		}, want: e},
	})
}

// Why there is no target tells the versions that exist and cannot be taken from those
// that do not exist.
func TestDecideTellsWhyThereIsNoTarget(t *testing.T) {
	t.Parallel()
	only := func(change func(*picture)) func(*picture) {
		return func(p *picture) {
			p.versions = map[int64]alias.Version{42: p.versions[42], 41: p.versions[41]}
			p.run.OlderKnown = true
			change(p)
		}
	}
	says := func(why string, reject ...int64) expected {
		e := stay(report.NoPreviousVersion, reject...)
		e.why = why
		return e
	}
	const exist, none = "no version below version 42 is a valid target", "there is no version below version 42 to go back to"
	hold(t, map[string]situation{
		"rejected for good":     {given: only(func(p *picture) { p.memory = remembered("rejected=1-41", 40) }), want: says(exist, 42)},
		"cannot serve":          {given: only(func(p *picture) { p.state(41, "Failed", "") }), want: says(exist, 42)},
		"rejected by a run":     {given: only(func(p *picture) { p.memory = remembered("rejected=41@7001", 40) }), want: says(exist, 42)},
		"published by this run": {given: only(func(p *picture) { p.versions[41] = active(clockAt(1, 20)) }), want: says(exist, 41, 42)},
		"deleted":               {given: only(func(p *picture) { delete(p.versions, 41) }), want: says(none, 42)},
	})
}

// A version that stays Pending is waited for at last, when no other one is left to
// look for.
func TestDecideLooksFurtherBeforeItWaits(t *testing.T) {
	t.Parallel()
	p := plainPicture()
	p.run.OlderKnown = true
	p.state(41, "Pending", "")
	o := p.observation(false)
	o.Versions = map[int64]alias.Version{42: p.versions[42], 41: p.versions[41]}
	o.PendingTooLong = map[int64]bool{41: true}
	d := alias.Decide(o)
	assert.Equal(t, alias.NeedMore, d.Action)
	assert.Equal(t, int64(41), d.Query.Below)
	assert.Zero(t, d.Query.Wait)

	o.Listed = true // there is no other
	d = alias.Decide(o)
	assert.Equal(t, alias.NeedMore, d.Action)
	assert.Equal(t, int64(41), d.Query.Wait)
}

// What this run published is rejected only where its times prove it.
func TestDecideWhatCountsAsPublishedByThisRun(t *testing.T) {
	t.Parallel()
	two := func(change func(*report.Run)) func(*picture) {
		return func(p *picture) {
			p.request.Deployed, p.run.OlderKnown = 42, true
			p.versions[41] = active(clockAt(1, 20))
			change(&p.run)
		}
	}
	hold(t, map[string]situation{
		"all is known":                    {given: two(func(*report.Run) {}), want: back(report.PreviousVersion, 40, 41, 42)},
		"when the run began is not known": {given: two(func(r *report.Run) { r.CreatedAt = time.Time{} }), want: back(report.PreviousVersion, 41, 42)},
		"when it began is only a bound":   {given: two(func(r *report.Run) { r.CreatedBound = true }), want: back(report.PreviousVersion, 41, 42)},
		"newer runs are not known":        {given: two(func(r *report.Run) { r.NewerKnown = false }), want: back(report.PreviousVersion, 41, 42)},
	})
}

// What is read back after the move, and how often.
func TestWhatIsReadBack(t *testing.T) {
	t.Parallel()
	const again = "AWS accepted the move, but reads still return the previous state of the alias: reading it again"
	for name, c := range map[string]struct {
		then   func(s *scene)
		warns  string
		logs   string
		unsaid string
	}{
		"somebody moved it on":   {func(s *scene) { s.move("40", 40) }, "", "", again},
		"somebody moved it back": {func(s *scene) { s.move("42", 42) }, "", again, ""},
		"nothing is answered": {func(s *scene) {
			s.lambda.faults = always("GetAlias live", fault{hang: true})
		}, "could not confirm that 100% of traffic is on version 41", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			play(t, func(t *testing.T, s *scene) {
				s.lambda.after = func(call string, n int) {
					if call == "UpdateAlias live" && n == 1 {
						c.then(s)
					}
				}
				r := s.run(t)
				log := strings.Join(s.log.lines, "\n")
				assert.Contains(t, warnings(r), c.warns)
				assert.Contains(t, log, c.logs)
				if c.unsaid != "" {
					assert.NotContains(t, log, c.unsaid)
				}
			})
		})
	}
}

func TestDecideTellsWhyAVersionCannotServe(t *testing.T) {
	t.Parallel()
	lines := map[string]situation{}
	for name, c := range map[string]struct{ code, reason, says string }{
		"a code and a reason": {"InvalidImage", "no manifest", "its state is Failed (InvalidImage: no manifest); it is skipped"},
		"a code alone":        {"InvalidImage", "", "its state is Failed (InvalidImage); it is skipped"},
		"a reason alone":      {"", "no manifest", "its state is Failed (no manifest); it is skipped"},
		"neither":             {"", "", "its state is Failed; it is skipped"},
	} {
		lines[name] = situation{given: func(p *picture) {
			p.state(41, "Failed", c.code)
			v := p.versions[41]
			v.StateReason = c.reason
			p.versions[41] = v
		}, want: expected{action: alias.Move, reason: report.PreviousVersion, target: 40, reject: []int64{42}, note: c.says}}
	}
	hold(t, lines)
}

func TestDecideTellsWhichOlderRunPublished(t *testing.T) {
	t.Parallel()
	hold(t, map[string]situation{
		"an older run was deploying, and this one was not yet": {given: func(p *picture) {
			p.run.Jobs[1] = jobAt("deploy", clockAt(2, 0), clockAt(2, 5), "success")
			p.older = []report.Run{{ID: olderRun, CreatedAt: clockAt(-2, 0), Jobs: []report.Job{jobAt("deploy", clockAt(-1, 0), clockAt(1, 50), "success")}}}
		}, want: expected{action: alias.Skip, reason: report.NotDeployed, proof: `while job "deploy" of the older run 7001 was running`}},
	})
}

// A version that was made in a job in which no earlier one was, while they were made
// in another, is somebody else's. Two earlier ones must agree.
func TestDecideAVersionBesideTheJobThatPublishes(t *testing.T) {
	t.Parallel()
	skipped := func(p *picture) {
		p.run.OlderKnown = true
		p.run.Jobs[1] = jobAt("deploy", clockAt(1, 10), clockAt(1, 10), "skipped")
		p.versions[42] = active(clockAt(2, 30)) // while the smoke test ran
		p.atWork = map[int64][]report.Run{}
		for v := int64(38); v < 42; v++ {
			at := p.versions[v].LastModified
			p.atWork[v] = []report.Run{{ID: 6000 + v, Jobs: []report.Job{jobAt("deploy", at.Add(-20*time.Second), at.Add(20*time.Second), "success")}}}
		}
	}
	beside := expected{action: alias.Skip, reason: report.NotDeployed, look: true, proof: "in which none of the earlier versions that were looked up on GitHub was made", notAsked: "Versions:[3"}
	above := beside
	above.notAsked = "Versions:[43"
	hold(t, map[string]situation{
		"the deploy was skipped":                                     {given: skipped, want: beside},
		"the deploy was skipped, and nothing above is read for that": {given: skipped, want: above},
		"only one earlier version tells": {given: func(p *picture) {
			skipped(p)
			p.versions = map[int64]alias.Version{42: p.versions[42], 41: p.versions[41]}
		}, want: back(report.PreviousVersion, 41, 42)},
		"it was made in the job that rolls back": {given: func(p *picture) {
			skipped(p)
			p.run.Jobs = []report.Job{p.run.Jobs[0], p.run.Jobs[1], {Name: "smoke test", Status: "in_progress", StartedAt: clockAt(2, 10), Own: true, FailedStep: "smoke test"}}
		}, want: back(report.PreviousVersion, 41, 42)},
	})
}

func TestNumbersInTheMemory(t *testing.T) {
	t.Parallel()
	for text, says := range map[string]string{
		"rejected=999999999999999999":         "",
		"rejected=1000000000000000000":        "is not a positive whole number",
		"rejected=42,42":                      "overlap",
		"rejected=35-40,31-35":                "overlap",
		"rejected=36-40,31-35":                "",
		"rejected=" + strings.Repeat("9", 60): strings.Repeat("9", 60) + `" is not`,
		"rejected=" + strings.Repeat("9", 61): strings.Repeat("9", 60) + `…" is not`,
	} {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			_, err := alias.ParseDescription(text)
			if says == "" {
				require.NoError(t, err)
				return
			}
			assert.ErrorContains(t, err, says)
		})
	}
}

// A weight is a promotion's only where a run's snapshot names that version, beside the
// one that serves.
func TestCheckTellsAPromotion(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		memory    string
		version   int64
		promoting bool
	}{
		"a run's promotion":    {"rejected= run=7000/1 by=snapshot promotes=42", 41, true},
		"of another version":   {"rejected= run=7000/1 by=snapshot promotes=43", 41, false},
		"from another version": {"rejected= run=7000/1 by=snapshot promotes=42", 40, false},
		"of no run":            {"rejected= by=snapshot promotes=42", 41, false},
		"a rollback wrote it":  {"rejected= run=7000/1 by=rollback promotes=42", 41, false},
		"nothing is promoted":  {"rejected= run=7000/1 by=snapshot", 41, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			play(t, func(t *testing.T, s *scene) {
				s.lambda.set("live", 41, map[string]float64{"42": 0.1}, "serves production")
				s.lambda.set(memoryAlias, c.version, nil, c.memory)
				r := alias.Check(s.ctx, []alias.Function{s.function}, nil)[0]
				var all strings.Builder
				for _, line := range r.Checks {
					all.WriteString(line.Detail + "\n")
				}
				assert.Equal(t, c.promoting, strings.Contains(all.String(), "run 7000 is promoting version 42"), all.String())
				assert.Equal(t, !c.promoting, strings.Contains(all.String(), "a rollback now would stop that canary"), all.String())
			})
		})
	}
}

// A permission is there where AWS refuses for another reason, or because of another
// operation.
func TestCheckOfAPermission(t *testing.T) {
	t.Parallel()
	for code, c := range map[string]struct {
		status int
		ready  bool
	}{"PreconditionFailedException": {412, true}, "ResourceConflictException": {409, true}, "AccessDeniedException": {403, false}} {
		t.Run(code, func(t *testing.T) {
			t.Parallel()
			play(t, func(t *testing.T, s *scene) {
				s.lambda.faults = always("UpdateAlias live", fault{err: answer(c.status, code, "")})
				r := alias.Check(s.ctx, []alias.Function{s.function}, nil)[0]
				at := slices.IndexFunc(r.Checks, func(line report.Check) bool { return strings.Contains(line.Name, "lambda:UpdateAlias") })
				require.GreaterOrEqual(t, at, 0)
				assert.Equal(t, c.ready, r.Checks[at].Status == report.CheckPassed, r.Checks[at].Detail)
			})
		})
	}
}

// Which job publishes, where jobs of other runs were running when a version was made.
func TestDecideWhichJobPublishes(t *testing.T) {
	t.Parallel()
	run := func(id int64, created time.Time, jobs ...report.Job) report.Run {
		return report.Run{ID: id, CreatedAt: created, Jobs: jobs}
	}
	superseded := func(job string, reject ...int64) expected {
		e := stay(report.Superseded, reject...)
		e.proof = `job "` + job + `" of the newer run 7003`
		return e
	}
	hold(t, map[string]situation{
		"a skipped job publishes nothing, though others of its name did": {given: func(p *picture) {
			p.run.OlderKnown = true
			p.run.Jobs[1] = jobAt("deploy", clockAt(1, 10), clockAt(1, 10), "skipped")
			p.run.Newer = []report.Run{run(newerRun, clockAt(1, 30), jobAt("deploy", clockAt(1, 40), clockAt(1, 58), "success"), jobAt("smoke test", clockAt(2, 0), clockAt(2, 30), "success"))}
			p.versions[40], p.versions[41], p.versions[42] = active(clockAt(1, 45)), active(clockAt(1, 50)), active(clockAt(2, 5))
		}, want: superseded("smoke test")},
		"two jobs of this run can be it, and a newer run was in one": {given: func(p *picture) {
			p.run.OlderKnown = true
			p.run.Jobs = []report.Job{jobAt("deploy", clockAt(1, 10), clockAt(2, 0), "failure"), jobAt("lint", clockAt(1, 10), clockAt(2, 0), "success"), ownJob(clockAt(3, 0))}
			p.run.Newer = []report.Run{run(newerRun, clockAt(1, 40), jobAt("lint", clockAt(1, 45), clockAt(1, 55), "success"))}
			p.run.Older = []report.Run{run(olderRun, clockAt(-60, 0), jobAt("lint", clockAt(-55, 0), clockAt(-50, 0), "success"))}
			p.versions[41], p.versions[42] = active(clockAt(1, 15)), active(clockAt(1, 50))
		}, want: superseded("lint", 41)},
		"only jobs of other runs can be it": {given: func(p *picture) {
			p.run.OlderKnown = true
			p.run.Jobs[1] = jobAt("build", clockAt(1, 50), clockAt(2, 0), "success")
			p.run.Newer = []report.Run{run(newerRun, clockAt(1, 5), jobAt("ship", clockAt(1, 20), clockAt(1, 40), "success"))}
			p.run.Older = []report.Run{
				run(olderRun, clockAt(-5, 0), jobAt("release", clockAt(1, 0), clockAt(1, 40), "success")),
				run(olderRun-1, clockAt(-60, 0), jobAt("ship", clockAt(-55, 0), clockAt(-50, 0), "success")),
			}
		}, want: superseded("ship")},
		"a long job of an older run, in which nobody knows who published": {given: func(p *picture) {
			p.run.OlderKnown = true
			p.run.Older = []report.Run{run(olderRun, clockAt(-5, 0), jobAt("nightly", clockAt(0, 0).AddDate(0, 0, -9), clockAt(1, 55), "success"))}
			before("deploy")(p)
		}, want: back(report.PreviousVersion, 41, 42)},
	})
}
