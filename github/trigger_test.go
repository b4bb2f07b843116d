package github_test

import (
	"maps"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/org/lambda-rollback-action/github"
	"github.com/org/lambda-rollback-action/rollback/report"
)

// deployRun is a failed workflow_run of the branch main, with some changes.
func deployRun(t *testing.T, changes map[string]any) github.Event {
	t.Helper()
	all := map[string]any{"workflow_run.conclusion": "failure", "workflow_run.head_branch": "main"}
	maps.Copy(all, changes)
	return event(t, "workflow_run", "workflow_run", all)
}

// deployment is a failed deployment of the branch main to production.
func deployment(t *testing.T, changes map[string]any) github.Event {
	t.Helper()
	all := map[string]any{"deployment_status.state": "failure", "deployment.ref": "main"}
	maps.Copy(all, changes)
	return event(t, "deployment_status", "deployment_status", all)
}

func unreadable(name string) github.Event {
	e, _ := github.ReadEvent(name, "event.json", func(string) ([]byte, error) { return nil, os.ErrNotExist })
	return e
}

func needs(results ...string) github.Needs {
	n := github.Needs{}
	for _, result := range results {
		job, state, _ := strings.Cut(result, "=")
		n[job] = github.NeedsJob{Result: state}
	}
	return n
}

func TestJudge(t *testing.T) {
	t.Parallel()
	type change = func(*github.Trigger)
	on := func(e github.Event) change { return func(tr *github.Trigger) { tr.Event = e } }
	ref := func(ref string) change { return func(tr *github.Trigger) { tr.Context.Ref = ref } }
	branches := func(patterns ...string) change { return func(tr *github.Trigger) { tr.Branches = patterns } }
	command := func(name string) change { return func(tr *github.Trigger) { tr.Command = name } }
	given := func(n github.Needs, count ...string) change {
		return func(tr *github.Trigger) { tr.Needs, tr.DeployJobs = n, count }
	}
	target := func(tr *github.Trigger) { tr.TargetGiven = true }
	asked := func(jobs ...report.Job) change {
		return func(tr *github.Trigger) { tr.Jobs, tr.JobsAsked = jobs, true }
	}
	alone := asked(report.Job{Name: "rollback", Own: true, Status: "in_progress"})
	told := func(refs ...string) change {
		return func(tr *github.Trigger) { tr.Ref = &github.RefAnswer{Refs: refs} }
	}
	fork := map[string]any{"workflow_run.head_repository.full_name": "mallory/octo-repo", "workflow_run.head_repository.id": 666}
	push := event(t, "push", "push", nil)

	const act, ask = "act", "ask"
	for name, tt := range map[string]struct {
		changes []change
		want    string // act, ask or the reason of the refusal
		says    string // part of Because or Message
		failed  []string
	}{
		// The branch.
		"push to main":                              {[]change{on(push)}, ask, "", nil},
		"push to another branch":                    {[]change{on(push), ref("refs/heads/feature")}, "branch-not-allowed", `The branch "feature" is not one that the input branch allows ("main")`, nil},
		"push to a branch of a pattern":             {[]change{on(push), ref("refs/heads/release/1"), branches("main", "release/*")}, ask, "", nil},
		"push of a tag called main":                 {[]change{on(push), ref("refs/tags/main")}, "branch-not-allowed", `The tag "main" is not one`, nil},
		"push of a tag, all allowed":                {[]change{on(push), ref("refs/tags/v1"), branches("*")}, ask, "", nil},
		"pull request with all patterns but *":      {[]change{on(pullRequest(t, "pull_request", nil)), ref("refs/pull/1/merge"), branches("**", "pull/*")}, "branch-not-allowed", "not merged", nil},
		"no ref":                                    {[]change{on(push), ref("")}, "branch-not-allowed", `ref ""`, nil},
		"workflow_run: the payload's branch counts": {[]change{on(deployRun(t, nil)), ref("refs/heads/other")}, act, "", nil},
		"workflow_run of another branch":            {[]change{on(deployRun(t, map[string]any{"workflow_run.head_branch": "feature"}))}, "branch-not-allowed", `"feature"`, nil},
		"workflow_run without a branch":             {[]change{on(deployRun(t, map[string]any{"workflow_run.head_branch": nil}))}, "branch-not-allowed", "not on a branch", nil},
		"workflow_run whose branch is odd":          {[]change{on(deployRun(t, map[string]any{"workflow_run.head_branch": "main\n::error::x"}))}, "branch-not-allowed", `"main\n::error::x"`, nil},
		"deployment of another branch":              {[]change{on(deployment(t, map[string]any{"deployment.ref": "feature"}))}, "branch-not-allowed", `"feature"`, nil},
		"deployment of a full ref":                  {[]change{on(deployment(t, map[string]any{"deployment.ref": "refs/heads/main"})), ref("")}, act, "", nil},
		"deployment of a tag called main":           {[]change{on(deployment(t, map[string]any{"deployment.ref": "refs/tags/main"}))}, "branch-not-allowed", `The tag "main"`, nil},
		"deployment of a commit":                    {[]change{on(deployment(t, map[string]any{"deployment.ref": "f95f852bd8fca8fcc58a9a2d6c842781e32a215e"})), told()}, "branch-not-allowed", "f95f852", nil},
		"needs never open another branch":           {[]change{on(push), ref("refs/heads/feature"), given(needs("deploy=failure"))}, "branch-not-allowed", "", nil},
		"a chosen target opens no other branch":     {[]change{on(event(t, "workflow_dispatch", "workflow_dispatch", nil)), ref("refs/heads/feature"), target}, "branch-not-allowed", "", nil},

		// Forks.
		"a fork's main":                        {[]change{on(deployRun(t, fork))}, "untrusted-fork", `"mallory/octo-repo"`, nil},
		"a fork's main with all branches":      {[]change{on(deployRun(t, fork)), branches("*")}, "untrusted-fork", "", nil},
		"a fork's main with needs":             {[]change{on(deployRun(t, fork)), given(needs("deploy=failure"))}, "untrusted-fork", "", nil},
		"a fork of another name only":          {[]change{on(deployRun(t, map[string]any{"workflow_run.head_repository.full_name": "mallory/octo-repo"}))}, "untrusted-fork", "", nil},
		"a fork of another id only":            {[]change{on(deployRun(t, map[string]any{"workflow_run.head_repository.id": 666}))}, "untrusted-fork", "", nil},
		"a deleted fork":                       {[]change{on(deployRun(t, map[string]any{"workflow_run.head_repository": nil}))}, "untrusted-fork", "does not say", nil},
		"a head repository that says nothing":  {[]change{on(deployRun(t, map[string]any{"workflow_run.head_repository": map[string]any{}}))}, "untrusted-fork", "", nil},
		"a repository known by id alone":       {[]change{on(deployRun(t, map[string]any{"workflow_run.head_repository": map[string]any{"id": 300029405}}))}, act, "", nil},
		"a repository known by name alone":     {[]change{on(deployRun(t, map[string]any{"workflow_run.head_repository": map[string]any{"full_name": "Octo-Org/octo-repo"}}))}, act, "", nil},
		"a repository by the runner's id":      {[]change{on(deployRun(t, map[string]any{"repository": absent, "workflow_run.head_repository": map[string]any{"id": 300029405}})), func(tr *github.Trigger) { tr.Context.RepositoryID = 300029405 }}, act, "", nil},
		"a fork's run is refused to snapshot":  {[]change{on(deployRun(t, fork)), command("snapshot")}, "untrusted-fork", "", nil},
		"a fork's run does not refuse a check": {[]change{on(deployRun(t, fork)), command("check")}, act, "changes nothing", nil},

		// What could not be read.
		"workflow_run unreadable":                    {[]change{on(unreadable("workflow_run"))}, "branch-not-allowed", "payload of the event workflow_run could not be read", nil},
		"workflow_run unreadable, all branches":      {[]change{on(unreadable("workflow_run")), branches("*")}, "branch-not-allowed", "could not be read", nil},
		"workflow_run without the run":               {[]change{on(event(t, "workflow_run", "workflow_run", map[string]any{"workflow_run": nil}))}, "branch-not-allowed", "could not be read", nil},
		"deployment_status unreadable, and needs":    {[]change{on(unreadable("deployment_status")), given(needs("deploy=failure"))}, "branch-not-allowed", "could not be read", nil},
		"deployment_status without the deployment":   {[]change{on(event(t, "deployment_status", "deployment_status", map[string]any{"deployment": absent})), branches("*")}, "branch-not-allowed", "could not be read", nil},
		"push unreadable: the environment says all":  {[]change{on(unreadable("push"))}, ask, "", nil},
		"dispatch unreadable: a person asked anyway": {[]change{on(unreadable("workflow_dispatch")), alone}, act, "it was started manually", nil},

		// Commands.
		"check on any branch":                 {[]change{on(push), ref("refs/heads/feature"), command("check")}, act, "changes nothing", nil},
		"list with an unreadable payload":     {[]change{on(unreadable("workflow_run")), command("list")}, act, "changes nothing", nil},
		"snapshot needs no failure":           {[]change{on(push), command("snapshot")}, act, "does not require a failure", nil},
		"snapshot though all needs succeeded": {[]change{on(push), command("snapshot"), given(needs("tests=success"))}, act, "", nil},
		"snapshot of another branch":          {[]change{on(push), ref("refs/heads/feature"), command("snapshot")}, "branch-not-allowed", "", nil},
		"drill of another environment":        {[]change{on(deployment(t, nil)), command("drill"), func(tr *github.Trigger) { tr.Environment = "staging" }}, act, "", nil},
		"drill of another branch":             {[]change{on(push), ref("refs/heads/feature"), command("drill")}, "branch-not-allowed", "", nil},

		// Needs.
		"needs: the deploy failed":             {[]change{on(push), given(needs("tests=success", "deploy=failure"))}, act, `job "deploy" failed`, []string{"deploy"}},
		"needs: two failed":                    {[]change{on(push), given(needs("b=failure", "a=failure"))}, act, `jobs "a", "b" failed`, []string{"a", "b"}},
		"needs: none failed":                   {[]change{on(push), given(needs("tests=success", "deploy=success"))}, "no-failure", `"deploy" "success", "tests" "success"`, nil},
		"needs: cancelled and skipped are no":  {[]change{on(push), given(needs("a=cancelled", "b=skipped"))}, "no-failure", "cancelled", nil},
		"needs: tests failed, deploy skipped":  {[]change{on(push), given(needs("tests=failure", "deploy=skipped"), "deploy")}, "no-failure", `("deploy" "skipped")`, nil},
		"needs: empty is not given":            {[]change{on(push), given(github.Needs{})}, ask, "", nil},
		"needs decide for workflow_run":        {[]change{on(deployRun(t, map[string]any{"workflow_run.conclusion": "success"})), given(needs("verify=failure"))}, act, `job "verify" failed`, []string{"verify"}},
		"needs decide against workflow_run":    {[]change{on(deployRun(t, nil)), given(needs("verify=success"), "verify")}, "no-failure", "", nil},
		"needs decide against a dispatch":      {[]change{on(event(t, "workflow_dispatch", "workflow_dispatch", nil)), given(needs("deploy=success"))}, "no-failure", "", nil},
		"needs decide against a chosen target": {[]change{on(push), given(needs("deploy=success")), target}, "no-failure", "", nil},
		"needs decide before the jobs":         {[]change{on(push), given(needs("deploy=success")), asked(report.Job{Conclusion: "failure"})}, "no-failure", "", nil},

		// workflow_run.
		"workflow_run failed":               {[]change{on(deployRun(t, nil))}, act, `run 289782451 of the workflow "test" ended with failure`, nil},
		"workflow_run timed out":            {[]change{on(deployRun(t, map[string]any{"workflow_run.conclusion": "timed_out"}))}, act, "timed_out", nil},
		"workflow_run succeeded":            {[]change{on(deployRun(t, map[string]any{"workflow_run.conclusion": "success"}))}, "no-failure", `ended with "success"`, nil},
		"workflow_run cancelled":            {[]change{on(deployRun(t, map[string]any{"workflow_run.conclusion": "cancelled"}))}, "no-failure", "cancelled", nil},
		"workflow_run without a conclusion": {[]change{on(deployRun(t, map[string]any{"workflow_run.conclusion": nil}))}, "no-failure", "", nil},
		"workflow_run only requested":       {[]change{on(event(t, "workflow_run", "workflow_run_requested", nil)), branches("*")}, "no-failure", "types: [completed]", nil},
		"workflow_run failed but requested": {[]change{on(deployRun(t, map[string]any{"action": "requested"}))}, "no-failure", "", nil},

		// deployment_status.
		"deployment failed":                  {[]change{on(deployment(t, nil))}, act, "deployment 145988746 is in state failure", nil},
		"deployment in error":                {[]change{on(deployment(t, map[string]any{"deployment_status.state": "error"}))}, act, "error", nil},
		"deployment succeeded":               {[]change{on(deployment(t, map[string]any{"deployment_status.state": "success"}))}, "no-failure", `"success"`, nil},
		"deployment inactive":                {[]change{on(deployment(t, map[string]any{"deployment_status.state": "inactive"}))}, "no-failure", "inactive", nil},
		"deployment to another environment":  {[]change{on(deployment(t, map[string]any{"deployment_status.environment": "staging"}))}, "environment-mismatch", `"staging", and the input environment is "production"`, nil},
		"another environment, in other case": {[]change{on(deployment(t, map[string]any{"deployment_status.environment": "Production"}))}, act, "", nil},
		"environment of the deployment":      {[]change{on(deployment(t, map[string]any{"deployment_status.environment": absent}))}, act, "", nil},
		"environment not told":               {[]change{on(deployment(t, map[string]any{"deployment_status.environment": absent, "deployment.environment": absent}))}, "environment-mismatch", "", nil},
		"needs do not open an environment":   {[]change{on(deployment(t, map[string]any{"deployment_status.environment": "staging"})), given(needs("deploy=failure"))}, "environment-mismatch", "", nil},
		"the branch comes first":             {[]change{on(deployment(t, map[string]any{"deployment_status.environment": "staging", "deployment.ref": "x"}))}, "branch-not-allowed", "", nil},

		// A person.
		"workflow_dispatch":           {[]change{on(event(t, "workflow_dispatch", "workflow_dispatch", nil)), alone}, act, "it was started manually (event workflow_dispatch)", nil},
		"repository_dispatch":         {[]change{on(event(t, "repository_dispatch", "repository_dispatch", nil)), alone}, act, "repository_dispatch", nil},
		"a chosen target on push":     {[]change{on(push), target}, act, "target-version", nil},
		"a target for a success":      {[]change{on(deployRun(t, map[string]any{"workflow_run.conclusion": "success"})), target}, "no-failure", "", nil},
		"schedule asks for the jobs":  {[]change{on(event(t, "schedule", "schedule", nil))}, ask, "", nil},
		"an event nobody knows: jobs": {[]change{on(event(t, "moon_landing", "schedule", nil))}, ask, "", nil},

		// The run's jobs.
		"jobs: one failed":                {[]change{on(push), asked(report.Job{Name: "tests", Conclusion: "success"}, report.Job{Name: "deploy (eu)", Conclusion: "failure"})}, act, `job "deploy (eu)" failed`, []string{"deploy (eu)"}},
		"jobs: one timed out":             {[]change{on(push), asked(report.Job{Name: "deploy", Conclusion: "timed_out"})}, act, "deploy", []string{"deploy"}},
		"jobs: none failed":               {[]change{on(push), asked(report.Job{Name: "deploy", Conclusion: "success"}, report.Job{Name: "x", Conclusion: "cancelled"})}, "no-failure", "No finished job", nil},
		"jobs: none at all":               {[]change{on(push), asked([]report.Job{}...), func(tr *github.Trigger) { tr.Jobs = []report.Job{} }}, "no-failure", "0 jobs", nil},
		"jobs: the own one is left out":   {[]change{on(push), asked(report.Job{Name: "rollback", Own: true, Conclusion: "failure"})}, "no-failure", "", nil},
		"jobs: unfinished ones left out":  {[]change{on(push), asked(report.Job{Name: "deploy", Status: "in_progress", FailedStep: "x"})}, "no-failure", "", nil},
		"jobs: the own one's step failed": {[]change{on(push), asked(report.Job{Name: "deploy", Own: true, Status: "in_progress", FailedStep: "Smoke test"})}, act, "deploy", []string{"deploy"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			trigger := github.Trigger{
				Command: "rollback", Branches: []string{"main"}, Environment: "production",
				Context: github.Context{Repository: "octo-org/octo-repo", Ref: "refs/heads/main", RunID: 1},
			}
			for _, change := range tt.changes {
				change(&trigger)
			}
			got := trigger.Judge()
			switch tt.want {
			case act:
				assert.True(t, got.Act, got.Message)
				assert.NotEmpty(t, got.Because)
				assert.Empty(t, got.Reason)
				assert.Contains(t, got.Because, tt.says)
			case ask:
				assert.Equal(t, github.Verdict{AskJobs: true}, got)
			default:
				assert.False(t, got.Act)
				assert.False(t, got.AskJobs)
				assert.Equal(t, report.Reason(tt.want), got.Reason)
				assert.Contains(t, got.Message, tt.says)
				assert.NotContains(t, got.Message, "\n")
			}
			assert.Equal(t, tt.failed, got.FailedJobs)
			assert.Empty(t, got.Notes)
		})
	}
}

func TestJudgeTrustsTheWorkflowWhereTheJobsCannotBeRead(t *testing.T) {
	t.Parallel()
	got := github.Trigger{
		Command: "rollback", Branches: []string{"main"}, JobsAsked: true,
		Context: github.Context{Ref: "refs/heads/main"}, Event: event(t, "push", "push", nil),
	}.Judge()
	assert.True(t, got.Act)
	assert.Len(t, got.Notes, 1)
	assert.Contains(t, got.Notes[0].Text, "the `if:` condition in the workflow is trusted")
}

// pullRequest is an event of a pull request of this repository's branch feature
// into main, with some changes.
func pullRequest(t *testing.T, name string, changes map[string]any) github.Event {
	t.Helper()
	own := map[string]any{"full_name": "octo-org/octo-repo", "id": 300029405}
	all := map[string]any{
		"repository":   own,
		"pull_request": map[string]any{"merged": false, "head": map[string]any{"ref": "feature", "repo": own}, "base": map[string]any{"ref": "main"}},
	}
	maps.Copy(all, changes)
	return event(t, name, "schedule", all)
}
