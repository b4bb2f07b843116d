package alias

import (
	"fmt"
	"slices"
	"time"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// claim is the answer to "is the failing version this run's?" (rule 4).
type claim struct {
	reason report.Reason // empty: it is taken as this run's; else why not
	why    string        // of a reason: half a sentence for the message
	proof  string        // what the answer stands on
	proven bool
	notes  []report.Note
	want   Want
}

func (o Observation) attribute(failing int64) claim {
	if !o.Ask.OnlyIfDeployed {
		return o.unlessMoved(claim{proof: "not asked: only-if-deployed is false"})
	}
	if o.Ask.Deployed != 0 {
		return o.byName()
	}
	v, known := o.Versions[failing]
	if !known || (v.Exists && !v.Read) {
		return claim{want: Want{Versions: []int64{failing}}}
	}
	if v.LastModified.IsZero() || o.Run.CreatedAt.IsZero() {
		return o.untimed(failing)
	}
	return o.byTime(failing, v.LastModified)
}

// byName: the workflow told which version it deployed.
func (o Observation) byName() claim {
	deployed := o.Ask.Deployed
	top := o.Alias.newest()
	switch {
	case o.Alias.Serves(deployed):
		c := claim{proven: true, proof: fmt.Sprintf("deployed-version says that this run put version %d behind the alias", deployed)}
		if lm := o.Versions[deployed].LastModified; !lm.IsZero() && !o.Run.CreatedAt.IsZero() && !o.Run.CreatedBound && second(lm).Before(o.Run.CreatedAt) {
			c.notes = []report.Note{{Text: fmt.Sprintf(
				"version %d is older than this run (made %s): deployed-version is believed, as for a pipeline that promotes; a deploy that found nothing new to publish looks the same, and a snapshot before the deploy tells them apart",
				deployed, clock(lm))}}
		}
		return c
	case top > deployed:
		return claim{
			reason: report.Superseded, proven: true,
			why:   fmt.Sprintf("a newer version (%d) than the one this run deployed (%d) serves", top, deployed),
			proof: fmt.Sprintf("deployed-version is %d, the alias serves %d", deployed, top),
		}
	default:
		return claim{
			reason: report.NotDeployed, proven: true,
			why:   fmt.Sprintf("it serves version %d, and never came to version %d, which this run published", top, deployed),
			proof: fmt.Sprintf("deployed-version is %d, the alias serves %d", deployed, top),
		}
	}
}

// byTime compares when the version was made, which is its LastModified (before
// it was published and not before its deploy began), with the times of the run.
func (o Observation) byTime(failing int64, modified time.Time) claim {
	run := o.Run
	if second(modified).Before(run.CreatedAt) {
		return claim{
			reason: report.NotDeployed, proven: true,
			why: fmt.Sprintf("version %d was there before this run began, so this run did not deploy it", failing),
			proof: fmt.Sprintf("version %d was made %s, before %s (%s)",
				failing, clock(modified), beginning(run), clock(run.CreatedAt)),
		}
	}
	if len(run.Jobs) > 0 && !run.OlderKnown && !o.OlderAsked {
		return claim{want: Want{Older: true}}
	}
	if c := o.supersededBy(failing); c.reason != "" || !c.want.nothing() {
		return c
	}
	if c := o.publisher(failing); len(run.Jobs) > 0 && (c.reason != "" || !c.want.nothing()) {
		return c
	}
	if len(run.Jobs) == 0 {
		return o.unlessMoved(claim{proof: fmt.Sprintf(
			"not proven: version %d was made %s, after %s (%s), but when this run's jobs ran is not known",
			failing, clock(modified), beginning(run), clock(run.CreatedAt))})
	}
	proof := fmt.Sprintf("version %d was made %s, after %s (%s)", failing, clock(modified), beginning(run), clock(run.CreatedAt))
	spans := spanning(everyJob(run), modified)
	if len(spans) > 0 {
		proof += fmt.Sprintf(" and while its job %q was at work (%s to %s)", spans[0].Name, clock(spans[0].StartedAt), ended(spans[0]))
	} else if end, known := lastEnd(run); known {
		proof += fmt.Sprintf(" and before its last job ended (%s)", clock(end))
	}
	c := claim{proven: !run.CreatedBound, proof: proof + "; no newer run deployed by then"}
	if !run.NewerKnown {
		c.proven = false
		c.proof = proof + "; whether a newer run deployed by then could not be found out"
	}
	return o.unlessMoved(c)
}

// untimed: nothing is known by time.
func (o Observation) untimed(failing int64) claim {
	m := o.Memory
	if m.Exists && m.By == ByRollback && m.Version != 0 && o.Alias.Only(m.Version) {
		return claim{
			reason: report.AlreadyRolledBack,
			why:    fmt.Sprintf("it was rolled back to version %d before, and nothing has changed it since", m.Version),
			proof:  "the memory alias says where the last rollback left the alias, and no times are known that would say more",
		}
	}
	return o.unlessMoved(claim{proof: fmt.Sprintf(
		"not proven: it is not known when this run began, so version %d is taken as deployed by it", failing)})
}

// unlessMoved guards a claim that is not proven: where somebody moved the
// alias while this program was at work, what serves now is not what failed.
func (o Observation) unlessMoved(c claim) claim {
	if o.First == nil || c.proven || o.First.newest() == o.Alias.newest() {
		return c
	}
	moved := claim{
		reason: report.Superseded, proven: true,
		why:   "somebody else changed it while this rollback was at work, and what serves now is not what failed",
		proof: fmt.Sprintf("the alias served %s at first, and %s on the second look", serving(*o.First), serving(o.Alias)),
	}
	if o.Alias.newest() < o.First.newest() {
		moved.reason = report.NotDeployed
	}
	return moved
}

// supersededBy holds the tests that show a newer deploy: the version was made
// after everything else in this run had ended, or while a newer run was already
// deploying.
func (o Observation) supersededBy(version int64) claim {
	run := o.Run
	if top := o.Alias.newest(); o.Ask.Deployed != 0 {
		if !o.Alias.Serves(o.Ask.Deployed) && top > o.Ask.Deployed {
			return o.byName()
		}
		if version == o.Ask.Deployed {
			return claim{}
		}
	}
	v, known := o.Versions[version]
	if !known || (v.Exists && !v.Read) {
		return claim{want: Want{Versions: []int64{version}}}
	}
	if v.LastModified.IsZero() {
		return claim{}
	}
	modified := v.LastModified
	if end, over := lastEnd(run); over && second(modified).After(end) {
		return claim{
			reason: report.Superseded, proven: true,
			why: fmt.Sprintf("version %d was made after what failed had ended: it is a newer deploy, and stays", version),
			proof: fmt.Sprintf("version %d was made %s, after the last other job of this run, or the deployment, ended (%s)",
				version, clock(modified), clock(end)),
		}
	}
	if len(run.Jobs) == 0 {
		return claim{}
	}
	c := o.publisher(version)
	if c.reason == report.Superseded || !c.want.nothing() {
		return c
	}
	return claim{}
}

// spanning are the jobs that were at work at a time. GitHub gives whole
// seconds.
func spanning(jobs []report.Job, at time.Time) []report.Job {
	if at.IsZero() {
		return nil
	}
	var out []report.Job
	for _, job := range jobs {
		if job.StartedAt.IsZero() || !ran(job) || second(at).Before(job.StartedAt) || (job.Own && job.FailedStep == "") {
			continue
		}
		if job.CompletedAt.IsZero() || !second(at).After(job.CompletedAt) {
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

func second(t time.Time) time.Time { return t.Truncate(time.Second) }

func clock(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05Z") }

func ended(job report.Job) string {
	if job.CompletedAt.IsZero() {
		return "now"
	}
	return clock(job.CompletedAt)
}

func beginning(run report.Run) string {
	if run.CreatedBound {
		return "the push or deployment that began this run"
	}
	return "this run was created"
}
