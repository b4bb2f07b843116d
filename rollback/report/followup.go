package report

import (
	"cmp"
	"strconv"
)

// What is left behind on GitHub is about the code that failed. Which commit that
// is, is not always the one of the run.

// FailedCommit is the commit of the code that was left, or should have been;
// empty where it is not known. It is the one that the version was made from, also
// where a later run has only promoted it.
func FailedCommit(r Result) string {
	if sha := commitOfLeft(r); sha != "" {
		return sha
	}
	return FailedRunCommit(r)
}

// FailedRunCommit is the commit of the run that failed, which is what GitHub has
// its deployment under. Where a person has asked for the rollback, the run is no
// deploy, and it is the commit of the version that was left.
func FailedRunCommit(r Result) string {
	if requestedByPerson(r) {
		return commitOfLeft(r)
	}
	return r.Run.SHA
}

func commitOfLeft(r Result) string {
	for _, f := range mostUrgentFirst(r.Functions) {
		if sha := f.Commits[LeftVersion(f)]; sha != "" && !Forward(f) {
			return sha
		}
	}
	return ""
}

// commitToRevert is the commit to be reverted after functions were rolled back:
// that of the version which was left. Where that is not known it is the failed
// run's, but never that of a run by which a person only asked for the rollback.
// Empty: it is not known, it is not one, or what serves again was made from it,
// too.
func commitToRevert(r Result, group []Function) string {
	found := ""
	for _, f := range group {
		sha := f.Commits[LeftVersion(f)]
		switch {
		case sha == "":
			continue
		case sha == f.Commits[f.To] || found != "" && sha != found:
			return ""
		}
		found = sha
	}
	if found == "" && (!requestedByPerson(r) || isFailed(r.Run)) {
		return r.Run.SHA
	}
	return found
}

// requestedByPerson is true where the run that is told of did not fail: a person
// started it to roll back.
func requestedByPerson(r Result) bool {
	for _, f := range r.Functions {
		if f.Reason == Chosen {
			return true
		}
	}
	dispatched := r.Run.Event == "workflow_dispatch" || r.Run.Event == "repository_dispatch"
	return dispatched && !isFailed(r.Run)
}

// SameCommit is true where all versions that serve again were made from the commit
// that was rolled back: what broke production is then not in a merge.
func SameCommit(r Result) bool {
	sha, same := FailedCommit(r), false
	for _, f := range r.Functions {
		if WasMoved(f) {
			if f.Commits[f.To] != sha {
				return false
			}
			same = true
		}
	}
	return same && sha != ""
}

// LeftVersion is the version that a rollback has left, or was to leave.
func LeftVersion(f Function) string {
	return cmp.Or(f.Left, failedVersion(f))
}

// Forward is true where a person has chosen a newer version than the one that
// served: that is no rollback, and what was left has not failed.
func Forward(f Function) bool {
	to, toErr := strconv.ParseInt(f.To, 10, 64)
	left, leftErr := strconv.ParseInt(LeftVersion(f), 10, 64)
	return f.Reason == Chosen && toErr == nil && leftErr == nil && to > left
}

// WasMoved reports whether the function's alias was moved, and stayed so.
func WasMoved(f Function) bool {
	return f.To != "" && (f.Status == RolledBack || f.Status == Failed && f.MovedAt != "")
}

// commitLink is a commit of the run's repository, as a link where its address is
// known.
func commitLink(run Run, sha string) string {
	run.SHA = sha
	return markdownLink(inlineCode(ShortSHA(sha), longestName), commitURL(run))
}
