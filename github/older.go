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

	"github.com/org/lambda-rollback-action/rollback/report"
)

const (
	// olderLimit bounds how long this may hold a rollback up.
	olderLimit = 4 * time.Second
	// maxOlder is how many earlier runs are looked at, the newest first.
	maxOlder = 10
	// lookBack is how long before a time a run may have begun and still have
	// been at work.
	lookBack = 6 * time.Hour
)

// AtWork gives the earlier runs of run's workflow on its branch that were at work
// at some time from one moment to another, with the jobs of all their attempts.
func (a *API) AtWork(ctx context.Context, run report.Run, from, to time.Time) ([]report.Run, error) {
	ctx, cancel := context.WithTimeout(ctx, olderLimit)
	defer cancel()
	if run.WorkflowID == 0 || run.Branch == "" || from.IsZero() || to.IsZero() {
		return nil, fmt.Errorf("failed to list older runs: the workflow or branch of run %d is not known", run.ID)
	}
	from, to = from.UTC().Truncate(time.Second), to.UTC().Truncate(time.Second)
	var list gh.WorkflowRuns
	query := url.Values{
		"branch":  {run.Branch},
		"created": {from.Add(-lookBack).Format(time.RFC3339) + ".." + to.Format(time.RFC3339)},
	}
	path := "actions/workflows/" + strconv.FormatInt(run.WorkflowID, 10) + "/runs"
	if _, err := a.get(ctx, path, paged(query, 1), &list); err != nil {
		return nil, fmt.Errorf("failed to list older runs: %s", a.cause(err))
	}
	listed := slices.DeleteFunc(list.WorkflowRuns, func(r *gh.WorkflowRun) bool {
		over := r.GetStatus() == "completed" && !r.GetUpdatedAt().IsZero() && seconds(r.GetUpdatedAt()).Before(from)
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
