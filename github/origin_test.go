package github_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/github"
	"github.com/org/lambda-rollback-action/rollback/report"
)

const commit = "f95f852bd8fca8fcc58a9a2d6c842781e32a215e"

// TestWhatARunCanHaveDeployed: the event of the run that failed says how far its
// branch is to be believed.
func TestWhatARunCanHaveDeployed(t *testing.T) {
	t.Parallel()
	for runEvent, want := range map[string]string{
		"push": "act", "workflow_dispatch": "act", "repository_dispatch": "act", "schedule": "act", "deployment": "act",
		"workflow_run": "act", "merge_group": "act", "issue_comment": "act", "create": "act",
		"release":             "branch-not-allowed", // main is then a tag
		"pull_request":        "branch-not-allowed",
		"pull_request_target": "branch-not-allowed",
		"pull_request_review": "branch-not-allowed",
		"moon_landing":        "branch-not-allowed",
		"":                    "branch-not-allowed",
	} {
		t.Run(runEvent, func(t *testing.T) {
			t.Parallel()
			got := judged(deployRun(t, map[string]any{"workflow_run.event": runEvent}), func(*github.Trigger) {})
			assert.Equal(t, want == "act", got.Act, got.Message)
			if !got.Act {
				assert.Equal(t, want, string(got.Reason))
			}
		})
	}
}

func TestPullRequests(t *testing.T) {
	t.Parallel()
	fork := map[string]any{"full_name": "mallory/octo-repo", "id": 666}
	own := map[string]any{"full_name": "octo-org/octo-repo", "id": 300029405}
	with := func(name string, merged bool, repo any) github.Event {
		return pullRequest(t, name, map[string]any{"pull_request": map[string]any{"merged": merged, "head": map[string]any{"ref": "main", "repo": repo}}})
	}
	for name, tt := range map[string]struct {
		event github.Event
		ref   string
		want  report.Reason // empty: it acts
	}{
		"a target's base is main, and the code a fork's":          {with("pull_request_target", false, fork), "refs/heads/main", report.UntrustedFork},
		"a fork's pull request":                                   {with("pull_request", false, fork), "refs/pull/1/merge", report.UntrustedFork},
		"a fork's pull request that was merged":                   {with("pull_request", true, fork), "refs/heads/main", report.UntrustedFork},
		"a deleted fork's":                                        {with("pull_request_target", false, nil), "refs/heads/main", report.UntrustedFork},
		"a review of a fork's":                                    {with("pull_request_review", false, fork), "refs/pull/1/merge", report.UntrustedFork},
		"a target's base is main, and the code is on a branch":    {with("pull_request_target", false, own), "refs/heads/main", report.BranchNotAllowed},
		"a pull request of an own branch":                         {with("pull_request", false, own), "refs/pull/1/merge", report.BranchNotAllowed},
		"a pull request that was merged into main":                {with("pull_request", true, own), "refs/heads/main", ""},
		"a pull request that was merged into another branch":      {with("pull_request", true, own), "refs/heads/release", report.BranchNotAllowed},
		"a target of which the payload could not be read":         {unreadable("pull_request_target"), "refs/heads/main", report.BranchNotAllowed},
		"a merge queue's own branch is not main":                  {event(t, "merge_group", "schedule", nil), "refs/heads/gh-readonly-queue/main/pr-1-abc", report.BranchNotAllowed},
		"a comment that deploys by the workflow on main":          {event(t, "issue_comment", "schedule", nil), "refs/heads/main", ""},
		"a release's tag, where branches alone are allowed":       {event(t, "release", "schedule", nil), "refs/tags/v1", report.BranchNotAllowed},
		"a deployment of a commit, which has no ref":              {event(t, "deployment", "schedule", nil), "", report.BranchNotAllowed},
		"a schedule on the default branch, which is allowed":      {event(t, "schedule", "schedule", nil), "refs/heads/main", ""},
		"a called workflow has the event of its caller: the push": {event(t, "push", "push", nil), "refs/heads/main", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := judged(tt.event, func(tr *github.Trigger) { tr.Context.Ref, tr.Needs = tt.ref, needs("deploy=failure") })
			assert.Equal(t, tt.want, got.Reason, got.Message)
			assert.Equal(t, tt.want == "", got.Act)
		})
	}
}

// TestTags: a pattern of tags means the same for the own run, a workflow_run and a
// deployment. What the event leaves open is asked.
func TestTags(t *testing.T) {
	t.Parallel()
	runOf := func(branch, runEvent string) github.Event {
		return deployRun(t, map[string]any{"workflow_run.head_branch": branch, "workflow_run.event": runEvent})
	}
	deployOf := func(ref string) github.Event { return deployment(t, map[string]any{"deployment.ref": ref}) }
	push := event(t, "push", "push", nil)
	tags, versions := []string{"refs/tags/v*"}, []string{"v*"}
	is := func(refs ...string) *github.RefAnswer { return &github.RefAnswer{Refs: refs} }
	unknown := &github.RefAnswer{Problem: "it did not respond in time"}
	const act, refused, ask = "act", "branch-not-allowed", "ask"
	for name, tt := range map[string]struct {
		event    github.Event
		ref      string
		patterns []string
		answer   *github.RefAnswer
		want     string
		notes    int
	}{
		"the own run of a tag":                                        {push, "refs/tags/v1.2", tags, nil, act, 0},
		"the own run of a branch called so":                           {push, "refs/heads/v1.2", tags, nil, refused, 0},
		"the own run of a tag, where branches are allowed":            {push, "refs/tags/v1.2", versions, nil, refused, 0},
		"a star stops at a slash in a tag":                            {push, "refs/tags/v1/rc", tags, nil, refused, 0},
		"two stars do not":                                            {push, "refs/tags/v1/rc", []string{"refs/tags/v**"}, nil, act, 0},
		"one of several patterns":                                     {push, "refs/tags/v1", []string{"main", "refs/tags/v*"}, nil, act, 0},
		"a release's run":                                             {runOf("v1.2", "release"), "", tags, nil, act, 0},
		"a run of a push asks which it is":                            {runOf("v1.2", "push"), "", tags, nil, ask, 0},
		"a run of a push of a tag":                                    {runOf("v1.2", "push"), "", tags, is("refs/tags/v1.2"), act, 0},
		"a run of a push of a branch called so":                       {runOf("v1.2", "push"), "", tags, is("refs/heads/v1.2"), refused, 0},
		"a run of a tag, where branches called so are allowed":        {runOf("v1.2", "push"), "", versions, is("refs/tags/v1.2"), refused, 0},
		"a run of a branch, where branches called so are allowed":     {runOf("v1.2", "push"), "", versions, is("refs/heads/v1.2"), act, 0},
		"a run of what is both":                                       {runOf("v1.2", "push"), "", tags, is("refs/heads/v1.2", "refs/tags/v1.2"), refused, 0},
		"a run of what is both, and both are allowed":                 {runOf("v1.2", "push"), "", []string{"v*", "refs/tags/v*"}, nil, act, 0},
		"a run of a name of which GitHub does not tell":               {runOf("v1.2", "push"), "", tags, unknown, act, 1},
		"a run of a name that no pattern matches":                     {runOf("nightly", "push"), "", tags, nil, refused, 0},
		"a schedule's run is the default branch's":                    {runOf("v1", "schedule"), "", tags, nil, refused, 0},
		"a run of a branch that is named in full: nothing is asked":   {runOf("main", "push"), "", []string{"main", "refs/tags/v*"}, nil, act, 0},
		"a deployment of a tag, in full":                              {deployOf("refs/tags/v1"), "", tags, nil, act, 0},
		"a deployment of a name asks which it is":                     {deployOf("v1"), "", tags, nil, ask, 0},
		"a deployment of a tag by its name":                           {deployOf("v1"), "", tags, is("refs/tags/v1"), act, 0},
		"a deployment of a commit asks who has it":                    {deployOf(commit), "", []string{"main"}, nil, ask, 0},
		"a deployment of a commit in main's history":                  {deployOf(commit), "", []string{"main"}, is("refs/heads/main"), act, 0},
		"a deployment of a commit that nobody has":                    {deployOf(commit), "", []string{"main"}, is(), refused, 0},
		"a deployment of a commit, and GitHub does not tell":          {deployOf(commit), "", []string{"main"}, unknown, act, 1},
		"a deployment of a commit, all allowed: nothing is asked":     {deployOf(commit), "", []string{"*"}, nil, act, 0},
		"a deployment of a branch whose name begins as a commit does": {deployOf("f95f852-fix"), "", []string{"main"}, nil, refused, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := judged(tt.event, func(tr *github.Trigger) {
				tr.Context.Ref, tr.Branches, tr.Ref, tr.Needs = tt.ref, tt.patterns, tt.answer, needs("deploy=failure")
			})
			assert.Equal(t, tt.want == act, got.Act, got.Message)
			assert.Equal(t, tt.want == ask, got.AskRef != nil)
			if tt.want == refused {
				assert.Equal(t, report.BranchNotAllowed, got.Reason)
				assert.NotContains(t, got.Message, "\n")
			}
			assert.Len(t, got.Notes, tt.notes)
		})
	}
}

// TestARefusalWantsAPerson: a deploy failed on what the input branch does not
// allow. Tests that fail on every branch are no such thing.
func TestARefusalWantsAPerson(t *testing.T) {
	t.Parallel()
	push := event(t, "push", "push", nil)
	for name, tt := range map[string]struct {
		event github.Event
		needs github.Needs
		count []string
		want  bool
	}{
		"the deploy of a feature branch failed":            {push, needs("deploy=failure"), nil, true},
		"the deploy job failed, and others were skipped":   {push, needs("deploy=failure", "smoke=skipped"), []string{"deploy"}, true},
		"the tests failed, and the deploy was skipped":     {push, needs("tests=failure", "deploy=skipped"), nil, false},
		"the tests failed, and the deploy job was skipped": {push, needs("tests=failure", "deploy=skipped"), []string{"deploy"}, false},
		"all went well":                                              {push, needs("deploy=success"), nil, false},
		"nothing is known of the jobs":                               {push, nil, nil, false},
		"a deployment of another branch failed":                      {deployment(t, map[string]any{"deployment.ref": "feature"}), nil, nil, true},
		"a deployment of another branch to staging failed":           {deployment(t, map[string]any{"deployment.ref": "feature", "deployment_status.environment": "staging"}), nil, nil, false},
		"a deployment of another branch succeeded":                   {deployment(t, map[string]any{"deployment.ref": "feature", "deployment_status.state": "success"}), nil, nil, false},
		"a run of another branch failed, by whatever job":            {deployRun(t, map[string]any{"workflow_run.head_branch": "feature"}), nil, nil, false},
		"a release's run failed":                                     {deployRun(t, map[string]any{"workflow_run.head_branch": "v1", "workflow_run.event": "release"}), nil, nil, true},
		"a pull request's deploy failed, which is a preview's or so": {pullRequest(t, "pull_request", nil), needs("deploy=failure"), nil, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := judged(tt.event, func(tr *github.Trigger) {
				tr.Context.Ref, tr.Needs, tr.DeployJobs = "refs/heads/feature", tt.needs, tt.count
			})
			assert.Equal(t, report.BranchNotAllowed, got.Reason)
			assert.Equal(t, tt.want, got.Attention)
		})
	}
	fork := map[string]any{"full_name": "mallory/octo-repo", "id": 666}
	for _, merged := range []bool{true, false} {
		pull := pullRequest(t, "pull_request_target", map[string]any{"pull_request": map[string]any{"merged": merged, "head": map[string]any{"ref": "x", "repo": fork}}})
		got := judged(pull, func(tr *github.Trigger) { tr.Needs = needs("deploy=failure") })
		assert.Equal(t, report.UntrustedFork, got.Reason)
		assert.Equal(t, merged, got.Attention, "a fork's code that was merged can have been deployed")
	}
	snapshot := judged(push, func(tr *github.Trigger) {
		tr.Command, tr.Context.Ref, tr.Needs = "snapshot", "refs/heads/feature", needs("deploy=failure")
	})
	assert.False(t, snapshot.Attention)
}

func TestResolveRef(t *testing.T) {
	t.Parallel()
	const repo = "/repos/octo-org/octo-repo/"
	ref := func(name, sha string) http.HandlerFunc {
		return says(200, `{"ref": "`+name+`", "object": {"type": "commit", "sha": "`+sha+`"}}`)
	}
	branches := func(names string) http.HandlerFunc { return says(200, `[`+names+`]`) }
	for name, tt := range map[string]struct {
		known   answers
		ask     github.RefQuestion
		want    []string
		problem string
	}{
		"a branch":                   {answers{repo + "git/ref/heads/v1": ref("refs/heads/v1", "a")}, github.RefQuestion{Name: "v1"}, []string{"refs/heads/v1"}, ""},
		"a tag":                      {answers{repo + "git/ref/tags/v1": ref("refs/tags/v1", "a")}, github.RefQuestion{Name: "v1", SHA: "b"}, []string{"refs/tags/v1"}, ""},
		"a name with a slash":        {answers{repo + "git/ref/tags/api/v1": ref("refs/tags/api/v1", "a")}, github.RefQuestion{Name: "api/v1"}, []string{"refs/tags/api/v1"}, ""},
		"both, and the commit tells": {answers{repo + "git/ref/heads/v1": ref("refs/heads/v1", "a"), repo + "git/ref/tags/v1": ref("refs/tags/v1", "b")}, github.RefQuestion{Name: "v1", SHA: "b"}, []string{"refs/tags/v1"}, ""},
		"both, and the annotated tag has the commit": {answers{repo + "git/ref/heads/v1": ref("refs/heads/v1", "a"), repo + "git/ref/tags/v1": says(200, `{"ref":"refs/tags/v1","object":{"type":"tag","sha":"t"}}`), repo + "git/tags/t": says(200, `{"sha":"t","object":{"type":"commit","sha":"b"}}`)}, github.RefQuestion{Name: "v1", SHA: "b"}, []string{"refs/tags/v1"}, ""},
		"both, and the commit does not tell":         {answers{repo + "git/ref/heads/v1": ref("refs/heads/v1", "a"), repo + "git/ref/tags/v1": ref("refs/tags/v1", "a")}, github.RefQuestion{Name: "v1", SHA: "a"}, []string{"refs/heads/v1", "refs/tags/v1"}, ""},
		"neither any more":                           {answers{}, github.RefQuestion{Name: "v1"}, nil, "no longer has a branch or a tag"},
		"no permission":                              {answers{repo + "git/ref/heads/v1": says(403, `{"message": "Resource not accessible by integration"}`)}, github.RefQuestion{Name: "v1"}, nil, "permission contents: read"},
		"a commit is the head of an allowed one":     {answers{repo + "commits/" + commit + "/branches-where-head": branches(`{"name": "other"}, {"name": "main"}`)}, github.RefQuestion{Commit: commit, Patterns: []string{"main"}}, []string{"refs/heads/main"}, ""},
		"a commit is in the history":                 {answers{repo + "commits/" + commit + "/branches-where-head": branches(`{"name": "other"}`), repo + "compare/main..." + commit: says(200, `{"status": "behind"}`)}, github.RefQuestion{Commit: commit, Patterns: []string{"main"}}, []string{"refs/heads/main"}, ""},
		"a commit is ahead of all allowed ones":      {answers{repo + "compare/main..." + commit: says(200, `{"status": "ahead"}`)}, github.RefQuestion{Commit: commit, Patterns: []string{"main"}}, nil, ""},
		"a commit of a fork has diverged":            {answers{repo + "compare/main..." + commit: says(200, `{"status": "diverged"}`)}, github.RefQuestion{Commit: commit, Patterns: []string{"main"}}, nil, ""},
		"a commit that a tag stands on":              {answers{repo + "tags": says(200, `[{"name": "v1", "commit": {"sha": "`+commit+`"}}]`)}, github.RefQuestion{Commit: commit, Patterns: []string{"refs/tags/v*"}}, []string{"refs/tags/v1"}, ""},
		"a commit in the history of a pattern's":     {answers{repo + "branches": branches(`{"name": "dev"}, {"name": "release/1"}`), repo + "compare/release/1..." + commit: says(200, `{"status": "identical"}`)}, github.RefQuestion{Commit: commit, Patterns: []string{"release/*"}}, []string{"refs/heads/release/1"}, ""},
		"a commit, and GitHub is not well":           {answers{repo + "compare/main..." + commit: says(502, ``)}, github.RefQuestion{Commit: commit, Patterns: []string{"main"}}, nil, "502"},
		"a commit, and more branches than bearable":  {answers{repo + "branches": branches(`{"name": "r1"}, {"name": "r2"}, {"name": "r3"}, {"name": "r4"}, {"name": "r5"}, {"name": "r6"}`)}, github.RefQuestion{Commit: commit, Patterns: []string{"r*"}}, nil, "more than 5 branches"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := fakeGitHub(t, "", tt.known).api(t).ResolveRef(within(t, 20*time.Second), tt.ask)
			assert.Equal(t, tt.want, got.Refs)
			if tt.problem == "" {
				assert.Empty(t, got.Problem)
				return
			}
			assert.Contains(t, got.Problem, tt.problem)
		})
	}
	assert.NotEmpty(t, (*github.API)(nil).ResolveRef(t.Context(), github.RefQuestion{Name: "x"}).Problem)
}

func TestBranchPatternsThatCanNeverMatch(t *testing.T) {
	t.Parallel()
	for _, pattern := range []string{"refs/tags/v*", "refs/tags/**", "v1.*", "a.b/c", "release/**", "**/x"} {
		require.NoError(t, github.ValidateBranchPattern(pattern), pattern)
	}
	for pattern, says := range map[string]string{
		"refs/tags/": "it is not a valid Git ref name", "refs/pull/*": "which matches no branch", "refs/tags/refs/tags/v1": "which matches no branch",
		"refs/remotes/origin/main": "which matches no branch", "release/": `write "release/*"`, "/main": "not a valid Git ref name", "a//b": "not a valid Git ref name",
		"a..b": "not a valid Git ref name", ".hidden": "not a valid Git ref name", "a/.b": "not a valid Git ref name", "x.lock": "not a valid Git ref name", "main.": "not a valid Git ref name", "-x": "not a valid Git ref name",
		"@": "not a valid Git ref name", "a@{1}": "not a valid Git ref name", commit: "is a commit", "refs/tags/" + commit: "is a commit", "refs/tags/v?": "only * and **",
	} {
		require.ErrorContains(t, github.ValidateBranchPattern(pattern), says, pattern)
	}
}
