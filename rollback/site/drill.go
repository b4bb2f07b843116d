package site

import (
	"context"
	"fmt"
	"time"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// Drill restores the site as q requests, and then returns it to its state before the
// drill, which it first records in a manifest. If q specifies no state, not even by
// Created, Drill restores the state before the last deploy. The return may use all
// the time that d.Finish allows, even if ctx has ended. back is the result of the
// return; nil: nothing was written. If the return fails, its message says how to
// continue.
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

// beforeLastDeploy returns the time of the last burst of writes before the newest
// one. If there is only one burst, it returns the time of that one.
func beforeLastDeploy(ctx context.Context, d Deps, q Request) (time.Time, error) {
	moments, err := Moments(ctx, d, q, 2)
	if err != nil || len(moments) == 0 {
		return d.Clock.Now(), err
	}
	return time.Parse(time.RFC3339, moments[len(moments)-1].At)
}
