package github

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	gh "github.com/google/go-github/v62/github"

	"github.com/org/lambda-rollback-action/rollback/report"
)

const (
	// commitsLimit bounds how long it may take to find commits.
	commitsLimit = 5 * time.Second
	// maxRunLists is how many pages of runs are read for it.
	maxRunLists = 4
	// maxPublishers is of how many runs the jobs are read, those of the newest
	// versions first.
	maxPublishers = 12
)

// CommitsOf says from which commits versions were made. It takes, for each
// function, when its versions were made by their number, and gives as many maps
// from number to commit. A version is of the run of run's workflow on its branch
// that was in a job at that time; where no such run is known, or several are,
// it is missing: nothing is guessed. The error says what could not be asked; what
// is known is given with it.
func (a *API) CommitsOf(ctx context.Context, run report.Run, published []map[string]time.Time) ([]map[string]string, error) {
	ctx, cancel := context.WithTimeout(ctx, commitsLimit)
	defer cancel()
	h := &commitSearch{api: a, run: run, jobs: map[int64][]report.Job{}}
	times := distinctTimes(published)
	err := h.read(ctx, times)

	commits := make([]map[string]string, len(published))
	names := h.publishingJobs(times)
	for i, versions := range published {
		commits[i] = map[string]string{}
		for version, at := range versions {
			if sha := h.commit(second(at), names); sha != "" {
				commits[i][version] = sha
			}
		}
	}
	return commits, err
}

// distinctTimes are all the times, to the second, the newest first.
func distinctTimes(published []map[string]time.Time) []time.Time {
	var all []time.Time
	for _, versions := range published {
		for _, at := range versions {
			if !at.IsZero() {
				all = append(all, second(at))
			}
		}
	}
	slices.SortFunc(all, func(a, b time.Time) int { return b.Compare(a) })
	return slices.CompactFunc(all, time.Time.Equal)
}

func second(t time.Time) time.Time { return t.UTC().Truncate(time.Second) }

// commitSearch is what is known of the runs that may have published.
type commitSearch struct {
	api *API
	run report.Run

	listed []*gh.WorkflowRun      // around the times
	jobs   map[int64][]report.Job // of listed runs; missing: not read
	// covered are the times for which all runs are listed that can have been at
	// work.
	covered []time.Time
	// pageStart is where the latest page ends; zero: it goes back to the beginning.
	pageStart time.Time
}

// read lists the runs around the times, and then the jobs of those that were at
// work then.
func (h *commitSearch) read(ctx context.Context, times []time.Time) error {
	lists := 0
	for _, at := range times {
		if h.coveredByRun(at) {
			continue
		}
		// The times come newest first, so that a page is useful for later ones.
		if lists == 0 || !h.pageCovers(at) {
			if lists++; lists > maxRunLists {
				break
			}
			if err := h.list(ctx, at); err != nil {
				return fmt.Errorf("failed to find the commits of versions: GitHub's API did not give the runs of the workflow: %s", cause(err))
			}
		}
		if h.pageCovers(at) {
			h.covered = append(h.covered, at)
		}
	}
	return h.readJobs(ctx, times)
}

// coveredByRun is true for a time in whose course all runs are known that were at work.
func (h *commitSearch) coveredByRun(at time.Time) bool {
	return h.run.NewerKnown && h.run.OlderKnown && !h.run.CreatedBound && !h.run.CreatedAt.IsZero() && !at.Before(h.run.CreatedAt)
}

// pageCovers is true where the page goes back long enough before a time for every
// run that can have been at work then.
func (h *commitSearch) pageCovers(at time.Time) bool {
	return h.pageStart.IsZero() || at.Sub(h.pageStart) >= longestRun
}

// list reads the newest runs that were created up to a time.
func (h *commitSearch) list(ctx context.Context, at time.Time) error {
	list, err := h.api.sameWorkflowRuns(ctx, h.run, "<="+at.Format(time.RFC3339), 1)
	if err != nil {
		return err
	}
	h.pageStart = time.Time{}
	if n := len(list.WorkflowRuns); n > 0 && list.GetTotalCount() > n {
		h.pageStart = seconds(list.WorkflowRuns[n-1].GetCreatedAt())
	}
	for _, r := range list.WorkflowRuns {
		if r.GetID() != 0 && r.GetID() != h.run.ID && !isForeign(r, h.run) &&
			!slices.ContainsFunc(h.listed, func(other *gh.WorkflowRun) bool { return other.GetID() == r.GetID() }) {
			h.listed = append(h.listed, r)
		}
	}
	return nil
}

// readJobs reads the jobs of the listed runs that may have been at work at one of
// the times.
func (h *commitSearch) readJobs(ctx context.Context, times []time.Time) error {
	var wanted []*gh.WorkflowRun
	for _, at := range times {
		for _, r := range h.listed {
			if mayHaveRunAt(r, at) && !h.isKnown(r.GetID()) && !slices.Contains(wanted, r) {
				wanted = append(wanted, r)
			}
		}
	}
	wanted = wanted[:min(len(wanted), maxPublishers)]
	runs, err := h.api.withJobs(ctx, wanted, h.run.Repository)
	for _, r := range runs {
		if r.Jobs != nil {
			h.jobs[r.ID] = r.Jobs
		}
	}
	if err != nil {
		return fmt.Errorf("failed to find the commits of versions: GitHub's API did not give the jobs of runs: %s", cause(err))
	}
	return nil
}

// mayHaveRunAt goes by the bounds of a run alone.
func mayHaveRunAt(r *gh.WorkflowRun, at time.Time) bool {
	return !seconds(r.GetCreatedAt()).After(at) && !endedBefore(r, at)
}

// isKnown is true for the run itself and those whose jobs came with it.
func (h *commitSearch) isKnown(id int64) bool {
	return id == h.run.ID || slices.ContainsFunc(slices.Concat(h.run.Newer, h.run.Older), func(r report.Run) bool { return r.ID == id })
}

// publishingJobs names the jobs of the run, one of which published what it
// published.
func (h *commitSearch) publishingJobs(times []time.Time) []string {
	names := map[string]bool{}
	for _, at := range times {
		for _, job := range jobsRunningAt(slices.Concat(h.run.Jobs, h.run.Earlier), at) {
			names[job.Name] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// commit is that of the one run that candidates; empty: none does, or several do.
func (h *commitSearch) commit(at time.Time, names []string) string {
	if at.IsZero() || !h.coveredByRun(at) && !slices.Contains(h.covered, at) {
		return ""
	}
	if len(h.run.Jobs) == 0 && !at.Before(h.run.CreatedAt) {
		return "" // it may be this run's own
	}
	var candidates []report.Run
	add := func(r report.Run, jobs []report.Job) {
		if r.Jobs = jobsRunningAt(jobs, at); len(r.Jobs) > 0 {
			candidates = append(candidates, r)
		}
	}
	add(h.run, slices.Concat(h.run.Jobs, h.run.Earlier))
	for _, r := range slices.Concat(h.run.Newer, h.run.Older) {
		add(r, r.Jobs)
	}
	for _, r := range h.listed {
		if !mayHaveRunAt(r, at) || h.isKnown(r.GetID()) {
			continue
		}
		jobs, read := h.jobs[r.GetID()]
		if !read {
			return "" // it may be that one's
		}
		add(runFrom(r, h.run.Repository), jobs)
	}
	if sha := sharedSHA(candidates); sha != "" {
		return sha
	}
	// Several were at work: the one in the job that publishes.
	candidates = slices.DeleteFunc(candidates, func(r report.Run) bool {
		return len(names) > 0 && !slices.ContainsFunc(r.Jobs, func(job report.Job) bool { return slices.Contains(names, job.Name) })
	})
	if sha := sharedSHA(candidates); sha != "" {
		return sha
	}
	if slices.ContainsFunc(candidates, func(r report.Run) bool { return r.ID == h.run.ID }) {
		return "" // it failed, and that tells nothing
	}
	return sharedSHA(slices.DeleteFunc(candidates, func(r report.Run) bool { return r.Conclusion != "success" }))
}

// sharedSHA is the commit that all the runs share.
func sharedSHA(runs []report.Run) string {
	if len(runs) == 0 {
		return ""
	}
	for _, r := range runs {
		if r.SHA != runs[0].SHA {
			return ""
		}
	}
	return runs[0].SHA
}

// jobsRunningAt keeps the jobs that ran at a time. The own job does not count, unless a
// step of it has failed: then the deploy was one.
func jobsRunningAt(jobs []report.Job, at time.Time) []report.Job {
	return slices.DeleteFunc(slices.Clone(jobs), func(job report.Job) bool {
		ended := cmp.Or(job.CompletedAt, at)
		return job.StartedAt.IsZero() || job.Conclusion == "skipped" || job.Own && job.FailedStep == "" ||
			at.Before(job.StartedAt) || at.After(ended)
	})
}
