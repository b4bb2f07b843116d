package alias

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"golang.org/x/sync/errgroup"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// searchBelow makes one step of the search for the highest version below a number: it
// lists a page (oldest first, in as many calls as there are pages) and concurrently
// tries the next few numbers. The first hit ends the search, so neither a gap of
// thousands of numbers nor thousands of versions slow it down. If the versions cannot
// be listed, more numbers are tried instead, and the gap is limited.
func (ob *observer) searchBelow(ctx context.Context, below int64) error {
	if ob.tried[below-1] != nil { // whether it exists is needed now
		return ob.readVersions(ctx, []int64{below - 1})
	}
	atOnce, most, listed := probesPerPage, maxProbes, ob.unlisted == nil
	if !listed {
		atOnce, most = probesUnlisted, maxUnlisted
	}
	var probes []int64
	for v := below - 1; v > 0 && len(probes) < atOnce && ob.probed < most; v-- {
		if _, known := ob.o.Versions[v]; known || listed && ob.tried[v] != nil {
			continue
		}
		if e, rejected := ob.o.Memory.Rejected.Find(v); rejected && e.Run == 0 {
			v = e.Last
			continue
		}
		probes = append(probes, v)
		ob.probed++
	}
	if !listed && len(probes) == 0 {
		return ob.unlisted
	}
	g, gctx := errgroup.WithContext(ctx)
	if listed {
		g.Go(func() error { return ob.listPage(gctx) })
	}
	g.Go(func() error {
		if listed {
			tryVersions(gctx, ob, probes)
			return nil
		}
		return ob.readVersions(gctx, probes) // there is no other way
	})
	err := g.Wait()
	if listed && ob.unlisted != nil {
		ob.notes.warnf("the versions could not be listed, so the action reads them one by one, up to %d of them: %s", maxUnlisted, ob.unlisted.Text)
	}
	if err != nil || ctx.Err() == nil {
		return err
	}
	return &Stopped{Cause: context.Cause(ctx)}
}

func (ob *observer) listPage(ctx context.Context) error {
	limited, stop := context.WithTimeoutCause(ctx, patienceOf(ctx, ob), errLate)
	defer stop()
	out, err := ob.client.listVersions(limited, ob.marker, pageSize)
	late := ctx.Err() == nil && errors.Is(context.Cause(limited), errLate)
	if problem, found := errors.AsType[*Problem](err); found && ctx.Err() == nil && (late || problem.Reason != report.FunctionNotFound) {
		ob.unlisted = problem
		return nil
	}
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

// searchAbove looks for versions that were published although the alias was never
// moved to them: upwards, until several numbers in a row do not exist.
func (ob *observer) searchAbove(ctx context.Context, above int64) error {
	// Rejected versions are above as well, and may have been deleted since: the search
	// also looks for what came after them.
	if rejected := ob.o.Memory.Rejected; len(rejected) > 0 && rejected[0].First >= above+stepAbove {
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
