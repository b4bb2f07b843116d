package rollback

import (
	"context"
	"fmt"

	"github.com/org/lambda-rollback-action/rollback/alias"
	"github.com/org/lambda-rollback-action/rollback/report"
)

// lookAtCancelled checks whether a cancelled deploy, which does not count as failed,
// has moved the aliases anyway: its job may have been stopped by its time limit. It
// changes only the result. If an alias was moved, the result asks for manual action.
func lookAtCancelled(ctx context.Context, a *action) {
	if len(a.inputs.Needs) > 0 {
		a.failedBy = report.FailedByNeeds // only the jobs in needs may have deployed
	}
	a.run.start()
	clients, err := openAWS(ctx, a)
	if err != nil {
		_, why := explainNoAccess(ctx, a, err)
		a.note(report.Note{Text: "could not check whether the cancelled deploy moved the alias: " + why})
		return
	}
	functions := a.functions(clients)
	for i := range functions {
		functions[i].DryRun = true
	}
	fleet := alias.NewFleet(functions)
	fleet.RollBack(ctx, false)
	for i, seen := range fleet.Results() {
		f := &a.result.Functions[i]
		switch seen.Status {
		case report.Planned:
			said := fmt.Sprintf(" %s:%s is on version %s, which this run appears to have deployed (%s): check whether production is healthy; to roll back, run the action by hand with target-version %s.",
				f.Function, f.Alias, seen.From, seen.Proof, seen.Target)
			f.Attention, f.From, f.Proof = true, seen.From, seen.Proof
			f.Message += said
			a.result.Message += said
		case report.Failed:
			a.note(report.Note{Text: fmt.Sprintf("could not check whether the cancelled deploy moved %s:%s: %s", f.Function, f.Alias, seen.Cause)})
		default:
			f.Attention = seen.Attention
		}
	}
}
