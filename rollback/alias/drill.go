package alias

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/org/lambda-rollback-action/rollback/report"
)

const (
	restoreTries = 30
	restorePause = time.Second
)

// Drill moves the aliases of functions to the version that a rollback would choose
// now, and back to what they served before. It rejects no version and stores nothing.
// Its methods must be called one after the other, and Restore must follow Move in all
// cases.
type Drill struct{ all []*drillRun }

// drillRun is the drill of one function.
type drillRun struct {
	r        *rollback
	before   Alias // what the alias served before, to return to
	began    bool  // a move was attempted, so there may be something to undo
	byOthers bool  // somebody else moved the alias to the target
	failure  string

	movedAt, restoredAt time.Time
	tookThere, tookBack time.Duration

	there, back *report.Verdict // nil if not checked
}

// NewDrill returns a drill of functions. It does not change any of them yet.
func NewDrill(functions []Function) *Drill {
	d := &Drill{all: make([]*drillRun, len(functions))}
	for i, f := range functions {
		f.Request.Remember = false
		d.all[i] = &drillRun{r: newRollback(f)}
	}
	return d
}

// Move moves every alias to the version that a rollback would choose now.
func (d *Drill) Move(ctx context.Context) {
	d.each(func(run *drillRun) { run.move(ctx) })
}

// Restore returns every alias that was moved to its previous state, including weights.
// It keeps trying after the time limit and after a signal, for as long as the process
// may run.
func (d *Drill) Restore() {
	d.each(func(run *drillRun) {
		if run.began {
			run.restore()
		}
	})
}

// Check runs the checks on the functions that the drill has moved and that are still
// where it moved them. log receives the verdicts.
func (d *Drill) Check(ctx context.Context, prove Prover, log Log) {
	if ctx.Err() != nil {
		return
	}
	var runs []*drillRun
	var facts []Moved
	for _, run := range d.all {
		if run.began && run.r.state.status == report.Drilled {
			runs, facts = append(runs, run), append(facts, run.facts())
		}
	}
	if len(runs) == 0 {
		return
	}
	for i, v := range prove(ctx, facts) {
		if runs[i].restoredAt.IsZero() {
			runs[i].there = &v
		} else {
			runs[i].back = &v
		}
		log.Infof("%s on version %d: %s", runs[i].r.client.resource(Alias{}), facts[i].Version, v.Healthy.Recovery())
	}
}

// Results returns the results of the functions, in their order. ctx shows whether the
// drill was stopped early.
func (d *Drill) Results(ctx context.Context) []report.Function {
	out := make([]report.Function, len(d.all))
	for i, run := range d.all {
		if run.began {
			run.conclude(ctx.Err() != nil)
		}
		out[i] = run.r.result()
	}
	return out
}

func (d *Drill) each(act func(*drillRun)) {
	runs, all := map[*rollback]*drillRun{}, []*rollback{}
	for _, run := range d.all {
		runs[run.r], all = run, append(all, run.r)
	}
	each(all, func(r *rollback) { act(runs[r]) })
}

func (run *drillRun) move(ctx context.Context) {
	const nothing = "nothing was moved for"
	r, s := run.r, &run.r.state
	if err := r.observer.readAliases(ctx); err != nil {
		r.failDoing(nothing, err)
		return
	}
	r.keepObserved()
	d, err := r.observer.preview(ctx)
	if err != nil {
		r.failDoing(nothing, err)
		return
	}
	switch d.Action {
	case Fail:
		r.failDoing(nothing, &Problem{Reason: d.Reason, Text: d.Why})
		return
	case Skip:
		r.adopt(d)
		return
	case Move, NeedMore: // every query was answered
	}
	r.log.Infof("the drill moves the alias to version %d, because %s", d.Target, d.Why)
	s.why, s.target, s.reason = d.Why, d.Target, d.Reason
	if r.dryRun {
		r.adopt(d)
		return
	}
	switch again, err := run.held(ctx, d); {
	case err != nil:
		r.failDoing(nothing, err)
		return
	case again:
		run.move(ctx)
		return
	}
	run.before, run.began = r.now().Alias, true
	s.hadCanary, s.decision, s.left = run.before.Weighted != 0, d, leftBy(run.before, d.Target)
	r.takeLogGroup(s.left)
	began := r.clock.Now()
	if err := r.moveOn(ctx, d, true); err != nil {
		run.byOthers = errors.Is(err, errMovedByOthers)
		s.status = report.Failed
		s.reason, run.failure = reasonOfProblem(err)
		r.log.Infof("the move failed (%s): %s", s.reason, run.failure)
		return
	}
	run.movedAt, run.tookThere = s.movedAt, r.clock.Now().Sub(began)
	s.status, s.reason = report.Drilled, ""
}

// held waits for what must end before the alias may be moved. again reports that the
// alias may have changed during the wait.
func (run *drillRun) held(ctx context.Context, d Decision) (again bool, err error) {
	r := run.r
	if r.guard == nil {
		return false, nil
	}
	p := proposal(r)
	p.Decision, p.Chosen = d, true // an alias that a stack has restored can be used for the drill as well
	var hold Hold
	aside(r, func() { hold, err = r.guard.Allow(ctx, p) })
	return hold.Again, err
}

// restore returns the alias to what it served before.
func (run *drillRun) restore() {
	r, s, before := run.r, &run.r.state, run.before
	ctx, cancel := context.WithTimeoutCause(r.mover.finish, restoreTries*restorePause, ErrTimeout)
	defer cancel()
	var last error
	isShifting := false
	began := r.clock.Now()
	for try := 1; try <= restoreTries && ctx.Err() == nil; try++ {
		now, err := r.client.readAlias(ctx)
		switch {
		case err != nil:
			last = err
		case now.sameTraffic(before):
			run.restored(now, began)
			return
		case before.Weighted == 0 && now.Version == before.Version && now.Weighted == s.target:
			isShifting = true // as with provisioned concurrency
		case !run.isOurs(now):
			s.end(report.Failed, report.AliasChanged, fmt.Sprintf("somebody else has changed %s during the drill: it serves %s now, and was not moved", r.subject.place(), serving(now)))
			s.to, s.movedAt, s.changedByOthers = 0, time.Time{}, true
			return
		default:
			r.log.Infof("UpdateAlias: %s returns from %s to %s (revision %s)", r.subject.label(), serving(now), serving(before), now.RevisionID)
			if _, last = r.mover.update(ctx, change{from: now, version: before.primary(), weights: before.weights()}); last == nil {
				continue // read back
			}
		}
		if r.clock.Sleep(ctx, restorePause) != nil {
			break
		}
	}
	if isShifting {
		r.notes.warnf("the alias is back on version %d, but its traffic is still shifting; AWS continues without this action", before.Version)
		run.restored(before, began)
		return
	}
	if last == nil {
		last = &Stopped{Cause: context.Cause(ctx)}
	}
	reason, text := reasonOfProblem(explain(last, "UpdateAlias", r.client.resource(r.now().Alias)))
	s.notRestored = true
	s.end(report.Failed, reason, fmt.Sprintf("%s was NOT returned to %s after the drill, and may still be on version %d: %s",
		r.subject.place(), serving(before), s.target, text))
}

// isOurs reports whether the alias is where the drill moved it, with no weights other
// than those that AWS sets while the traffic shifts.
func (run *drillRun) isOurs(now Alias) bool {
	return !run.byOthers && now.Version == run.r.state.target && (now.Weighted == 0 || run.before.Serves(now.Weighted))
}

// restored records that the alias serves again what it served before.
func (run *drillRun) restored(now Alias, began time.Time) {
	r, s := run.r, &run.r.state
	r.log.Infof("the alias serves %s again", serving(now))
	run.restoredAt, run.tookBack = r.stamp(), r.clock.Now().Sub(began)
	s.happened(report.Returned, run.restoredAt, "serves "+serving(now)+" again")
	s.moved, s.to = nil, 0
	if run.failure != "" {
		s.movedAt = time.Time{}
		s.message = fmt.Sprintf("%s serves %s, as before; the drill failed: %s", r.subject.place(), serving(now), run.failure)
		return
	}
	s.message = fmt.Sprintf("%s serves %s, as before: the drill moved it to version %d in %s, and back in %s",
		r.subject.place(), serving(now), s.target, report.DurationText(run.tookThere), report.DurationText(run.tookBack))
}

// facts returns the facts for the checks. The time before the drill is the baseline.
func (run *drillRun) facts() Moved {
	m := movedFacts(run.r)
	m.Left, m.ServedBefore, m.DeployedAt = run.before.Version, false, run.movedAt
	if !run.restoredAt.IsZero() {
		m.Version, m.Left, m.MovedAt, m.Split = run.before.Version, run.r.state.target, run.restoredAt, run.before.Weighted != 0
	}
	return m
}

// conclude stores the findings in the state. Every message starts with where the alias
// points.
func (run *drillRun) conclude(cutShort bool) {
	s := &run.r.state
	var there, back report.Verdict
	if run.there != nil {
		there = *run.there
		on := versionText(s.target)
		run.add(there, "on version "+on, func(c *report.Check) { c.Version = on })
	}
	if run.back != nil {
		back = *run.back
		where := "back on version " + s.from.primary()
		run.add(back, where, func(c *report.Check) { c.Name = where + ": " + c.Name })
	}
	slices.SortStableFunc(s.timeline, func(a, b report.Moment) int { return a.At.Compare(b.At) })
	if s.status != report.Drilled {
		return
	}
	switch {
	case back.Healthy == report.NotHealthy:
		run.failed(fmt.Sprintf("and is NOT healthy there (%s)", report.FirstThat(back.Checks, report.CheckFailed)))
	case there.Healthy == report.NotHealthy:
		run.failed(fmt.Sprintf("version %d was not healthy (%s)", s.target, report.FirstThat(there.Checks, report.CheckFailed)))
	case cutShort:
		s.end(report.Failed, report.Cancelled, s.message+"; the drill ended early: "+ErrCancelled.Error())
		s.movedAt = time.Time{}
	case run.there == nil:
		s.message += "; its health was not checked"
	case there.Healthy == report.Healthy && back.Healthy == report.Healthy:
		s.healthy = report.Healthy
		s.message += "; all checks passed on both versions"
	default:
		s.message += fmt.Sprintf("; could not confirm that it was healthy (%s)", report.FirstThat(slices.Concat(there.Checks, back.Checks), report.CheckInconclusive))
	}
}

// add appends the checks of a verdict, as those of one version.
func (run *drillRun) add(v report.Verdict, where string, place func(*report.Check)) {
	s := &run.r.state
	for _, c := range v.Checks {
		place(&c)
		s.checks = append(s.checks, c)
	}
	s.found = append(s.found, v.Notes...)
	if v.Watched != nil {
		s.watched = v.Watched
	}
	if v.LogTail != "" {
		s.logTail = strings.TrimSpace(s.logTail + "\n" + v.LogTail)
	}
	s.happened(report.Verified, v.Ended, where+": "+v.Healthy.Condition())
}

// failed records the failure of a drill in which both moves worked.
func (run *drillRun) failed(what string) {
	s := &run.r.state
	s.end(report.Failed, report.Unhealthy, s.message+"; the drill failed: "+what)
	s.healthy, s.movedAt = report.NotHealthy, time.Time{}
}
