package github

import (
	"context"
	"fmt"
	"slices"
	"time"

	gh "github.com/google/go-github/v62/github"

	"github.com/org/lambda-rollback-action/rollback/report"
)

const (
	// olderLimit limits how long reading the older runs may delay a rollback.
	olderLimit = 4 * time.Second
	// maxOlder is the maximum number of earlier runs that are examined, newest first.
	maxOlder = 10
	// longestRun is how long before a given time a run may have started and still be
	// in progress at that time.
	longestRun = 6 * time.Hour
)

// AtWork returns the earlier runs of run's workflow and branch that were in progress
// at some time between from and to, with the jobs of all their attempts.
func (a *API) AtWork(ctx context.Context, run report.Run, from, to time.Time) ([]report.Run, error) {
	ctx, cancel := context.WithTimeout(ctx, olderLimit)
	defer cancel()
	if run.WorkflowID == 0 || run.Branch == "" || from.IsZero() || to.IsZero() {
		return nil, fmt.Errorf("failed to list older runs: the workflow or branch of run %d is not known", run.ID)
	}
	from, to = from.UTC().Truncate(time.Second), to.UTC().Truncate(time.Second)
	list, err := a.sameWorkflowRuns(ctx, run, from.Add(-longestRun).Format(time.RFC3339)+".."+to.Format(time.RFC3339), 1)
	if err != nil {
		return nil, fmt.Errorf("failed to list older runs: %s", cause(err))
	}
	listed := slices.DeleteFunc(list.WorkflowRuns, func(r *gh.WorkflowRun) bool {
		return !wasAtWork(r, run, from)
	})
	if span := !from.Equal(to); span && (len(listed) > maxOlder || list.GetTotalCount() > len(list.WorkflowRuns)) {
		return nil, fmt.Errorf("failed to list older runs: there were more than %d since %s", maxOlder, from.Format(time.RFC3339))
	}
	older, err := a.withJobs(ctx, listed[:min(len(listed), maxOlder)], run.Repository)
	if err != nil {
		return nil, fmt.Errorf("failed to read the jobs of older runs: %s", cause(err))
	}
	return older, nil
}

// wasAtWork reports whether r is an earlier run of run's branch that had not ended
// before a time.
func wasAtWork(r *gh.WorkflowRun, run report.Run, at time.Time) bool {
	return r.GetID() != run.ID && !isNewer(r, run) && !isForeign(r, run) && !endedBefore(r, at)
}
