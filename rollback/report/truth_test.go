package report_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/org/lambda-rollback-action/rollback/report"
)

func fact(a report.Alert, name string) string {
	for _, f := range a.Facts {
		if f.Name == name {
			return f.Text
		}
	}
	return ""
}

// steppedBack went on to version 40, since 41 was not healthy either.
func steppedBack() report.Result {
	f := told()
	f.To, f.Tried, f.RecoveryMS = "40", []string{"41"}, new(int64(74_000))
	f.Checks = append([]report.Check{{Version: "41", Name: "invoke", Status: "failed", Detail: "a function error"}}, f.Checks...)
	return result(f)
}

// What is said of a version that was left is not said of the one that serves.
func TestAfterStepsBackOnlyWhatServesCounts(t *testing.T) {
	t.Parallel()
	assert.NotContains(t, report.Comment(steppedBack()), "Not healthy now")
	assert.Contains(t, report.Comment(tellings()["unhealthy"]), "Not healthy now")
	assert.Equal(t, "Production recovered: every check of the live version passed, 1 min 14 s after the deploy failed.",
		report.NewAlert(steppedBack()).Verdict)
}

// Somebody else has moved the alias on: then nobody is told that the target serves.
func TestNobodyIsToldThatWhatWasMovedOnServes(t *testing.T) {
	t.Parallel()
	r := inconclusive()
	r.Functions[0].ChangedByOthers = true
	a := report.NewAlert(dated(r))
	assert.Equal(t, "Rolled back: api moved to version 41, and somebody else changed it afterwards · production", a.Headline)
	assert.Empty(t, fact(a, "Live version"))
	assert.Contains(t, fact(a, "Rolled back to"), "41, published ")

	worker := r.Functions[0]
	worker.Function, worker.ChangedByOthers = "worker", false
	a = report.NewAlert(result(r.Functions[0], worker))
	assert.Equal(t, "Rolled back: 2 functions, of which somebody else changed 1 afterwards · production", a.Headline)
	assert.Equal(t, "rolled back, then changed by somebody else", a.Functions[0].Result)
}

// A person chose a newer version: what served before has not failed.
func TestAMoveForwardIsNoRollback(t *testing.T) {
	t.Parallel()
	f := told()
	f.Reason, f.From, f.Left, f.To = report.Chosen, "41", "41", "42"
	a := report.NewAlert(result(f))
	assert.Equal(t, "Moved: api is on version 42, as chosen · production", a.Headline)
	assert.Empty(t, fact(a, "Failing version"))
	assert.Contains(t, fact(a, "Previous version"), "41")
	assert.Contains(t, fact(a, "Live version"), "42")
}

// The steps say "the action that the message names": so a message is there, where
// the sentence about several functions has only a code.
func TestSeveralFunctionsSayWhyTheyWereNotMoved(t *testing.T) {
	t.Parallel()
	denied := failed().Functions[0]
	denied.Message = "api:live in production was NOT rolled back: AWS denied lambda:UpdateAlias on api:live; it serves version 42"
	denied.Cause = "AWS denied lambda:UpdateAlias on api:live; it serves version 42"
	returned := denied
	returned.Function = "worker"
	returned.Message = "worker:live in production was NOT rolled back: all-or-nothing is set and api:live could not be moved, so it was returned to version 7"
	returned.Cause = "all-or-nothing is set and api:live could not be moved, so it was returned to version 7"
	stuck := noPrevious().Functions[0]
	stuck.Function, stuck.Message = "mail", "mail:live in production was left on version 1: there is no version below version 1 to go back to"
	a := report.NewAlert(result(denied, returned, stuck))
	assert.Equal(t, "failed: AWS denied lambda:UpdateAlias on api:live; it serves version 42", a.Functions[0].Result)
	assert.Contains(t, a.Functions[1].Result, "so it was returned to version 7")
	assert.Contains(t, a.Functions[2].Result, "no version below version 1")

	var many []report.Function
	for range 40 {
		many = append(many, denied)
	}
	for i, row := range report.NewAlert(result(many...)).Functions {
		assert.Equal(t, i == 0, row.Result != "failed: AWS denied access", "the same words once")
	}
}

// Wrong inputs are each a warning of the log, and all in the message: once is enough.
func TestWarningsDoNotRepeatTheMessage(t *testing.T) {
	t.Parallel()
	r := rolledBack()
	r.Message = "input a is wrong; input b is wrong"
	r.Notes = []report.Note{{Warning: true, Text: "input a is wrong", InMessage: true}, {Warning: true, Text: "GitHub did not answer"}}
	assert.Equal(t, []string{"GitHub did not answer"}, report.NewAlert(r).Notes)

	r.Message = strings.Repeat("x", 1001)
	assert.Equal(t, []string{"input a is wrong", "GitHub did not answer"}, report.NewAlert(r).Notes, "the message is cut, and may have lost it")
}

// The steps name the commit of the version that was left, and no other.
func TestWhichCommitToRevert(t *testing.T) {
	t.Parallel()
	const own = "abcdefabcdefabcdefabcdefabcdefabcdefabcd"
	asked := func(r report.Result) report.Result {
		r.Run.Event, r.Run.Jobs, r.Run.Conclusion, r.Run.SHA = "workflow_dispatch", nil, "", own
		return r
	}
	promoted, unknown, rebuilt, other := result(told()), told(), told(), told()
	promoted.Run.SHA = own
	unknown.Commits = nil
	rebuilt.Commits = map[string]string{"42": badCommit, "41": badCommit}
	other.Function, other.Commits = "worker", map[string]string{"42": own}
	for name, test := range map[string]struct {
		r    report.Result
		want string
	}{
		"the failed run's":                    {result(unknown), "Revert " + report.ShortSHA(badCommit) + " on main"},
		"a later run has only promoted it":    {promoted, "Revert " + report.ShortSHA(badCommit) + " on main"},
		"a person asked":                      {asked(result(told())), "Revert " + report.ShortSHA(badCommit) + " on main"},
		"a person asked, and it is not known": {asked(result(unknown)), "Revert what broke it on main"},
		"both were made from the same":        {result(rebuilt), "Revert what broke it on main"},
		"several were made from several":      {result(told(), other), "Revert what broke it on main"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Contains(t, strings.Join(report.NextSteps(test.r), " "), test.want)
		})
	}
	a := report.NewAlert(asked(result(told())))
	assert.Empty(t, fact(a, "Commit"), "the commit of the run that a person started is nobody's fault")
	assert.Equal(t, "octocat", fact(a, "Requested by"))
}
