package alias_test

import (
	"testing"
	"time"

	"github.com/org/lambda-rollback-action/rollback/alias"
	"github.com/org/lambda-rollback-action/rollback/report"
)

func TestDecideByDeployedVersion(t *testing.T) {
	t.Parallel()
	deployed := func(deployed, serving int64) func(*picture) {
		return func(p *picture) { p.request.Deployed, p.alias.Version = deployed, serving }
	}
	hold(t, map[string]situation{
		"it serves": {given: deployed(42, 42), want: back(report.PreviousVersion, 41, 42)},
		"it serves, promoted from an earlier run": {given: deployed(41, 41), want: back(report.PreviousVersion, 40, 41)},
		"a newer one serves": {given: func(p *picture) {
			deployed(42, 43)(p)
			p.versions[43] = active(clockAt(1, 40)) // by its time it would be this run's
		}, want: stay(report.Superseded, 42)},
		"an older one serves": {given: deployed(42, 41), want: stay(report.NotDeployed, 42)},
		"10 is newer than 9": {given: func(p *picture) {
			deployed(9, 10)(p)
			p.versions[9], p.versions[10] = p.versions[41], p.versions[42]
		}, want: stay(report.Superseded)},
		"99 is older than 100": {given: func(p *picture) {
			deployed(100, 99)(p)
			p.versions[99], p.versions[100] = p.versions[41], p.versions[42]
		}, want: stay(report.NotDeployed, 100)},
		"it is not needed that times are known": {given: func(p *picture) {
			deployed(42, 42)(p)
			p.run = report.Run{ID: thisRun}
			p.versions[42] = active(time.Time{})
		}, want: back(report.PreviousVersion, 41, 42)},
		"it beats the times: made before the run, and promoted by it": {given: func(p *picture) {
			deployed(42, 42)(p)
			p.versions[42] = active(clockAt(0, 0).Add(-time.Hour))
		}, want: back(report.PreviousVersion, 41, 42)},
		"only-if-deployed is false: no question": {given: func(p *picture) {
			deployed(42, 41)(p)
			p.request.OnlyIfDeployed = false
		}, want: back(report.PreviousVersion, 40, 41)},
		"a canary of a newer version": {given: func(p *picture) {
			deployed(42, 41)(p)
			p.versions[43] = active(clockAt(3, 30))
			p.alias.Weighted, p.alias.Weight = 43, 0.1
		}, want: stay(report.Superseded, 42)},
	})
}

func TestDecideByTime(t *testing.T) {
	t.Parallel()
	madeAt := func(at time.Time) func(*picture) {
		return func(p *picture) { p.versions[42] = active(at) }
	}
	hold(t, map[string]situation{
		"made while a job of this run was running":           {given: func(*picture) {}, want: expected{action: alias.Move, reason: report.PreviousVersion, target: 41, reject: []int64{42}, proof: `"deploy"`}},
		"made before this run was created":                   {given: madeAt(clockAt(0, 0).Add(-time.Second)), want: stay(report.NotDeployed)},
		"made in the second in which the run was created":    {given: madeAt(clockAt(0, 0).Add(400 * time.Millisecond)), want: stay(report.NotDeployed)},
		"made in the second in which the last job ended":     {given: madeAt(clockAt(3, 0).Add(900 * time.Millisecond)), want: back(report.PreviousVersion, 41, 42)},
		"made after the last other job ended":                {given: madeAt(clockAt(3, 1)), want: stay(report.Superseded)},
		"made while only this program's own job was running": {given: madeAt(clockAt(3, 20)), want: stay(report.Superseded)},
		"made between two jobs of this run":                  {given: madeAt(clockAt(2, 5)), want: stay(report.Superseded)},
		"another job is still at work": {given: func(p *picture) {
			madeAt(clockAt(3, 20))(p)
			p.run.Jobs[2] = report.Job{Name: "smoke test", Status: "in_progress", StartedAt: clockAt(2, 10)}
		}, want: back(report.PreviousVersion, 41, 42)},
		"deploy and rollback are steps of one job": {given: func(p *picture) {
			madeAt(clockAt(1, 30))(p)
			p.run.Jobs = []report.Job{{Name: "release", Status: "in_progress", StartedAt: clockAt(1, 0), Own: true, FailedStep: "smoke test"}}
		}, want: back(report.PreviousVersion, 41, 42)},
		"deploy and rollback are steps of one job, after a job of tests": {given: func(p *picture) {
			madeAt(clockAt(1, 30))(p)
			p.run.Jobs = []report.Job{
				jobAt("test", clockAt(0, 10), clockAt(1, 0), "success"),
				{Name: "release", Status: "in_progress", StartedAt: clockAt(1, 10), Own: true, FailedStep: "smoke test"},
			}
		}, want: back(report.PreviousVersion, 41, 42)},
		"a skipped job's times do not count": {given: func(p *picture) {
			madeAt(clockAt(3, 20))(p)
			p.run.Jobs = append(p.run.Jobs, jobAt("notify", clockAt(3, 30), clockAt(3, 30), "skipped"))
		}, want: stay(report.Superseded)},
		"a re-run: the deploy was an earlier attempt's, the run keeps its time": {given: func(p *picture) {
			p.run.Attempt = 2
			p.run.Jobs = []report.Job{
				jobAt("deploy", clockAt(1, 10), clockAt(2, 0), "success"), // not run again
				jobAt("smoke test", clockAt(40, 0), clockAt(41, 0), "failure"),
				ownJob(clockAt(41, 10)),
			}
		}, want: back(report.PreviousVersion, 41, 42)},
		"not deployed: what this run published joins the rejected": {given: func(p *picture) {
			p.alias.Version = 41
		}, want: expected{action: alias.Skip, reason: report.NotDeployed, reject: []int64{42}, asked: "Above:41"}},
		"not deployed: what others published meanwhile does not": {given: func(p *picture) {
			p.alias.Version = 41
			p.versions[42] = active(clockAt(3, 30))
		}, want: stay(report.NotDeployed)},
		"not deployed: two were published": {given: func(p *picture) {
			p.alias.Version = 41
			p.versions[43] = active(clockAt(1, 50))
		}, want: stay(report.NotDeployed, 42, 43)},
		"not deployed, and nothing is to be remembered": {given: func(p *picture) {
			p.alias.Version, p.request.Remember = 41, false
		}, want: expected{action: alias.Skip, reason: report.NotDeployed, notAsked: "Above:41"}},
		"this run published two versions: it never falls back on its own first": {given: func(p *picture) {
			p.versions[41] = active(clockAt(1, 20))
		}, want: back(report.PreviousVersion, 40, 41, 42)},
		"this run published three versions: on none of its own": {given: func(p *picture) {
			p.versions[41] = active(clockAt(1, 20))
			p.versions[40] = active(clockAt(1, 15))
		}, want: back(report.PreviousVersion, 39, 40, 41, 42)},
	})
}

func TestDecideAmongOverlappingRuns(t *testing.T) {
	t.Parallel()
	hold(t, map[string]situation{
		"a newer run deployed while this run's smoke test ran": {given: func(p *picture) { p.overtaken(43) }, want: stay(report.Superseded, 42)},
		"a newer run was deploying while this run's deploy still ran": {given: func(p *picture) {
			p.alias.Version = 43
			p.versions[43] = active(clockAt(1, 55))
			p.run.Newer = []report.Run{{ID: newerRun, Jobs: []report.Job{{Name: "deploy", Status: "in_progress", StartedAt: clockAt(1, 50)}}}}
		}, want: stay(report.Superseded, 42)},
		"a newer run has only begun to test": {given: func(p *picture) {
			p.run.Newer = []report.Run{{ID: newerRun, Jobs: []report.Job{{Name: "test", Status: "in_progress", StartedAt: clockAt(1, 15)}}}}
		}, want: back(report.PreviousVersion, 41, 42)},
		"a newer run began to deploy only after the version was made": {given: func(p *picture) {
			p.run.Newer = []report.Run{{ID: newerRun, Jobs: []report.Job{{Name: "deploy", Status: "in_progress", StartedAt: clockAt(1, 35)}}}}
		}, want: back(report.PreviousVersion, 41, 42)},
		"a newer run skipped its deploy": {given: func(p *picture) {
			p.run.Newer = []report.Run{{ID: newerRun, Jobs: []report.Job{jobAt("deploy", clockAt(1, 15), clockAt(1, 15), "skipped")}}}
		}, want: back(report.PreviousVersion, 41, 42)},
		"a newer run that has no jobs yet": {given: func(p *picture) {
			p.run.Newer = []report.Run{{ID: newerRun}}
		}, want: back(report.PreviousVersion, 41, 42)},
		"the jobs of a matrix have names of their own": {given: func(p *picture) {
			p.run.Jobs[1].Name = "deploy (eu, api)"
			p.run.Newer = []report.Run{{ID: newerRun, Jobs: []report.Job{{Name: "deploy (us, api)", Status: "in_progress", StartedAt: clockAt(1, 15)}}}}
		}, want: back(report.PreviousVersion, 41, 42)},
		"an older run deployed while this run was testing: a good target": {given: func(p *picture) {
			p.versions[41] = active(clockAt(0, 30))
			p.older = []report.Run{{ID: olderRun, Jobs: []report.Job{jobAt("deploy", clockAt(0, 5), clockAt(0, 50), "success")}}}
		}, want: back(report.PreviousVersion, 41, 42)},
		"an older run deployed while this run was deploying: a good target": {given: func(p *picture) {
			p.versions[41] = active(clockAt(1, 15))
			p.older = []report.Run{{ID: olderRun, Jobs: []report.Job{jobAt("deploy", clockAt(0, 5), clockAt(1, 20), "success")}}}
		}, want: back(report.PreviousVersion, 41, 42)},
		"this run never got to deploy; a newer run's version serves": {given: func(p *picture) {
			delete(p.versions, 42)
			p.overtaken(43)
			p.run.Jobs[1].Conclusion, p.run.Jobs[1].CompletedAt = "failure", clockAt(1, 20)
			p.run.Jobs[2] = jobAt("smoke test", clockAt(1, 20), clockAt(1, 20), "skipped")
		}, want: stay(report.Superseded)},
	})
}

func TestDecideWithLittleKnown(t *testing.T) {
	t.Parallel()
	hold(t, map[string]situation{
		"a push's time bounds: made before it": {given: func(p *picture) {
			p.run = report.Run{ID: thisRun, CreatedAt: clockAt(0, 0), CreatedBound: true}
			p.alias.Version = 41
		}, want: stay(report.NotDeployed)},
		"a push's time bounds: made after it, not proven": {given: func(p *picture) {
			p.run = report.Run{ID: thisRun, CreatedAt: clockAt(0, 0), CreatedBound: true}
		}, want: expected{action: alias.Move, reason: report.PreviousVersion, target: 41, reject: []int64{42}, proof: "not proven"}},
		"a bound, and after the jobs had ended": {given: func(p *picture) {
			p.run.CreatedBound = true
			p.versions[42] = active(clockAt(3, 30))
		}, want: stay(report.Superseded)},
		"the jobs are not known": {given: func(p *picture) { p.run.Jobs = nil },
			want: expected{action: alias.Move, reason: report.PreviousVersion, target: 41, reject: []int64{42}, proof: "not proven"}},
		"whether there are newer runs is not known": {given: func(p *picture) { p.run.NewerKnown = false },
			want: expected{action: alias.Move, reason: report.PreviousVersion, target: 41, reject: []int64{42}, proof: "could not determine whether a newer run had deployed by then"}},
		"no time at all": {given: func(p *picture) { p.run = report.Run{ID: thisRun} },
			want: expected{action: alias.Move, reason: report.PreviousVersion, target: 41, reject: []int64{42}, proof: "not proven"}},
		"the version's own time is not known": {given: func(p *picture) { p.versions[42] = active(time.Time{}) },
			want: expected{action: alias.Move, reason: report.PreviousVersion, target: 41, reject: []int64{42}, proof: "not proven"}},
		"no time, and a rollback by any run left the alias here": {given: func(p *picture) {
			p.run = report.Run{ID: thisRun}
			p.alias.Version = 41
			p.memory = remembered("rejected=42@7001 run=7001/1 by=rollback", 41)
		}, want: stay(report.AlreadyRolledBack)},
		"no time, and the alias was moved since that rollback": {given: func(p *picture) {
			p.run = report.Run{ID: thisRun}
			p.memory = remembered("rejected=41@7001 run=7001/1 by=rollback", 40)
		}, want: back(report.PreviousVersion, 40, 42)},
		"no time, and another run's snapshot of what serves": {given: func(p *picture) {
			p.run = report.Run{ID: thisRun}
			p.memory = remembered("rejected= run=7001/1 by=snapshot", 42)
		}, want: back(report.PreviousVersion, 41, 42)},
		"only-if-deployed is false: a version from before the run goes too": {given: func(p *picture) {
			p.request.OnlyIfDeployed = false
			p.alias.Version = 41
		}, want: back(report.PreviousVersion, 40, 41)},
		"nothing known, and somebody deployed between read and move": {given: func(p *picture) {
			p.run = report.Run{ID: thisRun}
			p.first = &alias.Alias{RevisionID: "revision-0", Version: 42}
			p.alias.Version = 43
			p.versions[43] = active(clockAt(3, 30))
		}, want: stay(report.Superseded, 42)},
		"nothing known, and somebody went back between read and move": {given: func(p *picture) {
			p.run = report.Run{ID: thisRun}
			p.first = &alias.Alias{RevisionID: "revision-0", Version: 42}
			p.alias.Version = 41
		}, want: stay(report.NotDeployed)},
		"only-if-deployed is false, and somebody deployed between read and move": {given: func(p *picture) {
			p.request.OnlyIfDeployed = false
			p.first = &alias.Alias{RevisionID: "revision-0", Version: 42}
			p.alias.Version = 43
			p.versions[43] = active(clockAt(3, 30))
		}, want: stay(report.Superseded, 42)},
		"somebody touched the alias and left it where it was": {given: func(p *picture) {
			p.run = report.Run{ID: thisRun}
			p.first = &alias.Alias{RevisionID: "revision-0", Version: 42}
		}, want: back(report.PreviousVersion, 41, 42)},
		"newer runs are not known, and somebody deployed between read and move": {given: func(p *picture) {
			p.run.NewerKnown = false
			p.first = &alias.Alias{RevisionID: "revision-0", Version: 42}
			p.alias.Version = 43
			p.versions[43] = active(clockAt(2, 50))
		}, want: stay(report.Superseded, 42)},
		"older runs are not known: this run's own first version is no target": {given: func(p *picture) {
			p.silent = true
			p.versions[41] = active(clockAt(1, 20))
		}, want: back(report.PreviousVersion, 40, 41, 42)},
	})
}
