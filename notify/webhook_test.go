package notify_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/notify"
	"github.com/org/lambda-rollback-action/rollback/report"
)

// random is a source that gives the same every time.
func random() io.Reader { return strings.NewReader(strings.Repeat("x", 1<<10)) }

// As GitHub's documentation has a receiver check it:
// https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
func TestTheSignatureIsGitHubs(t *testing.T) {
	t.Parallel()
	const secret = "It's a Secret to Everybody"
	var header http.Header
	var body []byte
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		header = r.Header
		body, _ = io.ReadAll(r.Body)
	}))
	defer server.Close()
	w := notify.NewWebhook(notify.WebhookConfig{URL: server.URL, Secret: secret}, deps(server.Client()))
	require.NoError(t, w.Send(t.Context(), notify.Notification{Result: []byte(`{"status":"failed"}`)}))
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	assert.Equal(t, "sha256="+hex.EncodeToString(mac.Sum(nil)), header.Get("X-Signature-256"))
	assert.Equal(t, "application/json; charset=utf-8", header.Get("Content-Type"))
	assert.Len(t, header.Get("X-Delivery-Id"), 32)
	assert.Empty(t, header.Get("X-Trial"))
}

// The values that GitHub's documentation gives for testing a receiver.
func TestSigning(t *testing.T) {
	t.Parallel()
	assert.Equal(t, "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
		notify.Sign("It's a Secret to Everybody", []byte("Hello, World!")))
}

func TestWebhookWithoutASecretIsNotSigned(t *testing.T) {
	t.Parallel()
	var header http.Header
	var body []byte
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		header = r.Header
		body, _ = io.ReadAll(r.Body)
	}))
	defer server.Close()
	w := notify.NewWebhook(notify.WebhookConfig{URL: server.URL, Secret: ""}, deps(server.Client()))
	require.NoError(t, w.Send(t.Context(), notify.Notification{Result: []byte(`{"status":"failed"}`), Alert: report.Alert{Trial: true}}))
	assert.NotContains(t, header, "X-Signature-256")
	assert.Equal(t, "true", header.Get("X-Trial"))
	assert.JSONEq(t, `{"status":"failed","alert":{"severity":"","trial":true,"headline":"","facts":[],"verdict":"",
		"next":[],"not-rolled-back":"","links":[]}}`, string(body))
}

// pipeServer serves one address within a synctest bubble, where no time passes
// while anybody is at work.
func pipeServer(t *testing.T, handler http.Handler) *http.Client {
	t.Helper()
	listener := newPipeListener()
	server := &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute}
	go func() { _ = server.Serve(listener) }()
	transport := &http.Transport{DisableKeepAlives: true, DialContext: listener.dial}
	t.Cleanup(func() { transport.CloseIdleConnections(); _ = server.Close() })
	return &http.Client{Transport: transport}
}

type pipeListener struct {
	conns  chan net.Conn
	closed chan struct{}
}

func newPipeListener() *pipeListener {
	return &pipeListener{conns: make(chan net.Conn), closed: make(chan struct{})}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}
func (l *pipeListener) Close() error { close(l.closed); return nil }
func (*pipeListener) Addr() net.Addr { return &net.TCPAddr{} }

func (l *pipeListener) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case l.conns <- theirs:
		return ours, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Every way in which a service can answer, and what is said of it.
func TestPosting(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		answers []http.HandlerFunc // the last one goes on
		limit   time.Duration
		want    string // empty: sent
		tries   int
		took    time.Duration
	}{
		"taken at once":                    {answers: all(says(204, "")), tries: 1},
		"throttled, then taken":            {answers: all(throttles("3"), says(200, "")), tries: 2, took: 3 * time.Second},
		"throttled for longer than it has": {answers: all(throttles("600")), want: "the webhook answered 429 slow down", tries: 1},
		"fails once, then taken":           {answers: all(says(503, "x"), says(200, "")), tries: 2, took: 500 * time.Millisecond},
		"fails for good":                   {answers: all(says(500, "rollup_error")), want: "the webhook answered 500 rollup_error", tries: 5, took: 7500 * time.Millisecond},
		"refuses":                          {answers: all(says(403, "no\n::error::x\x1b[31m")), want: `the webhook answered 403 no\n::error::x\u001b[31m`, tries: 1},
		"says nothing with its refusal":    {answers: all(says(404, "")), want: "the webhook answered 404 Not Found", tries: 1},
		"redirects":                        {answers: all(redirects), want: "the webhook answered 302 Found", tries: 1},
		"breaks off once, then taken":      {answers: all(breaksOff, says(200, "")), tries: 2, took: 500 * time.Millisecond},
		"hangs once, then taken":           {answers: all(hangs, says(200, "")), tries: 2, took: 8500 * time.Millisecond, limit: 20 * time.Second},
		"hangs for good":                   {answers: all(hangs), want: "no response within 10s", tries: 2, took: 10 * time.Second},
		"an endless answer":                {answers: all(endless), tries: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				tries := 0
				client := pipeServer(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					handler := test.answers[min(tries, len(test.answers)-1)]
					tries++
					handler(w, r)
				}))
				limit := test.limit
				if limit == 0 {
					limit = 10 * time.Second
				}
				dispatcher := notify.Dispatcher{
					Channels: []notify.Channel{notify.NewWebhook(notify.WebhookConfig{URL: "http://hooks.example/secret-path?sig=secret", Secret: ""}, deps(client))},
					Limit:    limit, Log: silent{},
				}
				began := time.Now()
				got := dispatcher.Send(t.Context(), notify.Notification{Result: []byte("{}")})
				took := time.Since(began)
				synctest.Wait() // until the server is done, too
				want := test.want
				if want == "" {
					want = notify.Sent
				}
				assert.Equal(t, map[string]string{"webhook": want}, got)
				assert.Equal(t, test.tries, tries)
				assert.Equal(t, test.took, took)
				assert.NotContains(t, got["webhook"], "secret")
			})
		})
	}
}

type silent struct{}

func (silent) Infof(string, ...any) {}

func all(handlers ...http.HandlerFunc) []http.HandlerFunc { return handlers }

func says(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func throttles(after string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", after)
		w.WriteHeader(http.StatusTooManyRequests)
		_, _ = io.WriteString(w, "slow down")
	}
}

func redirects(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Location", "http://elsewhere.example/")
	w.WriteHeader(http.StatusFound)
}

func breaksOff(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

func hangs(_ http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body) // only then is it seen that the other side has gone
	<-r.Context().Done()
}

func endless(w http.ResponseWriter, _ *http.Request) {
	for {
		if _, err := io.WriteString(w, strings.Repeat("x", 4096)); err != nil {
			return
		}
	}
}
