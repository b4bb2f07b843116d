package alias

import (
	"context"
	"errors"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/org/lambda-rollback-action/rollback/aws"
)

// Log takes one fact per line.
type Log = aws.Log

// Clock provides the time.
type Clock = aws.Clock

// Stopped is the error of a call that was stopped because its context ended.
type Stopped = aws.Stopped

// caller makes the AWS calls for one function.
type caller struct {
	log   Log
	clock Clock
	// aside runs a wait in such a way that other functions need not wait as well; nil
	// if there are no others.
	aside func(wait func())
}

// longWait is how long a wait must be at least for other functions to go on meanwhile.
const longWait = time.Second

// sleep waits between two tries.
func (c caller) sleep(ctx context.Context, d time.Duration) (err error) {
	if c.aside == nil || d < longWait {
		return c.clock.Sleep(ctx, d)
	}
	c.aside(func() { err = c.clock.Sleep(ctx, d) })
	return err
}

// retryClock is the clock between the tries of a call.
type retryClock struct{ caller caller }

func (c retryClock) Now() time.Time { return c.caller.clock.Now() }

func (c retryClock) Sleep(ctx context.Context, d time.Duration) error { return c.caller.sleep(ctx, d) }

// do retries until a try succeeds, until the error is one that a retry cannot fix, or
// until ctx ends.
func do[T any](ctx context.Context, c caller, call string, f func(context.Context) (T, error)) (T, error) {
	return aws.Do(ctx, aws.Retry{Log: c.log, Clock: retryClock{c}}, call, f)
}

// complete returns an error if a response lacks a field that AWS always sends.
func complete(required ...*string) error {
	for _, field := range required {
		if sdk.ToString(field) == "" {
			return aws.ErrIncomplete
		}
	}
	return nil
}

// once makes a single try with its own time limit.
func once[T any](ctx context.Context, f func(context.Context) (T, error)) (T, error) {
	return aws.Once(ctx, f)
}

// ambiguous reports whether the call may have been carried out although no reliable
// response arrived.
func ambiguous(err error) bool {
	if stopped, found := errors.AsType[*Stopped](err); found {
		return stopped.Last != nil && ambiguous(stopped.Last)
	}
	return aws.Classify(err) == aws.Ambiguous
}

// The kinds of errors that this package distinguishes.
const (
	notFound           = aws.NotFound
	denied             = aws.Denied
	refused            = aws.Other
	inProgress         = aws.Conflict
	preconditionFailed = aws.PreconditionFailed
)

// classify returns the kind of an error, or aws.Other if there is none.
func classify(err error) aws.Kind {
	if err == nil {
		return aws.Other
	}
	return aws.Classify(err)
}

func brief(err error) string { return aws.Brief(err) }

// pause returns how long to wait after a try.
func pause(now time.Time, try int, err error) time.Duration { return aws.Retry{}.Pause(now, try, err) }

// unretried turns off the retries of the SDK.
func unretried(o *lambda.Options) { o.Retryer = sdk.NopRetryer{} }
