package alias

import (
	"slices"
	"time"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// atWork are the jobs that were at work at a time. GitHub gives whole seconds.
func atWork(jobs []report.Job, at time.Time) []report.Job {
	if at.IsZero() {
		return nil
	}
	var out []report.Job
	for _, job := range jobs {
		if job.StartedAt.IsZero() || !ran(job) || wholeSecond(at).Before(job.StartedAt) || (job.Own && job.FailedStep == "") {
			continue
		}
		if job.CompletedAt.IsZero() || !wholeSecond(at).After(job.CompletedAt) {
			out = append(out, job)
		}
	}
	return out
}

// lastEnd is when the last other job of the run ended; it is not known while
// one is still at work. The own job counts as one at work where a step of it
// failed: the deploy was then a step of the same job.
func lastEnd(run report.Run) (time.Time, bool) {
	var end time.Time
	for _, job := range everyJob(run) {
		switch {
		case job.Own && job.FailedStep != "":
			return time.Time{}, false
		case job.Own || !ran(job):
		case job.CompletedAt.IsZero():
			if !job.StartedAt.IsZero() && job.Status == "in_progress" {
				return time.Time{}, false
			}
		case job.CompletedAt.After(end):
			end = job.CompletedAt
		}
	}
	if end.IsZero() {
		end = run.EndedBy
	}
	return end, !end.IsZero()
}

// everyJob has the jobs of all attempts, as far as they are known, but for the
// own job of earlier ones: that one only rolled back.
func everyJob(run report.Run) []report.Job {
	jobs := slices.Clone(run.Jobs)
	for _, earlier := range run.Earlier {
		if !slices.ContainsFunc(run.Jobs, func(j report.Job) bool { return j.Own && j.FailedStep == "" && j.Name == earlier.Name }) {
			jobs = append(jobs, earlier)
		}
	}
	return jobs
}

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
