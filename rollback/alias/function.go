// Package alias moves the alias of a Lambda function back to the last good
// version: it observes, decides, moves and remembers. It knows nothing of
// GitHub beyond the plain facts about a run.
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

// Lambda is AWS Lambda's API as far as it is used; *lambda.Client is one.
type Lambda interface {
	reader
	updater
	creator
}

// Function is one function to roll back, with everything that takes.
type Function struct {
	Name        string // for people and results
	ARN         string // of the function, where it was given; else empty
	Alias       string
	Region      string
	Environment string
	Ask         Ask
	DryRun      bool

	Lambda Lambda
	Runs   Runs
	Log    Log
	Clock  Clock
	// Run is what the event tells about the failed run; Evidence completes it,
	// and may wait for an answer of GitHub's.
	Run      report.Run
	Evidence func(context.Context) report.Run
	// Finish outlives the context that a signal or the time limit ends: what is
	// under way then is finished within it.
	Finish context.Context
}

// task is one function's way through observe, decide, move and remember.
type task struct {
	Function
	*observer

	started time.Time
	d       Decision
	result  report.Function
	moved   *Alias // as it is after the move; nil if it was not moved
	drill   drill
	// first is the target of the first move, where there were further ones.
	first int64
}

func newTask(f Function) *task {
	name := f.ARN
	if name == "" {
		name = f.Name
	}
	f.Ask.Remember = f.Ask.Remember && !f.DryRun
	return &task{
		Function: f,
		started:  f.Clock.Now(),
		observer: &observer{
			caller:   caller{log: f.Log, clock: f.Clock},
			api:      f.Lambda,
			function: name, alias: f.Alias,
			runs: f.Runs, evidence: f.Evidence,
			o: Observation{Ask: f.Ask, Run: f.Run},
		},
		result: report.Function{
			Function: f.Name, Region: f.Region, Alias: f.Alias,
			Rejected: []string{}, Checks: []report.Check{}, Changes: []report.Change{},
			Timeline: []report.Moment{}, Healthy: report.HealthUnknown,
		},
	}
}

// prepare observes and decides. It changes nothing.
func (t *task) prepare(ctx context.Context) {
	if err := t.look(ctx); err != nil {
		t.fail(err)
		return
	}
	t.seen()
	d, err := t.decide(ctx)
	if err != nil {
		t.fail(err)
		return
	}
	t.settleOn(d)
}

// seen puts what was observed first into the result.
func (t *task) seen() {
	a := t.o.Alias
	t.result.ARN = a.ARN
	t.result.From = a.primary()
	if a.Weighted != 0 {
		t.result.CanaryVersion, t.result.CanaryWeight = number(a.Weighted), a.Weight
	}
	t.result.Rejected = t.o.Memory.Rejected.Strings()
	t.log.Infof("%s serves %s", t.label(), serving(a))
	switch {
	case t.o.Memory.Unreadable != "":
		t.warnf("the Description of the memory alias %s is not readable and counts as empty: %s", t.memoryName(), t.o.Memory.Unreadable)
	case t.o.Memory.Exists:
		t.log.Infof("%s:%s remembers: %s", t.Name, t.memoryName(), t.o.Memory.Description())
	}
}

// settleOn takes a decision for the result.
func (t *task) settleOn(d Decision) {
	t.d = d
	t.result.Proof = d.Proof
	t.takeLogGroup(t.o.Alias.Version)
	if d.Action == Fail {
		t.fail(&Problem{Reason: d.Reason, Text: d.Why})
		return
	}
	if d.Action == Skip {
		t.log.Infof("left alone (%s): %s", d.Reason, d.Why)
		t.result.Status, t.result.Reason = report.Skipped, d.Reason
		t.result.Message = fmt.Sprintf("%s in %s was left on %s: %s", t.label(), t.Environment, serving(t.o.Alias), d.Why)
		return
	}
	t.takeLogGroup(d.Target)
	t.result.Target, t.result.Why = number(d.Target), d.Why
	t.log.Infof("target: version %d, because %s", d.Target, d.Why)
	if d.Proof != "" {
		t.log.Infof("whose deploy it is: %s", d.Proof)
	}
	if left := t.o.Versions[t.o.Alias.Version]; left.Read {
		t.result.Changes = append(t.result.Changes[:0], changes(left.Settings, t.o.Versions[d.Target].Settings)...)
	}
	t.result.Reason = d.Reason
	if t.DryRun {
		t.result.Status, t.result.To = report.Planned, number(d.Target)
		t.result.WeightsCleared = t.o.Alias.Weighted != 0
		t.result.Message = fmt.Sprintf("dry run: %s in %s would go from %s to version %d, because %s; nothing was changed",
			t.label(), t.Environment, serving(t.o.Alias), d.Target, d.Why)
	}
}

// takeLogGroup keeps where a version writes its log, where that is known. Each
// version has a configuration of its own.
func (t *task) takeLogGroup(version int64) {
	if group := t.o.Versions[version].Settings.LogGroup; group != "" {
		t.result.LogGroup = group
	}
}

// wantsMove tells whether there is still a move to make.
func (t *task) wantsMove() bool {
	return t.result.Status == "" && t.d.Action == Move
}

// move carries the decision out. Where the alias has changed since it was read,
// the decision is made anew on what is there now.
func (t *task) move(ctx context.Context) {
	for decisions := 0; t.wantsMove(); decisions++ {
		if ctx.Err() != nil {
			t.fail(&Stopped{Cause: context.Cause(ctx)})
			return
		}
		from := t.o.Alias
		t.log.Infof("UpdateAlias: %s from %s to version %d, only if nobody has changed it since (revision %s)",
			t.label(), serving(from), t.d.Target, from.RevisionID)
		now, err := t.update(ctx, from, number(t.d.Target), nil)
		if err == nil {
			t.arrived(now)
			return
		}
		if !errors.Is(err, errChanged) {
			t.fail(err)
			return
		}
		t.log.Infof("the alias was changed by somebody else: it serves %s now; deciding again", serving(now))
		if decisions == maxDecisions {
			t.fail(&Problem{Reason: report.AliasChanged, Text: fmt.Sprintf(
				"somebody else keeps changing the alias: it was decided %d times, and each time it had changed before it could be moved; it serves %s now; stop what else deploys, then run this again",
				decisions+1, serving(now))})
			return
		}
		if err := t.look(ctx); err != nil {
			t.fail(err)
			return
		}
		d, err := t.decide(ctx)
		if err != nil {
			t.fail(err)
			return
		}
		t.result.From = t.o.Alias.primary()
		t.settleOn(d)
	}
}

// arrived puts a move that was made into the result.
func (t *task) arrived(now Alias) {
	t.moved = &now
	r := &t.result
	r.Status, r.To = report.RolledBack, number(t.d.Target)
	r.WeightsCleared = t.o.Alias.Weighted != 0
	r.ServedBefore = t.o.Alias.Serves(t.d.Target)
	t.movedNow(fmt.Sprintf("to version %d, from %s", t.d.Target, serving(t.o.Alias)))
	left := t.left()
	r.Left, r.DeployedAt = number(left), t.deployedAt(left)
	switch from := t.o.Alias; {
	case t.d.Target == from.Version:
		r.Message = fmt.Sprintf("%s in %s is on version %d alone again: the canary of version %d, with %.3g%% of the traffic, was stopped",
			t.label(), t.Environment, t.d.Target, from.Weighted, 100*from.Weight)
	case t.d.Target > from.Version:
		r.Message = fmt.Sprintf("%s in %s was moved to version %d from %s", t.label(), t.Environment, t.d.Target, serving(from))
	default:
		r.Message = fmt.Sprintf("%s in %s is back on version %d: it was rolled back from %s", t.label(), t.Environment, t.d.Target, serving(from))
	}
}

// movedNow puts the moment of a move into the result.
func (t *task) movedNow(detail string) {
	now := t.clock.Now()
	t.result.MovedAt = now.UTC().Format(time.RFC3339)
	t.result.Timeline = append(t.result.Timeline, report.Moment{Event: report.AliasMoved, At: now, Detail: detail})
}

// left is the version that a move leaves: of two that served, the one that is
// not the target.
func (t *task) left() int64 {
	if from := t.o.Alias; from.Version == t.d.Target {
		return from.Weighted
	}
	return t.o.Alias.Version
}

// deployedAt is when a version came behind the alias, as near as is known: when
// it was made, or, where it is older than the run that put it there, with the
// run.
func (t *task) deployedAt(version int64) time.Time {
	made := t.o.Versions[version].LastModified
	if run := t.o.Run.CreatedAt; !t.Ask.ByHand && !made.IsZero() && made.Before(run) {
		return run
	}
	return made
}

// finish remembers, and reads the traffic until it has moved.
func (t *task) finish(ctx context.Context) {
	if t.Ask.Remember && t.result.Status != report.Failed && (t.moved != nil || len(t.d.Reject) > 0 || t.d.Unreject != 0) {
		t.remember(ctx)
	}
	if t.moved == nil {
		return
	}
	if err := t.settle(ctx, t.d.Target); err != nil {
		t.unmoved()
		t.fail(err)
	}
}

// unmoved takes a move that does not hold out of the result again.
func (t *task) unmoved() {
	t.moved = nil
	t.result.To, t.result.MovedAt, t.result.WeightsCleared = "", "", false
	t.result.Left, t.result.DeployedAt = "", time.Time{}
	t.result.Timeline = []report.Moment{}
}

// back returns a moved alias to what it was (all-or-nothing).
func (t *task) back(ctx context.Context, cause *task) {
	from := t.o.Alias
	weights := map[string]float64{}
	if from.Weighted != 0 {
		weights[number(from.Weighted)] = from.Weight
	}
	t.log.Infof("UpdateAlias: %s returns from version %d to %s, because all-or-nothing is set and another function could not be moved",
		t.label(), t.d.Target, serving(from))
	if _, err := t.update(ctx, *t.moved, from.primary(), weights); err != nil {
		_, text := reasonOfProblem(err)
		if errors.Is(err, errChanged) {
			text = err.Error()
		}
		t.warnf("all-or-nothing is set and another function could not be moved, but this one could not be returned to %s and stays on version %d: %s", serving(from), t.d.Target, text)
		return
	}
	t.unmoved()
	if cause.result.Status == report.Skipped {
		t.hold(cause)
		return
	}
	t.fail(&Problem{Reason: cause.result.Reason, Text: fmt.Sprintf(
		"all-or-nothing is set and %s could not be moved (%s), so it was returned to %s", cause.label(), cause.result.Reason, serving(from))})
}

// hold keeps a function where it is because another one cannot be moved.
func (t *task) hold(cause *task) {
	t.result.Status, t.result.Reason = cause.result.Status, cause.result.Reason
	t.result.Message = fmt.Sprintf("%s in %s was left on %s: all-or-nothing is set, and %s cannot be moved (%s)",
		t.label(), t.Environment, serving(t.o.Alias), cause.label(), cause.result.Reason)
	t.d.Reject = nil
}

func (t *task) fail(err error) {
	reason, text := reasonOfProblem(err)
	t.result.Status, t.result.Reason = report.Failed, reason
	t.result.Message = fmt.Sprintf("%s in %s was NOT rolled back: %s", t.label(), t.Environment, text)
	t.result.Cause = text
	t.log.Infof("failed (%s): %s", reason, text)
	p, found := errors.AsType[*Problem](err)
	if found && p.Detail != "" {
		t.log.Infof("AWS said: %s", p.Detail)
	}
	if found && p.Unknown {
		t.result.Message, t.result.Cause = fmt.Sprintf("it is not known whether %s in %s was rolled back: %s", t.label(), t.Environment, text), ""
	}
}

// done is the result as it stands.
func (t *task) done() report.Function {
	r := t.result
	r.Notes = slices.Concat(t.result.Notes, t.d.Notes, t.notes)
	r.DurationMS = t.clock.Now().Sub(t.started).Milliseconds()
	r.Published = t.published()
	return r
}

// published tells when the versions were made that the result speaks of.
func (t *task) published() map[string]time.Time {
	named := append([]string{t.result.From, t.result.To, t.result.Target, t.result.Left}, t.result.Tried...)
	out := map[string]time.Time{}
	for v, known := range t.o.Versions {
		if !known.LastModified.IsZero() && slices.Contains(named, number(v)) {
			out[number(v)] = known.LastModified
		}
	}
	return out
}

// label is the function and its alias, for sentences.
func (t *task) label() string {
	return strings.TrimSuffix(t.Name+":"+t.alias, ":")
}
