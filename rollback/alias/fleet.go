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

// atOnce is how many functions are worked on at the same time. How fast calls
// go out is held below AWS's limit elsewhere, for all of them together.
const atOnce = 8

// backLimit is how long a way back may take, also where the input timeout is over.
const backLimit = 30 * time.Second

// Fleet is one or several functions that are rolled back. Its methods are to be
// called one after the other.
type Fleet struct {
	// Log takes how far the moves of many functions are; nil: nobody reads it.
	Log Log

	all          []*rollback
	allOrNothing bool
}

const (
	// callsToMove is how many calls one function takes until its alias has moved,
	// where nothing is saved.
	callsToMove = 6
	// manyFunctions is above how many functions the log tells how far they are.
	manyFunctions = 10
)

// NewFleet makes a fleet of functions, none of which is touched yet.
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

// RollBack rolls every function back. Where ctx ends, no new move starts; its
// cause is ErrCancelled or ErrTimeout.
func (f *Fleet) RollBack(ctx context.Context, allOrNothing bool) {
	f.allOrNothing = allOrNothing && len(f.all) > 1
	// Every move comes before anything that can wait.
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

// progress gives what is to be called for each function that was dealt with. Of
// many functions it tells the log now and then how far they are.
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
			f.Log.Infof("%d of %d functions were moved, %d are left", moved, len(f.all), len(f.all)-done)
		}
	}
}

// Results are those of the functions, in their order, as they stand now.
func (f *Fleet) Results() []report.Function {
	out := make([]report.Function, len(f.all))
	for i, r := range f.all {
		out[i] = r.result()
	}
	return out
}

// moveAllOrNone moves none unless all can move, and returns those that moved when
// one then fails.
func moveAllOrNone(ctx context.Context, all []*rollback, done func(*rollback)) {
	each(all, func(r *rollback) { observeAndDecide(ctx, r) })
	if blocking(all) == nil { // else no deployment of CodeDeploy is stopped for it
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
	// After a signal nothing more is moved, not even back: the report says
	// which function is where.
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

// wayBack is a context that outlives the time limit of ctx, but not a signal.
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

// blocking is a function that should move and cannot.
func blocking(all []*rollback) *rollback {
	for _, r := range all {
		if r.state.blocks() {
			return r
		}
	}
	return nil
}

// each works on every function, several at a time.
func each(all []*rollback, act func(*rollback)) {
	eachThat(all, func(r *rollback) bool { act(r); return true })
}

// eachThat works on every function, several at a time, and gives those for which
// it worked, in their order.
func eachThat(all []*rollback, act func(*rollback) bool) (worked []*rollback) {
	var g sync.WaitGroup
	places := make(chan struct{}, atOnce)
	done := make([]bool, len(all))
	for i, r := range all {
		places <- struct{}{}
		r.places = places
		g.Go(func() {
			defer func() { <-places }()
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

// aside does what can take long without holding up the functions that are behind.
func aside(r *rollback, wait func()) {
	if r.places == nil {
		wait()
		return
	}
	<-r.places
	wait()
	r.places <- struct{}{}
}
