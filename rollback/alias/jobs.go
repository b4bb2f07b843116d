package alias

import (
	"slices"
	"time"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// deployJobs are the jobs of a run, in all of its attempts, that can have
// published a version: those that were named, else all. The job that rolls back
// publishes nothing, nor does the rest of its matrix.
func (o Observation) deployJobs(run report.Run) []report.Job {
	named := o.deployJobsKnown()
	return slices.DeleteFunc(allJobs(run), func(job report.Job) bool {
		if job.Own && job.FailedStep != "" {
			return false // the rollback is a later step of the job that deployed
		}
		return job.Own || o.rollsBack(job) || named && !slices.ContainsFunc(o.Run.DeployJobs, job.IsNamed)
	})
}

// deployJobsKnown tells whether the jobs that can have deployed are named, and
// each name is one that GitHub shows: a job with a name of its own is not found by
// its id, and then any job can be it.
func (o Observation) deployJobsKnown() bool {
	return len(o.Run.DeployJobs) > 0 && !slices.ContainsFunc(o.Run.DeployJobs, func(name string) bool {
		return !slices.ContainsFunc(allJobs(o.Run), func(job report.Job) bool { return job.IsNamed(name) })
	})
}

// rollsBack tells whether a job is the one in which this program runs, of any
// attempt or value of its matrix.
func (o Observation) rollsBack(job report.Job) bool {
	return slices.ContainsFunc(o.Run.Jobs, func(own report.Job) bool {
		return own.Own && own.FailedStep == "" && own.BaseName() == job.BaseName()
	})
}

// upstreamJobs are the jobs of this run that nobody named and that had ended
// before the first named one began: a named one may need what they did.
func (o Observation) upstreamJobs() []report.Job {
	if !o.deployJobsKnown() {
		return nil
	}
	first := time.Time{}
	for _, job := range o.deployJobs(o.Run) {
		if ran(job) && !job.StartedAt.IsZero() && (first.IsZero() || job.StartedAt.Before(first)) {
			first = job.StartedAt
		}
	}
	return slices.DeleteFunc(allJobs(o.Run), func(job report.Job) bool {
		return !ran(job) || o.rollsBack(job) || job.CompletedAt.IsZero() || first.IsZero() || job.CompletedAt.After(first)
	})
}

// atWork are the jobs that were at work at a time of AWS's clock. GitHub gives
// whole seconds; where the two clocks differ, a job counts as at work as long
// before and after.
func (o Observation) atWork(jobs []report.Job, at time.Time) []report.Job {
	return spanning(jobs, at, o.ClockDifference)
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
func (o Observation) lastEnd() (time.Time, bool) {
	var end time.Time
	for _, job := range o.deployJobs(o.Run) {
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
		end = o.Run.EndedBy
	}
	return end, !end.IsZero()
}

// allJobs has the jobs of all attempts, as far as they are known.
func allJobs(run report.Run) []report.Job { return slices.Concat(run.Jobs, run.Earlier) }

// ran leaves out jobs that were skipped: they have times, too.
func ran(job report.Job) bool { return job.Conclusion != "skipped" }

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
