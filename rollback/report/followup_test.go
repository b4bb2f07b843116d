package report_test

import (
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"

	"github.com/org/lambda-rollback-action/rollback/report"
)

const (
	badCommit  = "1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d"
	goodCommit = "9f8e7d6c5b4a39281706f5e4d3c2b1a09f8e7d6c"
)

// told is api() with what the messages of the follow-ups have to tell beside it.
func told() report.Function {
	f := api()
	f.LogTail = "card number 4111 1111 1111 1111"
	f.Left, f.DeployedAt = "42", night().Add(-2*time.Minute)
	f.Published = map[string]time.Time{"42": night().Add(-147 * time.Second), "41": night().Add(-11 * time.Hour)}
	f.Commits = map[string]string{"42": badCommit, "41": goodCommit}
	f.Timeline = []report.Moment{
		{Event: report.RunCreated, At: night().Add(-9 * time.Minute), Detail: "Deploy no. 57"},
		{Event: report.DeployFailed, At: night().Add(-72 * time.Second), Detail: "job “deploy / production”, step “Smoke test”"},
		{Event: report.Started, At: night().Add(-5 * time.Second)},
		{Event: report.AliasMoved, At: night().Add(-2 * time.Second), Detail: "to version 41, from version 42"},
		{Event: report.TrafficMoved, At: night().Add(-2 * time.Second)},
		{Event: report.Verified, At: night(), Detail: "recovered"},
	}
	return f
}

// tellings are the results that GitHub is told of.
func tellings() map[string]report.Result {
	unchecked := told()
	unchecked.Healthy, unchecked.Checks = report.HealthUnknown, nil
	unchecked.Timeline = unchecked.Timeline[:5]

	unwell := told()
	unwell.Status, unwell.Reason, unwell.Healthy = report.Failed, report.Unhealthy, report.NotHealthy
	unwell.Message = unhealthy().Functions[0].Message
	unwell.Checks = unhealthy().Functions[0].Checks
	unwell.Tried = []string{"41"}

	rebuilt := told()
	rebuilt.Commits = map[string]string{"42": badCommit, "41": badCommit}

	chosen := told()
	chosen.Reason = report.Chosen
	byHand := result(chosen)
	byHand.Run.Event, byHand.Run.Jobs, byHand.Run.Conclusion = "workflow_dispatch", nil, ""
	byHand.RequestReason = "totals are wrong"

	bare := told()
	bare.Published, bare.Commits, bare.Timeline = nil, nil, nil
	bare.DeployedAt = time.Time{}
	unknown := result(bare)
	unknown.Run = report.Run{}
	unknown.OwnURL = ""

	worker, rest := told(), several().Functions[2:]
	worker.Function, worker.From, worker.Left, worker.To, worker.Changes = "worker", "7", "7", "6", nil
	worker.Message = "worker in production was rolled back from version 7 to 6."

	return map[string]report.Result{
		"rolled-back":   result(told()),
		"not-checked":   result(unchecked),
		"unhealthy":     result(unwell),
		"failed":        timed(failed()),
		"no-previous":   timed(noPrevious()),
		"chosen":        byHand,
		"same-commit":   result(rebuilt),
		"little-known":  unknown,
		"several":       result(append([]report.Function{told(), worker}, rest...)...),
		"hostile":       hostile(),
		"hostile-texts": forged(),
	}
}

// timed knows when the run that failed began and ended.
func timed(r report.Result) report.Result {
	r.Started = night().Add(-5 * time.Second)
	r.Run.CreatedAt = night().Add(-9 * time.Minute)
	r.Run.Jobs[1].CompletedAt = night().Add(-72 * time.Second)
	return r
}

// forged tries what is of use on a page where others write: a marker, a mention
// of everybody, a branch of 100 kB, text that turns its direction.
func forged() report.Result {
	f := told()
	f.Function = "<!-- lambda-rollback issue keys=00000000 event=00000000 -->"
	f.Commits = map[string]string{"42": "<!-- x -->", "41": "](https://evil.example)"}
	f.Message = "<!-- lambda-rollback issue keys=00000000 event=00000000 -->\n@channel @here @octo/everyone fixes #1"
	r := result(f)
	r.Environment = "production\n- [x] done <!--"
	r.Run.Branch = strings.Repeat("מסע/", 25_000)
	r.Run.Commit = "\u202eevert: \u2067ידבר\u2069 --> <details open> @channel"
	r.Run.Actor = "octocat\n\n# owned"
	r.Run.Jobs[1].Name = "`deploy` --> @acme/admins"
	r.Run.Jobs[1].FailedStep = "| smoke | ```\n\n* * *"
	return r
}

func TestComment(t *testing.T) {
	t.Parallel()
	for name, r := range tellings() {
		if !r.Moved() { // nobody is told of what was not rolled back
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			golden(t, filepath.Join("testdata", "comment", name+".md"), report.Comment(r))
		})
	}
}

func TestIssue(t *testing.T) {
	t.Parallel()
	for name, r := range tellings() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			golden(t, filepath.Join("testdata", "issue", name+".md"), "Title: "+report.IssueTitle(r)+"\n\n"+report.Issue(r))
			golden(t, filepath.Join("testdata", "issue", name+"-again.md"), report.IssueUpdate(r))
		})
	}
}

func TestBodiesStayBelowGitHubsLimit(t *testing.T) {
	t.Parallel()
	for name, r := range map[string]report.Result{
		"one function with endless texts":      crowd(1, 20_000, "@"),
		"three hundred of them":                crowd(300, 2_000, "$"),
		"a thousand functions":                 crowd(1_000, 1, "x"),
		"characters of four bytes":             crowd(100, 2_000, "😀"),
		"one function with control characters": crowd(1, 2_000, "\x1b"),
		"broken UTF-8":                         crowd(20, 2_000, "\xff"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for what, text := range map[string]string{"comment": report.Comment(r), "issue": report.Issue(r), "update": report.IssueUpdate(r)} {
				assert.LessOrEqual(t, len(text), 60_001, what)
				assert.True(t, utf8.ValidString(text), what)
				assert.Equal(t, strings.Count(text, "<details>"), strings.Count(text, "</details>"), what)
			}
			assert.Contains(t, report.Issue(r), "### Next steps")
			title := report.IssueTitle(r)
			assert.LessOrEqual(t, utf8.RuneCountInString(title), 200)
			assert.NotContains(t, title, "\n")
		})
	}
}

// An issue is mailed to all who watch the repository.
func TestTheLogOfAFunctionIsNotPublished(t *testing.T) {
	t.Parallel()
	for _, r := range []report.Result{result(told()), result(told(), told())} {
		for _, text := range []string{report.Issue(r), report.IssueUpdate(r), report.Comment(r)} {
			assert.NotContains(t, text, "4111")
		}
	}
}

func TestBodiesOfNothing(t *testing.T) {
	t.Parallel()
	for _, r := range []report.Result{{}, {Functions: make([]report.Function, 3)}} {
		assert.NotPanics(t, func() { report.Comment(r) })
		assert.NotPanics(t, func() { report.Issue(r) })
		assert.NotPanics(t, func() { report.IssueUpdate(r) })
		assert.NotPanics(t, func() { report.IssueTitle(r) })
	}
}

func TestWhichCommitFailed(t *testing.T) {
	t.Parallel()
	promoted := result(told())
	promoted.Functions[0].Commits["42"] = goodCommit

	dispatched := result(told())
	dispatched.Run.Event, dispatched.Run.Jobs, dispatched.Run.Conclusion = "workflow_dispatch", nil, ""
	unknown := dispatched
	unknown.Functions = []report.Function{told()}
	unknown.Functions[0].Commits = nil

	failedDispatch := dispatched
	failedDispatch.Run = failedRun()
	failedDispatch.Run.Event = "workflow_dispatch"
	failedDispatch.Functions = unknown.Functions

	forward := result(told())
	f := &forward.Functions[0]
	f.Reason, f.From, f.Left, f.To = report.Chosen, "41", "41", "42"

	for name, tt := range map[string]struct {
		r         report.Result
		code, run string
	}{
		"the run's own": {result(told()), badCommit, badCommit},
		"an earlier run's, which this one promoted":  {promoted, goodCommit, badCommit},
		"nobody knows which run made the version":    {failed(), badCommit, badCommit},
		"a person rolled back":                       {dispatched, badCommit, badCommit},
		"a person rolled back what nobody knows of":  {unknown, "", ""},
		"a deploy that a person started, and failed": {failedDispatch, badCommit, badCommit},
		"a person went forward":                      {forward, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, tt.code, report.FailedCommit(tt.r))
			assert.Equal(t, tt.run, report.FailedRunCommit(tt.r))
		})
	}
	assert.True(t, report.Forward(*f))
	assert.False(t, report.Forward(told()))
}
