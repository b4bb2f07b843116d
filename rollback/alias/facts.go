package alias

import (
	"fmt"
	"slices"
	"time"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// facts answers the questions that the rules have about an observation. What
// was not read yet is recorded, and the answer is then a neutral one: the rules
// need not tell what they do not know from what they do. Once something is
// missing, whatever a rule goes on to say is thrown away.
type facts struct {
	o Observation
	// missing is what was needed first and is not known. Only that is asked for:
	// what a rule needs after a neutral answer may not be needed at all.
	missing Query
}

// decideWith makes a decision by rules, or says what must be known first.
func decideWith(o Observation, rules func(*facts) Decision) Decision {
	f := &facts{o: o}
	d := rules(f)
	if f.incomplete() {
		return Decision{Action: NeedMore, Query: f.missing}
	}
	return d
}

func (f *facts) need(q Query) {
	if f.missing.empty() {
		f.missing = q
	}
}

// incomplete tells that something is missing.
func (f *facts) incomplete() bool { return !f.missing.empty() }

// lastModified is when a version was made; zero: AWS does not tell, or there is
// no such version.
func (f *facts) lastModified(version int64) time.Time {
	v, known := f.o.Versions[version]
	if !known || (v.Exists && !v.Read) {
		f.need(Query{Versions: []int64{version}})
	}
	return v.LastModified
}

// States of a version, and the reason of a lost container image.
const (
	stateActive       = "Active"
	stateInactive     = "Inactive"
	stateDeactivating = "Deactivating"
	statePending      = "Pending"
	imageDeleted      = "ImageDeleted"
)

// usability tells whether a version can serve.
type usability struct {
	ok      bool
	pending bool   // not yet, and perhaps soon
	why     string // why not, as the end of a sentence about the version
	notes   []report.Note
}

// usable tells whether a version can serve; one that is Pending is waited for.
func (f *facts) usable(version int64) usability {
	u := f.usableNow(version)
	if u.pending {
		f.need(Query{Wait: version})
	}
	return u
}

// usableNow is usable without the waiting.
func (f *facts) usableNow(version int64) usability {
	v, known := f.o.Versions[version]
	switch {
	case known && !v.Exists, !known && f.o.Listed:
		return usability{why: "does not exist"}
	case !known || !v.Read:
		f.need(Query{Versions: []int64{version}})
		return usability{}
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
		return usability{pending: true}
	default:
		return usability{why: fmt.Sprintf("cannot serve: its state is %s%s", v.State, stateReason(v))}
	}
}

func stateReason(v Version) string {
	switch {
	case v.ReasonCode != "" && v.StateReason != "":
		return fmt.Sprintf(" (%s: %s)", v.ReasonCode, v.StateReason)
	case v.ReasonCode != "" || v.StateReason != "":
		return fmt.Sprintf(" (%s%s)", v.ReasonCode, v.StateReason)
	}
	return ""
}

// clearedByRerun tells whether the run that rejected a version has succeeded
// since, as a re-run can. A version that this run rejected stays rejected.
func (f *facts) clearedByRerun(e Rejection) bool {
	if e.Run == 0 || e.Run == f.o.Run.ID {
		return false
	}
	conclusion, asked := f.o.Conclusions[e.Run]
	if !asked {
		f.need(Query{Conclusions: []int64{e.Run}})
	}
	return conclusion == "success"
}

// needOlderRuns sees to it that the older runs that were at work when this one
// began are known, as far as GitHub answers.
func (f *facts) needOlderRuns() {
	if !f.o.Run.OlderKnown && !f.o.OlderAsked {
		f.need(Query{OlderRuns: true})
	}
}

// wasOlderRun tells whether a run was still at work when this one began.
func (f *facts) wasOlderRun(id int64) bool {
	f.needOlderRuns()
	return slices.ContainsFunc(f.o.Run.Older, func(r report.Run) bool { return r.ID == id })
}
