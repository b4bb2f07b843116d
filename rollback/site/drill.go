package site

import (
	"context"
	"fmt"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// Drill restores the site as q says and then brings it back to what it was, by a
// manifest that it takes first. back is the way back; nil: there was nothing to bring
// back. Where the way back fails, its message says how to go on.
func Drill(ctx context.Context, d Deps, q Request) (there report.Site, back *report.Site) {
	now := q
	now.Run = "drill-" + q.Run + "-" + q.Attempt
	taken, err := WriteManifest(ctx, d, now)
	if err != nil {
		w := newWork(d, q)
		w.fail(asProblem(err))
		return w.result, nil
	}
	there = Restore(ctx, d, q)
	if there.Restored+there.Removed == 0 {
		return there, nil
	}
	now.RestoreTo, now.Manifest, now.KeepNew = q.RestoreTo, taken.Key, false
	returned := Restore(ctx, d, now)
	if returned.Status == report.Failed {
		returned.Message = fmt.Sprintf("The drill could not bring the site back: run `command: rollback` with `site-manifest: %s`. %s", taken.Key, returned.Message)
	}
	return there, &returned
}
