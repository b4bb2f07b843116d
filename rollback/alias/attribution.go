package alias

import (
	"fmt"
	"slices"
	"time"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// attribution says whether this run deployed the failing version (rule 4).
type attribution struct {
	reason report.Reason // empty if the version is attributed to this run; otherwise the reason why not
	why    string        // the explanation of the reason, as part of a sentence for the message
	proof  string        // the evidence
	proven bool
	notes  []report.Note
	// attention reports that the result is uncertain, and that somebody must check it.
	attention bool
	// between reports that the version was published while this run was in progress,
	// but not by it.
	between bool
}

func attribute(f *facts, failing int64) attribution {
	if !f.o.Request.OnlyIfDeployed {
		if a := supersededBy(f.o); a.reason != "" {
			return a
		}
		if a := mayBeRolledBack(f, failing); a.reason != "" {
			return a
		}
		if a := toleratedPromotion(f); a.reason != "" {
			return a
		}
		return supersededIfMoved(f.o, attribution{proof: "not checked: only-if-deployed is false"})
	}
	if f.o.Request.Deployed != 0 {
		a := byDeployedVersion(f.o)
		if a.reason == "" {
			if well := toleratedDeploy(f, failing); well.reason != "" {
				return well
			}
		}
		return a
	}
	f.needRun()
	modified := f.lastModified(failing)
	if modified.IsZero() || f.o.Run.CreatedAt.IsZero() {
		return withoutTimes(f, failing)
	}
	return byTime(f, failing, modified)
}

// supersededBy is the result if a newer version is live than the one in
// deployed-version, even if attribution is not required: a rollback would overwrite a
// newer deploy, or move the alias to the version that failed.
func supersededBy(o Observation) attribution {
	if deployed := o.Request.Deployed; deployed == 0 || o.Alias.Serves(deployed) || o.Alias.newest() < deployed {
		return attribution{}
	}
	return byDeployedVersion(o)
}

// byDeployedVersion uses the version that the workflow says it deployed.
func byDeployedVersion(o Observation) attribution {
	deployed, top, run := o.Request.Deployed, o.Alias.newest(), o.Run
	switch {
	case o.Alias.Serves(deployed):
		a := attribution{proven: true, proof: fmt.Sprintf("deployed-version says that this run moved the alias to version %d", deployed)}
		if made := o.Versions[deployed].LastModified; !made.IsZero() && !run.CreatedAt.IsZero() && !run.CreatedBound && o.before(made, run.CreatedAt) {
			a.notes = []report.Note{{Text: fmt.Sprintf(
				"version %d is older than this run (published %s): deployed-version is trusted, as for a pipeline that promotes versions; a deploy that had nothing new to publish looks the same; a snapshot before the deploy distinguishes the two",
				deployed, utc(made))}}
		}
		return a
	case top > deployed:
		return attribution{
			reason: report.Superseded, proven: true,
			why:   fmt.Sprintf("a newer version (%d) than the one this run deployed (%d) is live", top, deployed),
			proof: fmt.Sprintf("deployed-version is %d, the alias serves %d", deployed, top),
		}
	default:
		return attribution{
			reason: report.NotDeployed, proven: true,
			why:   fmt.Sprintf("it is on version %d: this run published version %d, which is not live", top, deployed),
			proof: fmt.Sprintf("deployed-version is %d, the alias serves %d", deployed, top),
		}
	}
}

// byTime compares the time at which the version was made with the times of the run.
// That time is its LastModified, which is before it was published, but not before its
// deploy started.
func byTime(f *facts, failing int64, modified time.Time) attribution {
	run := f.o.Run
	if f.o.before(modified, run.CreatedAt) {
		return olderThanThisRun(f, failing, modified)
	}
	if len(run.Jobs) > 0 {
		f.needOlderRuns()
	}
	if a := afterThisRun(f.o, failing, modified); a.reason != "" {
		return a
	}
	if len(run.Jobs) == 0 {
		return supersededIfMoved(f.o, attribution{proof: fmt.Sprintf(
			"not proven: version %d was published at %s, after %s (%s), but the times of this run's jobs are not known",
			failing, utc(modified), beginning(run), utc(run.CreatedAt))})
	}
	if a := byPublisher(f, failing); a.reason != "" {
		return a
	}
	jobs := f.o.jobs().atWork(f.o.jobs().deployJobs(run), modified)
	if len(jobs) == 0 {
		if jobs = deployedUpstream(f, failing, modified); len(jobs) == 0 && f.o.jobs().timesKnown() {
			return betweenJobs(f.o, failing, modified)
		}
	}
	if a := tooClose(f.o, failing, modified, jobs); a.reason != "" {
		return a
	}
	if a := tolerated(f, failing, jobs); a.reason != "" {
		return a
	}
	if anotherJobPublishes(f, failing, jobs) {
		return besideTheDeploy(f.o, failing, jobs)
	}
	proof := fmt.Sprintf("version %d was published at %s, after %s (%s)", failing, utc(modified), beginning(run), utc(run.CreatedAt))
	if len(jobs) > 0 {
		proof += fmt.Sprintf(" and while its job %q was running (%s to %s)", jobs[0].Name, utc(jobs[0].StartedAt), ended(jobs[0]))
	} else if end, known := f.o.jobs().lastEnd(); known {
		proof += fmt.Sprintf(" and before its last job ended (%s)", utc(end))
	}
	if f.o.ClockDifference > 0 {
		proof += fmt.Sprintf(", more than the clock difference between AWS and GitHub (%s) from its start and end", f.o.ClockDifference)
	}
	a := attribution{proven: !run.CreatedBound, proof: proof + "; no newer run had deployed by then"}
	if !run.NewerKnown {
		a.proven = false
		a.proof = proof + "; could not determine whether a newer run had deployed by then"
	}
	return supersededIfMoved(f.o, a)
}

// tooClose is the result if the clocks of AWS and GitHub differ, and the version was
// made so close to the start or the end of a job that it cannot be determined whether
// the job was running then.
func tooClose(o Observation, version int64, modified time.Time, jobs []report.Job) attribution {
	difference := o.ClockDifference
	if difference == 0 || len(spanning(jobs, modified, -difference)) > 0 {
		return attribution{}
	}
	a := attribution{
		reason: report.NotDeployed, attention: true,
		why: fmt.Sprintf("could not determine whether this run deployed version %d, because the clocks of AWS and GitHub differ by %s: set deployed-version, or roll back by hand with target-version", version, difference),
		proof: fmt.Sprintf("version %d was published at %s by AWS's clock, which is within %s of the start or the end of the jobs of this run by GitHub's clock",
			version, utc(modified), difference),
	}
	if end, known := o.jobs().lastEnd(); known && modified.After(end) {
		a.reason = report.Superseded
	}
	return a
}

// before reports whether a time of AWS's clock is certainly before a time of GitHub's.
func (o Observation) before(aws, github time.Time) bool {
	return wholeSecond(aws).Add(o.ClockDifference).Before(github)
}

// olderThanThisRun is the result for a version that existed before this run started.
// This run did not deploy it, unless it was rejected before and the deploy of this run
// moved the alias to it again.
func olderThanThisRun(f *facts, failing int64, modified time.Time) attribution {
	run := f.o.Run
	a := attribution{
		reason: report.NotDeployed, proven: true,
		why: fmt.Sprintf("version %d existed before this run began, so this run did not deploy it", failing),
		proof: fmt.Sprintf("version %d was published at %s, before %s (%s)",
			failing, utc(modified), beginning(run), utc(run.CreatedAt)),
	}
	e, rejected := f.servesAgain(failing)
	if !rejected {
		return a
	}
	if putThereAnew(f, failing) {
		return attribution{proven: true, proof: fmt.Sprintf(
			"version %d was rejected%s and the alias was left on version %d (%s); version %d is live again, this run's deploy ran after that, and no other run of the workflow deployed",
			failing, byRun(e.Run), f.o.Memory.Version, utc(f.o.Memory.At), failing)}
	}
	a.attention, a.proven = true, false
	a.proof += "; it was rejected before, and the action could not determine who moved the alias to it again"
	return a
}

// putThereAnew reports whether this run moved the alias to a version that had been
// rejected: the job that published it ran in this run after the alias was moved to
// another version, and in no other run.
func putThereAnew(f *facts, version int64) bool {
	since := f.o.Memory.At
	if since.IsZero() || !f.o.Run.NewerKnown || f.o.Memory.Version == version { // a snapshot found it live
		return false
	}
	f.needRunsAtWorkOn(version)
	f.needRunsSince(since)
	if !f.o.SinceKnown {
		return false
	}
	deployed := func(run report.Run) bool {
		return slices.ContainsFunc(f.o.jobs().deployJobs(run), func(job report.Job) bool {
			return ran(job) && !job.StartedAt.IsZero() && !job.StartedAt.Before(since) && f.o.madeVersion(job.Name, version)
		})
	}
	if len(publishedAbove(f)) > 0 {
		return false // the deploy of this run published another version
	}
	return deployed(f.o.Run) && !slices.ContainsFunc(slices.Concat(f.o.Since, f.o.Run.Newer), deployed)
}

// madeVersion reports whether a job with this name was running in some run when a
// version was made.
func (o Observation) madeVersion(name string, version int64) bool {
	return slices.Contains(o.AtWorkAsked, version) && slices.ContainsFunc(slices.Concat(o.Run.Older, o.Run.Newer), func(run report.Run) bool {
		return slices.Contains(namesOf(o.jobs().atWork(o.jobs().deployJobs(run), o.Versions[version].LastModified)), name)
	})
}

// servesAgain reports whether a rejected version is live although the memory says that
// the alias was moved to another one, or that a snapshot found it live.
func (f *facts) servesAgain(version int64) (Rejection, bool) {
	m := f.o.Memory
	e, rejected := m.Rejected.Find(version)
	if !rejected || m.Version == version && m.By != BySnapshot || f.clearedByRerun(version, e) {
		return e, false
	}
	return e, true
}

// deployedUpstream returns the unlisted jobs in which the version was made, if earlier
// runs show that these jobs publish: the workflow then lists only a job that checks
// the deploy.
func deployedUpstream(f *facts, version int64, modified time.Time) []report.Job {
	jobs := f.o.jobs().atWork(f.o.jobs().upstreamJobs(), modified)
	if len(jobs) == 0 {
		return nil
	}
	f.needTwoBelow(version)
	f.needRunsBefore(version)
	return slices.DeleteFunc(jobs, func(job report.Job) bool {
		return !f.o.madeBefore(job.Name) || slices.ContainsFunc(f.o.jobs().deployJobs(f.o.Run), func(named report.Job) bool { return f.o.madeBefore(named.Name) })
	})
}

// madeBefore reports whether a job with this name was running when one of the earlier
// versions that were looked up on GitHub was made.
func (o Observation) madeBefore(name string) bool {
	return slices.ContainsFunc(o.AtWorkAsked, func(version int64) bool {
		return slices.ContainsFunc(slices.Concat(o.Run.Older, o.Run.Newer), func(run report.Run) bool {
			return slices.Contains(namesOf(o.jobs().atWork(allJobs(run), o.Versions[version].LastModified)), name)
		})
	})
}

// betweenJobs is the result if the version was made while no job of this run that can
// deploy was running: while the run waited for an approval, between two attempts, by a
// person or by another workflow.
func betweenJobs(o Observation, version int64, modified time.Time) attribution {
	a := attribution{
		reason: report.NotDeployed, proven: true, between: true,
		why:   fmt.Sprintf("version %d was published while no job of this run that can deploy was running: somebody else published it, and it stays", version),
		proof: fmt.Sprintf("version %d was published at %s, and no job of this run that can deploy was running then", version, utc(modified)),
	}
	if slices.ContainsFunc(o.jobs().deployJobs(o.Run), func(job report.Job) bool {
		return ran(job) && !job.CompletedAt.IsZero() && job.CompletedAt.Before(modified)
	}) {
		a.reason = report.Superseded
	}
	if upstream := o.jobs().atWork(o.jobs().upstreamJobs(), modified); len(upstream) > 0 {
		a.attention, a.proven = true, false
		a.proof += fmt.Sprintf("; its job %q was running, but it is not one of the counted jobs: if it deploys, list it in needs or in deploy-job", upstream[0].Name)
	}
	return a
}

// withoutTimes is the result if the time of the version or of the run is not known.
func withoutTimes(f *facts, failing int64) attribution {
	m := f.o.Memory
	if m.Exists && m.By == ByRollback && m.Version != 0 && f.o.Alias.Only(m.Version) {
		return attribution{
			reason: report.AlreadyRolledBack,
			why:    fmt.Sprintf("it was rolled back to version %d before, and nothing has changed it since", m.Version),
			proof:  "the memory alias shows where the last rollback left the alias, and the times that would show more are not known",
		}
	}
	if a := mayBeRolledBack(f, failing); a.reason != "" {
		return a
	}
	return supersededIfMoved(f.o, attribution{proof: fmt.Sprintf(
		"not proven: could not determine when this run began, so version %d is assumed to have been deployed by it", failing)})
}

// supersededIfMoved corrects an attribution that is not proven: if somebody moved the
// alias while this program was running, the live version is not the one that failed.
func supersededIfMoved(o Observation, a attribution) attribution {
	first, now := o.First, o.Alias
	if first == nil || a.proven || first.newest() == now.newest() {
		return a
	}
	moved := attribution{
		reason: report.Superseded, proven: true,
		why:   "somebody else changed it while this rollback was running, and the version that is live now is not the one that failed",
		proof: fmt.Sprintf("the alias served %s at first, and %s when it was read again", serving(*first), serving(now)),
	}
	if now.newest() < first.newest() {
		moved.reason = report.NotDeployed
	}
	return moved
}

// newerDeploy contains the tests that show a newer deploy, independent of the other
// facts about this run: a live version is newer than the one that this run deployed,
// was made after everything in this run had ended, or was made while a newer run was
// already deploying.
func newerDeploy(f *facts, version int64) attribution {
	if deployed := f.o.Request.Deployed; deployed != 0 {
		if !f.o.Alias.Serves(deployed) && f.o.Alias.newest() > deployed {
			return byDeployedVersion(f.o)
		}
		if version == deployed {
			return attribution{}
		}
	}
	f.needRun()
	modified := f.lastModified(version)
	if modified.IsZero() {
		return attribution{}
	}
	if a := afterThisRun(f.o, version, modified); a.reason != "" || len(f.o.Run.Jobs) == 0 {
		return a
	}
	if a := byPublisher(f, version); a.reason == report.Superseded {
		return a
	}
	run := f.o.Run
	if !run.CreatedAt.IsZero() && !f.o.before(modified, run.CreatedAt) && f.o.jobs().timesKnown() &&
		len(f.o.jobs().atWork(f.o.jobs().deployJobs(run), modified)) == 0 && len(deployedUpstream(f, version, modified)) == 0 {
		a := betweenJobs(f.o, version, modified)
		a.reason = report.Superseded
		return a
	}
	return attribution{}
}

// afterThisRun is the result if the version was made after the other jobs of this run
// had ended.
func afterThisRun(o Observation, version int64, modified time.Time) attribution {
	end, over := o.jobs().lastEnd()
	if !over || !wholeSecond(modified).After(end.Add(o.ClockDifference)) {
		return attribution{}
	}
	return attribution{
		reason: report.Superseded, proven: true,
		why: fmt.Sprintf("version %d was published after the failed jobs had ended: it is a newer deploy and stays", version),
		proof: fmt.Sprintf("version %d was published at %s, after the last other job of this run, or the deployment, ended (%s)",
			version, utc(modified), utc(end)),
	}
}

func wholeSecond(t time.Time) time.Time { return t.Truncate(time.Second) }

func utc(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05Z") }

func beginning(run report.Run) string {
	if run.CreatedBound {
		return "the push or deployment that started this run"
	}
	return "this run was created"
}
