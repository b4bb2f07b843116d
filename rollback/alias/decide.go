package alias

import (
	"fmt"
	"slices"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// Decide says what is to be done about one function, from what was observed
// alone: it has no clock and does no I/O. Where something must be known that
// was not read yet, it says what (Learn), and is asked again.
//
// The rules are those of the contract's section 4, tried in its order; the
// first that matches decides.
func Decide(o Observation) Decision {
	for _, rule := range []func(Observation) (Decision, bool){
		onLatest,
		chosen,
		alreadyRolledBack,
		toSnapshot,
		outOfCanary,
	} {
		if d, matches := rule(o); matches {
			return d
		}
	}
	return toPrevious(o)
}

// onLatest: what $LATEST runs changes with every deploy, so there is no
// version to leave and none to come back to.
func onLatest(o Observation) (Decision, bool) {
	return Decision{
		Action: Fail, Reason: report.AliasOnLatest,
		Why: "the alias points at $LATEST, which is no version: publish a version and point the alias at it, then a rollback has somewhere to go",
	}, o.Alias.Latest
}

// chosen: a person named the target (rule 1).
func chosen(o Observation) (Decision, bool) {
	target := o.Ask.Target
	if target == 0 {
		return Decision{}, false
	}
	_, rejected := o.Memory.Rejected.Find(target)
	if o.Alias.Only(target) {
		d := skip(report.AlreadyOnTarget, fmt.Sprintf("it already serves version %d alone", target))
		if rejected {
			d.Unreject = target
		}
		return d, true
	}
	if c := o.unlessMoved(claim{}); c.reason == report.Superseded {
		c.why += "; to have version " + number(target) + " all the same, run this again"
		return o.skipClaim(c), true
	}
	// A canary that began or ended since is a newer deploy, too; its weight may
	// have changed.
	if seen := o.Ask.Seen; seen != 0 && (seen != o.Alias.Version || o.Ask.SeenBeside != o.Alias.Weighted) {
		return skip(report.Superseded, fmt.Sprintf("it served %s when version %d was chosen, and serves %s now; look again, and choose again if it is still needed",
			bothOf(seen, o.Ask.SeenBeside), target, serving(o.Alias))), true
	}
	u := o.usable(target)
	switch {
	case !u.want.nothing():
		return learn(u.want), true
	case !u.ok:
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
		Unreject: target, ByRun: !o.Ask.ByHand,
	}
	if e, found := o.Memory.Rejected.Find(target); found {
		d.Notes = append(d.Notes, report.Note{Warning: true, Text: fmt.Sprintf(
			"version %d was rejected%s%s; it was chosen by hand all the same, and is no longer rejected", target, byRun(e.Run), o.Memory.rejectedAt(e))})
	}
	for _, v := range []int64{o.Alias.Version, o.Alias.Weighted} {
		if v > target {
			d.Reject = append(d.Reject, v)
		}
	}
	return d, true
}

// alreadyRolledBack: this very run has rolled back before, and nothing has
// changed since (rule 2).
func alreadyRolledBack(o Observation) (Decision, bool) {
	m := o.Memory
	if !m.by(ByRollback, o.Run) || m.Version == 0 || o.Alias.Version != m.Version {
		return Decision{}, false
	}
	// With provisioned concurrency AWS itself puts weights there for minutes
	// after our own move. The same weight in a later attempt is a canary that
	// this attempt began anew.
	_, left := m.Rejected.Find(o.Alias.Weighted)
	if o.Alias.Weighted != 0 && (!left || m.Attempt != o.Run.Attempt) {
		return Decision{}, false
	}
	return skip(report.AlreadyRolledBack, fmt.Sprintf(
		"this run rolled it back to version %d already, and nothing has changed it since", m.Version)), true
}

// toSnapshot: this run recorded what served before its deploy (rule 2).
func toSnapshot(o Observation) (Decision, bool) {
	target := o.Memory.Version
	if !o.Memory.by(BySnapshot, o.Run) || target == 0 {
		return Decision{}, false
	}
	if o.Alias.Only(target) {
		return o.skipClaim(claim{
			reason: report.NotDeployed,
			why:    fmt.Sprintf("it serves version %d alone, as it did when this run took its snapshot", target),
			proof:  "the memory alias has this run's snapshot",
		}), true
	}
	failing := o.Alias.newest()
	if failing == target {
		failing = o.Alias.other(target)
	}
	for _, v := range []int64{o.Alias.Version, o.Alias.Weighted} {
		if v == 0 || v == target {
			continue
		}
		c := o.supersededBy(v)
		if !c.want.nothing() {
			return learn(c.want), true
		}
		if c = o.unlessMoved(c); c.reason != "" {
			return o.skipClaim(c), true
		}
	}
	u := o.usable(target)
	if !u.want.nothing() {
		return learn(u.want), true
	}
	e, rejected := o.Memory.Rejected.Find(target)
	if rejected && e.Run != 0 && !o.Run.OlderKnown && !o.OlderAsked {
		return learn(Want{Older: true}), true
	}
	if rejected && u.ok && o.olderRun(e.Run) {
		// It served, and the older run that had deployed it failed only after
		// that. What was rejected before has been put there anew since.
		if want := o.absolves(e); !want.nothing() {
			return learn(want), true
		}
		if !o.absolved(e) {
			u.ok, u.why = false, "was rejected"+byRun(e.Run)
		}
	}
	if !u.ok {
		d := o.below(failing, true)
		d.Notes = append([]report.Note{{Warning: true, Text: fmt.Sprintf(
			"version %d, which this run's snapshot recorded, %s; the next one below version %d is taken", target, u.why, failing)}}, d.Notes...)
		d.Proof = "this run's snapshot shows that version " + number(failing) + " came behind the alias after it"
		return d, true
	}
	d := Decision{
		Action: Move, Reason: report.Snapshot, Target: target,
		Why:   "it served when this run took its snapshot",
		Proof: fmt.Sprintf("this run's snapshot shows that version %d came behind the alias after it", failing),
		Notes: u.notes, ByRun: !o.Ask.ByHand,
	}
	// A version that somebody else put there in the meantime is not to blame.
	if o.Ask.Deployed == 0 || failing == o.Ask.Deployed || failing > target {
		d.Reject = []int64{failing}
	}
	return d, true
}

// outOfCanary: traffic is split between two versions (rule 3, and rule 4 for
// the failing one of them).
func outOfCanary(o Observation) (Decision, bool) {
	if o.Alias.Weighted == 0 {
		return Decision{}, false
	}
	failing := o.Alias.newest()
	if o.Alias.Serves(o.Ask.Deployed) {
		failing = o.Ask.Deployed
	}
	c := o.attribute(failing)
	if !c.want.nothing() {
		return learn(c.want), true
	}
	if c.reason != "" {
		return o.skipClaim(c), true
	}
	target := o.Alias.other(failing)
	if target > failing {
		// The newer of the two is either what was served before an older
		// version was promoted, or a newer run's deploy.
		if s := o.supersededBy(target); s.reason != "" || !s.want.nothing() {
			if !s.want.nothing() {
				return learn(s.want), true
			}
			return o.skipClaim(s), true
		}
	}
	e, rejected := o.Memory.Rejected.Find(target)
	u := o.usable(target)
	if !u.want.nothing() {
		return learn(u.want), true
	}
	if rejected && u.ok {
		if want := o.absolves(e); !want.nothing() {
			return learn(want), true
		}
		rejected = !o.absolved(e)
	}
	p := o.published(target)
	if !p.want.nothing() {
		return learn(p.want), true
	}
	if rejected || !u.ok || p.ours {
		why := u.why
		if p.ours {
			why = "was published by this failed run too"
		}
		if rejected {
			why = "was rejected" + byRun(e.Run)
		}
		d := o.below(failing, c.proven)
		d.Notes = append([]report.Note{{Text: fmt.Sprintf(
			"version %d, the other half of the split traffic, %s", target, why)}}, d.Notes...)
		d.Proof = c.proof
		return d, true
	}
	return Decision{
		Action: Move, Reason: report.CanaryStopped, Target: target,
		Why:   fmt.Sprintf("it served beside version %d, which was being rolled out", failing),
		Proof: c.proof, Notes: append(c.notes, u.notes...), Reject: []int64{failing}, ByRun: !o.Ask.ByHand,
	}, true
}

// toPrevious: one version serves. If it is this run's (rule 4), the next one
// below it that can serve is the target (rule 5).
func toPrevious(o Observation) Decision {
	failing := o.Alias.Version
	c := o.attribute(failing)
	if !c.want.nothing() {
		return learn(c.want)
	}
	if c.reason != "" {
		return o.skipClaim(c)
	}
	d := o.below(failing, c.proven)
	d.Proof = c.proof
	d.Notes = append(c.notes, d.Notes...)
	return d
}

// skipClaim leaves the alias alone because the serving version is not this
// run's, and remembers what this run published all the same: nobody may fall
// back on that later.
func (o Observation) skipClaim(c claim) Decision {
	d := skip(c.reason, c.why)
	d.Proof, d.Notes, d.ByRun = c.proof, c.notes, !o.Ask.ByHand
	if !o.Ask.Remember || c.reason == report.AlreadyRolledBack {
		return d
	}
	if v := o.Ask.Deployed; v != 0 && !o.Alias.Serves(v) && o.Ask.Target == 0 {
		// A promoted version is an earlier run's, and as good as it was.
		known, read := o.Versions[v]
		if !read && !o.Run.CreatedAt.IsZero() {
			return learn(Want{Versions: []int64{v}})
		}
		if o.Run.CreatedAt.IsZero() || known.LastModified.IsZero() || !second(known.LastModified).Before(o.Run.CreatedAt) {
			d.Reject = append(d.Reject, v)
		}
	}
	if f := o.First; f != nil && c.reason == report.Superseded && o.Ask.Target == 0 && f.newest() < o.Alias.newest() {
		d.Reject = append(d.Reject, f.newest()) // it was about to be left
	}
	top := o.Alias.newest()
	if c.reason == report.NotDeployed && !o.LookedAbove && o.Run.Jobs != nil {
		return learn(Want{Above: top})
	}
	for v, known := range o.Versions {
		if !known.Exists || v == top || slices.Contains(d.Reject, v) {
			continue
		}
		if (c.reason == report.NotDeployed) != (v > top) {
			continue
		}
		p := o.published(v)
		if !p.want.nothing() {
			return learn(p.want)
		}
		if p.ours {
			d.Reject = append(d.Reject, v)
		}
	}
	slices.Sort(d.Reject)
	d.Reject = slices.Compact(d.Reject)
	return d
}

// olderRun tells whether a run was still at work when this one began.
func (o Observation) olderRun(id int64) bool {
	return id != 0 && slices.ContainsFunc(o.Run.Older, func(r report.Run) bool { return r.ID == id })
}

func (m Memory) by(writer string, run report.Run) bool {
	return m.Exists && m.By == writer && m.Run != 0 && m.Run == run.ID
}

func bothOf(version, beside int64) string {
	if beside == 0 {
		return fmt.Sprintf("version %d", version)
	}
	return fmt.Sprintf("versions %d and %d", version, beside)
}

func skip(reason report.Reason, why string) Decision {
	return Decision{Action: Skip, Reason: reason, Why: why}
}

func learn(want Want) Decision {
	return Decision{Action: Learn, Want: want}
}

func byRun(run int64) string {
	if run == 0 {
		return ""
	}
	return fmt.Sprintf(" after run %d failed", run)
}
