package alias

import (
	"slices"
	"time"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// result returns the published part of the state.
func (r *rollback) result() report.Function {
	s := r.state
	f := report.Function{
		Function: r.subject.name, Region: r.subject.region, Alias: r.subject.alias, ARN: s.arn,
		Status: s.status, Reason: s.reason, Message: s.message, Cause: s.cause, Proof: s.proof,
		Attention: (s.status == report.Skipped || s.status == report.Promoted) && s.decision.Attention,
		From:      s.from.primary(), To: versionText(s.to), Target: versionText(s.target), Why: s.why,
		Left: versionText(s.left), Tried: versionTexts(s.tried),
		WeightsCleared: s.weightsCleared, DeployedAt: s.deployedAt,
		Rejected: s.rejected.Strings(), Healthy: s.healthy,
		Checks: append([]report.Check{}, s.checks...), Changes: append([]report.Change{}, s.changes...),
		Timeline:   append([]report.Moment{}, s.timeline...),
		Notes:      slices.Concat(s.decision.Notes, r.notes.all, s.found),
		LogGroup:   s.logGroup,
		DurationMS: r.clock.Now().Sub(r.started).Milliseconds(),
		HadCanary:  s.hadCanary, NotRestored: s.notRestored,
		ChangedByOthers: s.changedByOthers, AliasState: s.position.String(),
		Watched: s.watched, LogTail: s.logTail,
		NoPrevious: s.decision.NoPrevious,
		Promotion:  s.promotion,
		Versions:   s.versions, VersionsInAll: s.versionsInAll,
	}
	if s.first.Weighted != 0 {
		f.CanaryVersion, f.CanaryWeight = versionText(s.first.Weighted), s.first.Weight
	}
	if m := r.now().Memory; m.By == ByRollback && r.now().Alias.Only(m.Version) {
		f.RolledBackBy = m.Run
	}
	if !s.movedAt.IsZero() {
		f.MovedAt = s.movedAt.UTC().Format(time.RFC3339)
	}
	f.Published = map[string]time.Time{}
	for _, v := range append([]int64{s.from.Version, s.to, s.target, s.left}, s.tried...) {
		if known := r.now().Versions[v]; !known.LastModified.IsZero() {
			f.Published[versionText(v)] = known.LastModified
		}
	}
	return f
}

func versionTexts(all []int64) []string {
	var out []string
	for _, v := range all {
		out = append(out, versionText(v))
	}
	return out
}
