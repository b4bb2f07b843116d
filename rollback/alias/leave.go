package alias

import (
	"fmt"
	"maps"
	"slices"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// leaveAlone skips a function because the live version does not belong to this run. It
// still stores the versions that this run published, so that no later rollback selects
// them.
func leaveAlone(f *facts, a attribution) Decision {
	request, run, top := f.o.Request, f.o.Run, f.o.Alias.newest()
	d := skip(a.reason, a.why)
	d.Proof, d.Notes, d.ByRun, d.Attention = a.proof, a.notes, !request.Manual, a.attention
	for _, v := range []int64{f.o.Alias.Version, f.o.Alias.Weighted} {
		if e, rejected := f.servesAgain(v); rejected && a.reason != report.AlreadyRolledBack {
			d.Attention = true
			d.Notes = append(d.Notes, report.Note{Warning: true, Text: fmt.Sprintf(
				"version %d is live but was rejected%s, and the action could not determine who moved the alias to it again: check whether production is healthy; to roll it back, run this manually with target-version", v, byRun(e.Run))})
		}
	}
	if a.reason == report.NotDeployed {
		d.Notes = append(d.Notes, earlierAttempt(f)...)
	}
	if !request.Remember || a.reason == report.AlreadyRolledBack {
		return d
	}
	f.needRun()
	if v := request.Deployed; v != 0 && !f.o.Alias.Serves(v) && request.Target == 0 {
		// A promoted version belongs to an earlier run, and is as good as it was
		// before.
		known, read := f.o.Versions[v]
		if !read && !run.CreatedAt.IsZero() {
			f.need(Query{Versions: []int64{v}})
		}
		if run.CreatedAt.IsZero() || known.LastModified.IsZero() || !f.o.before(known.LastModified, run.CreatedAt) {
			d.Reject = append(d.Reject, v)
		}
	}
	if first := f.o.First; first != nil && a.reason == report.Superseded && request.Target == 0 && first.newest() < top {
		d.Reject = append(d.Reject, first.newest()) // the alias was about to be moved away from it
	}
	if (a.reason == report.NotDeployed || a.between) && !f.o.SearchedAbove && run.Jobs != nil {
		f.need(Query{Above: top})
	}
	for _, v := range slices.Sorted(maps.Keys(f.o.Versions)) {
		if !f.o.Versions[v].Exists || v == top || slices.Contains(d.Reject, v) {
			continue
		}
		if a.reason == report.NoFailure && !f.deployFailed(v) {
			continue // the deploys of the run succeeded, as far as its jobs show
		}
		if above := v > top; (above == (a.reason == report.NotDeployed) || a.between) && publishedByThisRun(f, v) {
			d.Reject = append(d.Reject, v)
		}
	}
	slices.Sort(d.Reject)
	d.Reject = slices.Compact(d.Reject)
	return d
}

// earlierAttempt warns if an earlier attempt of this run may have moved the alias, and
// the memory does not say so. Its checks are not repeated then, so that a run which is
// started again would be green even if production is not healthy. A rollback of an
// earlier attempt that could write the memory has recorded the versions that it left.
func earlierAttempt(f *facts) []report.Note {
	if attempt(f.o) < 2 || f.o.Request.Manual {
		return nil
	}
	before := f.o.Run
	before.Jobs = nil
	deploys := f.o.jobs().deployJobs(before)
	left := slices.DeleteFunc(publishedAbove(f), func(v int64) bool {
		_, recorded := f.o.Memory.Rejected.Find(v)
		return recorded || len(deploys) > 0 && len(f.o.jobs().atWork(deploys, f.o.Versions[v].LastModified)) == 0
	})
	if len(left) == 0 {
		return nil
	}
	return []report.Note{{Warning: true, Text: fmt.Sprintf(
		"version %d of this run is not live, and no rollback is recorded: if an earlier attempt of this run rolled it back, the checks after that move are not repeated; check whether production is healthy", slices.Max(left))}}
}

// deployFailed reports whether the jobs of the run show that its deploy of a version
// failed.
func (f *facts) deployFailed(version int64) bool {
	t := f.o.jobs()
	jobs := t.atWork(t.deployJobs(f.o.Run), f.o.Versions[version].LastModified)
	return len(jobs) > 0 && fateOf(jobs, t) == deployFailed
}
