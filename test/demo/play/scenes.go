package main

import (
	"slices"
	"time"

	"github.com/org/lambda-rollback-action/rollback/report"
	"github.com/org/lambda-rollback-action/test/emulator"
	"github.com/org/lambda-rollback-action/test/people"
)

// scenes are all situations shown, in the order in which a newcomer meets them.
func scenes() []scene {
	firstBad := failedDeploy(118, 0, "Charge cards in the buyer's currency", "Smoke test")
	api := []function{{"checkout-api", 41}}
	return []scene{
		{
			name:      "a bad deploy",
			title:     "A bad deploy",
			story:     "The deploy published version 42 and moved the alias to it; then its smoke test failed.",
			point:     "The alias moves back to 41, a page of the API shows that 41 is healthy, and 42 is recorded as rejected.",
			functions: api,
			acts: []act{{
				run:     firstBad,
				deploys: []deploy{{"checkout-api", 3 * minute, 1, newCurrency, 0}},
				well:    []int64{41},
				want: want{
					status: report.RolledBack, reason: report.PreviousVersion, healthy: "true",
					serves: []string{"41"}, remembers: []string{"41 rejected=42@118 run=118/1 by=rollback"},
				},
			}},
		},
		{
			name:      "a second in a row",
			title:     "A second bad deploy in a row",
			story:     "Version 42 failed an hour ago and was rolled back; now the attempt to fix it, version 43, has failed too.",
			point:     "The version just below 43 is 42, which failed. The alias must move back to 41.",
			functions: api,
			acts: []act{
				{
					run:     failedDeploy(118, hour, "Charge cards in the buyer's currency", "Smoke test"),
					deploys: []deploy{{"checkout-api", hour + 3*minute, 1, newCurrency, 0}},
					want: want{
						status: report.RolledBack, reason: report.PreviousVersion,
						serves: []string{"41"}, remembers: []string{"41 rejected=42@118 run=118/1 by=rollback"},
					},
				},
				{
					run:     failedDeploy(119, 0, "Fix rounding of foreign currencies", "Smoke test"),
					deploys: []deploy{{"checkout-api", 3 * minute, 1, newCurrency, 0}},
					want: want{
						status: report.RolledBack, reason: report.PreviousVersion,
						serves: []string{"41"}, remembers: []string{"41 rejected=43@119,42@118 run=119/1 by=rollback"},
					},
				},
			},
		},
		{
			name:      "41 is bad as well",
			title:     "The version before is bad, too",
			story:     "Version 42 fails. Version 41 fails as well, because a table that it needs was deleted this morning. Version 40 does not need that table.",
			point:     "41 is not healthy after the move, so the action steps back to 40, checks it, and records both as rejected.",
			functions: api,
			acts: []act{{
				run:     firstBad,
				deploys: []deploy{{"checkout-api", 3 * minute, 1, newCurrency, 0}},
				well:    []int64{40},
				inputs:  map[string]string{"on-unhealthy": "step-back"},
				want: want{
					status: report.RolledBack, reason: report.PreviousVersion, healthy: "true",
					serves: []string{"40"}, through: []string{"41", "40"}, remembers: []string{"40 rejected=42@118,41 run=118/1 by=rollback"},
				},
			}},
		},
		{
			name:      "nothing deployed",
			title:     "A deploy that failed before it published",
			story:     "The deploy job failed while it built the code: no version was published, and the alias is still on 41.",
			point:     "41 works. A move to an older version would break production, so the alias stays where it is.",
			functions: api,
			acts: []act{{
				run:  failedDeploy(118, 0, "Upgrade to Python 3.14", "Build the package"),
				want: want{status: report.Skipped, reason: report.NotDeployed, serves: []string{"41"}, remembers: []string{""}},
			}},
		},
		{
			name:      "a canary in flight",
			title:     "A canary in flight",
			story:     "Version 42 received 10% of the traffic, and the deploy failed because of its error rate.",
			point:     "The alias already points at 41. The weight that sends 10% of the traffic to 42 is removed.",
			functions: api,
			acts: []act{{
				run:     failedDeploy(118, 0, "Cache exchange rates", "Watch the canary"),
				deploys: []deploy{{"checkout-api", 4 * minute, 0.1, nil, 0}},
				want: want{
					status: report.RolledBack, reason: report.CanaryStopped,
					serves: []string{"41"}, remembers: []string{"41 rejected=42@118 run=118/1 by=rollback"},
				},
			}},
		},
		{
			name:      "the job is re-run",
			title:     "The rollback job is run again",
			story:     "The rollback of the first scene succeeded, and somebody ran its job again.",
			point:     "The alias is already on 41. A second rollback, to 40, would be wrong, so the alias stays where it is.",
			functions: api,
			acts: []act{
				{
					run:     firstBad,
					deploys: []deploy{{"checkout-api", 3 * minute, 1, newCurrency, 0}},
					want: want{
						status: report.RolledBack, reason: report.PreviousVersion,
						serves: []string{"41"}, remembers: []string{"41 rejected=42@118 run=118/1 by=rollback"},
					},
				},
				{
					run: firstBad.onceMore(),
					want: want{
						status: report.Skipped, reason: report.AlreadyRolledBack,
						serves: []string{"41"}, remembers: []string{"41 rejected=42@118 run=118/1 by=rollback"},
					},
				},
			},
		},
		{
			name:      "a newer deploy",
			title:     "A newer deploy serves already",
			story:     "The deploy of version 42 failed, but before a runner started its rollback job, the next push deployed 43, which works.",
			point:     "A late rollback must never undo a newer deploy. 43 stays live, and 42 is recorded as rejected.",
			functions: api,
			acts: []act{{
				run: failedDeploy(118, 6*minute, "Show prices in the buyer's currency", "Smoke test").withOwnJob(10 * second),
				others: []run{{
					number: 119, commit: "Show prices as before", actor: "hubot", began: 5 * minute,
					jobs: []job{
						{name: "tests", from: 5*minute - 5*second, to: 4 * minute, result: "success"},
						{name: "deploy-production", from: 4*minute - 5*second, to: minute, result: "success"},
						{name: ownJob, from: minute, to: minute, result: "skipped"},
					},
				}},
				deploys: []deploy{
					{"checkout-api", 9 * minute, 1, nil, 0},
					{"checkout-api", 2 * minute, 1, nil, 0},
				},
				want: want{
					status: report.Skipped, reason: report.Superseded,
					serves: []string{"43"}, remembers: []string{"43 rejected=42@118"},
				},
			}},
		},
		{
			name:      "three functions",
			title:     "Three functions, and AWS has a bad day",
			story:     "The deploy updated three functions; now AWS throttles the calls for billing, and the response to the move of worker is lost.",
			point:     "All three move back. The lost response must not count as a failure, and must not cause a second move.",
			functions: []function{{"api", 41}, {"worker", 6}, {"billing", 17}},
			acts: []act{{
				run: failedDeploy(118, 0, "Move receipts to the worker", "End-to-end test"),
				deploys: []deploy{
					{"api", 4 * minute, 1, nil, 0},
					{"worker", 3*minute + 30*second, 1, nil, 0},
					{"billing", 3 * minute, 1, nil, 0},
				},
				trouble: []trouble{
					{emulator.Match{Function: "billing", Operation: "GetFunctionConfiguration"}, emulator.Throttle(0).Times(3)},
					{emulator.Match{Function: "worker", Operation: "UpdateAlias", Qualifier: "live"}, emulator.LostAnswer().Times(1)},
				},
				want: want{
					status: report.RolledBack, reason: report.PreviousVersion,
					serves: []string{"41", "6", "17"},
					remembers: []string{
						"41 rejected=42@118 run=118/1 by=rollback",
						"6 rejected=7@118 run=118/1 by=rollback",
						"17 rejected=18@118 run=118/1 by=rollback",
					},
				},
			}},
		},
		{
			name:      "chosen by hand",
			title:     "By hand: a person chooses the version",
			story:     "No deploy failed, but totals are wrong since version 41; an engineer starts the rollback workflow and asks for 40.",
			point:     "The alias moves to 40, because the engineer chose it, and not to the previous version.",
			functions: []function{{"checkout-api", 42}},
			acts: []act{{
				run: run{
					number: 107, event: "workflow_dispatch", workflow: "Roll back by hand", actor: "mona",
					commit: "Sort the shopping basket", began: 30 * second,
					jobs: []job{{name: "rollback", from: 10 * second}},
				},
				inputs: map[string]string{"target-version": "40"},
				want: want{
					status: report.RolledBack, reason: report.Chosen,
					serves: []string{"40"}, remembers: []string{"40 rejected=42 run=107/1 by=rollback"},
				},
			}},
		},
		{
			name:      "a snapshot",
			title:     "A pipeline that promotes, with a snapshot",
			story:     "A job recorded the live version (41) before the deploy. The deploy then promoted 39, an old build, by mistake, and its test failed.",
			point:     "By its number and time, 39 does not belong to this run. The snapshot shows that it does: the alias moves back to 41.",
			functions: api,
			acts: []act{
				{
					run: run{
						number: 118, commit: "Promote the build of Tuesday", actor: "mona", began: 10 * minute,
						jobs: []job{{name: "tests", from: 10*minute - 5*second, to: 7 * minute, result: "success"}, {name: "snapshot", from: 6 * minute}},
					},
					inputs: map[string]string{"command": "snapshot"},
					want:   want{status: report.Taken, serves: []string{"41"}, remembers: []string{"41 rejected= run=118/1 by=snapshot"}},
				},
				{
					run:     firstBad.further("Promote the build of Tuesday"),
					deploys: []deploy{{function: "checkout-api", promotes: 39}},
					want: want{
						status: report.RolledBack, reason: report.Snapshot,
						serves: []string{"41"}, remembers: []string{"41 rejected=39@118 run=118/1 by=rollback"},
					},
				},
			},
		},
		{
			name:      "site and function",
			title:     "The deploy wrote a broken site and a broken function",
			story:     "The deploy uploaded a new page with its script to S3, then published version 42; its test failed.",
			point:     "Both are rolled back in one step: the page is restored, the new script gets a delete marker, and the alias moves to 41. No object version is deleted.",
			functions: api,
			site:      map[string]string{"www/index.html": "good page", "www/app.1.js": "good script"},
			acts: []act{{
				run:     firstBad,
				deploys: []deploy{{"checkout-api", 3 * minute, 1, newCurrency, 0}},
				uploads: map[string]string{"www/index.html": "broken page", "www/app.2.js": "broken script"},
				inputs:  map[string]string{"site-bucket": siteBucket, "site-prefix": "www/"},
				want: want{
					status: report.RolledBack, reason: report.PreviousVersion,
					serves: []string{"41"}, remembers: []string{"41 rejected=42@118 run=118/1 by=rollback"},
					site: map[string]string{"www/index.html": "good page", "www/app.1.js": "good script"},
				},
			}},
		},
		{
			name:      "a check",
			title:     "Ahead of time: would a rollback work?",
			story:     "The first step of a deploy checks whether a rollback would work. Version 41 is live, 40 was deleted, and the role lacks lambda:UpdateAlias.",
			point:     "The check changes nothing, and the step fails before the deploy, not during a rollback at night.",
			functions: api,
			acts: []act{{
				run: run{
					number: 118, commit: "Charge cards in the buyer's currency", actor: "mona", began: 30 * second,
					jobs: []job{{name: "deploy-production", from: 20 * second}},
				},
				deletes: []int64{40},
				inputs:  map[string]string{"command": "check"},
				trouble: []trouble{{emulator.Match{Operation: "UpdateAlias"}, emulator.Deny()}},
				want:    want{exit: 1, status: report.NotReady, reason: report.AccessDenied, serves: []string{"41"}, remembers: []string{""}, wouldGo: "39"},
			}},
		},
		{
			name:      "a drill in staging",
			title:     "A drill in staging",
			story:     "Every Monday, a workflow rehearses a rollback in staging: it moves the alias back, checks, moves it forward again, and checks.",
			point:     "The alias is where it was before, nothing is recorded as rejected, and the result has the times of both moves.",
			functions: api,
			acts: []act{{
				run: run{
					number: 12, event: "workflow_dispatch", workflow: "Rollback drill", actor: "mona", commit: "Sort the shopping basket", began: 30 * second,
					jobs: []job{{name: "drill", from: 20 * second}},
				},
				inputs: map[string]string{"command": "drill", "environment": "staging"},
				well:   []int64{40, 41},
				want: want{
					status: report.Drilled, healthy: "true",
					serves: []string{"41"}, through: []string{"40", "41"}, remembers: []string{""},
				},
			}},
		},
		{
			name:      "a list",
			title:     "What versions there are",
			story:     "An engineer wants to see the versions before choosing one. Version 40 was rejected by run 77.",
			point:     "The list shows, newest first, which version is live, which were rejected, which one a rollback would choose, and what differs. Nothing changes.",
			functions: api,
			acts: []act{{
				run: run{
					number: 13, event: "workflow_dispatch", workflow: "List versions", actor: "mona", commit: "Sort the shopping basket", began: 30 * second,
					jobs: []job{{name: "list", from: 20 * second}},
				},
				others: []run{failedDeploy(77, 48*hour, "Round totals", "Smoke test")},
				memory: "40 rejected=40@18000000077",
				inputs: map[string]string{"command": "list", "list-limit": "5"},
				want:   want{status: report.Listed, serves: []string{"41"}, remembers: []string{"40 rejected=40@077"}},
			}},
		},
		{
			name:      "notifications",
			title:     "People are told",
			story:     "A bad deploy as in the first scene. Slack, Teams and email are configured, and production recovers.",
			point:     "Slack receives a message when the alias has moved, and a reply in the same thread when production has recovered. The other channels receive one message each.",
			functions: api,
			acts: []act{{
				run:     firstBad,
				deploys: []deploy{{"checkout-api", 3 * minute, 1, newCurrency, 0}},
				well:    []int64{41},
				told:    []string{people.SlackBot, people.Email, people.Teams},
				want: want{
					status: report.RolledBack, reason: report.PreviousVersion, healthy: "true",
					serves: []string{"41"}, remembers: []string{"41 rejected=42@118 run=118/1 by=rollback"},
				},
			}},
		},
		{
			name:      "not allowed",
			title:     "AWS says no",
			story:     "A bad deploy as in the first scene, but the role of the rollback job lacks the permission lambda:UpdateAlias.",
			point:     "The alias cannot be moved. The step fails, and says what is missing and how to roll back by hand.",
			functions: api,
			acts: []act{{
				run:     firstBad,
				deploys: []deploy{{"checkout-api", 3 * minute, 1, newCurrency, 0}},
				trouble: []trouble{{emulator.Match{Operation: "UpdateAlias"}, emulator.Deny()}},
				told:    []string{people.SlackWebhook},
				want: want{
					exit: 1, status: report.Failed, reason: report.AccessDenied,
					serves: []string{"42"}, remembers: []string{""},
				},
			}},
		},
	}
}

// newCurrency is what the bad deploy changes beside the code.
func newCurrency(v *emulator.Version) {
	v.MemorySize = 256
	v.Environment = map[string]string{"RATES_URL": "https://rates.example/v2"}
}

// further is the run after some of its jobs have ended, under another commit.
func (r run) further(commit string) run {
	r.goesOn, r.commit = true, commit
	return r
}

// withOwnJob is the run with its last job started so long ago: it had to wait
// for a runner.
func (r run) withOwnJob(ago time.Duration) run {
	r.jobs = slices.Clone(r.jobs)
	r.jobs[len(r.jobs)-1].from = ago
	return r
}
