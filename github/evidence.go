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
	// maxNewer is how many newer runs are looked at, the oldest first: those
	// are the ones that can have started while this run was running.
	maxNewer = 10
)

// Evidence completes what the payload said about the run that failed by what
// the API says. It never fails: what cannot be read stays as from has it, and
// one warning says what that is and why. It ends when ctx does.
//
// useTimes is the answer of [Event.TimesByAPI]: where it is false, from's id
// is not the run that deployed, and neither its times nor its jobs are read.
func (a *API) Evidence(ctx context.Context, c Context, from report.Run, useTimes bool) (report.Run, []report.Note) {
	switch {
	case a.token == "":
		return from, []report.Note{{Warning: true, Text: "The input github-token is empty, so GitHub's API was not asked about the run that failed; what the event's payload says is used. Leave the input at its default, ${{ github.token }}."}}
	case from.ID == 0:
		return from, []report.Note{{Warning: true, Text: "The id of the run that failed is not known, so GitHub's API was not asked about it; what the event's payload says is used."}}
	case useTimes:
		return a.complete(ctx, c, from)
	default:
		return a.describe(ctx, from)
	}
}

// Outcome gives a run as it stands now, with the jobs of all its attempts. Its
// conclusion is empty until it is completed, so that it is success only where the
// run has ended well.
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
		return report.Run{}, fmt.Errorf("failed to read run %d: GitHub's API did not give it: %s", runID, cause(err))
	}
	outcome := runFrom(run, "")
	outcome.Jobs = jobsFrom(jobs)
	if run.GetStatus() != "completed" {
		outcome.Conclusion = ""
	}
	return outcome, nil
}

// complete reads the run, its jobs and the other runs of its workflow: all that
// needs nothing of the others at once, then the jobs of the other runs that matter.
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
	// Without an answer it is asked again where it matters, and only then told.
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

// describe reads only what is shown of the commit of from, whose id
// is the own run's and not the deploy's.
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

// attemptJobs reads the jobs of run's attempt. An older enterprise server knows
// no attempts; the latest one is then taken to be it.
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

// newer reads the oldest of the runs of run's workflow on its branch that are
// newer than run, with their jobs. With an error the list is not complete.
func (a *API) newer(ctx context.Context, run report.Run) ([]report.Run, error) {
	listed, err := a.listNewer(ctx, run)
	if err != nil {
		return nil, err
	}
	return a.withJobs(ctx, listed, run.Repository)
}

// listNewer reads the end of GitHub's list, which begins with the newest run.
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
	if last > maxPages { // GitHub gives no more of a list that is filtered
		return nil, fmt.Errorf("%w: %d newer runs", errTooMuch, total)
	}
	for page := max(2, last-1); page <= last; page++ {
		if _, err := read(page); err != nil {
			return nil, err
		}
	}
	return oldestNewer(runs, run), nil
}

// oldestNewer picks the runs that are newer than run, the oldest first.
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

// unread is one thing that could not be read, and why; err nil: it was read.
type unread struct {
	what string
	err  error
}

// warn says in one warning what could not be read; nothing: no warning.
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
		fmt.Fprintf(&text, "GitHub's API did not give %s: %s. ", strings.Join(parts[why], ", "), why)
	}
	text.WriteString("What the event's payload says is used instead.")
	return []report.Note{{Warning: true, Text: text.String()}}
}

// merge completes from by what the API says of the same run.
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
	if run.Attempt == api.Attempt { // else it is of a later attempt
		run.Status = cmp.Or(api.Status, from.Status)
		run.Conclusion = cmp.Or(api.Conclusion, from.Conclusion)
	}
	return run
}

// ownJob finds the job in which this program runs; -1 where that is in doubt.
// GitHub says it only in parts: by the runner's name, or by the job's id,
// which the display name of a matrix job begins with and that of a job in a
// called workflow ends with.
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
