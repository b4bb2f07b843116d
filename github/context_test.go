package github_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/org/lambda-rollback-action/github"
)

func environment(values map[string]string) func(string) string {
	return func(name string) string { return values[name] }
}

func TestReadContext(t *testing.T) {
	t.Parallel()

	t.Run("everything the runner sets", func(t *testing.T) {
		t.Parallel()
		c := github.ReadContext(environment(map[string]string{
			"GITHUB_EVENT_NAME": "push", "GITHUB_EVENT_PATH": "/event.json",
			"GITHUB_REPOSITORY": "octo-org/octo-repo", "GITHUB_REPOSITORY_ID": "300029405",
			"GITHUB_REF": "refs/heads/main", "GITHUB_REF_NAME": "main", "GITHUB_SHA": "abc",
			"GITHUB_RUN_ID": "9876543210", "GITHUB_RUN_ATTEMPT": "2", "GITHUB_RUN_NUMBER": "17",
			"GITHUB_JOB": "rollback", "GITHUB_WORKFLOW": "deploy", "GITHUB_ACTOR": "octocat",
			"GITHUB_SERVER_URL": "https://ghe.example/", "GITHUB_API_URL": "https://ghe.example/api/v3",
			"GITHUB_WORKSPACE": "/w", "GITHUB_OUTPUT": "/out", "GITHUB_STEP_SUMMARY": "/summary",
			"RUNNER_NAME": "runner 1", "RUNNER_DEBUG": "1",
		}))
		assert.Equal(t, github.Context{
			EventName: "push", EventPath: "/event.json",
			Repository: "octo-org/octo-repo", RepositoryID: 300029405,
			Ref: "refs/heads/main", RefName: "main", SHA: "abc",
			RunID: 9876543210, RunAttempt: 2, RunNumber: 17,
			Job: "rollback", Workflow: "deploy", Actor: "octocat",
			ServerURL: "https://ghe.example", APIURL: "https://ghe.example/api/v3",
			Workspace: "/w", OutputPath: "/out", SummaryPath: "/summary",
			RunnerName: "runner 1", Debug: true,
		}, c)
		assert.Equal(t, "https://ghe.example/octo-org/octo-repo/actions/runs/9876543210", c.RunURL())
		assert.Equal(t, "main", c.Branch())
	})

	t.Run("nothing set", func(t *testing.T) {
		t.Parallel()
		c := github.ReadContext(environment(nil))
		assert.Equal(t, github.Context{ServerURL: "https://github.com", APIURL: "https://api.github.com"}, c)
		assert.Empty(t, c.RunURL())
		assert.Empty(t, c.Branch())
	})

	for name, number := range map[string]string{
		"a number that is none":          "twelve",
		"a number that is negative":      "-1",
		"a number too large":             "99999999999999999999",
		"a number in exponent form":      "1e3",
		"a number with something behind": "1;rm",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := github.ReadContext(environment(map[string]string{
				"GITHUB_RUN_ID": number, "GITHUB_RUN_ATTEMPT": number, "GITHUB_RUN_NUMBER": number,
			}))
			assert.Zero(t, c.RunID)
			assert.Zero(t, c.RunAttempt)
			assert.Zero(t, c.RunNumber)
		})
	}
}

func TestContextBranch(t *testing.T) {
	t.Parallel()
	for ref, branch := range map[string]string{
		"refs/heads/release/1.2": "release/1.2",
		"refs/tags/main":         "",
		"refs/pull/5/merge":      "",
		"main":                   "",
		"":                       "",
	} {
		assert.Equal(t, branch, github.Context{Ref: ref}.Branch(), "ref %q", ref)
	}
}
