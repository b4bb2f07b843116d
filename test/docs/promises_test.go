package docs_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/org/lambda-rollback-action/rollback/alias"
	"github.com/org/lambda-rollback-action/rollback/report"
)

// The next steps in a summary are documentation as well: what they tell a person
// to do must work.

// The step that the summary gives for alias-on-latest must not lead back to it.
func TestTheWayOutOfLatestIsOne(t *testing.T) {
	steps := report.NextSteps(report.Result{Status: report.Failed, Reason: report.AliasOnLatest, Functions: []report.Function{
		{Function: "api", Alias: "live", Status: report.Failed, Reason: report.AliasOnLatest, From: "$LATEST"},
	}})
	if !strings.Contains(strings.Join(steps, "\n"), "target-version") {
		return // not promised any more
	}
	decision := alias.Decide(alias.Observation{
		Request:  alias.Request{Target: 2, OnlyIfDeployed: true, Manual: true},
		Alias:    alias.Alias{Latest: true, RevisionID: "r"},
		Versions: map[int64]alias.Version{2: {Exists: true, Read: true, State: "Active"}},
	})
	assert.Equal(t, alias.Move, decision.Action, decision.Why)
}

// A person who goes forward, from 2 to 3, rejects nothing.
func TestWhatIsNotRejectedIsNotSaidToBe(t *testing.T) {
	steps := report.NextSteps(report.Result{Status: report.RolledBack, Reason: report.Chosen, Functions: []report.Function{
		{Function: "api", Alias: "live", Status: report.RolledBack, Reason: report.Chosen, From: "2", To: "3", Rejected: []string{}},
	}})
	assert.NotContains(t, strings.Join(steps, "\n"), "Version 2 will not be selected")
}
