package github_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/org/lambda-rollback-action/github"
	"github.com/org/lambda-rollback-action/rollback/report"
)

// ended is a finished job of the run.
func ended(name, conclusion string) report.Job {
	return report.Job{Name: name, Status: "completed", Conclusion: conclusion}
}

// ownJob is the job in which the program runs.
func ownJob(name string) report.Job { return report.Job{Name: name, Own: true, Status: "in_progress"} }

// judged is what a trigger on main with one event is judged to be. Questions that
// it asks are answered by nobody, unless the change did.
func judged(e github.Event, change func(*github.Trigger)) github.Verdict {
	trigger := github.Trigger{
		Command: "rollback", Branches: []string{"main"}, Environment: "production", Event: e,
		Context: github.Context{Repository: "octo-org/octo-repo", Ref: "refs/heads/main", RunID: 1, Job: "rollback"},
	}
	change(&trigger)
	return trigger.Judge()
}

// TestARedMarkIsNotAFailedDeploy: what the jobs of the API tell, where the input
// needs is not given.
func TestARedMarkIsNotAFailedDeploy(t *testing.T) {
	t.Parallel()
	push, run := event(t, "push", "push", nil), deployRun(t, nil)
	for name, tt := range map[string]struct {
		event  github.Event
		count  []string
		jobs   []report.Job
		want   report.FailureSource // empty: it does not act
		failed []string
	}{
		"a tolerated lint is red beside a green deploy: only the decision can tell which published": {push, nil, []report.Job{ended("flaky-lint", "failure"), ended("deploy-production", "success"), ownJob("rollback")}, report.FailedByJobs, []string{"flaky-lint"}},
		"a red lint is not the deploy job":                      {push, []string{"deploy-production"}, []report.Job{ended("flaky-lint", "failure"), ended("deploy-production", "success"), ownJob("rollback")}, "", nil},
		"the deploy job is red":                                 {push, []string{"deploy"}, []report.Job{ended("lint", "success"), ended("deploy", "failure"), ownJob("rollback")}, report.FailedByDeployJob, []string{"deploy"}},
		"one of the deploy job's matrix is red":                 {push, []string{"deploy"}, []report.Job{ended("deploy (eu)", "failure"), ended("deploy (us)", "success")}, report.FailedByDeployJob, []string{"deploy (eu)"}},
		"one entry of the matrix counts, and another is red":    {push, []string{"deploy (us)"}, []report.Job{ended("deploy (eu)", "failure"), ended("deploy (us)", "success")}, "", nil},
		"the callee of a called workflow is red":                {push, []string{"deploy"}, []report.Job{ended("call / deploy", "failure")}, report.FailedByDeployJob, []string{"call / deploy"}},
		"the matrix of a callee is red":                         {push, []string{"deploy"}, []report.Job{ended("call / deploy (eu, 20)", "failure")}, report.FailedByDeployJob, []string{"call / deploy (eu, 20)"}},
		"the caller names all jobs of the called workflow":      {push, []string{"call"}, []report.Job{ended("call / build", "failure")}, report.FailedByDeployJob, []string{"call / build"}},
		"a callee two workflows down is red":                    {push, []string{"deploy"}, []report.Job{ended("release / call / deploy", "failure")}, report.FailedByDeployJob, []string{"release / call / deploy"}},
		"a display name counts":                                 {push, []string{"Deploy to production"}, []report.Job{ended("Deploy to production", "failure"), ended("deploy", "success")}, report.FailedByDeployJob, []string{"Deploy to production"}},
		"a name that only begins alike does not count":          {push, []string{"deploy"}, []report.Job{ended("deploy-docs", "failure"), ended("deploy", "success")}, "", nil},
		"the deploy job was skipped because the tests failed":   {push, []string{"deploy"}, []report.Job{ended("tests", "failure"), ended("deploy", "skipped")}, "", nil},
		"the deploy job timed out":                              {push, []string{"deploy"}, []report.Job{ended("deploy", "timed_out")}, report.FailedByDeployJob, []string{"deploy"}},
		"a step of the own job failed, which is the deploy job": {push, []string{"deploy"}, []report.Job{{Name: "deploy", Own: true, Status: "in_progress", FailedStep: "Smoke test"}}, report.FailedByDeployJob, []string{"deploy"}},
		"a step of the own job failed, which does not count":    {push, []string{"deploy"}, []report.Job{{Name: "rollback", Own: true, Status: "in_progress", FailedStep: "Log in"}, ended("deploy", "success")}, "", nil},
		"a sibling of the rollback job failed":                  {push, nil, []report.Job{ended("deploy", "success"), ended("rollback (worker)", "failure"), ownJob("rollback (api)")}, "", nil},
		"a sibling failed of a job that deploys and rolls back": {push, nil, []report.Job{ended("deploy (us)", "failure"), {Name: "deploy (eu)", Own: true, Status: "in_progress", FailedStep: "Deploy"}}, report.FailedByJobs, []string{"deploy (us)", "deploy (eu)"}},

		"the approval of the next stage was refused":            {push, nil, []report.Job{ended("deploy", "success"), unstarted("deploy-eu", "failure"), ownJob("rollback")}, "", nil},
		"no runner took the smoke test":                         {push, nil, []report.Job{ended("deploy", "success"), unstarted("smoke", "failure"), ownJob("rollback")}, "", nil},
		"an approval was refused, and another job failed":       {push, nil, []report.Job{ended("deploy", "failure"), unstarted("deploy-eu", "failure"), ownJob("rollback")}, report.FailedByJobs, []string{"deploy"}},
		"the job that deploy-job names was refused":             {push, []string{"deploy-eu"}, []report.Job{ended("deploy", "success"), unstarted("deploy-eu", "failure"), ownJob("rollback")}, report.FailedByDeployJob, []string{"deploy-eu"}},
		"another workflow's run: only its lint is red":          {run, []string{"deploy"}, []report.Job{ended("lint", "failure"), ended("deploy", "success")}, "", nil},
		"another workflow's run: its deploy is red":             {run, []string{"deploy"}, []report.Job{ended("call / deploy (eu)", "failure")}, report.FailedByDeployJob, []string{"call / deploy (eu)"}},
		"another workflow's run: a job called as the own one":   {run, []string{"rollback"}, []report.Job{ended("rollback", "failure")}, report.FailedByDeployJob, []string{"rollback"}},
		"another workflow's run, whose jobs cannot be read":     {run, []string{"deploy"}, nil, report.FailedByRun, nil},
		"another workflow's run, of which no job is known":      {run, nil, nil, report.FailedByRun, nil},
		"another workflow's run succeeded with a tolerated job": {deployRun(t, map[string]any{"workflow_run.conclusion": "success"}), []string{"deploy"}, []report.Job{ended("deploy", "failure")}, "", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := judged(tt.event, func(tr *github.Trigger) { tr.DeployJobs, tr.Jobs, tr.JobsAsked = tt.count, tt.jobs, true })
			assert.Equal(t, tt.want, got.FailedBy)
			assert.Equal(t, tt.failed, got.FailedJobs)
			assert.Equal(t, tt.want != "", got.Act, got.Message)
			if !got.Act {
				assert.Equal(t, report.NoFailure, got.Reason)
			}
			assert.False(t, got.Attention)
		})
	}
}

func TestDeployJobThatTheRunDoesNotHave(t *testing.T) {
	t.Parallel()
	misnamed := func(conclusion string) github.Verdict {
		return judged(event(t, "push", "push", nil), func(tr *github.Trigger) {
			tr.DeployJobs, tr.JobsAsked = []string{"deploy"}, true
			tr.Jobs = []report.Job{ended("Ship it", conclusion), ownJob("rollback")}
		})
	}
	got := misnamed("failure")
	assert.Equal(t, report.NoFailure, got.Reason)
	assert.Equal(t, `No job of the run has a name from the input deploy-job ("deploy"), so the action could not determine whether the deploy failed; GitHub's API lists "Ship it", "rollback".`, got.Message)
	assert.True(t, got.Attention, "a job failed, and it may be the deploy")
	assert.False(t, misnamed("success").Attention)
	asks := judged(deployRun(t, nil), func(tr *github.Trigger) { tr.DeployJobs = []string{"deploy"} })
	assert.Equal(t, github.Verdict{AskJobs: true}, asks, "the jobs of the payload's run are read")
}

// TestAPersonsWord: a dispatch asks for a rollback with a version, or where no
// other job of its run can have deployed.
func TestAPersonsWord(t *testing.T) {
	t.Parallel()
	dispatch, call := event(t, "workflow_dispatch", "workflow_dispatch", nil), event(t, "repository_dispatch", "repository_dispatch", nil)
	own := ownJob("rollback")
	for name, tt := range map[string]struct {
		event github.Event
		needs github.Needs
		count []string
		jobs  []report.Job
		given bool                 // target-version
		want  report.FailureSource // empty: it does not act
	}{
		"a dispatch of a rollback alone":                      {dispatch, nil, nil, []report.Job{own}, false, report.FailedByPerson},
		"a call of a rollback alone":                          {call, nil, nil, []report.Job{own}, false, report.FailedByPerson},
		"a dispatch that deploys and succeeded":               {dispatch, nil, nil, []report.Job{ended("deploy", "success"), own}, false, ""},
		"a call that deploys and succeeded":                   {call, nil, nil, []report.Job{ended("deploy", "success"), own}, false, ""},
		"a dispatch that deploys and failed":                  {dispatch, nil, nil, []report.Job{ended("deploy", "failure"), own}, false, report.FailedByJobs},
		"a dispatch whose deploy was skipped by an input":     {dispatch, nil, nil, []report.Job{ended("deploy", "skipped"), own}, false, report.FailedByPerson},
		"a dispatch whose deploy was cancelled":               {dispatch, nil, nil, []report.Job{ended("deploy", "cancelled"), own}, false, ""},
		"a dispatch of a rollback of two functions":           {dispatch, nil, nil, []report.Job{ended("rollback (api)", "success"), ownJob("rollback (worker)")}, false, report.FailedByPerson},
		"a dispatch with a gate, and deploy-job names no job": {dispatch, nil, []string{"deploy"}, []report.Job{ended("Ship it", "success"), own}, false, ""},
		"a dispatch with a gate, and the deploy was skipped":  {dispatch, nil, []string{"deploy"}, []report.Job{ended("approve", "success"), ended("deploy", "skipped"), own}, false, report.FailedByPerson},
		"a dispatch beside a job that is still at work":       {dispatch, nil, nil, []report.Job{{Name: "watch", Status: "in_progress"}, own}, false, report.FailedByPerson},
		"a dispatch whose jobs cannot be read":                {dispatch, nil, nil, nil, false, report.FailedByWorkflow},
		"a dispatch with a version, though it deployed":       {dispatch, nil, nil, []report.Job{ended("deploy", "success"), own}, true, report.FailedByPerson},
		"a dispatch with a version behind a green gate":       {dispatch, needs("gate=success"), nil, nil, true, report.FailedByPerson},
		"a call with a version behind a green gate":           {call, needs("gate=success"), nil, nil, true, report.FailedByPerson},
		"a dispatch without a version behind green jobs":      {dispatch, needs("gate=success"), nil, nil, false, ""},
		"a push with a version and a green deploy":            {event(t, "push", "push", nil), needs("deploy=success"), nil, nil, true, ""},
		"a schedule with a version":                           {event(t, "schedule", "schedule", nil), nil, nil, nil, true, report.FailedByPerson},
		"a failed run behind a green gate":                    {deployRun(t, nil), needs("gate=success"), nil, nil, false, report.FailedByRun},
		"a failed deployment behind a green gate":             {deployment(t, nil), needs("gate=success"), nil, nil, false, report.FailedByDeployment},
		"a failed run, and the own deploy job is green":       {deployRun(t, nil), needs("deploy=success"), []string{"deploy"}, nil, false, ""},
		"a good run, and the own smoke test failed":           {deployRun(t, map[string]any{"workflow_run.conclusion": "success"}), needs("smoke=failure"), nil, nil, false, report.FailedByNeeds},
		"a good run behind a green gate":                      {deployRun(t, map[string]any{"workflow_run.conclusion": "success"}), needs("gate=success"), nil, nil, false, ""},
		"a good run, and a version was chosen":                {deployRun(t, map[string]any{"workflow_run.conclusion": "success"}), nil, nil, nil, true, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := judged(tt.event, func(tr *github.Trigger) {
				tr.Needs, tr.DeployJobs, tr.Jobs, tr.JobsAsked, tr.TargetGiven = tt.needs, tt.count, tt.jobs, true, tt.given
			})
			assert.Equal(t, tt.want, got.FailedBy, got.Message)
			assert.Equal(t, tt.want != "", got.Act, got.Message)
			if !got.Act {
				assert.Equal(t, report.NoFailure, got.Reason)
			}
		})
	}
}

// TestFailedResults: what was cancelled counts where it is asked for, and is told
// where it is not.
func TestFailedResults(t *testing.T) {
	t.Parallel()
	push, dispatch := event(t, "push", "push", nil), event(t, "workflow_dispatch", "workflow_dispatch", nil)
	run := func(conclusion string) github.Event {
		return deployRun(t, map[string]any{"workflow_run.conclusion": conclusion})
	}
	both := []string{"failure", "cancelled"}
	for name, tt := range map[string]struct {
		event   github.Event
		results []string
		needs   github.Needs
		jobs    []report.Job
		act     bool
		told    bool // that it can be a deploy that was cut off
	}{
		"a deploy was cancelled, and counts":                {push, both, needs("deploy=cancelled"), nil, true, false},
		"a deploy was cancelled, unasked":                   {push, nil, needs("deploy=cancelled"), nil, false, true},
		"cancelled alone counts, and the deploy failed":     {push, []string{"cancelled"}, needs("deploy=failure"), nil, false, false},
		"cancelled alone counts, and the deploy was":        {push, []string{"cancelled"}, needs("deploy=cancelled"), nil, true, false},
		"a failed one beside a cancelled one":               {push, nil, needs("deploy=failure", "site=cancelled"), nil, true, false},
		"a skipped deploy never counts":                     {push, both, needs("tests=success", "deploy=skipped"), nil, false, false},
		"the run was cancelled, and counts":                 {run("cancelled"), both, nil, nil, true, false},
		"the run was cancelled, unasked":                    {run("cancelled"), nil, nil, nil, false, true},
		"the run was skipped":                               {run("skipped"), both, nil, nil, false, false},
		"the run never started":                             {run("startup_failure"), both, nil, nil, false, false},
		"the run timed out, and failure counts":             {run("timed_out"), nil, nil, nil, true, false},
		"the run timed out, and cancelled alone counts":     {run("timed_out"), []string{"cancelled"}, nil, nil, false, false},
		"a cancelled job by the API, and counts":            {push, both, nil, []report.Job{ended("deploy", "cancelled")}, true, false},
		"a cancelled job by the API, unasked":               {push, nil, nil, []report.Job{ended("deploy", "cancelled")}, false, true},
		"a dispatch that deploys and was cancelled, counts": {dispatch, both, nil, []report.Job{ended("deploy", "cancelled"), ownJob("rollback")}, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := judged(tt.event, func(tr *github.Trigger) {
				tr.FailedResults, tr.Needs, tr.Jobs, tr.JobsAsked = tt.results, tt.needs, tt.jobs, true
			})
			assert.Equal(t, tt.act, got.Act, got.Message)
			assert.Equal(t, tt.told, got.Cancelled)
			if tt.told {
				assert.Contains(t, got.Message, "A deploy that was stopped by the time limit of its job also ends as cancelled")
			} else {
				assert.NotContains(t, got.Message, "time limit")
			}
		})
	}
}

// unstarted is a job that no runner ever took.
func unstarted(name, conclusion string) report.Job {
	job := ended(name, conclusion)
	job.NeverRan = true
	return job
}
