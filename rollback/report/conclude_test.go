package report_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"

	"github.com/org/lambda-rollback-action/rollback/report"
)

func TestConclude(t *testing.T) {
	t.Parallel()
	fn := func(name string, status report.Status, reason report.Reason, health report.Health) report.Function {
		f := report.Function{Function: name, Status: status, Reason: reason, Healthy: health, From: "42", Message: name + " said so."}
		if status == report.RolledBack || status == report.Planned {
			f.To = "41"
		}
		return f
	}
	moved := fn("api", report.RolledBack, report.PreviousVersion, report.Healthy)
	canary := fn("worker", report.RolledBack, report.CanaryStopped, report.HealthUnknown)
	alone := fn("billing", report.Skipped, report.NotDeployed, "")
	denied := fn("mail", report.Failed, report.AccessDenied, report.HealthUnknown)
	sick := fn("shop", report.Failed, report.Unhealthy, report.NotHealthy)
	checked := func(f report.Function, status report.CheckStatus) report.Function {
		f.MovedAt, f.Checks = "2026-03-07T03:14:05Z", []report.Check{{Name: "alarm errors", Status: status, Detail: "said so"}}
		return f
	}
	well := checked(moved, "passed")
	open := checked(fn("worker", report.RolledBack, report.PreviousVersion, report.HealthUnknown), "inconclusive")
	unwell := checked(fn("shop", report.Failed, report.Unhealthy, report.NotHealthy), "failed")
	unwell.To = "41"
	planned := fn("api", report.Planned, report.PreviousVersion, "")

	for name, c := range map[string]struct {
		functions []report.Function
		status    report.Status
		reason    report.Reason
		healthy   report.Health
		message   string
	}{
		"one function speaks for itself": {
			[]report.Function{moved}, report.RolledBack, report.PreviousVersion, report.Healthy, "api said so.",
		},
		"rolled back and left alone": {
			[]report.Function{alone, moved, canary}, report.RolledBack, report.PreviousVersion, report.HealthUnknown,
			"2 of 3 functions in production were rolled back: api 42 → 41, worker 42 → 41; billing was not changed (not-deployed)",
		},
		"a failure outweighs all": {
			[]report.Function{moved, alone, denied}, report.Failed, report.AccessDenied, report.HealthUnknown,
			"1 of 3 functions in production could not be rolled back: mail (access-denied); api 42 → 41 was rolled back; billing was not changed (not-deployed)",
		},
		"the first failure gives the reason": {
			[]report.Function{sick, denied}, report.Failed, report.Unhealthy, report.NotHealthy,
			"2 functions in production could not be rolled back: shop (unhealthy), mail (access-denied)",
		},
		"a dry run": {
			[]report.Function{alone, planned}, report.Planned, report.PreviousVersion, report.HealthUnknown,
			"1 of 2 functions in production would be rolled back: api 42 → 41; billing was not changed (not-deployed)",
		},
		"what was left alone has no say in health": {
			[]report.Function{moved, alone}, report.RolledBack, report.PreviousVersion, report.Healthy,
			"1 of 2 functions in production was rolled back: api 42 → 41; billing was not changed (not-deployed)",
		},
		"production recovered": {
			[]report.Function{well, well}, report.RolledBack, report.PreviousVersion, report.Healthy,
			"2 functions in production were rolled back: api 42 → 41, api 42 → 41; all checks passed",
		},
		"of one it is not known": {
			[]report.Function{well, open}, report.RolledBack, report.PreviousVersion, report.HealthUnknown,
			"2 functions in production were rolled back: api 42 → 41, worker 42 → 41; could not confirm that production recovered (alarm errors: said so)",
		},
		"one is not healthy": {
			[]report.Function{well, unwell}, report.Failed, report.Unhealthy, report.NotHealthy,
			"1 of 2 functions in production was rolled back but is not healthy: shop 42 → 41; api 42 → 41 was rolled back; alarm errors: said so",
		},
		"one was not moved": {
			[]report.Function{well, denied}, report.Failed, report.AccessDenied, report.HealthUnknown,
			"1 of 2 functions in production could not be rolled back: mail (access-denied); api 42 → 41 was rolled back; " +
				"production recovered where it was checked, but not everything was checked",
		},
		"nothing to do": {
			[]report.Function{alone, alone}, report.Skipped, report.NotDeployed, report.HealthUnknown,
			"2 functions in production were not changed: billing (not-deployed), billing (not-deployed)",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := report.Result{Environment: "production", Functions: c.functions}
			report.Conclude(&r)
			assert.Equal(t, c.status, r.Status)
			assert.Equal(t, c.reason, r.Reason)
			assert.Equal(t, c.healthy, r.Healthy)
			assert.Equal(t, c.message, r.Message)
		})
	}
}

func TestConcludeKeepsAResultWithoutFunctions(t *testing.T) {
	t.Parallel()
	r := report.Result{Status: report.Failed, Reason: report.InvalidInput, Message: "An input is wrong."}
	report.Conclude(&r)
	assert.Equal(t, report.Result{
		Status: report.Failed, Reason: report.InvalidInput, Message: "An input is wrong.", Healthy: report.HealthUnknown,
	}, r)
}

func TestMessageIsBounded(t *testing.T) {
	t.Parallel()
	message := report.MessageOf("", crowd(3_000, 100, "é").Functions, strings.Repeat("x", 5_000))
	assert.LessOrEqual(t, utf8.RuneCountInString(message), 1_000)

	short := report.MessageOf("", crowd(300, 1, "").Functions, "production")
	assert.Contains(t, short, "and 290 more")
}
