package site

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// deployGap is the longest time between two writes of what counts as one deploy.
const deployGap = 2 * time.Minute

// secondsKept is how many seconds with writes are kept when old ones are dropped:
// the newest ones.
const secondsKept = 20_000

// Moments returns the points in time that a site can be restored to, newest first:
// the end of each burst of writes that the listing shows. most limits their number.
// Its errors are of type *Problem.
func Moments(ctx context.Context, d Deps, q Request, most int) ([]report.SiteMoment, error) {
	b := d.bucket(q.Bucket)
	if err := b.open(ctx); err != nil {
		return nil, b.denialHint(ctx, err)
	}
	writes := map[int64]burst{}
	for e, err := range b.list(ctx, q.prefix(), 0) {
		if err != nil {
			return nil, asProblem(b.denialHint(ctx, err))
		}
		if strings.HasPrefix(e.Key, Reserved) {
			continue
		}
		second := e.Modified.Unix()
		w := writes[second]
		if e.Marker {
			w.markers++
		} else {
			w.versions++
		}
		writes[second] = w
		if len(writes) > 2*secondsKept {
			dropOldest(writes)
		}
	}
	moments := together(writes, most)
	if err := b.addManifests(ctx, q, moments); err != nil {
		return nil, asProblem(err)
	}
	return moments, nil
}

// burst counts the writes of a second, or of a deploy.
type burst struct {
	versions, markers int
}

func dropOldest(writes map[int64]burst) {
	seconds := sorted(writes)
	for _, second := range seconds[secondsKept:] {
		delete(writes, second)
	}
}

// sorted returns the seconds, newest first.
func sorted(writes map[int64]burst) []int64 {
	seconds := make([]int64, 0, len(writes))
	for second := range writes {
		seconds = append(seconds, second)
	}
	slices.Sort(seconds)
	slices.Reverse(seconds)
	return seconds
}

func together(writes map[int64]burst, most int) []report.SiteMoment {
	moments := []report.SiteMoment{}
	last := int64(0)
	for _, second := range sorted(writes) {
		if len(moments) == 0 || last-second > int64(deployGap/time.Second) {
			if len(moments) == most {
				break
			}
			moments = append(moments, report.SiteMoment{At: time.Unix(second, 0).UTC().Format(time.RFC3339)})
		}
		m := &moments[len(moments)-1]
		m.Versions += writes[second].versions
		m.Removed += writes[second].markers
		last = second
	}
	return moments
}

// addManifests adds to each moment the manifest that was written while the site was
// in that state.
func (b *bucket) addManifests(ctx context.Context, q Request, moments []report.SiteMoment) error {
	_, suffix, _ := strings.Cut(manifestKey("", q.prefix()), manifestFolder)
	for e, err := range b.list(ctx, manifestFolder, 0) {
		if err != nil {
			return err
		}
		if e.Marker || !strings.HasSuffix(e.Key, suffix) {
			continue
		}
		for i := range moments {
			at, err := time.Parse(time.RFC3339, moments[i].At)
			if err == nil && !e.Modified.Before(at) {
				moments[i].Manifest = e.Key
				break
			}
		}
	}
	return nil
}
