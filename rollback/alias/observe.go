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

// Runs answers what only GitHub knows, and is asked only where it matters.
type Runs interface {
	// Outcome is a run as it stands now, with the jobs of all its attempts. Its
	// conclusion is success, failure …; empty while it runs.
	Outcome(ctx context.Context, runID int64) (report.Run, error)
	// AtWork are the earlier runs of the same workflow on the same branch that
	// were at work at some time from one moment to another, with their jobs.
	AtWork(ctx context.Context, run report.Run, from, to time.Time) ([]report.Run, error)
}

const (
	pendingPoll   = 2 * time.Second
	probesPerPage = 2  // numbers tried while a page is listed …
	maxProbes     = 24 // … until so many were tried: then only the listing goes on
	stepAbove     = 4
	maxAbove      = 20
)

// observer reads what a decision needs, and keeps it in the observation.
type observer struct {
	client   *client
	runs     Runs
	evidence func(context.Context) report.Run
	clocks   func() time.Duration // how far those of AWS and GitHub are apart; nil: not at all
	notes    *notes
	// listing is shared by a fleet that has more calls to make than the pace lets
	// out at once: as few as possible are made then. Else nil.
	listing *listing
	guard   Guard // nil: nobody else is looked for

	mu     sync.Mutex // guards o while calls run side by side
	o      Observation
	marker *string // where the listing goes on
	probed int
}

// observe reads the alias and the memory alias at once, then everything that will
// be needed in all likelihood. It does not wait for what GitHub tells about the
// run: a decision asks for that where it needs it.
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
	return ob.readVersions(ctx, unread)
}

// awaitRun waits for what GitHub tells about the run.
func (ob *observer) awaitRun(ctx context.Context) {
	ob.o.Run, ob.o.RunAwaited = ob.evidence(ctx), false
}

// readAliases reads the alias and the memory alias at once.
func (ob *observer) readAliases(ctx context.Context) error {
	if alias, memory, others, found := ob.listing.read(ctx, ob.client); found {
		ob.o.OtherAliases = others
		ob.keepAliases(alias, memory)
		return nil
	}
	g, gctx := errgroup.WithContext(ctx)
	var alias Alias
	var memory Memory
	g.Go(func() (err error) { alias, err = ob.client.readAlias(gctx); return err })
	g.Go(func() (err error) { memory, err = ob.client.readMemory(gctx); return err })
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

// answer finds out what a decision still needs to know.
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

// put is keep for who holds the lock.
func (ob *observer) put(number int64, v Version) {
	if ob.o.Versions == nil {
		ob.o.Versions = map[int64]Version{}
	}
	ob.o.Versions[number] = v
}

// timeForOlder is what waiting for a Pending version leaves of the time limit, so
// that an older one can still be taken.
const timeForOlder = 30 * time.Second

// awaitVersion reads a Pending version until it is something else. The first time
// it gives up while there is time for an older one; asked again, there is none, and
// it waits to the end.
func (ob *observer) awaitVersion(ctx context.Context, version int64) error {
	calls := ob.client.caller
	calls.log.Infof("version %d is Pending: waiting until Lambda has made it ready", version)
	// For one that was asked for there is no other.
	patient := ob.o.PendingTooLong[version] || slices.Contains([]int64{ob.o.Request.Target, ob.o.Request.Deployed}, version)
	for {
		if deadline, limited := ctx.Deadline(); limited && !patient {
			left := deadline.Sub(calls.clock.Now())
			if left-pendingPoll < timeForOlder {
				calls.log.Infof("version %d is still Pending, and %s are left: looking for an older version", version, left.Round(time.Second))
				ob.giveUpWaiting(version)
				return nil
			}
		}
		if err := calls.clock.Sleep(ctx, pendingPoll); err != nil {
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
		if err != nil {
			ob.notes.warnf("how run %d ended could not be asked of GitHub, so the version that it rejected stays rejected: %s", run, err)
		}
		ob.o.Outcomes[run] = outcome
	}
}

func (ob *observer) askOlderRuns(ctx context.Context) {
	ob.o.OlderAsked = true
	older, err := ob.runs.AtWork(ctx, ob.o.Run, ob.o.Run.CreatedAt, ob.o.Run.CreatedAt)
	if err != nil {
		ob.notes.warnf("whether an older run was still deploying could not be asked of GitHub: %s", err)
		return
	}
	ob.o.Run.Older, ob.o.Run.OlderKnown = older, true
}

// askRunsSince asks which older runs were at work since the memory was written.
func (ob *observer) askRunsSince(ctx context.Context, since time.Time) {
	ob.o.SinceAsked = true
	runs, err := ob.runs.AtWork(ctx, ob.o.Run, since, ob.client.caller.clock.Now())
	if err != nil {
		ob.notes.warnf("which runs deployed since %s could not be asked of GitHub: %s", utc(since), err)
		return
	}
	ob.o.Since, ob.o.SinceKnown = runs, true
}

// askRunsAtWork asks which runs were at work when an earlier version was made.
func (ob *observer) askRunsAtWork(ctx context.Context, version int64) {
	made := ob.o.Versions[version].LastModified
	runs, err := ob.runs.AtWork(ctx, ob.o.Run, made, made)
	if err != nil {
		ob.o.AtWorkAsked = append(ob.o.AtWorkAsked, 0) // asked, and not answered
		ob.notes.warnf("which run made version %d could not be asked of GitHub: %s", version, err)
		return
	}
	for _, run := range runs {
		if !slices.ContainsFunc(ob.o.Run.Older, func(r report.Run) bool { return r.ID == run.ID }) {
			ob.o.Run.Older = append(slices.Clone(ob.o.Run.Older), run)
		}
	}
	ob.o.AtWorkAsked = append(ob.o.AtWorkAsked, version)
}

// decide answers queries until a decision can be made. Every round reads
// something new, so that the number of rounds is bounded by what there is to know;
// the bound here only keeps a mistake from going on for ever.
func (ob *observer) decide(ctx context.Context, by func(Observation) Decision) (Decision, error) {
	for range 10_000 {
		if ob.clocks != nil { // each answer may have told more of them
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
	return Decision{}, errors.New("failed to decide: the same question came up again and again; this is a mistake of this program, please report it (searching " + strconv.Quote(ob.client.function) + ")")
}

// preview decides where a rollback would go now, where no run has failed. The
// aliases must have been read.
func (ob *observer) preview(ctx context.Context) (Decision, error) {
	if !ob.o.Alias.Latest {
		if err := ob.readVersions(ctx, ob.o.prefetch(candidatesAhead(ob))); err != nil {
			return Decision{}, err
		}
	}
	return ob.decide(ctx, decidePreview)
}
