package github

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	gh "github.com/google/go-github/v62/github"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// around has the runs of the same workflow and branch that started after a run, or
// were in progress when it started, with their jobs.
type around struct {
	newer, older       []report.Run
	newerErr, olderErr error
}

// errUnlisted is returned if a list of runs cannot be requested before the run itself
// is read.
var errUnlisted = errors.New("the workflow or branch of the run is not known beforehand")

// near lists the newer and the older runs of run's workflow and branch, newest first,
// in one call. It can run concurrently with the request for the run, because it needs
// only the workflow's ID or file, and the time in the payload before which the run
// cannot have started. Without that time, it lists the newest page.
func near(ctx context.Context, a *API, c Context, run report.Run) (*gh.WorkflowRuns, error) {
	workflow := ""
	switch {
	case run.WorkflowID != 0:
		workflow = strconv.FormatInt(run.WorkflowID, 10)
	case run.ID == c.RunID:
		workflow = c.WorkflowFile
	}
	if workflow == "" || run.Branch == "" {
		return nil, errUnlisted
	}
	created := ""
	if !run.NotBefore.IsZero() {
		created = ">=" + run.NotBefore.Add(-longestRun).UTC().Format(time.RFC3339)
	}
	return workflowRuns(ctx, a, workflow, run.Branch, created, 1)
}

// readAround picks the other runs from the list that near returned, and reads their
// jobs. If the list does not reach far enough back, it lists the newer and the older
// runs separately.
func readAround(ctx context.Context, a *API, run report.Run, runErr error, near *gh.WorkflowRuns, nearErr error) (out around) {
	known := run.WorkflowID != 0 && run.Branch != "" && !run.CreatedAt.IsZero() && !run.CreatedBound
	var both sync.WaitGroup
	switch answer, is := errors.AsType[*gh.ErrorResponse](nearErr); {
	case runErr != nil && !known:
		return around{newerErr: runErr, olderErr: runErr}
	case nearErr == nil && known && reaches(near, run):
		both.Go(func() {
			out.newer, out.newerErr = a.withJobs(ctx, oldestNewer(slices.Clone(near.WorkflowRuns), run), run.Repository)
		})
		both.Go(func() {
			older := slices.DeleteFunc(slices.Clone(near.WorkflowRuns), func(r *gh.WorkflowRun) bool {
				created := seconds(r.GetCreatedAt())
				return created.After(run.CreatedAt) || created.Before(run.CreatedAt.Add(-longestRun)) || !wasAtWork(r, run, run.CreatedAt)
			})
			out.older, out.olderErr = a.withJobs(ctx, older[:min(len(older), maxOlder)], run.Repository)
		})
	case nearErr == nil, errors.Is(nearErr, errUnlisted), is && answer.Response != nil && answer.Response.StatusCode == http.StatusNotFound:
		both.Go(func() { out.newer, out.newerErr = a.newer(ctx, run) })
		both.Go(func() { out.older, out.olderErr = a.AtWork(ctx, run, run.CreatedAt, run.CreatedAt) })
	default:
		return around{newerErr: nearErr, olderErr: nearErr}
	}
	both.Wait()
	if out.olderErr != nil {
		out.older = nil
	}
	return out
}

// reaches reports whether a list, newest first, has all runs of run's workflow that
// may have been in progress since run started.
func reaches(list *gh.WorkflowRuns, run report.Run) bool {
	all := list.WorkflowRuns
	if len(all) > 0 && slices.ContainsFunc(all, func(r *gh.WorkflowRun) bool { return cmp.Or(r.GetWorkflowID(), run.WorkflowID) != run.WorkflowID }) {
		return false // the file belonged to another workflow when run started
	}
	if list.GetTotalCount() <= len(all) {
		return true
	}
	return len(all) > 0 && seconds(all[len(all)-1].GetCreatedAt()).Before(run.CreatedAt.Add(-longestRun))
}
