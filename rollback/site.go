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

// siteMoments is how many restorable moments are listed.
const siteMoments = 10

// restoreSite begins to restore the static site, beside whatever else is done, and
// gives its result when it is asked for; nil: there is no site. Neither the
// functions nor the site wait for each other.
func restoreSite(a *action, clients *aws.Clients) func() *report.Site {
	if faulty := faultySite(a); faulty != nil {
		return func() *report.Site { return faulty }
	}
	if a.inputs.Site.Bucket == "" {
		return func() *report.Site { return nil }
	}
	if noFailedRun(a) && a.inputs.Site.RestoreTo.IsZero() && a.inputs.Site.Manifest == "" {
		result := siteResult(a, report.Skipped, "the static site was not restored: a person started the rollback, so no failed run shows its last good state; "+
			"set site-restore-to (`command: list` shows the times) or site-manifest")
		result.Reason = report.StateNotGiven
		return func() *report.Site { return result }
	}
	done := make(chan report.Site, 1)
	go func() {
		ctx, cancel := a.limited()
		defer cancel()
		run, _ := a.run.known(ctx) // its times tell the state to restore
		done <- site.Restore(ctx, siteDeps(a, clients), siteRequest(a, run))
	}()
	return func() *report.Site {
		result := <-done
		return &result
	}
}

// noFailedRun: a person asks, so that the own run's times say nothing about the site.
func noFailedRun(a *action) bool {
	return a.alone() || a.event.TimesByAPI() && slices.ContainsFunc(a.inputs.Functions, func(f github.Function) bool { return byHand(a, f) })
}

// siteResult is a result about the site that nothing was restored for.
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

// siteRequest says which state of the site is asked for.
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

// deployEnded is when the last job that can have deployed had ended; zero: one is
// at work, or it is not known.
func deployEnded(a *action, run report.Run) time.Time {
	run = a.withFailure(run)
	var end time.Time
	for _, job := range slices.Concat(run.Jobs, run.Earlier) {
		named := len(run.DeployJobs) == 0 || slices.ContainsFunc(run.DeployJobs, job.IsNamed)
		switch {
		case job.Own && job.FailedStep != "":
			return time.Time{} // the rollback is a step of the job that deployed
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

// snapshotSite writes the manifest of the site as it is.
func snapshotSite(ctx context.Context, a *action, clients *aws.Clients) {
	if a.result.Site = faultySite(a); a.result.Site != nil || a.inputs.Site.Bucket == "" {
		return
	}
	result := siteResult(a, report.Planned, "a dry run: the manifest of the site would be written")
	result.Evidence = report.ByManifest
	a.result.Site = result
	if a.inputs.DryRun {
		return
	}
	taken, err := site.WriteManifest(ctx, siteDeps(a, clients), siteRequest(a, report.Run{ID: a.workflow.RunID}))
	if err != nil {
		result.Status, result.Reason, result.Message = report.Failed, site.ReasonOf(err), "the manifest of the site was not written: "+err.Error()
		return
	}
	result.Status, result.Unchanged = report.Taken, taken.Objects
	result.Message = fmt.Sprintf("the manifest of the site is written: %d objects, %s", taken.Objects, taken.Key)
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

// listSite shows the moments that the site can be restored to.
func listSite(ctx context.Context, a *action, clients *aws.Clients) {
	if a.result.Site = faultySite(a); a.result.Site != nil || a.inputs.Site.Bucket == "" {
		return
	}
	result := siteResult(a, report.Listed, "")
	a.result.Site = result
	moments, err := site.Moments(ctx, siteDeps(a, clients), siteRequest(a, report.Run{}), siteMoments)
	if err != nil {
		result.Status, result.Reason, result.Message = report.Failed, site.ReasonOf(err), "the moments of the site could not be listed: "+err.Error()
		return
	}
	result.Moments = moments
	result.Message = fmt.Sprintf("the site can be restored to %d moments", len(moments))
	for _, m := range moments {
		a.log.Infof("site %s can be restored with site-restore-to: %s (%d versions, %d delete markers)", result.Bucket, m.At, m.Versions, m.Removed)
	}
}

// drillSite restores the site and brings it back.
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
		there.Message = fmt.Sprintf("the drill restored %d objects and removed %d, and brought the site back", there.Restored, there.Removed)
		a.result.Site = &there
	}
}
