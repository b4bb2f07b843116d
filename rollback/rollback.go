package rollback

import (
	"context"

	"github.com/org/lambda-rollback-action/rollback/alias"
	"github.com/org/lambda-rollback-action/rollback/aws"
)

// rollBack rolls every function back, notifies, and proves that production
// recovered.
func rollBack(ctx context.Context, a *action, clients *aws.Clients, functions []alias.Function) {
	a.log.Group("Rolling back")
	fleet := alias.NewFleet(functions)
	fleet.RollBack(ctx, a.inputs.AllOrNothing)
	a.log.EndGroup()

	a.awaitRun(ctx)
	notifyMoved(a, fleet.Results())
	a.result.Functions = prove(a, clients, fleet)
	completeTimelines(a)
}
