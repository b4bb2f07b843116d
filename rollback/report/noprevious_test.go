package report_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/org/lambda-rollback-action/rollback/report"
)

func TestWhatKeepsAVersionToGoBackTo(t *testing.T) {
	t.Parallel()
	for cause, says := range map[report.NoPrevious][]string{
		"":                     nil,
		report.NeverPublished:  {"Let each deploy publish a version"},
		report.VersionsDeleted: {"`command: snapshot`", "RemovalPolicy.RETAIN", "DeletionPolicy: Retain", "serverless-prune-plugin"},
	} {
		for command, status := range map[string]report.Status{"rollback": report.Skipped, "check": report.NotReady, "drill": report.Skipped} {
			f := report.Function{
				Function: "api", Alias: "live", From: "42", Status: status, Reason: report.NoPreviousVersion, NoPrevious: cause,
			}
			r := report.Result{Command: command, Environment: "production", Functions: []report.Function{f}}
			report.Conclude(&r)
			steps := strings.ReplaceAll(strings.Join(report.NextSteps(r), "\n"), "{", "")
			for _, text := range says {
				assert.Contains(t, report.Summary(r)+steps, strings.ReplaceAll(text, "{", ""), command)
			}
			assert.Equal(t, cause == report.VersionsDeleted, strings.Contains(steps, "prune"), command)
		}
	}
}
