package alias

import (
	"context"
	"errors"
	"sync"
	"time"
)

// Some reads are optional: a move can do without them, so that none of them may stop it
// or take the time that it needs.

// longestPatience is how long to wait, at most, for a call that the move can do without:
// the memory alias after the alias was read, or the list of the versions. Short faults
// pass in that time.
const longestPatience = 90 * time.Second

// errLate ends the attempts of such a call.
var errLate = errors.New("the time for this call is over")

// patienceOf returns how long such a call is waited for: a third of what is left of the
// time limit, so that there is time for the move.
func patienceOf(ctx context.Context, ob *observer) time.Duration {
	deadline, limited := ctx.Deadline()
	if !limited {
		return longestPatience
	}
	return max(min(longestPatience, deadline.Sub(ob.client.caller.clock.Now())/3), 0)
}

// pauseAfterTry waits as long as the response to the first try of a version requires.
func pauseAfterTry(ctx context.Context, ob *observer, version int64) {
	ob.mu.Lock()
	err := ob.tried[version]
	delete(ob.tried, version)
	ob.mu.Unlock()
	if calls := ob.client.caller; err != nil && classify(err).Retryable() {
		_ = calls.sleep(ctx, pause(calls.clock.Now(), 1, err)) // the next call looks at ctx
	}
}

// tryVersions reads versions that will most likely be needed, with one short try for
// each. A version that cannot be read does not stop anything: the rule that needs it
// requests it again, and reports the error.
func tryVersions(ctx context.Context, ob *observer, versions []int64) {
	var reading sync.WaitGroup
	for _, v := range versions {
		reading.Go(func() {
			read, err := ob.client.tryVersion(ctx, v)
			keepTry(ob, v, read, err)
		})
	}
	reading.Wait()
}

// keepTry keeps a version, or the error of the try to read it.
func keepTry(ob *observer, number int64, v Version, err error) {
	if err == nil {
		ob.keep(number, v)
		return
	}
	ob.mu.Lock()
	defer ob.mu.Unlock()
	if ob.tried == nil {
		ob.tried = map[int64]error{}
	}
	ob.tried[number] = err
}
