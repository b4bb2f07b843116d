package alias

import (
	"fmt"
	"slices"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// publisher tells by times and jobs which run published a version that was made
// after this run had begun. It is taken to be this run, unless a newer run, or an
// older one alone, was in the job that publishes.
func (o Observation) publisher(version int64) claim {
	modified := o.Versions[version].LastModified
	names, want := o.publishingJobs(version)
	if !want.nothing() {
		return claim{want: want}
	}
	by := func(runs []report.Run) (report.Run, report.Job, bool) {
		for _, run := range runs {
			for _, job := range spanning(run.Jobs, modified) {
				if slices.Contains(names, job.Name) {
					return run, job, true
				}
			}
		}
		return report.Run{}, report.Job{}, false
	}
	if run, job, found := by(o.Run.Newer); found {
		return claim{
			reason: report.Superseded, proven: true,
			why: fmt.Sprintf("version %d was made when a newer run (%d) was already deploying: it may be that run's, and stays", version, run.ID),
			proof: fmt.Sprintf("version %d was made %s; job %q of the newer run %d had started by then (%s)",
				version, clock(modified), job.Name, run.ID, clock(job.StartedAt)),
		}
	}
	for _, job := range spanning(everyJob(o.Run), modified) {
		if slices.Contains(names, job.Name) {
			return claim{}
		}
	}
	if run, job, found := by(o.Run.Older); found {
		return claim{
			reason: report.NotDeployed, proven: true,
			why: fmt.Sprintf("version %d is an older run's (%d), which was deploying while this run was at work", version, run.ID),
			proof: fmt.Sprintf("version %d was made %s, while job %q of the older run %d was at work (%s to %s), and no such job of this run was",
				version, clock(modified), job.Name, run.ID, clock(job.StartedAt), ended(job)),
		}
	}
	return claim{}
}

// publishingJobs names the jobs, any of which may be the one that publishes. It
// is said nowhere which that is. Where no other run was at work when the version
// was made, it does not matter: the jobs of this run that were (all of them,
// where none was). Else the times of other versions tell: each was made while
// some run was in that job.
//
// Example: this run's deploy made version 42, and while this run's smoke test
// ran, a newer run's deploy made version 43. Only the smoke test was at work in
// this run when 43 was made, but no smoke test was when 42 was: it is the
// deploy that publishes, and 43 is the newer run's.
func (o Observation) publishingJobs(version int64) ([]string, Want) {
	modified := o.Versions[version].LastModified
	at := namesOf(spanning(everyJob(o.Run), modified))
	if len(at) == 0 {
		at = namesOf(everyJob(o.Run))
	}
	var others []string
	for _, run := range slices.Concat(o.Run.Newer, o.Run.Older) {
		others = append(others, namesOf(spanning(run.Jobs, modified))...)
	}
	if len(others) == 0 {
		return at, Want{}
	}
	if want := o.unreadBelow(version); len(want) > 0 {
		return nil, Want{Versions: want}
	}
	candidates := slices.Concat(namesOf(everyJob(o.Run)), others)
	slices.Sort(candidates)
	agreeing := best(slices.Compact(candidates), o.explained)
	mine := within(agreeing, at)
	if len(mine) > 0 && len(mine) < len(agreeing) {
		if want := o.unaskedBelow(version); want != 0 {
			return nil, Want{AtWorkOn: want}
		}
		agreeing = best(agreeing, func(name string) int { return -o.barren(name) })
		mine = within(agreeing, at)
	}
	if len(mine) > 0 {
		return mine, Want{}
	}
	return agreeing, Want{}
}

// best keeps the names with the highest score.
func best(names []string, score func(string) int) []string {
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

func within(names, in []string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return !slices.Contains(in, name) })
}

// unreadBelow are the two numbers below a version, as far as nothing is known of
// them: one may be this run's own.
func (o Observation) unreadBelow(version int64) []int64 {
	var out []int64
	for v := version - 1; v > 0 && v >= version-2; v-- {
		if _, known := o.Versions[v]; !known && !o.Listed {
			out = append(out, v)
		}
	}
	return out
}

// unaskedBelow is the version before this run by which it can be learnt which
// job publishes: GitHub is asked which runs were at work when it was made. One
// is enough; 0: there is none, or it was asked before.
func (o Observation) unaskedBelow(version int64) int64 {
	if len(o.AtWorkAsked) > 0 {
		return 0
	}
	best := int64(0)
	for v, known := range o.Versions {
		if v < version && v > best && known.Exists && !known.LastModified.IsZero() && second(known.LastModified).Before(o.Run.CreatedAt) {
			best = v
		}
	}
	return best
}

// explained counts the versions that can have been published by a job of that
// name. Only versions count for whose times all runs at work are known: those
// made since this run began, and those that GitHub was asked about.
func (o Observation) explained(name string) int {
	n := 0
	for number, v := range o.Versions {
		if v.LastModified.IsZero() || (second(v.LastModified).Before(o.Run.CreatedAt) && !slices.Contains(o.AtWorkAsked, number)) {
			continue
		}
		for _, run := range o.knownRuns() {
			if slices.Contains(namesOf(spanning(everyJob(run), v.LastModified)), name) {
				n++
				break
			}
		}
	}
	return n
}

// barren counts the jobs of that name that succeeded and in whose time no known
// version was made. It decides only where nothing else does: a deploy can find
// nothing new to publish.
func (o Observation) barren(name string) int {
	n := 0
	for _, run := range o.knownRuns() {
		for _, job := range everyJob(run) {
			if job.Name != name || job.Conclusion != "success" {
				continue
			}
			fruitful := false
			for _, v := range o.Versions {
				fruitful = fruitful || len(spanning([]report.Job{job}, v.LastModified)) > 0
			}
			if !fruitful {
				n++
			}
		}
	}
	return n
}

func (o Observation) knownRuns() []report.Run {
	return slices.Concat([]report.Run{o.Run}, o.Run.Newer, o.Run.Older)
}

// publication tells whether this run published a version.
type publication struct {
	ours bool
	want Want
}

// published is true where the version was made while this run was in a job that
// may be the one that publishes, and no other run is known to have been.
func (o Observation) published(version int64) publication {
	run := o.Run
	modified := o.Versions[version].LastModified
	if modified.IsZero() || run.CreatedAt.IsZero() || run.CreatedBound || !run.NewerKnown || second(modified).Before(run.CreatedAt) {
		return publication{}
	}
	if !run.OlderKnown && !o.OlderAsked {
		return publication{want: Want{Older: true}}
	}
	at := namesOf(spanning(everyJob(run), modified))
	if len(at) > 0 && !slices.ContainsFunc(slices.Concat(run.Newer, run.Older), func(other report.Run) bool {
		return len(spanning(other.Jobs, modified)) > 0
	}) {
		return publication{ours: true} // nobody else was at work
	}
	names, want := o.publishingJobs(o.newest(version))
	if !want.nothing() {
		return publication{want: want}
	}
	at = slices.DeleteFunc(at, func(name string) bool { return !slices.Contains(names, name) })
	if len(at) == 0 {
		return publication{}
	}
	for _, other := range slices.Concat(run.Newer, run.Older) {
		for _, name := range namesOf(spanning(other.Jobs, modified)) {
			if slices.Contains(at, name) {
				return publication{}
			}
		}
	}
	return publication{ours: true}
}

// newest is the version by which the publishing job is told: the one that this
// deploy is known or taken to have put behind the alias, or, where that lies
// below, the given one.
func (o Observation) newest(version int64) int64 {
	serving := o.Alias.newest()
	if v := o.Versions[o.Ask.Deployed]; v.Exists {
		serving = o.Ask.Deployed
	}
	return max(serving, version)
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
