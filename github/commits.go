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
	// commitsLimit is the time limit for finding the commits of versions.
	commitsLimit = 5 * time.Second
	// maxRunLists is the largest number of pages of runs that are read.
	maxRunLists = 4
	// maxPublishers is the largest number of runs whose jobs are read, starting with
	// the newest versions.
	maxPublishers = 12
)

// CommitsOf returns the commits that versions were built from. published has, for each
// function, the times at which its versions were published, by version number; the
// result has as many maps, from version number to commit. A version belongs to the run
// of run's workflow and branch that had a job in progress at that time. If there is no
// such run, or more than one, the version is left out rather than guessed. With an
// error, the result is incomplete.
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

// distinctTimes returns all times, to the second, newest first.
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

// commitSearch has the runs that may have published the versions.
type commitSearch struct {
	api *API
	run report.Run

	listed []*gh.WorkflowRun      // from around the times
	jobs   map[int64][]report.Job // of listed runs, by run ID; missing: not read
	// covered are the times for which every run that may have been in progress is
	// listed.
	covered []time.Time
	// pageStart is the time of the oldest run on the latest page; zero: the page
	// reaches back to the first run.
	pageStart time.Time
}

// read lists the runs around the times, and then reads the jobs of those that may
// have been in progress at one of them.
func (h *commitSearch) read(ctx context.Context, times []time.Time) error {
	lists := 0
	for _, at := range times {
		if h.coveredByRun(at) {
			continue
		}
		// The times are in order, newest first, so a page may also cover the
		// following ones.
		if lists == 0 || !h.pageCovers(at) {
			if lists++; lists > maxRunLists {
				break
			}
			if err := h.list(ctx, at); err != nil {
				return fmt.Errorf("failed to read the runs of the workflow from GitHub's API: %s", cause(err))
			}
		}
		if h.pageCovers(at) {
			h.covered = append(h.covered, at)
		}
	}
	return h.readJobs(ctx, times)
}

// coveredByRun reports whether every run in progress at a time is known from the
// evidence about the failed run.
func (h *commitSearch) coveredByRun(at time.Time) bool {
	return h.run.NewerKnown && h.run.OlderKnown && !h.run.CreatedBound && !h.run.CreatedAt.IsZero() && !at.Before(h.run.CreatedAt)
}

// pageCovers reports whether the page reaches back far enough to have every run that
// may have been in progress at a time.
func (h *commitSearch) pageCovers(at time.Time) bool {
	return h.pageStart.IsZero() || at.Sub(h.pageStart) >= longestRun
}

// list reads the newest runs that were created at or before a time.
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

// readJobs reads the jobs of the listed runs that may have been in progress at one of
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
		return fmt.Errorf("failed to read the jobs of runs from GitHub's API: %s", cause(err))
	}
	return nil
}

// mayHaveRunAt reports whether a run may have been in progress at a time, judging by
// its start and its end alone.
func mayHaveRunAt(r *gh.WorkflowRun, at time.Time) bool {
	return !seconds(r.GetCreatedAt()).After(at) && !endedBefore(r, at)
}

// isKnown reports whether id is the failed run, or one of the runs in its evidence.
func (h *commitSearch) isKnown(id int64) bool {
	return id == h.run.ID || slices.ContainsFunc(slices.Concat(h.run.Newer, h.run.Older), func(r report.Run) bool { return r.ID == id })
}

// publishingJobs returns the names of the jobs of the failed run that may have
// published its versions.
func (h *commitSearch) publishingJobs(times []time.Time) []string {
	names := map[string]bool{}
	for _, at := range times {
		for _, job := range jobsRunningAt(slices.Concat(h.run.Jobs, h.run.Earlier), at) {
			names[job.Name] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// commit returns the commit of the only run that may have published a version at a
// time; empty: there is none, or more than one.
func (h *commitSearch) commit(at time.Time, names []string) string {
	if at.IsZero() || !h.coveredByRun(at) && !slices.Contains(h.covered, at) {
		return ""
	}
	if len(h.run.Jobs) == 0 && !at.Before(h.run.CreatedAt) {
		return "" // the failed run may have published it
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
			return "" // this run may have published it
		}
		add(runFrom(r, h.run.Repository), jobs)
	}
	if sha := sharedSHA(candidates); sha != "" {
		return sha
	}
	// Several runs were in progress: prefer those in the job that publishes.
	candidates = slices.DeleteFunc(candidates, func(r report.Run) bool {
		return len(names) > 0 && !slices.ContainsFunc(r.Jobs, func(job report.Job) bool { return slices.Contains(names, job.Name) })
	})
	if sha := sharedSHA(candidates); sha != "" {
		return sha
	}
	if slices.ContainsFunc(candidates, func(r report.Run) bool { return r.ID == h.run.ID }) {
		return "" // its failure does not show whether it published
	}
	return sharedSHA(slices.DeleteFunc(candidates, func(r report.Run) bool { return r.Conclusion != "success" }))
}

// sharedSHA returns the commit that all runs share; empty: they differ.
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

// jobsRunningAt returns the jobs in progress at a time. The job of this program counts
// only if a step of it has failed, because that step may be the deploy.
func jobsRunningAt(jobs []report.Job, at time.Time) []report.Job {
	return slices.DeleteFunc(slices.Clone(jobs), func(job report.Job) bool {
		ended := cmp.Or(job.CompletedAt, at)
		return job.StartedAt.IsZero() || job.Conclusion == "skipped" || job.Own && job.FailedStep == "" ||
			at.Before(job.StartedAt) || at.After(ended)
	})
}
