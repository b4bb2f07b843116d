package alias

import (
	"context"
	"sync"
)

// candidatesAhead is how many possible target versions are read before it is known
// whether they are needed.
func candidatesAhead(ob *observer) int {
	if ob.listing != nil {
		return 1
	}
	return minCandidates
}

// ahead contains versions that are read concurrently with the alias: deployed-version
// most likely names the live version.
type ahead struct {
	cancel  context.CancelFunc
	reading sync.WaitGroup
	numbers []int64
	read    []Version
	errs    []error
}

// readAhead starts to read the version in deployed-version and the versions below it,
// at the first look at the alias. If there is nothing to read, ahead is empty.
func readAhead(ctx context.Context, ob *observer) *ahead {
	deployed := ob.o.Request.Deployed
	a := &ahead{cancel: func() {}}
	if deployed == 0 || ob.o.Request.Target != 0 || ob.o.Alias.RevisionID != "" {
		return a
	}
	for v := deployed; v > 0 && v >= deployed-int64(candidatesAhead(ob)); v-- {
		a.numbers = append(a.numbers, v)
	}
	a.read, a.errs = make([]Version, len(a.numbers)), make([]error, len(a.numbers))
	ctx, a.cancel = context.WithCancel(ctx)
	for i, v := range a.numbers {
		a.reading.Go(func() { a.read[i], a.errs[i] = ob.client.tryVersion(ctx, v) })
	}
	return a
}

// keep waits for the versions, passes them to the observer, and returns their numbers.
// A version that could not be read does not stop anything: the rule that needs it
// reads it again, and reports the error.
func (a *ahead) keep(ob *observer) []int64 {
	a.reading.Wait()
	a.cancel()
	for i, v := range a.numbers {
		keepTry(ob, v, a.read[i], a.errs[i])
	}
	return a.numbers
}

// drop cancels the reads.
func (a *ahead) drop() {
	a.cancel()
	a.reading.Wait()
}
