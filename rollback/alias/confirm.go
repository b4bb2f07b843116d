package alias

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// confirmLimit bounds the look at an alias after the checks.
const confirmLimit = 10 * time.Second

// Confirm reads the aliases of the picked functions once more, after production
// was checked: what was found is said of the version that it was found on. Where
// an alias is not on its target alone any more, AliasState says so.
func (f *Fleet) Confirm(ctx context.Context, picked []int) {
	f.further(picked, func(t *task) bool { return t.confirm(ctx) })
}

func (t *task) confirm(ctx context.Context) bool {
	if t.moved == nil || t.result.ChangedByOthers {
		return false
	}
	ctx, cancel := context.WithTimeoutCause(ctx, confirmLimit, ErrTimeout)
	defer cancel()
	target := t.d.Target
	now, err := t.readBack(ctx)
	switch {
	case err != nil:
		t.warnf("whether the alias was still on version %d after the checks could not be read: %s", target, brief(err))
		return false
	case now.Only(target):
		t.result.AliasState = ""
		return true
	case t.shifting(now, target):
		t.result.AliasState = fmt.Sprintf("version %d still gets %.3g%% of its traffic", now.Weighted, 100*now.Weight)
		return false
	}
	t.elsewhere(now)
	return false
}

// shifting: the traffic still follows the alias to the target. The weights that
// AWS puts there itself are those of versions that were left.
func (t *task) shifting(now Alias, target int64) bool {
	return now.Version == target && now.Weighted != 0 &&
		slices.Contains(append(t.result.Tried, t.result.Left), versionText(now.Weighted))
}

// elsewhere keeps that somebody else moved the alias on. It is left there.
func (t *task) elsewhere(now Alias) {
	t.result.ChangedByOthers = true
	t.result.AliasState = fmt.Sprintf("somebody else has changed the alias since, and it serves %s now", serving(now))
	t.warnf("somebody else has changed the alias since it was rolled back: it serves %s now, and is left there", serving(now))
}
