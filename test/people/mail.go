package people

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// mailServer is a real SMTP server by others, which wants STARTTLS and a login.
type mailServer struct {
	server *smtp.Server
	port   int
}

func startMail(config *tls.Config, take func(Message)) (*mailServer, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("failed to listen for mail: %w", err)
	}
	server := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &mailSession{take: take}, nil }))
	server.Domain, server.TLSConfig, server.EnableSMTPUTF8 = "mail.shop.example", config.Clone(), true
	server.ErrorLog = quiet()
	go func() { _ = server.Serve(listener) }()
	return &mailServer{server: server, port: portOf(listener)}, nil
}

func (m *mailServer) close() { _ = m.server.Close() }

func quiet() *log.Logger { return log.New(io.Discard, "", 0) }

type mailSession struct {
	take  func(Message)
	known bool
	to    []string
}

func (*mailSession) AuthMechanisms() []string { return []string{sasl.Plain} }

func (s *mailSession) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, username, password string) error {
		if username != "robot" || password != Password {
			return smtp.ErrAuthFailed
		}
		s.known = true
		return nil
	}), nil
}

func (s *mailSession) Mail(string, *smtp.MailOptions) error {
	if !s.known {
		return smtp.ErrAuthRequired
	}
	return nil
}

func (s *mailSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.to = append(s.to, to)
	return nil
}

func (s *mailSession) Data(r io.Reader) error {
	body, err := io.ReadAll(r)
	if err != nil {
		return errors.New("the message broke off")
	}
	s.take(Message{Channel: Email, Body: body, To: s.to})
	return nil
}

func (s *mailSession) Reset()        { s.to = nil }
func (s *mailSession) Logout() error { return nil }
