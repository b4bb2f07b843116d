// Package alias moves the alias of a Lambda function back to the last good version: it
// observes, decides, moves and stores the rejected versions. It knows nothing about
// GitHub except the plain facts about a run.
package alias

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// Function is one function to roll back, with everything that is needed for it.
type Function struct {
	Name        string // the display name, also used in results
	ARN         string // the region from the ARN of the function, or empty
	Alias       string
	Region      string
	Environment string
	Request     Request
	DryRun      bool

	Lambda Lambda
	Runs   Runs
	Log    Log
	Clock  Clock
	// Run is what the event says about the failed run. Evidence completes it, and may
	// wait for a response from GitHub.
	Run      report.Run
	Evidence func(context.Context) report.Run
	// ClockDifference returns the known difference between the clocks of AWS and
	// GitHub. If it is nil, they are treated as equal.
	ClockDifference func() time.Duration
	// Ahead returns by how much AWS's clock is known to be ahead of Clock. If it is
	// nil, the clocks are treated as equal. Times in the memory are later compared
	// with AWS's and GitHub's times.
	Ahead func() time.Duration
	// Finish outlives the context that a signal or the time limit ends. Work in
	// progress is then finished within it.
	Finish context.Context
	// Guard knows what else moves the alias. If it is nil, nothing is checked.
	Guard Guard
}

// maxDecisions is how often the decision is repeated because the alias had changed in
// the meantime.
const maxDecisions = 3

// rollback handles one function: observe, decide, move, store. Its state contains the
// results so far.
type rollback struct {
	subject subject
	dryRun  bool
	log     Log
	clock   Clock
	started time.Time

	ahead    func() time.Duration
	client   *client
	observer *observer
	mover    *mover
	guard    Guard // nil if nothing else is looked for
	// places has an entry for each function that is being handled; nil for a single
	// function.
	places chan struct{}
	// waiting counts the waits in progress that have given up the place meanwhile.
	waiting atomic.Int32
	memory  *memoryStore
	notes   *notes
	state   state
	// decidedOn is the observation that the decision is based on.
	decidedOn Observation
}

func newRollback(f Function) *rollback {
	name := f.ARN
	if name == "" {
		name = f.Name
	}
	f.Request.Remember = f.Request.Remember && !f.DryRun
	c := &client{caller: caller{log: f.Log, clock: f.Clock}, lambda: f.Lambda, function: name, alias: f.Alias}
	said := &notes{}
	r := &rollback{
		subject: subject{name: f.Name, arn: f.ARN, alias: f.Alias, region: f.Region, environment: f.Environment},
		dryRun:  f.DryRun, log: f.Log, clock: f.Clock, started: f.Clock.Now(),
		ahead:  f.Ahead,
		client: c,
		guard:  f.Guard,
		observer: &observer{
			client: c, runs: f.Runs, evidence: f.Evidence, clocks: f.ClockDifference, notes: said, guard: f.Guard,
			// If the target was chosen manually, the run is not read from GitHub.
			o: Observation{Request: f.Request, Run: f.Run, RunAwaited: f.Request.Target == 0},
		},
		mover:  &mover{client: c, finish: f.Finish},
		memory: &memoryStore{client: c, name: f.Name, finish: f.Finish},
		notes:  said,
		state:  state{healthy: report.HealthUnknown},
	}
	c.caller.aside = func(wait func()) { aside(r, wait) }
	return r
}

// stamp returns the time by AWS's clock, because the clock of this machine may be
// wrong. It is used for times that are stored, published, or compared with AWS's
// times. The duration of a call or a wait is measured with this machine's clock, which
// does not jump.
func (r *rollback) stamp() time.Time {
	if r.ahead == nil {
		return r.clock.Now()
	}
	return r.clock.Now().Add(r.ahead())
}

// now returns the last observation.
func (r *rollback) now() *Observation { return &r.observer.o }

// subject is the function and its alias, for messages and results.
type subject struct {
	name, arn, alias, region, environment string
}

func (s subject) label() string { return strings.TrimSuffix(s.name+":"+s.alias, ":") }

// place returns the label with the environment, as the start of a sentence.
func (s subject) place() string { return s.label() + " in " + s.environment }

// prepare observes and decides, and checks what else moves the alias.
func (r *rollback) prepare(ctx context.Context) {
	observeAndDecide(ctx, r)
	consult(ctx, r)
}

// observeAndDecide changes nothing.
func observeAndDecide(ctx context.Context, r *rollback) {
	if err := r.observer.observe(ctx); err != nil {
		r.fail(err)
		return
	}
	r.keepObserved()
	d, err := r.observer.decide(ctx, Decide)
	if err != nil {
		r.fail(err)
		return
	}
	r.adopt(d)
}

// keepObserved stores the first observation.
func (r *rollback) keepObserved() {
	a, m := r.now().Alias, r.now().Memory
	r.state.arn, r.state.from, r.state.first, r.state.rejected = a.ARN, a, a, m.Rejected
	r.log.Infof("%s serves %s", r.subject.label(), serving(a))
	switch {
	case m.Unreadable != "":
		r.notes.warnf("the Description of the memory alias %s is not readable and is treated as empty: %s", r.client.memoryAlias(), m.Unreadable)
	case m.Unread != nil:
		r.notes.warnf("could not read which versions were bad: %s; the memory is treated as empty", m.Unread.Text)
	case m.Foreign != "":
		r.notes.warnf("%s; the action cannot read or store which versions were bad", r.client.foreignMemory(m))
	case m.Exists:
		r.log.Infof("%s:%s stores: %s", r.subject.name, r.client.memoryAlias(), m.Description())
	}
}

// adopt stores a decision as the one to carry out.
func (r *rollback) adopt(d Decision) {
	s, now := &r.state, r.now().Alias
	s.decision, s.proof, r.decidedOn = d, d.Proof, *r.now()
	r.noteClocks(d)
	r.takeLogGroup(now.Version)
	switch d.Action {
	case Fail:
		r.fail(&Problem{Reason: d.Reason, Text: d.Why})
		return
	case Skip:
		r.log.Infof("not changed (%s): %s", d.Reason, d.Why)
		s.end(report.Skipped, d.Reason, fmt.Sprintf("%s was left on %s: %s", r.subject.place(), serving(now), d.Why))
		return
	case Move, NeedMore: // every query was answered
	}
	r.takeLogGroup(d.Target)
	s.target, s.why, s.reason = d.Target, d.Why, d.Reason
	r.log.Infof("target: version %d, because %s", d.Target, d.Why)
	if d.Proof != "" {
		r.log.Infof("Attribution: %s", d.Proof)
	}
	r.compare(now.Version, d.Target)
	if r.dryRun {
		s.to, s.weightsCleared = d.Target, now.Weighted != 0
		s.end(report.Planned, d.Reason, fmt.Sprintf("dry run: %s would go from %s to version %d, because %s; nothing was changed",
			r.subject.place(), serving(now), d.Target, d.Why))
	}
}

// noteClocks adds a note if the clock difference affected the decision.
func (r *rollback) noteClocks(d Decision) {
	o := *r.now()
	if o.ClockDifference == 0 {
		return
	}
	difference := o.ClockDifference
	o.ClockDifference = 0
	if other := Decide(o); other.Action != d.Action || other.Reason != d.Reason || other.Target != d.Target {
		r.notes.warnf("the clocks of AWS and GitHub differ by %s, so times that are closer together prove nothing: with synchronized clocks, the decision would have been different", difference)
	}
}

// takeLogGroup stores where a version writes its log, if that is known. Each version
// has its own configuration.
func (r *rollback) takeLogGroup(version int64) {
	if group := r.now().Versions[version].Settings.LogGroup; group != "" {
		r.state.logGroup = group
	}
}

// compare stores the differences between the version that the alias is moved away from
// and the target, if they are known.
func (r *rollback) compare(left, target int64) {
	if from := r.now().Versions[left]; from.Read {
		r.state.changes = changes(from.Settings, r.now().Versions[target].Settings)
	}
}

// move carries out the decision. If the alias has changed since it was read, the
// decision is made again on its current state.
func (r *rollback) move(ctx context.Context) {
	for decisions := 0; r.state.movePending(); decisions++ {
		if ctx.Err() != nil {
			r.fail(&Stopped{Cause: context.Cause(ctx)})
			return
		}
		from, target := r.now().Alias, r.state.decision.Target
		r.log.Infof("UpdateAlias: %s from %s to version %d, only if nobody has changed it since (revision %s)",
			r.subject.label(), serving(from), target, from.RevisionID)
		now, err := r.mover.update(ctx, change{from: from, version: versionText(target)})
		if err == nil {
			r.arrive(now)
			return
		}
		if !errors.Is(err, errChanged) {
			r.fail(err)
			return
		}
		r.log.Infof("the alias was changed by somebody else: it serves %s now; deciding again", serving(now))
		if decisions == maxDecisions {
			r.fail(&Problem{Reason: report.AliasChanged, Text: fmt.Sprintf(
				"somebody else keeps changing the alias: decided %d times, and each time it changed before it could be moved; it serves %s now; stop other deploys, then run this again",
				decisions+1, serving(now))})
			return
		}
		decideAgain(ctx, r)
		consult(ctx, r)
	}
}

// arrive records that the alias was moved as decided.
func (r *rollback) arrive(now Alias) {
	s, from := &r.state, r.now().Alias
	target, left := s.decision.Target, leftBy(from, s.decision.Target)
	s.move(now, target, r.stamp(), fmt.Sprintf("to version %d, from %s", target, serving(from)))
	s.weightsCleared, s.servedBefore = from.Weighted != 0, from.Serves(target)
	s.left, s.deployedAt = left, r.now().deployedAt(left)
	var message string
	switch {
	case target == from.Version:
		message = fmt.Sprintf("%s is back on version %d with 100%% of traffic: the canary of version %d, with %.3g%% of traffic, was stopped",
			r.subject.place(), target, from.Weighted, 100*from.Weight)
	case target > from.Version:
		message = fmt.Sprintf("%s was moved to version %d from %s", r.subject.place(), target, serving(from))
	default:
		message = fmt.Sprintf("%s is back on version %d: it was rolled back from %s", r.subject.place(), target, serving(from))
	}
	s.end(report.RolledBack, s.reason, message)
}

// completeProof adds what GitHub says about the run, if the alias was moved without
// waiting for it.
func completeProof(ctx context.Context, r *rollback) {
	if r.state.moved == nil || !r.now().RunAwaited {
		return
	}
	r.observer.awaitRun(ctx)
	s, o := &r.state, r.decidedOn
	o.Run, o.RunAwaited = r.now().Run, false
	if r.observer.clocks != nil {
		o.ClockDifference = r.observer.clocks()
	}
	s.deployedAt = o.deployedAt(s.left)
	switch d := Decide(o); {
	case d.Action == NeedMore: // this would request what is no longer needed
	case d.Action == Move && d.Target == s.decision.Target:
		s.decision.Notes, s.decision.Proof, s.proof = d.Notes, d.Proof, d.Proof
	default:
		r.notes.warnf("GitHub responded after the move, and its response contradicts the move (%s): check whether version %d is the right one", d.Why, s.decision.Target)
	}
}

// leftBy returns the version that a move removes traffic from: if two were live, the
// one that is not the target.
func leftBy(from Alias, target int64) int64 {
	if from.Version == target {
		return from.Weighted
	}
	return from.Version
}

// deployedAt returns when the alias was moved to a version, as accurately as it is
// known: the time at which the version was made or, if it is older than the run that
// deployed it, the time of that run.
func (o *Observation) deployedAt(version int64) time.Time {
	made := o.Versions[version].LastModified
	if run := o.Run.CreatedAt; !o.Request.Manual && !made.IsZero() && made.Before(run) {
		return run
	}
	return made
}

// keepChangedByOthers records that somebody else moved the alias after the rollback.
// It stays there.
func (r *rollback) keepChangedByOthers(now Alias) {
	r.state.setChangedByOthers(now)
	r.notes.warnf("somebody else has changed the alias since it was rolled back: it serves %s now, and was not moved", serving(now))
}

// fail ends the work with an error.
func (r *rollback) fail(err error) {
	reason, text := reasonOfProblem(err)
	message, cause := fmt.Sprintf("%s was NOT rolled back: %s", r.subject.place(), text), text
	r.log.Infof("failed (%s): %s", reason, text)
	p, found := errors.AsType[*Problem](err)
	if found && p.Detail != "" {
		r.log.Infof("AWS said: %s", p.Detail)
	}
	if found && p.Unknown {
		message, cause = fmt.Sprintf("could not determine whether %s was rolled back: %s", r.subject.place(), text), ""
	}
	r.state.end(report.Failed, reason, message)
	r.state.cause = cause
}

// failDoing is fail for commands other than a rollback.
func (r *rollback) failDoing(what string, err error) {
	r.fail(err)
	_, text := reasonOfProblem(err)
	r.state.message = fmt.Sprintf("%s %s: %s", what, r.subject.place(), text)
}
