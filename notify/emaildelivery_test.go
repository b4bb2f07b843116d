package notify_test

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/http/httptest"
	"net/mail"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/notify"
	"github.com/org/lambda-rollback-action/rollback/report"
)

func anAlert() report.Alert {
	return report.Alert{
		Severity: report.SeverityDone, Mark: "✅", Headline: "Rolled back: api is on version 41 again", Message: "api was rolled back.",
		Links: []report.Page{{Name: "Run", URL: "https://github.example/run"}},
	}
}

// What goes over the wire in clear: no more than it takes to begin with TLS.
func TestEmailIsEncrypted(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		tls        string
		port       int // that is asked for; 0: that of the server
		implicit   bool
		mechanisms []string
		want       string // of the sign-in
	}{
		"auto":                   {tls: "auto", mechanisms: []string{sasl.Plain}, want: "PLAIN deploy-bot"},
		"auto with LOGIN":        {tls: "auto", mechanisms: []string{sasl.Login}, want: "LOGIN deploy-bot"},
		"auto on port 465":       {tls: "auto", port: 465, implicit: true, mechanisms: []string{sasl.Login, sasl.Plain}, want: "PLAIN deploy-bot"},
		"implicit on 465":        {tls: "implicit", port: 465, implicit: true, mechanisms: []string{sasl.Plain}, want: "PLAIN deploy-bot"},
		"implicit on any port":   {tls: "implicit", implicit: true, mechanisms: []string{sasl.Login}, want: "LOGIN deploy-bot"},
		"starttls":               {tls: "starttls", mechanisms: []string{sasl.Plain}, want: "PLAIN deploy-bot"},
		"starttls on port 465":   {tls: "starttls", port: 465, mechanisms: []string{sasl.Plain}, want: "PLAIN deploy-bot"},
		"auto with another port": {tls: "auto", port: 2525, mechanisms: []string{sasl.Plain}, want: "PLAIN deploy-bot"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, ca := newMailServer(), newAuthority(t)
			s.TLSConfig, s.mechanisms = ca.config(t, forever(), "smtp.shop.example"), test.mechanisms
			port := s.serve(t, test.implicit)
			options := sending(port)
			options.Host, options.TLS, options.RootCAs = "smtp.shop.example", test.tls, ca.pool
			options.Username, options.Password = mailUser, mailPassword
			if test.port != 0 {
				options.Port = test.port
			}
			options.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
				assert.Equal(t, net.JoinHostPort("smtp.shop.example", strconv.Itoa(options.Port)), address)
				return new(net.Dialer).DialContext(ctx, network, net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
			}
			require.NoError(t, notify.NewEmail(options, deps(nil)).Send(t.Context(), notify.Notification{Alert: anAlert()}))
			m := s.only(t)
			assert.Equal(t, "rollback@shop.example", m.from)
			assert.Equal(t, []string{"oncall@shop.example"}, m.to)
			assert.True(t, s.encrypted)
			assert.Equal(t, "shop.example", s.hello)
			assert.Equal(t, []string{test.want}, s.users)
			inClear, _, _ := strings.Cut(s.seen(), "\x16\x03") // where TLS begins
			want := "EHLO shop.example\r\nSTARTTLS\r\n"
			if test.implicit {
				want = ""
			}
			assert.Equal(t, want, inClear)
			assert.NotContains(t, s.seen(), "oncall")
			assert.Equal(t, 1, s.dials)
		})
	}
}

func TestEmailGreetsWithTheNameGiven(t *testing.T) {
	t.Parallel()
	s := newMailServer()
	options := sending(s.serve(t, false))
	options.TLS, options.HELO = "none", "runner.shop.example"
	require.NoError(t, notify.NewEmail(options, deps(nil)).Send(t.Context(), notify.Notification{Alert: anAlert()}))
	assert.Equal(t, "runner.shop.example", s.hello)
	assert.Contains(t, s.seen(), "Subject: ")
	assert.False(t, s.encrypted)
}

// Where there is no TLS as asked for, nothing is said but a greeting.
func TestEmailIsNotSentWithoutTLS(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		tls      string
		implicit bool // of the server
		config   func(t *testing.T, ca, other *authority) *tls.Config
		want     string
	}{
		"no STARTTLS": {
			tls:  "auto",
			want: "the mail server does not offer STARTTLS on port PORT, and nothing is sent unencrypted: use its TLS port (587 or 465); use smtp-tls: none only for a relay in your own network",
		},
		"no STARTTLS, which was asked for": {tls: "starttls", want: "the mail server does not offer STARTTLS on port PORT"},
		"an authority that nobody knows": {
			tls:    "auto",
			config: func(t *testing.T, _, other *authority) *tls.Config { return other.config(t, forever(), "127.0.0.1") },
			want:   "the certificate of 127.0.0.1:PORT is not valid: x509: certificate signed by unknown authority",
		},
		"an authority that nobody knows, implicit": {
			tls: "implicit", implicit: true,
			config: func(t *testing.T, _, other *authority) *tls.Config { return other.config(t, forever(), "127.0.0.1") },
			want:   "the certificate of 127.0.0.1:PORT is not valid: x509: certificate signed by unknown authority",
		},
		"another name": {
			tls:    "auto",
			config: func(t *testing.T, ca, _ *authority) *tls.Config { return ca.config(t, forever(), "other.example") },
			want:   "the certificate of 127.0.0.1:PORT is not valid: x509: cannot validate certificate for 127.0.0.1 because it doesn't contain any IP SANs; smtp-host must match the name in the certificate",
		},
		"expired": {
			tls:    "auto",
			config: func(t *testing.T, ca, _ *authority) *tls.Config { return ca.config(t, time.Unix(1, 0), "127.0.0.1") },
			want:   "the certificate of 127.0.0.1:PORT is not valid: x509: certificate has expired or is not yet valid",
		},
		"TLS 1.1": {
			tls: "auto",
			config: func(t *testing.T, ca, _ *authority) *tls.Config {
				config := ca.config(t, forever(), "127.0.0.1")
				config.MinVersion, config.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
				return config
			},
			want: "the connection to 127.0.0.1:PORT was lost while starting TLS: tls: protocol version not supported",
		},
		"implicit, where TLS begins later": {
			tls:    "implicit",
			config: func(t *testing.T, ca, _ *authority) *tls.Config { return ca.config(t, forever(), "127.0.0.1") },
			want:   "127.0.0.1:PORT does not start with TLS: set smtp-tls to starttls, which auto uses on ports other than 465",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, ca, other := newMailServer(), newAuthority(t), newAuthority(t)
			if test.config != nil {
				s.TLSConfig = test.config(t, ca, other)
			}
			options := sending(s.serve(t, test.implicit))
			options.TLS, options.RootCAs, options.Username, options.Password = test.tls, ca.pool, mailUser, mailPassword
			err := notify.NewEmail(options, deps(nil)).Send(t.Context(), notify.Notification{Alert: anAlert()})
			assert.ErrorContains(t, err, strings.ReplaceAll(test.want, "PORT", strconv.Itoa(options.Port)))
			assert.Empty(t, s.mails)
			for _, word := range []string{"AUTH", "MAIL", "RCPT", "DATA", mailUser, mailPassword, base64Of(mailPassword), "api"} {
				assert.NotContains(t, s.seen(), word)
			}
			assert.Equal(t, 1, s.dials, "it will not be otherwise a moment later")
		})
	}
}

// mailed sends by the dispatcher, as the program does, and gives the answer in the
// output and how long it took.
func mailed(t *testing.T, options notify.EmailConfig, limit time.Duration) (string, time.Duration) {
	t.Helper()
	dispatcher := notify.Dispatcher{Channels: []notify.Channel{notify.NewEmail(options, deps(nil))}, Limit: limit, Log: silent{}}
	began := time.Now()
	got := dispatcher.Send(t.Context(), notify.Notification{Alert: anAlert()})
	return got["email"], time.Since(began)
}

// Every command at which a server may fall silent.
func TestEmailToAServerThatHangs(t *testing.T) {
	t.Parallel()
	const server = "no response from mail.example:587 in time, while "
	for name, test := range map[string]struct {
		freeze string
		answer string
		silent bool // from the first
		tls    string
		want   string
	}{
		"before its greeting":            {silent: true, tls: "auto", want: server + "waiting for its greeting; if that port starts with TLS, as 465 does, set smtp-tls to implicit"},
		"before its greeting, implicit":  {silent: true, tls: "implicit", want: server + "starting TLS; if that port starts without TLS, as 587 and 25 do, set smtp-tls to starttls"},
		"at EHLO":                        {freeze: "EHLO", tls: "auto", want: server + "greeting it"},
		"at STARTTLS":                    {freeze: "STARTTLS", tls: "auto", want: server + "starting TLS; if that port starts with TLS, as 465 does, set smtp-tls to implicit"},
		"in the handshake":               {freeze: "\x16\x03", tls: "auto", want: server + "starting TLS; if that port starts with TLS, as 465 does, set smtp-tls to implicit"},
		"at AUTH":                        {answer: "AUTH", tls: "auto", want: server + "signing in"},
		"at MAIL":                        {answer: "MAIL", tls: "auto", want: server + "setting the sender"},
		"at RCPT":                        {answer: "RCPT", tls: "auto", want: server + "sending the recipients"},
		"at DATA":                        {freeze: "DATA", tls: "none", want: server + "sending the message, which may have arrived anyway"},
		"after the message":              {answer: "DATA", tls: "auto", want: server + "sending the message, which may have arrived anyway"},
		"after the message, without TLS": {answer: "DATA", tls: "none", want: server + "sending the message, which may have arrived anyway"},
		"within the message":             {freeze: "lambda-rollback-action", tls: "none", want: server + "sending the message, which may have arrived anyway"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ca := newAuthority(t)
			synctest.Test(t, func(t *testing.T) {
				s := newMailServer()
				s.TLSConfig, s.freeze = ca.config(t, forever(), "mail.example"), test.freeze
				s.answer = func(command, _ string, _ int) error {
					if command == test.answer {
						return errHang
					}
					return nil
				}
				options := sending(587)
				options.Host, options.TLS, options.RootCAs = "mail.example", test.tls, ca.pool
				if test.tls != "none" {
					options.Username, options.Password = mailUser, mailPassword
				}
				options.Dial = s.pipe(t)
				if test.silent {
					options.Dial = func(context.Context, string, string) (net.Conn, error) {
						ours, theirs := net.Pipe()
						go func() { // takes what comes, and says nothing
							buffer := make([]byte, 512)
							for {
								if _, err := theirs.Read(buffer); err != nil {
									return
								}
							}
						}()
						return ours, nil
					}
				}
				got, took := mailed(t, options, 15*time.Second)
				assert.Equal(t, test.want, got)
				assert.Equal(t, 14700*time.Millisecond, took)
				assert.Empty(t, s.mails)
			})
		})
	}
}

func TestEmailToAServerThatCannotBeReached(t *testing.T) {
	t.Parallel()
	hangs := func(ctx context.Context, _, _ string) (net.Conn, error) { <-ctx.Done(); return nil, ctx.Err() }
	unknown := func(context.Context, string, string) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: "mail.example", IsNotFound: true}}
	}
	for name, test := range map[string]struct {
		port int
		dial func(context.Context, string, string) (net.Conn, error)
		want string
	}{
		"no answer": {587, hangs, "no response from mail.example:587 in time, while connecting; check smtp-host and smtp-port, and whether a firewall blocks the connection"},
		"port 25":   {25, hangs, "no response from mail.example:25 in time, while connecting; most clouds, including GitHub-hosted runners, block outgoing connections to port 25: use 587 or 465"},
		"no host":   {587, unknown, "there is no host mail.example: check smtp-host"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				options := sending(test.port)
				options.Host, options.Dial = "mail.example", test.dial
				got, _ := mailed(t, options, 15*time.Second)
				assert.Equal(t, test.want, got)
			})
		})
	}
	t.Run("nobody listens", func(t *testing.T) {
		t.Parallel()
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		port := listener.Addr().(*net.TCPAddr).Port
		require.NoError(t, listener.Close())
		got, _ := mailed(t, sending(port), time.Second)
		assert.Equal(t, "could not connect to 127.0.0.1:"+strconv.Itoa(port)+": connection refused; check smtp-host and smtp-port, and whether a firewall blocks the connection", got)
	})
}

func TestEmailToAServerThatTalksWithoutAnEnd(t *testing.T) {
	t.Parallel()
	for name, words := range map[string]string{"in lines": "220-welcome\r\n", "in one line": strings.Repeat("x", 1000)} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			require.NoError(t, err)
			t.Cleanup(func() { _ = listener.Close() })
			go func() {
				for {
					c, err := listener.Accept()
					if err != nil {
						return
					}
					for err == nil {
						_, err = c.Write([]byte(words))
					}
				}
			}()
			port := listener.Addr().(*net.TCPAddr).Port
			got, _ := mailed(t, sending(port), time.Minute)
			assert.Equal(t, "the connection to 127.0.0.1:"+strconv.Itoa(port)+" was lost while waiting for its greeting: its reply is too long", got)
		})
	}
}

func TestEmailToWhatIsNoMailServer(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(server.Close)
	address := server.Listener.Addr().(*net.TCPAddr)
	// A web server waits for the client to begin, as one with TLS does.
	got, _ := mailed(t, sending(address.Port), 2*time.Second)
	assert.Equal(t, "no response from "+address.String()+" in time, while waiting for its greeting; if that port starts with TLS, as 465 does, set smtp-tls to implicit", got)

	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = c.Write([]byte("+OK POP3 ready\r\n"))
			_ = c.Close()
		}
	}()
	got, _ = mailed(t, sending(listener.Addr().(*net.TCPAddr).Port), time.Minute)
	assert.Equal(t, "the server at "+listener.Addr().String()+` does not use SMTP: invalid response code: "+OK POP3 ready"; check smtp-host and smtp-port`, got)
}

func TestEmailIsGivenUpWithTheJob(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newMailServer()
		s.answer = func(string, string, int) error { return errHang }
		options := sending(587)
		options.Host, options.TLS, options.Dial = "mail.example", "none", s.pipe(t)
		ctx, cancel := context.WithCancel(t.Context())
		go func() { time.Sleep(3 * time.Second); cancel() }()
		err := notify.NewEmail(options, deps(nil)).Send(ctx, notify.Notification{Alert: anAlert()})
		assert.ErrorIs(t, err, context.Canceled)
	})
}

func receivers(addresses ...string) []*mail.Address {
	var all []*mail.Address
	for _, address := range addresses {
		all = append(all, &mail.Address{Address: address})
	}
	return all
}
