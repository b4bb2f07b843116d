package github_test

import (
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/assert"

	"github.com/org/lambda-rollback-action/github"
)

// FuzzParseInputs puts random text into inputs of every kind: nothing may
// panic, messages stay printable lines that name a defined input, and no
// secret stands in one.
func FuzzParseInputs(f *testing.F) {
	f.Add("orders,billing:blue", "orders=1\nbilling=2", "5m", "ops@example.com", "https://example.com")
	f.Add("arn:aws:lambda:eu-west-1:123456789012:function:x:1", "v42,=,x=", "300", `"`, "http://[::1")
	f.Add("a\x00\n::error::", "$LATEST", "-1ns", "=?utf-8?q?=0A?= <a@b>", "https://u:p@h/%zz")
	f.Fuzz(func(t *testing.T, functions, versions, number, address, link string) {
		const mark = "s3cr3t-"
		given := values{
			"function-name": functions, "alias": address, "branch": functions, "needs": link, "deploy-job": functions,
			"deployed-version": versions, "target-version": versions, "dry-run": number,
			"aws-region": address, "timeout": number, "observe": number, "max-steps": number, "health-status": number,
			"health-url": link, "invoke-payload": versions, "site-restore-to": number, "site-bucket": address,
			"smtp-host": link, "smtp-port": number, "email-from": address, "email-to": address, "email-cc": address,
			"notify-on":         versions,
			"webhook-url":       link + mark + address,
			"slack-webhook-url": mark + link, "teams-webhook-url": "http://" + mark + link,
			"slack-bot-token": mark + link, "smtp-password": mark + address, "webhook-secret": mark + number, "github-token": mark + link,
		}
		in, err := github.ParseInputs(given.getenv)
		if err == nil {
			assert.NotEmpty(t, in.Functions)
			return
		}
		var wrong github.InputErrors
		if !assert.ErrorAs(t, err, &wrong) {
			return
		}
		defined := map[string]bool{}
		for _, definition := range github.InputDefinitions() {
			defined[definition.Name] = true
		}
		for _, problem := range wrong {
			assert.True(t, defined[problem.Input], problem.Input)
			assert.False(t, strings.ContainsFunc(problem.Error(), unicode.IsControl), "%q", problem.Error())
			if !strings.Contains(functions+versions+number+address+link, mark) {
				assert.NotContains(t, problem.Error(), mark)
			}
		}
	})
}
