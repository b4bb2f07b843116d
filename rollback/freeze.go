package rollback

import (
	"context"
	"errors"
	"fmt"

	"github.com/org/lambda-rollback-action/github"
	"github.com/org/lambda-rollback-action/rollback/report"
)

// errCannotAsk is the reason why it is not known whether deploys are frozen.
var errCannotAsk = errors.New("GitHub's API cannot be called: the input github-token is empty")

// checkFreeze adds to a check whether the commit to deploy still contains the commit
// that was rolled back. If that cannot be determined, deploys are not frozen:
// otherwise an outage of GitHub's API would block every fix.
func checkFreeze(ctx context.Context, a *action) {
	if !a.inputs.FreezeAfterRollback {
		return
	}
	known := map[int64]contained{}
	for i := range a.result.Functions {
		f := &a.result.Functions[i]
		line := report.Check{Name: "deploys", Status: report.CheckPassed, Detail: "not frozen: the alias is not where a rollback moved it"}
		if run := f.RolledBackBy; run != 0 {
			if _, asked := known[run]; !asked {
				known[run] = containedIn(ctx, a, run)
			}
			line = freezeLine(a, *f, known[run])
		}
		a.log.Infof("check %s: %s: %s", line.Name, line.Status, line.Detail)
		f.Checks = append(f.Checks, line)
		if line.Status != report.CheckFailed {
			continue
		}
		if f.Status == report.Ready {
			f.Status, f.Reason = report.NotReady, report.DeploysFrozen
			f.Message = fmt.Sprintf("%s:%s could be rolled back, but deploys are frozen", f.Function, f.Alias)
		}
		f.Message += ": " + line.Detail
	}
}

// contained is GitHub's answer on whether the commit to deploy contains the commit
// of a run that was rolled back.
type contained struct {
	commit github.Containment
	err    error
}

func containedIn(ctx context.Context, a *action, run int64) contained {
	if a.api == nil {
		return contained{err: errCannotAsk}
	}
	commit, err := github.Contains(ctx, a.api, run, a.result.Run.SHA)
	return contained{commit, err}
}

// freezeLine returns a check that says whether deploys are frozen for a function
// that was rolled back.
func freezeLine(a *action, f report.Function, c contained) report.Check {
	line := report.Check{Name: "deploys", Status: report.CheckPassed}
	sha := a.result.Run.SHA
	rejected := fmt.Sprintf("commit %s of run %d, after which %s:%s was rolled back to version %s", report.ShortSHA(c.commit.Run.SHA), f.RolledBackBy, f.Function, f.Alias, f.From)
	switch {
	case c.err != nil:
		line.Status = report.CheckInconclusive
		line.Detail = fmt.Sprintf("not frozen: could not determine whether commit %s still contains the commit that was rolled back: %s", report.ShortSHA(sha), c.err)
	case c.commit.RevertedBy != "":
		line.Detail = fmt.Sprintf("not frozen: commit %s reverts %s", report.ShortSHA(c.commit.RevertedBy), rejected)
	case !c.commit.Contains:
		line.Detail = fmt.Sprintf("not frozen: commit %s does not contain %s", report.ShortSHA(sha), rejected)
	case a.inputs.UnlockDeploys:
		line.Detail = fmt.Sprintf("unlocked by unlock-deploys: commit %s contains %s", report.ShortSHA(sha), rejected)
		if a.inputs.Reason != "" {
			line.Detail += "; reason: " + a.inputs.Reason
		}
	default:
		line.Status = report.CheckFailed
		line.Detail = fmt.Sprintf("commit %s still contains %s, and no later commit reverts it", report.ShortSHA(sha), rejected)
		if c.commit.Partial {
			line.Detail = fmt.Sprintf("commit %s still contains %s, and none of the commits that were read reverts it (there are more than could be read)", report.ShortSHA(sha), rejected)
		}
		line.Detail += "; revert that commit, or set unlock-deploys: true to deploy a fix"
	}
	return line
}
