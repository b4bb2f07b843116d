package alias

import (
	"fmt"
	"slices"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// A run that is retried after it has rolled back moves nothing. The checks run again
// anyway: otherwise, the step would succeed on the second attempt although production
// is not healthy.

// movedBefore reports whether the alias is where an earlier rollback moved it, and
// whether this run or an earlier attempt of it made that move.
func movedBefore(r *rollback) bool {
	s, o := r.state, r.now()
	if s.status != report.Skipped || r.dryRun {
		return false
	}
	return s.reason == report.AlreadyRolledBack ||
		s.reason == report.AlreadyOnTarget && o.Memory.writtenBy(ByRollback, o.Run)
}

// leftBefore returns the version that the earlier rollback moved the alias away from,
// or 0 if the memory does not contain it.
func leftBefore(r *rollback) int64 {
	m := r.now().Memory
	for _, e := range m.Rejected {
		if e.Run == m.Run && e.First > r.now().Alias.Version {
			return e.First
		}
	}
	return 0
}

// factsOfEarlier returns the facts of a move that an earlier rollback made. Its checks
// look at the current state.
func factsOfEarlier(r *rollback) Moved {
	now, left := r.now().Alias, leftBefore(r)
	m := movedFacts(r)
	m.Version, m.Split, m.Left = now.Version, now.Weighted != 0, left
	m.MovedAt, m.DeployedAt = r.stamp(), r.now().deployedAt(left)
	return m
}

// adoptEarlier treats the earlier move as the one that failed, because production is
// not healthy after it.
func adoptEarlier(r *rollback) {
	s, o := &r.state, r.now()
	s.to, s.movedAt, s.left = o.Alias.Version, o.Memory.At, leftBefore(r)
	if s.left != 0 {
		s.from = Alias{ARN: o.Alias.ARN, Version: s.left}
	}
}

// attempt returns the attempt of the failed run or of this rollback's own run, if that
// is another one, whichever is higher.
func attempt(o Observation) int { return max(o.Run.Attempt, o.Request.Attempt) }

// mayBeRolledBack is the result for a later attempt of a run if neither the memory nor
// times say what the earlier attempts did. A version above the live one then means that
// one of them may have rolled back: a second rollback would move the alias away from a
// healthy version.
func mayBeRolledBack(f *facts, failing int64) attribution {
	m := f.o.Memory
	recorded := f.o.Request.Remember && m.Exists && m.readable()
	if attempt(f.o) < 2 || recorded {
		return attribution{}
	}
	above := versionsAbove(f)
	if len(above) == 0 {
		return attribution{}
	}
	return attribution{
		reason: report.NotDeployed, attention: true,
		why: fmt.Sprintf("version %d is newer and not live: an earlier attempt of this run may have rolled back to version %d already; if version %d is failing, set deployed-version, or roll back by hand with target-version",
			slices.Max(above), failing, failing),
		proof: fmt.Sprintf("not proven: this is attempt %d, and there is no record of what the earlier attempts did", attempt(f.o)),
	}
}
