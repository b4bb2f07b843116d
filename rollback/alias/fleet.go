package alias

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/org/lambda-rollback-action/rollback/aws"
	"github.com/org/lambda-rollback-action/rollback/report"
)

// atOnce is how many functions are handled concurrently. The rate of calls is limited
// elsewhere, for all of them together.
const atOnce = 8

// backLimit is how long it may take to move an alias back, even after the input
// timeout.
const backLimit = 30 * time.Second

// Fleet is one or more functions to roll back. Its methods must be called one after
// the other.
type Fleet struct {
	// Log receives the progress for many functions; it may be nil.
	Log Log

	all          []*rollback
	allOrNothing bool
}

const (
	// callsToMove is how many calls one function needs until its alias has moved,
	// without optimizations.
	callsToMove = 6
	// manyFunctions is the number of functions above which the log shows the progress.
	manyFunctions = 10
)

// NewFleet returns a fleet of functions. It does not change any of them yet.
func NewFleet(functions []Function) *Fleet {
	f := &Fleet{all: make([]*rollback, len(functions))}
	var shared *listing
	if len(functions)*callsToMove > aws.Burst {
		shared = &listing{}
	}
	for i, function := range functions {
		f.all[i] = newRollback(function)
		f.all[i].observer.listing = shared
	}
	return f
}

// RollBack rolls back every function. After ctx ends, no new move starts; the cause is
// ErrCancelled or ErrTimeout.
func (f *Fleet) RollBack(ctx context.Context, allOrNothing bool) {
	f.allOrNothing = allOrNothing && len(f.all) > 1
	// All moves come before anything that may have to wait.
	if f.allOrNothing {
		moveAllOrNone(ctx, f.all, f.progress())
	} else {
		done := f.progress()
		each(f.all, func(r *rollback) {
			r.prepare(ctx)
			r.move(ctx)
			done(r)
		})
	}
	each(f.all, func(r *rollback) { r.finish(ctx) })
}

// progress returns the function to call for each finished function. For many
// functions, it logs the progress from time to time.
func (f *Fleet) progress() func(*rollback) {
	if f.Log == nil || len(f.all) <= manyFunctions {
		return func(*rollback) {}
	}
	var mu sync.Mutex
	moved, done := 0, 0
	return func(r *rollback) {
		mu.Lock()
		defer mu.Unlock()
		done++
		if r.state.moved != nil {
			moved++
		}
		if done%manyFunctions == 0 || done == len(f.all) {
			f.Log.Infof("%d of %d functions were moved, %d remain", moved, len(f.all), len(f.all)-done)
		}
	}
}

// Results returns the current results of the functions, in their order.
func (f *Fleet) Results() []report.Function {
	out := make([]report.Function, len(f.all))
	for i, r := range f.all {
		out[i] = r.result()
	}
	return out
}

// moveAllOrNone moves no function unless all can move, and moves the moved ones back
// if one then fails.
func moveAllOrNone(ctx context.Context, all []*rollback, done func(*rollback)) {
	each(all, func(r *rollback) { observeAndDecide(ctx, r) })
	if blocking(all) == nil { // otherwise, no CodeDeploy deployment is stopped for it
		each(all, func(r *rollback) { consult(ctx, r) })
	}
	if cause := blocking(all); cause != nil {
		for _, r := range all {
			if r.state.movePending() || r.state.status == report.Planned {
				r.state.to, r.state.weightsCleared = 0, false
				r.hold(cause)
			}
		}
	}
	var wanted []*rollback
	for _, r := range all {
		if r.state.movePending() {
			wanted = append(wanted, r)
		}
	}
	each(all, func(r *rollback) {
		r.move(ctx)
		done(r)
	})
	var failed *rollback
	for _, r := range wanted {
		if r.state.moved == nil && r.state.blocks() {
			failed = r
		}
	}
	// After a signal, nothing more is moved, not even back: the report says where each
	// function is.
	if failed == nil || errors.Is(context.Cause(ctx), ErrCancelled) {
		return
	}
	each(all, func(r *rollback) {
		if r.state.moved != nil {
			wayBack, cancel := wayBack(ctx, r.mover.finish)
			defer cancel()
			r.moveBack(wayBack, failed)
		}
	})
}

// wayBack returns a context that outlives the time limit of ctx, but not a signal.
func wayBack(ctx, finish context.Context) (context.Context, func()) {
	limited, release := context.WithTimeoutCause(finish, backLimit, ErrTimeout)
	out, cancel := context.WithCancelCause(limited)
	stop := context.AfterFunc(ctx, func() {
		if errors.Is(context.Cause(ctx), ErrCancelled) {
			cancel(ErrCancelled)
		}
	})
	return out, func() { stop(); cancel(nil); release() }
}

// moveBack returns a moved alias to its previous state, because another function could
// not be moved (all-or-nothing).
func (r *rollback) moveBack(ctx context.Context, cause *rollback) {
	from, target := r.now().Alias, r.state.decision.Target
	r.log.Infof("UpdateAlias: %s returns from version %d to %s, because all-or-nothing is set and another function could not be moved",
		r.subject.label(), target, serving(from))
	now, err := r.mover.update(ctx, change{from: *r.state.moved, version: from.primary(), weights: from.weights()})
	if err != nil {
		_, text := reasonOfProblem(err)
		if errors.Is(err, errChanged) {
			text = fmt.Sprintf("%s, and serves %s now", err, serving(now))
		}
		r.notes.warnf("all-or-nothing is set and another function could not be moved, but this one could not be returned to %s: %s", serving(from), text)
		if now.RevisionID != "" && now.primary() != versionText(target) && now.primary() != from.primary() {
			r.state.setChangedByOthers(now)
			addChangeByOthers(r, now)
		}
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

// hold leaves a function unchanged because another one cannot be moved.
func (r *rollback) hold(cause *rollback) {
	status, reason := cause.state.status, cause.state.reason
	r.state.end(status, reason, fmt.Sprintf("%s was left on %s: all-or-nothing is set, and %s cannot be moved (%s)",
		r.subject.place(), serving(r.now().Alias), cause.subject.label(), reason))
	r.state.decision.Reject = nil
}

// blocking returns a function that should move but cannot.
func blocking(all []*rollback) *rollback {
	for _, r := range all {
		if r.state.blocks() {
			return r
		}
	}
	return nil
}

// each runs a function for every rollback, several at a time.
func each(all []*rollback, act func(*rollback)) {
	eachThat(all, func(r *rollback) bool { act(r); return true })
}

// eachThat runs a function for every rollback, several at a time, and returns those
// for which it succeeded, in their order.
func eachThat(all []*rollback, act func(*rollback) bool) (worked []*rollback) {
	var g sync.WaitGroup
	places := make(chan struct{}, atOnce)
	done := make([]bool, len(all))
	for i, r := range all {
		places <- struct{}{}
		r.places = places
		g.Go(func() {
			defer func() { r.places = nil; <-places }()
			done[i] = act(r)
		})
	}
	g.Wait()
	for i, r := range all {
		if done[i] {
			worked = append(worked, r)
		}
	}
	return worked
}

// aside runs what can take a long time without blocking the functions that wait for a
// slot. Several calls of one function can wait at the same time.
func aside(r *rollback, wait func()) {
	places := r.places
	if places == nil {
		wait()
		return
	}
	if r.waiting.Add(1) == 1 {
		<-places
	}
	wait()
	if r.waiting.Add(-1) == 0 {
		places <- struct{}{}
	}
}
