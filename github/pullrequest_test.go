package github_test

import (
	"cmp"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/github"
	"github.com/org/lambda-rollback-action/rollback/report"
	"github.com/org/lambda-rollback-action/test/emulator"
)

func TestCommentIsEditedNotRepeated(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.GitHub.AddIssue(repository, emulator.Issue{Pull: &emulator.Pull{Merge: badSHA}, Comments: []emulator.Comment{{Body: "LGTM"}}})

	assert.Equal(t, onlyOne(github.FollowUpComment, "sent"), s.follow(t, rolledBack(movedFunction()), github.FollowUpComment))
	comments := s.GitHub.Issues(repository)[0].Comments
	require.Len(t, comments, 2)
	first := comments[1]
	assert.Equal(t, "github-actions[bot]", first.Author)
	mark, text, _ := strings.Cut(first.Body, "\n")
	assert.Regexp(t, `^<!-- lambda-rollback comment=[0-9a-f]{16} -->$`, mark)
	assert.Equal(t, report.Comment(rolledBack(movedFunction())), text)

	s.follow(t, rolledBack(movedFunction()), github.FollowUpComment)
	assert.Equal(t, []string{"CreateComment"}, s.writes(), "the same text is not written again")

	s.c.RunAttempt = 2
	again := movedFunction()
	again.Message = "api in production was rolled back once more."
	s.follow(t, rolledBack(again), github.FollowUpComment)
	comments = s.GitHub.Issues(repository)[0].Comments
	require.Len(t, comments, 2)
	assert.Equal(t, first.ID, comments[1].ID)
	assert.Contains(t, comments[1].Body, "once more")
	assert.Equal(t, []string{"CreateComment", "EditComment"}, s.writes())

	// Another job of a matrix has another function to tell of.
	other := movedFunction()
	other.Function = "worker"
	s.follow(t, rolledBack(other), github.FollowUpComment)
	assert.Len(t, s.GitHub.Issues(repository)[0].Comments, 3)
}

// Anybody can write the mark.
func TestOnlyOwnCommentsAreEdited(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		author, login string
		dumb          bool // GraphQL does not tell
		want          int
	}{
		"a stranger's":                        {"mallory", "github-actions[bot]", false, 2},
		"another app's":                       {"mirror[bot]", "github-actions[bot]", false, 2},
		"the own one":                         {"github-actions[bot]", "github-actions[bot]", false, 1},
		"the own one, of an app of the team":  {"acme-deployer[bot]", "acme-deployer[bot]", false, 1},
		"the own one, of a person's token":    {"octocat", "octocat", false, 1},
		"the job's own, where it is not told": {"github-actions[bot]", "github-actions[bot]", true, 1},
		"a stranger's, where it is not told":  {"mallory", "mallory", true, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			s.GitHub.AddIssue(repository, emulator.Issue{Pull: &emulator.Pull{Merge: badSHA}})
			s.follow(t, rolledBack(movedFunction()), github.FollowUpComment)
			require.NoError(t, s.GitHub.ChangeIssue(repository, 1, func(issue *emulator.Issue) {
				issue.Comments[0].Author = tt.author
				mark, _, _ := strings.Cut(issue.Comments[0].Body, "\n")
				issue.Comments[0].Body = mark + "\nmine"
			}))
			s.GitHub.Login = tt.login
			if tt.dumb {
				s.Fault(emulator.Match{Operation: "Viewer"}, emulator.Status(404, "", "Not Found"))
			}
			assert.Equal(t, onlyOne(github.FollowUpComment, "sent"), s.follow(t, rolledBack(movedFunction()), github.FollowUpComment))
			comments := s.GitHub.Issues(repository)[0].Comments
			require.Len(t, comments, tt.want)
			assert.Equal(t, tt.want == 2, strings.HasSuffix(comments[0].Body, "\nmine"))
		})
	}
}

func TestWhichPullRequest(t *testing.T) {
	t.Parallel()
	merged := func(number int, base, merge string, age time.Duration, commits ...string) emulator.Issue {
		return emulator.Issue{Number: number, Pull: &emulator.Pull{Base: base, Merge: merge, MergedAt: at("11:00:00").Add(-age), Commits: commits}}
	}
	open := emulator.Issue{Number: 9, Pull: &emulator.Pull{Commits: []string{badSHA}}}
	for name, tt := range map[string]struct {
		pulls []emulator.Issue
		want  int // 0: none
	}{
		"none":                    {nil, 0},
		"the one that was merged": {[]emulator.Issue{open, merged(2, "main", badSHA, time.Hour)}, 2},
		"only one that is open":   {[]emulator.Issue{open}, 0},
		"one that was rebased":    {[]emulator.Issue{merged(3, "main", "c0ffee0", time.Hour, badSHA)}, 3},
		"a feature's, not a newer release's": {
			[]emulator.Issue{merged(4, "main", badSHA, 2*time.Hour), merged(5, "release", "c0ffee0", time.Hour, badSHA)}, 4,
		},
		"the one into the branch that was deployed": {
			[]emulator.Issue{merged(6, "main", "c0ffee0", 2*time.Hour, badSHA), merged(7, "develop", "c0ffee1", time.Hour, badSHA)}, 6,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			for _, pull := range tt.pulls {
				s.GitHub.AddIssue(repository, pull)
			}
			text := s.follow(t, rolledBack(movedFunction()), github.FollowUpComment)[github.FollowUpComment]
			if tt.want == 0 {
				assert.Equal(t, "no pull request: none was merged by commit bad0000", text)
				assert.Equal(t, []report.Note{{Text: "comment-on-pull-request: " + text}}, s.notes, "no warning")
			} else {
				assert.Equal(t, "sent", text)
			}
			for _, issue := range s.GitHub.Issues(repository) {
				assert.Equal(t, issue.Number == tt.want, len(issue.Comments) == 1, "pull request %d", issue.Number)
			}
		})
	}
}

func TestCommentsThatCannotBeMade(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.GitHub.AddIssue(repository, emulator.Issue{Locked: true, Pull: &emulator.Pull{Merge: badSHA}})
	assert.Equal(t, onlyOne(github.FollowUpComment,
		`failed to comment on pull request 1: it answered 403 "Unable to create comment because issue is locked."; unlock the conversation`),
		s.follow(t, rolledBack(movedFunction()), github.FollowUpComment))

	rebuilt := movedFunction()
	rebuilt.Commits = map[string]string{"42": badSHA, "41": badSHA}
	assert.Equal(t, onlyOne(github.FollowUpComment, "no pull request: the version that is live again was built from the same commit bad0000"),
		s.follow(t, rolledBack(rebuilt), github.FollowUpComment))

	byHand := movedFunction()
	byHand.Reason, byHand.Commits = report.Chosen, nil
	assert.Equal(t, onlyOne(github.FollowUpComment, "no pull request: could not determine which commit was rolled back"),
		s.follow(t, rolledBack(byHand), github.FollowUpComment))
}

// On github.com the other API is not beside a /v3.
func TestOwnLoginOnGitHubCom(t *testing.T) {
	t.Parallel()
	mark := ""
	server := fakeGitHub(t, "", answers{
		repoPath + "commits/" + badSHA + "/pulls": says(200, `[{"number": 5, "merged_at": "2026-03-01T11:00:00Z", "merge_commit_sha": "`+badSHA+`"}]`),
		"/graphql": says(200, `{"data": {"viewer": {"login": "acme-deployer[bot]"}}}`),
		repoPath + "issues/5/comments": func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPost {
				var comment struct{ Body string }
				assert.NoError(t, json.NewDecoder(r.Body).Decode(&comment))
				mark, _, _ = strings.Cut(comment.Body, "\n")
				w.WriteHeader(http.StatusCreated)
				_, _ = w.Write([]byte(`{"id": 1}`))
				return
			}
			assert.NoError(t, json.NewEncoder(w).Encode([]map[string]any{
				{"id": 7, "body": mark + "\r\nforged", "user": map[string]string{"login": "github-actions[bot]"}},
				{"id": 8, "body": mark + "\r\nold", "user": map[string]string{"login": "Acme-Deployer[bot]"}},
			}))
		},
		repoPath + "issues/comments/8": says(200, `{"id": 8}`),
	})
	log := github.NewLog(io.Discard, func(string) string { return "" }, nil)
	for range 2 {
		mark = cmp.Or(mark, "none yet")
		told, _ := server.api(t).FollowUp(within(t, enough), github.FollowUps{CommentOnPullRequest: true}, ownContext, rolledBack(movedFunction()), log)
		assert.Equal(t, onlyOne(github.FollowUpComment, "sent"), told)
	}
	assert.Len(t, server.calls("issues/comments/8"), 1)
	assert.Empty(t, server.calls("issues/comments/7"))
	assert.Len(t, server.calls("graphql"), 1, "asked only where there is a mark")
}
