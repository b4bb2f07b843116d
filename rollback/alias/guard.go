package alias

import (
	"context"
	"fmt"
	"time"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// Guard knows what else moves an alias, such as the stack that owns it.
type Guard interface {
	// Look starts to find out what else moves the alias with an ARN, and does not
	// wait.
	Look(aliasARN string)
	// Allow decides about a decision, after waiting for what must end before it. The
	// error says why the alias must not be moved.
	Allow(ctx context.Context, p Proposal) (Hold, error)
}

// Proposal is a decision that is about to be carried out.
type Proposal struct {
	Decision Decision
	Alias    Alias
	// Changed reports whether somebody else has changed the alias since it was first
	// read.
	Changed bool
	Made    time.Time // when the version that the alias points at was made; zero if unknown
	Chosen  bool      // the target was chosen manually
	// Shared reports whether two versions share the traffic, and a promotion by this
	// program did not cause that.
	Shared bool
	Run    report.Run
}

// Hold is a guard's response to a proposal. The zero value allows it.
type Hold struct {
	Again bool          // the alias may have changed: read it again, and decide again
	Skip  report.Reason // the reason not to move the alias; empty to continue
	Why   string        // the explanation for Skip, as part of a sentence
}

// consult asks the guard about the decision, and decides again as often as the guard
// requires. Each time, the guard has waited for something until then.
func consult(ctx context.Context, r *rollback) {
	for r.guard != nil && !r.dryRun && (r.state.movePending() || r.state.reason == report.NotDeployed) {
		var hold Hold
		var err error
		aside(r, func() { hold, err = r.guard.Allow(ctx, proposal(r)) })
		switch {
		case err != nil:
			r.fail(err)
			return
		case hold.Skip != "":
			holdBack(r, hold)
			return
		case !hold.Again:
			return
		}
		r.state.end("", "", "")
		decideAgain(ctx, r)
	}
}

func proposal(r *rollback) Proposal {
	o := r.now()
	return Proposal{
		Decision: r.state.decision, Alias: o.Alias,
		Changed: o.First != nil && !o.First.sameTraffic(o.Alias),
		Made:    o.Versions[o.Alias.Version].LastModified,
		Chosen:  o.Request.Target != 0,
		Shared:  o.Alias.Weighted != 0 && !o.Memory.promoting(o.Alias),
		Run:     o.Run,
	}
}

// holdBack leaves the alias unchanged, because something else has already done what
// was needed.
func holdBack(r *rollback, h Hold) {
	if s := &r.state; s.decision.Action == Move { // the version that was to be replaced is live, and is good
		s.decision.Reject, s.decision.Unhealthy, s.decision.Unreject = nil, 0, 0
		s.target, s.why, s.changes = 0, "", nil
	}
	r.log.Infof("not changed (%s): %s", h.Skip, h.Why)
	r.state.end(report.Skipped, h.Skip, fmt.Sprintf("%s was left on %s: %s", r.subject.place(), serving(r.now().Alias), h.Why))
}

// decideAgain reads the alias again, and decides on its current state.
func decideAgain(ctx context.Context, r *rollback) {
	if err := r.observer.observe(ctx); err != nil {
		r.fail(err)
		return
	}
	d, err := r.observer.decide(ctx, Decide)
	if err != nil {
		r.fail(err)
		return
	}
	r.state.from = r.now().Alias
	r.adopt(d)
}
