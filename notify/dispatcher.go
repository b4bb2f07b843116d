package notify

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// Sent is the value in the output `notifications` for a channel that has accepted the
// message.
const Sent = "sent"

// ErrNoAnswer is the cause that ends a channel's time.
var ErrNoAnswer = errors.New("no response in time")

// answerGrace is how long to wait for a response that arrives at the same moment as
// the limit.
const answerGrace = 50 * time.Millisecond

// Log gets what is sent, and what did not work without counting as an error.
type Log interface {
	Infof(format string, args ...any)
}

// Dispatcher sends a notification to all channels at once.
type Dispatcher struct {
	Channels []Channel
	// Limit is how long one channel may take, including its retries.
	Limit time.Duration
	Log   Log

	queued map[string]<-chan struct{} // closed when a channel has what came before Send, by channel
}

// Begin sends a first message to the threaded channels and does not wait for
// them: Send does, each channel for itself. Errors are only logged, because Send
// tries again and its result counts. A message before Send has half of the limit, so
// that Send has time left if a channel hangs.
func (d *Dispatcher) Begin(ctx context.Context, n Notification) {
	d.ahead(ctx, n, Threaded.Begin)
}

// Continue sends one more message to the threads that Begin has opened, after those
// that came before, and does not wait for it.
func (d *Dispatcher) Continue(ctx context.Context, n Notification) {
	d.ahead(ctx, n, Threaded.Continue)
}

// ahead sends a message to the threaded channels, in the order of the calls.
func (d *Dispatcher) ahead(ctx context.Context, n Notification, send func(Threaded, context.Context, Notification) error) {
	if d.queued == nil {
		d.queued = map[string]<-chan struct{}{}
	}
	for _, channel := range d.Channels {
		threaded, is := channel.(Threaded)
		if !is {
			continue
		}
		before, done := d.queued[channel.Name()], make(chan struct{})
		d.queued[channel.Name()] = done
		go func() {
			defer close(done)
			if before != nil {
				<-before
			}
			d.Log.Infof("notifying %s: %s", channel.Name(), n.Alert.Headline)
			answer := deliver(ctx, d.Limit/2, func(ctx context.Context) error { return send(threaded, ctx, n) })
			if answer != Sent {
				d.Log.Infof("%s was not notified yet: %s", channel.Name(), answer)
			}
		}()
	}
}

// Send sends to all channels in parallel, each with the same limit, and returns Sent or
// the error for each. It returns at the limit even if a channel does not
// obey it.
func (d *Dispatcher) Send(ctx context.Context, n Notification) map[string]string {
	var mu sync.Mutex
	answers := map[string]string{}
	var sending sync.WaitGroup
	for _, channel := range d.Channels {
		sending.Go(func() {
			answer := deliver(ctx, d.Limit, func(ctx context.Context) error { return d.send(ctx, channel, n) })
			mu.Lock()
			defer mu.Unlock()
			answers[channel.Name()] = answer
		})
	}
	sending.Wait()
	return answers
}

// send waits for what the channel was sent before.
func (d *Dispatcher) send(ctx context.Context, channel Channel, n Notification) error {
	if before, threaded := d.queued[channel.Name()]; threaded {
		select {
		case <-before:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	d.Log.Infof("notifying %s", channel.Name())
	return channel.Send(ctx, n)
}

// deliver returns Sent or the error, after limit at the latest.
func deliver(ctx context.Context, limit time.Duration, send func(context.Context) error) string {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, ErrNoAnswer)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- recovering(ctx, send) }()
	var err error
	select {
	case err = <-done:
	case <-ctx.Done():
		err = ctx.Err()
		grace, stop := context.WithTimeout(context.WithoutCancel(ctx), answerGrace)
		defer stop()
		select {
		case err = <-done:
		case <-grace.Done():
		}
	}
	return describe(ctx, err, limit)
}

// recovering keeps a fault of a channel, or of the library it uses, from ending
// the whole program: the outputs are still to be written.
func recovering(ctx context.Context, send func(context.Context) error) (err error) {
	defer func() {
		if fault := recover(); fault != nil {
			err = fmt.Errorf("failed to format the message: %v; please report this", fault)
		}
	}()
	return send(ctx)
}

// describe formats an error so that a person can act on it; no error is Sent.
func describe(ctx context.Context, err error, limit time.Duration) string {
	switch {
	case err == nil:
		return Sent
	case ctx.Err() == nil || !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, context.Canceled):
		return err.Error()
	case errors.Is(context.Cause(ctx), ErrNoAnswer):
		return fmt.Sprintf("no response within %s", limit)
	default:
		return "stopped: " + context.Cause(ctx).Error()
	}
}
