package rollback

import (
	"context"

	"github.com/org/lambda-rollback-action/rollback/alias"
	"github.com/org/lambda-rollback-action/rollback/aws"
	"github.com/org/lambda-rollback-action/rollback/report"
)

// snapshot records what serves, for the rollback of the same run.
func snapshot(ctx context.Context, a *action, clients *aws.Clients, functions []alias.Function) {
	if a.workflow.RunID == 0 {
		a.setAll(report.Failed, report.InvalidInput,
			"a snapshot is for the rollback of the same workflow run, but GITHUB_RUN_ID is not set: take it in a job of the workflow that deploys")
		return
	}
	a.log.Group("Noting what serves")
	a.result.Functions = alias.Snapshot(ctx, functions)
	snapshotSite(ctx, a, clients)
	a.log.EndGroup()
	a.awaitRun(ctx)
}
