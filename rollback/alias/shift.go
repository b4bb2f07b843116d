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

// returnLimit is how long a promotion goes on trying to return the traffic, unless a
// signal leaves less: AWS may throttle for minutes.
const returnLimit = 5 * time.Minute

// share is how much of the traffic the new version has.
type share struct {
	weight float64 // as AWS confirmed it, from 0 to 1
	// asked is what AWS was asked for last. It differs from weight where nothing told
	// whether that was carried out.
	asked float64
	since time.Time // when it was set
	// seen are the revisions of the alias so far: a read that shows an earlier one
	// lags behind a write.
	seen []string
}

// unsure: AWS did not tell whether the last shift was carried out.
func (s share) unsure() bool { return s.asked != s.weight }

// ours reports whether an alias serves what the promotion has set, or what AWS makes
// of that: with provisioned concurrency it shifts the traffic by weights of its own.
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

// near: AWS may round a weight.
func near(a, b float64) bool { return math.Abs(a-b) < 0.001 }

// keep takes an alias as the one that is there.
func (f *Promoting) keep(a Alias) {
	f.r.now().Alias = a
	if !slices.Contains(f.share.seen, a.RevisionID) {
		f.share.seen = append(f.share.seen, a.RevisionID)
	}
}

// shiftTo gives the new version a share of the traffic; all of it by pointing the
// alias at it.
func shiftTo(ctx context.Context, f *Promoting, weight float64) {
	r := f.r
	switch {
	case weight < f.share.weight:
		return // it is further already, and is passed over
	case weight == f.share.weight: // as an earlier attempt has left it: its time begins anew
		f.share.since = r.clock.Now()
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
			f.share.weight, f.share.since = weight, r.clock.Now()
			r.state.happened(report.TrafficShifted, f.share.since, fmt.Sprintf("%.4g%% to version %d", 100*weight, f.Version))
		}
		return
	}
	f.share.asked = f.share.weight
	f.Back(report.AliasChanged, "somebody else keeps changing the alias", false)
}

// confirm reads the alias. Where somebody else has changed it, the promotion of this
// function ends; where it cannot be read, the next change finds out.
func confirm(ctx context.Context, f *Promoting) {
	r := f.r
	now, err := r.client.readAlias(ctx)
	if err == nil && !f.share.stale(now) && !f.ours(now) {
		// What nobody confirmed by a second reading is not acted upon.
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
		r.log.Infof("%s: %.3g%% of the traffic still goes to version %d, as with provisioned concurrency", r.subject.label(), 100*now.Weight, now.Weighted)
		f.share.since = r.clock.Now() // it is watched alone from when it serves alone
		return
	}
	f.following = time.Time{}
}

// stale: a reading shows the alias as it was before the last change.
func (s share) stale(a Alias) bool {
	seen := s.seen
	return len(seen) > 0 && a.RevisionID != seen[len(seen)-1] && slices.Contains(seen, a.RevisionID)
}

// changedByOthers ends the promotion of an alias that somebody else has changed. It
// is left as it is.
func (f *Promoting) changedByOthers(now Alias) {
	f.r.state.changedByOthers = true
	f.r.state.position = position{kind: changedByOthers, alias: now}
	f.share.weight, f.share.asked = sharedWith(now, f.Version), sharedWith(now, f.Version)
	f.end(report.Failed, report.AliasChanged, fmt.Sprintf("the promotion of %s to version %d ended: somebody else changed the alias, which serves %s now, and it is left there", f.r.subject.place(), f.Version, serving(now)))
}

// sharedWith is a version's share of the traffic of an alias.
func sharedWith(a Alias, version int64) float64 {
	switch version {
	case a.Weighted:
		return a.Weight
	case a.Version:
		return 1 - a.Weight
	}
	return 0
}

// Back returns all traffic to the stable version, also where the time limit is over
// or the run was cancelled. rejects: the new version is never selected automatically
// again.
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
	case f.share.weight == 0 && !f.share.unsure(): // it never had any traffic
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

// settleDoubt finds out whether a shift was carried out that AWS did not answer.
func settleDoubt(ctx context.Context, f *Promoting) {
	if !f.share.unsure() {
		return
	}
	now, err := f.r.client.readAlias(ctx)
	switch {
	case err != nil: // it may have been: it is taken back
	case near(sharedWith(now, f.Version), f.share.asked) && f.ours(now):
		f.keep(now)
		f.share.weight = f.share.asked
	case f.ours(now):
		f.keep(now)
		f.share.asked = f.share.weight
	}
}

// goBack moves all traffic to the stable version, and reports whether it is there.
func goBack(ctx context.Context, f *Promoting, reason report.Reason, why string) bool {
	r, s := f.r, &f.r.state
	share := max(f.share.weight, f.share.asked)
	for try := 1; ; try++ {
		from := r.now().Alias
		r.log.Infof("UpdateAlias: %s returns to version %d, because %s (revision %s)", r.subject.label(), f.Stable, why, from.RevisionID)
		now, err := r.mover.update(ctx, change{from: from, version: versionText(f.Stable)})
		switch {
		case errors.Is(err, errChanged) && f.ours(now) && try < maxDecisions:
			f.keep(now) // AWS's own weights, or a shift whose answer was lost
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
	s.move(r.now().Alias, f.Stable, r.clock.Now(), fmt.Sprintf("back to version %d, from %.4g%% on version %d", f.Stable, 100*share, f.Version))
	s.left, s.weightsCleared = f.Version, share < 1
	f.end(report.Failed, reason, fmt.Sprintf("%s is on version %d again: the promotion to version %d was stopped at %.4g%% of the traffic, because %s",
		r.subject.place(), f.Stable, f.Version, 100*share, why))
	return true
}

// rejectNew remembers the new version as a bad one, by this run.
func rejectNew(f *Promoting) {
	r := f.r
	if !r.now().Request.Remember || f.Stable == 0 {
		return
	}
	r.state.decision = Decision{Action: Move, Target: f.Stable, Reject: []int64{f.Version}, ByRun: true, Notes: r.state.decision.Notes}
	r.remember(r.mover.finish)()
}
