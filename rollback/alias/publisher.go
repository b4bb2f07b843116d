package alias

import (
	"fmt"
	"slices"
	"time"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// publishers are the jobs that can have published a version: those that publish and
// were running when the version was made.
type publishers struct {
	own          []string // the names of this run's jobs
	newer, older []otherJob
}

// otherJob is a job of another run.
type otherJob struct {
	run report.Run
	job report.Job
}

// publishersOf uses times and jobs to find the runs that can have published a version.
// There can be several; what that means depends on the caller.
func publishersOf(f *facts, version int64) publishers {
	run, modified := f.o.Run, f.o.Versions[version].LastModified
	others := slices.Concat(run.Newer, run.Older)
	own := namesOf(f.o.jobs().atWork(f.o.jobs().deployJobs(run), modified))
	if !slices.ContainsFunc(others, func(r report.Run) bool { return len(f.o.jobs().atWork(f.o.jobs().deployJobs(r), modified)) > 0 }) {
		return publishers{own: own} // no other run was in progress
	}
	names := publishingJobs(f, f.o.referenceVersion(version))
	in := func(runs []report.Run) (out []otherJob) {
		for _, r := range runs {
			for _, job := range f.o.jobs().atWork(f.o.jobs().deployJobs(r), modified) {
				if slices.Contains(names, job.Name) {
					out = append(out, otherJob{r, job})
				}
			}
		}
		return out
	}
	return publishers{own: intersect(own, names), newer: in(run.Newer), older: in(run.Older)}
}

// byPublisher attributes a version that was made after this run had started. It is
// attributed to this run, unless a newer run, or only an older one, was in the job
// that publishes.
func byPublisher(f *facts, version int64) attribution {
	modified := f.o.Versions[version].LastModified
	p := publishersOf(f, version)
	switch {
	case len(p.newer) > 0:
		first := p.newer[0]
		return attribution{
			reason: report.Superseded, proven: true,
			why: fmt.Sprintf("version %d was published when a newer run (%d) was already deploying: it may belong to that run and stays", version, first.run.ID),
			proof: fmt.Sprintf("version %d was published at %s; job %q of the newer run %d had started by then (%s)",
				version, utc(modified), first.job.Name, first.run.ID, utc(first.job.StartedAt)),
		}
	case len(p.older) > 0 && len(p.own) == 0:
		first := p.older[0]
		return attribution{
			reason: report.NotDeployed, proven: true,
			why: fmt.Sprintf("version %d was published by an older run (%d), which was deploying while this run was running", version, first.run.ID),
			proof: fmt.Sprintf("version %d was published at %s, while job %q of the older run %d was running (%s to %s), and no such job of this run was",
				version, utc(modified), first.job.Name, first.run.ID, utc(first.job.StartedAt), ended(first.job)),
		}
	}
	return attribution{}
}

// clocksApart is the assumed maximum difference between the clocks of AWS and GitHub
// while GitHub has not responded.
const clocksApart = time.Minute

// publishedByThisRun reports whether this run was in a job that publishes when the
// version was made, and no other run was in the same job: that is enough to reject a
// version that was never found to fail.
func publishedByThisRun(f *facts, version int64) bool {
	run, modified := f.o.Run, f.o.Versions[version].LastModified
	if f.o.RunAwaited && (modified.IsZero() || !run.NotBefore.IsZero() && f.o.before(modified, run.NotBefore.Add(-clocksApart))) {
		return false // whatever GitHub responds
	}
	f.needRun()
	if modified.IsZero() || run.CreatedAt.IsZero() || run.CreatedBound || !run.NewerKnown || f.o.before(modified, run.CreatedAt) {
		return false
	}
	deploys := f.o.jobs().deployJobs(run)
	if len(spanning(deploys, modified, -f.o.ClockDifference)) == 0 {
		return false // the version can have been made before or after them
	}
	f.needOlderRuns()
	if anotherJobPublishes(f, version, f.o.jobs().atWork(deploys, modified)) {
		return false
	}
	p := publishersOf(f, version)
	return len(p.own) > 0 && !slices.ContainsFunc(slices.Concat(p.newer, p.older), func(other otherJob) bool {
		return slices.Contains(p.own, other.job.Name)
	})
}

// anotherJobPublishes reports whether the earlier versions show that not one of these
// jobs of the run publishes, but another one: a version that was made in one of these
// jobs then belongs to somebody else. GitHub is called only if this run did not reach
// one of its jobs, or if another version was made in one.
func anotherJobPublishes(f *facts, version int64, jobs []report.Job) bool {
	if len(jobs) == 0 || slices.ContainsFunc(jobs, func(job report.Job) bool { return job.Own }) {
		return false
	}
	names := namesOf(jobs)
	var others []string
	doubt := false
	for _, job := range f.o.jobs().deployJobs(f.o.Run) {
		if slices.Contains(names, job.Name) {
			continue
		}
		others = append(others, job.Name)
		doubt = doubt || !ran(job)
		for _, known := range f.o.Versions { // a version that does not exist has no time
			at := f.o.jobs().atWork([]report.Job{job}, known.LastModified)
			doubt = doubt || len(at) > 0 && len(f.o.jobs().atWork(jobs, known.LastModified)) == 0
		}
	}
	if !doubt {
		return false
	}
	f.needTwoBelow(version)
	f.needRunsBefore(version)
	if slices.ContainsFunc(names, f.o.madeBefore) || !slices.ContainsFunc(others, f.o.madeBefore) {
		return false
	}
	// One of them can itself belong to somebody else; two must agree.
	asked := f.o.AtWorkAsked
	if earlier := newestBefore(f, slices.Min(asked)); earlier != 0 && len(asked) == 1 {
		f.need(Query{RunsAtWork: earlier})
	}
	return !slices.ContainsFunc(names, f.o.madeBefore) && !slices.ContainsFunc(f.o.AtWorkAsked, func(v int64) bool {
		return !slices.ContainsFunc(others, func(name string) bool { return f.o.madeVersion(name, v) })
	}) && len(f.o.AtWorkAsked) > 1
}

// besideTheDeploy is the result if the version was made in a job of this run in which
// no earlier version was made, and the earlier versions were made in another job.
func besideTheDeploy(o Observation, version int64, jobs []report.Job) attribution {
	modified := o.Versions[version].LastModified
	a := attribution{
		reason: report.NotDeployed, attention: true, between: true,
		why: fmt.Sprintf("version %d was published while job %q of this run was running, but the earlier versions were made in another job: somebody else seems to have published it, and it stays; if this run did, list the job in deploy-job, or roll back manually with target-version",
			version, jobs[0].Name),
		proof: fmt.Sprintf("version %d was published at %s, while job %q was running (%s to %s), in which none of the earlier versions that were looked up on GitHub was made",
			version, utc(modified), jobs[0].Name, utc(jobs[0].StartedAt), ended(jobs[0])),
	}
	if slices.ContainsFunc(o.jobs().deployJobs(o.Run), func(job report.Job) bool {
		return o.madeBefore(job.Name) && ran(job) && !job.CompletedAt.IsZero() && job.CompletedAt.Before(modified)
	}) {
		a.reason = report.Superseded
	}
	return a
}

// referenceVersion returns the version that shows which job publishes: the one that
// this deploy is known or assumed to have moved the alias to or, if that one is
// higher, the given one.
func (o Observation) referenceVersion(version int64) int64 {
	deployed := o.Request.Deployed
	if o.Versions[deployed].Exists {
		return max(deployed, version)
	}
	return max(o.Alias.newest(), version)
}

// publishingJobs returns the names of the jobs any of which may be the one that
// publishes. No setting says which one it is. If no other run was in progress when the
// version was made, it does not matter: it returns the jobs of this run that were
// running then, or all if none were. Otherwise, the times of other versions show it:
// each was made while some run was in that job.
//
// Example: the deploy of this run made version 42, and while the smoke test of this
// run was running, the deploy of a newer run made version 43. Only the smoke test of
// this run was running when 43 was made, but no smoke test was running when 42 was
// made. So the deploy publishes, and 43 belongs to the newer run.
func publishingJobs(f *facts, version int64) []string {
	run, modified := f.o.Run, f.o.Versions[version].LastModified
	own := namesOf(f.o.jobs().atWork(f.o.jobs().deployJobs(run), modified))
	if len(own) == 0 {
		own = namesOf(f.o.jobs().deployJobs(run))
	}
	var others []string
	for _, other := range slices.Concat(run.Newer, run.Older) {
		others = append(others, namesOf(f.o.jobs().atWork(f.o.jobs().deployJobs(other), modified))...)
	}
	if len(others) == 0 {
		return own
	}
	f.needTwoBelow(version)
	candidates := slices.Concat(namesOf(f.o.jobs().deployJobs(run)), others)
	slices.Sort(candidates)
	agreeing := highestScoring(slices.Compact(candidates), f.o.publishedCount)
	mine := intersect(agreeing, own)
	if len(mine) > 0 && len(mine) < len(agreeing) {
		f.needRunsBefore(version)
		agreeing = highestScoring(agreeing, func(name string) int { return -f.o.emptySuccesses(name) })
		mine = intersect(agreeing, own)
	}
	if len(mine) > 0 {
		return mine
	}
	return agreeing
}

// highestScoring keeps the names with the highest score.
func highestScoring(names []string, score func(string) int) []string {
	var out []string
	most := 0
	for _, name := range names {
		switch n := score(name); {
		case len(out) == 0 || n > most:
			out, most = []string{name}, n
		case n == most:
			out = append(out, name)
		}
	}
	return out
}

func intersect(names, in []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return !slices.Contains(in, name) })
}

// needTwoBelow requires the two numbers below a version: one of them may belong to
// this run.
func (f *facts) needTwoBelow(version int64) {
	var unread []int64
	for v := version - 1; v > 0 && v >= version-2; v-- {
		if _, known := f.o.Versions[v]; !known && !f.o.Listed {
			unread = append(unread, v)
		}
	}
	f.need(Query{Versions: unread}) // empty if everything is known
}

// needRunsBefore requires the runs that were in progress when the newest version from
// before this run was made, because they show which job publishes. One version is
// enough.
func (f *facts) needRunsBefore(version int64) {
	if len(f.o.AtWorkAsked) > 0 {
		return
	}
	if newest := newestBefore(f, version); newest != 0 {
		f.need(Query{RunsAtWork: newest})
	}
}

// newestBefore returns the newest known version below a number that was made before
// this run was created, or 0 if there is none.
func newestBefore(f *facts, version int64) int64 {
	newest := int64(0)
	for v, known := range f.o.Versions {
		if v < version && v > newest && known.Exists && !known.LastModified.IsZero() && wholeSecond(known.LastModified).Before(f.o.Run.CreatedAt) {
			newest = v
		}
	}
	return newest
}

// publishedCount counts the versions that a job with this name can have published. A
// version counts only if all runs in progress at its time are known: versions made
// since this run started, and those that were looked up on GitHub.
func (o Observation) publishedCount(name string) int {
	n := 0
	for number, v := range o.Versions {
		if v.LastModified.IsZero() || (wholeSecond(v.LastModified).Before(o.Run.CreatedAt) && !slices.Contains(o.AtWorkAsked, number)) {
			continue
		}
		if slices.ContainsFunc(o.jobs().knownRuns(), func(run report.Run) bool {
			return slices.Contains(namesOf(o.jobs().atWork(o.jobs().deployJobs(run), v.LastModified)), name)
		}) {
			n++
		}
	}
	return n
}

// emptySuccesses counts the jobs with this name that succeeded without a known version
// being made at that time. It decides only if nothing else does: a deploy may have
// nothing new to publish.
func (o Observation) emptySuccesses(name string) int {
	n := 0
	for _, run := range o.jobs().knownRuns() {
		for _, job := range o.jobs().deployJobs(run) {
			if job.Name == name && job.Conclusion == "success" && !o.madeAnyVersion(job) {
				n++
			}
		}
	}
	return n
}

// madeAnyVersion reports whether a known version was made while a job was running.
func (o Observation) madeAnyVersion(job report.Job) bool {
	for _, v := range o.Versions {
		if len(o.jobs().atWork([]report.Job{job}, v.LastModified)) > 0 {
			return true
		}
	}
	return false
}
