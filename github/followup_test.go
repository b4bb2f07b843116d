package github_test

import (
	"bytes"
	"encoding/json"
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

const (
	badSHA  = "bad0000000000000000000000000000000000042"
	goodSHA = "900d000000000000000000000000000000000041"
	oldSHA  = "01d0000000000000000000000000000000000006"
)

// scene is a failed deploy of which GitHub has everything.
type scene struct {
	*emulator.Emulator

	described *described
	api       *github.API
	log       bytes.Buffer
	c         github.Context
	notes     []report.Note // of the latest follow-ups
}

func newScene(t *testing.T) *scene {
	t.Helper()
	s := &scene{
		Emulator: emulator.StartFor(t),
		c:        github.Context{Repository: repository, RunID: 100, RunAttempt: 1, Job: "rollback"},
	}
	s.described = describedBy(t, s.Emulator)
	s.api = emulatedBy(t, s.Emulator, s.described)
	for i, sha := range []string{oldSHA, goodSHA, badSHA} {
		s.GitHub.AddRun(repository, emulator.WorkflowRun{SHA: sha, CreatedAt: at("12:00:00").AddDate(0, 0, i-2), Conclusion: "success"})
	}
	return s
}

// follow makes the follow-ups that are named.
func (s *scene) follow(t *testing.T, r report.Result, wanted ...string) map[string]string {
	t.Helper()
	var all github.FollowUps
	for _, one := range wanted {
		switch one {
		case github.FollowUpDeployment:
			all.RecordDeployment = true
		case github.FollowUpComment:
			all.CommentOnPullRequest = true
		case github.FollowUpIssue:
			all.OpenIssue = true
		}
	}
	log := github.NewLog(&s.log, func(string) string { return "" }, github.NewRedactor([]string{s.GitHub.Token, "hunter2secret"}))
	told, notes := s.api.FollowUp(within(t, enough), all, s.c, r, log)
	s.notes = notes
	return told
}

// writes are the calls that changed something.
func (s *scene) writes() []string {
	var all []string
	for _, call := range s.Calls(emulator.Match{Service: emulator.ServiceGitHub}) {
		if call.Method != http.MethodGet && call.Operation != "Viewer" {
			all = append(all, call.Operation)
		}
	}
	return all
}

func movedFunction() report.Function {
	return report.Function{
		Function: "api", Region: "eu-west-1", Alias: "live", Status: report.RolledBack, Reason: report.PreviousVersion,
		Message: "api in production was rolled back from version 42 to 41.", From: "42", To: "41", Left: "42",
		Healthy: report.Healthy, MovedAt: "2026-03-01T12:05:00Z",
		Published: map[string]time.Time{"42": at("12:03:00"), "41": at("12:03:00").AddDate(0, 0, -1)},
		Commits:   map[string]string{"42": badSHA, "41": goodSHA},
	}
}

func rolledBack(functions ...report.Function) report.Result {
	r := report.Result{
		Command: "rollback", Environment: "production", Functions: functions, Timestamp: at("12:05:01"),
		OwnURL: "https://github.com/octo-org/octo-repo/actions/runs/100",
		Run: report.Run{
			ID: 100, Attempt: 1, Number: 20, Workflow: "deploy", Repository: repository, Branch: "main", SHA: badSHA, Event: "push",
			Conclusion: "failure", CreatedAt: at("12:00:00"), URL: "https://github.com/octo-org/octo-repo/actions/runs/100",
		},
	}
	report.Conclude(&r)
	return r
}

// onlyOne tells of a single follow-up.
func onlyOne(name, text string) map[string]string { return map[string]string{name: text} }

const every = "every follow-up is tried"

func TestFollowUpsAreMadeOnlyWhereTheyAreDue(t *testing.T) {
	t.Parallel()
	dry := rolledBack(movedFunction())
	dry.DryRun = true
	drill := rolledBack(movedFunction())
	drill.Command = "drill"
	left := movedFunction()
	left.Status, left.Reason, left.To, left.MovedAt = report.Skipped, report.AlreadyRolledBack, "", ""
	stuck := left
	stuck.Reason = report.NoPreviousVersion
	broken := left
	broken.Status, broken.Reason = report.Failed, report.AccessDenied
	invalid := rolledBack(broken)
	invalid.Status, invalid.Reason = report.Failed, report.InvalidInput
	forward := movedFunction()
	forward.Reason, forward.From, forward.Left, forward.To = report.Chosen, "41", "41", "42"

	all := []string{github.FollowUpComment, github.FollowUpDeployment, github.FollowUpIssue}
	for name, tt := range map[string]struct {
		r    report.Result
		want []string
	}{
		"rolled back":                {rolledBack(movedFunction()), all},
		"a dry run":                  {dry, nil},
		"a drill":                    {drill, nil},
		"already rolled back":        {rolledBack(left), nil},
		"no version to go back to":   {rolledBack(stuck), []string{github.FollowUpIssue}},
		"the rollback failed":        {rolledBack(broken), []string{github.FollowUpIssue}},
		"an input was wrong":         {invalid, nil},
		"a person went forward":      {rolledBack(forward), []string{github.FollowUpComment, github.FollowUpDeployment}},
		"one of two was rolled back": {rolledBack(movedFunction(), broken), all},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			var tried []string
			for one, text := range s.follow(t, tt.r, all...) {
				tried = append(tried, one)
				if one == github.FollowUpComment {
					assert.True(t, strings.HasPrefix(text, "no pull request: "), text)
				} else {
					assert.Equal(t, "sent", text, one)
				}
			}
			assert.ElementsMatch(t, tt.want, tried)
			assert.Empty(t, newScene(t).follow(t, tt.r), "nothing is made that was not asked for")
		})
	}
}

// Each follow-up takes one permission, and says so where it is missing; the
// others are made anyway.
func TestFollowUpsNameThePermissionThatIsMissing(t *testing.T) {
	t.Parallel()
	for missing, tt := range map[string]struct{ name, granted string }{
		"deployments: write":   {github.FollowUpDeployment, "deployments"},
		"pull-requests: write": {github.FollowUpComment, "pull-requests"},
		"issues: write":        {github.FollowUpIssue, "issues"},
	} {
		t.Run(missing, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			s.GitHub.AddIssue(repository, emulator.Issue{Pull: &emulator.Pull{Merge: badSHA}})
			var others []string
			for _, permission := range []string{"deployments", "pull-requests", "issues"} {
				if permission != tt.granted {
					others = append(others, permission)
				}
			}
			s.GitHub.GrantOnly(others...)
			told := s.follow(t, rolledBack(movedFunction()), github.FollowUpDeployment, github.FollowUpComment, github.FollowUpIssue)
			require.Len(t, told, 3, every)
			assert.NotContains(t, told[tt.name], "; failed to", "said once")
			assert.Contains(t, told[tt.name], `it answered 403 "Resource not accessible by integration"; give the job the permission `+missing)
			require.Len(t, s.notes, 1)
			assert.True(t, s.notes[0].Warning)
			assert.True(t, strings.HasSuffix(s.notes[0].Text, ": "+told[tt.name]), s.notes[0].Text)
			delete(told, tt.name)
			for _, text := range told {
				assert.Equal(t, "sent", text)
			}

			alone := newScene(t)
			alone.GitHub.AddIssue(repository, emulator.Issue{Pull: &emulator.Pull{Merge: badSHA}})
			alone.GitHub.GrantOnly(tt.granted)
			assert.Equal(t, onlyOne(tt.name, "sent"), alone.follow(t, rolledBack(movedFunction()), tt.name), "no other permission is needed")
		})
	}
}

func TestFollowUpsWithoutATokenOrAnAPI(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	api, err := github.NewAPI(nil, wallClock{}, s.GitHubURL, "", repository)
	require.NoError(t, err)
	all := github.FollowUps{RecordDeployment: true, CommentOnPullRequest: true, OpenIssue: true}
	log := github.NewLog(&s.log, func(string) string { return "" }, nil)
	told, notes := api.FollowUp(within(t, enough), all, s.c, rolledBack(movedFunction()), log)
	for name, text := range told {
		assert.Contains(t, text, "the input github-token is empty", name)
	}
	require.Len(t, notes, 3)
	for i, input := range []string{"record-deployment: ", "comment-on-pull-request: ", "open-issue: "} {
		assert.True(t, strings.HasPrefix(notes[i].Text, input), notes[i].Text)
	}
	var none *github.API
	told, _ = none.FollowUp(within(t, enough), all, s.c, rolledBack(movedFunction()), log)
	require.Len(t, told, 3, every)
	for name, text := range told {
		assert.Contains(t, text, "GitHub's API cannot be called", name)
	}
	assert.Empty(t, s.writes())
}

// GitHub that hangs costs no more than the time it is given.
func TestFollowUpsEndWithTheirContext(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.Fault(emulator.Match{Service: emulator.ServiceGitHub}, emulator.Hang())
	log := github.NewLog(&s.log, func(string) string { return "" }, nil)
	all := github.FollowUps{RecordDeployment: true, CommentOnPullRequest: true, OpenIssue: true}
	told, _ := s.api.FollowUp(within(t, 300*time.Millisecond), all, s.c, rolledBack(movedFunction()), log)
	require.Len(t, told, 3, every)
	for name, text := range told {
		assert.Contains(t, text, "it did not respond in time", name)
	}
}

// An answer that is lost must not make a second comment, issue or record.
func TestNothingIsMadeTwice(t *testing.T) {
	t.Parallel()
	for name, effect := range map[string]emulator.Effect{
		"the answer is lost":      emulator.LostAnswer().Times(1),
		"the connection is reset": emulator.Reset().Times(1),
		"a gateway fails":         emulator.Status(http.StatusBadGateway, "", "Bad Gateway").Times(1),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			pull := s.GitHub.AddIssue(repository, emulator.Issue{Pull: &emulator.Pull{Merge: badSHA}})
			s.GitHub.AddDeployment(repository, emulator.Deployment{SHA: badSHA}, "in_progress", "success")
			for _, operation := range []string{"CreateDeployment", "CreateDeploymentStatus", "CreateComment", "CreateIssue"} {
				s.Fault(emulator.Match{Operation: operation}, effect)
			}
			told := s.follow(t, rolledBack(movedFunction()), github.FollowUpDeployment, github.FollowUpComment, github.FollowUpIssue)
			for one, text := range told {
				assert.Equal(t, "sent", text, one)
			}
			issues := s.GitHub.Issues(repository)
			require.Len(t, issues, 2, "the pull request and one issue")
			assert.Equal(t, pull.Number, issues[0].Number)
			assert.Len(t, issues[0].Comments, 1)
			assert.Empty(t, issues[1].Comments)
			deployments := s.GitHub.Deployments(repository)
			require.Len(t, deployments, 2)
			assert.Len(t, deployments[0].Statuses, 3)
			assert.Len(t, deployments[1].Statuses, 1)
		})
	}
}

// What is written on GitHub has no secret in it, and the log tells of each call
// that changes something before it is made.
func TestFollowUpsTellNoSecretAndLogWhatTheyWrite(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.GitHub.AddIssue(repository, emulator.Issue{Pull: &emulator.Pull{Merge: badSHA}})
	f := movedFunction()
	f.Message, f.Proof = "the password is hunter2secret", "hunter2secret"
	f.Notes = []report.Note{{Text: "hunter2secret"}}
	r := rolledBack(f)
	r.RequestReason = "hunter2secret"
	told := s.follow(t, r, github.FollowUpDeployment, github.FollowUpComment, github.FollowUpIssue)
	written, err := json.Marshal([]any{s.GitHub.Issues(repository), s.GitHub.Deployments(repository), told})
	require.NoError(t, err)
	assert.NotContains(t, string(written), "hunter2secret")
	assert.Contains(t, string(written), `the password is \\*\\*\\*`)
	assert.NotContains(t, s.log.String(), "hunter2secret")
	for _, line := range []string{
		"GitHub: recording a deployment of commit 900d000 to production\n", "GitHub: commenting on pull request 1\n",
		"GitHub: opening an issue: Rolled back: api is on version 41 again · production (2026-03-01)\n",
	} {
		assert.Contains(t, s.log.String(), line)
	}
	assert.ElementsMatch(t, []string{"CreateDeployment", "CreateDeploymentStatus", "CreateComment", "CreateIssue"}, s.writes())
}
