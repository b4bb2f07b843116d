package alias

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// confirmLimit limits the read of an alias after the checks.
const confirmLimit = 10 * time.Second

// stepper moves one function further back that was rolled back and is not healthy.
// Problems become notes, because the rollback as such has worked.
type stepper struct{ r *rollback }

// find finds the next older version that is not rejected and can serve traffic. It
// moves nothing.
func (s stepper) find(ctx context.Context) (d Decision, found bool) {
	r := s.r
	if r.state.moved == nil {
		return d, false
	}
	before := r.state.decision
	unhealthy := before.Target
	if !s.stillOn(ctx, unhealthy) {
		return d, false
	}
	d, err := r.observer.decide(ctx, func(o Observation) Decision {
		return decideWith(o, func(f *facts) Decision { return below(f, unhealthy, true) })
	})
	if err != nil {
		return d, s.staysOn(unhealthy, err)
	}
	if d.Action != Move {
		r.notes.warnf("version %d is not healthy either, and the action cannot go further back: %s", unhealthy, d.Why)
		return d, false
	}
	// Versions of the failed run are skipped because of that run; the version that is
	// replaced was good once, and no run caused its failure.
	d.Unhealthy, d.Reject = unhealthy, without(d.Reject, unhealthy)
	d.Proof = before.Proof
	d.Notes = slices.Concat(before.Notes, d.Notes)
	return d, true
}

// take replaces a version that is not healthy with the one that was found.
func (s stepper) take(ctx context.Context, d Decision) bool {
	state := &s.r.state
	unhealthy := state.decision.Target
	if err := s.r.moveOn(ctx, d, false); err != nil {
		return s.staysOn(unhealthy, err)
	}
	if state.firstTarget == 0 {
		state.firstTarget = unhealthy
	}
	state.tried = append(slices.Clip(state.tried), unhealthy)
	state.message = fmt.Sprintf("%s is on version %d: it was rolled back from version %d, and %s not healthy either",
		s.r.subject.place(), d.Target, state.left, versionsWere(state.tried))
	return true
}

// toFirst returns to the target of the first move.
func (s stepper) toFirst(ctx context.Context) bool {
	state := &s.r.state
	unhealthy, first := state.decision.Target, state.firstTarget
	if state.moved == nil || first == 0 || first == unhealthy || !s.stillOn(ctx, unhealthy) {
		return false
	}
	d := state.decision
	d.Target, d.Unreject, d.Unhealthy, d.Reject = first, first, unhealthy, nil
	d.Why = "no older version was healthy either"
	if err := s.r.moveOn(ctx, d, false); err != nil {
		return s.staysOn(unhealthy, err)
	}
	state.tried = append(slices.Clip(state.tried), unhealthy)
	state.message = fmt.Sprintf("%s in %s is on version %d, the first target of the rollback from version %d: %s not healthy",
		s.r.subject.label(), s.r.subject.environment, d.Target, state.left, versionsWere(state.tried))
	return true
}

// undo returns from a further step back to the state before it, because another
// function could not make that step (all-or-nothing).
func (s stepper) undo(ctx context.Context, before state) bool {
	ctx, cancel := wayBack(ctx, s.r.mover.finish)
	defer cancel()
	left := s.r.state.decision.Target
	if !s.stillOn(ctx, left) {
		return false
	}
	d := before.decision
	d.Unreject, d.Reject = d.Target, nil
	d.Why = "all-or-nothing is set, and another function could not go further back"
	if err := s.r.moveOn(ctx, d, false); err != nil {
		return s.staysOn(left, err)
	}
	state := &s.r.state
	state.decision, state.firstTarget, state.tried = before.decision, before.firstTarget, before.tried
	state.message, state.why, state.reason = before.message, before.why, before.reason
	s.r.notes.warnf("all-or-nothing is set, and another function could not go further back: this one returned to version %d", d.Target)
	return true
}

// stillOn reads the alias and the memory again. A move by somebody else is never
// undone.
func (s stepper) stillOn(ctx context.Context, version int64) bool {
	if err := s.r.observer.observe(ctx); err != nil {
		return s.staysOn(version, err)
	}
	if now := s.r.now().Alias; !now.Only(version) && !s.isShifting(now, version) {
		s.r.keepChangedByOthers(now)
		return false
	}
	return true
}

// staysOn records why a further move was not made. It always returns false.
func (s stepper) staysOn(version int64, err error) bool {
	_, text := reasonOfProblem(err)
	if p, found := errors.AsType[*Problem](err); found && p.Unknown {
		s.r.state.position = position{kind: unknown, on: version}
		s.r.notes.warnf("could not determine whether the alias left version %d, which is not healthy: %s", version, text)
		return false
	}
	s.r.notes.warnf("version %d is not healthy, but the alias could not be moved further: %s", version, text)
	return false
}

// confirm reads the alias again after the checks, because their results are attributed
// to the version that was live.
func (s stepper) confirm(ctx context.Context) {
	state := &s.r.state
	if state.moved == nil || state.changedByOthers {
		return
	}
	ctx, cancel := context.WithTimeoutCause(ctx, confirmLimit, ErrTimeout)
	defer cancel()
	target := state.decision.Target
	now, err := s.r.mover.readBack(ctx)
	switch {
	case err != nil:
		s.r.notes.warnf("could not determine whether the alias was still on version %d after the checks: %s", target, brief(err))
	case now.Only(target):
		state.position = position{}
	case s.isShifting(now, target):
		state.position = position{kind: shifting, alias: now}
	default:
		s.r.keepChangedByOthers(now)
	}
}

// isShifting reports whether AWS is still shifting the traffic to the target. The
// weights that AWS sets for that belong to versions that were replaced.
func (s stepper) isShifting(now Alias, target int64) bool {
	return now.Version == target && now.Weighted != 0 &&
		(now.Weighted == s.r.state.left || slices.Contains(s.r.state.tried, now.Weighted))
}

// moveOn makes a further move and stores it. If somebody else changed the alias in the
// meantime, the decision is not repeated. On an error, the state is unchanged, except
// that a change by others is recorded. For ours, see change.
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
	s.move(now, d.Target, r.stamp(), fmt.Sprintf("to version %d, from %s", d.Target, serving(from)))
	r.compare(s.left, d.Target)
	remembered := func() {}
	if r.now().Request.Remember {
		remembered = r.remember(ctx)
	}
	err = r.settle(ctx)
	remembered()
	if err != nil {
		r.state = before
		return err
	}
	return nil
}

// stepBack moves functions to their next older versions, and returns those that were
// moved.
func stepBack(ctx context.Context, unhealthy []*rollback) (moved []*rollback) {
	return eachThat(unhealthy, func(r *rollback) bool {
		s := stepper{r}
		d, found := s.find(ctx)
		return found && s.take(ctx, d)
	})
}

// stepBackTogether moves all functions that were rolled back to their next older
// versions, or none of them (all-or-nothing). It returns those that were moved.
func stepBackTogether(ctx context.Context, fleet []*rollback) (moved []*rollback) {
	all := slices.DeleteFunc(slices.Clone(fleet), func(r *rollback) bool { return r.state.moved == nil })
	var mu sync.Mutex
	plans := map[*rollback]Decision{}
	found := eachThat(all, func(r *rollback) bool {
		d, found := stepper{r}.find(ctx)
		mu.Lock()
		defer mu.Unlock()
		plans[r] = d
		return found
	})
	if len(found) < len(all) {
		for _, r := range found {
			r.notes.warnf("all-or-nothing is set, and another function cannot go further back: this one stays on version %d", r.state.decision.Target)
		}
		return nil
	}
	before := map[*rollback]state{}
	for _, r := range all {
		before[r] = r.state
	}
	moved = eachThat(all, func(r *rollback) bool { return stepper{r}.take(ctx, plans[r]) })
	// After a signal, nothing more is moved, not even back.
	if len(moved) == len(all) || errors.Is(context.Cause(ctx), ErrCancelled) {
		return moved
	}
	back := eachThat(moved, func(r *rollback) bool { return stepper{r}.undo(ctx, before[r]) })
	return slices.DeleteFunc(moved, func(r *rollback) bool { return slices.Contains(back, r) })
}

// toFirstTargets moves functions back to the target of their first move, and returns
// those that are there.
func toFirstTargets(ctx context.Context, all []*rollback) (returned []*rollback) {
	return eachThat(all, func(r *rollback) bool { return stepper{r}.toFirst(ctx) })
}

// versionsWere lists versions as the start of "… not healthy".
func versionsWere(tried []int64) string {
	all := versionTexts(tried)
	last := len(all) - 1
	if last == 0 {
		return "version " + all[0] + " was"
	}
	return "versions " + strings.Join(all[:last], ", ") + " and " + all[last] + " were"
}
