package notify

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/mail"
	"time"
)

const (
	minRetryPause = time.Second // before a mail server is asked again
	maxRetryPause = 8 * time.Second
	maxMailTries  = 6
	// reserve is left of the time given, so that what went wrong can still be
	// said, and not only that there was no answer.
	reserve = 300 * time.Millisecond
)

// EmailConfig are what an Email needs. From and at least one of To are given.
type EmailConfig struct {
	Host     string // name or IP address; the certificate must be for it
	Port     int
	Username string // with Password, or both are empty
	Password string
	TLS      string // auto, implicit, starttls or none
	From     *mail.Address
	To       []*mail.Address
	Cc       []*mail.Address

	// Hello is how the server is greeted; empty: the domain of From. The name of
	// the machine would be a container's, which mail servers distrust.
	HELO    string
	RootCAs *x509.CertPool // nil: those of the system
	Random  io.Reader      // for the id of the message
	Now     func() time.Time
	// Dial connects; nil: over the network.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// Email sends one message, in HTML and in plain text, by SMTP. It never goes on
// without TLS where TLS is asked for.
type Email struct {
	config EmailConfig
}

// NewEmail makes the channel. Nothing is checked or dialled before Send.
func NewEmail(options EmailConfig) *Email {
	if options.Dial == nil {
		options.Dial = new(net.Dialer).DialContext
	}
	return &Email{config: options}
}

// Name is the channel's key in the output `notifications`.
func (*Email) Name() string { return "email" }

// Send delivers the message to every receiver, or says who did not get it. What
// the server puts off (4xx), or breaks off, is tried again as long as ctx allows.
func (e *Email) Send(ctx context.Context, n Notification) error {
	letter, err := newDelivery(e.config, n.Alert)
	if err != nil {
		return err
	}
	ctx, cancel := withReserve(ctx)
	defer cancel()
	pause := minRetryPause
	for range maxMailTries {
		err = e.try(ctx, letter)
		if len(letter.pending) == 0 || !isRetryable(err) || !hasTimeFor(ctx, pause) {
			break
		}
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
		case <-timer.C:
		}
		if ctx.Err() != nil {
			break
		}
		pause = min(2*pause, maxRetryPause)
	}
	if errors.Is(ctx.Err(), context.Canceled) && letter.sent == 0 {
		return fmt.Errorf("the message was not sent: %w", ctx.Err())
	}
	return e.outcome(letter, err)
}

// withReserve ends a little before ctx does.
func withReserve(ctx context.Context) (context.Context, context.CancelFunc) {
	end, limited := ctx.Deadline()
	if !limited {
		return context.WithCancel(ctx)
	}
	const share = 4 // of a very short time
	return context.WithDeadline(ctx, end.Add(-min(reserve, time.Until(end)/share)))
}

// hasTimeFor is false where nothing could be tried after the pause.
func hasTimeFor(ctx context.Context, pause time.Duration) bool {
	end, limited := ctx.Deadline()
	return ctx.Err() == nil && (!limited || time.Until(end) > pause)
}
