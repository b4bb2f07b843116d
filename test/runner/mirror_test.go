package runner_test

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
)

// mirror stands between the process and the emulator and keeps what the
// journal does not: the bodies.
type mirror struct {
	URL string
	// spoil, if set, may replace an answer. It sees the whole request.
	spoil func(*http.Request, *exchange)

	mu        sync.Mutex
	exchanges []exchange
}

type exchange struct {
	method, path string
	request      []byte
	status       int
	header       http.Header
	answer       []byte
}

func newMirror(tb testing.TB, upstream string, spoil func(*http.Request, *exchange)) *mirror {
	tb.Helper()
	m := &mirror{spoil: spoil}
	transport := &http.Transport{DisableCompression: true}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		out, err := http.NewRequestWithContext(r.Context(), r.Method, upstream+r.URL.RequestURI(), bytes.NewReader(body))
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		out.Header = r.Header.Clone()
		response, err := transport.RoundTrip(out)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		defer response.Body.Close()
		answer, err := io.ReadAll(response.Body)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		x := exchange{
			method: r.Method, path: r.URL.Path, request: body, status: response.StatusCode,
			header: response.Header, answer: answer,
		}
		if m.spoil != nil {
			m.spoil(r, &x)
		}
		m.mu.Lock()
		m.exchanges = append(m.exchanges, x)
		m.mu.Unlock()
		x.header.Del("Content-Length")
		maps.Copy(w.Header(), x.header)
		w.WriteHeader(x.status)
		_, _ = w.Write(x.answer)
	}))
	tb.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
		transport.CloseIdleConnections()
	})
	m.URL = server.URL
	return m
}

func (m *mirror) all() []exchange {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]exchange(nil), m.exchanges...)
}

// refuse makes the answer an error of Lambda's.
func (x *exchange) refuse(tb testing.TB, status int, code, message string) {
	body, err := json.Marshal(map[string]string{"message": message})
	assert.NoError(tb, err)
	x.status, x.answer = status, body
	x.header.Set("X-Amzn-Errortype", code)
	x.header.Set("Content-Type", "application/json")
}

// issued are the secrets that came in answers: of STS, and the OIDC token.
func (m *mirror) issued() []string {
	var secrets []string
	for _, x := range m.all() {
		for _, found := range issuedSecret.FindAllSubmatch(x.answer, -1) {
			secrets = append(secrets, string(bytes.Join(found[1:], nil)))
		}
	}
	return secrets
}

var issuedSecret = regexp.MustCompile(`<SecretAccessKey>([^<]+)<|<SessionToken>([^<]+)<|"value":\s*"([^"]+)"`)
