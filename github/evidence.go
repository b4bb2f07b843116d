package github

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	gh "github.com/google/go-github/v62/github"
	"golang.org/x/sync/errgroup"

	"github.com/org/lambda-rollback-action/rollback/report"
)

const (
	// maxNewer is how many newer runs are examined, oldest first, because these may
	// have started while the failed run was in progress.
	maxNewer = 10
)

// Evidence completes from, the failed run according to the payload, with data from the
// API. It never fails: what cannot be read stays unchanged, and one warning says what
// and why. It returns when ctx ends.
//
// useTimes is the result of [Event.TimesByAPI]. If it is false, the ID of from is not
// that of the run that deployed, and neither its times nor its jobs are read.
func (a *API) Evidence(ctx context.Context, c Context, from report.Run, useTimes bool) (report.Run, []report.Note) {
	switch {
	case a.token == "":
		return from, []report.Note{{Warning: true, Text: "The input github-token is empty, so the failed run was not read from GitHub's API; the event payload is used instead. Leave the input at its default, ${{ github.token }}."}}
	case from.ID == 0:
		return from, []report.Note{{Warning: true, Text: "The ID of the failed run is not known, so the run was not read from GitHub's API; the event payload is used instead."}}
	case useTimes:
		return a.complete(ctx, c, from)
	default:
		return a.describe(ctx, from)
	}
}

// Outcome returns the present state of a run, with the jobs of all its attempts. The
// conclusion is empty until the run is completed, so it is success only if the run has
// succeeded.
func (a *API) Outcome(ctx context.Context, runID int64) (report.Run, error) {
	var (
		run     *gh.WorkflowRun
		jobs    []*gh.WorkflowJob
		reading errgroup.Group
	)
	reading.Go(func() (err error) { run, err = a.run(ctx, runID); return err })
	reading.Go(func() (err error) {
		jobs, err = a.jobs(ctx, runPath(runID)+"/jobs", url.Values{"filter": {"all"}})
		return err
	})
	if err := reading.Wait(); err != nil {
		return report.Run{}, fmt.Errorf("failed to read run %d from GitHub's API: %s", runID, cause(err))
	}
	outcome := runFrom(run, "")
	outcome.Jobs = jobsFrom(jobs)
	if run.GetStatus() != "completed" {
		outcome.Conclusion = ""
	}
	return outcome, nil
}

// complete reads the run, its jobs and the other runs of its workflow concurrently, and
// then the jobs of the other runs that matter.
func (a *API) complete(ctx context.Context, c Context, from report.Run) (report.Run, []report.Note) {
	var (
		run     = from
		jobs    []*gh.WorkflowJob
		earlier []report.Job
		listed  *gh.WorkflowRuns

		runErr, jobsErr, earlierErr, listErr error

		reading sync.WaitGroup
	)
	reading.Go(func() {
		var read *gh.WorkflowRun
		if read, runErr = a.run(ctx, from.ID); runErr == nil {
			run = merge(from, runFrom(read, from.Repository))
		}
	})
	reading.Go(func() { jobs, jobsErr = a.attemptJobs(ctx, from) })
	if from.Attempt > 1 {
		reading.Go(func() { earlier, earlierErr = a.earlier(ctx, from) })
	}
	reading.Go(func() { listed, listErr = near(ctx, a, c, from) })
	reading.Wait()

	around := readAround(ctx, a, run, runErr, listed, listErr)
	run.Jobs, run.Earlier = jobsFrom(jobs), earlier
	run.Newer, run.NewerKnown = around.newer, around.newerErr == nil
	// A failure to read these is not reported here: the decision reads them again if
	// it needs them.
	run.Older, run.OlderKnown = around.older, around.olderErr == nil
	if own := ownJob(jobs, c); from.ID == c.RunID && own >= 0 {
		run.Jobs[own].Own = true
	}
	return run, warn(
		unread{fmt.Sprintf("run %d", from.ID), runErr},
		unread{fmt.Sprintf("the jobs of run %d", from.ID), jobsErr},
		unread{"the jobs of its earlier attempts", earlierErr},
		unread{"the newer runs of its workflow", around.newerErr})
}

// describe reads only the commit message, because the ID of from is that of this
// workflow run and not of the run that deployed.
func (a *API) describe(ctx context.Context, from report.Run) (report.Run, []report.Note) {
	own, err := a.run(ctx, from.ID)
	if err != nil {
		return from, warn(unread{"the message of the commit", err})
	}
	if from.Commit == "" && own.GetHeadSHA() == from.SHA {
		from.Commit = title(own.GetHeadCommit().GetMessage())
	}
	return from, nil
}

// attemptJobs reads the jobs of run's attempt. Older versions of GitHub Enterprise
// Server have no attempts; the jobs of the latest attempt are used then.
func (a *API) attemptJobs(ctx context.Context, run report.Run) ([]*gh.WorkflowJob, error) {
	jobs, err := a.jobs(ctx, attemptPath(run), nil)
	if answer, is := errors.AsType[*gh.ErrorResponse](err); is && answer.Response != nil &&
		answer.Response.StatusCode == http.StatusNotFound && run.Attempt > 0 {
		if latest, latestErr := a.jobs(ctx, runPath(run.ID)+"/jobs", nil); latestErr == nil && len(latest) > 0 {
			return latest, nil
		}
	}
	return jobs, err
}

// earlier reads the jobs of the attempts before run's.
func (a *API) earlier(ctx context.Context, run report.Run) ([]report.Job, error) {
	all, err := a.jobs(ctx, runPath(run.ID)+"/jobs", url.Values{"filter": {"all"}})
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(job *gh.WorkflowJob) bool { return job.GetRunAttempt() >= int64(run.Attempt) })
	if len(all) == 0 {
		return nil, nil
	}
	return jobsFrom(all), nil
}

// newer reads the runs of run's workflow and branch that are newer than run, up to
// maxNewer, oldest first, with their jobs. With an error, the list is incomplete.
func (a *API) newer(ctx context.Context, run report.Run) ([]report.Run, error) {
	listed, err := a.listNewer(ctx, run)
	if err != nil {
		return nil, err
	}
	return a.withJobs(ctx, listed, run.Repository)
}

// listNewer reads the last pages of GitHub's list, which starts with the newest run.
func (a *API) listNewer(ctx context.Context, run report.Run) ([]*gh.WorkflowRun, error) {
	created := ""
	if !run.CreatedAt.IsZero() {
		created = ">=" + run.CreatedAt.UTC().Format(time.RFC3339)
	}
	var runs []*gh.WorkflowRun
	read := func(page int) (total int, err error) {
		list, err := a.sameWorkflowRuns(ctx, run, created, page)
		if err != nil {
			return 0, err
		}
		runs = append(runs, list.WorkflowRuns...)
		return list.GetTotalCount(), nil
	}
	total, err := read(1)
	if err != nil {
		return nil, err
	}
	last := (total + pageSize - 1) / pageSize
	if last > maxPages { // GitHub returns no more pages of a filtered list
		return nil, fmt.Errorf("%w: %d newer runs", errTooMuch, total)
	}
	for page := max(2, last-1); page <= last; page++ {
		if _, err := read(page); err != nil {
			return nil, err
		}
	}
	return oldestNewer(runs, run), nil
}

// oldestNewer returns the runs that are newer than run, oldest first.
func oldestNewer(runs []*gh.WorkflowRun, run report.Run) []*gh.WorkflowRun {
	runs = slices.DeleteFunc(runs, func(r *gh.WorkflowRun) bool {
		return !isNewer(r, run) || isForeign(r, run)
	})
	slices.SortFunc(runs, func(a, b *gh.WorkflowRun) int {
		return cmp.Or(cmp.Compare(a.GetRunNumber(), b.GetRunNumber()), cmp.Compare(a.GetID(), b.GetID()))
	})
	runs = slices.CompactFunc(runs, func(a, b *gh.WorkflowRun) bool { return a.GetID() == b.GetID() })
	return runs[:min(len(runs), maxNewer)]
}

func isNewer(r *gh.WorkflowRun, run report.Run) bool {
	if r.GetID() == 0 || r.GetID() == run.ID {
		return false
	}
	if number := r.GetRunNumber(); number != 0 && run.Number != 0 && number != run.Number {
		return number > run.Number
	}
	return r.GetID() > run.ID
}

// unread is something that could not be read, and why; err is nil if it was read.
type unread struct {
	what string
	err  error
}

// warn returns one warning about everything that could not be read; nil: everything
// was read.
func warn(missing ...unread) []report.Note {
	var causes []string
	parts := map[string][]string{}
	for _, g := range missing {
		if g.err == nil {
			continue
		}
		why := cause(g.err)
		if parts[why] == nil {
			causes = append(causes, why)
		}
		parts[why] = append(parts[why], g.what)
	}
	if len(causes) == 0 {
		return nil
	}
	var text strings.Builder
	for _, why := range causes {
		fmt.Fprintf(&text, "Could not read %s from GitHub's API: %s. ", strings.Join(parts[why], ", "), why)
	}
	text.WriteString("The event payload is used instead.")
	return []report.Note{{Warning: true, Text: text.String()}}
}

// merge completes from with the API's data about the same run.
func merge(from, api report.Run) report.Run {
	run := from
	if !api.CreatedAt.IsZero() {
		run.CreatedAt, run.CreatedBound = api.CreatedAt, false
	}
	run.Attempt = cmp.Or(from.Attempt, api.Attempt)
	run.Number = cmp.Or(api.Number, from.Number)
	run.WorkflowID = cmp.Or(api.WorkflowID, from.WorkflowID)
	run.Workflow = cmp.Or(from.Workflow, api.Workflow)
	run.Branch = cmp.Or(api.Branch, from.Branch)
	run.SHA = cmp.Or(api.SHA, from.SHA)
	run.Commit = cmp.Or(api.Commit, from.Commit)
	run.Actor = cmp.Or(from.Actor, api.Actor)
	run.Event = cmp.Or(api.Event, from.Event)
	run.URL = cmp.Or(from.URL, api.URL)
	if run.Attempt == api.Attempt { // otherwise they belong to a later attempt
		run.Status = cmp.Or(api.Status, from.Status)
		run.Conclusion = cmp.Or(api.Conclusion, from.Conclusion)
	}
	return run
}

// ownJob returns the index of the job in which this program runs; -1: not certain.
// GitHub does not say so directly. Among the jobs in progress, ownJob looks for the
// only one with the name of this runner, then for the only one at all, then for the
// only one that has the ID of this job in its name: the display name of a matrix job
// begins with the ID, and that of a job in a reusable workflow ends with it.
func ownJob(jobs []*gh.WorkflowJob, c Context) int {
	for _, is := range []func(*gh.WorkflowJob) bool{
		func(j *gh.WorkflowJob) bool { return c.RunnerName != "" && j.GetRunnerName() == c.RunnerName },
		func(*gh.WorkflowJob) bool { return true },
		func(j *gh.WorkflowJob) bool { return isNamed(j.GetName(), c.Job) },
	} {
		own, found := -1, 0
		for i, job := range jobs {
			if job.GetStatus() == "in_progress" && is(job) {
				own = i
				found++
			}
		}
		if found == 1 {
			return own
		}
	}
	return -1
}

func isNamed(name, id string) bool {
	return id != "" && (name == id || strings.HasSuffix(name, " / "+id) || strings.HasPrefix(name, id+" ("))
}
