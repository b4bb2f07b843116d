package alias

import (
	"fmt"
	"slices"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// tolerated is the result if no setting says which job's failure counts, and the job
// in which the version was made succeeded. If several jobs were running then, and it
// matters which of them publishes, the earlier versions show that.
func tolerated(f *facts, version int64, jobs []report.Job) attribution {
	if f.o.Run.FailedBy.SaysWhichJob() || len(jobs) == 0 || slices.ContainsFunc(jobs, func(job report.Job) bool { return job.Own }) {
		return attribution{}
	}
	fate := fateOf(jobs, f.o.jobs())
	if fate == notTold {
		f.needTwoBelow(version)
		f.needRunsBefore(version)
		publishing := slices.DeleteFunc(slices.Clone(jobs), func(job report.Job) bool { return !f.o.madeBefore(job.Name) })
		if len(publishing) > 0 {
			jobs, fate = publishing, fateOf(publishing, f.o.jobs())
		}
	}
	if fate == deployFailed {
		return attribution{}
	}
	well := withoutFailure(jobs, f.o.jobs())[0]
	return attribution{
		reason: report.NoFailure, attention: fate == notTold,
		why: fmt.Sprintf("version %d was published by job %q, which did not fail, and the failure of another job does not count as a failed deploy (if it should, name that job in deploy-job, or set needs)",
			version, well.Name),
		proof: fmt.Sprintf("version %d was published while job %q was running (%s to %s), whose conclusion is %q",
			version, well.Name, utc(well.StartedAt), ended(well), well.Conclusion),
	}
}

// toleratedDeploy is tolerated for a version that belongs to this run because of
// deployed-version or its snapshot.
func toleratedDeploy(f *facts, version int64) attribution {
	if f.o.Run.FailedBy.SaysWhichJob() {
		return attribution{}
	}
	f.needRun()
	made := f.lastModified(version)
	return tolerated(f, version, f.o.jobs().atWork(f.o.jobs().deployJobs(f.o.Run), made))
}

// fate is the outcome of a deploy, based on the jobs of its run.
type fate int

const (
	deployFailed    fate = iota // in its own job, or in a job that started after it
	deploySucceeded             // the failed jobs prove nothing about it
	notTold
)

// fateOf returns the outcome of a version that was made while some jobs were running,
// based on all jobs of its run. A failed job in parallel with a deploy proves nothing
// about it; a job that started after the deploy may have tested it.
func fateOf(jobs []report.Job, t jobTimes) fate {
	well := withoutFailure(jobs, t)
	if len(well) == 0 {
		return deployFailed
	}
	told := len(well) == len(jobs)
	for _, job := range t.deployJobs(t.run) {
		if !t.failed(job) || t.succeededSince(job) {
			continue
		}
		running := slices.DeleteFunc(slices.Clone(well), func(w report.Job) bool {
			return !w.CompletedAt.IsZero() && !job.StartedAt.Before(w.CompletedAt) && !t.independent(job, w)
		})
		if len(running) == 0 {
			return deployFailed
		}
		told = told && len(running) == len(well)
	}
	if told {
		return deploySucceeded
	}
	return notTold
}

// withoutFailure removes the jobs that failed; a whole matrix counts as one job. The
// failure of an earlier attempt proves nothing about a job of this one.
func withoutFailure(jobs []report.Job, t jobTimes) []report.Job {
	all := t.deployJobs(t.run)
	return slices.DeleteFunc(slices.Clone(jobs), func(job report.Job) bool {
		now := slices.Contains(t.run.Jobs, job)
		return slices.ContainsFunc(all, func(other report.Job) bool {
			return other.BaseName() == job.BaseName() && t.failed(other) && (!now || slices.Contains(t.run.Jobs, other))
		})
	})
}

// failed reports whether the conclusion of a job is that of a failed deploy. A job
// that no runner picked up, for example because its approval was rejected, has tested
// nothing.
func (t jobTimes) failed(job report.Job) bool {
	return ran(job) && (job.Failed() || t.run.CancelledCounts && job.Conclusion == "cancelled")
}

// independent reports whether a job does not wait for a deploy: in the first attempt
// of both, it started before the deploy had ended. In a re-run of only the failed
// jobs, it always comes after the deploy.
func (t jobTimes) independent(job, deploy report.Job) bool {
	first := func(name string) (out report.Job) {
		for _, j := range allJobs(t.run) {
			if j.Name == name && ran(j) && !j.StartedAt.IsZero() && (out.StartedAt.IsZero() || j.StartedAt.Before(out.StartedAt)) {
				out = j
			}
		}
		return out
	}
	a, b := first(job.Name), first(deploy.Name)
	return !a.StartedAt.IsZero() && a.StartedAt.Before(b.CompletedAt)
}

// succeededSince reports whether a job of an earlier attempt succeeded in the last
// one: it ran again on the same deploy, and found no problem.
func (t jobTimes) succeededSince(job report.Job) bool {
	return !slices.Contains(t.run.Jobs, job) && slices.ContainsFunc(t.run.Jobs, func(now report.Job) bool {
		return now.Name == job.Name && now.Conclusion == "success"
	})
}

// toleratedPromotion is tolerated if the version can be of any run, because the
// workflow promotes what an earlier run published: the times of the jobs do not show
// which one moved the alias. A failed job may have tested the deploy if it started
// after every job that succeeded had ended; otherwise, this cannot be determined.
func toleratedPromotion(f *facts) attribution {
	if f.o.Run.FailedBy.SaysWhichJob() {
		return attribution{}
	}
	f.needRun()
	t := f.o.jobs()
	done := slices.DeleteFunc(t.deployJobs(f.o.Run), func(job report.Job) bool { return job.Conclusion != "success" })
	if len(done) == 0 || fateOf(done, t) == deployFailed {
		return attribution{}
	}
	return attribution{
		reason: report.NoFailure, attention: true,
		why:   fmt.Sprintf("job %q succeeded, and the failure of another job that ran at the same time does not count as a failed deploy (if it should, name that job in deploy-job, or set needs)", done[0].Name),
		proof: "not proven: only-if-deployed is false, and neither needs nor deploy-job says which job deploys",
	}
}
