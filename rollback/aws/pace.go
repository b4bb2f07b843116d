package aws

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"golang.org/x/time/rate"
)

// Lambda allows 15 control-plane calls a second for an account and region, for
// everything that runs there together. A burst and a second's worth of calls stay
// within it; one function alone does not feel the burst's bound.
const (
	callsPerSecond = 10
	callsAtOnce    = 5
)

// paced holds every try of a call back until its turn.
func paced(pace *rate.Limiter, clock Clock) func(*middleware.Stack) error {
	return func(stack *middleware.Stack) error {
		return stack.Finalize.Add(middleware.FinalizeMiddlewareFunc("Pace",
			func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
				// Not Wait: that one refuses at once what does not fit before
				// the deadline, so that the time limit would have another name.
				now := clock.Now()
				if clock.Sleep(ctx, pace.ReserveN(now, 1).DelayFrom(now)) != nil {
					return middleware.FinalizeOutput{}, middleware.Metadata{}, &smithy.CanceledError{Err: ctx.Err()}
				}
				return next.HandleFinalize(ctx, in)
			}), middleware.Before)
	}
}

// moreTries is how often a call is tried again that was denied although another one
// was not: the two may have met different parts of Lambda.
const moreTries = 2

// spreading marks a refusal that may pass: of a role that was assumed a moment ago,
// and that Lambda has not accepted in any call yet, or only in others.
func (c *Clients) spreading(stack *middleware.Stack) error {
	return stack.Finalize.Add(middleware.FinalizeMiddlewareFunc("Spreading",
		func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
			out, meta, err := next.HandleFinalize(ctx, in)
			switch denied := err != nil && Classify(err) == Denied; {
			case !denied && (err == nil || Status(err) != 0):
				c.known.Store(true)
			case denied && c.clock.Now().Sub(c.assumed) < spreadLimit && (!c.known.Load() || c.oneMoreTry(in.Request)):
				err = &spreadingError{err}
			}
			return out, meta, err
		}), middleware.Before)
}

func (c *Clients) oneMoreTry(request any) bool {
	r, is := request.(*smithyhttp.Request)
	if !is {
		return false
	}
	counted, _ := c.denied.LoadOrStore(r.Method+r.URL.Path, new(atomic.Int32))
	tries, is := counted.(*atomic.Int32)
	return is && tries.Add(1) <= moreTries
}

// dated tells of each answer when AWS gave it, by AWS's clock.
type dated struct {
	next  aws.HTTPClient
	clock Clock
	tell  func(date string, took time.Duration)
}

// Do makes the request.
func (d dated) Do(r *http.Request) (*http.Response, error) {
	sent := d.clock.Now()
	answer, err := d.next.Do(r)
	if err == nil {
		d.tell(answer.Header.Get("Date"), d.clock.Now().Sub(sent))
	}
	return answer, err
}

// namingRegion adds the region to the error of a host that does not exist: only
// here it is known which one the call was made in.
func namingRegion(stack *middleware.Stack) error {
	return stack.Finalize.Add(middleware.FinalizeMiddlewareFunc("NameRegion",
		func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
			out, meta, err := next.HandleFinalize(ctx, in)
			if dns, found := errors.AsType[*net.DNSError](err); found && dns.IsNotFound {
				err = &unresolvedError{host: dns.Name, region: awsmiddleware.GetRegion(ctx), err: err}
			}
			return out, meta, err
		}), middleware.Before)
}
