package alias

import (
	"fmt"
	"slices"
	"time"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// facts answers the questions of the rules about an observation. If something was not
// read yet, it is recorded as missing, and the result is a neutral value, so that the
// rules need not handle unknown values. If anything is missing, the decision of the
// rule is discarded. The rules are functions that take the facts.
type facts struct {
	o Observation
	// missing is the first thing that was needed and is not known. Only this is
	// queried: what a rule needs after a neutral value may turn out to be unnecessary.
	missing Query
}

// decideWith makes a decision with rules, or says what must be known first.
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

// incomplete reports whether something is missing.
func (f *facts) incomplete() bool { return !f.missing.empty() }

// needRun requires what GitHub says about the run. A rule calls it right before it
// looks at jobs, at other runs or at the creation time of the run: the move does not
// wait for GitHub if no rule needs it.
func (f *facts) needRun() {
	if f.o.RunAwaited {
		f.need(Query{Run: true})
	}
}

// lastModified returns the time at which a version was made, or zero if AWS does not
// say or the version does not exist.
func (f *facts) lastModified(version int64) time.Time {
	v, known := f.o.Versions[version]
	if !known || (v.Exists && !v.Read) {
		f.need(Query{Versions: []int64{version}})
	}
	return v.LastModified
}

// States of a version.
const (
	stateActive       = "Active"
	stateInactive     = "Inactive"
	stateDeactivating = "Deactivating"
	statePending      = "Pending"
)

// usability says whether a version can serve traffic.
type usability struct {
	ok      bool
	pending bool   // not yet, but perhaps soon
	why     string // the reason why not, as the end of a sentence about the version
	notes   []report.Note
}

// usable reports whether a version can serve traffic. A Pending version may become
// usable later.
func (f *facts) usable(version int64) usability {
	u := f.usableNow(version)
	if u.pending {
		f.need(Query{Wait: version})
	}
	return u
}

// usableNow is usable without waiting.
func (f *facts) usableNow(version int64) usability {
	v, known := f.o.Versions[version]
	switch {
	case known && !v.Exists, !known && f.o.Listed:
		return usability{why: "does not exist"}
	case !known || !v.Read:
		f.need(Query{Versions: []int64{version}})
		return usability{}
	case v.ReasonCode == imageDeleted:
		return usability{why: "cannot serve traffic: its container image was deleted"}
	}
	switch {
	case v.State == stateActive, v.State == "":
		return usability{ok: true}
	case v.State == stateDeactivating, v.State == stateInactive && returns(v.ReasonCode):
		return usability{ok: true, notes: []report.Note{{Warning: true, Text: fmt.Sprintf(
			"version %d is %s, because it was not invoked for a long time: its first calls may be slow or fail while Lambda restores it", version, v.State)}}}
	case v.State == statePending && f.o.PendingTooLong[version]:
		return usability{why: "is still Pending, and there is no time left to wait for it"}
	case v.State == statePending:
		return usability{pending: true}
	default:
		return usability{why: fmt.Sprintf("cannot serve traffic: its state is %s%s", v.State, stateReason(v))}
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

// clearedByRerun reports whether the run that rejected a version has succeeded since,
// in a job that publishes and that ran after the failure: a re-run of only the failed
// tests proves nothing about the version. A version that this run rejected stays
// rejected.
func (f *facts) clearedByRerun(version int64, e Rejection) bool {
	if e.Run == 0 || e.Run == f.o.Run.ID {
		return false
	}
	f.needRun()
	run, asked := f.o.Outcomes[e.Run]
	if !asked {
		f.need(Query{Outcomes: []int64{e.Run}})
		return false
	}
	if run.Conclusion != "success" {
		return false
	}
	// A later snapshot shows which version was live after that success.
	if m := f.o.Memory; m.By == BySnapshot && m.Run != e.Run && m.Version != 0 && m.Version < version && m.At.After(lastCompletion(run)) {
		return false
	}
	return f.publishedAfterFailure(version, run)
}

// publishedAfterFailure reports whether a job of a run that publishes started after
// every failure in the run. The time of the version shows which job that is; if it
// does not, it can be any job. A failure in parallel with the last deploy of a run
// that then succeeded was tolerated, such as that of a lint job.
func (f *facts) publishedAfterFailure(version int64, run report.Run) bool {
	jobs := f.o.jobs().deployJobs(run)
	publishing := namesOf(f.o.jobs().atWork(jobs, f.o.Versions[version].LastModified))
	beside := func(failed, job report.Job) bool {
		return len(publishing) > 0 && !slices.Contains(publishing, failed.Name) && !job.CompletedAt.IsZero() && failed.StartedAt.Before(job.CompletedAt)
	}
	return slices.ContainsFunc(jobs, func(job report.Job) bool {
		if !ran(job) || job.StartedAt.IsZero() || len(publishing) > 0 && !slices.Contains(publishing, job.Name) {
			return false
		}
		return !slices.ContainsFunc(allJobs(run), func(failed report.Job) bool {
			return (failed.Failed() || failed.Conclusion == "cancelled") && job.StartedAt.Before(failed.CompletedAt) && !beside(failed, job)
		})
	})
}

// lastCompletion returns when the last job of a run ended.
func lastCompletion(run report.Run) time.Time {
	var end time.Time
	for _, job := range allJobs(run) {
		end = later(end, job.CompletedAt)
	}
	return end
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// differs reports whether moving from one version to the other changes anything. If
// that is not known, it reports true.
func (f *facts) differs(from, to int64) bool {
	a, b := f.o.Versions[from].Settings, f.o.Versions[to].Settings // empty if they were not read
	return a.identity == "" || a.identity != b.identity
}

// undoesNothing returns a warning if a target is equal to the version that the alias
// is moved away from.
func (f *facts) undoesNothing(from, to int64) []report.Note {
	if f.differs(from, to) {
		return nil
	}
	return []report.Note{{Warning: true, Text: fmt.Sprintf(
		"version %d has the same code and settings as version %d: the rollback does not undo anything", to, from)}}
}

// needOlderRuns requires the older runs that were in progress when this one started,
// as far as GitHub responds.
func (f *facts) needOlderRuns() {
	f.needRun()
	if !f.o.Run.OlderKnown && !f.o.OlderAsked {
		f.need(Query{OlderRuns: true})
	}
}

// needRunsSince requires the older runs that were in progress since a time.
func (f *facts) needRunsSince(since time.Time) {
	if !f.o.SinceAsked {
		f.need(Query{RunsSince: since})
	}
}

// needRunsAtWorkOn requires the runs that were in progress when a version was made.
func (f *facts) needRunsAtWorkOn(version int64) {
	if !slices.Contains(f.o.AtWorkAsked, version) && !slices.Contains(f.o.AtWorkAsked, 0) {
		f.need(Query{RunsAtWork: version})
	}
}

// wasOlderRun reports whether a run was still in progress when this one started.
func (f *facts) wasOlderRun(id int64) bool {
	f.needOlderRuns()
	return slices.ContainsFunc(f.o.Run.Older, func(r report.Run) bool { return r.ID == id })
}
