package alias

import (
	"fmt"
	"maps"
	"slices"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// leaveAlone skips a function because the serving version is not this run's, and
// remembers what this run published all the same: nobody may fall back on that
// later.
func leaveAlone(f *facts, a attribution) Decision {
	request, run, top := f.o.Request, f.o.Run, f.o.Alias.newest()
	d := skip(a.reason, a.why)
	d.Proof, d.Notes, d.ByRun, d.Attention = a.proof, a.notes, !request.Manual, a.attention
	for _, v := range []int64{f.o.Alias.Version, f.o.Alias.Weighted} {
		if e, rejected := f.servesAgain(v); rejected && a.reason != report.AlreadyRolledBack {
			d.Attention = true
			d.Notes = append(d.Notes, report.Note{Warning: true, Text: fmt.Sprintf(
				"version %d is live but was rejected%s, and it is not known who moved the alias to it again: check whether production is healthy; to roll it back, run this by hand with target-version", v, byRun(e.Run))})
		}
	}
	if !request.Remember || a.reason == report.AlreadyRolledBack {
		return d
	}
	f.needRun()
	if v := request.Deployed; v != 0 && !f.o.Alias.Serves(v) && request.Target == 0 {
		// A promoted version is an earlier run's, and as good as it was.
		known, read := f.o.Versions[v]
		if !read && !run.CreatedAt.IsZero() {
			f.need(Query{Versions: []int64{v}})
		}
		if run.CreatedAt.IsZero() || known.LastModified.IsZero() || !f.o.before(known.LastModified, run.CreatedAt) {
			d.Reject = append(d.Reject, v)
		}
	}
	if first := f.o.First; first != nil && a.reason == report.Superseded && request.Target == 0 && first.newest() < top {
		d.Reject = append(d.Reject, first.newest()) // it was about to be left
	}
	if (a.reason == report.NotDeployed || a.between) && !f.o.SearchedAbove && run.Jobs != nil {
		f.need(Query{Above: top})
	}
	for _, v := range slices.Sorted(maps.Keys(f.o.Versions)) {
		if !f.o.Versions[v].Exists || v == top || slices.Contains(d.Reject, v) {
			continue
		}
		if a.reason == report.NoFailure && !f.deployFailed(v) {
			continue // the run's deploys succeeded, as far as its jobs tell
		}
		if above := v > top; (above == (a.reason == report.NotDeployed) || a.between) && publishedByThisRun(f, v) {
			d.Reject = append(d.Reject, v)
		}
	}
	slices.Sort(d.Reject)
	d.Reject = slices.Compact(d.Reject)
	return d
}

// deployFailed reports whether the run's jobs show that its deploy of a version
// failed.
func (f *facts) deployFailed(version int64) bool {
	t := f.o.jobs()
	jobs := t.atWork(t.deployJobs(f.o.Run), f.o.Versions[version].LastModified)
	return len(jobs) > 0 && fateOf(jobs, t) == deployFailed
}
