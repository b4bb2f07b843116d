package rollback

import (
	"context"

	"github.com/org/lambda-rollback-action/rollback/alias"
	"github.com/org/lambda-rollback-action/rollback/aws"
)

// rollBack rolls every function and the static site back, notifies, and proves
// that production recovered.
func rollBack(ctx context.Context, a *action, clients *aws.Clients, functions []alias.Function) {
	site := restoreSite(a, clients)
	a.log.Group("Rolling back")
	fleet := alias.NewFleet(functions)
	fleet.RollBack(ctx, a.inputs.AllOrNothing)
	a.log.EndGroup()

	a.awaitRun(ctx)
	notifyMoved(a, fleet.Results())
	a.result.Functions = prove(a, clients, fleet)
	completeTimelines(a)
	a.result.Site = site()
}
