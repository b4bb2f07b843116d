package runner_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/test/emulator"
)

const goodSHA = "600d600d600d600d600d600d600d600d600d600d"

var allFollowUps = map[string]string{"record-deployment": "true", "comment-on-pull-request": "true", "open-issue": "true"}

// withHistory is a scene whose good version 2 was published by an earlier run, and
// whose failing commit is a pull request's merge.
func withHistory(t *testing.T) *scene {
	t.Helper()
	s := newScene(t)
	s.function("api", 3)
	made := s.ago(24 * time.Hour)
	s.GitHub.AddRun(repository, emulator.WorkflowRun{
		ID: 6001, Number: 40, Branch: "main", SHA: goodSHA, Conclusion: "success", CreatedAt: made.Add(-5 * time.Minute), UpdatedAt: made.Add(2 * time.Minute),
		Jobs: []emulator.WorkflowJob{{Name: "deploy", Conclusion: "success", StartedAt: made.Add(-4 * time.Minute), CompletedAt: made.Add(time.Minute)}},
	})
	s.GitHub.AddDeployment(repository, emulator.Deployment{SHA: goodSHA, Environment: "production", CreatedAt: made}, "success")
	s.GitHub.AddDeployment(repository, emulator.Deployment{SHA: s.run.SHA, Environment: "production", CreatedAt: s.ago(8 * time.Minute)}, "in_progress", "success")
	s.GitHub.AddIssue(repository, emulator.Issue{
		Title: "Sell more shoes", Author: "octocat", State: "closed",
		Pull: &emulator.Pull{Merge: s.run.SHA, Base: "main", MergedAt: s.ago(12 * time.Minute)},
	})
	return s
}

func TestFollowUpsOfARollback(t *testing.T) {
	t.Parallel()
	s := withHistory(t)
	o := s.step().inputs(allFollowUps).run()
	require.Equal(t, "rolled-back/previous-version", o.ended())
	assert.Equal(t, map[string]string{"deployment": "sent", "pull-request-comment": "sent", "issue": "sent"}, o.notifications(t), o.stdout)

	deployments := s.GitHub.Deployments(repository)
	require.Len(t, deployments, 3)
	assert.Equal(t, "failure", deployments[1].State())
	assert.Equal(t, goodSHA, deployments[2].SHA)
	assert.Equal(t, "success", deployments[2].State())
	issues := s.GitHub.Issues(repository)
	require.Len(t, issues, 2)
	require.Len(t, issues[0].Comments, 1)
	assert.Contains(t, issues[0].Comments[0].Body, "version 3 → **2** ([`600d600`]")
	assert.Contains(t, issues[1].Labels, "lambda-rollback")

	// The job is run again: nothing is written twice, and nothing is undone.
	o = s.step().inputs(allFollowUps).set("GITHUB_RUN_ATTEMPT", "2").run()
	require.Equal(t, "skipped/already-rolled-back", o.ended())
	assert.Len(t, s.GitHub.Deployments(repository), 3)
	issues = s.GitHub.Issues(repository)
	assert.Len(t, issues, 2)
	assert.Len(t, issues[0].Comments, 1)
	assert.Empty(t, issues[1].Comments)
}

func TestFollowUpsThatAreNotAllowed(t *testing.T) {
	t.Parallel()
	s := withHistory(t)
	s.GitHub.GrantOnly("actions")
	o := s.step().inputs(allFollowUps).run()
	require.Equal(t, "rolled-back/previous-version", o.ended())
	assert.Equal(t, 0, o.code)
	told := o.notifications(t)
	assert.Contains(t, told["deployment"], "deployments: write")
	assert.Contains(t, told["pull-request-comment"], "pull-requests: write")
	assert.Contains(t, told["issue"], "issues: write")
	assert.Len(t, o.warnings(), 3)
}

func TestFollowUpsAreOffByDefault(t *testing.T) {
	t.Parallel()
	s := withHistory(t)
	o := s.step().run()
	require.Equal(t, "rolled-back/previous-version", o.ended())
	assert.Empty(t, o.notifications(t))
	assert.Len(t, s.GitHub.Deployments(repository), 2)
	assert.Len(t, s.GitHub.Issues(repository), 1)
}

func TestMessagesNameTheCommitsOfVersions(t *testing.T) {
	t.Parallel()
	s, p := withHistory(t), listeners(t)
	o := s.telling(p).run()
	require.Equal(t, "rolled-back/previous-version", o.ended())
	for _, channel := range channels {
		text := p.Messages(channel)[0].Text()
		assert.Contains(t, text, "commit "+goodSHA[:7], channel)
		assert.Contains(t, text, "commit "+s.run.SHA[:7], channel)
	}
}
