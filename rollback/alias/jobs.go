package alias

import (
	"slices"
	"time"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// jobTimes determines which jobs can have published a version, by their names and
// times.
type jobTimes struct {
	run report.Run // the failed run
	// clockDifference is the difference between the clocks of AWS and GitHub.
	clockDifference time.Duration
}

func (o Observation) jobs() jobTimes {
	return jobTimes{run: o.Run, clockDifference: o.ClockDifference}
}

// deployJobs returns the jobs of a run, in all of its attempts, that can have
// published a version: the listed ones, or all if none are listed. The job that rolls
// back publishes nothing, nor do the other jobs of its matrix.
func (t jobTimes) deployJobs(run report.Run) []report.Job {
	named := t.deployJobsKnown()
	return slices.DeleteFunc(allJobs(run), func(job report.Job) bool {
		if job.Own && job.FailedStep != "" {
			return false // the rollback is a later step of the job that deployed
		}
		return job.Own || t.rollsBack(job) || named && !slices.ContainsFunc(t.run.DeployJobs, job.IsNamed)
	})
}

// deployJobsKnown reports whether the jobs that can have deployed are listed, and
// whether each listed name is one that GitHub shows. A job with its own name is not
// found by its ID, and then any job can be the one.
func (t jobTimes) deployJobsKnown() bool {
	return len(t.run.DeployJobs) > 0 && !slices.ContainsFunc(t.run.DeployJobs, func(name string) bool {
		return !slices.ContainsFunc(allJobs(t.run), func(job report.Job) bool { return job.IsNamed(name) })
	})
}

// rollsBack reports whether a job is the one in which this program runs, in any
// attempt and for any value of its matrix.
func (t jobTimes) rollsBack(job report.Job) bool {
	return slices.ContainsFunc(t.run.Jobs, func(own report.Job) bool {
		return own.Own && own.FailedStep == "" && own.BaseName() == job.BaseName()
	})
}

// upstreamJobs returns the unlisted jobs of this run that had ended before the first
// listed one started: a listed job may need what they did.
func (t jobTimes) upstreamJobs() []report.Job {
	if !t.deployJobsKnown() {
		return nil
	}
	first := time.Time{}
	for _, job := range t.deployJobs(t.run) {
		if ran(job) && !job.StartedAt.IsZero() && (first.IsZero() || job.StartedAt.Before(first)) {
			first = job.StartedAt
		}
	}
	return slices.DeleteFunc(allJobs(t.run), func(job report.Job) bool {
		return !ran(job) || t.rollsBack(job) || job.CompletedAt.IsZero() || first.IsZero() || job.CompletedAt.After(first)
	})
}

// atWork returns the jobs that were running at a time of AWS's clock. GitHub's times
// are whole seconds. If the two clocks differ, each job is extended by the difference
// at both ends.
func (t jobTimes) atWork(jobs []report.Job, at time.Time) []report.Job {
	return spanning(jobs, at, t.clockDifference)
}

// spanning returns the jobs whose time span, extended by a margin, contains a time.
func spanning(jobs []report.Job, at time.Time, margin time.Duration) []report.Job {
	if at.IsZero() {
		return nil
	}
	var out []report.Job
	for _, job := range jobs {
		if job.StartedAt.IsZero() || !ran(job) || wholeSecond(at).Before(job.StartedAt.Add(-margin)) {
			continue
		}
		if job.CompletedAt.IsZero() || !wholeSecond(at).After(job.CompletedAt.Add(margin)) {
			out = append(out, job)
		}
	}
	return out
}

// lastEnd returns when the last job that can have deployed ended. It is unknown while
// one is still running.
func (t jobTimes) lastEnd() (time.Time, bool) {
	var end time.Time
	for _, job := range t.deployJobs(t.run) {
		switch {
		case job.Own:
			return time.Time{}, false
		case !ran(job):
		case job.CompletedAt.IsZero():
			if !job.StartedAt.IsZero() && job.Status == "in_progress" {
				return time.Time{}, false
			}
		case job.CompletedAt.After(end):
			end = job.CompletedAt
		}
	}
	if end.IsZero() {
		end = t.run.EndedBy
	}
	return end, !end.IsZero()
}

// timesKnown reports whether the times of each job that can have deployed are known.
func (t jobTimes) timesKnown() bool {
	return !slices.ContainsFunc(t.deployJobs(t.run), func(job report.Job) bool {
		return ran(job) && job.Status != "queued" && job.Status != "waiting" && job.StartedAt.IsZero()
	})
}

// knownRuns returns the failed run and the runs in parallel with it.
func (t jobTimes) knownRuns() []report.Run {
	return slices.Concat([]report.Run{t.run}, t.run.Newer, t.run.Older)
}

// allJobs contains the known jobs of all attempts.
func allJobs(run report.Run) []report.Job { return slices.Concat(run.Jobs, run.Earlier) }

// ran removes jobs that were skipped, or that ended before they started: those have
// times as well.
func ran(job report.Job) bool { return job.Conclusion != "skipped" && !job.NeverRan }

func ended(job report.Job) string {
	if job.CompletedAt.IsZero() {
		return "now"
	}
	return utc(job.CompletedAt)
}

func namesOf(jobs []report.Job) []string {
	var names []string
	for _, job := range jobs {
		if ran(job) && !slices.Contains(names, job.Name) {
			names = append(names, job.Name)
		}
	}
	return names
}
