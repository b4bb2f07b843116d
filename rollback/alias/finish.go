package alias

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// finish writes the memory, and reads the alias until the traffic has moved, both
// concurrently.
func (r *rollback) finish(ctx context.Context) {
	s, remembered := &r.state, func() {}
	if r.now().Request.Remember && s.status != report.Failed && (s.moved != nil || len(s.decision.Reject) > 0 || s.decision.Unreject != 0) {
		remembered = r.remember(ctx)
	}
	if s.moved == nil {
		remembered()
		return
	}
	var err error
	if !s.changedByOthers { // otherwise, it was read on the way back
		err = r.settle(ctx)
	}
	remembered()
	if err != nil {
		s.clearMove()
		r.fail(err)
	}
	completeProof(ctx, r)
}

// addChangeByOthers adds to the message that somebody else changed the alias after the
// rollback.
func addChangeByOthers(r *rollback, now Alias) {
	r.state.message += fmt.Sprintf("; somebody else changed it after that, and it serves %s now", serving(now))
}

// remember starts to write the memory alias. The function that it returns waits for
// that and stores the result. A failure is only a warning: it does not affect the
// rollback.
func (r *rollback) remember(ctx context.Context) (wait func()) {
	if r.now().Memory.Foreign != "" { // this was reported before
		return func() {}
	}
	if r.now().RunAwaited && r.now().Run.Attempt == 0 {
		r.observer.awaitRun(ctx) // the memory contains the attempt
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
			r.notes.warnf("could not record the rejected version in the alias %s: %s; until it is recorded, the next rollback may choose version %s again",
				r.client.memoryAlias(), text, strings.Join(wanted.Rejected.Strings(), " or "))
		}
	}
}

// settle reads the alias until 100% of the traffic is on the target: with provisioned
// concurrency, AWS shifts the traffic with temporary weights, for minutes. An error
// means that the move did not persist.
func (r *rollback) settle(ctx context.Context) error {
	began, target, before := r.clock.Now(), r.state.decision.Target, r.now().Alias
	var first Alias // the split of the traffic at first
	lastAsBefore := before.RevisionID
	for wait := time.Second; ; wait = min(2*wait, 10*time.Second) {
		now, err := r.client.readAlias(ctx)
		switch {
		case err != nil && ctx.Err() != nil:
			r.notes.warnf("could not confirm that 100%% of traffic is on version %d: %s", target, context.Cause(ctx))
			return nil //nolint:nilerr // the move itself holds
		case err != nil:
			r.notes.warnf("could not determine whether 100%% of traffic is on version %d: %s", target, explain(err, "GetAlias", r.client.resource(r.now().Alias)).Text)
			return nil
		case now.Only(target):
			r.log.Infof("read the alias back: 100%% of traffic is on version %d", target)
			detail := fmt.Sprintf("100%% of traffic is on version %d", target)
			if first.Weighted != 0 {
				detail += fmt.Sprintf("; it took %s, and at first %.3g%% still went to version %d", report.DurationText(r.clock.Now().Sub(began).Round(time.Second)), 100*first.Weight, first.Weighted)
			}
			r.state.happened(report.TrafficMoved, r.stamp(), detail)
			return nil
		case now.Version != target && now.primary() == before.primary() && (now.RevisionID == before.RevisionID || now.RevisionID != lastAsBefore):
			// AWS responded to the move with a new revision. This is the old one, or
			// one that no second read has confirmed: a read may return older data than
			// the last write.
			lastAsBefore = now.RevisionID
			r.log.Infof("AWS accepted the move, but reads still return the previous state of the alias: reading it again in %s", wait)
			if r.clock.Sleep(ctx, wait) != nil {
				r.notes.warnf("AWS accepted the move to version %d, but reads still returned the previous state at the time limit: check where the alias points", target)
				return nil //nolint:nilerr // AWS's answer proves the move
			}
			continue
		case now.Version != target && now.primary() == before.primary():
			return &Problem{Reason: report.AliasChanged, Text: "AWS accepted the move, but when read again, the alias serves " + serving(now) +
				" as before: somebody moved it back, or AWS did not move it; run this again"}
		case now.Version != target:
			r.keepChangedByOthers(now)
			addChangeByOthers(r, now)
			return nil
		}
		if first.Weighted == 0 {
			first = now
		}
		r.log.Infof("version %d does not have all of the traffic yet: %.3g%% still goes to version %d, as happens with provisioned concurrency; checking again in %s",
			target, 100*now.Weight, now.Weighted, wait)
		if r.clock.Sleep(ctx, wait) != nil {
			r.notes.warnf("the traffic is still shifting: %.3g%% went to version %d at the time limit; AWS continues without this action: check the alias in a few minutes", 100*now.Weight, now.Weighted)
			return nil //nolint:nilerr // the move itself holds
		}
	}
}
