package alias

import (
	"context"
	"errors"
	"sync"
)

// stepTogether moves all functions that were rolled back on to their next older
// versions, or none of them (all-or-nothing). It gives those that are there.
func (f *Fleet) stepTogether(ctx context.Context) (moved []int) {
	var all []int
	for at, t := range f.tasks {
		if t.moved != nil {
			all = append(all, at)
		}
	}
	var mu sync.Mutex
	plans := map[*task]Decision{}
	f.further(all, func(t *task) bool {
		d, found := t.nextBack(ctx)
		if found {
			mu.Lock()
			defer mu.Unlock()
			plans[t] = d
		}
		return found
	})
	if len(plans) < len(all) {
		for t := range plans {
			t.warnf("all-or-nothing is set, and another function cannot go further back: this one stays on version %d", t.d.Target)
		}
		return nil
	}
	before := map[*task]task{}
	for t := range plans {
		before[t] = *t
	}
	moved = f.further(all, func(t *task) bool { return t.goBack(ctx, plans[t]) })
	// After a signal nothing more is moved, not even back.
	if len(moved) == len(all) || errors.Is(context.Cause(ctx), ErrCancelled) {
		return moved
	}
	back := f.further(moved, func(t *task) bool { return t.undoStep(ctx, before[t]) })
	return subtract(moved, back)
}

// undoStep returns from a step further back, because another function could not
// make it.
func (t *task) undoStep(ctx context.Context, before task) bool {
	ctx, cancel := wayBack(ctx, t.Finish)
	defer cancel()
	left := t.d.Target
	if !t.stillOn(ctx, left) {
		return false
	}
	d := before.d
	d.Unreject, d.Reject = d.Target, nil
	d.Why = "all-or-nothing is set, and another function could not go further back"
	if err := t.moveOn(ctx, d); err != nil {
		return t.staysOn(left, err)
	}
	t.d, t.first = before.d, before.first
	t.result.Tried, t.result.Message = before.result.Tried, before.result.Message
	t.result.Why, t.result.Reason = before.result.Why, before.result.Reason
	t.warnf("all-or-nothing is set, and another function could not go further back: this one returned to version %d", t.d.Target)
	return true
}

func subtract(all, out []int) (left []int) {
	gone := map[int]bool{}
	for _, at := range out {
		gone[at] = true
	}
	for _, at := range all {
		if !gone[at] {
			left = append(left, at)
		}
	}
	return left
}
