package verify

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

const (
	tries       = 3
	tryLimit    = 8 * time.Second // the SDK itself would wait for a stalled server for ever
	firstWait   = 250 * time.Millisecond
	longestWait = 5 * time.Second // also where Retry-After asks for more
	// callsAtOnce keeps a fleet below CloudWatch's and Logs' limits, which are
	// as low as five calls a second in some regions.
	callsAtOnce = 4
	// readLimit bounds what one check reads after its watch, the waiting for
	// others' calls included.
	readLimit   = 2 * time.Minute
	longestText = 300 // characters of an error in a detail
)

// errReadLimit is the cause of a check's reading having taken too long.
var errReadLimit = fmt.Errorf("it had no answer within %s", readLimit)

// caller makes the reading calls to AWS.
type caller struct {
	log   Log
	clock Clock
	gate  chan struct{}
}

// do tries three times at most, each within its own limit. Only what may pass
// by itself is tried again.
func do[T any](ctx context.Context, c caller, call string, f func(context.Context) (T, error)) (T, error) {
	for try := 1; ; try++ {
		v, err := attempt(ctx, c, f)
		switch {
		case err != nil && ctx.Err() != nil:
			return v, context.Cause(ctx)
		case err == nil || try == tries || !passing(err):
			return v, err
		}
		wait := pause(try, err)
		c.log.Infof("%s: %s; trying again in %s (try %d)", call, brief(err), wait.Round(10*time.Millisecond), try+1)
		if c.clock.Sleep(ctx, wait) != nil {
			return v, context.Cause(ctx)
		}
	}
}

// attempt is one try, once there is room for it.
func attempt[T any](ctx context.Context, c caller, f func(context.Context) (T, error)) (T, error) {
	select {
	case c.gate <- struct{}{}:
		defer func() { <-c.gate }()
	case <-ctx.Done():
		var none T
		return none, context.Cause(ctx)
	}
	return within(ctx, tryLimit, f)
}

// errTryLimit is the cause of a try that took too long.
var errTryLimit = errors.New("no answer in time")

func within[T any](ctx context.Context, limit time.Duration, f func(context.Context) (T, error)) (T, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, errTryLimit)
	defer cancel()
	v, err := f(ctx)
	if err != nil && errors.Is(context.Cause(ctx), errTryLimit) {
		err = fmt.Errorf("%w: %w", errTryLimit, err)
	}
	return v, err
}

func passing(err error) bool {
	var send *smithyhttp.RequestSendError
	var broken *smithy.DeserializationError
	return throttled(err) || errors.Is(err, errTryLimit) || errors.As(err, &send) || errors.As(err, &broken) || httpStatus(err) >= 500
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

// pause is what the answer asks for, else a random time up to a bound that
// doubles.
func pause(try int, err error) time.Duration {
	var response *awshttp.ResponseError
	if errors.As(err, &response) && response.Response != nil {
		if s, err := strconv.Atoi(response.Response.Header.Get("Retry-After")); err == nil && s >= 0 {
			return min(time.Duration(s)*time.Second, longestWait)
		}
	}
	bound := min(firstWait<<min(try, 10), longestWait)
	return bound/2 + rand.N(bound/2) //nolint:gosec // no secret: it only spreads tries
}

// brief is an error without the request's plumbing.
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
	if op, found := errors.AsType[*smithy.OperationError](err); found {
		return op.Err.Error()
	}
	return err.Error()
}

// expired are the codes for credentials that no longer count, or never did: a
// long watch outlives short sessions. They come with 403 too, and a further
// permission would not mend them.
var expired = []string{
	"ExpiredToken", "ExpiredTokenException", "RequestExpired", "UnrecognizedClientException", "InvalidClientTokenId",
	"InvalidSignatureException", "SignatureDoesNotMatch", "MissingAuthenticationToken", "MissingAuthenticationTokenException",
	"IncompleteSignature", "AuthFailure", "InvalidAccessKeyId",
}

func denied(err error) bool {
	code := errorCode(err)
	return !slices.Contains(expired, code) &&
		(code == "AccessDenied" || code == "AccessDeniedException" || httpStatus(err) == http.StatusForbidden)
}

// explain says why a call told nothing, and what to do. action is the IAM
// action that the call needs.
func (r *run) explain(ctx context.Context, err error, action string) string {
	text := r.outside(brief(err), longestText)
	switch {
	case ctx.Err() != nil:
		return fmt.Sprintf("%s was given up: %s", action, context.Cause(ctx))
	case denied(err):
		return fmt.Sprintf("AWS denied %s: allow that action for the role that this job uses (%s)", action, text)
	case slices.Contains(expired, errorCode(err)):
		return fmt.Sprintf("AWS did not accept the credentials for %s: let the session last longer than the checks (%s)", action, text)
	case throttled(err):
		return fmt.Sprintf("AWS kept throttling %s (%s)", action, text)
	}
	return fmt.Sprintf("%s failed: %s", action, text)
}
