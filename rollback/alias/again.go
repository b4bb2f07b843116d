package alias

import (
	"github.com/org/lambda-rollback-action/rollback/report"
)

// A run that is tried again after it has rolled back moves nothing. Whether
// production is well is asked again all the same: a step that turned green by being
// run twice would say that it is.

// movedBefore tells that the alias stands where an earlier rollback has left it, and
// that this one left it there.
func movedBefore(r *rollback) bool {
	s, o := r.state, r.now()
	if s.status != report.Skipped || r.dryRun {
		return false
	}
	return s.reason == report.AlreadyRolledBack ||
		s.reason == report.AlreadyOnTarget && o.Memory.writtenBy(ByRollback, o.Run)
}

// leftBefore is the version that the earlier rollback left, as far as the memory
// tells; 0: it does not.
func leftBefore(r *rollback) int64 {
	m := r.now().Memory
	for _, e := range m.Rejected {
		if e.Run == m.Run && e.First > r.now().Alias.Version {
			return e.First
		}
	}
	return 0
}

// factsOfEarlier are those of a move that an earlier rollback made. Its checks look
// at what is now.
func factsOfEarlier(r *rollback) Moved {
	now, left := r.now().Alias, leftBefore(r)
	m := movedFacts(r)
	m.Version, m.Split, m.Left = now.Version, now.Weighted != 0, left
	m.MovedAt, m.DeployedAt = r.clock.Now(), r.now().deployedAt(left)
	return m
}

// adoptEarlier makes the earlier move the one that failed, because production is
// not well after it.
func adoptEarlier(r *rollback) {
	s, o := &r.state, r.now()
	s.to, s.movedAt, s.left = o.Alias.Version, o.Memory.At, leftBefore(r)
	if s.left != 0 {
		s.from = Alias{ARN: o.Alias.ARN, Version: s.left}
	}
}
