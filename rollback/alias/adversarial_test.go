package alias_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/rollback/alias"
	"github.com/org/lambda-rollback-action/rollback/report"
)

// Inputs by somebody who had not written the rules, for each kind of evidence that
// says less than it seems to.

// inAll says which jobs needs lists, and in which one the two versions before were
// made.
func inAll(publishes string) func(*picture) {
	return func(p *picture) {
		named("test", "deploy", "smoke test")(p)
		p.atWork = map[int64][]report.Run{}
		for _, v := range []int64{40, 41} {
			at := p.versions[v].LastModified
			p.atWork[v] = []report.Run{{ID: 6000 + v, Jobs: []report.Job{jobAt(publishes, at.Add(-20*time.Second), at.Add(20*time.Second), "success")}}}
		}
	}
}

// notReached: the tests failed, and the jobs after them were skipped.
func notReached(p *picture) {
	p.run.Jobs[0].Conclusion = "failure"
	p.run.Jobs[1] = jobAt("deploy", clockAt(1, 0), clockAt(1, 0), "skipped")
	p.run.Jobs[2] = jobAt("smoke test", clockAt(1, 0), clockAt(1, 0), "skipped")
}

func all(changes ...func(*picture)) func(*picture) {
	return func(p *picture) {
		for _, change := range changes {
			change(p)
		}
	}
}

// fixedInSmoke: while this run's smoke test ran, version 43 came behind the alias.
func fixedInSmoke(p *picture) {
	p.versions[43] = active(clockAt(2, 30))
	p.alias.Version = 43
}

func TestAJobThatIsNamedNeedNotBeTheOneThatPublishes(t *testing.T) {
	t.Parallel()
	hold(t, map[string]situation{
		"a hotfix while the tests ran that failed, and the deploy was skipped": {
			given: all(inAll("deploy"), notReached, made(clockAt(0, 30))), want: look(stay(report.NotDeployed))},
		"the tests publish, too, as they did before": {
			given: all(inAll("test"), notReached, made(clockAt(0, 30))), want: back(report.PreviousVersion, 41, 42)},
		"who published before is not known": {
			given: all(named("test", "deploy", "smoke test"), notReached, made(clockAt(0, 30))), want: back(report.PreviousVersion, 41, 42)},
		"one version before is no proof": {
			given: all(inAll("deploy"), notReached, made(clockAt(0, 30)), func(p *picture) { delete(p.atWork, 40) }), want: back(report.PreviousVersion, 41, 42)},
		"a hotfix while the smoke test ran": {given: all(inAll("deploy"), fixedInSmoke), want: look(stay(report.Superseded, 42))},
		"a smoke test that publishes, as before": {
			given: all(inAll("smoke test"), fixedInSmoke), want: back(report.PreviousVersion, 42, 43)},
		"the deploy failed half-way, and the smoke test was skipped": {given: all(inAll("deploy"), func(p *picture) {
			p.run.Jobs[1].Conclusion, p.run.Jobs[2].Conclusion = "failure", "skipped"
		}), want: back(report.PreviousVersion, 41, 42)},
		"a hotfix while the tests ran, and then a bad deploy: back to the hotfix": {given: all(inAll("deploy"), func(p *picture) {
			p.versions[43], p.versions[42] = p.versions[42], active(clockAt(0, 30))
			p.alias.Version = 43
			p.atWork[41] = append(p.atWork[41], p.atWork[40]...)
		}), want: back(report.PreviousVersion, 42, 43)},
		"published while the rollback job waited for a runner": {given: all(inAll("deploy"), made(clockAt(3, 5))), want: stay(report.Superseded)},
	})
}

func TestAGreenJobBesideTheDeployDoesNotHideItsFailure(t *testing.T) {
	t.Parallel()
	byAPI := func(source report.FailureSource, publishes string, jobs ...report.Job) func(*picture) {
		return func(p *picture) {
			p.run.FailedBy = source
			p.run.Jobs = append(slices.Clone(jobs), ownJob(clockAt(9, 0)))
			if publishes != "" {
				before(publishes)(p)
			}
		}
	}
	deploy, smoke := jobAt("deploy", clockAt(1, 10), clockAt(2, 0), "success"), jobAt("smoke test", clockAt(2, 10), clockAt(3, 0), "failure")
	failed := jobAt("deploy", clockAt(1, 10), clockAt(2, 0), "failure")
	long := jobAt("end-to-end", clockAt(1, 0), clockAt(8, 0), "success")
	ours := back(report.PreviousVersion, 41, 42)
	hold(t, map[string]situation{
		"the smoke test failed while a long job went on":              {given: byAPI(report.FailedByJobs, "deploy", deploy, long, smoke), want: ours},
		"… and which job publishes is not known":                      {given: byAPI(report.FailedByJobs, "", deploy, long, smoke), want: look(stay(report.NoFailure))},
		"… and it is the long one that publishes":                     {given: byAPI(report.FailedByJobs, "end-to-end", deploy, long, smoke), want: stay(report.NoFailure)},
		"the deploy failed while a long job went on":                  {given: byAPI(report.FailedByJobs, "deploy", failed, long), want: ours},
		"… and which job publishes is not known, either":              {given: byAPI(report.FailedByJobs, "", failed, long), want: look(stay(report.NoFailure))},
		"a whole run failed by a lint before the deploy":              {given: byAPI(report.FailedByRun, "", jobAt("lint", clockAt(0, 10), clockAt(0, 40), "failure"), deploy), want: stay(report.NoFailure)},
		"a report was cancelled beside the deploy":                    {given: byAPI(report.FailedByRun, "", jobAt("report", clockAt(0, 10), clockAt(0, 40), "cancelled"), deploy), want: stay(report.NoFailure)},
		"two legs of the deploy's matrix, one failed, the other made": {given: byAPI(report.FailedByJobs, "", jobAt("deploy (us)", clockAt(0, 10), clockAt(1, 0), "failure"), jobAt("deploy (eu)", clockAt(1, 10), clockAt(2, 0), "success")), want: ours},
	})
}

// attempts says which jobs the first attempt had and which the second one has, with
// nothing that says which of them deploys.
func attempts(first, second []report.Job) func(*picture) {
	return func(p *picture) {
		p.run.FailedBy, p.run.Attempt = report.FailedByJobs, 2
		p.run.Earlier, p.run.Jobs = first, append(slices.Clone(second), ownJob(clockAt(30, 0)))
		before("deploy")(p)
	}
}

func TestTheLastAttemptOfAJobDecidesForIt(t *testing.T) {
	t.Parallel()
	deploy, smoke := jobAt("deploy", clockAt(1, 10), clockAt(2, 0), "success"), jobAt("smoke test", clockAt(2, 10), clockAt(3, 0), "failure")
	passed := jobAt("smoke test", clockAt(20, 0), clockAt(21, 0), "success")
	lint := jobAt("lint", clockAt(20, 0), clockAt(20, 30), "failure")
	ours := back(report.PreviousVersion, 41, 42)
	hold(t, map[string]situation{
		"the smoke test passes in the second attempt, beside a red lint": {
			given: attempts([]report.Job{deploy, smoke, jobAt("lint", clockAt(1, 0), clockAt(1, 30), "failure")}, []report.Job{deploy, passed, lint}), want: stay(report.NoFailure)},
		"a check that only began after the deploy fails in the second attempt": {
			given: attempts([]report.Job{deploy, smoke, jobAt("load test", clockAt(2, 20), clockAt(4, 0), "failure")}, []report.Job{deploy, passed, jobAt("load test", clockAt(20, 0), clockAt(21, 0), "failure")}), want: ours},
		"everything was run again, and the smoke test fails for the new version": {
			given: func(p *picture) {
				attempts([]report.Job{deploy, smoke}, []report.Job{jobAt("deploy", clockAt(20, 0), clockAt(21, 0), "success"), jobAt("smoke test", clockAt(21, 10), clockAt(22, 0), "failure")})(p)
				p.run.OlderKnown = true
				p.versions[43] = active(clockAt(20, 30))
				p.alias.Version = 43
			}, want: back(report.PreviousVersion, 41, 42, 43)},
		"the smoke test passes, and the lint was red in both": {
			given: attempts([]report.Job{deploy, smoke, jobAt("lint", clockAt(1, 0), clockAt(1, 30), "failure")}, []report.Job{deploy, passed, jobAt("lint", clockAt(1, 0), clockAt(1, 30), "failure")}), want: stay(report.NoFailure)},
		"the smoke test fails in the second attempt, too": {
			given: attempts([]report.Job{deploy, smoke}, []report.Job{deploy, jobAt("smoke test", clockAt(20, 0), clockAt(21, 0), "failure")}), want: ours},
		"the smoke test was skipped in the second attempt": {
			given: attempts([]report.Job{deploy, smoke}, []report.Job{deploy, jobAt("smoke test", clockAt(20, 0), clockAt(20, 0), "skipped"), jobAt("lint", clockAt(1, 0), clockAt(1, 30), "failure")}), want: ours},
		"another leg of the smoke test's matrix passes": {
			given: attempts([]report.Job{deploy, jobAt("smoke test (eu)", clockAt(2, 10), clockAt(3, 0), "failure")}, []report.Job{deploy, jobAt("smoke test (eu)", clockAt(20, 0), clockAt(21, 0), "failure"), jobAt("smoke test (us)", clockAt(20, 0), clockAt(21, 0), "success")}), want: ours},
		"the second attempt goes on": {
			given: attempts([]report.Job{deploy, smoke}, []report.Job{deploy, {Name: "smoke test", Status: "in_progress", StartedAt: clockAt(20, 0)}, lint}), want: ours},
	})
}

func TestAJobThatNeverStartedTestedNothing(t *testing.T) {
	t.Parallel()
	neverRan := func(name, conclusion string) report.Job {
		job := jobAt(name, clockAt(2, 10), clockAt(9, 0), conclusion)
		job.NeverRan = true
		return job
	}
	deploy := jobAt("deploy", clockAt(1, 10), clockAt(2, 0), "success")
	jobs := func(by report.FailureSource, all ...report.Job) func(*picture) {
		return func(p *picture) {
			p.run.FailedBy, p.run.Jobs = by, append(slices.Clone(all), ownJob(clockAt(9, 10)))
		}
	}
	ours := back(report.PreviousVersion, 41, 42)
	hold(t, map[string]situation{
		"the approval of the next stage was refused":           {given: jobs(report.FailedByRun, deploy, neverRan("deploy-eu", "failure")), want: stay(report.NoFailure)},
		"… beside a red lint":                                  {given: jobs(report.FailedByJobs, deploy, neverRan("deploy-eu", "failure"), jobAt("lint", clockAt(0, 10), clockAt(0, 20), "failure")), want: stay(report.NoFailure)},
		"no runner took the smoke test":                        {given: jobs(report.FailedByRun, deploy, neverRan("smoke test", "failure")), want: stay(report.NoFailure)},
		"the approval was refused after the smoke test failed": {given: jobs(report.FailedByRun, deploy, jobAt("smoke test", clockAt(2, 5), clockAt(3, 0), "failure"), neverRan("deploy-eu", "failure")), want: ours},
		"the job that needs names was refused":                 {given: jobs(report.FailedByNeeds, deploy, neverRan("deploy-eu", "failure")), want: ours},
	})
}

func TestARedMarkBesideAPromotion(t *testing.T) {
	t.Parallel()
	promotes := func(by report.FailureSource, all ...report.Job) func(*picture) {
		return func(p *picture) {
			p.request.OnlyIfDeployed = false
			p.versions[42] = active(clockAt(0, 0).AddDate(0, 0, -1))
			p.run.FailedBy, p.run.Jobs = by, append(slices.Clone(all), ownJob(clockAt(9, 10)))
		}
	}
	promote := jobAt("promote", clockAt(1, 10), clockAt(2, 0), "success")
	red := func(name string, from int) report.Job {
		return jobAt(name, clockAt(from, 0), clockAt(from, 50), "failure")
	}
	ours := back(report.PreviousVersion, 41, 42)
	hold(t, map[string]situation{
		"a red lint beside it":              {given: promotes(report.FailedByJobs, promote, red("lint", 1)), want: look(stay(report.NoFailure))},
		"a red lint before it":              {given: promotes(report.FailedByRun, red("lint", 0), promote), want: look(stay(report.NoFailure))},
		"a red lint, and a build before it": {given: promotes(report.FailedByJobs, jobAt("build", clockAt(0, 10), clockAt(0, 50), "success"), red("lint", 1), promote), want: look(stay(report.NoFailure))},
		"a red smoke test after it":         {given: promotes(report.FailedByJobs, promote, red("smoke test", 3)), want: ours},
		"the promotion is red":              {given: promotes(report.FailedByJobs, jobAt("build", clockAt(0, 10), clockAt(0, 50), "success"), red("promote", 1)), want: ours},
		"needs says that it failed":         {given: promotes(report.FailedByNeeds, promote, red("lint", 1)), want: ours},
		"no job is known":                   {given: promotes(report.FailedByRun), want: ours},
	})
}

// What an earlier attempt published and what another leg did is not bad because the
// run is red.
func TestVersionsOfAGoodDeployAreNotRejected(t *testing.T) {
	t.Parallel()
	deploy := jobAt("deploy", clockAt(1, 10), clockAt(2, 0), "success")
	lint := jobAt("lint", clockAt(0, 10), clockAt(0, 40), "failure")
	two := func(first, second []report.Job, made time.Time) func(*picture) {
		return func(p *picture) {
			attempts(first, second)(p)
			p.run.OlderKnown = true
			p.versions[41], p.versions[42] = active(made), active(clockAt(1, 50))
			if len(first) > 0 {
				p.versions[42] = active(clockAt(20, 30))
			}
		}
	}
	again := jobAt("deploy", clockAt(20, 0), clockAt(21, 0), "success")
	hold(t, map[string]situation{
		"one job published two versions":                   {given: two(nil, []report.Job{deploy, lint}, clockAt(1, 20)), want: stay(report.NoFailure)},
		"the first attempt's deploy was good, too":         {given: two([]report.Job{deploy, lint}, []report.Job{again, lint}, clockAt(1, 30)), want: stay(report.NoFailure)},
		"the first attempt's deploy failed after the move": {given: two([]report.Job{jobAt("deploy", clockAt(1, 10), clockAt(2, 0), "failure"), lint}, []report.Job{again, lint}, clockAt(1, 30)), want: stay(report.NoFailure, 41)},
	})
}

func TestDeploysThatPublishNothingNew(t *testing.T) {
	t.Parallel()
	left := look(stay(report.NotDeployed))
	left.warning = "version 41 is live but was rejected"
	rejected := func(text string, version int64) func(*picture) {
		return func(p *picture) {
			p.alias.Version = 41
			p.memory = remembered(text, version)
			p.concluded = map[int64]string{6001: "failure"}
			published := report.Run{ID: 6001, Jobs: []report.Job{jobAt("deploy", p.versions[41].LastModified.Add(-time.Minute), p.versions[41].LastModified.Add(time.Minute), "failure")}}
			p.atWork = map[int64][]report.Run{41: {published}}
			delete(p.versions, 42)
		}
	}
	hold(t, map[string]situation{
		"a snapshot of another run found a rejected version serving": {
			given: rejected("rejected=41@6001 run=6500/1 at=2026-11-22T02:00:00Z by=snapshot", 41), want: left},
		"this run published another version, so it is not it that put the rejected one there": {given: all(
			rejected("rejected=41@6001 run=6001/1 at=2026-11-22T02:00:00Z by=rollback", 40),
			func(p *picture) { p.versions[42] = active(clockAt(1, 30)); p.run.OlderKnown = true },
		), want: look(stay(report.NotDeployed, 42))},
		"a canary of a rejected version": {given: all(
			rejected("rejected=41@6001 run=6001/1 at=2026-11-22T02:00:00Z by=rollback", 40),
			func(p *picture) { p.alias.Version, p.alias.Weighted, p.alias.Weight = 40, 41, 0.1; p.atWork = nil },
		), want: left},
		"a later attempt publishes and never moves the alias: nobody may fall back on it": {given: func(p *picture) {
			p.run.Attempt = 2
			p.memory = remembered("rejected=42@7002 run=7002/1 at=2026-11-22T03:03:00Z by=rollback", 41)
			p.alias.Version = 41
			p.run.Earlier, p.run.OlderKnown = p.run.Jobs[:3], true
			p.run.Jobs = []report.Job{jobAt("deploy", clockAt(30, 0), clockAt(31, 0), "failure"), ownJob(clockAt(32, 0))}
			p.versions[43] = active(clockAt(30, 30))
		}, want: stay(report.AlreadyRolledBack, 43)},
		"a hotfix between two attempts, and the second never moves the alias": {given: func(p *picture) {
			p.run.Attempt = 2
			p.run.Earlier, p.run.OlderKnown = p.run.Jobs[:3], true
			p.run.Jobs = []report.Job{jobAt("deploy", clockAt(30, 0), clockAt(31, 0), "failure"), ownJob(clockAt(32, 0))}
			p.versions[43], p.versions[44] = active(clockAt(15, 0)), active(clockAt(30, 30))
			p.alias.Version = 43
		}, want: stay(report.Superseded, 42, 44)},
	})
}

func TestClearedOnlyByItsOwnJob(t *testing.T) {
	t.Parallel()
	yesterday := func(minute int) time.Time { return clockAt(minute, 0).AddDate(0, 0, -1) }
	rerun := func(conclusion string, jobs ...report.Job) func(*picture) {
		return func(p *picture) {
			p.versions[41] = active(yesterday(5))
			p.memory = remembered("rejected=41@6001 run=6001/1 at=2026-11-21T04:00:00Z by=rollback", 40)
			p.concluded, p.rerun = map[int64]string{6001: conclusion}, jobs
		}
	}
	eu, us := jobAt("deploy (eu)", yesterday(4), yesterday(6), "success"), jobAt("deploy (us)", yesterday(7), yesterday(8), "failure")
	hold(t, map[string]situation{
		"another leg of the matrix was run again":     {given: rerun("success", eu, us, jobAt("deploy (us)", yesterday(80), yesterday(81), "success")), want: back(report.PreviousVersion, 40, 42)},
		"the run goes on":                             {given: rerun("", eu, us, jobAt("deploy (eu)", yesterday(80), time.Time{}, "")), want: back(report.PreviousVersion, 40, 42)},
		"the run was cancelled":                       {given: rerun("cancelled", eu, us, jobAt("deploy (eu)", yesterday(80), yesterday(81), "success")), want: back(report.PreviousVersion, 40, 42)},
		"its second attempt's tests failed afterward": {given: rerun("success", eu, us, jobAt("deploy (eu)", yesterday(80), yesterday(81), "success"), jobAt("smoke test", yesterday(82), yesterday(83), "failure"), jobAt("smoke test", yesterday(90), yesterday(91), "success")), want: back(report.PreviousVersion, 40, 42)},
	})
}

func TestATargetThatUndoesNothingByOtherWays(t *testing.T) {
	t.Parallel()
	same := func(versions ...int64) func(*picture) {
		return func(p *picture) {
			for _, number := range versions {
				v := p.versions[number]
				v.Settings = alias.SettingsFor("A", 128)
				p.versions[number] = v
			}
		}
	}
	warned := func(e expected) expected { e.warning = "does not undo anything"; return e }
	hold(t, map[string]situation{
		"the other half of the canary": {given: all(same(41, 42), func(p *picture) {
			p.alias.Version, p.alias.Weighted, p.alias.Weight = 41, 42, 0.1
		}), want: warned(back(report.CanaryStopped, 41, 42))},
		"the snapshot's version": {given: all(same(41, 42), func(p *picture) {
			p.memory = remembered("rejected= run=7002/1 at=2026-11-22T03:01:00Z by=snapshot", 41)
		}), want: warned(back(report.Snapshot, 41, 42))},
		"the snapshot's version differs": {given: all(same(42), func(p *picture) {
			p.memory = remembered("rejected= run=7002/1 at=2026-11-22T03:01:00Z by=snapshot", 41)
		}), want: back(report.Snapshot, 41, 42)},
		"the one below is rejected, and the next has the same": {given: all(same(42, 40), func(p *picture) {
			p.memory = remembered("rejected=41 by=rollback", 40)
			v := p.versions[39]
			v.Settings = alias.SettingsFor("B", 128)
			p.versions[39] = v
		}), want: back(report.PreviousVersion, 39, 42)},
	})
}

func TestBelowIsNotBeforeAtItsEdges(t *testing.T) {
	t.Parallel()
	left := func(text string, version int64) func(*picture) {
		return func(p *picture) { p.memory = remembered(text, version) }
	}
	hold(t, map[string]situation{
		"where the last rollback left it was rejected since": {
			given: left("rejected=39 run=6001/1 at=2026-11-22T02:00:00Z by=rollback", 39), want: back(report.PreviousVersion, 41, 42)},
		"a version was published in the second of the last rollback": {
			given: left("rejected= run=6001/1 at="+clockAt(0, 0).AddDate(0, 0, -4).Format(time.RFC3339)+" by=rollback", 39), want: back(report.PreviousVersion, 41, 42)},
		"the last rollback left it on the very candidate": {
			given: left("rejected= run=6001/1 at=2026-11-22T02:00:00Z by=rollback", 41), want: back(report.PreviousVersion, 41, 42)},
		"the last rollback was to a newer version than the failing one": {
			given: left("rejected= run=6001/1 at=2026-11-22T02:00:00Z by=rollback", 50), want: back(report.PreviousVersion, 41, 42)},
	})
}

func TestCanServe(t *testing.T) {
	t.Parallel()
	state := func(state, code string) func(*picture) { return func(p *picture) { p.state(41, state, code) } }
	hold(t, map[string]situation{
		"idle, and its image is gone":       {given: state("Inactive", "ImageDeleted"), want: back(report.PreviousVersion, 40, 42)},
		"active, and its image is gone":     {given: state("Active", "ImageDeleted"), want: back(report.PreviousVersion, 40, 42)},
		"deactivating":                      {given: state("Deactivating", ""), want: back(report.PreviousVersion, 41, 42)},
		"a state that is new":               {given: state("Frozen", ""), want: back(report.PreviousVersion, 40, 42)},
		"failed for an idle reason":         {given: state("Failed", "Idle"), want: back(report.PreviousVersion, 40, 42)},
		"inactive for a reason in its text": {given: state("Inactive", "idle"), want: back(report.PreviousVersion, 40, 42)},
	})
}

func TestClocksThatDifferElsewhere(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		by   time.Duration
		put  func(*picture)
		want report.Reason
		look bool
		not  []int64 // is not rejected
	}{
		"a good version from just before the run is the target": {30 * time.Second, func(p *picture) {
			p.versions[41] = active(clockAt(0, 0).Add(-10 * time.Second))
			p.versions[42] = active(clockAt(1, 30))
			p.run.Jobs[1] = jobAt("deploy", clockAt(0, 50), clockAt(2, 10), "success")
		}, report.PreviousVersion, false, []int64{41}},
		"a newer deploy just after a run with a snapshot": {30 * time.Second, func(p *picture) {
			p.memory = remembered("rejected= run=7002/1 at=2026-11-22T03:00:30Z by=snapshot", 41)
			p.versions[42] = active(clockAt(5, 0))
		}, report.Superseded, false, []int64{42}},
		"deployed-version says it, whatever the clocks": {time.Hour, func(p *picture) { p.request.Deployed = 42 }, report.PreviousVersion, false, nil},
		"a canary of this run, at the edge of its job": {30 * time.Second, func(p *picture) {
			p.alias.Version, p.alias.Weighted, p.alias.Weight = 41, 42, 0.1
			p.versions[42] = active(clockAt(1, 15))
		}, report.NotDeployed, true, []int64{42}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := plainPicture()
			c.put(&p)
			o := p.observation(true)
			o.Run.OlderKnown, o.ClockDifference = true, c.by
			d := alias.Decide(o)
			require.NotEqual(t, alias.NeedMore, d.Action, "%+v", d.Query)
			assert.Equal(t, c.want, d.Reason, "%s; %s", d.Why, d.Proof)
			assert.Equal(t, c.look, d.Attention)
			for _, v := range c.not {
				assert.NotContains(t, d.Reject, v)
			}
		})
	}
}

func TestAPersonAtLatest(t *testing.T) {
	t.Parallel()
	latest := func(target int64) func(*picture) {
		return func(p *picture) {
			p.alias = alias.Alias{RevisionID: "revision-1", Latest: true}
			p.request.Target, p.request.Manual = target, true
		}
	}
	hold(t, map[string]situation{
		"a version that can serve": {given: latest(41), want: expected{action: alias.Move, reason: report.Chosen, target: 41, byHand: true, unreject: 41, warning: "does not reach callers"}},
		"a version that is gone":   {given: latest(7), want: expected{action: alias.Fail, reason: report.VersionNotFound, byHand: true}},
		"a version that failed":    {given: all(latest(41), func(p *picture) { p.state(41, "Failed", "") }), want: expected{action: alias.Fail, reason: report.VersionNotFound, byHand: true}},
		"no version chosen":        {given: latest(0), want: expected{action: alias.Fail, reason: report.AliasOnLatest, byHand: true}},
	})
}
