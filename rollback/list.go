package rollback

import (
	"context"
	"strings"

	"github.com/org/lambda-rollback-action/rollback/alias"
	"github.com/org/lambda-rollback-action/rollback/aws"
	"github.com/org/lambda-rollback-action/rollback/report"
)

// list lists the versions of every function. In a workflow, it also writes them to
// the log.
func list(ctx context.Context, a *action, clients *aws.Clients, functions []alias.Function) {
	a.result.Functions = alias.List(ctx, functions, a.inputs.ListLimit)
	listSite(ctx, a, clients)
	if a.person != nil {
		return // the result has the table
	}
	for _, f := range a.result.Functions {
		a.log.Group("Versions of " + f.Function)
		for line := range strings.Lines(report.VersionsText(a.redactor.Function(f), awsNow(a), 0)) {
			a.log.Infof("%s", strings.TrimRight(line, "\n"))
		}
		a.log.EndGroup()
	}
}
