package alias

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// StepBack moves the picked functions, which are not healthy where they were
// rolled back to, on to the next older version that is not rejected and can
// serve. It gives those that were moved. With all-or-nothing it moves every
// function that was moved, or none.
func (f *Fleet) StepBack(ctx context.Context, picked []int) (moved []int) {
	if f.together {
		return f.stepTogether(ctx)
	}
	return f.further(picked, func(t *task) bool {
		d, found := t.nextBack(ctx)
		return found && t.goBack(ctx, d)
	})
}

// Return moves the picked functions, for which no older version was healthy
// either, back to where the first move had brought them; with all-or-nothing all
// that went further. It gives those that are there.
func (f *Fleet) Return(ctx context.Context, picked []int) (returned []int) {
	if f.together {
		picked = f.everyone()
	}
	return f.further(picked, func(t *task) bool { return t.toFirst(ctx) })
}

func (f *Fleet) further(picked []int, act func(*task) bool) (done []int) {
	var tasks []*task
	place := map[*task]int{}
	for _, at := range picked {
		tasks = append(tasks, f.tasks[at])
		place[f.tasks[at]] = at
	}
	var mu sync.Mutex
	each(tasks, func(t *task) {
		if act(t) {
			mu.Lock()
			defer mu.Unlock()
			done = append(done, place[t])
		}
	})
	slices.Sort(done)
	return done
}

// nextBack finds the next older version for one that is not healthy, and moves
// nothing. What stands in its way is a note: the rollback as such has worked.
func (t *task) nextBack(ctx context.Context) (d Decision, found bool) {
	if t.moved == nil {
		return d, false
	}
	unwell := t.d.Target
	if !t.stillOn(ctx, unwell) {
		return d, false
	}
	d, err := t.decideBy(ctx, func(o Observation) Decision {
		return decideWith(o, func(f *facts) Decision { return f.below(unwell, true) })
	})
	if err != nil {
		return d, t.staysOn(unwell, err)
	}
	if d.Action != Move {
		t.warnf("version %d is not healthy either, and there is nothing further back: %s", unwell, d.Why)
		return d, false
	}
	// The failed run made versions that are passed over on its behalf; the
	// version that is left was good once, and no run is to blame.
	d.Unhealthy, d.Reject = unwell, without(d.Reject, unwell)
	d.Proof = t.d.Proof
	d.Notes = slices.Concat(t.d.Notes, d.Notes)
	return d, true
}

// goBack leaves a version that is not healthy for the one that was found.
func (t *task) goBack(ctx context.Context, d Decision) bool {
	unwell := t.d.Target
	if err := t.moveOn(ctx, d); err != nil {
		return t.staysOn(unwell, err)
	}
	if t.first == 0 {
		t.first = unwell
	}
	t.result.Tried = append(t.result.Tried, versionText(unwell))
	t.result.Message = fmt.Sprintf("%s in %s is on version %d: it was rolled back from version %s, and %s not healthy either",
		t.label(), t.Environment, d.Target, t.result.Left, versions(t.result.Tried))
	return true
}

// toFirst returns to the target of the first move.
func (t *task) toFirst(ctx context.Context) bool {
	unwell := t.d.Target
	if t.moved == nil || t.first == 0 || t.first == unwell || !t.stillOn(ctx, unwell) {
		return false
	}
	d := t.d
	d.Target, d.Unreject, d.Unhealthy, d.Reject = t.first, t.first, unwell, nil
	d.Why = "no older version was healthy either"
	if err := t.moveOn(ctx, d); err != nil {
		return t.staysOn(unwell, err)
	}
	t.result.Tried = append(t.result.Tried, versionText(unwell))
	t.result.Message = fmt.Sprintf("%s in %s is on version %d, to which it was rolled back first from version %s: %s not healthy",
		t.label(), t.Environment, d.Target, t.result.Left, versions(t.result.Tried))
	return true
}

// stillOn reads alias and memory anew. Somebody else's move is never undone.
func (t *task) stillOn(ctx context.Context, version int64) bool {
	if err := t.look(ctx); err != nil {
		return t.staysOn(version, err)
	}
	if now := t.o.Alias; !now.Only(version) && !t.shifting(now, version) {
		t.elsewhere(now)
		return false
	}
	return true
}

// staysOn says why a further move was not made.
func (t *task) staysOn(version int64, err error) bool {
	_, text := reasonOfProblem(err)
	if p, found := errors.AsType[*Problem](err); found && p.Unknown {
		t.result.AliasState = fmt.Sprintf("whether the alias left version %d is not known: look where it points", version)
		t.warnf("it is not known whether the alias left version %d, which is not healthy: %s", version, text)
		return false
	}
	t.warnf("version %d is not healthy, but the alias could not be moved further: %s", version, text)
	return false
}

// moveOn makes a further move and remembers it. Where somebody else changed the
// alias meanwhile, no decision is made anew.
func (t *task) moveOn(ctx context.Context, d Decision) error {
	if ctx.Err() != nil {
		return &Stopped{Cause: context.Cause(ctx)}
	}
	from := t.o.Alias
	t.log.Infof("UpdateAlias: %s from %s to version %d, because %s (revision %s)",
		t.label(), serving(from), d.Target, d.Why, from.RevisionID)
	now, err := t.update(ctx, from, versionText(d.Target), nil)
	switch {
	case errors.Is(err, errChanged):
		t.elsewhere(now)
		return &Problem{Reason: report.AliasChanged, Err: err, Text: "somebody else changed it at the same time: it serves " + serving(now) + " now"}
	case err != nil:
		return err
	}
	last, lastD, lastMoved := t.result, t.d, t.moved
	t.moved, t.d = &now, d
	r := &t.result
	r.AliasState, r.ServedBefore = "", false
	t.takeLogGroup(d.Target)
	r.To, r.Target, r.Why, r.Reason = versionText(d.Target), versionText(d.Target), d.Why, d.Reason
	t.movedNow(fmt.Sprintf("to version %d, from %s", d.Target, serving(from)))
	if failed, known := t.o.Versions[t.failing()]; known && failed.Read {
		r.Changes = append([]report.Change{}, changes(failed.Settings, t.o.Versions[d.Target].Settings)...)
	}
	if t.Request.Remember {
		t.remember(ctx)
	}
	if err := t.settle(ctx, d.Target); err != nil {
		t.result, t.d, t.moved = last, lastD, lastMoved
		return err
	}
	return nil
}

// failing is the version that the first move left.
func (t *task) failing() int64 {
	v, err := parseNumber(t.result.Left)
	if err != nil {
		return 0
	}
	return v
}

// versions lists tried versions as the beginning of "… not healthy".
func versions(tried []string) string {
	last := len(tried) - 1
	if last == 0 {
		return "version " + tried[0] + " was"
	}
	return "versions " + strings.Join(tried[:last], ", ") + " and " + tried[last] + " were"
}
