package alias

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// attribution is the answer to "is the failing version this run's?" (rule 4).
type attribution struct {
	reason report.Reason // empty: it is taken as this run's; else why not
	why    string        // of a reason: half a sentence for the message
	proof  string        // what the answer stands on
	proven bool
	notes  []report.Note
}

func (f *facts) attribute(failing int64) attribution {
	if !f.o.Request.OnlyIfDeployed {
		return f.o.supersededIfMoved(attribution{proof: "not asked: only-if-deployed is false"})
	}
	if f.o.Request.Deployed != 0 {
		return f.o.byDeployedVersion()
	}
	modified := f.lastModified(failing)
	if modified.IsZero() || f.o.Run.CreatedAt.IsZero() {
		return f.o.withoutTimes(failing)
	}
	return f.byTime(failing, modified)
}

// byDeployedVersion: the workflow told which version it deployed.
func (o Observation) byDeployedVersion() attribution {
	deployed, top, run := o.Request.Deployed, o.Alias.newest(), o.Run
	switch {
	case o.Alias.Serves(deployed):
		a := attribution{proven: true, proof: fmt.Sprintf("deployed-version says that this run put version %d behind the alias", deployed)}
		if made := o.Versions[deployed].LastModified; !made.IsZero() && !run.CreatedAt.IsZero() && !run.CreatedBound && wholeSecond(made).Before(run.CreatedAt) {
			a.notes = []report.Note{{Text: fmt.Sprintf(
				"version %d is older than this run (made %s): deployed-version is believed, as for a pipeline that promotes; a deploy that found nothing new to publish looks the same, and a snapshot before the deploy tells them apart",
				deployed, utc(made))}}
		}
		return a
	case top > deployed:
		return attribution{
			reason: report.Superseded, proven: true,
			why:   fmt.Sprintf("a newer version (%d) than the one this run deployed (%d) serves", top, deployed),
			proof: fmt.Sprintf("deployed-version is %d, the alias serves %d", deployed, top),
		}
	default:
		return attribution{
			reason: report.NotDeployed, proven: true,
			why:   fmt.Sprintf("it serves version %d, and never came to version %d, which this run published", top, deployed),
			proof: fmt.Sprintf("deployed-version is %d, the alias serves %d", deployed, top),
		}
	}
}

// byTime compares when the version was made, which is its LastModified (before
// it was published and not before its deploy began), with the times of the run.
func (f *facts) byTime(failing int64, modified time.Time) attribution {
	run := f.o.Run
	if wholeSecond(modified).Before(run.CreatedAt) {
		return attribution{
			reason: report.NotDeployed, proven: true,
			why: fmt.Sprintf("version %d was there before this run began, so this run did not deploy it", failing),
			proof: fmt.Sprintf("version %d was made %s, before %s (%s)",
				failing, utc(modified), beginning(run), utc(run.CreatedAt)),
		}
	}
	if len(run.Jobs) > 0 {
		f.needOlderRuns()
	}
	if a := afterRun(run, failing, modified); a.reason != "" {
		return a
	}
	if len(run.Jobs) == 0 {
		return f.o.supersededIfMoved(attribution{proof: fmt.Sprintf(
			"not proven: version %d was made %s, after %s (%s), but when this run's jobs ran is not known",
			failing, utc(modified), beginning(run), utc(run.CreatedAt))})
	}
	if a := f.byPublisher(failing); a.reason != "" {
		return a
	}
	proof := fmt.Sprintf("version %d was made %s, after %s (%s)", failing, utc(modified), beginning(run), utc(run.CreatedAt))
	jobs := atWork(everyJob(run), modified)
	if len(jobs) > 0 {
		proof += fmt.Sprintf(" and while its job %q was at work (%s to %s)", jobs[0].Name, utc(jobs[0].StartedAt), ended(jobs[0]))
	} else if end, known := lastEnd(run); known {
		proof += fmt.Sprintf(" and before its last job ended (%s)", utc(end))
	}
	a := attribution{proven: !run.CreatedBound, proof: proof + "; no newer run deployed by then"}
	if !run.NewerKnown {
		a.proven = false
		a.proof = proof + "; whether a newer run deployed by then could not be found out"
	}
	return f.o.supersededIfMoved(a)
}

// withoutTimes: when the version was made, or when the run began, is not known.
func (o Observation) withoutTimes(failing int64) attribution {
	m := o.Memory
	if m.Exists && m.By == ByRollback && m.Version != 0 && o.Alias.Only(m.Version) {
		return attribution{
			reason: report.AlreadyRolledBack,
			why:    fmt.Sprintf("it was rolled back to version %d before, and nothing has changed it since", m.Version),
			proof:  "the memory alias says where the last rollback left the alias, and no times are known that would say more",
		}
	}
	return o.supersededIfMoved(attribution{proof: fmt.Sprintf(
		"not proven: it is not known when this run began, so version %d is taken as deployed by it", failing)})
}

// supersededIfMoved guards an attribution that is not proven: where somebody
// moved the alias while this program was at work, what serves now is not what
// failed.
func (o Observation) supersededIfMoved(a attribution) attribution {
	first, now := o.First, o.Alias
	if first == nil || a.proven || first.newest() == now.newest() {
		return a
	}
	moved := attribution{
		reason: report.Superseded, proven: true,
		why:   "somebody else changed it while this rollback was at work, and what serves now is not what failed",
		proof: fmt.Sprintf("the alias served %s at first, and %s on the second look", serving(*first), serving(now)),
	}
	if now.newest() < first.newest() {
		moved.reason = report.NotDeployed
	}
	return moved
}

// newerDeploy holds the tests that show a newer deploy, whatever else is known of
// this run's own: a version that serves is newer than the one this run deployed,
// was made after everything in this run had ended, or while a newer run was
// already deploying.
func (f *facts) newerDeploy(version int64) attribution {
	if deployed := f.o.Request.Deployed; deployed != 0 {
		if !f.o.Alias.Serves(deployed) && f.o.Alias.newest() > deployed {
			return f.o.byDeployedVersion()
		}
		if version == deployed {
			return attribution{}
		}
	}
	modified := f.lastModified(version)
	if modified.IsZero() {
		return attribution{}
	}
	if a := afterRun(f.o.Run, version, modified); a.reason != "" || len(f.o.Run.Jobs) == 0 {
		return a
	}
	if a := f.byPublisher(version); a.reason == report.Superseded {
		return a
	}
	return attribution{}
}

// afterRun: the version was made when the run's other jobs had ended.
func afterRun(run report.Run, version int64, modified time.Time) attribution {
	end, over := lastEnd(run)
	if !over || !wholeSecond(modified).After(end) {
		return attribution{}
	}
	return attribution{
		reason: report.Superseded, proven: true,
		why: fmt.Sprintf("version %d was made after what failed had ended: it is a newer deploy, and stays", version),
		proof: fmt.Sprintf("version %d was made %s, after the last other job of this run, or the deployment, ended (%s)",
			version, utc(modified), utc(end)),
	}
}

// leaveAlone skips a function because the serving version is not this run's, and
// remembers what this run published all the same: nobody may fall back on that
// later.
func leaveAlone(f *facts, a attribution) Decision {
	request, run, top := f.o.Request, f.o.Run, f.o.Alias.newest()
	d := skip(a.reason, a.why)
	d.Proof, d.Notes, d.ByRun = a.proof, a.notes, !request.Manual
	if !request.Remember || a.reason == report.AlreadyRolledBack {
		return d
	}
	if v := request.Deployed; v != 0 && !f.o.Alias.Serves(v) && request.Target == 0 {
		// A promoted version is an earlier run's, and as good as it was.
		known, read := f.o.Versions[v]
		if !read && !run.CreatedAt.IsZero() {
			f.need(Query{Versions: []int64{v}})
		}
		if run.CreatedAt.IsZero() || known.LastModified.IsZero() || !wholeSecond(known.LastModified).Before(run.CreatedAt) {
			d.Reject = append(d.Reject, v)
		}
	}
	if first := f.o.First; first != nil && a.reason == report.Superseded && request.Target == 0 && first.newest() < top {
		d.Reject = append(d.Reject, first.newest()) // it was about to be left
	}
	if a.reason == report.NotDeployed && !f.o.SearchedAbove && run.Jobs != nil {
		f.need(Query{Above: top})
	}
	for _, v := range slices.Sorted(maps.Keys(f.o.Versions)) {
		if !f.o.Versions[v].Exists || v == top || slices.Contains(d.Reject, v) {
			continue
		}
		if above := v > top; above == (a.reason == report.NotDeployed) && f.publishedByThisRun(v) {
			d.Reject = append(d.Reject, v)
		}
	}
	slices.Sort(d.Reject)
	d.Reject = slices.Compact(d.Reject)
	return d
}

func wholeSecond(t time.Time) time.Time { return t.Truncate(time.Second) }

func utc(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05Z") }

func beginning(run report.Run) string {
	if run.CreatedBound {
		return "the push or deployment that began this run"
	}
	return "this run was created"
}
