package alias

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
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

// Waiting times between two tries of a call, and how long one try may take.
// A stalled server would otherwise hold a try for ever: the SDK has no time
// limit of its own.
const (
	firstWait = 100 * time.Millisecond
	longWait  = 5 * time.Second
	tryLimit  = 8 * time.Second
)

// errTryLimit is the cause of a try that took longer than tryLimit.
var errTryLimit = fmt.Errorf("no answer within %s", tryLimit)

// Stopped is the error of a call that was given up because the context ended.
type Stopped struct {
	Cause error // why the context ended
	Last  error // how the last try had ended; nil if there was none
}

func (s *Stopped) Error() string {
	if s.Last == nil {
		return s.Cause.Error()
	}
	return fmt.Sprintf("%s; the last try had ended with: %s", s.Cause, s.Last)
}

// Unwrap makes both causes visible to errors.As and errors.Is.
func (s *Stopped) Unwrap() []error { return []error{s.Cause, s.Last} }

// caller makes the calls to AWS for one function. The program retries by
// itself, not by the SDK's retryer: that one drains its tokens over a fleet,
// does not know Retry-After, and cannot tell a move that may have happened from
// one that did not.
type caller struct {
	log   Log
	clock Clock
}

// do tries until it succeeds, until the error is one that a further try does
// not mend, or until ctx ends.
func do[T any](ctx context.Context, c caller, call string, f func(context.Context) (T, error)) (T, error) {
	var last error
	for try := 1; ; try++ {
		if ctx.Err() != nil {
			var none T
			return none, &Stopped{Cause: context.Cause(ctx), Last: last}
		}
		v, err := once(ctx, f)
		if err == nil {
			return v, nil
		}
		if ctx.Err() != nil {
			return v, &Stopped{Cause: context.Cause(ctx), Last: err}
		}
		if last = err; !passing(err) {
			return v, err
		}
		wait := pause(c.clock.Now(), try, err)
		c.log.Infof("%s: %s; trying again in %s (try %d)", call, brief(err), wait.Round(10*time.Millisecond), try+1)
		_ = c.clock.Sleep(ctx, wait) // the loop's head looks at ctx
	}
}

// once is a single try within its own time limit.
func once[T any](ctx context.Context, f func(context.Context) (T, error)) (T, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, tryLimit, errTryLimit)
	defer cancel()
	v, err := f(ctx)
	if err != nil && errors.Is(context.Cause(ctx), errTryLimit) {
		err = fmt.Errorf("%w: %w", errTryLimit, err)
	}
	return v, err
}

// passing tells whether the error may pass by itself: throttling, 5xx, resets,
// timeouts, answers that break off.
func passing(err error) bool { return throttled(err) || unanswered(err) }

// unanswered tells that the request went out, or may have, and no answer to
// rely on came back: it may have been carried out.
func unanswered(err error) bool {
	var send *smithyhttp.RequestSendError
	var broken *smithy.DeserializationError
	var cut *smithy.CanceledError
	return errors.Is(err, errTryLimit) || errors.As(err, &cut) || errors.As(err, &send) || errors.As(err, &broken) || httpStatus(err) >= 500
}

func throttled(err error) bool {
	return httpStatus(err) == http.StatusTooManyRequests ||
		retry.IsErrorThrottles(retry.DefaultThrottles).IsErrorThrottle(err) == aws.TrueTernary
}

func httpStatus(err error) int {
	var response *awshttp.ResponseError
	if errors.As(err, &response) && response.Response != nil {
		return response.HTTPStatusCode()
	}
	return 0
}

func errorCode(err error) string {
	if api := smithy.APIError(nil); errors.As(err, &api) {
		return api.ErrorCode()
	}
	return ""
}

// pause is how long to wait after a try: what the answer asks for, else a
// random time up to a bound that doubles from try to try.
func pause(now time.Time, try int, err error) time.Duration {
	var response *awshttp.ResponseError
	if errors.As(err, &response) && response.Response != nil {
		after := response.Response.Header.Get("Retry-After")
		if s, err := strconv.Atoi(after); err == nil && s >= 0 {
			return time.Duration(s) * time.Second
		}
		if at, err := http.ParseTime(after); err == nil {
			return max(at.Sub(now), 0)
		}
	}
	bound := longWait
	if try < 7 {
		bound = min(longWait, firstWait<<(try-1))
	}
	return bound/2 + rand.N(bound/2+1) //nolint:gosec // no secret: it only spreads tries
}

// brief is an AWS error without the request's plumbing.
func brief(err error) string {
	var api smithy.APIError
	switch status := httpStatus(err); {
	case errors.As(err, &api) && api.ErrorMessage() != "":
		return fmt.Sprintf("%s: %s", api.ErrorCode(), api.ErrorMessage())
	case api != nil:
		return api.ErrorCode()
	case errors.Is(err, errTryLimit):
		return errTryLimit.Error()
	case status != 0:
		return fmt.Sprintf("HTTP status %d", status)
	}
	if _, found := errors.AsType[*smithy.CanceledError](err); found {
		return "it was cut off before an answer came"
	}
	if send, found := errors.AsType[*smithyhttp.RequestSendError](err); found {
		return "no answer: " + innermost(send.Err)
	}
	if op, found := errors.AsType[*smithy.OperationError](err); found {
		return op.Err.Error()
	}
	return err.Error()
}

// innermost takes address and verb off an error of the network.
func innermost(err error) string {
	if outer, found := errors.AsType[*url.Error](err); found {
		err = outer.Err
	}
	if op, found := errors.AsType[*net.OpError](err); found {
		err = op.Err
	}
	return err.Error()
}

// unretried turns the SDK's own retries off.
func unretried(o *lambda.Options) { o.Retryer = aws.NopRetryer{} }
