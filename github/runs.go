package github

import (
	"context"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	gh "github.com/google/go-github/v62/github"
	"golang.org/x/sync/errgroup"

	"github.com/org/lambda-rollback-action/rollback/report"
)

const (
	pageSize = 100
	// maxPages is the maximum number of pages that are read of any list.
	maxPages = 10
	// maxConcurrentReads is the maximum number of runs whose jobs are read at the
	// same time.
	maxConcurrentReads = 4
)

func (a *API) run(ctx context.Context, id int64) (*gh.WorkflowRun, error) {
	run := &gh.WorkflowRun{}
	if _, err := a.get(ctx, runPath(id), nil, run); err != nil {
		return nil, err
	}
	if run.GetID() != id {
		return nil, fmt.Errorf("%w: run %d was asked for and run %d came", errOddAnswer, id, run.GetID())
	}
	return run, nil
}

// sameWorkflowRuns reads a page of the runs of run's workflow on its branch, newest
// first. created is a range of times in the syntax of GitHub's search; empty: any
// time.
func (a *API) sameWorkflowRuns(ctx context.Context, run report.Run, created string, page int) (*gh.WorkflowRuns, error) {
	if run.WorkflowID == 0 || run.Branch == "" {
		return nil, fmt.Errorf("%w: run %d without its workflow or branch", errOddAnswer, run.ID)
	}
	return workflowRuns(ctx, a, strconv.FormatInt(run.WorkflowID, 10), run.Branch, created, page)
}

// workflowRuns is like sameWorkflowRuns, but identifies the workflow by its ID or its
// file name.
func workflowRuns(ctx context.Context, a *API, workflow, branch, created string, page int) (*gh.WorkflowRuns, error) {
	query := url.Values{"branch": {branch}}
	if created != "" {
		query.Set("created", created)
	}
	list := &gh.WorkflowRuns{}
	if _, err := a.get(ctx, "actions/workflows/"+url.PathEscape(workflow)+"/runs", paged(query, page), list); err != nil {
		return nil, err
	}
	if list.WorkflowRuns == nil {
		return nil, fmt.Errorf("%w: no list of runs", errOddAnswer)
	}
	return list, nil
}

// withJobs reads the jobs of all attempts of each run, because a run may have
// published in an earlier one. With an error, the jobs of some runs are nil.
func (a *API) withJobs(ctx context.Context, listed []*gh.WorkflowRun, repository string) ([]report.Run, error) {
	runs := make([]report.Run, len(listed))
	var reading errgroup.Group
	reading.SetLimit(maxConcurrentReads)
	for i, r := range listed {
		runs[i] = runFrom(r, repository)
		reading.Go(func() error {
			jobs, err := a.jobs(ctx, runPath(r.GetID())+"/jobs", url.Values{"filter": {"all"}})
			runs[i].Jobs = jobsFrom(jobs)
			return err
		})
	}
	err := reading.Wait()
	return runs, err
}

// jobs reads all jobs in the list at path. Without an error, the result is never nil
// and contains no nil.
func (a *API) jobs(ctx context.Context, path string, query url.Values) ([]*gh.WorkflowJob, error) {
	all := []*gh.WorkflowJob{}
	for page := 1; page <= maxPages; page++ {
		var list gh.Jobs
		resp, err := a.get(ctx, path, paged(query, page), &list)
		if err != nil {
			return nil, err
		}
		if list.Jobs == nil {
			return nil, fmt.Errorf("%w: no list of jobs", errOddAnswer)
		}
		all = append(all, list.Jobs...)
		if len(list.Jobs) == 0 || (resp.NextPage == 0 && len(all) >= list.GetTotalCount()) {
			return slices.DeleteFunc(all, func(job *gh.WorkflowJob) bool { return job == nil }), nil
		}
	}
	return nil, fmt.Errorf("%w: more than %d jobs", errTooMuch, maxPages*pageSize)
}

// isForeign reports whether a run does not belong to run's branch in this repository.
// A pull request from the main branch of a fork is listed with the runs of main, and
// must not look like a newer deploy.
func isForeign(r *gh.WorkflowRun, run report.Run) bool {
	if branch := r.GetHeadBranch(); branch != "" && branch != run.Branch {
		return true
	}
	if head := r.GetHeadRepository().GetFullName(); head != "" && run.Repository != "" {
		return !strings.EqualFold(head, run.Repository)
	}
	// The repository of a deleted fork is null.
	return strings.HasPrefix(r.GetEvent(), "pull_request")
}

// endedBefore reports whether a run had ended before a time.
func endedBefore(r *gh.WorkflowRun, at time.Time) bool {
	return r.GetStatus() == "completed" && !r.GetUpdatedAt().IsZero() && seconds(r.GetUpdatedAt()).Before(at)
}

func runPath(id int64) string {
	return "actions/runs/" + strconv.FormatInt(id, 10)
}

// attemptPath returns the path of the jobs of run's attempt, or of the latest attempt
// if run's is not known.
func attemptPath(run report.Run) string {
	if run.Attempt > 0 {
		return runPath(run.ID) + "/attempts/" + strconv.Itoa(run.Attempt) + "/jobs"
	}
	return runPath(run.ID) + "/jobs"
}

func paged(query url.Values, page int) url.Values {
	all := url.Values{"per_page": {strconv.Itoa(pageSize)}, "page": {strconv.Itoa(page)}}
	maps.Copy(all, query)
	return all
}
