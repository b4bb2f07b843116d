package alias

import (
	"context"
	"sync"
)

// candidatesAhead is how many versions that may be the target are read before it
// is known whether they are needed.
func candidatesAhead(ob *observer) int {
	if ob.listing != nil {
		return 1
	}
	return minCandidates
}

// ahead are versions that are read beside the alias: deployed-version says which
// one serves in all likelihood.
type ahead struct {
	cancel  context.CancelFunc
	reading sync.WaitGroup
	numbers []int64
	read    []Version
	errs    []error
}

// readAhead begins to read the version that deployed-version names and those below
// it, at the first look at the alias. What is not to be read is an empty ahead.
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
		a.reading.Go(func() { a.read[i], a.errs[i] = ob.client.readVersion(ctx, v) })
	}
	return a
}

// keep waits for the versions, hands them to the observer, and gives their
// numbers. One that could not be read is left out: whoever needs it reads it
// again, and says what is wrong.
func (a *ahead) keep(ob *observer) (numbers []int64) {
	a.reading.Wait()
	a.cancel()
	for i, v := range a.numbers {
		if a.errs[i] == nil {
			ob.keep(v, a.read[i])
			numbers = append(numbers, v)
		}
	}
	return numbers
}

// drop gives them up.
func (a *ahead) drop() {
	a.cancel()
	a.reading.Wait()
}
