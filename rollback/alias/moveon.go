package alias

import (
	"context"
	"errors"
	"fmt"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// moveOn makes a further move and remembers it. Where somebody else changed the
// alias meanwhile, no decision is made anew. On an error the state is what it was,
// but that others have changed the alias is kept. For ours see change.
func (r *rollback) moveOn(ctx context.Context, d Decision, ours bool) error {
	if ctx.Err() != nil {
		return &Stopped{Cause: context.Cause(ctx)}
	}
	from := r.now().Alias
	r.log.Infof("UpdateAlias: %s from %s to version %d, because %s (revision %s)",
		r.subject.label(), serving(from), d.Target, d.Why, from.RevisionID)
	now, err := r.mover.update(ctx, change{from: from, version: versionText(d.Target), ours: ours})
	switch {
	case errors.Is(err, errChanged):
		r.keepChangedByOthers(now)
		return &Problem{Reason: report.AliasChanged, Err: err, Text: "somebody else changed it at the same time: it serves " + serving(now) + " now"}
	case err != nil:
		return err
	}
	before, s := r.state, &r.state
	s.decision, s.position, s.servedBefore = d, position{}, false
	s.target, s.why, s.reason = d.Target, d.Why, d.Reason
	r.takeLogGroup(d.Target)
	s.move(now, d.Target, r.clock.Now(), fmt.Sprintf("to version %d, from %s", d.Target, serving(from)))
	r.compare(s.left, d.Target)
	if r.now().Request.Remember {
		r.remember(ctx)
	}
	if err := r.settle(ctx); err != nil {
		r.state = before
		return err
	}
	return nil
}

// moveBack returns a moved alias to what it was, because another function could
// not be moved (all-or-nothing).
func (r *rollback) moveBack(ctx context.Context, cause *rollback) {
	from, target := r.now().Alias, r.state.decision.Target
	r.log.Infof("UpdateAlias: %s returns from version %d to %s, because all-or-nothing is set and another function could not be moved",
		r.subject.label(), target, serving(from))
	if _, err := r.mover.update(ctx, change{from: *r.state.moved, version: from.primary(), weights: from.weights()}); err != nil {
		_, text := reasonOfProblem(err)
		if errors.Is(err, errChanged) {
			text = err.Error()
		}
		r.notes.warnf("all-or-nothing is set and another function could not be moved, but this one could not be returned to %s and stays on version %d: %s", serving(from), target, text)
		return
	}
	r.state.clearMove()
	if cause.state.status == report.Skipped {
		r.hold(cause)
		return
	}
	r.fail(&Problem{Reason: cause.state.reason, Text: fmt.Sprintf(
		"all-or-nothing is set and %s could not be moved (%s), so it was returned to %s", cause.subject.label(), cause.state.reason, serving(from))})
}

// hold keeps a function where it is because another one cannot be moved.
func (r *rollback) hold(cause *rollback) {
	status, reason := cause.state.status, cause.state.reason
	r.state.end(status, reason, fmt.Sprintf("%s was left on %s: all-or-nothing is set, and %s cannot be moved (%s)",
		r.subject.place(), serving(r.now().Alias), cause.subject.label(), reason))
	r.state.decision.Reject = nil
}
