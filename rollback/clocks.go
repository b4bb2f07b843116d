package rollback

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/org/lambda-rollback-action/rollback/alias"
)

// clocks compares the clocks of AWS and GitHub. It uses the Date headers of their
// responses, each relative to the clock of this machine, which may be wrong.
type clocks struct {
	aws, github offset
}

// leastDifference is the smallest difference that counts: a Date header has whole
// seconds, and the response takes time to arrive.
const leastDifference = 2 * time.Second

// difference returns how far apart the clocks of AWS and GitHub are; zero: too
// little to measure, or not known.
func (c *clocks) difference() time.Duration {
	a, aTook := c.aws.get()
	g, gTook := c.github.get()
	apart := (a - g).Abs().Round(time.Second)
	if aTook == 0 || gTook == 0 || apart < max(leastDifference, time.Second+(aTook+gTook)/2) {
		return 0
	}
	return apart
}

// awsAhead returns how far the clock of AWS is ahead of the clock of this machine;
// zero: too little to measure, or not known.
func (c *clocks) awsAhead() time.Duration {
	ahead, took := c.aws.get()
	if ahead.Abs() < max(leastDifference, time.Second+took/2) {
		return 0
	}
	return ahead
}

// awsNow returns the time by the clock of AWS. It is used in the result, and to
// compare with times from AWS.
func awsNow(a *action) time.Time { return a.deps.Clock.Now().Add(a.clocks.awsAhead()) }

// awsClock returns this machine's clock, shifted to the time of AWS. The shift is
// fixed, so the clock can also measure durations.
func awsClock(a *action) shiftedClock { return shiftedClock{a.deps.Clock, a.clocks.awsAhead()} }

// shiftedClock is a clock that is ahead of another one.
type shiftedClock struct {
	clock alias.Clock
	ahead time.Duration
}

// Now returns the shifted time.
func (c shiftedClock) Now() time.Time { return c.clock.Now().Add(c.ahead) }

// Sleep waits.
func (c shiftedClock) Sleep(ctx context.Context, d time.Duration) error { return c.clock.Sleep(ctx, d) }

// offset is how far a clock is ahead of the clock of this machine.
type offset struct {
	mu    sync.Mutex
	ahead time.Duration
	took  time.Duration // duration of the request that ahead was read from; zero: none yet
}

// note records the Date header of a response that has just arrived. The fastest
// response is the most accurate.
func (o *offset) note(date string, now time.Time, took time.Duration) {
	at, err := http.ParseTime(date)
	if err != nil {
		return
	}
	took = max(took, 1)
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.took == 0 || took < o.took {
		// The header is truncated to seconds, which loses half a second on average.
		// It was written half-way through the request.
		o.ahead, o.took = at.Add(time.Second/2).Sub(now.Add(-took/2)), took
	}
}

// get returns how far the clock is ahead, and the duration of the request that this
// was read from; zero: none yet.
func (o *offset) get() (ahead, took time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.ahead, o.took
}

// timed records the Date headers of GitHub's responses.
type timed struct {
	next  http.RoundTripper
	clock alias.Clock
	into  *offset
}

// RoundTrip makes the request.
func (t timed) RoundTrip(r *http.Request) (*http.Response, error) {
	sent := t.clock.Now()
	answer, err := t.next.RoundTrip(r)
	if err == nil && answer.Header.Get("Age") == "" { // not from a cache
		now := t.clock.Now()
		t.into.note(answer.Header.Get("Date"), now, now.Sub(sent))
	}
	return answer, err
}
