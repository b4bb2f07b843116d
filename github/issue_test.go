package github_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/github"
	"github.com/org/lambda-rollback-action/rollback/report"
	"github.com/org/lambda-rollback-action/test/emulator"
)

func (s *scene) issue(t *testing.T, r report.Result) {
	t.Helper()
	assert.Equal(t, onlyOne(github.FollowUpIssue, "sent"), s.follow(t, r, github.FollowUpIssue))
}

func TestIssueIsOpenedOnceAndGoesOn(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.issue(t, rolledBack(movedFunction()))
	issues := s.GitHub.Issues(repository)
	require.Len(t, issues, 1)
	mark, text, _ := strings.Cut(issues[0].Body, "\n")
	assert.Regexp(t, `^<!-- lambda-rollback issue keys=[0-9a-f]{16} event=[0-9a-f]{16} -->$`, mark)
	assert.Equal(t, report.Issue(rolledBack(movedFunction())), text)
	assert.Equal(t, []string{"lambda-rollback"}, issues[0].Labels)
	assert.Equal(t, "Rolled back: api is on version 41 again · production (2026-03-01)", issues[0].Title)

	s.issue(t, rolledBack(movedFunction()))
	assert.Equal(t, []string{"CreateIssue"}, s.writes(), "the same attempt is not told of twice")

	// The same version fails again; somebody has worked on the text meanwhile.
	require.NoError(t, s.GitHub.ChangeIssue(repository, 1, func(issue *emulator.Issue) {
		issue.Body = strings.Replace(issue.Body, "- [ ] What in", "- [x] What in", 1)
	}))
	worked := s.GitHub.Issues(repository)[0].Body
	s.c.RunAttempt = 2
	s.issue(t, rolledBack(movedFunction()))
	s.issue(t, rolledBack(movedFunction()))
	issues = s.GitHub.Issues(repository)
	require.Len(t, issues, 1)
	assert.Equal(t, worked, issues[0].Body)
	require.Len(t, issues[0].Comments, 1, "and that only once")
	assert.Contains(t, issues[0].Comments[0].Body, report.IssueUpdate(rolledBack(movedFunction())))

	// Another version is another matter, and so is another function.
	next := movedFunction()
	next.From, next.Left = "43", "43"
	s.issue(t, rolledBack(next))
	other := movedFunction()
	other.Function = "worker"
	s.issue(t, rolledBack(other))
	assert.Len(t, s.GitHub.Issues(repository), 3)
}

// A rollback that failed and then succeeds is one story.
func TestARollbackThatSucceedsAtLastIsOneIssue(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	denied := movedFunction()
	denied.Status, denied.Reason, denied.MovedAt, denied.Left = report.Failed, report.AccessDenied, "", ""
	s.issue(t, rolledBack(denied))
	s.c.RunAttempt = 2
	s.issue(t, rolledBack(movedFunction()))
	issues := s.GitHub.Issues(repository)
	require.Len(t, issues, 1)
	assert.Contains(t, issues[0].Title, "Rollback of api failed")
	require.Len(t, issues[0].Comments, 1)
	assert.Contains(t, issues[0].Comments[0].Body, "✅ Rolled back")
}

func TestWhichIssueGoesOn(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		change func(*emulator.Issue)
		want   bool
	}{
		"as it was":                   {func(*emulator.Issue) {}, true},
		"closed":                      {func(issue *emulator.Issue) { issue.State = "closed" }, false},
		"a stranger's":                {func(issue *emulator.Issue) { issue.Author = "mallory" }, false},
		"without its label":           {func(issue *emulator.Issue) { issue.Labels = nil }, false},
		"with the mark in the middle": {func(issue *emulator.Issue) { issue.Body = "I saw this:\n" + issue.Body }, false},
		"of another app":              {func(issue *emulator.Issue) { issue.Author = "mirror[bot]" }, false},
		"a pull request":              {func(issue *emulator.Issue) { issue.Pull = &emulator.Pull{} }, false},
		"with more labels, and answered": {func(issue *emulator.Issue) {
			issue.Labels = append(issue.Labels, "bug")
			issue.Comments = []emulator.Comment{{Body: "I look"}}
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			s.issue(t, rolledBack(movedFunction()))
			require.NoError(t, s.GitHub.ChangeIssue(repository, 1, tt.change))
			s.c.RunAttempt = 2
			s.issue(t, rolledBack(movedFunction()))
			want := 2
			if tt.want {
				want = 1
			}
			assert.Len(t, s.GitHub.Issues(repository), want)
		})
	}
}

// Of several functions each leads to the issue.
func TestIssueOfSeveralFunctions(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	worker, skipped := movedFunction(), movedFunction()
	worker.Function = "worker"
	skipped.Function, skipped.Status, skipped.Reason, skipped.To, skipped.MovedAt = "mail", report.Skipped, report.NotDeployed, "", ""
	s.issue(t, rolledBack(movedFunction(), worker, skipped))
	assert.Regexp(t, `keys=[0-9a-f]{16},[0-9a-f]{16} `, s.GitHub.Issues(repository)[0].Body)
	s.c.RunID = 101
	s.issue(t, rolledBack(worker))
	issues := s.GitHub.Issues(repository)
	require.Len(t, issues, 1)
	assert.Len(t, issues[0].Comments, 1)
}

func TestIssuesThatCannotBeOpened(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.GitHub.DisableIssues(repository)
	assert.Equal(t, onlyOne(github.FollowUpIssue,
		`failed to open an issue: it answered 410 "Issues has been disabled in this repository."; turn issues on in the repository's settings, or remove open-issue`),
		s.follow(t, rolledBack(movedFunction()), github.FollowUpIssue))
}

// The longest bodies are taken.
func TestEndlessTextsAreTaken(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.GitHub.AddIssue(repository, emulator.Issue{Pull: &emulator.Pull{Merge: badSHA}})
	endless := strings.Repeat("@channel <!-- lambda-rollback --> ", 1_000)
	f := movedFunction()
	f.Function, f.Message, f.Proof = endless, endless, endless
	var all []report.Function
	for range 20 {
		f.Changes = append(f.Changes, report.Change{What: endless, From: endless, To: endless})
		f.Notes = append(f.Notes, report.Note{Text: endless})
		all = append(all, f)
	}
	r := rolledBack(all...)
	r.Run.Branch, r.Run.Commit, r.Environment = endless, endless, "production"
	for name, text := range s.follow(t, r, github.FollowUpIssue, github.FollowUpComment, github.FollowUpDeployment) {
		assert.Equal(t, "sent", text, name)
	}
}
