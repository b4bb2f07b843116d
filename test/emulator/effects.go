package emulator

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// Effect is what a fault does to a call. It works on every call that matches,
// unless Times, Skip or Nth say otherwise.
type Effect struct {
	skip   int
	times  int // 0: without end
	before func(*exchange) *answer
	after  func(*exchange, *answer)
}

// Times limits the effect to so many matching calls.
func (f Effect) Times(n int) Effect {
	f.times = n
	return f
}

// Skip lets the first n matching calls pass untouched.
func (f Effect) Skip(n int) Effect {
	f.skip = n
	return f
}

// Nth makes the effect work on the nth matching call alone, counted from 1.
func (f Effect) Nth(n int) Effect {
	return f.Skip(n - 1).Times(1)
}

// instead answers in the operation's place: nothing is processed.
func instead(name string, reply func(*exchange) answer) Effect {
	return Effect{before: func(x *exchange) *answer {
		x.e.journal.name(x.call, name)
		a := reply(x)
		return &a
	}}
}

// afterwards works on the answer of a call that was processed.
func afterwards(name string, work func(*exchange, *answer)) Effect {
	return Effect{after: func(x *exchange, a *answer) {
		x.e.journal.name(x.call, name)
		work(x, a)
	}}
}

// Throttle refuses as AWS does above its rate: 429 TooManyRequestsException,
// with Retry-After in whole seconds where retryAfter is above zero. GitHub
// refuses with its 403 for an exhausted rate limit.
func Throttle(retryAfter time.Duration) Effect {
	return instead("throttled", func(x *exchange) answer { return x.throttled(retryAfter) })
}

// ThrottleAbove refuses what exceeds a rate (calls a second), after a burst
// that is let through at once. Each region has a bucket of its own, as at AWS.
func ThrottleAbove(perSecond float64, burst int) Effect {
	limit := &limiter{rate: perSecond, burst: float64(burst), buckets: map[string]*bucket{}}
	return Effect{before: func(x *exchange) *answer {
		if limit.allow(x.call.Region, time.Now()) {
			return nil
		}
		x.e.journal.name(x.call, "throttled by rate")
		a := x.throttled(0)
		return &a
	}}
}

// LimitControlPlane holds Lambda's control plane to a rate for all calls of a
// region together, but for GetFunction and Invoke, which have limits of their
// own. AWS allows 15 a second.
func (e *Emulator) LimitControlPlane(perSecond float64, burst int) *Fault {
	return e.Fault(Match{Service: ServiceLambda, Where: func(c Call) bool {
		return c.Operation != "GetFunction" && c.Operation != "Invoke"
	}}, ThrottleAbove(perSecond, burst))
}

// Status answers with a status and an error code of the service's own form,
// before anything is processed.
func Status(status int, code, message string) Effect {
	return instead(fmt.Sprintf("status %d", status), func(x *exchange) answer { return x.fail(status, code, message) })
}

// Deny refuses as IAM does: 403 AccessDeniedException that names caller, action
// and resource. GitHub says that the resource is not accessible by integration.
func Deny() Effect {
	return instead("denied", func(x *exchange) answer { return x.denied() })
}

// DenyWithoutMessage refuses with an AccessDeniedException whose message is
// null: AWS was recorded to do that.
func DenyWithoutMessage() Effect {
	return instead("denied without message", func(x *exchange) answer {
		a := x.ok(http.StatusForbidden, map[string]any{"Message": nil})
		a.code = "AccessDeniedException"
		a.header.Set("X-Amzn-Errortype", a.code)
		return a
	})
}

// Reset cuts the connection by TCP reset before anything is processed.
func Reset() Effect {
	return instead("reset", func(*exchange) answer {
		return answer{header: http.Header{}, delivery: deliverReset}
	})
}

// LostAnswer processes the call and then cuts the connection: what the caller
// asked for has happened, and the caller does not know.
func LostAnswer() Effect {
	return afterwards("lost answer", func(_ *exchange, a *answer) { a.delivery = deliverReset })
}

// Truncated processes the call and sends half of the answer's body.
func Truncated() Effect {
	return afterwards("truncated", func(_ *exchange, a *answer) { a.delivery = deliverHalf })
}

// Latency waits before the call is processed. A caller that gives up meanwhile
// has changed nothing.
func Latency(d time.Duration) Effect {
	return Effect{before: func(x *exchange) *answer {
		x.e.journal.name(x.call, "latency")
		if x.wait(d) {
			return nil
		}
		return &answer{header: http.Header{}, delivery: deliverReset}
	}}
}

// LateAnswer processes the call at once and waits before it answers: a caller
// that gives up meanwhile has changed what it asked to change.
func LateAnswer(d time.Duration) Effect {
	return afterwards("late answer", func(x *exchange, a *answer) {
		if !x.wait(d) {
			a.delivery = deliverReset
		}
	})
}

// Hang processes nothing and says nothing until the caller gives up.
func Hang() Effect {
	return instead("hang", func(x *exchange) answer {
		x.wait(0)
		return answer{header: http.Header{}, delivery: deliverReset}
	})
}

// Before runs do before the call is processed: a deploy that gets in between.
// It may use the whole API of the emulator.
func Before(do func(Call)) Effect {
	return Effect{before: func(x *exchange) *answer {
		x.e.journal.name(x.call, "interleaved before")
		do(*x.call)
		return nil
	}}
}

// After runs do when the call was processed and before it is answered.
func After(do func(Call)) Effect {
	return afterwards("interleaved after", func(x *exchange, _ *answer) { do(*x.call) })
}

// SlowWeights lets an UpdateAlias that changes the version shift traffic as AWS
// does under provisioned concurrency: for the next so many reads the alias
// shows the version it came from as an additional weight that sinks.
func SlowWeights(reads int) Effect {
	return slowly(func(*exchange) *shift { return &shift{reads: reads, left: reads} })
}

// SlowWeightsFor is SlowWeights that ends after a time instead of some reads.
func SlowWeightsFor(d time.Duration) Effect {
	return slowly(func(*exchange) *shift { return &shift{until: time.Now().Add(d), total: d} })
}

func slowly(begin func(*exchange) *shift) Effect {
	return Effect{before: func(x *exchange) *answer {
		x.e.journal.name(x.call, "slow weights")
		x.shift = begin(x)
		return nil
	}}
}

// wait lets d pass (0: for ever) and reports false where the caller or the
// emulator ended before.
func (x *exchange) wait(d time.Duration) bool {
	ctx, stop := context.WithCancel(x.request.Context())
	defer stop()
	defer context.AfterFunc(x.e.closing, stop)()
	var elapsed <-chan time.Time
	if d > 0 {
		timer := time.NewTimer(d)
		defer timer.Stop()
		elapsed = timer.C
	}
	select {
	case <-elapsed:
		return true
	case <-ctx.Done():
		return false
	}
}

// limiter holds calls to a rate, by token buckets.
type limiter struct {
	mu      sync.Mutex
	rate    float64 // tokens a second
	burst   float64
	buckets map[string]*bucket
}

type bucket struct {
	tokens float64
	filled time.Time
}

func (l *limiter) allow(key string, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	b, ok := l.buckets[key]
	if !ok {
		b = &bucket{tokens: l.burst, filled: now}
		l.buckets[key] = b
	}
	b.tokens = min(l.burst, b.tokens+l.rate*now.Sub(b.filled).Seconds())
	b.filled = now
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}

// throttled is how each service says that it was asked too often.
func (x *exchange) throttled(retryAfter time.Duration) answer {
	var a answer
	switch x.call.Service {
	case ServiceGitHub, ServiceOIDC:
		a = x.fail(http.StatusForbidden, "", "API rate limit exceeded for installation.")
		a.header.Set("X-Ratelimit-Limit", "1000")
		a.header.Set("X-Ratelimit-Remaining", "0")
		a.header.Set("X-Ratelimit-Reset", strconv.FormatInt(x.e.now().Add(retryAfter).Unix(), 10))
	case ServiceSTS, ServiceStacks:
		a = x.fail(http.StatusBadRequest, "Throttling", "Rate exceeded")
	default:
		a = x.ok(http.StatusTooManyRequests, map[string]any{
			"Reason": "CallerRateLimitExceeded", "Type": "User", "message": "Rate exceeded",
		})
		a.code = "TooManyRequestsException"
		a.header.Set("X-Amzn-Errortype", a.code)
	}
	if retryAfter > 0 {
		a.header.Set("Retry-After", strconv.Itoa(int(max(1, retryAfter.Round(time.Second).Seconds()))))
	}
	return a
}

// denied is how each service says that the caller has no permission.
func (x *exchange) denied() answer {
	c := x.call
	switch c.Service {
	case ServiceGitHub, ServiceOIDC:
		return x.fail(http.StatusForbidden, "", "Resource not accessible by integration")
	case ServiceSTS:
		return x.fail(http.StatusForbidden, "AccessDenied", "Not authorized to perform sts:"+c.Operation)
	case ServiceStacks, ServiceCodeDeploy:
		code := map[string]string{ServiceStacks: "AccessDenied", ServiceCodeDeploy: "AccessDeniedException"}[c.Service]
		return x.fail(http.StatusForbidden, code, fmt.Sprintf(
			"User: %s is not authorized to perform: %s:%s because no identity-based policy allows it", c.Actor, c.Service, c.Operation))
	default:
		resource := functionARN(c.Region, c.Function, c.Qualifier)
		return x.fail(http.StatusForbidden, "AccessDeniedException", fmt.Sprintf(
			"User: %s is not authorized to perform: lambda:%s on resource: %s because no identity-based policy allows the lambda:%s action",
			c.Actor, c.Operation, resource, c.Operation))
	}
}
