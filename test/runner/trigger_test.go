package runner_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/test/emulator"
)

// TestTriggers: what starts the workflow decides, before any call to AWS.
func TestTriggers(t *testing.T) {
	t.Parallel()
	const (
		acts  = "rolled-back/previous-version"
		head  = "f00df00df00df00df00df00df00df00df00df00d"
		newer = "beefbeefbeefbeefbeefbeefbeefbeefbeefbeef"
	)
	// failed adds the run that a workflow_run or deployment_status is about.
	failed := func(s *scene, run map[string]any, conclusion string) {
		run["id"], run["conclusion"], run["head_branch"] = s.run.ID, conclusion, "main"
		run["created_at"], run["run_started_at"] = s.run.CreatedAt, s.run.CreatedAt
		run["workflow_id"], run["run_number"] = s.run.WorkflowID, s.run.Number
	}
	workflowRun := func(conclusion string, change func(payload, run map[string]any)) func(*scene, *step) {
		return func(s *scene, st *step) {
			payload := example(s.tb, "workflow_run")
			run := object(payload, "workflow_run")
			failed(s, run, conclusion)
			if change != nil {
				change(payload, run)
			}
			// The own run is another one, on the default branch.
			st.event("workflow_run", payload).input("needs", "").set("GITHUB_RUN_ID", "8001").set("GITHUB_JOB", "rollback")
			s.finished()
		}
	}
	deployment := func(state, environment, ref string) func(*scene, *step) {
		return func(s *scene, st *step) {
			payload := example(s.tb, "deployment_status")
			object(payload, "deployment_status")["state"] = state
			object(payload, "deployment_status")["environment"] = environment
			d := object(payload, "deployment")
			d["environment"], d["ref"], d["created_at"] = environment, ref, s.ago(9*time.Minute)
			st.event("deployment_status", payload).input("needs", "").set("GITHUB_RUN_ID", "8001")
		}
	}
	needs := func(jobs ...string) func(*scene, *step) {
		return func(_ *scene, st *step) {
			var entries []string
			for pair := range slices.Chunk(jobs, 2) {
				entries = append(entries, fmt.Sprintf(`%q:{"result":%q}`, pair[0], pair[1]))
			}
			st.input("needs", "{"+strings.Join(entries, ",")+"}")
		}
	}
	cancelled := func(s *scene) {
		require.NoError(s.tb, s.GitHub.ChangeRun(repository, s.run.ID, func(r *emulator.WorkflowRun) {
			r.Jobs[0].Conclusion, r.Jobs[0].Steps = "cancelled", nil
		}))
	}
	for name, c := range map[string]struct {
		put  func(*scene, *step)
		want string
	}{
		"push, the deploy failed": {needs("deploy", "failure"), acts},
		"push, nothing failed":    {needs("deploy", "success", "lint", "skipped"), "skipped/no-failure"},
		"push, cancelled only":    {needs("deploy", "cancelled"), "skipped/no-failure"},
		"push, another branch":    {func(_ *scene, st *step) { st.set("GITHUB_REF", "refs/heads/feature") }, "skipped/branch-not-allowed"},
		"push of a tag":           {func(_ *scene, st *step) { st.set("GITHUB_REF", "refs/tags/main") }, "skipped/branch-not-allowed"},
		"pull request": {func(_ *scene, st *step) {
			st.event("pull_request", map[string]any{}).set("GITHUB_REF", "refs/pull/1/merge")
		}, "skipped/branch-not-allowed"},
		"push, a pattern of branches": {func(_ *scene, st *step) {
			st.set("GITHUB_REF", "refs/heads/release/1").input("branch", "main, release/*")
		}, acts},
		"push, a job that does not count failed": {func(s *scene, st *step) {
			needs("lint", "failure", "deploy", "success")(s, st)
			st.input("deploy-job", "deploy")
		}, "skipped/no-failure"},
		"push without needs, a job failed by the API": {func(_ *scene, st *step) { st.input("needs", "") }, acts},
		"push without needs, none failed by the API": {func(s *scene, st *step) {
			st.input("needs", "")
			require.NoError(s.tb, s.GitHub.ChangeRun(repository, s.run.ID, func(r *emulator.WorkflowRun) {
				r.Jobs[0].Conclusion, r.Jobs[0].Steps = "success", nil
			}))
		}, "skipped/no-failure"},
		"push without needs, the API does not tell": {func(s *scene, st *step) { st.input("needs", ""); s.GitHub.WithholdActionsRead(true) }, acts},
		"push without needs, a job beside the deploy failed": {func(_ *scene, st *step) {
			st.inputs(map[string]string{"needs": "", "deploy-job": "another"})
		}, "skipped/no-failure"},
		"push without needs, the deploy job failed": {func(_ *scene, st *step) {
			st.inputs(map[string]string{"needs": "", "deploy-job": "deploy"})
		}, acts},
		"push, cancelled counts": {func(s *scene, st *step) {
			needs("deploy", "cancelled")(s, st)
			st.input("failed-results", "failure, cancelled")
		}, acts},
		"push without needs, the API tells that the deploy was cancelled, which counts": {func(s *scene, st *step) {
			st.inputs(map[string]string{"needs": "", "failed-results": "failure, cancelled"})
			cancelled(s)
		}, acts},
		"push of a tag that is allowed": {func(_ *scene, st *step) { st.set("GITHUB_REF", "refs/tags/v1").input("branch", "refs/tags/v*") }, acts},
		"schedule, the deploy failed":   {func(s *scene, st *step) { st.event("schedule", example(s.tb, "schedule")) }, acts},

		"workflow_run failed":                                 {workflowRun("failure", nil), acts},
		"workflow_run timed out":                              {workflowRun("timed_out", nil), acts},
		"workflow_run of a pull request whose branch is main": {workflowRun("failure", func(_, run map[string]any) { run["event"] = "pull_request" }), "skipped/branch-not-allowed"},
		"workflow_run behind a green gate": {func(s *scene, st *step) {
			workflowRun("failure", nil)(s, st)
			needs("gate", "success")(s, st)
		}, acts},
		"workflow_run succeeded": {workflowRun("success", nil), "skipped/no-failure"},
		"workflow_run cancelled": {workflowRun("cancelled", nil), "skipped/no-failure"},
		"workflow_run cancelled in its deploy, which counts": {func(s *scene, st *step) {
			workflowRun("cancelled", nil)(s, st)
			st.input("failed-results", "failure, cancelled")
			cancelled(s)
		}, acts},
		"workflow_run without a conclusion": {workflowRun("failure", func(p, run map[string]any) {
			p["action"], run["conclusion"] = "requested", nil
		}), "skipped/no-failure"},
		"workflow_run of another branch": {workflowRun("failure", func(_, run map[string]any) { run["head_branch"] = "feature" }), "skipped/branch-not-allowed"},
		"workflow_run of a fork whose branch is main": {workflowRun("failure", func(_, run map[string]any) {
			run["head_repository"] = map[string]any{"id": 1, "full_name": "mallory/octo-repo"}
		}), "skipped/untrusted-fork"},
		"workflow_run of a fork that is gone":     {workflowRun("failure", func(_, run map[string]any) { run["head_repository"] = nil }), "skipped/untrusted-fork"},
		"workflow_run of a fork with a like name": {workflowRun("failure", func(_, run map[string]any) { object(run, "head_repository")["id"] = 1 }), "skipped/untrusted-fork"},

		"workflow_run with odd fields that nothing needs": {workflowRun("failure", func(p, run map[string]any) {
			object(p, "repository")["topics"], object(p, "repository")["size"] = map[string]any{}, 1.5
			object(p, "sender")["id"], object(p, "workflow")["updated_at"] = "x", "never"
			run["pull_requests"], run["run_attempt"], run["updated_at"] = map[string]any{}, "x", "never"
		}), acts},
		"workflow_run with an odd head repository": {workflowRun("failure", func(_, run map[string]any) {
			object(run, "head_repository")["id"] = "x"
		}), "skipped/branch-not-allowed"},

		"deployment failed":                 {deployment("failure", "production", "main"), acts},
		"deployment in error":               {deployment("error", "Production", "main"), acts},
		"deployment succeeded":              {deployment("success", "production", "main"), "skipped/no-failure"},
		"deployment under way":              {deployment("in_progress", "production", "main"), "skipped/no-failure"},
		"deployment to another environment": {deployment("failure", "staging", "main"), "skipped/environment-mismatch"},
		"deployment of another branch":      {deployment("failure", "production", "feature"), "skipped/branch-not-allowed"},
		"deployment of a commit":            {deployment("failure", "production", head), "skipped/branch-not-allowed"},
		"deployment of the head of main": {func(s *scene, st *step) {
			deployment("failure", "production", head)(s, st)
			s.GitHub.AddRef(repository, "refs/heads/main", head)
		}, acts},
		"deployment of a commit in main's history": {func(s *scene, st *step) {
			deployment("failure", "production", head)(s, st)
			s.GitHub.AddRef(repository, "refs/heads/main", head, newer)
		}, acts},
		"deployment of a commit ahead of main": {func(s *scene, st *step) {
			deployment("failure", "production", newer)(s, st)
			s.GitHub.AddRef(repository, "refs/heads/main", head)
			s.GitHub.AddRef(repository, "refs/heads/feature", head, newer)
		}, "skipped/branch-not-allowed"},
		"deployment of the commit of a tag": {func(s *scene, st *step) {
			deployment("failure", "production", head)(s, st)
			st.input("branch", "refs/tags/v*")
			s.GitHub.AddRef(repository, "refs/tags/v1.2", head)
		}, acts},
		"deployment of the commit of a branch, where tags may": {func(s *scene, st *step) {
			deployment("failure", "production", head)(s, st)
			st.input("branch", "refs/tags/v*")
			s.GitHub.AddRef(repository, "refs/heads/v1.2", head)
		}, "skipped/branch-not-allowed"},
		"deployment of a name that is a tag, where branches may": {func(s *scene, st *step) {
			deployment("failure", "production", "release/1")(s, st)
			st.input("branch", "release/*")
			s.GitHub.AddRef(repository, "refs/tags/release/1", head)
		}, "skipped/branch-not-allowed"},
		"deployment of a name that is a branch with a slash": {func(s *scene, st *step) {
			deployment("failure", "production", "release/1")(s, st)
			st.input("branch", "release/*")
			s.GitHub.AddRef(repository, "refs/heads/release/1", head)
		}, acts},
		"deployment of a commit, and the token may not read contents": {func(s *scene, st *step) {
			deployment("failure", "production", head)(s, st)
			s.GitHub.AddRef(repository, "refs/heads/main", head)
			s.GitHub.GrantOnly("actions")
		}, acts},

		"by hand": {func(s *scene, st *step) {
			st.event("workflow_dispatch", example(s.tb, "workflow_dispatch")).inputs(map[string]string{"needs": "", "only-if-deployed": "false"})
		}, acts},
		"by hand, in a run that deployed well": {func(s *scene, st *step) {
			st.event("workflow_dispatch", example(s.tb, "workflow_dispatch")).inputs(map[string]string{"needs": "", "only-if-deployed": "false"})
			require.NoError(s.tb, s.GitHub.ChangeRun(repository, s.run.ID, func(r *emulator.WorkflowRun) {
				r.Jobs[0].Conclusion, r.Jobs[0].Steps = "success", nil
			}))
		}, "skipped/no-failure"},
		"by hand, with a version behind a green gate": {func(s *scene, st *step) {
			st.event("workflow_dispatch", example(s.tb, "workflow_dispatch")).input("target-version", "1")
			needs("gate", "success")(s, st)
		}, "rolled-back/chosen"},
		"by hand, on another branch": {func(s *scene, st *step) {
			st.event("workflow_dispatch", example(s.tb, "workflow_dispatch")).input("needs", "").set("GITHUB_REF", "refs/heads/feature")
		}, "skipped/branch-not-allowed"},
		"by hand, but nothing failed": {func(s *scene, st *step) {
			st.event("workflow_dispatch", example(s.tb, "workflow_dispatch"))
			needs("deploy", "success")(s, st)
		}, "skipped/no-failure"},
		"by another system": {func(s *scene, st *step) {
			st.event("repository_dispatch", example(s.tb, "repository_dispatch")).inputs(map[string]string{"needs": "", "only-if-deployed": "false"})
		}, acts},
		"a version chosen on a push": {func(_ *scene, st *step) { st.inputs(map[string]string{"needs": "", "target-version": "1"}) }, "rolled-back/chosen"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			f := s.function("api", 3)
			st := s.step()
			c.put(s, st)
			o := st.run()
			assert.Equal(t, c.want, o.ended(), o.outputs["message"])
			assert.Equal(t, 0, o.code)
			if o.status() == "skipped" {
				if strings.Contains(o.outputs["message"], "time limit") { // whether it moved the alias is read
					assert.Empty(t, s.mutations())
				} else {
					s.untouched(t)
				}
				assert.Equal(t, "3", f.Serving("live"))
			}
		})
	}
}

// A deploy that was cancelled does not count, unasked; but it can have moved the alias.
func TestACancelledDeployThatMovedTheAliasIsAWarning(t *testing.T) {
	t.Parallel()
	cancelled := func(s *scene) {
		require.NoError(s.tb, s.GitHub.ChangeRun(repository, s.run.ID, func(r *emulator.WorkflowRun) {
			r.Jobs[0].Conclusion, r.Jobs[0].Steps = "cancelled", nil
		}))
	}
	for name, c := range map[string]struct {
		needs string
		put   func(*scene, *emulator.Function)
		warns bool
	}{
		"it moved the alias":              {`{"deploy":{"result":"cancelled"}}`, func(*scene, *emulator.Function) {}, true},
		"it moved the alias, by no needs": {"", func(*scene, *emulator.Function) {}, true},
		"it did not reach the alias": {`{"deploy":{"result":"cancelled"}}`, func(s *scene, f *emulator.Function) {
			require.NoError(s.tb, f.SetAlias("live", 2, nil))
		}, false},
		"AWS does not answer": {`{"deploy":{"result":"cancelled"}}`, func(s *scene, _ *emulator.Function) {
			s.Fault(emulator.Match{Service: emulator.ServiceLambda}, emulator.Deny())
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			f := s.function("api", 3)
			cancelled(s)
			c.put(s, f)
			o := s.step().input("needs", c.needs).run()
			assert.Equal(t, "skipped/no-failure", o.ended(), o.outputs["message"])
			assert.Equal(t, 0, o.code)
			assert.Empty(t, s.mutations())
			assert.Equal(t, c.warns, strings.Contains(o.stdout, "::warning title=Lambda rollback::"), o.stdout)
			if c.warns {
				assert.Contains(t, o.outputs["message"], "api:live is on version 3, which this run appears to have deployed")
				assert.Contains(t, o.outputs["message"], "target-version 2")
			}
		})
	}
}

// A deploy that failed where it is not allowed stays, and somebody must know.
func TestAFailedDeployOfAnotherBranchIsAWarning(t *testing.T) {
	t.Parallel()
	for result, want := range map[string]bool{"failure": true, "success": false} {
		s := newScene(t)
		s.function("api", 2)
		o := s.step().set("GITHUB_REF", "refs/heads/feature").input("needs", `{"deploy":{"result":"`+result+`"}}`).run()
		assert.Equal(t, "skipped/branch-not-allowed", o.ended())
		assert.Equal(t, want, strings.Contains(o.stdout, "::warning title=Lambda rollback::The branch"), o.stdout)
	}
}

// finished lets the failed run be over, as it is when a workflow_run tells of it.
func (s *scene) finished() {
	s.tb.Helper()
	require.NoError(s.tb, s.GitHub.ChangeRun(repository, s.run.ID, func(r *emulator.WorkflowRun) {
		r.Status, r.Conclusion = "completed", "failure"
		r.Jobs = r.Jobs[:1]
	}))
}

// A target for some functions asks for those alone. The others need a failed deploy.
func TestATargetAsksForItsFunctionOnly(t *testing.T) {
	t.Parallel()
	const left = "was left on version 3: target-version names no version for it"
	for name, c := range map[string]struct {
		event  string
		failed bool // the deploy of the run
		inputs map[string]string
		worker string // the version that it serves
		given  func(*scene)
	}{
		"a dispatch, and no other job": {event: "workflow_dispatch", inputs: map[string]string{"only-if-deployed": "false"}, worker: "3", given: func(s *scene) {
			require.NoError(t, s.GitHub.ChangeRun(repository, s.run.ID, func(r *emulator.WorkflowRun) { r.Jobs = r.Jobs[1:] }))
		}},
		"a dispatch, and GitHub is down": {event: "workflow_dispatch", inputs: map[string]string{"only-if-deployed": "false"}, worker: "3", given: func(s *scene) {
			s.Fault(emulator.Match{Service: emulator.ServiceGitHub}, emulator.Status(503, "", "down"))
		}},
		"a dispatch":                     {event: "workflow_dispatch", failed: false, inputs: nil, worker: "3"},
		"a dispatch, with needs":         {event: "workflow_dispatch", failed: false, inputs: map[string]string{"needs": `{"deploy":{"result":"success"}}`}, worker: "3"},
		"a push":                         {event: "push", failed: false, inputs: nil, worker: "3"},
		"a dispatch, whoever deployed":   {event: "workflow_dispatch", failed: false, inputs: map[string]string{"only-if-deployed": "false"}, worker: "3"},
		"a dispatch, all or nothing":     {event: "workflow_dispatch", failed: false, inputs: map[string]string{"all-or-nothing": "true", "only-if-deployed": "false"}, worker: "3"},
		"a dispatch whose deploy failed": {event: "workflow_dispatch", failed: true, inputs: map[string]string{"only-if-deployed": "false"}, worker: "2"},
		"a push whose deploy failed":     {event: "push", failed: true, inputs: nil, worker: "2"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			api, worker := s.function("api", 3), s.function("worker", 3)
			if !c.failed {
				require.NoError(t, s.GitHub.ChangeRun(repository, s.run.ID, func(r *emulator.WorkflowRun) {
					r.Jobs[0].Conclusion, r.Jobs[0].Steps = "success", nil
				}))
			}
			if c.given != nil {
				c.given(s)
			}
			st := s.step().inputs(map[string]string{"function-name": "api\nworker", "needs": "", "target-version": "api=2"}).inputs(c.inputs)
			if c.event != "push" {
				st.event(c.event, map[string]any{})
			}
			o := st.run()
			assert.Equal(t, "rolled-back", o.status(), o.outputs["message"])
			assert.Equal(t, 0, o.code)
			assert.Equal(t, "2", api.Serving("live"))
			assert.Equal(t, c.worker, worker.Serving("live"))
			results := o.results(t)
			require.Len(t, results, 2)
			assert.Equal(t, "chosen", results[0].Reason)
			if c.worker == "3" {
				assert.Equal(t, "no-failure", results[1].Reason)
				assert.Contains(t, results[1].Message, left)
				assert.Empty(t, s.Calls(emulator.Match{Function: "worker", Operation: "CreateAlias"}), "nothing is stored about it")
			}
		})
	}
}
