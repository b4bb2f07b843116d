package rollback

import (
	"context"

	"github.com/org/lambda-rollback-action/rollback/alias"
	"github.com/org/lambda-rollback-action/rollback/aws"
)

// drill rolls back, checks, moves back to the version that was live before, and
// checks again. It always moves back, whatever happens in between.
func drill(ctx context.Context, a *action, clients *aws.Clients, functions []alias.Function) {
	defer watchOwners(a, clients, functions)()
	drill := alias.NewDrill(functions)
	check := func() {
		if a.inputs.AsksForChecks() {
			drill.Check(a.lifetime.work, proverOf(verifier(a, clients)), a.log)
		}
	}
	a.log.Group("Drill: roll back")
	drill.Move(ctx)
	check()
	a.log.EndGroup()

	a.log.Group("Drill: return")
	drill.Restore()
	check()
	a.log.EndGroup()
	drillSite(a, clients)
	a.awaitRun(ctx)
	a.result.Functions = withOwners(a, drill.Results(a.lifetime.work))
	completeTimelines(a)
}
