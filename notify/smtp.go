package notify

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/textproto"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	gomail "github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/log"
	"github.com/wneessen/go-mail/smtp"
)

const (
	tlsAuto     = "auto"
	tlsImplicit = "implicit"
	tlsNone     = "none"

	implicitPort = 465 // RFC 8314
	// maxTry bounds one try where ctx does not.
	maxTry = time.Minute
)

// try delivers the message to the pending recipients. The error says why any is
// still pending; those rejected for good are not.
func (e *Email) try(ctx context.Context, d *delivery) error {
	for {
		if err := e.connect(ctx, d); !errors.Is(err, errNextMechanism) || ctx.Err() != nil {
			return err
		}
	}
}

// connect tries over a connection of its own.
func (e *Email) connect(ctx context.Context, d *delivery) error {
	ctx, cancel := context.WithTimeout(ctx, maxTry)
	defer cancel()
	trace, conn := &smtpTrace{}, &limitedConn{}
	defer func() { conn.close() }()
	fail := func(err error) error {
		return &smtpFault{stage: e.stageOf(trace, conn), timedOut: ctx.Err() != nil || isTimeout(err), err: err}
	}
	client, err := e.client(ctx, d, trace, conn)
	if err != nil {
		return fail(err)
	}
	session, err := client.DialToSMTPClientWithContext(ctx)
	if err != nil {
		return fail(err)
	}
	if err = e.signIn(session, conn.encrypted.Load(), d); err != nil {
		return fail(err)
	}
	deferral, err := d.transact(session)
	if err != nil {
		return fail(err)
	}
	_ = session.Quit() // what was accepted stays accepted
	if deferral != nil {
		return &smtpFault{stage: stageRecipients, err: deferral}
	}
	return nil
}

// client is go-mail's. Its own dialler is not used: its deadlines are not those
// of limit, and it writes an IPv6 address without brackets.
func (e *Email) client(limit context.Context, d *delivery, trace *smtpTrace, conn *limitedConn) (*gomail.Client, error) {
	o := e.config
	config := &tls.Config{
		ServerName: o.Host, MinVersion: tls.VersionTLS12, RootCAs: o.RootCAs,
		VerifyConnection: func(tls.ConnectionState) error {
			conn.encrypted.Store(true)
			return nil
		},
	}
	// With TLS from the first byte on, go-mail has nothing left to start.
	policy := gomail.TLSMandatory
	switch {
	case e.implicitTLS():
		policy = gomail.TLSOpportunistic
	case o.TLS == tlsNone:
		policy = gomail.NoTLS
	}
	options := []gomail.Option{
		gomail.WithPort(o.Port),
		gomail.WithTLSPolicy(policy),
		gomail.WithTLSConfig(config),
		gomail.WithHELO(d.helo),
		gomail.WithTimeout(maxTry),
		gomail.WithDebugLog(), gomail.WithLogger(trace),
		gomail.WithDialContextFunc(func(ctx context.Context, network, _ string) (net.Conn, error) {
			plain, err := o.Dial(ctx, network, net.JoinHostPort(o.Host, strconv.Itoa(o.Port)))
			if err != nil {
				return nil, err
			}
			if err = conn.open(limit, plain); err != nil || !e.implicitTLS() {
				return conn, err
			}
			encrypted := tls.Client(conn, config)
			return encrypted, encrypted.HandshakeContext(ctx)
		}),
	}
	if !d.needsUTF8 { // a server that passes the message on need not know SMTPUTF8 then
		options = append(options, gomail.WithoutSMTPUTF8())
	}
	return gomail.NewClient(o.Host, options...)
}

// implicitTLS is true where TLS begins with the first byte.
func (e *Email) implicitTLS() bool {
	return e.config.TLS == tlsImplicit || e.config.TLS == tlsAuto && e.config.Port == implicitPort
}

// transact is one SMTP transaction. go-mail's own would send to nobody where one of
// several recipients is rejected. deferral is the reply for those to try later.
func (d *delivery) transact(session *smtp.Client) (deferral, err error) {
	if supported, _ := session.Extension("SMTPUTF8"); d.needsUTF8 && !supported {
		return nil, errNoSMTPUTF8
	}
	if err = session.Mail(d.from); err != nil {
		return nil, err
	}
	var accepted, deferred []string
	rejected := d.rejected
	for _, to := range d.pending {
		err = session.Rcpt(to)
		reply, isReply := errors.AsType[*textproto.Error](err)
		switch {
		case err == nil:
			accepted = append(accepted, to)
		case !isReply:
			return nil, err
		case isTemporary(reply.Code):
			deferred, deferral = append(deferred, to), err
		default:
			rejected = append(rejected, rejection{to, reply})
		}
	}
	if len(accepted) > 0 {
		if err = d.writeMessage(session); err != nil {
			return nil, err
		}
	}
	d.sent += len(accepted)
	d.pending, d.rejected = deferred, rejected
	return deferral, nil
}

func (d *delivery) writeMessage(session *smtp.Client) error {
	writer, err := session.Data()
	if err != nil {
		return err
	}
	if _, err = d.message.WriteTo(writer); err != nil {
		return fmt.Errorf("failed to write the message: %w", err)
	}
	return writer.Close()
}

// isTimeout is true, too, where the connection notices the end before ctx does.
func isTimeout(err error) bool {
	timed, is := errors.AsType[net.Error](err)
	return is && timed.Timeout()
}

func isTemporary(code int) bool { return code >= 400 && code < 500 }

// limitedConn is a connection that ends with a context, whatever the server and
// go-mail do, and what is known of it.
type limitedConn struct {
	net.Conn // nil: not connected

	deadline  time.Time
	received  atomic.Int64 // bytes that the server has said
	encrypted atomic.Bool  // TLS is up, and the certificate is good
	unwatch   func() bool
}

func (c *limitedConn) open(limit context.Context, plain net.Conn) error {
	c.Conn = plain
	c.deadline, _ = limit.Deadline()
	c.unwatch = context.AfterFunc(limit, func() { _ = plain.Close() })
	return c.SetDeadline(c.deadline)
}

func (c *limitedConn) close() {
	if c.Conn != nil {
		c.unwatch()
		_ = c.Close()
	}
}

// SetDeadline keeps go-mail from moving the end: it counts anew from every step.
func (c *limitedConn) SetDeadline(t time.Time) error {
	if t.IsZero() || t.After(c.deadline) {
		t = c.deadline
	}
	return c.Conn.SetDeadline(t)
}

// Read bounds what a server may say: answers without an end are kept whole.
func (c *limitedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if c.received.Add(int64(n)) > maxResponse {
		return 0, errReplyTooLong
	}
	return n, err
}

// smtpTrace follows which command was sent last. It keeps no more of it than the verb.
type smtpTrace struct {
	verb atomic.Value // string
	tls  atomic.Bool  // STARTTLS was agreed on
}

// Debugf is called with every command. Those of AUTH come without their words.
func (t *smtpTrace) Debugf(l log.Log) {
	if l.Direction != log.DirClientToServer {
		return
	}
	verb, _, _ := strings.Cut(strings.ToUpper(l.Format), " ")
	if verb == "STARTTLS" {
		t.tls.Store(true)
	}
	t.verb.Store(verb)
}

// Infof, Warnf and Errorf do nothing here.
func (*smtpTrace) Infof(log.Log)  {}
func (*smtpTrace) Warnf(log.Log)  {}
func (*smtpTrace) Errorf(log.Log) {}
