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

// around are the runs of a run's workflow on its branch that began after it, or
// were at work when it began, with their jobs.
type around struct {
	newer, older       []report.Run
	newerErr, olderErr error
}

// errUnlisted: what the list of runs needs is not known beforehand.
var errUnlisted = errors.New("the workflow or branch of the run is not known beforehand")

// near lists the runs of run's workflow on its branch in one call that serves for
// the newer and for the older ones, the newest first, from what is known before
// GitHub has said anything: the workflow's id or file, and what the payload proves
// of the run's beginning. Without that it is the newest page.
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

// readAround takes the other runs out of a list that near gave, and reads their jobs.
// Where the list does not reach far enough, it lists the newer and the older ones
// for themselves.
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

// reaches tells whether a list, the newest runs first, has all of run's workflow
// that can have been at work since run began.
func reaches(list *gh.WorkflowRuns, run report.Run) bool {
	all := list.WorkflowRuns
	if len(all) > 0 && slices.ContainsFunc(all, func(r *gh.WorkflowRun) bool { return cmp.Or(r.GetWorkflowID(), run.WorkflowID) != run.WorkflowID }) {
		return false // the file's name was another workflow's when run began
	}
	if list.GetTotalCount() <= len(all) {
		return true
	}
	return len(all) > 0 && seconds(all[len(all)-1].GetCreatedAt()).Before(run.CreatedAt.Add(-longestRun))
}
