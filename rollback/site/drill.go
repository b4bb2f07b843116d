package site

import (
	"context"
	"fmt"
	"time"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// Drill restores the site as q says and then brings it back to what it was, by a
// manifest that it takes first. Where q tells no state, not even by Created, it is the
// one before the last deploy. The way back is gone as long as d.Finish lasts, also where ctx has ended.
// back is the way back; nil: nothing was written. Where the way back fails, its
// message says how to go on.
func Drill(ctx context.Context, d Deps, q Request) (there report.Site, back *report.Site) {
	w := newWork(d, q)
	now := q
	now.Run = "drill-" + q.Run + "-" + q.Attempt
	taken, err := WriteManifest(ctx, d, now)
	if err == nil && q.RestoreTo.IsZero() && q.Manifest == "" && q.Created.IsZero() {
		w.q.RestoreTo, err = beforeLastDeploy(ctx, d, q)
	}
	if err != nil {
		w.fail(asProblem(err))
		return w.result, nil
	}
	if there = w.run(ctx); !w.b.wrote.Load() {
		return there, nil
	}
	now.Manifest, now.KeepNew = taken.Key, false
	returned := Restore(w.b.finish, d, now)
	if returned.Status == report.Failed {
		returned.Message = fmt.Sprintf("The drill could not return the site to its state before the drill: run `command: rollback` with `site-manifest: %s`. %s", taken.Key, returned.Message)
	}
	return there, &returned
}

// beforeLastDeploy is the moment before the newest burst of writes; where there is no
// older one, that one's own.
func beforeLastDeploy(ctx context.Context, d Deps, q Request) (time.Time, error) {
	moments, err := Moments(ctx, d, q, 2)
	if err != nil || len(moments) == 0 {
		return d.Clock.Now(), err
	}
	return time.Parse(time.RFC3339, moments[len(moments)-1].At)
}
