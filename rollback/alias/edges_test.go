package alias_test

import (
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/rollback/alias"
	"github.com/org/lambda-rollback-action/rollback/report"
)

// Situations at the edges of the evidence: who deployed what serves, where more
// than this run can have.

func look(e expected) expected { e.look = true; return e }

// named says which jobs can have deployed.
func named(jobs ...string) func(*picture) {
	return func(p *picture) { p.run.DeployJobs = jobs }
}

// made gives the serving version another time.
func made(at time.Time, more ...func(*picture)) func(*picture) {
	return func(p *picture) {
		p.versions[42] = active(at)
		for _, m := range more {
			m(p)
		}
	}
}

// before is a run that was running when version 41 was made, in these jobs.
func before(jobs ...string) func(*picture) {
	return func(p *picture) {
		at := p.versions[41].LastModified
		run := report.Run{ID: 6999}
		for _, name := range jobs {
			run.Jobs = append(run.Jobs, jobAt(name, at.Add(-20*time.Second), at.Add(20*time.Second), "success"))
		}
		p.atWork = map[int64][]report.Run{41: {run}}
	}
}

func TestOnlyAJobThatCanDeployProvesAnything(t *testing.T) {
	t.Parallel()
	ours := back(report.PreviousVersion, 41, 42)
	hold(t, map[string]situation{
		"made in the job that was named":                          {given: made(clockAt(1, 30), named("deploy")), want: ours},
		"made in a job of the matrix that was named":              {given: func(p *picture) { p.run.Jobs[1].Name = "deploy (eu-west-1)"; p.run.DeployJobs = []string{"deploy"} }, want: ours},
		"made in a called workflow that was named":                {given: func(p *picture) { p.run.Jobs[1].Name = "deploy / publish"; p.run.DeployJobs = []string{"deploy"} }, want: ours},
		"the named job has another name on GitHub: any can be it": {given: func(p *picture) { p.run.Jobs[1].Name = "Ship it"; p.run.DeployJobs = []string{"deploy"} }, want: ours},
		"a hotfix by another workflow while an unrelated job of the failed run went on": {given: func(p *picture) {
			made(clockAt(2, 40), named("deploy"))(p)
			p.run.Jobs = append(p.run.Jobs, jobAt("lint", clockAt(0, 10), clockAt(3, 5), "success"))
		}, want: stay(report.Superseded)},
		"a hotfix by hand while a smoke test that was not named went on": {given: made(clockAt(2, 30), named("deploy")), want: stay(report.Superseded)},
		"a schedule of another workflow published while this run was testing": {
			given: made(clockAt(0, 30), named("deploy", "smoke test"), before("deploy")), want: look(stay(report.NotDeployed))},
		"a person published while the run waited for approval": {given: func(p *picture) {
			made(clockAt(40, 0))(p)
			p.run.Jobs = []report.Job{
				jobAt("build", clockAt(0, 10), clockAt(1, 0), "success"),
				jobAt("deploy", clockAt(50, 0), clockAt(51, 0), "failure"), ownJob(clockAt(52, 0)),
			}
		}, want: stay(report.Superseded)},
		"a person published while the run waited for approval, and the deploy alone was named": {given: func(p *picture) {
			made(clockAt(40, 0), named("deploy"))(p)
			p.run.Jobs = []report.Job{
				jobAt("build", clockAt(0, 10), clockAt(1, 0), "success"),
				jobAt("deploy", clockAt(50, 0), clockAt(51, 0), "failure"), ownJob(clockAt(52, 0)),
			}
		}, want: stay(report.NotDeployed)},
		"a person published while the deploy waited for an approval that was refused": {given: func(p *picture) {
			made(clockAt(40, 0), named("deploy"))(p)
			p.run.Jobs = []report.Job{
				jobAt("build", clockAt(0, 10), clockAt(1, 0), "success"),
				jobAt("deploy", clockAt(1, 0), clockAt(51, 0), "failure"), ownJob(clockAt(52, 0)),
			}
			p.run.Jobs[1].NeverRan = true
		}, want: stay(report.NotDeployed)},
		"published between two attempts that are days apart: the first one's version is rejected": {given: func(p *picture) {
			p.run.Attempt = 2
			p.run.Earlier = p.run.Jobs[:3]
			p.run.Jobs = []report.Job{
				jobAt("deploy", clockAt(0, 0).AddDate(0, 0, 2), clockAt(1, 0).AddDate(0, 0, 2), "failure"), ownJob(clockAt(2, 0).AddDate(0, 0, 2)),
			}
			p.versions[43] = active(clockAt(0, 0).AddDate(0, 0, 1))
			p.alias.Version = 43
		}, want: stay(report.Superseded, 42)},
		"a sibling of the rollback's own matrix was running": {given: func(p *picture) {
			made(clockAt(3, 20))(p)
			p.run.Jobs[3].Name = "rollback (api)"
			p.run.Jobs = append(p.run.Jobs, report.Job{Name: "rollback (worker)", Status: "in_progress", StartedAt: clockAt(3, 10)})
		}, want: stay(report.Superseded)},
		"a sibling of the rollback's own matrix had ended": {given: func(p *picture) {
			made(clockAt(3, 12))(p)
			p.run.Jobs[3].Name = "rollback (api)"
			p.run.Jobs = append(p.run.Jobs, jobAt("rollback (worker)", clockAt(3, 10), clockAt(3, 20), "success"))
		}, want: stay(report.Superseded)},
		"the rollback is a step of the job that deployed, in a matrix": {given: func(p *picture) {
			p.run.Jobs = []report.Job{{Name: "deploy (api)", Status: "in_progress", StartedAt: clockAt(1, 10), Own: true, FailedStep: "Smoke test"},
				{Name: "deploy (worker)", Status: "in_progress", StartedAt: clockAt(1, 10)}}
		}, want: ours},
		"only the smoke test was named, and the job before it publishes": {given: made(clockAt(1, 30), named("smoke test"), before("deploy")), want: ours},
		"only the smoke test was named, and what the job before it does is not known": {
			given: made(clockAt(1, 30), named("smoke test")), want: look(stay(report.NotDeployed))},
		"a person published while the tests ran, before the deploy that was named": {
			given: made(clockAt(0, 30), named("deploy"), before("deploy")), want: look(stay(report.NotDeployed))},
		"a snapshot, and a person published after it while the run waited for approval": {given: func(p *picture) {
			made(clockAt(40, 0))(p)
			p.memory = remembered("rejected= run=7002/1 at=2026-11-22T03:00:30Z by=snapshot", 41)
			p.run.Jobs = []report.Job{
				jobAt("snapshot", clockAt(0, 10), clockAt(1, 0), "success"),
				jobAt("deploy", clockAt(50, 0), clockAt(51, 0), "failure"), ownJob(clockAt(52, 0)),
			}
		}, want: stay(report.Superseded)},
	})
}

func TestARedMarkIsNotAFailedDeploy(t *testing.T) {
	t.Parallel()
	byAPI := func(jobs ...report.Job) func(*picture) {
		return func(p *picture) {
			p.run.FailedBy = report.FailedByJobs
			p.run.Jobs = slices.Concat(jobs, []report.Job{ownJob(clockAt(9, 0))})
		}
	}
	deployed := jobAt("deploy-production", clockAt(1, 10), clockAt(2, 0), "success")
	flaky := jobAt("flaky-lint", clockAt(0, 10), clockAt(0, 40), "failure")
	ours := back(report.PreviousVersion, 41, 42)
	hold(t, map[string]situation{
		"a flaky lint failed before the deploy": {given: byAPI(jobAt("flaky-lint", clockAt(0, 10), clockAt(0, 40), "failure"), deployed), want: stay(report.NoFailure)},
		"a flaky lint failed in both attempts, and the deploy in the first alone": {given: func(p *picture) {
			byAPI(flaky, deployed)(p)
			p.run.Attempt = 2
			p.run.Earlier = []report.Job{flaky, jobAt("deploy-production", clockAt(0, 41), clockAt(0, 50), "failure")}
		}, want: stay(report.NoFailure)},
		"the deploy failed in the second attempt alone": {given: func(p *picture) {
			byAPI(jobAt("deploy-production", clockAt(1, 10), clockAt(2, 0), "failure"))(p)
			p.run.Attempt = 2
			p.run.Earlier = []report.Job{flaky, jobAt("deploy-production", clockAt(0, 41), clockAt(0, 50), "success")}
		}, want: ours},
		"a flaky lint failed, and deployed-version names what serves": {given: func(p *picture) {
			byAPI(flaky, deployed)(p)
			p.request.Deployed = 42
		}, want: stay(report.NoFailure)},
		"a flaky lint failed, and this run took a snapshot": {given: func(p *picture) {
			byAPI(flaky, deployed)(p)
			p.memory = remembered("rejected= run=7002/1 at=2026-11-22T03:00:30Z by=snapshot", 41)
		}, want: stay(report.NoFailure)},
		"a flaky lint failed, and the deploy did, of a version that deployed-version names": {given: func(p *picture) {
			byAPI(flaky, jobAt("deploy", clockAt(1, 10), clockAt(2, 0), "failure"))(p)
			p.request.Deployed = 42
		}, want: ours},
		"a smoke test failed after a deploy of which this run took a snapshot": {given: func(p *picture) {
			byAPI(deployed, jobAt("smoke test", clockAt(2, 10), clockAt(3, 0), "failure"))(p)
			p.memory = remembered("rejected= run=7002/1 at=2026-11-22T03:00:30Z by=snapshot", 41)
		}, want: back(report.Snapshot, 41, 42)},
		"a job failed before an older version was promoted, which deployed-version names": {given: func(p *picture) {
			byAPI(flaky, deployed)(p)
			p.request.Deployed, p.alias.Version = 41, 41
		}, want: back(report.PreviousVersion, 40, 41)},
		"a flaky lint failed beside the deploy, and had ended when it published": {
			given: byAPI(jobAt("flaky-lint", clockAt(1, 10), clockAt(1, 20), "failure"), deployed), want: stay(report.NoFailure)},
		"a flaky lint failed beside the deploy, all through it": {
			given: byAPI(jobAt("flaky-lint", clockAt(1, 0), clockAt(2, 10), "failure"), deployed), want: look(stay(report.NoFailure))},
		"a report failed that began while the deploy was running": {given: byAPI(deployed, jobAt("report", clockAt(1, 40), clockAt(3, 0), "failure")), want: stay(report.NoFailure)},
		"a lint ran into its time limit":                          {given: byAPI(jobAt("lint", clockAt(0, 0), clockAt(1, 0), "timed_out"), deployed), want: stay(report.NoFailure)},
		"the deploy itself failed":                                {given: byAPI(jobAt("test", clockAt(0, 10), clockAt(1, 0), "success"), jobAt("deploy", clockAt(1, 10), clockAt(2, 0), "failure")), want: ours},
		"one of the deploy's matrix failed":                       {given: byAPI(jobAt("deploy (eu)", clockAt(1, 10), clockAt(2, 0), "success"), jobAt("deploy (us)", clockAt(1, 10), clockAt(2, 0), "failure")), want: ours},
		"a smoke test that began when the deploy was done failed": {given: byAPI(deployed, jobAt("smoke test", clockAt(2, 10), clockAt(3, 0), "failure")), want: ours},
		"a smoke test failed, and a lint beside the deploy did, too": {
			given: byAPI(jobAt("lint", clockAt(0, 10), clockAt(0, 40), "failure"), deployed, jobAt("smoke test", clockAt(2, 10), clockAt(3, 0), "failure")), want: ours},
		"the deploy was cancelled, and that counts": {given: func(p *picture) {
			byAPI(jobAt("deploy", clockAt(1, 10), clockAt(2, 0), "cancelled"))(p)
			p.run.CancelledCounts = true
		}, want: ours},
		"a whole run was cancelled in its deploy, and that counts": {given: func(p *picture) {
			byAPI(jobAt("deploy", clockAt(1, 10), clockAt(2, 0), "cancelled"))(p)
			p.run.FailedBy, p.run.CancelledCounts = report.FailedByRun, true
		}, want: ours},
		"a lint was cancelled before the deploy, and that counts": {given: func(p *picture) {
			byAPI(jobAt("lint", clockAt(0, 10), clockAt(0, 40), "cancelled"), deployed)(p)
			p.run.CancelledCounts = true
		}, want: stay(report.NoFailure)},
		"somebody named the jobs: a lint beside them says nothing, their failure does": {given: func(p *picture) {
			p.run.DeployJobs = []string{"deploy"}
			p.run.Jobs[1].Conclusion = "failure"
		}, want: ours},
	})
}

func TestARejectedVersionServesAgain(t *testing.T) {
	t.Parallel()
	// 41 was rejected after run 6001 failed, which left the alias on 40, an hour ago.
	again := func(p *picture) {
		p.alias.Version = 41
		p.memory = remembered("rejected=41@6001 run=6001/1 at=2026-11-22T02:00:00Z by=rollback", 40)
		p.concluded = map[int64]string{6001: "failure"}
		p.run.Jobs[1].Conclusion = "failure"
		published := report.Run{ID: 6001, Jobs: []report.Job{jobAt("deploy", p.versions[41].LastModified.Add(-time.Minute), p.versions[41].LastModified.Add(time.Minute), "failure")}}
		p.atWork = map[int64][]report.Run{41: {published}}
		delete(p.versions, 42)
	}
	and := func(more func(*picture)) func(*picture) { return func(p *picture) { again(p); more(p) } }
	left := look(stay(report.NotDeployed))
	left.warning = "version 41 is live but was rejected"
	hold(t, map[string]situation{
		"this run deployed the same code again": {given: again, want: back(report.PreviousVersion, 40, 41)},
		"another run has deployed it since": {given: and(func(p *picture) {
			p.since = []report.Run{{ID: 6500, Jobs: []report.Job{jobAt("deploy", clockAt(0, 0).Add(-30*time.Minute), clockAt(0, 0).Add(-29*time.Minute), "success")}}}
		}), want: left},
		"another run has only tested since": {given: and(func(p *picture) {
			p.since = []report.Run{{ID: 6500, Jobs: []report.Job{jobAt("test", clockAt(0, 0).Add(-30*time.Minute), clockAt(0, 0).Add(-29*time.Minute), "failure")}}}
		}), want: back(report.PreviousVersion, 40, 41)},
		"GitHub does not say who deployed since": {given: and(func(p *picture) { p.silent = true }), want: left},
		"this run's deploy was never reached": {given: and(func(p *picture) {
			p.run.Jobs[0].Conclusion = "failure"
			p.run.Jobs[1] = jobAt("deploy", clockAt(1, 10), clockAt(1, 10), "skipped")
			p.run.Jobs[2] = jobAt("smoke test", clockAt(1, 10), clockAt(1, 10), "skipped")
		}), want: left},
		"nothing says which job publishes":        {given: and(func(p *picture) { p.atWork = nil }), want: left},
		"the memory does not say when":            {given: and(func(p *picture) { p.memory.At = time.Time{} }), want: left},
		"its run has succeeded since by a deploy": {given: and(func(p *picture) { p.concluded[6001] = "success" }), want: stay(report.NotDeployed)},
		"the rollback left the alias on it: a person chose it": {given: and(func(p *picture) {
			p.memory = remembered("rejected=41@6001 at=2026-11-22T02:00:00Z by=rollback", 41)
		}), want: stay(report.NotDeployed)},
		"deployed-version says it":                 {given: and(func(p *picture) { p.request.Deployed = 41 }), want: back(report.PreviousVersion, 40, 41)},
		"it was rejected in a row without its run": {given: and(func(p *picture) { p.memory.Rejected = remembered("rejected=41", 40).Rejected }), want: back(report.PreviousVersion, 40, 41)},
		"this run's newer version never served, and a rejected one does": {given: and(func(p *picture) {
			p.versions[42] = active(clockAt(1, 30))
			p.atWork = nil
		}), want: look(stay(report.NotDeployed, 42))},
	})
}

func TestClearedOnlyByWhatCouldClearIt(t *testing.T) {
	t.Parallel()
	yesterday := func(minute int) time.Time { return clockAt(minute, 0).AddDate(0, 0, -1) }
	// 41 was rejected after run 6001 failed; that run has succeeded since.
	rerun := func(jobs ...report.Job) func(*picture) {
		return func(p *picture) {
			p.versions[41] = active(yesterday(5))
			p.memory = remembered("rejected=41@6001 run=6001/1 at=2026-11-21T04:00:00Z by=rollback", 40)
			p.concluded, p.rerun = map[int64]string{6001: "success"}, jobs
		}
	}
	deploy, smoke := jobAt("deploy", yesterday(4), yesterday(6), "success"), jobAt("smoke test", yesterday(7), yesterday(8), "failure")
	cleared := expected{action: alias.Move, reason: report.PreviousVersion, target: 41, reject: []int64{42}, unreject: 41}
	hold(t, map[string]situation{
		"the whole run was run again":          {given: rerun(deploy, smoke, jobAt("deploy", yesterday(80), yesterday(81), "success"), jobAt("smoke test", yesterday(82), yesterday(83), "success")), want: cleared},
		"only the failed tests were run again": {given: rerun(deploy, smoke, jobAt("smoke test", yesterday(80), yesterday(81), "success")), want: back(report.PreviousVersion, 40, 42)},
		"the failed tests were run again, and they count": {given: func(p *picture) {
			rerun(deploy, smoke, jobAt("smoke test", yesterday(80), yesterday(81), "success"))(p)
			p.run.DeployJobs = []string{"deploy", "smoke test"}
		}, want: back(report.PreviousVersion, 40, 42)},
		"the deploy is listed again as it was":     {given: rerun(deploy, smoke, deploy, jobAt("smoke test", yesterday(80), yesterday(81), "success")), want: back(report.PreviousVersion, 40, 42)},
		"the deploy had failed, and was run again": {given: rerun(jobAt("deploy", yesterday(4), yesterday(6), "failure"), jobAt("deploy", yesterday(80), yesterday(81), "success")), want: cleared},
		"the deploy was run again, and skipped":    {given: rerun(deploy, smoke, jobAt("deploy", yesterday(80), yesterday(80), "skipped"), jobAt("smoke test", yesterday(81), yesterday(82), "success")), want: back(report.PreviousVersion, 40, 42)},
		"a tolerated lint ends after the second deploy began": {given: rerun(deploy, smoke,
			jobAt("deploy", yesterday(80), yesterday(82), "success"), jobAt("lint", yesterday(80), yesterday(81), "failure"), jobAt("smoke test", yesterday(83), yesterday(84), "success")), want: cleared},
		"a tolerated scan goes on longer than the second deploy": {given: rerun(deploy, smoke,
			jobAt("scan", yesterday(79), yesterday(90), "failure"), jobAt("deploy", yesterday(80), yesterday(82), "success")), want: cleared},
		"a report beside the second deploy was cancelled": {given: rerun(deploy, smoke,
			jobAt("deploy", yesterday(80), yesterday(82), "success"), jobAt("report", yesterday(81), yesterday(90), "cancelled")), want: cleared},
		"what failed after the second deploy may have found it bad": {given: rerun(deploy, smoke,
			jobAt("deploy", yesterday(80), yesterday(82), "success"), jobAt("load test", yesterday(82), yesterday(90), "failure")), want: back(report.PreviousVersion, 40, 42)},
		"the lint ran when the version was made, too, so that it can be the publisher": {given: rerun(deploy, smoke, jobAt("lint", yesterday(4), yesterday(6), "failure"),
			jobAt("deploy", yesterday(80), yesterday(82), "success"), jobAt("lint", yesterday(80), yesterday(81), "failure")), want: back(report.PreviousVersion, 40, 42)},
		"its jobs are not known": {given: rerun(), want: back(report.PreviousVersion, 40, 42)},
		"a later snapshot shows that the green run left the alias where it was": {given: func(p *picture) {
			rerun(deploy, smoke, jobAt("deploy", yesterday(80), yesterday(81), "success"))(p)
			p.memory = remembered("rejected=41@6001 run=6500/1 at=2026-11-21T12:00:00Z by=snapshot", 40)
		}, want: back(report.PreviousVersion, 40, 42)},
	})
}

func TestATargetThatUndoesNothing(t *testing.T) {
	t.Parallel()
	// The configuration of the version, as Lambda gives it.
	settings := func(p *picture, version int64, sha string, change func(*alias.Version)) {
		v := p.versions[version]
		v.Settings = alias.SettingsFor(sha, 128)
		if change != nil {
			change(&v)
		}
		p.versions[version] = v
	}
	hold(t, map[string]situation{
		"the one below has the same code and settings": {given: func(p *picture) {
			settings(p, 42, "A", nil)
			settings(p, 41, "A", nil)
			settings(p, 40, "B", nil)
		}, want: expected{action: alias.Move, reason: report.PreviousVersion, target: 40, reject: []int64{42}, note: "version 41 has the same code and settings as version 42"}},
		"the two below have": {given: func(p *picture) {
			for _, v := range []int64{42, 41, 40} {
				settings(p, v, "A", nil)
			}
			settings(p, 39, "B", nil)
		}, want: back(report.PreviousVersion, 39, 42)},
		"the same code with another setting is another version": {given: func(p *picture) {
			settings(p, 42, "A", nil)
			settings(p, 41, "A", func(v *alias.Version) { v.Settings = alias.SettingsFor("A", 256) })
		}, want: back(report.PreviousVersion, 41, 42)},
		"all that there are have the same": {given: func(p *picture) {
			for v := int64(38); v <= 42; v++ {
				settings(p, v, "A", nil)
			}
		}, want: expected{action: alias.Move, reason: report.PreviousVersion, target: 41, reject: []int64{42}, warning: "the rollback does not undo anything"}},
		"nothing is known of the settings": {given: func(*picture) {}, want: back(report.PreviousVersion, 41, 42)},
	})
}

func TestWhichVersionsCanServe(t *testing.T) {
	t.Parallel()
	serves := back(report.PreviousVersion, 41, 42)
	passed := back(report.PreviousVersion, 40, 42)
	lines := map[string]situation{
		"Active":                       {given: func(p *picture) { p.state(41, "Active", "") }, want: serves},
		"no state, as of old versions": {given: func(p *picture) { p.state(41, "", "") }, want: serves},
		"Inactive, and no reason":      {given: func(p *picture) { p.state(41, "Inactive", "") }, want: serves},
		"Failed, whatever the reason":  {given: func(p *picture) { p.state(41, "Failed", "Idle") }, want: passed},
		"a state that is new":          {given: func(p *picture) { p.state(41, "ActiveNonInvocable", "") }, want: passed},
	}
	idle := []types.StateReasonCode{types.StateReasonCodeIdle, types.StateReasonCodeCreating, types.StateReasonCodeRestoring}
	for _, code := range types.StateReasonCode("").Values() {
		want := passed
		for _, i := range idle {
			if code == i {
				want = serves
			}
		}
		lines["Inactive "+string(code)] = situation{given: func(p *picture) { p.state(41, "Inactive", string(code)) }, want: want}
	}
	lines["Inactive, for a reason that is new"] = situation{given: func(p *picture) { p.state(41, "Inactive", "SomethingNew") }, want: passed}
	hold(t, lines)
}

func TestClocksThatDiffer(t *testing.T) {
	t.Parallel()
	apart := func(by time.Duration, at time.Time) alias.Observation {
		p := plainPicture()
		p.versions[42] = active(at)
		o := p.observation(true)
		o.Run.OlderKnown, o.ClockDifference = true, by
		return o
	}
	for name, c := range map[string]struct {
		by   time.Duration
		at   time.Time
		want report.Reason
	}{
		"made before the run, and the clocks agree":              {0, clockAt(0, 0).Add(-30 * time.Second), report.NotDeployed},
		"made before the run by less than the clocks differ":     {90 * time.Second, clockAt(0, 0).Add(-30 * time.Second), report.NotDeployed},
		"made before the run by more than the clocks differ":     {90 * time.Second, clockAt(0, 0).Add(-2 * time.Minute), report.NotDeployed},
		"made after the last job by less than the clocks differ": {90 * time.Second, clockAt(3, 40), report.Superseded},
		"made after the last job by more than the clocks differ": {90 * time.Second, clockAt(5, 0), report.Superseded},
		"made after the last job, and the clocks agree":          {0, clockAt(3, 40), report.Superseded},
		"made in the middle of a job":                            {5 * time.Second, clockAt(1, 30), report.PreviousVersion},
		"made in the last seconds of a job":                      {5 * time.Second, clockAt(2, 58), report.NotDeployed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := alias.Decide(apart(c.by, c.at))
			require.NotEqual(t, alias.NeedMore, d.Action, "%+v", d.Query)
			assert.Equal(t, c.want, d.Reason, "%s; %s", d.Why, d.Proof)
			byLittle := c.by > 0 && c.at.After(clockAt(-1, 0)) && c.at.Before(clockAt(4, 0)) && !c.at.Equal(clockAt(1, 30))
			assert.Equal(t, byLittle, d.Attention, "a person must look")
			if c.by > 0 && d.Action == alias.Move {
				assert.Contains(t, d.Proof, "the clock difference between AWS and GitHub")
			}
		})
	}
}

func TestBelowIsNotBefore(t *testing.T) {
	t.Parallel()
	left := func(version int64, at string) func(*picture) {
		return func(p *picture) { p.memory = remembered("rejected=37 run=6001/1 at="+at+" by=rollback", version) }
	}
	hold(t, map[string]situation{
		"the last rollback left an older version, and nothing was published since": {
			given: left(39, "2026-11-22T02:00:00Z"), want: expected{action: alias.Move, reason: report.PreviousVersion, target: 39, reject: []int64{42}, note: "nothing shows that version 41 was ever live"}},
		"… and others were published since": {given: left(39, "2026-11-17T12:00:00Z"), want: back(report.PreviousVersion, 41, 42)},
		"… and it does not say when":        {given: func(p *picture) { left(39, "2026-11-22T02:00:00Z")(p); p.memory.At = time.Time{} }, want: back(report.PreviousVersion, 41, 42)},
		"… and it cannot serve any more":    {given: func(p *picture) { left(39, "2026-11-22T02:00:00Z")(p); p.state(39, "Failed", "") }, want: back(report.PreviousVersion, 41, 42)},
		"… and it was deleted":              {given: func(p *picture) { left(39, "2026-11-22T02:00:00Z")(p); delete(p.versions, 39) }, want: back(report.PreviousVersion, 41, 42)},
		"a snapshot of an earlier run says nothing about what that run deployed": {given: func(p *picture) {
			p.memory = remembered("rejected= run=6001/1 at=2026-11-22T02:00:00Z by=snapshot", 39)
		}, want: back(report.PreviousVersion, 41, 42)},
		"another alias points at the target": {given: func(p *picture) { p.others = map[int64][]string{41: {"staging"}} },
			want: expected{action: alias.Move, reason: report.PreviousVersion, target: 41, reject: []int64{42}, note: "staging points at it"}},
		"other aliases point elsewhere": {given: func(p *picture) { p.others = map[int64][]string{42: {"staging"}} },
			want: expected{action: alias.Move, reason: report.PreviousVersion, target: 41, reject: []int64{42}, note: "the function has other aliases (staging)"}},
	})
}
