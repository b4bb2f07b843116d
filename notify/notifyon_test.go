package notify_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/org/lambda-rollback-action/notify"
	"github.com/org/lambda-rollback-action/rollback/report"
)

func TestWhichResultsNotify(t *testing.T) {
	t.Parallel()
	usual := []string{"rolled-back", "failed", "attention"}
	of := func(functions ...report.Function) report.Result {
		r := report.Result{Command: "rollback", Functions: functions}
		report.Conclude(&r)
		return r
	}
	rolledBack := of(report.Function{Status: report.RolledBack, Reason: report.PreviousVersion, MovedAt: "2026-03-07T03:14:05Z", To: "41"})
	unhealthy := of(report.Function{Status: report.Failed, Reason: report.Unhealthy, MovedAt: "2026-03-07T03:14:05Z", To: "41"})
	skipped := of(report.Function{Status: report.Skipped, Reason: report.NotDeployed})
	noPrevious := of(report.Function{Status: report.Skipped, Reason: report.NoPreviousVersion})
	mixed := of(skipped.Functions[0], noPrevious.Functions[0])
	left := of(report.Function{Status: report.Skipped, Reason: report.BranchNotAllowed, Attention: true})
	planned := of(report.Function{Status: report.Planned, To: "41"})
	command := func(name string, status report.Status) report.Result {
		r := report.Result{Command: name, Status: status}
		return r
	}
	declined := of(report.Function{Status: report.Failed, Reason: report.Cancelled})
	declined.Declined = true

	for name, test := range map[string]struct {
		on     []string
		result report.Result
		want   bool
	}{
		"rolled back": {usual, rolledBack, true},
		"rolled back, and only failures are wanted":        {[]string{"failed"}, rolledBack, false},
		"not healthy is a failure":                         {[]string{"failed"}, unhealthy, true},
		"not healthy was rolled back, too":                 {[]string{"rolled-back"}, unhealthy, true},
		"failed before it began":                           {usual, command("rollback", report.Failed), true},
		"skipped is quiet":                                 {usual, skipped, false},
		"skipped is wanted":                                {[]string{"skipped"}, skipped, true},
		"refused is quiet":                                 {usual, command("rollback", report.Skipped), false},
		"nothing to go back to needs a person":             {usual, noPrevious, true},
		"nothing to go back to is skipped, too":            {[]string{"skipped"}, noPrevious, true},
		"one of several has nothing to go back to":         {usual, mixed, true},
		"a failed deploy of another branch needs a person": {usual, left, true},
		"a dry run is quiet":                               {usual, planned, false},
		"a dry run is wanted":                              {[]string{"planned"}, planned, true},
		"a failed drill":                                   {usual, command("drill", report.Failed), true},
		"a drill that went well is quiet":                  {usual, command("drill", report.Drilled), false},
		"not ready":                                        {usual, command("check", report.NotReady), true},
		"ready is quiet":                                   {usual, command("check", report.Ready), false},
		"a snapshot is quiet":                              {usual, command("snapshot", report.Taken), false},
		"always":                                           {[]string{"always"}, command("list", report.Listed), true},
		"a person who left all as it is, is told at once":  {usual, declined, false},
		"and also where all is told":                       {[]string{"always"}, declined, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, test.want, notify.ShouldNotify(test.on, test.result))
		})
	}
	assert.True(t, notify.IsTest([]string{"always"}, command("check", report.Ready)))
	assert.False(t, notify.IsTest(usual, command("check", report.NotReady)))
	assert.False(t, notify.IsTest([]string{"always"}, rolledBack))
}
