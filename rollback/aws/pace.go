package aws

import (
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"golang.org/x/time/rate"
)

// Lambda allows 15 control-plane calls a second for an account and region, for
// everything that runs there together.
const (
	callsPerSecond = 15
	// Burst is how many calls go out at once; one function alone does not feel it.
	// It is one below what Lambda allows: calls reach Lambda less evenly than they
	// are sent, and an answer that there were too many costs more than one call.
	Burst = 14
	// leastPerSecond is the slowest pace, if others use up the limit.
	leastPerSecond = 1
	// quiet is the time between two changes of the pace: responses to calls that were
	// sent before a change say nothing about it.
	quiet = time.Second
)

// pace is how fast calls to one region are sent. A throttled call halves it; each
// second without one restores half of the difference.
type pace struct {
	limiter *rate.Limiter

	mu        sync.Mutex
	changed   time.Time
	throttled time.Time // last
}

func newPace() *pace { return &pace{limiter: rate.NewLimiter(callsPerSecond, Burst)} }

// delay reserves a turn, and returns how long it is until then.
func (p *pace) delay(now time.Time) time.Duration {
	return p.limiter.ReserveN(now, 1).DelayFrom(now)
}

// answered adapts the pace to the error of a call; nil: it succeeded.
func (p *pace) answered(now time.Time, err error) {
	throttled := err != nil && Classify(err) == Throttled
	p.mu.Lock()
	defer p.mu.Unlock()
	limit := p.limiter.Limit()
	if throttled {
		p.throttled = now
	}
	if now.Sub(p.changed) < quiet || !throttled && (limit >= callsPerSecond || now.Sub(p.throttled) < quiet) {
		return
	}
	p.changed = now
	if !throttled {
		p.limiter.SetLimitAt(now, min((limit+callsPerSecond+1)/2, callsPerSecond))
		return
	}
	p.limiter.SetLimitAt(now, max(limit/2, leastPerSecond))
	if saved := int(p.limiter.TokensAt(now)); saved > 0 {
		p.limiter.ReserveN(now, saved) // Lambda allows none now either
	}
}

// paced delays every try of a call until its turn.
func paced(p *pace, clock Clock) func(*middleware.Stack) error {
	return func(stack *middleware.Stack) error {
		return stack.Finalize.Add(middleware.FinalizeMiddlewareFunc("Pace",
			func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
				// Wait would return an error of its own at once if the turn is after the
				// deadline, and not the cause of the context.
				if clock.Sleep(ctx, p.delay(clock.Now())) != nil {
					return middleware.FinalizeOutput{}, middleware.Metadata{}, &smithy.CanceledError{Err: ctx.Err()}
				}
				out, meta, err := next.HandleFinalize(ctx, in)
				p.answered(clock.Now(), err)
				return out, meta, err
			}), middleware.Before)
	}
}

// moreTries is how often a denied call is retried if another call was accepted: the two
// may have reached different parts of Lambda.
const moreTries = 2

// spreading marks a refusal that may be temporary: the role was assumed a moment ago,
// and Lambda has not accepted it in any call yet, or only in other calls.
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

// namingRegion adds the region of the call to the error for a host that does not exist.
// It is known only here.
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
