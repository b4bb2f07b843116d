package alias

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// atOnce is how many functions are worked on at the same time. How fast calls
// go out is held below AWS's limit elsewhere, for all of them together.
const atOnce = 8

// backLimit is how long a way back may take, also where the input timeout is over.
const backLimit = 30 * time.Second

// Fleet is one or several functions on their way. Its methods are to be called
// one after the other.
type Fleet struct {
	tasks    []*task
	together bool // all-or-nothing
}

// NewFleet makes a fleet of functions, which is not begun yet.
func NewFleet(functions []Function) *Fleet {
	f := &Fleet{tasks: make([]*task, len(functions))}
	for i, function := range functions {
		f.tasks[i] = newTask(function)
	}
	return f
}

// Run rolls every function back and gives one result for each, in their order.
// Where ctx ends, no new move starts; its cause is ErrCancelled or ErrTimeout.
func Run(ctx context.Context, functions []Function, allOrNothing bool) []report.Function {
	f := NewFleet(functions)
	f.RollBack(ctx, allOrNothing)
	return f.Results()
}

// RollBack rolls every function back. Where ctx ends, no new move starts; its
// cause is ErrCancelled or ErrTimeout.
func (f *Fleet) RollBack(ctx context.Context, allOrNothing bool) {
	if f.together = allOrNothing && len(f.tasks) > 1; f.together {
		together(ctx, f.tasks)
		return
	}
	// Every move comes before anything that can wait.
	each(f.tasks, func(t *task) {
		t.prepare(ctx)
		t.move(ctx)
	})
	each(f.tasks, func(t *task) { t.finish(ctx) })
}

// Results are those of the functions, in their order, as they stand now.
func (f *Fleet) Results() []report.Function {
	out := make([]report.Function, len(f.tasks))
	for i, t := range f.tasks {
		out[i] = t.done()
	}
	return out
}

// together moves none unless all can move, and returns those that moved when
// one then fails.
func together(ctx context.Context, tasks []*task) {
	each(tasks, func(t *task) { t.prepare(ctx) })
	if cause := blocking(tasks); cause != nil {
		for _, t := range tasks {
			if t.wantsMove() || t.result.Status == report.Planned {
				t.result.To, t.result.WeightsCleared = "", false
				t.hold(cause)
			}
		}
	}
	wanted := map[*task]bool{}
	for _, t := range tasks {
		wanted[t] = t.wantsMove()
	}
	each(tasks, func(t *task) { t.move(ctx) })
	var failed *task
	for _, t := range tasks {
		if wanted[t] && t.moved == nil && t.blocks() {
			failed = t
		}
	}
	// After a signal nothing more is moved, not even back: the report says
	// which function is where.
	if failed != nil && !errors.Is(context.Cause(ctx), ErrCancelled) {
		each(tasks, func(t *task) {
			if t.moved != nil {
				wayBack, cancel := wayBack(ctx, t.Finish)
				defer cancel()
				t.back(wayBack, failed)
			}
		})
	}
	each(tasks, func(t *task) { t.finish(ctx) })
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

// blocking is a function that should move and cannot. One that is where it
// should be does not stand in the way.
func blocking(tasks []*task) *task {
	for _, t := range tasks {
		if t.blocks() {
			return t
		}
	}
	return nil
}

// blocks is false for a function that is where it should be.
func (t *task) blocks() bool {
	return t.result.Status == report.Failed ||
		t.result.Reason == report.NoPreviousVersion || t.result.Reason == report.Superseded
}

// each works on every function, several at a time.
func each(tasks []*task, f func(*task)) {
	var g errgroup.Group
	g.SetLimit(atOnce)
	for _, t := range tasks {
		g.Go(func() error { f(t); return nil })
	}
	_ = g.Wait() // f returns no error
}
