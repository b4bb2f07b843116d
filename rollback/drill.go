package rollback

import (
	"context"

	"github.com/org/lambda-rollback-action/rollback/alias"
	"github.com/org/lambda-rollback-action/rollback/aws"
)

// drill rolls back, checks, returns to what served before, and checks again.
// Whatever happens in between, the way back is gone.
func drill(ctx context.Context, a *action, clients *aws.Clients, functions []alias.Function) {
	defer watchOwners(a, clients, functions)()
	drill := alias.NewDrill(functions)
	check := func() {
		if a.inputs.AsksForChecks() {
			drill.Check(a.lifetime.work, proverOf(verifier(a, clients)), a.log)
		}
	}
	a.log.Group("Drill: there")
	drill.Move(ctx)
	check()
	a.log.EndGroup()

	a.log.Group("Drill: back")
	drill.Restore()
	check()
	a.log.EndGroup()
	drillSite(a, clients)
	a.awaitRun(ctx)
	a.result.Functions = withOwners(a, drill.Results(a.lifetime.work))
	completeTimelines(a)
}
