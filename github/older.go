package github

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"time"

	gh "github.com/google/go-github/v62/github"
	"golang.org/x/sync/errgroup"

	"github.com/org/lambda-rollback-action/report"
)

const (
	// olderLimit bounds how long this may hold a rollback up.
	olderLimit = 4 * time.Second
	// maxOlder is how many earlier runs are looked at, the newest first.
	maxOlder = 10
	// lookBack is how long before a run an older one may have begun and still
	// have been at work.
	lookBack = 6 * time.Hour
)

// Older gives the earlier runs of run's workflow on its branch that were still
// at work when run was created, with the jobs of all their attempts.
func (a *API) Older(ctx context.Context, run report.Run) ([]report.Run, error) {
	ctx, cancel := context.WithTimeout(ctx, olderLimit)
	defer cancel()
	if run.WorkflowID == 0 || run.Branch == "" || run.CreatedAt.IsZero() {
		return nil, fmt.Errorf("failed to list older runs: the workflow, branch or time of run %d is not known", run.ID)
	}
	var list gh.WorkflowRuns
	query := url.Values{
		"branch":  {run.Branch},
		"created": {run.CreatedAt.Add(-lookBack).UTC().Format(time.RFC3339) + ".." + run.CreatedAt.UTC().Format(time.RFC3339)},
	}
	path := "actions/workflows/" + strconv.FormatInt(run.WorkflowID, 10) + "/runs"
	if _, err := a.get(ctx, path, paged(query, 1), &list); err != nil {
		return nil, fmt.Errorf("failed to list older runs: %s", a.cause(err))
	}
	listed := slices.DeleteFunc(list.WorkflowRuns, func(r *gh.WorkflowRun) bool {
		over := r.GetStatus() == "completed" && !r.GetUpdatedAt().IsZero() && seconds(r.GetUpdatedAt()).Before(run.CreatedAt)
		return r.GetID() == run.ID || isNewer(r, run) || isForeign(r, run) || over
	})
	listed = listed[:min(len(listed), maxOlder)]

	older := make([]report.Run, len(listed))
	var reading errgroup.Group
	reading.SetLimit(newerAtOnce)
	for i, r := range listed {
		older[i] = runFrom(r, run.Repository)
		reading.Go(func() error {
			jobs, err := a.jobs(ctx, runPath(r.GetID())+"/jobs", url.Values{"filter": {"all"}})
			older[i].Jobs = jobsFrom(jobs)
			if err != nil {
				return fmt.Errorf("failed to read the jobs of run %d: %s", r.GetID(), a.cause(err))
			}
			return nil
		})
	}
	if err := reading.Wait(); err != nil {
		return nil, err
	}
	return older, nil
}
