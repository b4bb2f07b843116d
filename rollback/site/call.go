package site

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"golang.org/x/time/rate"

	"github.com/org/lambda-rollback-action/rollback/aws"
)

// Limits for the tries of a call. Copying gigabytes may take longer: see tryLimitOf.
const (
	firstPause = 200 * time.Millisecond
	tryLimit   = 30 * time.Second
	mostTries  = 10
	// lateLimit is how long a write that was already sent may take after the work
	// has ended. Only its response shows what was changed in the site.
	lateLimit = 4 * time.Second
)

var errNotSent = errors.New("the request was not sent")

// retry returns how calls are retried. LongestPause stays zero, so S3 decides how
// long to wait if it sends Retry-After.
func retry(log Log, clock Clock, limit time.Duration) aws.Retry {
	return aws.Retry{Log: log, Clock: clock, Tries: mostTries, TryLimit: limit, FirstPause: firstPause}
}

// call calls S3 in the bucket's region and at its pace. action is the name of the
// IAM action without the service prefix, and resource is the ARN that the action
// must be allowed on. Its errors are of type *Problem.
func call[T any](ctx context.Context, b *bucket, action, resource string, f func(context.Context, func(*s3.Options)) (T, error)) (T, error) {
	return callFor(ctx, b, tryLimit, action, resource, f)
}

func callFor[T any](ctx context.Context, b *bucket, limit time.Duration, action, resource string, f func(context.Context, func(*s3.Options)) (T, error)) (T, error) {
	v, err := aws.Do(ctx, retry(b.calm, b.clock, limit), action, func(ctx context.Context) (T, error) {
		if err := b.pace.wait(ctx); err != nil {
			var none T
			return none, errNotSent
		}
		v, err := f(ctx, b.options)
		b.pace.saw(err)
		return v, err
	})
	if err != nil {
		return v, explain(err, "s3:"+action, resource)
	}
	return v, nil
}

// write is callFor for a call that changes n objects. The end of the work does not
// cut off a try that was already sent. If there is still no response then, the n
// objects are counted as unsure.
func write[T any](ctx context.Context, b *bucket, n int, limit time.Duration, action, resource string, f func(context.Context, func(*s3.Options)) (T, error)) (T, error) {
	v, err := callFor(ctx, b, limit, action, resource, func(ctx context.Context, options func(*s3.Options)) (T, error) {
		late, end := b.late(ctx)
		defer end()
		b.wrote.Store(true)
		return f(late, options)
	})
	if err != nil && unanswered(err) {
		b.unsure.Add(int64(n))
	}
	return v, err
}

// late returns a context that outlives ctx by up to lateLimit, but ends with
// b.finish.
func (b *bucket) late(ctx context.Context) (context.Context, func()) {
	late, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	ended := context.AfterFunc(ctx, func() {
		moment, end := context.WithTimeout(late, lateLimit)
		defer end()
		<-moment.Done()
		cancel(context.Cause(ctx))
	})
	over := context.AfterFunc(b.finish, func() { cancel(context.Cause(b.finish)) })
	return late, func() {
		ended()
		over()
		cancel(nil)
	}
}

// unanswered reports whether a call may have been carried out although no reliable
// response was received.
func unanswered(err error) bool {
	if stopped, found := errors.AsType[*aws.Stopped](err); found {
		return stopped.Last != nil && unanswered(stopped.Last)
	}
	return aws.Classify(err) == aws.Ambiguous
}

// tryLimitOf returns the time limit of a request that copies this many bytes inside
// S3.
func tryLimitOf(bytes int64) time.Duration {
	const slow = 20 << 20 // bytes per second
	return tryLimit + time.Duration(bytes/slow)*time.Second
}

// throttled reports whether S3 asks for fewer requests.
func throttled(err error) bool {
	return aws.Classify(err) == aws.Throttled || aws.Status(err) == http.StatusServiceUnavailable
}

// calm is a log of tries. It writes at most one line per second, because S3 asks all
// workers to slow down at the same time.
type calm struct {
	Log   Log
	Clock Clock

	mu   sync.Mutex
	last time.Time
}

// Infof writes the line, or omits it.
func (c *calm) Infof(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.Clock.Now()
	if !c.last.IsZero() && now.Sub(c.last) < time.Second {
		return
	}
	c.last = now
	c.Log.Infof(format, args...)
}

// Requests per second. S3 accepts 3,500 writes per second for a prefix that it has
// partitioned, and fewer for a prefix that has received few writes so far.
const (
	fullPace  = 1500
	leastPace = 5
)

// pace limits the request rate of all workers together. The rate is halved when S3
// asks to slow down, at most once per second, because S3 rejects all requests in
// flight together. Successful requests raise it again.
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

// saw adjusts the rate to the outcome of a request.
func (p *pace) saw(err error) {
	switch {
	case err == nil:
		p.succeeded()
	case throttled(err):
		p.slowDown()
	}
}
