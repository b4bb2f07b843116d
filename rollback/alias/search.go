package alias

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"golang.org/x/sync/errgroup"
)

// searchBelow goes one step towards the highest version below a number: it
// lists a page (oldest first, in as many calls as there are pages) and tries the
// next few numbers at the same time. Whichever finds it first ends the search, so
// that neither a gap of thousands nor thousands of versions make it long.
func (ob *observer) searchBelow(ctx context.Context, below int64) error {
	var probes []int64
	for v := below - 1; v > 0 && len(probes) < probesPerPage && ob.probed < maxProbes; v-- {
		if _, known := ob.o.Versions[v]; known {
			continue
		}
		if e, rejected := ob.o.Memory.Rejected.Find(v); rejected && e.Run == 0 {
			v = e.Last
			continue
		}
		probes = append(probes, v)
		ob.probed++
	}
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() error { return ob.listPage(gctx) })
	g.Go(func() error { return ob.readVersions(gctx, probes) })
	return g.Wait()
}

func (ob *observer) listPage(ctx context.Context) error {
	out, err := ob.client.listVersions(ctx, ob.marker, pageSize)
	if err != nil {
		return err
	}
	ob.mu.Lock()
	defer ob.mu.Unlock()
	for i := range out.Versions {
		v, err := parseNumber(aws.ToString(out.Versions[i].Version))
		if err != nil {
			continue // $LATEST
		}
		if _, known := ob.o.Versions[v]; !known {
			ob.put(v, Version{Exists: true, LastModified: parseModified(out.Versions[i].LastModified)})
		}
	}
	ob.marker = out.NextMarker
	ob.o.Listed = aws.ToString(out.NextMarker) == ""
	return nil
}

// searchAbove looks for versions that were published and never came behind the
// alias: upwards, until several numbers in a row do not exist.
func (ob *observer) searchAbove(ctx context.Context, above int64) error {
	// Those that were rejected lie above, too, and may have been deleted since:
	// what came after them is looked for as well.
	if rejected := ob.o.Memory.Rejected; len(rejected) > 0 && rejected[0].First > above+stepAbove {
		if err := ob.lookAbove(ctx, rejected[0].First); err != nil {
			return err
		}
	}
	ob.o.SearchedAbove = true
	return ob.lookAbove(ctx, above)
}

func (ob *observer) lookAbove(ctx context.Context, above int64) error {
	for from, found := above+1, 0; found < maxAbove; from += stepAbove {
		var next []int64
		for v := from; v < from+stepAbove; v++ {
			next = append(next, v)
		}
		if err := ob.readVersions(ctx, next); err != nil {
			return err
		}
		before := found
		for _, v := range next {
			if ob.o.Versions[v].Exists {
				found++
			}
		}
		if found == before {
			break
		}
	}
	return nil
}
