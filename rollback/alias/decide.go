package alias

import (
	"fmt"
	"maps"
	"slices"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// Decide decides what to do with one function, from the observation alone: it uses no
// clock and does no I/O. If something is needed that was not read yet, the decision is
// NeedMore with a query, and Decide is called again with the result. The rules are
// those of section 4 of the contract, in its order; the first rule that matches
// decides.
func Decide(o Observation) Decision {
	return decideWith(o, func(f *facts) Decision {
		for _, rule := range []func(*facts) (Decision, bool){
			notRequested,
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

// notRequested skips a function without a target, where targets of other functions are
// the only reason for the rollback.
func notRequested(f *facts) (Decision, bool) {
	return skip(report.NoFailure, "target-version names no version for it, and nothing shows that a deploy failed; to roll it back as well, name its version in target-version"), f.o.Request.NotRequested
}

// aliasOnLatest fails: the code of $LATEST changes with every deploy, so there is no
// version to move away from and none to return to.
func aliasOnLatest(f *facts) (Decision, bool) {
	return Decision{
		Action: Fail, Reason: report.AliasOnLatest,
		Why: "the alias points at $LATEST, which is not a version: publish a version and point the alias at it, so that a rollback has a version to go back to; to point it at an existing version now, run this with target-version",
	}, f.o.Alias.Latest
}

// chosenTarget is rule 1: the target was chosen manually.
func chosenTarget(f *facts) (Decision, bool) {
	target, now := f.o.Request.Target, f.o.Alias
	if target == 0 {
		return Decision{}, false
	}
	rejection, rejected := f.o.Memory.Rejected.Find(target)
	if now.Only(target) {
		d := skip(report.AlreadyOnTarget, fmt.Sprintf("100%% of traffic is already on version %d", target))
		if rejected {
			d.Unreject = target
		}
		return d, true
	}
	if a := supersededIfMoved(f.o, attribution{}); a.reason == report.Superseded {
		a.why += "; to choose version " + versionText(target) + " anyway, run this again"
		return leaveAlone(f, a), true
	}
	// A canary that started or ended since is also a newer deploy; its weight may have
	// changed.
	seen, seenWeighted := f.o.Request.SeenVersion, f.o.Request.SeenWeighted
	if seen != 0 && (seen != now.Version || seenWeighted != now.Weighted) {
		return skip(report.Superseded, fmt.Sprintf("it served %s when version %d was chosen, and serves %s now; check the alias, and choose again if it is still necessary",
			oneOrTwo(seen, seenWeighted), target, serving(now))), true
	}
	u := f.usable(target)
	if !u.ok {
		return Decision{
			Action: Fail, Reason: report.VersionNotFound,
			Why: fmt.Sprintf("version %d, set in target-version, %s; choose a published version that can serve traffic", target, u.why),
		}, true
	}
	d := Decision{
		Action: Move, Reason: report.Chosen, Target: target,
		Why:      "it is set in target-version",
		Proof:    "not checked: the target was chosen manually",
		Notes:    u.notes,
		Unreject: target, ByRun: !f.o.Request.Manual,
	}
	if now.Latest {
		d.Notes = append(d.Notes, report.Note{Warning: true, Text: "the alias pointed at $LATEST: from now on, a deploy to $LATEST does not reach callers until a version is published and the alias is moved to it"})
	}
	if rejected {
		d.Notes = append(d.Notes, report.Note{Warning: true, Text: fmt.Sprintf(
			"version %d was rejected%s%s; a manual rollback to it removes the rejection", target, byRun(rejection.Run), f.o.Memory.rejectedAt(rejection))})
	}
	for _, v := range []int64{now.Version, now.Weighted} {
		if v > target {
			d.Reject = append(d.Reject, v)
		}
	}
	return d, true
}

// rolledBackByThisRun is the first half of rule 2: this run has already rolled back,
// and nothing has changed since.
func rolledBackByThisRun(f *facts) (Decision, bool) {
	m, now := f.o.Memory, f.o.Alias
	if !m.writtenBy(ByRollback, f.o.Run) || m.Version == 0 || now.Version != m.Version {
		return Decision{}, false
	}
	// With provisioned concurrency, AWS sets weights for minutes after the action's
	// own move. The same weight in a later attempt is a canary that this attempt
	// started again.
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

// publishedAbove returns the versions above the live ones that this run has published.
func publishedAbove(f *facts) []int64 {
	f.needRun()
	if f.o.Run.Jobs == nil {
		return nil
	}
	return slices.DeleteFunc(versionsAbove(f), func(v int64) bool { return !publishedByThisRun(f, v) })
}

// versionsAbove returns the versions above the live ones, in the order of their
// numbers.
func versionsAbove(f *facts) []int64 {
	if !f.o.SearchedAbove {
		f.need(Query{Above: f.o.Alias.newest()})
	}
	return slices.DeleteFunc(slices.Sorted(maps.Keys(f.o.Versions)), func(v int64) bool {
		return v <= f.o.Alias.newest() || !f.o.Versions[v].Exists
	})
}

// rolledBackByHand handles a manual rollback to the previous version, whatever it is,
// if the live version is where the last rollback moved the alias. A second request, by
// a script or for safety, would otherwise move the alias away from a good version and
// reject it.
func rolledBackByHand(f *facts) (Decision, bool) {
	m, now := f.o.Memory, f.o.Alias
	if !f.o.Request.Manual || f.o.Request.Deployed != 0 {
		return Decision{}, false
	}
	if !f.o.Request.Remember || !m.readable() || !m.Exists && attempt(f.o) > 1 {
		return maybeRolledBackByHand(f)
	}
	if m.Version == 0 || !now.Only(m.Version) {
		return Decision{}, false
	}
	// A later run's snapshot overwrites who wrote the memory, but not what was rejected.
	if m.By != ByRollback && (m.By != BySnapshot || !m.Rejected.anyAbove(now.Version)) {
		return Decision{}, false
	}
	for _, v := range versionsAbove(f) {
		_, rejected := m.Rejected.Find(v)
		made := f.o.Versions[v].LastModified
		before := m.By == ByRollback && !m.At.IsZero() && !made.IsZero() && made.Before(m.At)
		if !rejected && !before {
			return Decision{}, false // it may have been deployed, and moved back by something else
		}
	}
	at := ""
	if m.By == ByRollback && !m.At.IsZero() {
		at = " (" + m.At.UTC().Format("2006-01-02 15:04") + " UTC)"
	}
	return skip(report.AlreadyRolledBack, fmt.Sprintf(
		"the last rollback%s left it on version %d, and nothing has been deployed since; to go further back, set target-version", at, m.Version)), true
}

// snapshotOfThisRun is the second half of rule 2: this run recorded the live version
// before its deploy.
func snapshotOfThisRun(f *facts) (Decision, bool) {
	target, now := f.o.Memory.Version, f.o.Alias
	if !f.o.Memory.writtenBy(BySnapshot, f.o.Run) || target == 0 {
		return Decision{}, false
	}
	if now.Only(target) {
		return leaveAlone(f, attribution{
			reason: report.NotDeployed,
			why:    fmt.Sprintf("100%% of traffic is on version %d, as it was when this run took its snapshot", target),
			proof:  "the memory alias stores this run's snapshot",
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
	proof := fmt.Sprintf("this run's snapshot shows that the alias was moved to version %d after it", failing)
	u := f.usable(target)
	// A version of an older run was live, and was rejected only later. If it was
	// rejected before the snapshot, the alias has been moved to it again.
	e, rejected := f.o.Memory.Rejected.Find(target)
	if rejected && e.Run != 0 && f.wasOlderRun(e.Run) && u.ok && !f.clearedByRerun(target, e) {
		u.ok, u.why = false, "was rejected"+byRun(e.Run)
	}
	if !u.ok {
		d := below(f, failing, true)
		d.Notes = append([]report.Note{{Warning: true, Text: fmt.Sprintf(
			"version %d, which this run's snapshot recorded, %s; the next version below version %d is used", target, u.why, failing)}}, d.Notes...)
		d.Proof = proof
		return d, true
	}
	d := Decision{
		Action: Move, Reason: report.Snapshot, Target: target,
		Why:   "it was live when this run took its snapshot",
		Proof: proof,
		Notes: slices.Concat(u.notes, f.undoesNothing(failing, target)), ByRun: !f.o.Request.Manual,
	}
	// A version that somebody else moved the alias to in the meantime did not cause
	// the failure.
	if deployed := f.o.Request.Deployed; deployed == 0 || failing == deployed || failing > target {
		d.Reject = []int64{failing}
	}
	return d, true
}

// canaryInFlight is rule 3, and rule 4 for the failing version of the two that share
// the traffic.
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
		// The newer of the two is either what was live before an older version was
		// promoted, or the deploy of a newer run.
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
		why = "was also published by this failed run"
	case !u.ok:
		why = u.why
	default:
		return Decision{
			Action: Move, Reason: report.CanaryStopped, Target: target,
			Why:   fmt.Sprintf("it shared the traffic with version %d, which was being rolled out", failing),
			Proof: a.proof, Notes: slices.Concat(a.notes, u.notes, f.undoesNothing(failing, target)), Reject: []int64{failing}, ByRun: !f.o.Request.Manual,
		}, true
	}
	d := below(f, failing, a.proven)
	d.Notes = append([]report.Note{{Text: fmt.Sprintf(
		"version %d, which received the rest of the traffic, %s", target, why)}}, d.Notes...)
	d.Proof = a.proof
	return d, true
}

func oneOrTwo(version, weighted int64) string {
	if weighted == 0 {
		return fmt.Sprintf("version %d", version)
	}
	return fmt.Sprintf("versions %d and %d", version, weighted)
}

// maybeRolledBackByHand is rolledBackByHand without a record of earlier rollbacks. A
// version above the live one then means that there may have been one.
func maybeRolledBackByHand(f *facts) (Decision, bool) {
	live := f.o.Alias.Version
	if live == 0 || !f.o.Alias.Only(live) {
		return Decision{}, false
	}
	above := versionsAbove(f)
	if len(above) == 0 {
		return Decision{}, false
	}
	d := skip(report.AlreadyRolledBack, fmt.Sprintf(
		"version %d is newer and not live, and there is no record of earlier rollbacks: one of them may have left it on version %d; to go further back, set target-version", slices.Max(above), live))
	d.Attention = true
	return d, true
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
