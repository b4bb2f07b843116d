package alias

import (
	"fmt"
	"slices"
	"time"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// publishers are the jobs that can have published a version: those that publish
// and were at work when it was made.
type publishers struct {
	own          []string // names of this run's
	newer, older []otherJob
}

// otherJob is a job of another run.
type otherJob struct {
	run report.Run
	job report.Job
}

// publishersOf finds by times and jobs which runs can have published a version.
// There can be several; what that means depends on what is asked.
func publishersOf(f *facts, version int64) publishers {
	run, modified := f.o.Run, f.o.Versions[version].LastModified
	others := slices.Concat(run.Newer, run.Older)
	own := namesOf(f.o.jobs().atWork(f.o.jobs().deployJobs(run), modified))
	if len(own) > 0 && !slices.ContainsFunc(others, func(r report.Run) bool { return len(f.o.jobs().atWork(f.o.jobs().deployJobs(r), modified)) > 0 }) {
		return publishers{own: own} // nobody else was running
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

// byPublisher attributes a version that was made after this run had begun. It is
// taken to be this run's, unless a newer run, or an older one alone, was in the
// job that publishes.
func byPublisher(f *facts, version int64) attribution {
	modified := f.o.Versions[version].LastModified
	p := publishersOf(f, version)
	switch {
	case len(p.newer) > 0:
		first := p.newer[0]
		return attribution{
			reason: report.Superseded, proven: true,
			why: fmt.Sprintf("version %d was published when a newer run (%d) was already deploying: it may be that run's, and stays", version, first.run.ID),
			proof: fmt.Sprintf("version %d was published at %s; job %q of the newer run %d had started by then (%s)",
				version, utc(modified), first.job.Name, first.run.ID, utc(first.job.StartedAt)),
		}
	case len(p.older) > 0 && len(p.own) == 0:
		first := p.older[0]
		return attribution{
			reason: report.NotDeployed, proven: true,
			why: fmt.Sprintf("version %d is an older run's (%d), which was deploying while this run was running", version, first.run.ID),
			proof: fmt.Sprintf("version %d was published at %s, while job %q of the older run %d was running (%s to %s), and no such job of this run was",
				version, utc(modified), first.job.Name, first.run.ID, utc(first.job.StartedAt), ended(first.job)),
		}
	}
	return attribution{}
}

// clocksApart is taken for how far AWS's and GitHub's clocks are apart at most while
// GitHub has not answered.
const clocksApart = time.Minute

// publishedByThisRun is true where this run was in a job that publishes when the
// version was made, and no other run was in the same one: enough to reject a
// version that was never found to fail.
func publishedByThisRun(f *facts, version int64) bool {
	run, modified := f.o.Run, f.o.Versions[version].LastModified
	if f.o.RunAwaited && (modified.IsZero() || !run.NotBefore.IsZero() && f.o.before(modified, run.NotBefore.Add(-clocksApart))) {
		return false // whatever GitHub tells
	}
	f.needRun()
	if modified.IsZero() || run.CreatedAt.IsZero() || run.CreatedBound || !run.NewerKnown || f.o.before(modified, run.CreatedAt) {
		return false
	}
	deploys := f.o.jobs().deployJobs(run)
	if len(spanning(deploys, modified, -f.o.ClockDifference)) == 0 {
		return false // it can have been made before or after them
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

// anotherJobPublishes reports whether the earlier versions show that it is not one of
// these jobs of the run that publishes, but another: a version that was made in one
// of them is then somebody else's. GitHub is asked only where this run either did
// not reach one of its jobs, or another version was made in one.
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
		for v, known := range f.o.Versions {
			at := f.o.jobs().atWork([]report.Job{job}, known.LastModified)
			doubt = doubt || v != version && known.Exists && len(at) > 0 && len(f.o.jobs().atWork(jobs, known.LastModified)) == 0
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
	// One can itself be somebody else's; two must agree.
	asked := f.o.AtWorkAsked
	if earlier := newestBefore(f, slices.Min(asked)); earlier != 0 && len(asked) == 1 {
		f.need(Query{RunsAtWork: earlier})
	}
	return !slices.ContainsFunc(names, f.o.madeBefore) && !slices.ContainsFunc(f.o.AtWorkAsked, func(v int64) bool {
		return !slices.ContainsFunc(others, func(name string) bool { return f.o.madeVersion(name, v) })
	}) && len(f.o.AtWorkAsked) > 1
}

// besideTheDeploy: the version was made in a job of this run in which no earlier one
// was, while they were made in another.
func besideTheDeploy(o Observation, version int64, jobs []report.Job) attribution {
	modified := o.Versions[version].LastModified
	a := attribution{
		reason: report.NotDeployed, attention: true, between: true,
		why: fmt.Sprintf("version %d was published while job %q of this run was running, and the earlier versions were made in another job: somebody else seems to have published it, and it stays; if this run did, name the job in deploy-job, or roll back by hand with target-version",
			version, jobs[0].Name),
		proof: fmt.Sprintf("version %d was published at %s, while job %q was running (%s to %s), in which no earlier version was made that GitHub was asked about",
			version, utc(modified), jobs[0].Name, utc(jobs[0].StartedAt), ended(jobs[0])),
	}
	if slices.ContainsFunc(o.jobs().deployJobs(o.Run), func(job report.Job) bool {
		return o.madeBefore(job.Name) && ran(job) && !job.CompletedAt.IsZero() && job.CompletedAt.Before(modified)
	}) {
		a.reason = report.Superseded
	}
	return a
}

// referenceVersion is the version by which the publishing job is recognized: the one that this
// deploy is known or taken to have put behind the alias, or, where that lies
// below, the given one.
func (o Observation) referenceVersion(version int64) int64 {
	deployed := o.Request.Deployed
	if o.Versions[deployed].Exists {
		return max(deployed, version)
	}
	return max(o.Alias.newest(), version)
}

// publishingJobs names the jobs, any of which may be the one that publishes. It
// is said nowhere which that is. Where no other run was running when the version
// was made, it does not matter: the jobs of this run that were (all of them,
// where none was). Else the times of other versions tell: each was made while
// some run was in that job.
//
// Example: this run's deploy made version 42, and while this run's smoke test
// ran, a newer run's deploy made version 43. Only the smoke test was running in
// this run when 43 was made, but no smoke test was when 42 was: it is the
// deploy that publishes, and 43 is the newer run's.
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

// needTwoBelow sees to it that the two numbers below a version are known: one
// may be this run's own.
func (f *facts) needTwoBelow(version int64) {
	var unread []int64
	for v := version - 1; v > 0 && v >= version-2; v-- {
		if _, known := f.o.Versions[v]; !known && !f.o.Listed {
			unread = append(unread, v)
		}
	}
	if len(unread) > 0 {
		f.need(Query{Versions: unread})
	}
}

// needRunsBefore sees to it that the runs are known that were at work when the
// newest version from before this run was made: they say which job publishes.
// One version is enough.
func (f *facts) needRunsBefore(version int64) {
	if len(f.o.AtWorkAsked) > 0 {
		return
	}
	if newest := newestBefore(f, version); newest != 0 {
		f.need(Query{RunsAtWork: newest})
	}
}

// newestBefore is the newest known version below a number that was made before this
// run was created; 0: there is none.
func newestBefore(f *facts, version int64) int64 {
	newest := int64(0)
	for v, known := range f.o.Versions {
		if v < version && v > newest && known.Exists && !known.LastModified.IsZero() && wholeSecond(known.LastModified).Before(f.o.Run.CreatedAt) {
			newest = v
		}
	}
	return newest
}

// publishedCount counts the versions that can have been published by a job of
// that name. Only versions count for whose times all runs at work are known:
// those made since this run began, and those that GitHub was asked about.
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

// emptySuccesses counts the jobs of that name that succeeded and in whose time
// no known version was made. It decides only where nothing else does: a deploy
// can find nothing new to publish.
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
