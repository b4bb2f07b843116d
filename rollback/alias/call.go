package alias

import (
	"context"
	"errors"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/org/lambda-rollback-action/rollback/aws"
)

// Log takes one fact a line.
type Log = aws.Log

// Clock is the time, handed in.
type Clock = aws.Clock

// Stopped is the error of a call that was given up because the context ended.
type Stopped = aws.Stopped

// caller makes the calls to AWS for one function.
type caller struct {
	log   Log
	clock Clock
}

// do tries until it succeeds, until the error is one that a further try does
// not mend, or until ctx ends.
func do[T any](ctx context.Context, c caller, call string, f func(context.Context) (T, error)) (T, error) {
	return aws.Do(ctx, aws.Retry{Log: c.log, Clock: c.clock}, call, f)
}

// once is a single try within its own time limit.
func once[T any](ctx context.Context, f func(context.Context) (T, error)) (T, error) {
	return aws.Once(ctx, f)
}

// ambiguous reports whether the call may have been carried out although no answer
// to rely on came back.
func ambiguous(err error) bool {
	if stopped, found := errors.AsType[*Stopped](err); found {
		return stopped.Last != nil && ambiguous(stopped.Last)
	}
	return aws.Classify(err) == aws.Ambiguous
}

// The kinds of errors that are told apart here.
const (
	notFound           = aws.NotFound
	denied             = aws.Denied
	refused            = aws.Other
	inProgress         = aws.Conflict
	preconditionFailed = aws.PreconditionFailed
)

// classify is the kind of an error; aws.Other where there is none.
func classify(err error) aws.Kind {
	if err == nil {
		return aws.Other
	}
	return aws.Classify(err)
}

func brief(err error) string { return aws.Brief(err) }

// pause is how long to wait after a try.
func pause(now time.Time, try int, err error) time.Duration { return aws.Retry{}.Pause(now, try, err) }

// unretried turns the SDK's own retries off.
func unretried(o *lambda.Options) { o.Retryer = sdk.NopRetryer{} }
