package notify_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"log"
	"math/big"
	"net"
	"net/mail"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/notify"
)

const (
	mailUser     = "deploy-bot"
	mailPassword = "Tr0ub4dor&3"
)

// mailServer is go-smtp behind a tap that keeps what went over the wire.
type mailServer struct {
	*smtp.Server

	mu         sync.Mutex
	dials      int
	mails      []delivered
	users      []string
	wire       bytes.Buffer // what the client sent, as it was sent
	encrypted  bool         // of the last message
	mechanisms []string
	auth       map[string]saslFunc // instead of the usual, by mechanism
	answer     func(command, argument string, dial int) error
	hello      string
	freeze     string        // what the client must not say: nothing is answered from then on
	over       chan struct{} // closed at the end of the test
}

type delivered struct {
	from string
	to   []string
	utf8 bool
	data []byte
}

func newMailServer() *mailServer {
	s := &mailServer{over: make(chan struct{})}
	s.Server = smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		s.mu.Lock()
		s.hello = c.Hostname()
		s.mu.Unlock()
		return &mailSession{server: s, conn: c}, s.said(c, "EHLO", c.Hostname())
	}))
	s.Domain = "mail.example"
	s.ErrorLog = log.New(io.Discard, "", 0)
	s.mechanisms = []string{sasl.Plain}
	return s
}

// replyText gives the answer that a test wants to a command. errHang never answers,
// errDrop closes the connection.
func (s *mailServer) said(conn *smtp.Conn, command, argument string) error {
	s.mu.Lock()
	answer, dials := s.answer, s.dials
	s.mu.Unlock()
	if answer == nil {
		return nil
	}
	err := answer(command, argument, dials)
	switch {
	case errors.Is(err, errHang):
		<-s.over
	case errors.Is(err, errDrop):
		_ = conn.Conn().Close()
	}
	return err
}

type mailSession struct {
	server *mailServer
	conn   *smtp.Conn
	mail   delivered
}

func (m *mailSession) AuthMechanisms() []string {
	return m.server.mechanisms
}

func (m *mailSession) Auth(mechanism string) (sasl.Server, error) {
	check := func(user, password string) error {
		if err := m.server.said(m.conn, "AUTH", user); err != nil {
			return err
		}
		if user != mailUser || password != mailPassword {
			return smtp.ErrAuthFailed
		}
		m.server.mu.Lock()
		defer m.server.mu.Unlock()
		m.server.users = append(m.server.users, mechanism+" "+user)
		return nil
	}
	if scripted := m.server.auth[mechanism]; scripted != nil {
		return scripted, nil
	}
	if mechanism == sasl.Login {
		return &loginServer{check: check}, nil
	}
	return sasl.NewPlainServer(func(_, user, password string) error { return check(user, password) }), nil
}

// saslFunc is a mechanism of a test.
type saslFunc func(response []byte) (challenge []byte, done bool, err error)

func (f saslFunc) Next(response []byte) ([]byte, bool, error) { return f(response) }

// loginServer is AUTH LOGIN, which go-sasl has no server for.
type loginServer struct {
	check func(user, password string) error
	user  *string
	begun bool
}

func (l *loginServer) Next(response []byte) ([]byte, bool, error) {
	switch {
	case !l.begun:
		l.begun = true
		return []byte("Username:"), false, nil
	case l.user == nil:
		user := string(response)
		l.user = &user
		return []byte("Password:"), false, nil
	default:
		return nil, true, l.check(*l.user, string(response))
	}
}

func (m *mailSession) Mail(from string, options *smtp.MailOptions) error {
	if err := m.server.said(m.conn, "MAIL", from); err != nil {
		return err
	}
	m.mail = delivered{from: from, utf8: options.UTF8}
	return nil
}

func (m *mailSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	if err := m.server.said(m.conn, "RCPT", to); err != nil {
		return err
	}
	m.mail.to = append(m.mail.to, to)
	return nil
}

func (m *mailSession) Data(r io.Reader) error {
	data, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if err := m.server.said(m.conn, "DATA", string(data)); err != nil {
		return err
	}
	m.mail.data = data
	m.server.mu.Lock()
	defer m.server.mu.Unlock()
	m.server.mails = append(m.server.mails, m.mail)
	_, m.server.encrypted = m.conn.TLSConnectionState()
	return nil
}

func (*mailSession) Reset()        {}
func (*mailSession) Logout() error { return nil }

// serve runs the server on loopback and gives its port. With implicit, TLS
// begins with the first byte.
func (s *mailServer) serve(t *testing.T, implicit bool) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	port := listener.Addr().(*net.TCPAddr).Port
	listener = tapped{Listener: listener, server: s}
	if implicit {
		listener = tls.NewListener(listener, s.TLSConfig)
	}
	go func() { _ = s.Serve(listener) }()
	t.Cleanup(s.end)
	return port
}

func (s *mailServer) end() {
	close(s.over)
	_ = s.Close()
}

// pipe serves within a synctest bubble, where no time passes while anybody is at
// work. It gives how to dial.
func (s *mailServer) pipe(t *testing.T) func(context.Context, string, string) (net.Conn, error) {
	t.Helper()
	listener := newPipeListener()
	go func() { _ = s.Serve(tapped{Listener: listener, server: s}) }()
	synctest.Wait() // until it listens: else there is nothing to close
	t.Cleanup(s.end)
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		c, err := listener.dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		b := &buffered{Conn: c, out: make(chan []byte, 1<<10), done: make(chan struct{})}
		go b.pump()
		return b, nil
	}
}

// buffered writes without waiting for a reader, as a network does and net.Pipe
// does not: TLS says goodbye to whom has gone.
type buffered struct {
	net.Conn

	out  chan []byte
	done chan struct{}
	once sync.Once
}

func (b *buffered) Write(p []byte) (int, error) {
	select {
	case b.out <- bytes.Clone(p):
		return len(p), nil
	case <-b.done:
		return 0, net.ErrClosed
	}
}

func (b *buffered) pump() {
	for {
		select {
		case p := <-b.out:
			if _, err := b.Conn.Write(p); err != nil {
				b.once.Do(func() { close(b.done) })
				return
			}
		case <-b.done:
			return
		}
	}
}

func (b *buffered) Close() error {
	b.once.Do(func() { close(b.done) })
	return b.Conn.Close()
}

type tapped struct {
	net.Listener

	server *mailServer
}

func (l tapped) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return l.server.tap(c), nil
}

func (s *mailServer) tap(c net.Conn) net.Conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.dials++
	return tap{Conn: c, server: s}
}

type tap struct {
	net.Conn

	server *mailServer
}

func (c tap) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.server.mu.Lock()
	defer c.server.mu.Unlock()
	c.server.wire.Write(p[:n])
	if freeze := c.server.freeze; freeze != "" && bytes.Contains(c.server.wire.Bytes(), []byte(freeze)) {
		c.server.mu.Unlock()
		<-c.server.over
		c.server.mu.Lock()
	}
	return n, err
}

func (s *mailServer) seen() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.wire.String()
}

// only is the one message that was delivered.
func (s *mailServer) only(t *testing.T) delivered {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	require.Len(t, s.mails, 1)
	return s.mails[0]
}

// authority makes certificates that only those who ask for it trust. It holds
// for all times: in a synctest bubble it is the year 2000.
type authority struct {
	pool *x509.CertPool
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign, NotBefore: time.Unix(0, 0), NotAfter: time.Unix(1<<32, 0),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	cert, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	pool := x509.NewCertPool()
	pool.AddCert(cert)
	return &authority{pool: pool, cert: cert, key: key}
}

// config is that of a server with a certificate for a name.
func (a *authority) config(t *testing.T, until time.Time, names ...string) *tls.Config {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "mail"}, DNSNames: names,
		NotBefore: time.Unix(0, 0), NotAfter: until, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	for _, name := range names {
		if ip := net.ParseIP(name); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, key.Public(), a.key)
	require.NoError(t, err)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, MinVersion: tls.VersionTLS12}
}

func forever() time.Time { return time.Unix(1<<32, 0) }

// sending are the options that most tests begin with.
func sending(port int) notify.EmailConfig {
	return notify.EmailConfig{
		Host: "127.0.0.1", Port: port, TLS: "auto",
		From: &mail.Address{Name: "Rollbacks", Address: "rollback@shop.example"},
		To:   []*mail.Address{{Address: "oncall@shop.example"}},
	}
}

func refuses(on string, code int, words string) func(string, string, int) error {
	return func(command, _ string, _ int) error {
		if command == on {
			return &smtp.SMTPError{Code: code, EnhancedCode: smtp.NoEnhancedCode, Message: words}
		}
		return nil
	}
}

var (
	errHang = errors.New("hang")
	errDrop = errors.New("drop")
)
