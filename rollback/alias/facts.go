package alias

import (
	"fmt"
	"slices"
	"time"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// facts answers the questions that the rules have about an observation. What
// was not read yet is recorded, and the answer is then a neutral one: the rules
// need not distinguish what is not known. Once something is
// missing, whatever a rule goes on to say is thrown away. The rules themselves are
// functions that take the facts.
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

// incomplete reports whether something is missing.
func (f *facts) incomplete() bool { return !f.missing.empty() }

// needRun sees to it that what GitHub says about the run is known. A rule asks for
// it right before it looks at jobs, at other runs or at when the run was created:
// the move does not wait for GitHub where no rule does.
func (f *facts) needRun() {
	if f.o.RunAwaited {
		f.need(Query{Run: true})
	}
}

// lastModified is when a version was made; zero: AWS does not say, or there is
// no such version.
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

// usability reports whether a version can serve.
type usability struct {
	ok      bool
	pending bool   // not yet, and perhaps soon
	why     string // why not, as the end of a sentence about the version
	notes   []report.Note
}

// usable reports whether a version can serve; one that is Pending is waited for.
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
	switch {
	case v.State == stateActive, v.State == "":
		return usability{ok: true}
	case v.State == stateDeactivating, v.State == stateInactive && returns(v.ReasonCode):
		return usability{ok: true, notes: []report.Note{{Warning: true, Text: fmt.Sprintf(
			"version %d is %s, because nobody called it for long: its first calls may be slow or fail while Lambda restores it", version, v.State)}}}
	case v.State == statePending && f.o.PendingTooLong[version]:
		return usability{why: "is still Pending, and the time limit leaves no time to wait for it"}
	case v.State == statePending:
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

// clearedByRerun reports whether the run that rejected a version has succeeded
// since, by a job that publishes and that ran after the failure: re-running only
// the tests that failed says nothing about the version. A version that this run
// rejected stays rejected.
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
	// A snapshot that was taken after it shows what the success has left serving.
	if m := f.o.Memory; m.By == BySnapshot && m.Run != e.Run && m.Version != 0 && m.Version < version && m.At.After(lastCompletion(run)) {
		return false
	}
	return f.publishedAfterFailure(version, run)
}

// publishedAfterFailure reports whether a job of a run that publishes began after
// every failure in it. By the time of the version it is known which job that is;
// where that says nothing, it can be any. What failed beside the last deploy of a
// run that then succeeded was tolerated, as a lint job is.
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

// lastCompletion is when the last job of a run ended.
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

// differs reports whether going from one version to the other changes anything; it
// does where that is not known.
func (f *facts) differs(from, to int64) bool {
	a, b := f.o.Versions[from], f.o.Versions[to]
	return !a.Read || !b.Read || a.Settings.identity == "" || a.Settings.identity != b.Settings.identity
}

// undoesNothing is a warning where a target is all the same as what is left.
func (f *facts) undoesNothing(from, to int64) []report.Note {
	if f.differs(from, to) {
		return nil
	}
	return []report.Note{{Warning: true, Text: fmt.Sprintf(
		"version %d has the same code and settings as version %d: the move undoes nothing", to, from)}}
}

// needOlderRuns sees to it that the older runs that were at work when this one
// began are known, as far as GitHub answers.
func (f *facts) needOlderRuns() {
	f.needRun()
	if !f.o.Run.OlderKnown && !f.o.OlderAsked {
		f.need(Query{OlderRuns: true})
	}
}

// needRunsSince sees to it that the older runs are known that were at work since a
// time.
func (f *facts) needRunsSince(since time.Time) {
	if !f.o.SinceAsked {
		f.need(Query{RunsSince: since})
	}
}

// needRunsAtWorkOn sees to it that the runs are known that were at work when a
// version was made.
func (f *facts) needRunsAtWorkOn(version int64) {
	if !slices.Contains(f.o.AtWorkAsked, version) && !slices.Contains(f.o.AtWorkAsked, 0) {
		f.need(Query{RunsAtWork: version})
	}
}

// wasOlderRun reports whether a run was still at work when this one began.
func (f *facts) wasOlderRun(id int64) bool {
	f.needOlderRuns()
	return slices.ContainsFunc(f.o.Run.Older, func(r report.Run) bool { return r.ID == id })
}
