package rollback

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/org/lambda-rollback-action/github"
	"github.com/org/lambda-rollback-action/rollback/aws"
	"github.com/org/lambda-rollback-action/rollback/report"
	"github.com/org/lambda-rollback-action/rollback/site"
)

// siteMoments is the maximum number of points in time to list.
const siteMoments = 10

// siteRestore is the static site while it is being restored.
type siteRestore struct {
	done   chan report.Site // nil: nothing is being restored
	result *report.Site     // if nothing is being restored; nil: there is no site
}

// running reports whether the result is not known yet.
func (r siteRestore) running() bool { return r.done != nil && len(r.done) == 0 }

// wait waits for the result. It is nil if there is no site.
func (r siteRestore) wait() *report.Site {
	if r.done == nil {
		return r.result
	}
	result := <-r.done
	return &result
}

// restoreSite starts to restore the static site in the background. The functions and
// the site do not wait for each other.
func restoreSite(a *action, clients *aws.Clients) siteRestore {
	if faulty := faultySite(a); faulty != nil {
		return siteRestore{result: faulty}
	}
	if a.inputs.Site.Bucket == "" {
		return siteRestore{}
	}
	if noFailedRun(a) && a.inputs.Site.RestoreTo.IsZero() && a.inputs.Site.Manifest == "" {
		result := siteResult(a, report.Skipped, "the static site was not restored: the rollback was started by hand, so no failed run shows when the site was last good; "+
			"set site-restore-to (`command: list` shows the times) or site-manifest")
		result.Reason = report.StateNotGiven
		return siteRestore{result: result}
	}
	done := make(chan report.Site, 1)
	go func() {
		ctx, cancel := a.limited()
		defer cancel()
		run, _ := a.run.known(ctx) // its times determine the state to restore
		done <- site.Restore(ctx, siteDeps(a, clients), siteRequest(a, run))
	}()
	return siteRestore{done: done}
}

// noFailedRun reports whether the rollback was started by hand, so that the times of
// this workflow run say nothing about the site.
func noFailedRun(a *action) bool {
	return a.outsideWorkflow() || a.event.TimesByAPI() && slices.ContainsFunc(a.inputs.Functions, func(f github.Function) bool { return byHand(a, f) })
}

// siteResult returns a result for the site in which no objects were restored.
func siteResult(a *action, status report.Status, message string) *report.Site {
	return &report.Site{
		Bucket: a.inputs.Site.Bucket, Prefix: a.inputs.Site.Prefix, Status: status, Message: message, Keys: []report.SiteKey{},
	}
}

func siteDeps(a *action, clients *aws.Clients) site.Deps {
	d := site.Deps{S3: clients.S3(), Clock: a.deps.Clock, Log: prefixedLog{a.log, "site " + a.inputs.Site.Bucket}, Finish: a.lifetime.finish}
	if a.inputs.Site.DistributionID != "" {
		d.CloudFront = clients.CloudFront()
	}
	return d
}

// siteRequest returns the request to restore the site, from the inputs and the run.
func siteRequest(a *action, run report.Run) site.Request {
	in := a.inputs.Site
	q := site.Request{
		Bucket: in.Bucket, Prefix: in.Prefix, RestoreTo: in.RestoreTo, Manifest: in.Manifest,
		Created: run.CreatedAt, Ended: deployEnded(a, run),
		KeepNew: in.KeepNewAssets, EntryPoints: in.EntryPoints, DryRun: a.inputs.DryRun,
		DistributionID: in.DistributionID, CloudFrontWait: in.CloudFrontWait,
	}
	if run.ID != 0 {
		q.Run, q.Attempt = strconv.FormatInt(run.ID, 10), strconv.Itoa(a.workflow.RunAttempt)
	}
	switch in.OriginPath {
	case "":
	case "/":
		q.OriginPath = new(string)
	default:
		q.OriginPath = &in.OriginPath
	}
	return q
}

// deployEnded returns when the last job that may have deployed ended; zero: such a
// job is still running, or the time is not known.
func deployEnded(a *action, run report.Run) time.Time {
	run = a.withFailure(run)
	var end time.Time
	for _, job := range slices.Concat(run.Jobs, run.Earlier) {
		named := len(run.DeployJobs) == 0 || slices.ContainsFunc(run.DeployJobs, job.IsNamed)
		switch {
		case job.Own && job.FailedStep != "":
			return time.Time{} // this step is in the job that deployed
		case job.Own, !named, job.Conclusion == "skipped", job.NeverRan:
		case job.CompletedAt.IsZero():
			if !job.StartedAt.IsZero() {
				return time.Time{}
			}
		case job.CompletedAt.After(end):
			end = job.CompletedAt
		}
	}
	if end.IsZero() {
		return run.EndedBy
	}
	return end
}

// snapshotSite writes a manifest of the present state of the site.
func snapshotSite(ctx context.Context, a *action, clients *aws.Clients) {
	if a.result.Site = faultySite(a); a.result.Site != nil || a.inputs.Site.Bucket == "" {
		return
	}
	result := siteResult(a, report.Planned, "dry run: the site manifest would be written")
	result.Evidence = report.ByManifest
	a.result.Site = result
	if a.inputs.DryRun {
		return
	}
	taken, err := site.WriteManifest(ctx, siteDeps(a, clients), siteRequest(a, report.Run{ID: a.workflow.RunID}))
	if err != nil {
		result.Status, result.Reason, result.Message = report.Failed, site.ReasonOf(err), "the site manifest was not written: "+err.Error()
		return
	}
	result.Status, result.Unchanged = report.Taken, taken.Objects
	result.Message = fmt.Sprintf("the site manifest was written: %d objects, %s", taken.Objects, taken.Key)
}

// checkSite reports whether the site could be restored now.
func checkSite(ctx context.Context, a *action, clients *aws.Clients) {
	if a.inputs.Site.Bucket == "" || a.inputs.Site.Faulty {
		return
	}
	run, _ := a.run.known(ctx)
	checks, reason := site.Check(ctx, siteDeps(a, clients), siteRequest(a, run))
	result := siteResult(a, report.Ready, "the site could be restored now")
	if reason != "" {
		result.Status, result.Reason = report.NotReady, reason
		failed := checks[slices.IndexFunc(checks, func(c report.Check) bool { return c.Status == report.CheckFailed })]
		result.Message = fmt.Sprintf("the site could NOT be restored: %s: %s", failed.Name, failed.Detail)
	}
	a.result.Site = result
	for i := range a.result.Functions {
		f := &a.result.Functions[i]
		f.Checks = append(f.Checks, checks...)
	}
}

// listSite lists the points in time that the site can be restored to.
func listSite(ctx context.Context, a *action, clients *aws.Clients) {
	if a.result.Site = faultySite(a); a.result.Site != nil || a.inputs.Site.Bucket == "" {
		return
	}
	result := siteResult(a, report.Listed, "")
	a.result.Site = result
	moments, err := site.Moments(ctx, siteDeps(a, clients), siteRequest(a, report.Run{}), siteMoments)
	if err != nil {
		result.Status, result.Reason, result.Message = report.Failed, site.ReasonOf(err), "the points in time to restore the site to could not be listed: "+err.Error()
		return
	}
	result.Moments = moments
	result.Message = fmt.Sprintf("the site can be restored to %d points in time", len(moments))
	for _, m := range moments {
		a.log.Infof("site %s can be restored with site-restore-to: %s (%d versions, %d delete markers)", result.Bucket, m.At, m.Versions, m.Removed)
	}
}

// drillSite restores the site, and then returns it to its live state.
func drillSite(a *action, clients *aws.Clients) {
	if a.inputs.Site.Bucket == "" || a.inputs.DryRun {
		return
	}
	ctx, cancel := a.limited()
	defer cancel()
	there, back := site.Drill(ctx, siteDeps(a, clients), siteRequest(a, report.Run{ID: a.workflow.RunID}))
	switch {
	case there.Status == report.Failed && (back == nil || back.Status != report.Failed):
		a.result.Site = &there
	case back == nil:
		there.Message = "the drill found nothing to restore: " + there.Message
		a.result.Site = &there
	case back.Status == report.Failed:
		a.result.Site = back
	default:
		there.Status = report.Drilled
		there.Message = fmt.Sprintf("the drill restored %d objects and removed %d, then returned the site to its live state", there.Restored, there.Removed)
		a.result.Site = &there
	}
}
