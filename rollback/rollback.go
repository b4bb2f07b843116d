package rollback

import (
	"context"

	"github.com/org/lambda-rollback-action/rollback/alias"
	"github.com/org/lambda-rollback-action/rollback/aws"
)

// rollBack rolls every function and the static site back, notifies, and proves
// that production recovered.
func (a *action) rollBack(ctx context.Context, clients *aws.Clients, functions []alias.Function) {
	site := a.restoreSite(clients)
	a.log.Group("Rolling back")
	fleet := alias.NewFleet(functions)
	fleet.RollBack(ctx, a.inputs.AllOrNothing)
	a.log.EndGroup()

	a.awaitRun(ctx)
	a.notifyMoved(fleet.Results())
	a.result.Functions = a.prove(clients, fleet)
	a.completeTimelines()
	a.result.Site = site()
}
