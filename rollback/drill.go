package rollback

import (
	"context"

	"github.com/org/lambda-rollback-action/rollback/alias"
	"github.com/org/lambda-rollback-action/rollback/aws"
)

// drill rolls back, checks, returns to what served before, and checks again.
// Whatever happens in between, the way back is gone.
func (s *story) drill(ctx context.Context, clients *aws.Cloud, functions []alias.Function) {
	drill := alias.NewDrill(functions)
	check := func() {
		if s.in.AsksForChecks() {
			drill.Check(s.work, proverOf(s.verifier(clients)), s.log)
		}
	}
	s.log.Group("Drill: there")
	drill.Move(ctx)
	check()
	s.log.EndGroup()

	s.log.Group("Drill: back")
	drill.Restore()
	check()
	s.log.EndGroup()
	s.tellRun(ctx)
	s.result.Functions = drill.Results(s.work)
	s.completeTimelines()
}
