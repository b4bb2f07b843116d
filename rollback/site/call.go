package site

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"golang.org/x/time/rate"

	"github.com/org/lambda-rollback-action/rollback/aws"
)

// How long a try may take, and how many there are. A copy of gigabytes takes longer:
// see tryLimitOf.
const (
	tryLimit  = 30 * time.Second
	mostTries = 10
)

// pauses are those between two tries.
var pauses = aws.Retry{FirstPause: 200 * time.Millisecond}

// errTryLimit is the cause of a try that took too long. The SDK has no limit of its
// own, so that a stalled server would hold a try for ever.
var errTryLimit = errors.New("no answer within the time limit of a request")

// stopped is the error of a call that was given up because the context ended.
type stopped struct {
	cause error
	last  error // how the last try had ended; nil if there was none
}

func (s *stopped) Error() string {
	if s.last == nil {
		return s.cause.Error()
	}
	return fmt.Sprintf("%s; the last try had ended with: %s", s.cause, brief(s.last))
}

func (s *stopped) Unwrap() []error { return []error{s.cause, s.last} }

// call makes a call to S3 with the bucket's region and pace. action is the name of
// the IAM action without its service, resource the ARN that it is allowed on. Its
// errors are problems.
func call[T any](ctx context.Context, b *bucket, action, resource string, f func(context.Context, func(*s3.Options)) (T, error)) (T, error) {
	return callFor(ctx, b, tryLimit, action, resource, f)
}

func callFor[T any](ctx context.Context, b *bucket, limit time.Duration, action, resource string, f func(context.Context, func(*s3.Options)) (T, error)) (T, error) {
	v, err := tries{b.clock, b.log, b.pace}.do(ctx, limit, action, func(ctx context.Context) (any, error) {
		return f(ctx, b.options)
	})
	out, _ := v.(T)
	if err != nil {
		return out, explain(err, "s3:"+action, resource)
	}
	return out, nil
}

// tries makes calls until they succeed. The program retries, not the
// SDK's retryer: that one drains its tokens over thousands of keys, and would not
// slow the other workers down.
type tries struct {
	clock Clock
	log   Log
	pace  *pace // nil: none
}

func (t tries) do(ctx context.Context, limit time.Duration, what string, f func(context.Context) (any, error)) (any, error) {
	var last error
	for try := 1; ; try++ {
		if t.pace != nil {
			_ = t.pace.wait(ctx) // the next line looks at ctx
		}
		if ctx.Err() != nil {
			return nil, &stopped{context.Cause(ctx), last}
		}
		v, err := once(ctx, limit, f)
		if err == nil {
			if t.pace != nil {
				t.pace.succeeded()
			}
			return v, nil
		}
		if ctx.Err() != nil {
			return v, &stopped{context.Cause(ctx), err}
		}
		if throttled(err) && t.pace != nil {
			t.pace.slowDown()
		}
		if last = err; !retryable(err) || try == mostTries {
			return v, err
		}
		wait := pauses.Pause(t.clock.Now(), try, err)
		if try > 2 {
			t.log.Infof("%s: %s; trying again in %s (try %d)", what, brief(err), wait.Round(10*time.Millisecond), try+1)
		}
		_ = t.clock.Sleep(ctx, wait)
	}
}

func once(ctx context.Context, limit time.Duration, f func(context.Context) (any, error)) (any, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, errTryLimit)
	defer cancel()
	v, err := f(ctx)
	if err != nil && errors.Is(context.Cause(ctx), errTryLimit) {
		err = fmt.Errorf("%w: %w", errTryLimit, err)
	}
	return v, err
}

// tryLimitOf is the time limit of a request that moves so many bytes inside S3.
func tryLimitOf(bytes int64) time.Duration {
	const slow = 20 << 20 // bytes a second
	return tryLimit + time.Duration(bytes/slow)*time.Second
}

// retryable reports whether a further try may succeed.
func retryable(err error) bool {
	var send *smithyhttp.RequestSendError
	var broken *smithy.DeserializationError
	var cut *smithy.CanceledError
	return throttled(err) || errors.Is(err, errTryLimit) || errors.As(err, &cut) || errors.As(err, &send) || errors.As(err, &broken) ||
		aws.Status(err) >= http.StatusInternalServerError && aws.Status(err) != http.StatusNotImplemented ||
		retryableCodes[aws.Code(err)]
}

// retryableCodes are also those that S3 sends inside an answer with status 200.
var retryableCodes = map[string]bool{
	"InternalError": true, "ServiceUnavailable": true, "RequestTimeout": true,
	"OperationAborted": true, "ConditionalRequestConflict": true,
}

func throttled(err error) bool {
	return aws.Status(err) == http.StatusTooManyRequests || aws.Code(err) == "SlowDown" ||
		aws.Status(err) == http.StatusServiceUnavailable ||
		retry.IsErrorThrottles(retry.DefaultThrottles).IsErrorThrottle(err) == sdk.TrueTernary
}

func answerOf(err error) *smithyhttp.Response {
	if response, found := errors.AsType[*awshttp.ResponseError](err); found {
		return response.Response
	}
	return nil
}

// Requests a second. S3 takes 3,500 writes a second for a prefix that it has split
// off, and fewer for one that nobody has written much to.
const (
	fullPace  = 1500
	leastPace = 5
)

// pace spaces the requests of all workers out. It is halved when S3 asks to slow
// down, at most once a second, because all requests in flight are refused together;
// successes raise it again.
type pace struct {
	clock Clock
	limit *rate.Limiter

	mu     sync.Mutex
	slowed time.Time
	count  int // how often it was slowed
}

func newPace(clock Clock, workers int) *pace {
	return &pace{clock: clock, limit: rate.NewLimiter(fullPace, workers)}
}

func (p *pace) wait(ctx context.Context) error {
	now := p.clock.Now()
	if delay := p.limit.ReserveN(now, 1).DelayFrom(now); delay > 0 {
		return p.clock.Sleep(ctx, delay)
	}
	return nil
}

func (p *pace) slowDown() {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.clock.Now()
	if p.count > 0 && now.Sub(p.slowed) < time.Second {
		return
	}
	p.slowed = now
	p.count++
	p.limit.SetLimitAt(now, max(leastPace, p.limit.Limit()/2))
}

func (p *pace) succeeded() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if limit := p.limit.Limit(); p.count > 0 && limit < fullPace {
		p.limit.SetLimitAt(p.clock.Now(), min(fullPace, limit+1))
	}
}
