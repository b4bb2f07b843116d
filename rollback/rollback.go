package rollback

import (
	"context"

	"github.com/org/lambda-rollback-action/rollback/alias"
	"github.com/org/lambda-rollback-action/rollback/aws"
)

// rollBack rolls back every function and the static site, sends notifications, and
// proves that production recovered.
func rollBack(ctx context.Context, a *action, clients *aws.Clients, functions []alias.Function) {
	site := restoreSite(a, clients)
	a.log.Group("Rolling back")
	defer watchOwners(a, clients, functions)()
	fleet := alias.NewFleet(functions)
	fleet.Log = a.log
	fleet.RollBack(ctx, a.inputs.AllOrNothing)
	a.log.EndGroup()

	a.awaitRun(ctx)
	notifyMoved(a, withOwners(a, fleet.Results()), site.running())
	a.result.Functions = withOwners(a, prove(a, clients, fleet))
	completeTimelines(a)
	a.result.Site = site.wait()
}
