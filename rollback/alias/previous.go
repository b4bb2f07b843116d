package alias

import (
	"fmt"
	"maps"
	"slices"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// previousVersion decides if one version is live. If it belongs to this run (rule 4),
// the next lower version that can serve traffic is the target (rule 5).
func previousVersion(f *facts) Decision {
	failing := f.o.Alias.Version
	a := attribute(f, failing)
	if a.reason != "" {
		return leaveAlone(f, a)
	}
	d := below(f, failing, a.proven)
	d.Proof = a.proof
	d.Notes = append(a.notes, d.Notes...)
	return d
}

// below is rule 5: the highest version below the failing one that exists, is not
// rejected and can serve traffic. If there is none, the failing version stays live,
// and is rejected only if it is proven to belong to this run.
func below(f *facts, failing int64, proven bool) Decision {
	d := Decision{Reject: []int64{failing}, ByRun: !f.o.Request.Manual}
	note := func(format string, args ...any) {
		d.Notes = append(d.Notes, report.Note{Text: fmt.Sprintf(format, args...)})
	}
	passed := 0
	var same *Decision // this version would change nothing
	late := int64(0)   // this version is still Pending, and would be selected otherwise
	for v := failing - 1; v > 0 && !f.incomplete(); v-- {
		e, rejected := f.o.Memory.Rejected.Find(v)
		if rejected && e.Run == 0 {
			note("version %s was rejected before and is skipped", e.numbers())
			passed++
			v = e.Last
			continue
		}
		if known, looked := f.o.Versions[v]; !looked || !known.Exists {
			if !looked && !f.o.Listed {
				f.need(Query{Below: v + 1})
			}
			continue
		}
		u := f.usableNow(v)
		if f.o.PendingTooLong[v] && !rejected && late == 0 {
			late = v
		}
		if !u.ok && !u.pending {
			note("version %d %s; it is skipped", v, u.why)
			passed++
			continue
		}
		if rejected {
			if !f.clearedByRerun(v, e) {
				note("version %d was rejected%s and is skipped", v, byRun(e.Run))
				passed++
				continue
			}
			note("version %d was rejected after run %d failed, but that run has succeeded since: it counts as good", v, e.Run)
			d.Unreject = v
		}
		u = f.usable(v) // only a version that is not rejected is worth waiting for
		if publishedByThisRun(f, v) {
			note("version %d was also published by this failed run and is skipped", v)
			d.Reject = append(d.Reject, v)
			passed++
			continue
		}
		if served := servedInstead(f, v, failing); served != 0 && !rejected { // a re-run that cleared the version has deployed it
			note("nothing shows that version %d was ever live: the last rollback left the alias on version %d, which is older, and only version %d has been published since", v, served, failing)
			v = served + 1
			continue
		}
		to := d
		to.Action, to.Reason, to.Target = Move, report.PreviousVersion, v
		to.Why = fmt.Sprintf("it is the newest good version before version %d", failing)
		to.Notes = slices.Concat(d.Notes, u.notes, notKnownToHaveServed(f, v))
		slices.Sort(to.Reject)
		if !f.differs(failing, v) {
			if same == nil {
				same = &to
			}
			note("version %d has the same code and settings as version %d, so going back to it would not undo anything; it is skipped", v, failing)
			passed++
			d.Unreject = 0
			continue
		}
		return to
	}
	if same != nil && !f.incomplete() {
		same.Notes = append(same.Notes, report.Note{Warning: true, Text: fmt.Sprintf(
			"version %d has the same code and settings as version %d, and there is no other version to go back to: the rollback does not undo anything", same.Target, failing)})
		return *same
	}
	if late != 0 && !f.incomplete() {
		f.need(Query{Wait: late}) // there is no other version to save the time for
	}
	d.Action, d.Reason, d.Unreject = Skip, report.NoPreviousVersion, 0
	if !proven {
		d.Reject = without(d.Reject, failing)
	}
	if passed == 0 {
		d.NoPrevious = f.noPrevious(failing)
	}
	d.Why = fmt.Sprintf("there is no version below version %d to go back to%s", failing, d.NoPrevious.Clause())
	if passed > 0 {
		d.Why = fmt.Sprintf("no version below version %d is a valid target: those that exist were rejected or cannot serve traffic", failing)
	}
	slices.Sort(d.Reject)
	return d
}

// noPrevious returns the reason why there is no version below another one.
func (f *facts) noPrevious(failing int64) report.NoPrevious {
	switch {
	case failing == 1:
		return report.NeverPublished
	case slices.ContainsFunc(slices.Collect(maps.Keys(f.o.Versions)), func(v int64) bool { return v < failing && f.o.Versions[v].Exists }):
		return ""
	default:
		return report.VersionsDeleted
	}
}
