package alias

import (
	"context"
	"fmt"
	"time"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// Guard knows who else moves an alias, such as the stack that owns it.
type Guard interface {
	// Look begins to find out who else moves the alias with an ARN, and does not
	// wait.
	Look(aliasARN string)
	// Allow says what is to come of a decision, after waiting for what must end
	// before it. Its error says why the alias must not be moved.
	Allow(ctx context.Context, p Proposal) (Hold, error)
}

// Proposal is a decision that is about to be carried out.
type Proposal struct {
	Decision Decision
	Alias    Alias
	// Changed: somebody else has changed the alias since it was first read.
	Changed bool
	Made    time.Time // when the version that it points at was made; zero: not known
	Chosen  bool      // a person chose the target
	Run     report.Run
}

// Hold is what a guard makes of a proposal. The zero value lets it go on.
type Hold struct {
	Again bool          // the alias may have changed: read it anew, and decide again
	Skip  report.Reason // leave the alias alone; empty: do not
	Why   string        // of Skip, half a sentence
}

// consult asks the guard about the decision, and decides again as often as it
// wants. Each time it has waited for something that took until then.
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
		Chosen:  o.Request.Target != 0, Run: o.Run,
	}
}

// holdBack leaves the alias alone, because somebody else has done what was to be
// done.
func holdBack(r *rollback, h Hold) {
	if s := &r.state; s.decision.Action == Move { // what was to be left serves, and is good
		s.decision.Reject, s.decision.Unhealthy, s.decision.Unreject = nil, 0, 0
		s.target, s.why, s.changes = 0, "", nil
	}
	r.log.Infof("left alone (%s): %s", h.Skip, h.Why)
	r.state.end(report.Skipped, h.Skip, fmt.Sprintf("%s was left on %s: %s", r.subject.place(), serving(r.now().Alias), h.Why))
}

// decideAgain reads the alias anew, and decides on what is there now.
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
