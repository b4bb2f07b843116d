package aws

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
)

// Log writes one fact per line.
type Log interface {
	Infof(format string, args ...any)
}

// Clock is the time, which tests replace.
type Clock interface {
	Now() time.Time
	// Sleep returns early, with the context's error, when the context ends.
	Sleep(ctx context.Context, d time.Duration) error
}

const (
	// tryLimit bounds one try. The SDK has no time limit of its own: a stalled
	// server would hold a try for ever.
	tryLimit = 8 * time.Second
	// unresolvedLimit is how long a host name may stay unknown. A resolver that is
	// starting responds within that time; a region that does not exist stays unknown.
	unresolvedLimit = 5 * time.Second

	firstPause   = 100 * time.Millisecond
	longestPause = 5 * time.Second
)

// tooLong is the cause if a try took longer than its limit.
type tooLong struct{ limit time.Duration }

func (t *tooLong) Error() string { return fmt.Sprintf("no response within %s", t.limit) }

func isTooLong(err error) bool {
	_, found := errors.AsType[*tooLong](err)
	return found
}

// Stopped is the error of a call that was stopped because the context ended.
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
	return fmt.Sprintf("%s; the last attempt failed: %s", s.Cause, s.Last)
}

// Failure returns the error of the last try. If the end of the context cut that one
// off, the error of the try before it says more. It is nil if there was no try.
func (s *Stopped) Failure() error {
	if s.Before != nil && Status(s.Last) == 0 {
		return s.Before
	}
	return s.Last
}

// LastTry returns the failure for the end of a sentence; "" if there was no try.
func (s *Stopped) LastTry() string {
	if s.Last == nil {
		return ""
	}
	return fmt.Sprintf(" (the last attempt failed: %s)", Brief(s.Failure()))
}

// Unwrap returns both causes for errors.As and errors.Is.
func (s *Stopped) Unwrap() []error { return []error{s.Cause, s.Last} }

// Retry says how calls are retried. The program does not use the SDK's retryer, which
// shares its tokens among all functions, does not know Retry-After, and cannot
// distinguish a change that may have been made from one that was not. The zero value of each field but Log and Clock is usable.
type Retry struct {
	Log   Log
	Clock Clock
	// Tries is the number of tries; zero: until the context ends.
	Tries int
	// TryLimit bounds one try; zero: 8 s.
	TryLimit time.Duration
	// FirstPause is the longest first pause; it doubles up to 5 s. Zero: 100 ms.
	FirstPause time.Duration
	// LongestPause bounds what a Retry-After may ask for; zero: no bound.
	LongestPause time.Duration
	// Gate has room for the tries that may be made at once; nil: any number.
	Gate chan struct{}
}

// Do calls f until it succeeds, until a retry cannot fix its error, until there are no
// tries left, or until ctx ends: then the error is a *Stopped. call names the call in the log.
func Do[T any](ctx context.Context, r Retry, call string, f func(context.Context) (T, error)) (T, error) {
	var last error
	var unresolvedSince time.Time // zero: the last try found the host
	for try := 1; ; try++ {
		var v T
		if err := r.enter(ctx); err != nil {
			return v, &Stopped{Cause: err, Last: last}
		}
		v, err := once(ctx, cmp.Or(r.TryLimit, tryLimit), f)
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
		if !kind.Retryable() || try == r.Tries || kind == Unresolved && (isMisrouted(err) || now.Sub(unresolvedSince) >= unresolvedLimit) {
			return v, err
		}
		last = err
		wait := r.Pause(now, try, err)
		r.Log.Infof("%s: %s; trying again in %s (try %d)", call, Brief(err), wait.Round(10*time.Millisecond), try+1)
		_ = r.Clock.Sleep(ctx, wait) // enter checks ctx
	}
}

// enter waits for room. If ctx ends, it returns the cause.
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

// Once makes a single try within its own time limit.
func Once[T any](ctx context.Context, f func(context.Context) (T, error)) (T, error) {
	return once(ctx, tryLimit, f)
}

func once[T any](ctx context.Context, limit time.Duration, f func(context.Context) (T, error)) (T, error) {
	late := &tooLong{limit}
	ctx, cancel := context.WithTimeoutCause(ctx, limit, late)
	defer cancel()
	v, err := f(ctx)
	if err != nil && errors.Is(context.Cause(ctx), late) {
		err = fmt.Errorf("%w: %w", late, err)
	}
	return v, err
}

// Pause returns how long to wait after a try, counted from 1: the Retry-After of the
// response, or otherwise a random time up to a limit that doubles with each try.
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
		// The server's own time, because the clock of the runner can be wrong.
		if date, err := http.ParseTime(response.Response.Header.Get("Date")); err == nil {
			now = date
		}
		return max(at.Sub(now), 0), true
	}
	return 0, false
}
