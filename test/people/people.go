// Package people plays the services that bring a message to people, over real
// TLS on loopback: Slack, Teams and a webhook, with answers as theirs are, and a
// mail server. The shipped program reaches them unchanged: SSL_CERT_FILE makes
// their certificate known, and the inputs have their addresses.
package people

import (
	"context"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"
)

// The channels, by the names that the output `notifications` has for them.
const (
	SlackWebhook = "slack-webhook"
	SlackBot     = "slack-bot"
	Teams        = "teams"
	Webhook      = "webhook"
	Email        = "email"
)

// Secrets that the addresses and tokens hold; none may ever be printed.
const (
	SlackPath  = "/services/T000/B000/slackWebhookSecret"
	TeamsQuery = "sig=teamsWebhookSecret"
	BotToken   = "xoxb-botTokenSecret"
	WebhookKey = "webhookKeySecret"
	Password   = "mail Password+Secret/="
)

// A Message is what one call brought.
type Message struct {
	Channel string
	Method  string // of Slack's API, such as chat.postMessage; else empty
	Header  http.Header
	Body    []byte
	To      []string // of an email
	At      time.Time
}

// JSON decodes the body.
func (m Message) JSON() map[string]any {
	var out map[string]any
	_ = json.Unmarshal(m.Body, &out)
	return out
}

// Services are the running services.
type Services struct {
	// URL is the root of all services over HTTP.
	URL string
	// CertFile is for SSL_CERT_FILE.
	CertFile string

	web     *httptest.Server
	mail    *mailServer
	closing context.Context
	close   context.CancelFunc

	mu       sync.Mutex
	messages []Message
	arrived  chan struct{} // closed by the next message
	answers  map[string]http.HandlerFunc
	threads  int
}

// Start serves until Close. folder takes the certificate.
func Start(folder string) (*Services, error) {
	s := &Services{answers: map[string]http.HandlerFunc{}, arrived: make(chan struct{})}
	s.closing, s.close = context.WithCancel(context.Background())
	s.web = httptest.NewUnstartedServer(http.HandlerFunc(s.serve))
	s.web.Config.ErrorLog = quiet()
	s.web.StartTLS()
	s.URL = s.web.URL
	s.CertFile = filepath.Join(folder, "people.pem")
	cert := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.web.Certificate().Raw})
	if err := os.WriteFile(s.CertFile, cert, 0o600); err != nil {
		s.web.Close()
		return nil, fmt.Errorf("failed to write the certificate: %w", err)
	}
	mail, err := startMail(s.web.TLS, s.take)
	if err != nil {
		s.web.Close()
		return nil, err
	}
	s.mail = mail
	return s, nil
}

// Close ends all connections, those that hang included.
func (s *Services) Close() {
	s.close()
	s.web.CloseClientConnections()
	s.web.Close()
	s.mail.close()
}

// Answer replaces how a channel answers; what it is told is kept all the same.
func (s *Services) Answer(channel string, handler http.HandlerFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answers[channel] = handler
}

// Messages are those that a channel got, in order.
func (s *Services) Messages(channel string) []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []Message
	for _, m := range s.messages {
		if m.Channel == channel {
			out = append(out, m)
		}
	}
	return out
}

// Env is the environment that leads the program here.
func (s *Services) Env() map[string]string {
	return map[string]string{"SSL_CERT_FILE": s.CertFile, "SLACK_API_URL": s.URL + "/slack/api/"}
}

// Inputs name the channels, all of them where none is given.
func (s *Services) Inputs(channels ...string) map[string]string {
	inputs := map[string]map[string]string{
		SlackWebhook: {"slack-webhook-url": s.URL + SlackPath},
		SlackBot:     {"slack-bot-token": BotToken, "slack-channel": "#deploys"},
		Teams:        {"teams-webhook-url": s.URL + "/workflows/abc?" + TeamsQuery},
		Webhook:      {"webhook-url": s.URL + "/webhook", "webhook-secret": WebhookKey},
		Email: {
			"smtp-host": "127.0.0.1", "smtp-port": strconv.Itoa(s.mail.port), "smtp-tls": "starttls",
			"smtp-username": "robot", "smtp-password": Password,
			"email-from": "Deploys <deploys@shop.example>", "email-to": "oncall@shop.example",
		},
	}
	if len(channels) == 0 {
		channels = []string{SlackWebhook, SlackBot, Teams, Webhook, Email}
	}
	out := map[string]string{}
	for _, channel := range channels {
		maps.Copy(out, inputs[channel])
	}
	return out
}

func (s *Services) take(m Message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m.At = time.Now()
	s.messages = append(s.messages, m)
	close(s.arrived)
	s.arrived = make(chan struct{})
}

// Await waits until a channel has got so many messages. It is false where limit is
// over before.
func (s *Services) Await(channel string, messages int, limit time.Duration) bool {
	over := time.After(limit)
	for {
		s.mu.Lock()
		arrived := s.arrived
		s.mu.Unlock()
		if len(s.Messages(channel)) >= messages {
			return true
		}
		select {
		case <-arrived:
		case <-over:
			return false
		case <-s.closing.Done():
			return false
		}
	}
}

func (s *Services) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	channel, method := channelOf(r)
	if channel == "" {
		http.NotFound(w, r)
		return
	}
	s.take(Message{Channel: channel, Method: method, Header: r.Header, Body: body})
	s.mu.Lock()
	answer := s.answers[channel]
	s.mu.Unlock()
	if answer != nil {
		answer(w, r)
		return
	}
	switch channel {
	case SlackWebhook:
		_, _ = io.WriteString(w, "ok")
	case SlackBot:
		s.slack(w, r, body)
	case Teams:
		w.WriteHeader(http.StatusAccepted)
	default:
		w.WriteHeader(http.StatusNoContent)
	}
}

func channelOf(r *http.Request) (channel, method string) {
	if api, found := strings.CutPrefix(r.URL.Path, "/slack/api/"); found {
		return SlackBot, api
	}
	switch r.URL.Path {
	case SlackPath:
		return SlackWebhook, ""
	case "/workflows/abc":
		return Teams, ""
	case "/webhook":
		return Webhook, ""
	default:
		return "", ""
	}
}

// slack answers as Slack's Web API does.
func (s *Services) slack(w http.ResponseWriter, r *http.Request, body []byte) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	if r.Header.Get("Authorization") != "Bearer "+BotToken {
		_, _ = io.WriteString(w, `{"ok":false,"error":"invalid_auth"}`)
		return
	}
	var call struct{ Channel, TS string }
	if err := json.Unmarshal(body, &call); err != nil {
		_, _ = io.WriteString(w, `{"ok":false,"error":"invalid_json"}`)
		return
	}
	s.mu.Lock()
	s.threads++
	ts := fmt.Sprintf("1772853247.%06d", s.threads)
	s.mu.Unlock()
	if call.TS != "" {
		ts = call.TS
	}
	_, _ = fmt.Fprintf(w, `{"ok": true, "channel": "C0123456789", "ts": %q}`, ts)
}

// Hang answers nothing as long as the caller waits.
func (s *Services) Hang(_ http.ResponseWriter, r *http.Request) {
	select {
	case <-r.Context().Done():
	case <-s.closing.Done():
	}
}

// Says is an answer with a status and a text.
func Says(status int, text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, text)
	}
}

func portOf(l net.Listener) int { return l.Addr().(*net.TCPAddr).Port }
