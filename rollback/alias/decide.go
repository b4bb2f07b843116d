package alias

import (
	"fmt"
	"maps"
	"slices"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// Decide says what is to be done about one function, from what was observed
// alone: it has no clock and does no I/O. Where something must be known that
// was not read yet, the decision is NeedMore with a query, and it is asked again.
//
// The rules are those of the contract's section 4, tried in its order; the
// first that matches decides.
func Decide(o Observation) Decision {
	return decideWith(o, func(f *facts) Decision {
		for _, rule := range []func(*facts) (Decision, bool){
			chosenTarget, // rule 1
			aliasOnLatest,
			rolledBackByThisRun, // rule 2
			snapshotOfThisRun,   // rule 2
			rolledBackByHand,
			canaryInFlight, // rules 3 and 4
		} {
			if d, matches := rule(f); matches || f.incomplete() {
				return d
			}
		}
		return previousVersion(f) // rules 4 and 5
	})
}

// aliasOnLatest: what $LATEST runs changes with every deploy, so there is no
// version to leave and none to come back to.
func aliasOnLatest(f *facts) (Decision, bool) {
	return Decision{
		Action: Fail, Reason: report.AliasOnLatest,
		Why: "the alias points at $LATEST, which is no version: publish a version and point the alias at it, then a rollback has somewhere to go; to point it at a version by hand, run this with target-version",
	}, f.o.Alias.Latest
}

// chosenTarget is rule 1: a person named the target.
func chosenTarget(f *facts) (Decision, bool) {
	target, now := f.o.Request.Target, f.o.Alias
	if target == 0 {
		return Decision{}, false
	}
	rejection, rejected := f.o.Memory.Rejected.Find(target)
	if now.Only(target) {
		d := skip(report.AlreadyOnTarget, fmt.Sprintf("it already serves version %d alone", target))
		if rejected {
			d.Unreject = target
		}
		return d, true
	}
	if a := supersededIfMoved(f.o, attribution{}); a.reason == report.Superseded {
		a.why += "; to have version " + versionText(target) + " all the same, run this again"
		return leaveAlone(f, a), true
	}
	// A canary that began or ended since is a newer deploy, too; its weight may
	// have changed.
	seen, seenWeighted := f.o.Request.SeenVersion, f.o.Request.SeenWeighted
	if seen != 0 && (seen != now.Version || seenWeighted != now.Weighted) {
		return skip(report.Superseded, fmt.Sprintf("it served %s when version %d was chosen, and serves %s now; look again, and choose again if it is still needed",
			oneOrTwo(seen, seenWeighted), target, serving(now))), true
	}
	u := f.usable(target)
	if !u.ok {
		return Decision{
			Action: Fail, Reason: report.VersionNotFound,
			Why: fmt.Sprintf("version %d, which target-version names, %s; choose a published version that can serve", target, u.why),
		}, true
	}
	d := Decision{
		Action: Move, Reason: report.Chosen, Target: target,
		Why:      "target-version names it",
		Proof:    "not asked: the target was chosen by hand",
		Notes:    u.notes,
		Unreject: target, ByRun: !f.o.Request.Manual,
	}
	if now.Latest {
		d.Notes = append(d.Notes, report.Note{Warning: true, Text: "the alias pointed at $LATEST: what is deployed to $LATEST from now on does not reach callers until a version is published and the alias is moved to it"})
	}
	if rejected {
		d.Notes = append(d.Notes, report.Note{Warning: true, Text: fmt.Sprintf(
			"version %d was rejected%s%s; it was chosen by hand all the same, and is no longer rejected", target, byRun(rejection.Run), f.o.Memory.rejectedAt(rejection))})
	}
	for _, v := range []int64{now.Version, now.Weighted} {
		if v > target {
			d.Reject = append(d.Reject, v)
		}
	}
	return d, true
}

// rolledBackByThisRun is the first half of rule 2: this very run has rolled back
// before, and nothing has changed since.
func rolledBackByThisRun(f *facts) (Decision, bool) {
	m, now := f.o.Memory, f.o.Alias
	if !m.writtenBy(ByRollback, f.o.Run) || m.Version == 0 || now.Version != m.Version {
		return Decision{}, false
	}
	// With provisioned concurrency AWS itself puts weights there for minutes
	// after our own move. The same weight in a later attempt is a canary that
	// this attempt began anew.
	_, left := m.Rejected.Find(now.Weighted)
	if now.Weighted != 0 && (!left || m.Attempt != f.o.Run.Attempt) {
		return Decision{}, false
	}
	d := skip(report.AlreadyRolledBack, fmt.Sprintf(
		"this run rolled it back to version %d already, and nothing has changed it since", m.Version))
	if f.o.Request.Remember && m.Attempt != f.o.Run.Attempt && now.Weighted == 0 {
		d.ByRun, d.Reject = true, slices.DeleteFunc(publishedAbove(f), func(v int64) bool {
			_, rejected := f.o.Memory.Rejected.Find(v)
			return rejected
		})
	}
	return d, true
}

// publishedAbove are the versions above the serving ones that this run has published.
func publishedAbove(f *facts) []int64 {
	f.needRun()
	if !f.o.SearchedAbove && f.o.Run.Jobs != nil {
		f.need(Query{Above: f.o.Alias.newest()})
	}
	var out []int64
	for _, v := range slices.Sorted(maps.Keys(f.o.Versions)) {
		if v > f.o.Alias.newest() && f.o.Versions[v].Exists && publishedByThisRun(f, v) {
			out = append(out, v)
		}
	}
	return out
}

// rolledBackByHand: a person asks for the version before, whatever it is, and what
// serves is where the last rollback went. Asked twice, by a script or out of worry,
// it would leave a good version and reject it.
func rolledBackByHand(f *facts) (Decision, bool) {
	m, now := f.o.Memory, f.o.Alias
	if !f.o.Request.Manual || f.o.Request.Deployed != 0 || m.By != ByRollback || m.Version == 0 || !now.Only(m.Version) {
		return Decision{}, false
	}
	if !f.o.SearchedAbove {
		f.need(Query{Above: now.Version})
	}
	for v, known := range f.o.Versions {
		_, rejected := m.Rejected.Find(v)
		if v > now.Version && known.Exists && !rejected {
			return Decision{}, false // it may have been deployed, and something else undone
		}
	}
	at := ""
	if !m.At.IsZero() {
		at = " (" + m.At.UTC().Format("2006-01-02 15:04") + " UTC)"
	}
	return skip(report.AlreadyRolledBack, fmt.Sprintf(
		"the last rollback%s left it on version %d, and nothing was deployed since; to go further back, name the version by target-version", at, m.Version)), true
}

// snapshotOfThisRun is the second half of rule 2: this run recorded what served
// before its deploy.
func snapshotOfThisRun(f *facts) (Decision, bool) {
	target, now := f.o.Memory.Version, f.o.Alias
	if !f.o.Memory.writtenBy(BySnapshot, f.o.Run) || target == 0 {
		return Decision{}, false
	}
	if now.Only(target) {
		return leaveAlone(f, attribution{
			reason: report.NotDeployed,
			why:    fmt.Sprintf("it serves version %d alone, as it did when this run took its snapshot", target),
			proof:  "the memory alias has this run's snapshot",
		}), true
	}
	for _, v := range []int64{now.Version, now.Weighted} {
		if v == 0 || v == target {
			continue
		}
		if a := supersededIfMoved(f.o, newerDeploy(f, v)); a.reason != "" {
			return leaveAlone(f, a), true
		}
	}
	failing := now.newest()
	if failing == target {
		failing = now.other(target)
	}
	if a := toleratedDeploy(f, failing); a.reason != "" {
		return leaveAlone(f, a), true
	}
	proof := fmt.Sprintf("this run's snapshot shows that version %d came behind the alias after it", failing)
	u := f.usable(target)
	// A version that an older run had deployed served, and was rejected only after
	// that. What was rejected before the snapshot has been put there anew.
	e, rejected := f.o.Memory.Rejected.Find(target)
	if rejected && e.Run != 0 && f.wasOlderRun(e.Run) && u.ok && !f.clearedByRerun(target, e) {
		u.ok, u.why = false, "was rejected"+byRun(e.Run)
	}
	if !u.ok {
		d := below(f, failing, true)
		d.Notes = append([]report.Note{{Warning: true, Text: fmt.Sprintf(
			"version %d, which this run's snapshot recorded, %s; the next one below version %d is taken", target, u.why, failing)}}, d.Notes...)
		d.Proof = proof
		return d, true
	}
	d := Decision{
		Action: Move, Reason: report.Snapshot, Target: target,
		Why:   "it served when this run took its snapshot",
		Proof: proof,
		Notes: slices.Concat(u.notes, f.undoesNothing(failing, target)), ByRun: !f.o.Request.Manual,
	}
	// A version that somebody else put there in the meantime is not to blame.
	if deployed := f.o.Request.Deployed; deployed == 0 || failing == deployed || failing > target {
		d.Reject = []int64{failing}
	}
	return d, true
}

// canaryInFlight is rule 3, and rule 4 for the failing one of the two versions
// that share the traffic.
func canaryInFlight(f *facts) (Decision, bool) {
	now := f.o.Alias
	if now.Weighted == 0 {
		return Decision{}, false
	}
	failing := now.newest()
	if now.Serves(f.o.Request.Deployed) {
		failing = f.o.Request.Deployed
	}
	a := attribute(f, failing)
	if a.reason != "" {
		return leaveAlone(f, a), true
	}
	target := now.other(failing)
	if target > failing {
		// The newer of the two is either what was served before an older
		// version was promoted, or a newer run's deploy.
		if newer := newerDeploy(f, target); newer.reason != "" {
			return leaveAlone(f, newer), true
		}
	}
	u := f.usable(target)
	e, rejected := f.o.Memory.Rejected.Find(target)
	rejected = rejected && (!u.ok || !f.clearedByRerun(target, e))
	var why string
	switch published := publishedByThisRun(f, target); {
	case rejected:
		why = "was rejected" + byRun(e.Run)
	case published:
		why = "was published by this failed run too"
	case !u.ok:
		why = u.why
	default:
		return Decision{
			Action: Move, Reason: report.CanaryStopped, Target: target,
			Why:   fmt.Sprintf("it served beside version %d, which was being rolled out", failing),
			Proof: a.proof, Notes: slices.Concat(a.notes, u.notes, f.undoesNothing(failing, target)), Reject: []int64{failing}, ByRun: !f.o.Request.Manual,
		}, true
	}
	d := below(f, failing, a.proven)
	d.Notes = append([]report.Note{{Text: fmt.Sprintf(
		"version %d, the other half of the split traffic, %s", target, why)}}, d.Notes...)
	d.Proof = a.proof
	return d, true
}

func oneOrTwo(version, weighted int64) string {
	if weighted == 0 {
		return fmt.Sprintf("version %d", version)
	}
	return fmt.Sprintf("versions %d and %d", version, weighted)
}

func skip(reason report.Reason, why string) Decision {
	return Decision{Action: Skip, Reason: reason, Why: why}
}

func byRun(run int64) string {
	if run == 0 {
		return ""
	}
	return fmt.Sprintf(" after run %d failed", run)
}

func without(all []int64, out int64) []int64 {
	return slices.DeleteFunc(slices.Clone(all), func(v int64) bool { return v == out })
}
