package alias

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// Runs reads what only GitHub knows. It is called only if the result matters.
type Runs interface {
	// Outcome returns the current state of a run, with the jobs of all its attempts.
	// The conclusion is success, failure and so on; it is empty while the run is in
	// progress. The error is ErrNotAsked if another call has said why GitHub is not
	// asked any more.
	Outcome(ctx context.Context, runID int64) (report.Run, error)
	// AtWork returns the earlier runs of the same workflow and branch that were in
	// progress at some time between two moments, with their jobs.
	AtWork(ctx context.Context, run report.Run, from, to time.Time) ([]report.Run, error)
}

// ErrNotAsked is the error of Runs.Outcome without a warning of its own.
var ErrNotAsked = errors.New("GitHub is not asked any more")

const (
	pendingPoll   = 2 * time.Second
	probesPerPage = 2  // how many numbers are tried while a page is listed
	maxProbes     = 24 // after how many numbers only the listing continues
	// The limits if the versions may not be listed.
	probesUnlisted = 8
	maxUnlisted    = 100
	stepAbove      = 4
	maxAbove       = 20
)

// observer reads what a decision needs, and stores it in the observation.
type observer struct {
	client   *client
	runs     Runs
	evidence func(context.Context) report.Run
	clocks   func() time.Duration // returns the difference between the clocks of AWS and GitHub; nil if they are treated as equal
	notes    *notes
	// listing is shared by a fleet that needs more calls than the rate limit allows at
	// once: the fleet then makes as few calls as possible. Otherwise, it is nil.
	listing *listing
	guard   Guard // nil if nothing else is looked for

	mu     sync.Mutex      // guards o and tried during concurrent calls
	tried  map[int64]error // why versions could not be read ahead
	o      Observation
	marker *string // where the listing continues
	probed int
	// unlisted is the error if the versions cannot be listed; otherwise nil.
	unlisted *Problem
}

// observe reads the alias and the memory alias concurrently, and then everything that
// will most likely be needed. It does not wait for what GitHub says about the run: a
// decision requests that if necessary.
func (ob *observer) observe(ctx context.Context) error {
	ahead := readAhead(ctx, ob)
	if err := ob.readAliases(ctx); err != nil || ob.o.Alias.Latest {
		ahead.drop()
		return err
	}
	var known []int64
	if ob.o.Alias.Serves(ob.o.Request.Deployed) {
		known = ahead.keep(ob)
	} else {
		ahead.drop()
	}
	unread := slices.DeleteFunc(ob.o.prefetch(candidatesAhead(ob)), func(v int64) bool { return slices.Contains(known, v) })
	tryVersions(ctx, ob, unread)
	if ctx.Err() != nil {
		return &Stopped{Cause: context.Cause(ctx)}
	}
	return nil
}

// awaitRun waits for what GitHub says about the run.
func (ob *observer) awaitRun(ctx context.Context) {
	ob.o.Run, ob.o.RunAwaited = ob.evidence(ctx), false
}

// readAliases reads the alias and the memory alias concurrently.
func (ob *observer) readAliases(ctx context.Context) error {
	if alias, memory, others, found := ob.listing.read(ctx, ob.client); found {
		ob.o.OtherAliases = others
		ob.keepAliases(alias, memory)
		return nil
	}
	g, gctx := errgroup.WithContext(ctx)
	var alias Alias
	var memory Memory
	var patience time.Duration
	reading, giveUp := context.WithCancelCause(gctx)
	defer giveUp(nil)
	g.Go(func() (err error) {
		if alias, err = ob.client.readAlias(gctx); err == nil {
			patience = patienceOf(gctx, ob)
			limited, stop := context.WithTimeoutCause(reading, patience, errLate)
			context.AfterFunc(limited, func() { giveUp(context.Cause(limited)); stop() })
		}
		return err
	})
	g.Go(func() (err error) {
		defer giveUp(nil)
		memory, err = ob.client.readMemory(reading)
		if err != nil && errors.Is(context.Cause(reading), errLate) {
			memory, err = Memory{Unread: ob.client.explainLateMemory(err, patience)}, nil
		}
		return err
	})
	if err := g.Wait(); err != nil {
		return ob.client.explainMissing(ctx, err)
	}
	ob.keepAliases(alias, memory)
	return nil
}

func (ob *observer) keepAliases(alias Alias, memory Memory) {
	if seen := ob.o.Alias; seen.RevisionID != "" && ob.o.First == nil {
		ob.o.First = &seen
	}
	ob.o.Alias, ob.o.Memory = alias, memory
	if ob.guard != nil {
		ob.guard.Look(alias.ARN)
	}
}

// answer finds out what a decision still needs.
func (ob *observer) answer(ctx context.Context, q Query) error {
	switch {
	case q.Run:
		ob.awaitRun(ctx)
	case len(q.Versions) > 0:
		return ob.readVersions(ctx, q.Versions)
	case q.Wait != 0:
		return ob.awaitVersion(ctx, q.Wait)
	case q.Below != 0:
		return ob.searchBelow(ctx, q.Below)
	case q.Above != 0:
		return ob.searchAbove(ctx, q.Above)
	case q.OlderRuns:
		ob.askOlderRuns(ctx)
	case q.RunsAtWork != 0:
		ob.askRunsAtWork(ctx, q.RunsAtWork)
	case !q.RunsSince.IsZero():
		ob.askRunsSince(ctx, q.RunsSince)
	default:
		ob.askOutcomes(ctx, q.Outcomes)
	}
	if ctx.Err() != nil {
		return &Stopped{Cause: context.Cause(ctx)}
	}
	return nil
}

func (ob *observer) readVersions(ctx context.Context, versions []int64) error {
	g, ctx := errgroup.WithContext(ctx)
	for _, v := range versions {
		g.Go(func() error {
			pauseAfterTry(ctx, ob, v)
			read, err := ob.client.readVersion(ctx, v)
			if err != nil {
				return err
			}
			ob.keep(v, read)
			return nil
		})
	}
	return g.Wait()
}

func (ob *observer) keep(number int64, v Version) {
	ob.mu.Lock()
	defer ob.mu.Unlock()
	ob.put(number, v)
}

// put is keep for callers that hold the lock.
func (ob *observer) put(number int64, v Version) {
	if ob.o.Versions == nil {
		ob.o.Versions = map[int64]Version{}
	}
	ob.o.Versions[number] = v
}

// timeForOlder returns the part of the time limit that must remain after waiting for a
// Pending version, so that an older version can still be used.
const timeForOlder = 30 * time.Second

// awaitVersion reads a Pending version until its state changes. The first time, it
// stops while there is time for an older version. If it is called again, there is no
// older version, and it waits until the time limit.
func (ob *observer) awaitVersion(ctx context.Context, version int64) error {
	calls := ob.client.caller
	calls.log.Infof("version %d is Pending: waiting until it is ready", version)
	// There is no alternative to a version that was chosen.
	patient := ob.o.PendingTooLong[version] || slices.Contains([]int64{ob.o.Request.Target, ob.o.Request.Deployed}, version)
	for {
		if deadline, limited := ctx.Deadline(); limited && !patient {
			left := deadline.Sub(calls.clock.Now())
			if left-pendingPoll < timeForOlder {
				calls.log.Infof("version %d is still Pending, with %s left: looking for an older version", version, report.DurationText(left.Round(time.Second)))
				ob.giveUpWaiting(version)
				return nil
			}
		}
		if err := calls.sleep(ctx, pendingPoll); err != nil {
			stopped := explainStop(&Stopped{Cause: context.Cause(ctx)}, "waiting for version "+versionText(version))
			stopped.Text = fmt.Sprintf("version %d was still Pending when %s", version, context.Cause(ctx))
			return stopped
		}
		v, err := ob.client.readVersion(ctx, version)
		if err != nil {
			return err
		}
		ob.keep(version, v)
		if v.State != statePending {
			return nil
		}
	}
}

func (ob *observer) giveUpWaiting(version int64) {
	ob.mu.Lock()
	defer ob.mu.Unlock()
	if ob.o.PendingTooLong == nil {
		ob.o.PendingTooLong = map[int64]bool{}
	}
	ob.o.PendingTooLong[version] = true
}

func (ob *observer) askOutcomes(ctx context.Context, runs []int64) {
	if ob.o.Outcomes == nil {
		ob.o.Outcomes = map[int64]report.Run{}
	}
	for _, run := range runs {
		outcome, err := ob.runs.Outcome(ctx, run)
		if err != nil && !errors.Is(err, ErrNotAsked) {
			ob.notes.warnf("could not read from GitHub how run %d ended, so the version that it rejected stays rejected: %s", run, err)
		}
		ob.o.Outcomes[run] = outcome
	}
}

func (ob *observer) askOlderRuns(ctx context.Context) {
	ob.o.OlderAsked = true
	older, err := ob.runs.AtWork(ctx, ob.o.Run, ob.o.Run.CreatedAt, ob.o.Run.CreatedAt)
	if err != nil {
		ob.notes.warnf("could not read from GitHub whether an older run was still deploying: %s", err)
		return
	}
	ob.o.Run.Older, ob.o.Run.OlderKnown = older, true
}

// askRunsSince reads which older runs were in progress after the memory was written.
func (ob *observer) askRunsSince(ctx context.Context, since time.Time) {
	ob.o.SinceAsked = true
	// An earlier run was created before this one. The clock of this machine may be
	// wrong, which would leave runs out.
	runs, err := ob.runs.AtWork(ctx, ob.o.Run, since, ob.o.Run.CreatedAt)
	if err != nil {
		ob.notes.warnf("could not read from GitHub which runs deployed since %s: %s", utc(since), err)
		return
	}
	ob.o.Since, ob.o.SinceKnown = runs, true
}

// askRunsAtWork reads which runs were in progress when an earlier version was made.
func (ob *observer) askRunsAtWork(ctx context.Context, version int64) {
	made := ob.o.Versions[version].LastModified
	runs, err := ob.runs.AtWork(ctx, ob.o.Run, made, made)
	if err != nil {
		ob.o.AtWorkAsked = append(ob.o.AtWorkAsked, 0) // requested, but without a response
		ob.notes.warnf("could not read from GitHub which run made version %d: %s", version, err)
		return
	}
	for _, run := range runs {
		if !slices.ContainsFunc(ob.o.Run.Older, func(r report.Run) bool { return r.ID == run.ID }) {
			ob.o.Run.Older = append(slices.Clone(ob.o.Run.Older), run)
		}
	}
	ob.o.AtWorkAsked = append(ob.o.AtWorkAsked, version)
}

// decide resolves queries until a decision can be made. Every round reads something
// new, so the number of rounds is limited by what there is to know. The limit here
// only prevents an endless loop if there is a bug.
func (ob *observer) decide(ctx context.Context, by func(Observation) Decision) (Decision, error) {
	for range 10_000 {
		if ob.clocks != nil { // each result may add requirements
			ob.o.ClockDifference = ob.clocks()
		}
		d := by(ob.o)
		if d.Action != NeedMore {
			return d, nil
		}
		if err := ob.answer(ctx, d.Query); err != nil {
			return Decision{}, err
		}
	}
	return Decision{}, errors.New("failed to decide: the same data was requested again and again; this is a bug in this action, please report it (searching " + strconv.Quote(ob.client.function) + ")")
}

// preview decides what a rollback would choose now, without a failed run. The aliases
// must have been read.
func (ob *observer) preview(ctx context.Context) (Decision, error) {
	if !ob.o.Alias.Latest {
		if err := ob.readVersions(ctx, ob.o.prefetch(candidatesAhead(ob))); err != nil {
			return Decision{}, err
		}
	}
	return ob.decide(ctx, decidePreview)
}
