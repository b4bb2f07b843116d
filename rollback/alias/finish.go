package alias

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// finish remembers, and reads the traffic until it has moved, both at once.
func (r *rollback) finish(ctx context.Context) {
	s, remembered := &r.state, func() {}
	if r.now().Request.Remember && s.status != report.Failed && (s.moved != nil || len(s.decision.Reject) > 0 || s.decision.Unreject != 0) {
		remembered = r.remember(ctx)
	}
	if s.moved == nil {
		remembered()
		return
	}
	err := r.settle(ctx)
	remembered()
	if err != nil {
		s.clearMove()
		r.fail(err)
	}
	completeProof(ctx, r)
}

// remember begins to write the memory alias. What it gives waits for that and
// keeps what came of it. Failing to write is a warning: the rollback itself is not
// touched by it.
func (r *rollback) remember(ctx context.Context) (wait func()) {
	if r.now().Memory.Foreign != "" { // which was said
		return func() {}
	}
	if r.now().RunAwaited && r.now().Run.Attempt == 0 {
		r.observer.awaitRun(ctx) // the memory names the attempt
	}
	var wanted, stored Memory
	var err error
	var writing sync.WaitGroup
	o, decision := *r.now(), r.state.decision
	writing.Go(func() {
		wanted, stored, err = r.memory.save(ctx, o.Memory, func(old Memory) Memory {
			return nextMemory(old, decision, o, r.stamp())
		})
	})
	return func() {
		writing.Wait()
		r.now().Memory, r.state.rejected = stored, wanted.Rejected
		if err != nil {
			_, text := reasonOfProblem(err)
			r.notes.warnf("what was rejected could not be remembered in the alias %s: %s; until it is, the next rollback may choose version %s again",
				r.client.memoryAlias(), text, strings.Join(wanted.Rejected.Strings(), " or "))
		}
	}
}

// settle reads the alias until the target serves alone: with provisioned
// concurrency AWS shifts the traffic by temporary weights, for minutes. Its error
// says that the move did not hold.
func (r *rollback) settle(ctx context.Context) error {
	began, target, before := r.clock.Now(), r.state.decision.Target, r.now().Alias
	var first Alias // how the traffic was split at first
	lastAsBefore := before.RevisionID
	for wait := time.Second; ; wait = min(2*wait, 10*time.Second) {
		now, err := r.client.readAlias(ctx)
		switch {
		case err != nil && ctx.Err() != nil:
			r.notes.warnf("could not confirm that 100%% of traffic is on version %d: %s", target, context.Cause(ctx))
			return nil //nolint:nilerr // the move itself holds
		case err != nil:
			r.notes.warnf("could not read whether 100%% of traffic is on version %d: %s", target, explain(err, "GetAlias", r.client.resource(r.now().Alias)).Text)
			return nil
		case now.Only(target):
			r.log.Infof("read the alias back: 100%% of traffic is on version %d", target)
			detail := fmt.Sprintf("100%% of traffic is on version %d", target)
			if first.Weighted != 0 {
				detail += fmt.Sprintf("; it took %s, at first %.3g%% still went to version %d", r.clock.Now().Sub(began).Round(time.Second), 100*first.Weight, first.Weighted)
			}
			r.state.happened(report.TrafficMoved, r.clock.Now(), detail)
			return nil
		case now.Version != target && now.primary() == before.primary() && (now.RevisionID == before.RevisionID || now.RevisionID != lastAsBefore):
			// AWS answered the move with a new revision. This is the old one, or one that
			// no second reading has confirmed: a read may lag behind a write.
			lastAsBefore = now.RevisionID
			r.log.Infof("the alias reads as before the move, which AWS accepted: looking again in %s", wait)
			if r.clock.Sleep(ctx, wait) != nil {
				r.notes.warnf("AWS accepted the move to version %d, but the alias still read as before it when the time was over: look where it points", target)
				return nil //nolint:nilerr // AWS's answer proves the move
			}
			continue
		case now.Version != target && now.primary() == before.primary():
			return &Problem{Reason: report.AliasChanged, Text: "AWS accepted the move, but read back the alias serves " + serving(now) +
				" as before: somebody moved it back, or AWS did not move it; run this again"}
		case now.Version != target:
			r.keepChangedByOthers(now)
			r.state.message += fmt.Sprintf("; somebody else changed it after that, and it serves %s now", serving(now))
			return nil
		}
		if first.Weighted == 0 {
			first = now
		}
		r.log.Infof("version %d does not have all of the traffic yet: %.3g%% still goes to version %d, as with provisioned concurrency; looking again in %s",
			target, 100*now.Weight, now.Weighted, wait)
		if r.clock.Sleep(ctx, wait) != nil {
			r.notes.warnf("the traffic is still shifting: %.3g%% went to version %d when the time was over; AWS continues without this action: look at the alias in a few minutes", 100*now.Weight, now.Weighted)
			return nil //nolint:nilerr // the move itself holds
		}
	}
}
