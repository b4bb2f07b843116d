package aws

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
)

// Log takes one fact a line.
type Log interface {
	Infof(format string, args ...any)
}

// Clock is the time, handed in.
type Clock interface {
	Now() time.Time
	// Sleep returns early, with the context's error, when the context ends.
	Sleep(ctx context.Context, d time.Duration) error
}

const (
	// tryLimit bounds one try. The SDK has no time limit of its own: a stalled
	// server would hold a try for ever.
	tryLimit = 8 * time.Second
	// unresolvedLimit is how long a host name may stay unknown. A resolver that
	// starts answers within that; a region that does not exist never does.
	unresolvedLimit = 5 * time.Second

	firstPause   = 100 * time.Millisecond
	longestPause = 5 * time.Second
)

// errTryLimit is the cause of a try that took longer than tryLimit.
var errTryLimit = fmt.Errorf("no answer within %s", tryLimit)

// Stopped is the error of a call that was given up because the context ended.
type Stopped struct {
	Cause error // why the context ended
	Last  error // how the last try had ended; nil if there was none
	// Before is how the try before the last one had ended, which was cut off by the
	// end of the context; nil if there was none.
	Before error
}

func (s *Stopped) Error() string {
	if s.Last == nil {
		return s.Cause.Error()
	}
	return fmt.Sprintf("%s; the last try had ended with: %s", s.Cause, s.Last)
}

// Unwrap makes both causes visible to errors.As and errors.Is.
func (s *Stopped) Unwrap() []error { return []error{s.Cause, s.Last} }

// Retry says how calls are tried again. The program does that itself, not
// the SDK's retryer: that one shares its tokens among all functions, does not know
// Retry-After, and cannot distinguish a change that may have been made from one that was
// not. The zero value of each field but Log and Clock is usable.
type Retry struct {
	Log   Log
	Clock Clock
	// Tries is the number of tries; zero: until the context ends.
	Tries int
	// FirstPause is the longest first pause; it doubles up to 5 s. Zero: 100 ms.
	FirstPause time.Duration
	// LongestPause bounds what a Retry-After may ask for; zero: no bound.
	LongestPause time.Duration
	// Gate has room for the tries that may be made at once; nil: any number.
	Gate chan struct{}
}

// Do calls f until it succeeds, until its error is one that a further try does
// not mend, until the tries are used up, or until ctx ends: then the error is a
// *Stopped. call names the call in the log.
func Do[T any](ctx context.Context, r Retry, call string, f func(context.Context) (T, error)) (T, error) {
	var last error
	var unresolvedSince time.Time // zero: the last try found the host
	for try := 1; ; try++ {
		var v T
		if err := r.enter(ctx); err != nil {
			return v, &Stopped{Cause: err, Last: last}
		}
		v, err := Once(ctx, f)
		r.leave()
		if err == nil {
			return v, nil
		}
		if ctx.Err() != nil {
			return v, &Stopped{Cause: context.Cause(ctx), Last: err, Before: last}
		}
		now, kind := r.Clock.Now(), Classify(err)
		switch {
		case kind != Unresolved:
			unresolvedSince = time.Time{}
		case unresolvedSince.IsZero():
			unresolvedSince = now
		}
		if !kind.Retryable() || try == r.Tries || kind == Unresolved && now.Sub(unresolvedSince) >= unresolvedLimit {
			return v, err
		}
		last = err
		wait := r.Pause(now, try, err)
		r.Log.Infof("%s: %s; trying again in %s (try %d)", call, Brief(err), wait.Round(10*time.Millisecond), try+1)
		_ = r.Clock.Sleep(ctx, wait) // enter looks at ctx
	}
}

// enter waits for room, and gives the cause where ctx ends.
func (r Retry) enter(ctx context.Context) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if r.Gate == nil {
		return nil
	}
	select {
	case r.Gate <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (r Retry) leave() {
	if r.Gate != nil {
		<-r.Gate
	}
}

// Once is a single try within its own time limit.
func Once[T any](ctx context.Context, f func(context.Context) (T, error)) (T, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, tryLimit, errTryLimit)
	defer cancel()
	v, err := f(ctx)
	if err != nil && errors.Is(context.Cause(ctx), errTryLimit) {
		err = fmt.Errorf("%w: %w", errTryLimit, err)
	}
	return v, err
}

// Pause is how long to wait after a try, counted from 1: what the answer asks for
// by Retry-After, else a random time up to a bound that doubles from try to try.
func (r Retry) Pause(now time.Time, try int, err error) time.Duration {
	if asked, found := retryAfter(err, now); found {
		if r.LongestPause > 0 {
			asked = min(asked, r.LongestPause)
		}
		return asked
	}
	first := r.FirstPause
	if first == 0 {
		first = firstPause
	}
	bound := min(first<<min(try-1, 10), longestPause)
	return bound/2 + rand.N(bound/2+1) //nolint:gosec // no secret: it only spreads tries
}

// retryAfter reads the header of that name: seconds, or a date.
func retryAfter(err error, now time.Time) (time.Duration, bool) {
	response, found := errors.AsType[*awshttp.ResponseError](err)
	if !found || response.Response == nil {
		return 0, false
	}
	text := response.Response.Header.Get("Retry-After")
	if s, err := strconv.Atoi(text); err == nil && s >= 0 {
		return time.Duration(s) * time.Second, true
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(at.Sub(now), 0), true
	}
	return 0, false
}
