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

// How calls are tried again, and how long a try may take. A copy of gigabytes takes
// longer: see tryLimitOf.
const (
	firstPause = 200 * time.Millisecond
	tryLimit   = 30 * time.Second
	mostTries  = 10
	// lateLimit is how long a write that was sent may take once the work is over: its
	// answer tells what is true of the site.
	lateLimit = 4 * time.Second
)

var errNotSent = errors.New("the request was not sent")

// retry says how calls are tried again. Its zero LongestPause lets S3 say when.
func retry(log Log, clock Clock, limit time.Duration) aws.Retry {
	return aws.Retry{Log: log, Clock: clock, Tries: mostTries, TryLimit: limit, FirstPause: firstPause}
}

// call makes a call to S3 with the bucket's region and pace. action is the name of
// the IAM action without its service, resource the ARN that it is allowed on. Its
// errors are problems.
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

// write is callFor for a call that changes n objects. A try that has been sent is not
// cut off where the work ends: what is not known at the end is counted.
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

// late is a context that outlives ctx for a moment, as long as the program may work.
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

// unanswered tells whether a call may have been carried out although no answer came.
func unanswered(err error) bool {
	if stopped, found := errors.AsType[*aws.Stopped](err); found {
		return stopped.Last != nil && unanswered(stopped.Last)
	}
	return aws.Classify(err) == aws.Ambiguous
}

// tryLimitOf is the time limit of a request that moves so many bytes inside S3.
func tryLimitOf(bytes int64) time.Duration {
	const slow = 20 << 20 // bytes a second
	return tryLimit + time.Duration(bytes/slow)*time.Second
}

// throttled tells whether S3 asks for a slower pace.
func throttled(err error) bool {
	return aws.Classify(err) == aws.Throttled || aws.Status(err) == http.StatusServiceUnavailable
}

// calm is a log of tries: while S3 asks all workers to slow down it takes one line a
// second.
type calm struct {
	Log   Log
	Clock Clock

	mu   sync.Mutex
	last time.Time
}

// Infof writes the line, or leaves it out.
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

// saw takes how a request ended.
func (p *pace) saw(err error) {
	switch {
	case err == nil:
		p.succeeded()
	case throttled(err):
		p.slowDown()
	}
}
