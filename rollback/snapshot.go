package rollback

import (
	"context"

	"github.com/org/lambda-rollback-action/rollback/alias"
	"github.com/org/lambda-rollback-action/rollback/aws"
	"github.com/org/lambda-rollback-action/rollback/report"
)

// snapshot records the live versions, for the rollback of the same run.
func snapshot(ctx context.Context, a *action, clients *aws.Clients, functions []alias.Function) {
	if a.workflow.RunID == 0 {
		a.setAll(report.Failed, report.InvalidInput,
			"a snapshot belongs to a workflow run, but GITHUB_RUN_ID is not set: run the command snapshot in a job of the workflow that deploys")
		return
	}
	a.log.Group("Recording the live version")
	a.result.Functions = alias.Snapshot(ctx, functions)
	snapshotSite(ctx, a, clients)
	a.log.EndGroup()
	a.awaitRun(ctx)
}
