package alias

import (
	"slices"
	"time"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// jobTimes answers which jobs can have published a version, by their names and by
// when they ran.
type jobTimes struct {
	run report.Run // the run that failed
	// clockDifference is how far AWS's and GitHub's clocks are apart.
	clockDifference time.Duration
}

func (o Observation) jobs() jobTimes {
	return jobTimes{run: o.Run, clockDifference: o.ClockDifference}
}

// deployJobs are the jobs of a run, in all of its attempts, that can have
// published a version: those that were named, else all. The job that rolls back
// publishes nothing, nor does the rest of its matrix.
func (t jobTimes) deployJobs(run report.Run) []report.Job {
	named := t.deployJobsKnown()
	return slices.DeleteFunc(allJobs(run), func(job report.Job) bool {
		if job.Own && job.FailedStep != "" {
			return false // the rollback is a later step of the job that deployed
		}
		return job.Own || t.rollsBack(job) || named && !slices.ContainsFunc(t.run.DeployJobs, job.IsNamed)
	})
}

// deployJobsKnown reports whether the jobs that can have deployed are named, and
// each name is one that GitHub shows: a job with a name of its own is not found by
// its id, and then any job can be it.
func (t jobTimes) deployJobsKnown() bool {
	return len(t.run.DeployJobs) > 0 && !slices.ContainsFunc(t.run.DeployJobs, func(name string) bool {
		return !slices.ContainsFunc(allJobs(t.run), func(job report.Job) bool { return job.IsNamed(name) })
	})
}

// rollsBack reports whether a job is the one in which this program runs, of any
// attempt or value of its matrix.
func (t jobTimes) rollsBack(job report.Job) bool {
	return slices.ContainsFunc(t.run.Jobs, func(own report.Job) bool {
		return own.Own && own.FailedStep == "" && own.BaseName() == job.BaseName()
	})
}

// upstreamJobs are the jobs of this run that nobody named and that had ended
// before the first named one began: a named one may need what they did.
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

// atWork are the jobs that were at work at a time of AWS's clock. GitHub gives
// whole seconds; where the two clocks differ, a job counts as at work as long
// before and after.
func (t jobTimes) atWork(jobs []report.Job, at time.Time) []report.Job {
	return spanning(jobs, at, t.clockDifference)
}

// spanning are the jobs whose span, widened by a margin, has a time in it.
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

// lastEnd is when the last job that can have deployed ended; it is not known while
// one is still at work.
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

// timesKnown reports whether each job that can have deployed says when it ran.
func (t jobTimes) timesKnown() bool {
	return !slices.ContainsFunc(t.deployJobs(t.run), func(job report.Job) bool {
		return ran(job) && job.Status != "queued" && job.Status != "waiting" && job.StartedAt.IsZero()
	})
}

// knownRuns are the run that failed and those beside it.
func (t jobTimes) knownRuns() []report.Run {
	return slices.Concat([]report.Run{t.run}, t.run.Newer, t.run.Older)
}

// allJobs has the jobs of all attempts, as far as they are known.
func allJobs(run report.Run) []report.Job { return slices.Concat(run.Jobs, run.Earlier) }

// ran leaves out jobs that were skipped, or ended while they waited: they have times,
// too.
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
