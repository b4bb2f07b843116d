package alias

import (
	"fmt"
	"slices"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// usability tells whether a version can serve.
type usability struct {
	ok    bool
	why   string // why not, as the end of a sentence about the version
	notes []report.Note
	want  Want
}

// States of a version, and the reason of a lost container image.
const (
	stateActive       = "Active"
	stateInactive     = "Inactive"
	stateDeactivating = "Deactivating"
	statePending      = "Pending"
	imageDeleted      = "ImageDeleted"
)

func (o Observation) usable(version int64) usability {
	v, known := o.Versions[version]
	switch {
	case known && !v.Exists, !known && o.Listed:
		return usability{why: "does not exist"}
	case !known || !v.Read:
		return usability{want: Want{Versions: []int64{version}}}
	case v.ReasonCode == imageDeleted:
		return usability{why: "cannot serve: its container image was deleted"}
	}
	switch v.State {
	case stateActive, "":
		return usability{ok: true}
	case stateInactive, stateDeactivating:
		return usability{ok: true, notes: []report.Note{{Warning: true, Text: fmt.Sprintf(
			"version %d is %s, because nobody called it for long: its first calls may be slow or fail while Lambda restores it", version, v.State)}}}
	case statePending:
		return usability{want: Want{Wait: version}}
	default:
		return usability{why: fmt.Sprintf("cannot serve: its state is %s%s", v.State, reasonOf(v))}
	}
}

func reasonOf(v Version) string {
	switch {
	case v.ReasonCode != "" && v.StateReason != "":
		return fmt.Sprintf(" (%s: %s)", v.ReasonCode, v.StateReason)
	case v.ReasonCode != "" || v.StateReason != "":
		return fmt.Sprintf(" (%s%s)", v.ReasonCode, v.StateReason)
	}
	return ""
}

// below finds the target of rule 5: the highest version below the failing one
// that exists, is not rejected and can serve. Where there is none, the failing
// one goes on serving, and is rejected only if it is proven to be this run's.
func (o Observation) below(failing int64, proven bool) Decision {
	d := Decision{Reject: []int64{failing}, ByRun: !o.Ask.ByHand}
	note := func(format string, args ...any) {
		d.Notes = append(d.Notes, report.Note{Text: fmt.Sprintf(format, args...)})
	}
	passed := 0
	for v := failing - 1; v > 0; v-- {
		e, rejected := o.Memory.Rejected.Find(v)
		if rejected && e.Run == 0 {
			note("version %s was rejected before and is passed over", e.numbers())
			passed++
			v = e.Last
			continue
		}
		if known, looked := o.Versions[v]; !looked || !known.Exists {
			if !looked && !o.Listed {
				return learn(Want{Below: v + 1})
			}
			continue
		}
		u := o.usable(v)
		if !u.want.nothing() && (u.want.Wait == 0 || !rejected) {
			return learn(u.want)
		}
		if !u.ok && u.want.Wait == 0 {
			note("version %d %s; it is passed over", v, u.why)
			passed++
			continue
		}
		if rejected {
			if want := o.absolves(e); !want.nothing() {
				return learn(want)
			}
			if !o.absolved(e) {
				note("version %d was rejected%s and is passed over", v, byRun(e.Run))
				passed++
				continue
			}
			note("version %d was rejected after run %d failed, but that run has succeeded since: it counts as good", v, e.Run)
			d.Unreject = v
		}
		if !u.want.nothing() {
			return learn(u.want)
		}
		p := o.published(v)
		if !p.want.nothing() {
			return learn(p.want)
		}
		if p.ours {
			note("version %d was published by this failed run too and is passed over", v)
			d.Reject = append(d.Reject, v)
			passed++
			continue
		}
		d.Action, d.Reason, d.Target = Move, report.PreviousVersion, v
		d.Why = fmt.Sprintf("it is the newest good version before version %d", failing)
		d.Notes = append(d.Notes, u.notes...)
		slices.Sort(d.Reject)
		return d
	}
	d.Action, d.Reason, d.Unreject = Skip, report.NoPreviousVersion, 0
	if !proven {
		d.Reject = slices.DeleteFunc(d.Reject, func(v int64) bool { return v == failing })
	}
	d.Why = fmt.Sprintf("there is no version below version %d to go back to", failing)
	if passed > 0 {
		d.Why = fmt.Sprintf("no version below version %d can be gone back to: those that exist were rejected or cannot serve", failing)
	}
	slices.Sort(d.Reject)
	return d
}

// absolves says what must be asked before it is known whether the run that
// rejected a version has succeeded since: a re-run can.
func (o Observation) absolves(e Rejection) Want {
	if e.Run == 0 || e.Run == o.Run.ID {
		return Want{}
	}
	if _, asked := o.Concluded[e.Run]; asked {
		return Want{}
	}
	return Want{Conclusions: []int64{e.Run}}
}

func (o Observation) absolved(e Rejection) bool {
	return e.Run != 0 && e.Run != o.Run.ID && o.Concluded[e.Run] == "success"
}

// prefetch lists what will be needed in all likelihood, so that it can be read
// at once: the serving versions, the one that was chosen or remembered, else
// the numbers just below the failing one.
func (o Observation) prefetch() []int64 {
	var out []int64
	if !o.Alias.Latest {
		out = append(out, o.Alias.Version)
	}
	if o.Alias.Weighted != 0 {
		out = append(out, o.Alias.Weighted)
	}
	switch {
	case o.Ask.Target != 0:
		out = append(out, o.Ask.Target)
	case o.Memory.by(ByRollback, o.Run) && o.Memory.Version == o.Alias.Version && o.Alias.Weighted == 0:
		return nil
	case o.Memory.by(BySnapshot, o.Run) && o.Memory.Version != 0:
		out = append(out, o.Memory.Version)
	default:
		out = append(out, o.candidates(o.Alias.Version)...)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// candidates are the next numbers below a version that may be the target: two,
// or as many more as it takes to have one that is not rejected; six at most.
func (o Observation) candidates(below int64) []int64 {
	var out []int64
	free := false
	for v := below - 1; v > 0 && len(out) < 6 && (len(out) < 2 || !free); v-- {
		e, rejected := o.Memory.Rejected.Find(v)
		if rejected && e.Run == 0 {
			v = e.Last
			continue
		}
		out = append(out, v)
		free = free || !rejected
	}
	return out
}
