package report_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/org/lambda-rollback-action/rollback/report"
)

func TestWhatKeepsAVersionToGoBackTo(t *testing.T) {
	t.Parallel()
	const snapshot, retain = "command: snapshot", "RemovalPolicy.RETAIN"
	for name, c := range map[string]struct {
		cause  report.NoPrevious
		owner  *report.Owner
		says   []string
		unsaid []string
	}{
		"not known":                      {},
		"the first version":              {cause: report.NeverPublished, says: []string{"Let each deploy publish a version"}, unsaid: []string{"prune", snapshot}},
		"the first version of a CDK app": {cause: report.NeverPublished, owner: &report.Owner{Deletes: report.DeletedByCDK}, says: []string{"Let each deploy publish a version"}, unsaid: []string{retain}},
		"deleted, nothing known":         {cause: report.VersionsDeleted, says: []string{snapshot, retain, "DeletionPolicy: Retain", "serverless-prune-plugin", "DeleteFunction20150331"}},
		"deleted, owner without a tool":  {cause: report.VersionsDeleted, owner: &report.Owner{}, says: []string{snapshot, retain, "serverless-prune-plugin"}},
		"deleted by CDK": {cause: report.VersionsDeleted, owner: &report.Owner{Deletes: report.DeletedByCDK},
			says: []string{"AWS CDK deploys api", retain, snapshot}, unsaid: []string{"prune", "UpdateReplacePolicy"}},
		"deleted by CloudFormation": {cause: report.VersionsDeleted, owner: &report.Owner{Deletes: report.DeletedByCloudFormation},
			says: []string{"UpdateReplacePolicy: Retain", snapshot}, unsaid: []string{"prune", retain}},
		"deleted, and SAM keeps them": {cause: report.VersionsDeleted, owner: &report.Owner{Deletes: report.DeletedBesideSAM},
			says: []string{"VersionDeletionPolicy: Delete", "DeleteFunction20150331", snapshot}, unsaid: []string{"prune", retain}},
		"deleted beside Serverless": {cause: report.VersionsDeleted, owner: &report.Owner{Deletes: report.DeletedBesideServerless},
			says: []string{"number under custom.prune", snapshot}, unsaid: []string{retain}},
		"deleted beside Terraform": {cause: report.VersionsDeleted, owner: &report.Owner{Deletes: report.DeletedBesideTerraform},
			says: []string{"Terraform deploys api", "DeleteFunction20150331", snapshot}, unsaid: []string{retain, "prune"}},
	} {
		for command, status := range map[string]report.Status{"rollback": report.Skipped, "check": report.NotReady, "drill": report.Skipped} {
			t.Run(name+", "+command, func(t *testing.T) {
				t.Parallel()
				f := report.Function{
					Function: "api", Alias: "live", From: "42", Status: status, Reason: report.NoPreviousVersion, NoPrevious: c.cause, Owner: c.owner,
				}
				r := report.Result{Command: command, Environment: "production", Functions: []report.Function{f}}
				report.Conclude(&r)
				steps := strings.Join(report.NextSteps(r), "\n")
				for _, text := range c.says {
					assert.Contains(t, steps, text)
				}
				for _, text := range c.unsaid {
					assert.NotContains(t, steps, text)
				}
			})
		}
	}
}
