package rollback

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/org/lambda-rollback-action/github"
	"github.com/org/lambda-rollback-action/rollback/report"
)

func TestWhatIsSaidToAPerson(t *testing.T) {
	t.Parallel()
	for said, want := range map[string]string{
		"The input health-status has no effect without health-url.":       "--health-status has no effect without --health-url.",
		"the input timeout expired before AWS credentials were available": "--timeout expired before AWS credentials were available",
		"choose an older version with `target-version`.":                  "choose an older version with `--target-version`.",
		"set target-version": "set --target-version",
		"choose the version by --target-version, or by --yes":             "choose the version by --target-version, or by --yes",
		"all-or-nothing is set; `on-unhealthy: step-back` does so":        "--all-or-nothing is set; `--on-unhealthy step-back` does so",
		"or allow-production-drill: true":                                 "or --allow-production-drill",
		"aws-region: no region is known":                                  "--aws-region: no region is known",
		"add it to the input `branch`":                                    "add it to --branch",
		"the branch of the alias needs a reason":                          "the branch of the alias needs a reason",
		"the input that was given":                                        "the input that was given",
		"https://example.com/target-version and arn:aws:x:target-version": "https://example.com/target-version and arn:aws:x:target-version",
		"my-target-version, target-version-2":                             "my-target-version, target-version-2",
		"allow that action for the role that this job uses":               "allow that action for the identity that you use",
		"Look where the alias stands now. Run the job again. ":            "Look where the alias stands now. Run this again. ",
	} {
		assert.Equal(t, want, rewordForTerminal(said))
	}
}

// No remedy that a person reads speaks of what only a workflow has.
func TestRemediesAtATerminalSpeakOfFlags(t *testing.T) {
	t.Parallel()
	for _, reason := range []report.Reason{
		report.NoCredentials, report.AccessDenied, report.FunctionNotFound, report.AliasNotFound, report.VersionNotFound,
		report.AliasOnLatest, report.AliasChanged, report.Throttled, report.Timeout, report.Cancelled, report.AWSError,
	} {
		for _, command := range []string{"rollback", "check", "list", "drill"} {
			r := report.Result{Command: command, Environment: "production", Functions: []report.Function{{
				Function: "api", Alias: "live", Region: "eu-west-1", Status: report.Failed, Reason: reason, Message: "x",
			}}}
			report.Conclude(&r)
			text := rewordForTerminal(report.Text(r))
			for _, foreign := range []string{"the job", "permissions:", "input", "step before", "workflow"} {
				assert.NotContains(t, text, foreign, "%s %s", command, reason)
			}
			for _, d := range github.InputDefinitions() {
				assert.NotContains(t, text, "`"+d.Name+"`")
			}
		}
	}
}
