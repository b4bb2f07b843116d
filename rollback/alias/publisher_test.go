package alias_test

import (
	"testing"

	"github.com/org/lambda-rollback-action/rollback/alias"
	"github.com/org/lambda-rollback-action/rollback/report"
)

// Which job publishes is said nowhere; the times of versions and jobs tell.

// besideOlder: version 42 was made at 0:30, in this run's tests and in the deploy of an
// older run. This run's own deploy was never reached.
func besideOlder(p *picture) {
	notReached(p)
	made(clockAt(0, 30), before("deploy"))(p)
	p.older = []report.Run{{ID: olderRun, Jobs: []report.Job{jobAt("deploy", clockAt(0, 5), clockAt(0, 50), "success")}}}
}

func TestDecideBesideAnOlderRunsDeploy(t *testing.T) {
	t.Parallel()
	theirs := expected{
		action: alias.Skip, reason: report.NotDeployed, asked: "RunsAtWork:41",
		why:   "version 42 was published by an older run (7001), which was deploying while this run was running",
		proof: `while job "deploy" of the older run 7001 was running (2026-11-22 03:00:05Z to 2026-11-22 03:00:50Z), and no such job of this run was`,
	}
	hold(t, map[string]situation{
		"this run was testing, and it is the deploy that publishes": {given: besideOlder, want: theirs},
		"this run was deploying, too": {given: func(p *picture) {
			p.older = []report.Run{{ID: olderRun, Jobs: []report.Job{jobAt("deploy", clockAt(1, 0), clockAt(1, 50), "success")}}}
		}, want: expected{action: alias.Move, reason: report.PreviousVersion, target: 41, reject: []int64{42}, notAsked: "RunsAtWork:41"}},
		"an older version from a time when not all runs are known does not count": {given: func(p *picture) {
			besideOlder(p)
			p.versions[40], p.versions[41] = active(clockAt(0, -30)), active(clockAt(0, -15))
			before("deploy")(p)
			p.older[0].Jobs = append(p.older[0].Jobs, jobAt("test", clockAt(0, -60), clockAt(0, -20), "success"))
		}, want: theirs},
		"only the two numbers below are read for it": {given: func(p *picture) { besideOlder(p) }, want: func() expected {
			e := theirs
			e.notAsked = "Versions:[39"
			return e
		}()},
		"none above is read for it": {given: func(p *picture) { besideOlder(p) }, want: func() expected {
			e := theirs
			e.notAsked = "Versions:[43"
			return e
		}()},
		"the second version ever": {given: func(p *picture) {
			besideOlder(p)
			p.alias.Version = 2
			p.versions = map[int64]alias.Version{2: p.versions[42], 1: p.versions[41]}
			p.atWork = map[int64][]report.Run{1: p.atWork[41]}
		}, want: expected{action: alias.Skip, reason: report.NotDeployed, notAsked: "Versions:[0"}},
	})
}

func TestDecideBesideANewerRunsDeploy(t *testing.T) {
	t.Parallel()
	// What is rejected beside it would ask for more.
	alone := func(p *picture) { p.overtaken(43); p.request.Remember = false }
	superseded := expected{action: alias.Skip, reason: report.Superseded, notAsked: "RunsAtWork:41"}
	// noVersion: this run's deploy failed without a version, and 43 was made while its
	// smoke test and a newer run's deploy were running.
	noVersion := func(p *picture) {
		p.overtaken(43)
		delete(p.versions, 42)
		p.run.Jobs[1].Conclusion = "failure"
	}
	hold(t, map[string]situation{
		"the times of two versions tell that it is the deploy that publishes": {given: alone, want: superseded},
		"… also where its name comes last": {given: func(p *picture) {
			alone(p)
			p.run.Jobs[1].Name, p.run.Newer[0].Jobs[1].Name = "upload", "upload"
		}, want: superseded},
		"no time tells: the smoke test publishes as well as the deploy": {given: noVersion, want: back(report.PreviousVersion, 41, 43)},
		"a smoke test that succeeded without a version is not the one that publishes": {given: func(p *picture) {
			noVersion(p)
			p.older = []report.Run{{ID: olderRun, Jobs: []report.Job{jobAt("smoke test", clockAt(0, 5), clockAt(0, 30), "success")}}}
		}, want: stay(report.Superseded)},
	})
}

func TestDecideWhereAnotherJobPublishes(t *testing.T) {
	t.Parallel()
	others := look(stay(report.NotDeployed))
	others.proof = `while job "test" was running`
	ours := back(report.PreviousVersion, 41, 42)
	hold(t, map[string]situation{
		"two versions before say so": {given: all(inAll("deploy"), notReached, made(clockAt(0, 30))), want: others},
		"there is only one version before": {given: all(inAll("deploy"), notReached, made(clockAt(0, 30)), func(p *picture) {
			for _, v := range []int64{38, 39, 40} {
				delete(p.versions, v)
			}
		}), want: ours},
		"a lint had ended before, in which no version was made": {given: all(inAll("deploy"), notReached, made(clockAt(0, 30)), func(p *picture) {
			named("test", "deploy", "smoke test", "lint")(p)
			p.run.Jobs = append(p.run.Jobs, jobAt("lint", clockAt(0, 5), clockAt(0, 10), "success"))
		}), want: others},
		"the deploy ran after it, without a version": {given: all(inAll("deploy"), notReached, made(clockAt(0, 30)), func(p *picture) {
			p.run.Jobs[1] = jobAt("deploy", clockAt(1, 10), clockAt(2, 0), "failure")
		}), want: others},
		"the job of this program published it": {given: all(inAll("test"), func(p *picture) {
			p.run.Jobs = []report.Job{
				jobAt("test", clockAt(0, 10), clockAt(0, 10), "skipped"),
				{Name: "deploy", Status: "in_progress", StartedAt: clockAt(1, 10), Own: true, FailedStep: "smoke test"},
			}
		}), want: ours},
		"when the deploy ran is not known": {given: all(inAll("deploy"), made(clockAt(1, 5)), func(p *picture) {
			p.run.Jobs[1] = report.Job{Name: "deploy", Status: "completed", Conclusion: "success"}
			p.run.Jobs = append(p.run.Jobs, jobAt("notify", clockAt(3, 0), clockAt(3, 0), "skipped"))
			named("test", "deploy", "smoke test", "notify")(p)
		}), want: ours},
	})
}

// What failed says nothing about a deploy that was still running then.
func TestDecideAFailureWhileTheDeployIsRunning(t *testing.T) {
	t.Parallel()
	deploy := report.Job{Name: "deploy", Status: "in_progress", StartedAt: clockAt(1, 10)}
	lint := jobAt("lint", clockAt(0, 10), clockAt(0, 40), "failure")
	hold(t, map[string]situation{
		"a lint that failed before": {given: func(p *picture) {
			p.run.FailedBy, p.run.Jobs = report.FailedByJobs, []report.Job{lint, deploy, ownJob(clockAt(9, 0))}
		}, want: stay(report.NoFailure)},
		"a smoke test of the second attempt that began before that attempt's deploy was done": {given: func(p *picture) {
			attempts(
				[]report.Job{jobAt("deploy", clockAt(1, 10), clockAt(2, 0), "success"), jobAt("smoke test", clockAt(2, 10), clockAt(3, 0), "failure")},
				[]report.Job{jobAt("deploy", clockAt(20, 0), clockAt(21, 0), "success"), jobAt("smoke test", clockAt(20, 30), clockAt(22, 0), "failure")},
			)(p)
			p.run.OlderKnown = true
			p.versions[42] = active(clockAt(20, 20))
		}, want: stay(report.NoFailure)},
	})
}

// Why a version cannot serve is said in AWS's own words.
func TestDecideTellsTheStateOfAVersion(t *testing.T) {
	t.Parallel()
	failed := func(code, text, note string) situation {
		return situation{given: func(p *picture) {
			v := p.versions[41]
			v.State, v.ReasonCode, v.StateReason = "Failed", code, text
			p.versions[41] = v
		}, want: expected{action: alias.Move, reason: report.PreviousVersion, target: 40, reject: []int64{42}, note: "version 41 cannot serve traffic: its state is Failed" + note}}
	}
	hold(t, map[string]situation{
		"a code and a text": failed("InvalidImage", "The image is broken.", " (InvalidImage: The image is broken.);"),
		"a code alone":      failed("InvalidImage", "", " (InvalidImage);"),
		"a text alone":      failed("", "The image is broken.", " (The image is broken.);"),
		"neither":           failed("", "", ";"),
	})
}
