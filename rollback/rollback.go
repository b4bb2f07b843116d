package rollback

import (
	"context"

	"github.com/org/lambda-rollback-action/rollback/alias"
	"github.com/org/lambda-rollback-action/rollback/aws"
)

// rollBack rolls every function back, notifies, and proves that production
// recovered.
func (a *action) rollBack(ctx context.Context, clients *aws.Clients, functions []alias.Function) {
	a.log.Group("Rolling back")
	defer a.watchOwners(clients, functions)()
	fleet := alias.NewFleet(functions)
	fleet.RollBack(ctx, a.inputs.AllOrNothing)
	a.log.EndGroup()

	a.awaitRun(ctx)
	a.notifyMoved(a.withOwners(fleet.Results()))
	a.result.Functions = a.withOwners(a.prove(clients, fleet))
	a.completeTimelines()
}
