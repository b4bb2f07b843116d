package report

import (
	"cmp"
	"strconv"
)

// Follow-ups on GitHub are about the code that failed. Its commit is not always the
// commit of the run.

// FailedCommit returns the commit of the code that was replaced, or should have been,
// or an empty string if it is not known. It is the commit from which the version was
// built, even if a later run only promoted it.
func FailedCommit(r Result) string {
	if sha := commitOfLeft(r); sha != "" {
		return sha
	}
	return FailedRunCommit(r)
}

// FailedRunCommit returns the commit of the failed run, which is the commit of its
// deployment on GitHub. If the rollback was started manually, the run is not a deploy,
// and it is the commit of the version that was replaced.
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

// commitToRevert returns the commit to revert after functions were rolled back: the
// commit of the replaced version. If that is not known, it is the commit of the failed
// run, but never of a run that was only started for a manual rollback. It is empty if
// it is not known, if there is more than one, or if the live version was built from it
// as well.
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

// requestedByPerson reports whether the run in the result did not fail, but was
// started manually to roll back.
func requestedByPerson(r Result) bool {
	for _, f := range r.Functions {
		if f.Reason == Chosen {
			return true
		}
	}
	dispatched := r.Run.Event == "workflow_dispatch" || r.Run.Event == "repository_dispatch"
	return dispatched && !isFailed(r.Run)
}

// SameCommit reports whether all versions that are live again were built from the
// commit that was rolled back: the cause of the failure is then not in a merge.
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

// LeftVersion returns the version that a rollback replaced, or was to replace.
func LeftVersion(f Function) string {
	return cmp.Or(f.Left, failedVersion(f))
}

// Forward reports whether a version newer than the live one was chosen manually: that
// is not a rollback, and the replaced version has not failed.
func Forward(f Function) bool {
	to, toErr := strconv.ParseInt(f.To, 10, 64)
	left, leftErr := strconv.ParseInt(LeftVersion(f), 10, 64)
	return f.Reason == Chosen && toErr == nil && leftErr == nil && to > left
}

// WasMoved reports whether the alias of the function was moved, and stayed there.
func WasMoved(f Function) bool {
	return f.To != "" && (f.Status == RolledBack || f.Status == Failed && f.MovedAt != "")
}

// commitLink returns a commit of the run's repository, as a link if its address is
// known.
func commitLink(run Run, sha string) string {
	run.SHA = sha
	return markdownLink(inlineCode(ShortSHA(sha), longestName), commitURL(run))
}
