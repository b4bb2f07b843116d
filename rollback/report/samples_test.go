package report_test

import (
	"fmt"
	"strings"
	"time"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// The results that the golden files show, one for each thing an engineer may
// find on the page.

func night() time.Time { return time.Date(2026, 3, 7, 3, 14, 7, 0, time.UTC) }

func failedRun() report.Run {
	return report.Run{
		ID: 9001, Attempt: 2, Number: 57, Workflow: "Deploy", Repository: "acme/shop", Branch: "main",
		SHA: "1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d", Commit: "Charge the card before the stock is checked (#812)",
		Actor: "octocat", Event: "push", URL: "https://github.com/acme/shop/actions/runs/9001", Conclusion: "failure",
		Jobs: []report.Job{
			{Name: "test", Conclusion: "success"},
			{Name: "deploy / production", Conclusion: "failure", FailedStep: "Smoke test", URL: "https://github.com/acme/shop/actions/runs/9001/job/77"},
			{Name: "rollback-on-failure", Own: true},
		},
	}
}

func api() report.Function {
	return report.Function{
		Function: "api", ARN: "arn:aws:lambda:eu-west-1:123456789012:function:api:live", Region: "eu-west-1", Alias: "live",
		Status: report.RolledBack, Reason: report.PreviousVersion,
		Message: "api in production was rolled back from version 42 to 41.",
		From:    "42", To: "41", Rejected: []string{"42"},
		Proof:   "Version 42 was published at 03:11:40 UTC, while the job “deploy / production” of this run was running (03:09:02 to 03:12:55 UTC).",
		Healthy: report.Healthy, MovedAt: "2026-03-07T03:14:05Z", DurationMS: 812,
		Checks: []report.Check{
			{Name: "health https://shop.example.com/health", Status: "passed", Detail: "200 three times in a row, 41 ms"},
			{Name: "invoke", Status: "passed", Detail: "version 41 answered"},
		},
		Changes: []report.Change{
			{What: "code", From: "sha256 9f86d081", To: "sha256 60303ae2"},
			{What: "memory", From: "512 MB", To: "256 MB"},
			{What: "environment variables", From: "CARD_URL, TABLE", To: "TABLE"},
		},
	}
}

func rolledBack() report.Result {
	return result(api())
}

// result is a rollback with the functions given, concluded.
func result(functions ...report.Function) report.Result {
	r := report.Result{
		Command: "rollback", Environment: "production", Functions: functions,
		Run: failedRun(), OwnURL: "https://github.com/acme/shop/actions/runs/9001", Timestamp: night(),
	}
	report.Conclude(&r)
	return r
}

func planned() report.Result {
	f := api()
	f.Status, f.Healthy, f.MovedAt, f.Checks = report.Planned, report.HealthUnknown, "", nil
	f.Message = "api in production would be rolled back from version 42 to 41 (dry run)."
	r := result(f)
	r.DryRun = true
	return r
}

func canary() report.Result {
	f := api()
	f.Reason, f.From, f.To, f.WeightsCleared, f.Changes = report.CanaryStopped, "41", "41", true, nil
	f.Message = "The canary of api in production was stopped: version 42 gets no traffic any more, 41 gets all."
	return result(f)
}

func skipped() report.Result {
	f := report.Function{
		Function: "api", Region: "eu-west-1", Alias: "live", Status: report.Skipped, Reason: report.NotDeployed, From: "41",
		Message: "api in production was not changed: version 41 was there before this run.",
		Proof:   "Version 41 was published at 2026-03-06 16:20:11 UTC, before this run was created (2026-03-07 03:05:00 UTC).",
	}
	return result(f)
}

func refused() report.Result {
	return report.Result{
		Command: "rollback", Environment: "production", Status: report.Skipped, Reason: report.BranchNotAllowed,
		Message: "Nothing was rolled back: the run is of branch feature/x, and `branch` allows main.",
		Healthy: report.HealthUnknown, Timestamp: night(), OwnURL: "https://github.com/acme/shop/actions/runs/9001",
		Run: report.Run{Branch: "feature/x", URL: "https://github.com/acme/shop/actions/runs/9001"},
	}
}

func noPrevious() report.Result {
	f := report.Function{
		Function: "api", Region: "eu-west-1", Alias: "live", Status: report.Skipped, Reason: report.NoPreviousVersion, From: "42",
		Message: "api in production is still on version 42: there is no older version that can serve.",
		Notes:   []report.Note{{Warning: true, Text: "Version 41 cannot serve traffic: its image was deleted from ECR (ImageDeleted)."}},
	}
	return result(f)
}

func failed() report.Result {
	f := report.Function{
		Function: "api", Region: "eu-west-1", Alias: "live", Status: report.Failed, Reason: report.AccessDenied, From: "42", To: "41",
		Message: "api in production was not rolled back and is still on version 42: the role may not call lambda:UpdateAlias on arn:aws:lambda:eu-west-1:123456789012:function:api.",
		Proof:   api().Proof,
	}
	return result(f)
}

func unhealthy() report.Result {
	f := api()
	f.Status, f.Reason, f.Healthy = report.Failed, report.Unhealthy, report.NotHealthy
	f.Message = "api in production was rolled back from version 42 to 41, and is still not healthy: /health answered 500."
	f.Checks = []report.Check{{Name: "health https://shop.example.com/health", Status: "failed", Detail: "500 after 60 s (wanted 200)"}}
	return result(f)
}

func invalidInput() report.Result {
	return report.Result{
		Command: "rollback", Environment: "production", Status: report.Failed, Reason: report.InvalidInput,
		Message: "2 inputs are wrong: `function-name` is required; `timeout` is \"5 minutes\", and takes a duration such as 5m.",
		Healthy: report.HealthUnknown, Timestamp: night(), OwnURL: "https://github.com/acme/shop/actions/runs/9001",
	}
}

func several() report.Result {
	worker, billing, mail := api(), failed().Functions[0], skipped().Functions[0]
	worker.Function, worker.From, worker.To, worker.Changes = "worker", "7", "6", nil
	worker.Message = "worker in production was rolled back from version 7 to 6."
	billing.Function, billing.From, billing.To = "billing", "19", "18"
	billing.Message = "billing in production is still on version 19: the role may not call lambda:UpdateAlias."
	mail.Function, mail.From, mail.Reason = "mail", "3", report.Superseded
	mail.Message = "mail in production was not changed: a newer deploy put version 3 there."
	return result(api(), worker, billing, mail)
}

func hostile() report.Result {
	evil := "<script>alert(1)</script> | ``` @octocat #1 acme/shop#2 GH-3 https://evil.example www.evil.example " +
		"[x](javascript:alert(1)) ![](https://evil.example/p.png) $x$ **b** _i_ ~~s~~ \x1b[31mred\x1b[0m \u202egnp.exe\n\n# Heading\n::error::x ##[group]y"
	f := api()
	f.Function, f.Alias, f.Message, f.Proof = evil, evil, evil, evil
	f.ARN, f.Region = evil, evil
	f.Checks = []report.Check{{Name: evil, Status: report.CheckStatus(evil), Detail: evil}}
	f.Changes = []report.Change{{What: evil, From: evil, To: evil}}
	f.Notes = []report.Note{{Warning: true, Text: evil}}
	r := result(f, f)
	r.Run = report.Run{
		Workflow: evil, Branch: evil, SHA: evil, Commit: evil, Actor: evil, URL: "https://evil.example/x y", Number: 1,
		Jobs: []report.Job{{Name: evil, Conclusion: "failure", FailedStep: evil, URL: "javascript:alert(1)"}},
	}
	r.Environment = evil
	return r
}

// crowd is n functions with every text as long as length says.
func crowd(n, length int, text string) report.Result {
	long := strings.Repeat(text, length)
	all := make([]report.Function, 0, n)
	for i := range n {
		f := api()
		f.Function = fmt.Sprintf("f%d%s", i, long)
		f.Alias, f.Message, f.Proof, f.From, f.To = long, long, long, long, long
		for range 60 {
			f.Checks = append(f.Checks, report.Check{Name: long, Status: report.CheckStatus(long), Detail: long})
			f.Changes = append(f.Changes, report.Change{What: long, From: long, To: long})
			f.Notes = append(f.Notes, report.Note{Text: long})
		}
		all = append(all, f)
	}
	r := result(all...)
	r.Environment, r.Message = long, long
	r.Run.Commit, r.Run.Branch, r.Run.Actor, r.Run.Workflow = long, long, long, long
	for range 20 {
		r.Notes = append(r.Notes, report.Note{Text: long})
		r.Run.Jobs = append(r.Run.Jobs, report.Job{Name: long, Conclusion: "failure", FailedStep: long})
	}
	return r
}
