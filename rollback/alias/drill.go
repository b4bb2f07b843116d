package alias

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/org/lambda-rollback-action/rollback/report"
)

const (
	homeTries = 30
	homePause = time.Second
)

// drill is what a task knows while it is rehearsed.
type drill struct {
	before   Alias // what was served, to return to
	there    time.Duration
	homeward time.Time // when the way back began
	broke    string    // what the way there failed with
	going    bool      // the way there was begun, and the way back was not
	theirs   bool      // somebody else brought the alias to the target
}

// Rehearse moves every function's alias to where a rollback would take it now.
// It rejects and remembers nothing. It gives those for which a move was tried:
// they are to be brought Home, whatever comes in between.
func (f *Fleet) Rehearse(ctx context.Context) (moved []int) {
	return f.further(f.everyone(), func(t *task) bool { return t.rehearse(ctx) })
}

// Home brings the picked functions back to what their aliases served before the
// rehearsal, weights included. It goes on trying, also after the time limit and
// after a signal, as long as the process may live. It gives those that are there.
func (f *Fleet) Home(picked []int) (home []int) {
	return f.further(picked, func(t *task) bool { return t.home() })
}

func (f *Fleet) everyone() []int {
	all := make([]int, len(f.tasks))
	for i := range all {
		all[i] = i
	}
	return all
}

// rehearse is true where the alias may have been moved.
func (t *task) rehearse(ctx context.Context) bool {
	const nothing = "nothing was moved for"
	t.Request.Remember = false
	if err := t.readAliases(ctx); err != nil {
		t.failDoing(nothing, err)
		return false
	}
	t.seen()
	if err := t.readVersions(ctx, t.o.prefetch()); err != nil {
		t.failDoing(nothing, err)
		return false
	}
	d, err := t.decideBy(ctx, decidePreview)
	if err != nil {
		t.failDoing(nothing, err)
		return false
	}
	switch d.Action {
	case Fail:
		t.failDoing(nothing, &Problem{Reason: d.Reason, Text: d.Why})
		return false
	case Skip:
		t.settleOn(d)
		return false
	case Move, NeedMore: // what there is to learn is learnt
	}
	t.log.Infof("the drill goes to version %d, because %s", d.Target, d.Why)
	t.result.Why, t.result.Target, t.result.Reason = d.Why, versionText(d.Target), d.Reason
	if t.DryRun {
		t.settleOn(d)
		return false
	}
	t.drill.before = t.o.Alias
	t.result.HadCanary = t.o.Alias.Weighted != 0
	t.d = d
	t.result.Left = versionText(t.left())
	if left := t.o.Versions[t.left()]; left.Read {
		t.result.LogGroup = left.Settings.LogGroup
	}
	began := t.clock.Now()
	t.drill.going = true
	err = t.moveOn(ctx, d)
	t.drill.going = false
	if err != nil {
		t.drill.theirs = errors.Is(err, errTheirs)
		reason, text := reasonOfProblem(err)
		t.drill.broke = text
		t.result.Status, t.result.Reason = report.Failed, reason
		t.log.Infof("the way there failed (%s): %s", reason, text)
		return true
	}
	t.drill.there = t.clock.Now().Sub(began)
	t.result.Status, t.result.Reason = report.Drilled, ""
	return true
}

// home returns to what was served before the rehearsal.
func (t *task) home() bool {
	ctx, cancel := context.WithTimeoutCause(t.Finish, homeTries*homePause, ErrTimeout)
	defer cancel()
	var last error
	shifting := false
	t.drill.homeward = t.clock.Now()
	for try := 1; try <= homeTries && ctx.Err() == nil; try++ {
		now, err := t.readAlias(ctx)
		switch {
		case err != nil:
			last = err
		case now.sameTraffic(t.drill.before):
			t.returned(now)
			return true
		case t.drill.before.Weighted == 0 && now.Version == t.drill.before.Version && versionText(now.Weighted) == t.result.Target:
			shifting = true // as with provisioned concurrency
		case !t.ours(now):
			t.result.Status, t.result.Reason = report.Failed, report.AliasChanged
			t.result.To, t.result.MovedAt, t.result.ChangedByOthers = "", "", true
			t.result.Message = fmt.Sprintf("somebody else has changed %s in %s during the drill: it serves %s now, and is left there", t.label(), t.Environment, serving(now))
			return false
		default:
			if last = t.goHome(ctx, now); last == nil {
				continue // read back
			}
		}
		if t.clock.Sleep(ctx, homePause) != nil {
			break
		}
	}
	if shifting {
		t.warnf("the alias is back on version %d, but its traffic is still shifting; AWS goes on by itself", t.drill.before.Version)
		t.returned(t.drill.before)
		return true
	}
	return t.stranded(ctx, last)
}

// stranded says that the way back was not found.
func (t *task) stranded(ctx context.Context, last error) bool {
	if last == nil {
		last = &Stopped{Cause: context.Cause(ctx)}
	}
	reason, text := reasonOfProblem(explain(last, "UpdateAlias", t.resource()))
	t.result.Status, t.result.Reason, t.result.NotRestored = report.Failed, reason, true
	t.result.Message = fmt.Sprintf("%s in %s was NOT returned to %s after the drill, and may still be on version %s: %s",
		t.label(), t.Environment, serving(t.drill.before), t.result.Target, text)
	return false
}

// ours: the alias is where the rehearsal brought it, with no other weights than
// those that AWS puts there while the traffic shifts.
func (t *task) ours(now Alias) bool {
	return !t.drill.theirs && versionText(now.Version) == t.result.Target && (now.Weighted == 0 || t.drill.before.Serves(now.Weighted))
}

func (t *task) goHome(ctx context.Context, now Alias) error {
	weights := map[string]float64{}
	if t.drill.before.Weighted != 0 {
		weights[versionText(t.drill.before.Weighted)] = t.drill.before.Weight
	}
	t.log.Infof("UpdateAlias: %s returns from %s to %s (revision %s)", t.label(), serving(now), serving(t.drill.before), now.RevisionID)
	_, err := t.update(ctx, now, t.drill.before.primary(), weights)
	return err
}

// returned puts the moment into the result.
func (t *task) returned(now Alias) {
	t.moved = nil
	t.log.Infof("the alias serves %s again", serving(now))
	at := t.clock.Now()
	t.result.Timeline = append(t.result.Timeline, report.Moment{
		Event: report.Returned, At: at, Detail: "serves " + serving(now) + " again",
	})
	t.result.To = ""
	if t.drill.broke != "" {
		t.result.MovedAt = ""
		t.result.Message = fmt.Sprintf("%s in %s serves %s, as before; the drill failed: %s", t.label(), t.Environment, serving(now), t.drill.broke)
		return
	}
	t.result.Message = fmt.Sprintf("%s in %s serves %s, as before: the drill took it to version %s in %s, and back in %s",
		t.label(), t.Environment, serving(now), t.result.Target, brieflyTook(t.drill.there), brieflyTook(at.Sub(t.drill.homeward)))
}

// brieflyTook rounds a time to what a person can use.
func brieflyTook(d time.Duration) time.Duration {
	if d > 10*time.Second {
		return d.Round(time.Second)
	}
	return d.Round(10 * time.Millisecond)
}
