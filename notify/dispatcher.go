// Package notify tells people how a rollback ended: one file a channel, and one
// that sends to all of them at once. Every channel words the same alert in its
// own best form. Nothing here changes a result.
package notify

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// Sent is what the output `notifications` says of a channel that has taken the
// message.
const Sent = "sent"

// ErrNoAnswer is the cause that ends a channel's time.
var ErrNoAnswer = errors.New("no answer in time")

// Notification is what a channel is asked to tell.
type Notification struct {
	Alert report.Alert
	// Result is the result as JSON, for programs.
	Result []byte
}

// Channel is one way to reach people. Send delivers a notice, or says in words
// fit for everybody why it could not: no secret, no address that is one.
type Channel interface {
	// Name is the key in the output `notifications`, such as "slack-webhook".
	Name() string
	Send(ctx context.Context, n Notification) error
}

// Threaded is a channel that can be told at once after the move, and then go on
// in the same thread: Begin opens it, Send ends it. Send without Begin is a
// message of its own.
type Threaded interface {
	Channel
	Begin(ctx context.Context, n Notification) error
}

// Log is where it is said what is sent.
type Log interface {
	Infof(format string, args ...any)
}

// Dispatcher tells all channels at once.
type Dispatcher struct {
	Channels []Channel
	// Limit is how long one channel may take, its retries included.
	Limit time.Duration
	Log   Log

	begun map[string]<-chan struct{} // closed when Begin has ended, by channel
}

// Begin tells the channels that can go on later, and does not wait for them:
// Send does, each channel for itself. What goes wrong is not reported: Send
// tries again, and its answer counts. It is given up after half the limit, so
// that Send has time left where a channel hangs.
func (c *Dispatcher) Begin(ctx context.Context, n Notification) {
	c.begun = map[string]<-chan struct{}{}
	for _, channel := range c.Channels {
		follower, can := channel.(Threaded)
		if !can {
			continue
		}
		begun := make(chan struct{})
		c.begun[channel.Name()] = begun
		go func() {
			defer close(begun)
			c.begin(ctx, follower, n)
		}()
	}
}

func (c *Dispatcher) begin(ctx context.Context, follower Threaded, n Notification) {
	early := Dispatcher{Limit: c.Limit / 2}
	c.Log.Infof("telling %s that the alias has moved", follower.Name())
	answer := early.deliver(ctx, follower, func(ctx context.Context, _ Channel) error { return follower.Begin(ctx, n) })
	if answer != Sent {
		c.Log.Infof("%s was not told yet: %s", follower.Name(), answer)
	}
}

// Send tells every channel, and gives for each `sent` or the error.
func (c *Dispatcher) Send(ctx context.Context, n Notification) map[string]string {
	return c.all(ctx, func(ctx context.Context, channel Channel) error {
		if begun, early := c.begun[channel.Name()]; early {
			select {
			case <-begun:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		c.Log.Infof("telling %s", channel.Name())
		return channel.Send(ctx, n)
	})
}

// Names are those of the channels, in order.
func (c *Dispatcher) Names() []string {
	names := map[string]bool{}
	for _, channel := range c.Channels {
		names[channel.Name()] = true
	}
	return slices.Sorted(maps.Keys(names))
}

// all calls tell for every channel side by side, each with the same limit, and
// comes back at the limit also where one does not obey it.
func (c *Dispatcher) all(ctx context.Context, tell func(context.Context, Channel) error) map[string]string {
	var mu sync.Mutex
	answers := map[string]string{}
	var told sync.WaitGroup
	for _, channel := range c.Channels {
		told.Go(func() {
			answer := c.deliver(ctx, channel, tell)
			mu.Lock()
			defer mu.Unlock()
			answers[channel.Name()] = answer
		})
	}
	told.Wait()
	return answers
}

func (c *Dispatcher) deliver(ctx context.Context, channel Channel, tell func(context.Context, Channel) error) string {
	ctx, cancel := context.WithTimeoutCause(ctx, c.Limit, ErrNoAnswer)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- recovering(ctx, channel, tell) }()
	select {
	case err := <-done:
		if err != nil {
			return c.describe(ctx, err)
		}
		return Sent
	case <-ctx.Done():
		select { // what came at the same moment counts
		case err := <-done:
			if err == nil {
				return Sent
			}
			return c.describe(ctx, err)
		case <-time.After(50 * time.Millisecond):
			return c.describe(ctx, ctx.Err())
		}
	}
}

// recovering keeps a fault of a channel, or of the library it uses, from taking the
// whole program with it: the outputs are still to be written.
func recovering(ctx context.Context, channel Channel, tell func(context.Context, Channel) error) (err error) {
	defer func() {
		if fault := recover(); fault != nil {
			err = fmt.Errorf("failed to word the message: %v; please report this", fault)
		}
	}()
	return tell(ctx, channel)
}

// describe says an error so that a person can act on it.
func (c *Dispatcher) describe(ctx context.Context, err error) string {
	switch {
	case ctx.Err() == nil || !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, context.Canceled):
		return err.Error()
	case errors.Is(context.Cause(ctx), ErrNoAnswer):
		return fmt.Sprintf("no answer within %s", c.Limit)
	default:
		return "given up: " + context.Cause(ctx).Error()
	}
}
