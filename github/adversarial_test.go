package github_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/org/lambda-rollback-action/github"
	"github.com/org/lambda-rollback-action/rollback/report"
)

// Inputs by somebody who had not written the rules.
func TestHowFarAnEventIsBelieved(t *testing.T) {
	t.Parallel()
	run := func(event, branch string) github.Event {
		return deployRun(t, map[string]any{"workflow_run.event": event, "workflow_run.head_branch": branch})
	}
	merged := func(name string, head map[string]any) github.Event {
		return pullRequest(t, name, map[string]any{"pull_request": map[string]any{"merged": true, "head": map[string]any{"ref": "feature", "repo": head}}})
	}
	own, fork := map[string]any{"full_name": "octo-org/octo-repo", "id": 300029405}, map[string]any{"full_name": "mallory/octo-repo", "id": 666}
	failed := needs("deploy=failure")
	const sha = "f95f852bd8fca8fcc58a9a2d6c842781e32a215e"
	for name, tt := range map[string]struct {
		event    github.Event
		branches []string
		ref      string // GITHUB_REF
		needs    github.Needs
		told     []string      // what the API says of a name or a commit; nil: it does not answer
		want     report.Reason // of a refusal; empty: it acts
		look     bool
	}{
		// What started it.
		"a run of a review of a pull request from main":           {run("pull_request_review", "main"), nil, "", nil, nil, report.BranchNotAllowed, false},
		"a run of an event that GitHub does not have":             {run("teapot", "main"), nil, "", nil, nil, report.BranchNotAllowed, false},
		"a run of a schedule":                                     {run("schedule", "main"), nil, "", nil, nil, "", false},
		"a run of a comment on an issue":                          {run("issue_comment", "main"), nil, "", nil, nil, "", false},
		"a run of a merge queue":                                  {run("merge_group", "gh-readonly-queue/main/pr-7-"+sha), nil, "", nil, []string{}, report.BranchNotAllowed, false},
		"a merge queue's own run, where its branches are allowed": {event(t, "merge_group", "schedule", nil), []string{"gh-readonly-queue/main/*"}, "refs/heads/gh-readonly-queue/main/pr-7-" + sha, failed, nil, "", false},
		"a pull request that is merged deploys":                   {merged("pull_request", own), nil, "refs/heads/main", failed, nil, "", false},
		"a fork's pull request that is merged":                    {merged("pull_request_target", fork), nil, "refs/heads/main", failed, nil, report.UntrustedFork, true},
		"a review comment of a fork":                              {pullRequest(t, "pull_request_review_comment", map[string]any{"pull_request": map[string]any{"merged": false, "head": map[string]any{"ref": "main", "repo": fork}}}), nil, "refs/heads/main", failed, nil, report.UntrustedFork, false},
		"a release":                                               {event(t, "release", "schedule", nil), []string{"refs/tags/v*"}, "refs/tags/v2", failed, nil, "", false},
		"a release, where only main may":                          {event(t, "release", "schedule", nil), nil, "refs/tags/v2", failed, nil, report.BranchNotAllowed, true},
		"a called workflow of a push: the caller's event":         {event(t, "push", "push", nil), nil, "refs/heads/main", failed, nil, "", false},

		// Tags.
		"a run of a tag that a branch is called as": {run("push", "v2"), []string{"refs/tags/v*"}, "", nil, []string{"refs/heads/v2"}, report.BranchNotAllowed, false},
		"a run of a tag": {run("push", "v2"), []string{"refs/tags/v*"}, "", nil, []string{"refs/tags/v2"}, "", false},
		"a run of a tag that is main's name, main allowed":  {run("push", "main"), []string{"main", "refs/tags/v*"}, "", nil, nil, "", false},
		"a run of a tag, where only branches may":           {run("push", "v2"), []string{"v*"}, "", nil, []string{"refs/tags/v2"}, report.BranchNotAllowed, true},
		"a run of a tag with a slash":                       {run("push", "api/v2"), []string{"refs/tags/api/v*"}, "", nil, []string{"refs/tags/api/v2"}, "", false},
		"a run of a tag with a slash, and no slash allowed": {run("push", "api/v2"), []string{"refs/tags/*"}, "", nil, nil, report.BranchNotAllowed, false},
		"a release's run is of a tag":                       {run("release", "main"), nil, "", nil, nil, report.BranchNotAllowed, true},
		"a deployment of a full tag":                        {deployment(t, map[string]any{"deployment.ref": "refs/tags/v2"}), []string{"refs/tags/v*"}, "", nil, nil, "", false},
		"a deployment of a commit cut short":                {deployment(t, map[string]any{"deployment.ref": sha[:8], "deployment.sha": sha}), nil, "", nil, []string{"refs/heads/main"}, "", false},
		"a deployment of a commit in upper case":            {deployment(t, map[string]any{"deployment.ref": "F95F852BD8FCA8FCC58A9A2D6C842781E32A215E"}), nil, "", nil, nil, report.BranchNotAllowed, true},
		"a deployment of a commit of no allowed branch":     {deployment(t, map[string]any{"deployment.ref": sha}), nil, "", nil, []string{}, report.BranchNotAllowed, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := judged(tt.event, func(tr *github.Trigger) {
				if tt.branches != nil {
					tr.Branches = tt.branches
				}
				tr.Context.Ref, tr.Needs, tr.JobsAsked = tt.ref, tt.needs, true
				if tt.told != nil {
					tr.Ref = &github.RefAnswer{Refs: tt.told}
				}
			})
			assert.Nil(t, got.AskRef)
			assert.Equal(t, tt.want == "", got.Act, got.Message)
			assert.Equal(t, tt.want, got.Reason, got.Message)
			assert.Equal(t, tt.look, got.Attention, got.Message)
		})
	}
}

func TestWhatWasCancelled(t *testing.T) {
	t.Parallel()
	push := event(t, "push", "push", nil)
	for name, tt := range map[string]struct {
		event     github.Event
		results   []string
		count     []string
		needs     github.Needs
		jobs      []report.Job
		act       bool
		cancelled bool
	}{
		"a job that does not count was cancelled":             {push, nil, []string{"deploy"}, needs("deploy=success", "lint=cancelled"), nil, false, false},
		"the deploy was cancelled, and a lint failed":         {push, nil, []string{"deploy"}, needs("deploy=cancelled", "lint=failure"), nil, false, true},
		"another leg of the rollback's matrix was cancelled":  {push, nil, nil, nil, []report.Job{ended("deploy", "success"), ended("rollback (api)", "cancelled"), ownJob("rollback (worker)")}, false, false},
		"the deploy timed out by the API":                     {push, nil, nil, nil, []report.Job{ended("deploy", "timed_out"), ownJob("rollback")}, true, false},
		"cancelled alone counts, and one job timed out":       {push, []string{"cancelled"}, nil, nil, []report.Job{ended("deploy", "timed_out"), ownJob("rollback")}, false, false},
		"a run was cancelled, and its deploy had succeeded":   {deployRun(t, map[string]any{"workflow_run.conclusion": "cancelled"}), []string{"cancelled"}, []string{"deploy"}, nil, []report.Job{ended("deploy", "success"), ended("docs", "cancelled")}, false, false},
		"a run was cancelled, and its deploy was, and counts": {deployRun(t, map[string]any{"workflow_run.conclusion": "cancelled"}), []string{"cancelled"}, []string{"deploy"}, nil, []report.Job{ended("deploy", "cancelled")}, true, false},
		"a run went stale": {deployRun(t, map[string]any{"workflow_run.conclusion": "stale"}), []string{"failure", "cancelled"}, nil, nil, nil, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := judged(tt.event, func(tr *github.Trigger) {
				tr.FailedResults, tr.DeployJobs, tr.Needs, tr.Jobs, tr.JobsAsked = tt.results, tt.count, tt.needs, tt.jobs, true
			})
			assert.Equal(t, tt.act, got.Act, got.Message)
			assert.Equal(t, tt.cancelled, got.Cancelled, got.Message)
		})
	}
}
