package rollback

import (
	"net/http"
	"sync"
	"time"

	"github.com/org/lambda-rollback-action/rollback/alias"
)

// clocks compares the clocks of AWS and GitHub by the Date headers of their answers,
// each with the clock of this machine, which may be wrong.
type clocks struct {
	aws, github offset
}

// leastDifference is what the clocks must differ by to count: a Date header has
// whole seconds, and its way takes time.
const leastDifference = 2 * time.Second

// difference is how far they are apart; zero: not by more than can be told, or not
// known.
func (c *clocks) difference() time.Duration {
	a, aTook := c.aws.get()
	g, gTook := c.github.get()
	apart := (a - g).Abs().Round(time.Second)
	if aTook == 0 || gTook == 0 || apart < max(leastDifference, time.Second+(aTook+gTook)/2) {
		return 0
	}
	return apart
}

// awsAhead is how far AWS's clock is ahead of this machine's; zero: not by more than
// can be told, or not known.
func (c *clocks) awsAhead() time.Duration {
	ahead, took := c.aws.get()
	if ahead.Abs() < max(leastDifference, time.Second+took/2) {
		return 0
	}
	return ahead
}

// offset is how far a clock is ahead of this machine's.
type offset struct {
	mu    sync.Mutex
	ahead time.Duration
	took  time.Duration // of the answer that told it; zero: none has
}

// note takes the Date header of an answer that came now. The quickest answer tells
// it best.
func (o *offset) note(date string, now time.Time, took time.Duration) {
	at, err := http.ParseTime(date)
	if err != nil {
		return
	}
	took = max(took, 1)
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.took == 0 || took < o.took {
		// On average the header leaves half a second out, and was written half-way.
		o.ahead, o.took = at.Add(time.Second/2).Sub(now.Add(-took/2)), took
	}
}

// get gives how far it is ahead, and how long the answer took that told it; zero:
// none has.
func (o *offset) get() (ahead, took time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.ahead, o.took
}

// timed notes the Date headers of GitHub's answers.
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
