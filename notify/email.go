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
	// reserve is the time kept at the end to report what went wrong, and not only that
	// there was no response.
	reserve = 300 * time.Millisecond
)

// emailLimit is below some 102 kB: Gmail hides the part of a message above that.
var emailLimit = Limit{
	Max: 98_000, Unit: "bytes as sent",
	Source: "Gmail clips a message above 102 kB; measured, because Google does not document it",
}

var emailDefinition = Definition{
	Name:     "email",
	Required: []string{"smtp-host", "email-from", "email-to"},
	Optional: []string{"smtp-port", "smtp-username", "smtp-password", "smtp-tls", "email-cc"},
	Limit:    emailLimit,
	open: func(c Config, d Deps) Channel {
		if c.Email.Host == "" || c.Email.From == nil || len(c.Email.To) == 0 {
			return nil
		}
		return NewEmail(c.Email, d)
	},
}

// EmailConfig configures an Email.
type EmailConfig struct {
	Host     string // name or IP address; the certificate must be for it
	Port     int
	Username string // with Password, or both are empty
	Password string
	TLS      string // auto, implicit, starttls or none
	From     *mail.Address
	To       []*mail.Address
	Cc       []*mail.Address

	// HELO is how the server is greeted; empty: the domain of From. The name of
	// the machine would be a container's, which mail servers distrust.
	HELO    string
	RootCAs *x509.CertPool // nil: those of the system
	// Dial connects; nil: over the network.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// Email sends one message, in HTML and in plain text, by SMTP. It never continues
// without TLS if TLS is required.
type Email struct {
	config  EmailConfig
	clock   Clock
	random  io.Reader
	secrets secrets
}

// NewEmail creates the channel. Nothing is checked or dialed before Send.
func NewEmail(c EmailConfig, d Deps) *Email {
	if c.Dial == nil {
		c.Dial = new(net.Dialer).DialContext
	}
	return &Email{config: c, clock: d.Clock, random: d.Random, secrets: newSecrets(c.Username, c.Password)}
}

// Name is the channel's key in the output `notifications`.
func (*Email) Name() string { return emailDefinition.Name }

// Send delivers the message to every recipient, or says who did not get it. What
// the server defers (4xx), or interrupts, is tried again as long as ctx allows.
func (e *Email) Send(ctx context.Context, n Notification) error {
	d, err := e.delivery(n.Alert)
	if err != nil {
		return err
	}
	ctx, cancel := withReserve(ctx, e.clock)
	defer cancel()
	pause := minRetryPause
	for range maxMailTries {
		err = e.try(ctx, d)
		if len(d.pending) == 0 || !isRetryable(err) || !hasTimeFor(ctx, e.clock, pause) || e.clock.Sleep(ctx, pause) != nil {
			break
		}
		pause = min(2*pause, maxRetryPause)
	}
	if errors.Is(ctx.Err(), context.Canceled) && d.sent == 0 {
		return fmt.Errorf("the message was not sent: %w", ctx.Err())
	}
	return e.outcome(d, err)
}

// withReserve ends a little before ctx does.
func withReserve(ctx context.Context, clock Clock) (context.Context, context.CancelFunc) {
	end, limited := ctx.Deadline()
	if !limited {
		return context.WithCancel(ctx)
	}
	const share = 4 // of a very short time
	return context.WithDeadline(ctx, end.Add(-min(reserve, end.Sub(clock.Now())/share)))
}
