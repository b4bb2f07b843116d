package alias

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// returnLimit is how long a promotion keeps trying to return the traffic, unless a
// signal leaves less time: AWS may throttle calls for minutes.
const returnLimit = 5 * time.Minute

// share is the new version's share of the traffic.
type share struct {
	weight float64 // as AWS confirmed it, from 0 to 1
	// asked is the weight of the last request to AWS. It differs from weight if it is
	// not known whether the request was carried out.
	asked float64
	since time.Time // when the weight was set
	// seen are the revisions of the alias so far: a read that returns an earlier one
	// is older than the last write.
	seen []string
}

// unsure reports that it is not known whether AWS carried out the last shift.
func (s share) unsure() bool { return s.asked != s.weight }

// ours reports whether an alias has the weights that the promotion has set, or weights
// that result from them: with provisioned concurrency, AWS shifts the traffic with its
// own weights.
func (f *Promoting) ours(a Alias) bool {
	for _, weight := range []float64{f.share.weight, f.share.asked} {
		switch {
		case weight >= 1 && a.Version == f.Version && (a.Weighted == 0 || a.Weighted == f.Stable):
			return true
		case weight > 0 && weight < 1 && a.Version == f.Stable && a.Weighted == f.Version && near(a.Weight, weight):
			return true
		case weight == 0 && f.Stable != 0 && a.Only(f.Stable):
			return true
		}
	}
	return false
}

// near compares weights, because AWS may round them.
func near(a, b float64) bool { return math.Abs(a-b) < 0.001 }

// keep stores the current state of the alias.
func (f *Promoting) keep(a Alias) {
	f.r.now().Alias = a
	if !slices.Contains(f.share.seen, a.RevisionID) {
		f.share.seen = append(f.share.seen, a.RevisionID)
	}
}

// shiftTo gives the new version a share of the traffic. For all of the traffic, it
// points the alias at the version.
func shiftTo(ctx context.Context, f *Promoting, weight float64) {
	r := f.r
	switch {
	case weight < f.share.weight:
		return // it already has a larger share, so this step is skipped
	case weight == f.share.weight: // an earlier attempt set this share, and its time starts again
		f.share.since = r.stamp()
		return
	}
	c := change{version: versionText(f.Stable), weights: map[string]float64{versionText(f.Version): weight}}
	if weight >= 1 {
		c.version, c.weights = versionText(f.Version), nil
	}
	f.share.asked = weight
	for range maxDecisions {
		c.from = r.now().Alias
		r.log.Infof("UpdateAlias: %s gives %.4g%% of the traffic to version %d (revision %s)", r.subject.label(), 100*weight, f.Version, c.from.RevisionID)
		now, err := r.mover.update(ctx, c)
		switch {
		case errors.Is(err, errChanged) && now.sameTraffic(c.from):
			f.keep(now) // only its Description has changed
			continue
		case errors.Is(err, errChanged):
			f.changedByOthers(now)
		case err != nil:
			reason, text := reasonOfProblem(err)
			if p, found := errors.AsType[*Problem](err); !found || !p.Unknown {
				f.share.asked = f.share.weight
			}
			f.Back(reason, fmt.Sprintf("the traffic could not be shifted to %.4g%%: %s", 100*weight, text), false)
		default:
			f.keep(now)
			f.share.weight, f.share.since = weight, r.stamp()
			r.state.happened(report.TrafficShifted, f.share.since, fmt.Sprintf("%.4g%% to version %d", 100*weight, f.Version))
		}
		return
	}
	f.share.asked = f.share.weight
	f.Back(report.AliasChanged, "somebody else keeps changing the alias", false)
}

// confirm reads the alias. If somebody else has changed it, the promotion of this
// function ends. If it cannot be read, the next change detects that.
func confirm(ctx context.Context, f *Promoting) {
	r := f.r
	now, err := r.client.readAlias(ctx)
	if err == nil && !f.share.stale(now) && !f.ours(now) {
		// A result that no second read has confirmed has no effect.
		if r.clock.Sleep(ctx, staleWait) != nil {
			return
		}
		now, err = r.client.readAlias(ctx)
	}
	switch {
	case err != nil:
		if ctx.Err() == nil {
			r.log.Infof("%s could not be read: %s", r.subject.label(), brief(err))
		}
		return
	case f.share.stale(now):
		return
	case !f.ours(now):
		f.changedByOthers(now)
		return
	}
	f.keep(now)
	if now.Version == f.Version && now.Weighted != 0 {
		if f.following.IsZero() {
			f.following = r.clock.Now()
		}
		r.log.Infof("%s: %.3g%% of the traffic still goes to version %d, as happens with provisioned concurrency", r.subject.label(), 100*now.Weight, now.Weighted)
		f.share.since = r.stamp() // the version is watched from the time when it has all of the traffic
		return
	}
	f.following = time.Time{}
}

// stale reports whether a read returned the state of the alias before the last change.
func (s share) stale(a Alias) bool {
	seen := s.seen
	return len(seen) > 0 && a.RevisionID != seen[len(seen)-1] && slices.Contains(seen, a.RevisionID)
}

// changedByOthers ends the promotion of an alias that somebody else has changed. The
// alias is not changed.
func (f *Promoting) changedByOthers(now Alias) {
	f.r.state.setChangedByOthers(now)
	f.share.weight, f.share.asked = sharedWith(now, f.Version), sharedWith(now, f.Version)
	f.end(report.Failed, report.AliasChanged, fmt.Sprintf("the promotion of %s to version %d ended: somebody else changed the alias, which serves %s now, and was not moved", f.r.subject.place(), f.Version, serving(now)))
}

// sharedWith returns a version's share of the traffic of an alias.
func sharedWith(a Alias, version int64) float64 {
	switch version {
	case a.Weighted:
		return a.Weight
	case a.Version:
		return 1 - a.Weight
	}
	return 0
}

// Back returns all traffic to the stable version, even if the time limit has passed or
// the run was cancelled. If rejects is set, the new version is never selected
// automatically again.
func (f *Promoting) Back(reason report.Reason, why string, rejects bool) {
	if f.ended {
		return
	}
	s := &f.r.state
	if rejects {
		s.healthy = report.NotHealthy
	}
	ctx, cancel := context.WithTimeoutCause(f.r.mover.finish, returnLimit, ErrTimeout)
	defer cancel()
	settleDoubt(ctx, f)
	switch {
	case f.share.weight == 0 && !f.share.unsure(): // the new version never had any traffic
		f.Fail(reason, why)
	case f.Stable == 0:
		s.notRestored = true
		f.end(report.Failed, reason, fmt.Sprintf("%s stays on version %d, because there is no version to return to: %s", f.r.subject.place(), f.Version, why))
		return
	case !goBack(ctx, f, reason, why):
		return
	}
	if rejects {
		rejectNew(f)
	}
}

// settleDoubt finds out whether a shift without a response from AWS was carried out.
func settleDoubt(ctx context.Context, f *Promoting) {
	if !f.share.unsure() {
		return
	}
	now, err := f.r.client.readAlias(ctx)
	switch {
	case err != nil: // it may have been carried out, so it is reverted
	case near(sharedWith(now, f.Version), f.share.asked) && f.ours(now):
		f.keep(now)
		f.share.weight = f.share.asked
	case f.ours(now):
		f.keep(now)
		f.share.asked = f.share.weight
	}
}

// goBack moves all traffic to the stable version, and reports whether that succeeded.
func goBack(ctx context.Context, f *Promoting, reason report.Reason, why string) bool {
	r, s := f.r, &f.r.state
	share := max(f.share.weight, f.share.asked)
	for try := 1; ; try++ {
		from := r.now().Alias
		r.log.Infof("UpdateAlias: %s returns to version %d, because %s (revision %s)", r.subject.label(), f.Stable, why, from.RevisionID)
		now, err := r.mover.update(ctx, change{from: from, version: versionText(f.Stable)})
		switch {
		case errors.Is(err, errChanged) && f.ours(now) && try < maxDecisions:
			f.keep(now) // AWS's own weights, or a shift whose response was lost
			continue
		case errors.Is(err, errChanged):
			f.changedByOthers(now)
			return false
		case err != nil:
			_, text := reasonOfProblem(err)
			s.notRestored = true
			f.end(report.Failed, reason, fmt.Sprintf("%s STILL sends %.4g%% of the traffic to version %d: %s; it could not be returned to version %d: %s",
				r.subject.place(), 100*share, f.Version, why, f.Stable, text))
			f.r.state.promotion.Weight = share
			return false
		}
		f.keep(now)
		break
	}
	f.share.weight, f.share.asked = 0, 0
	s.move(r.now().Alias, f.Stable, r.stamp(), fmt.Sprintf("back to version %d, from %.4g%% on version %d", f.Stable, 100*share, f.Version))
	s.left, s.weightsCleared = f.Version, share < 1
	f.end(report.Failed, reason, fmt.Sprintf("%s is on version %d again: the promotion to version %d was stopped at %.4g%% of the traffic, because %s",
		r.subject.place(), f.Stable, f.Version, 100*share, why))
	return true
}

// rejectNew stores the new version as rejected by this run.
func rejectNew(f *Promoting) {
	r := f.r
	if !r.now().Request.Remember || f.Stable == 0 {
		return
	}
	r.state.decision = Decision{Action: Move, Target: f.Stable, Reject: []int64{f.Version}, ByRun: true, Notes: r.state.decision.Notes}
	r.remember(r.mover.finish)()
}
