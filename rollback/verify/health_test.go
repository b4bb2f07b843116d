package verify_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/rollback/report"
	"github.com/org/lambda-rollback-action/rollback/verify"
)

// quick is a health check that is over within a moment.
func quick(u ...*url.URL) verify.Health {
	return verify.Health{URLs: u, Successes: 3, Interval: 5 * time.Millisecond, Timeout: 300 * time.Millisecond}
}

func status(codes ...int) http.HandlerFunc {
	var n atomic.Int64
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(codes[min(int(n.Add(1))-1, len(codes)-1)])
	}
}

func TestHealthOverHTTP(t *testing.T) {
	t.Parallel()
	elsewhere := httptest.NewServer(status(200))
	t.Cleanup(elsewhere.Close)
	any2xx := func(code int) bool { return code/100 == 2 }

	for name, c := range map[string]struct {
		handler http.HandlerFunc
		change  func(*verify.Health)
		want    report.CheckStatus
		detail  string
	}{
		"three good answers in a row":     {status(200), nil, report.CheckPassed, "3 consecutive responses had status 200, after 3 probes; response times "},
		"503 at first, then good":         {status(503, 503, 200), nil, report.CheckPassed, "after 5 probes"},
		"flapping once starts anew":       {status(200, 200, 500, 200, 200, 200), nil, report.CheckPassed, "after 6 probes"},
		"bad for good":                    {status(500), nil, report.CheckFailed, "at most 0 in a row; last problem: status 500; response times "},
		"204 is not 200":                  {status(204), nil, report.CheckFailed, "last problem: status 204"},
		"204 is of the class 2xx":         {status(204), func(h *verify.Health) { h.Statuses, h.StatusText = any2xx, "2xx" }, report.CheckPassed, "had status 2xx"},
		"a body with the text":            {body("all systems up"), func(h *verify.Health) { h.Body = "systems up" }, report.CheckPassed, "with the required text in the body"},
		"a body without the text":         {body("maintenance"), func(h *verify.Health) { h.Body = "up" }, report.CheckFailed, "the body does not contain the required text"},
		"the text across two chunks":      {chunks("all sys", "tems up"), func(h *verify.Health) { h.Body = "systems up" }, report.CheckPassed, "3 consecutive responses"},
		"the text behind the first MiB":   {body(strings.Repeat("x", 1<<20) + "up"), func(h *verify.Health) { h.Body = "up"; h.Timeout = 5 * time.Second }, report.CheckFailed, "the first MiB of the body does not contain"},
		"an endless body nobody reads":    {endless, nil, report.CheckPassed, "3 consecutive responses"},
		"an endless body without text":    {endless, func(h *verify.Health) { h.Body = "up" }, report.CheckFailed, "fewer than 3 consecutive responses"},
		"a slow body that never ends":     {stalled, func(h *verify.Health) { h.Body = "up"; h.Timeout = time.Second }, report.CheckFailed, "the body ended early after 4 bytes"},
		"a redirect on the same host":     {redirect("/", "/up"), nil, report.CheckPassed, "3 consecutive responses"},
		"a redirect that is asked for":    {redirect("/", "/up"), func(h *verify.Health) { h.Statuses = func(c int) bool { return c == 302 } }, report.CheckPassed, "3 consecutive responses"},
		"a redirect in a circle":          {redirect("/", "/"), func(h *verify.Health) { h.Timeout = 2 * time.Second }, report.CheckFailed, "status 302 after 5 redirects, which is the limit"},
		"a redirect to another host":      {redirect("/", elsewhere.URL+"/login?key=hunter2"), nil, report.CheckFailed, "status 302, a redirect to " + elsewhere.URL + "/login: redirects to another host"},
		"a redirect to another scheme":    {redirect("/", "https://127.0.0.1/"), nil, report.CheckFailed, "to another host or scheme are not followed"},
		"the connection is torn down":     {tear, nil, report.CheckFailed, "last problem: EOF"},
		"no answer ever":                  {hang, func(h *verify.Health) { h.Timeout = 50 * time.Millisecond }, report.CheckFailed, "0 of 1 probes healthy"},
		"longer to prove than there time": {status(200), func(h *verify.Health) { h.Successes = 100; h.Interval = 50 * time.Millisecond }, report.CheckInconclusive, "is too short for 100 consecutive probes 50 ms apart: increase health-timeout"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(c.handler)
			t.Cleanup(func() { server.CloseClientConnections(); server.Close() })
			s := newSetup()
			s.Options.Health = quick(mustURL(t, server.URL+"/"))
			if c.want == report.CheckPassed { // as long as it takes on a busy machine
				s.Options.Health.Timeout = 20 * time.Second
			}
			if c.change != nil {
				c.change(&s.Options.Health)
			}
			v := s.verify()
			got := find(t, v, "health "+server.URL+"/")
			assert.Equal(t, c.want, got.Status, got.Detail)
			assert.Contains(t, got.Detail, c.detail)
			want := report.Healthy
			switch c.want {
			case report.CheckFailed:
				want = report.NotHealthy
			case report.CheckInconclusive:
				want = report.HealthUnknown
			case report.CheckPassed: // healthy
			}
			assert.Equal(t, want, v.Healthy)
			assert.NotContains(t, fmt.Sprint(v)+s.log.String(), "hunter2")
		})
	}
}

func body(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, text) }
}

func chunks(parts ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for _, p := range parts {
			_, _ = io.WriteString(w, p)
			_ = http.NewResponseController(w).Flush()
		}
	}
}

func endless(w http.ResponseWriter, r *http.Request) {
	for r.Context().Err() == nil {
		if _, err := w.Write(make([]byte, 64<<10)); err != nil {
			return
		}
	}
}

func stalled(w http.ResponseWriter, r *http.Request) {
	_, _ = io.WriteString(w, "slow")
	_ = http.NewResponseController(w).Flush()
	<-r.Context().Done()
}

func hang(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

func tear(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

func redirect(from, to string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == from {
			w.Header().Set("Location", to)
			w.WriteHeader(http.StatusFound)
		}
	}
}

func TestHealthProbesOnFreshConnectionsAsItself(t *testing.T) {
	t.Parallel()
	var connections atomic.Int64
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		assert.Equal(t, "ops:hunter2", user+":"+password, "also where it was redirected to")
		assert.Equal(t, "lambda-rollback-action", r.Header.Get("User-Agent"))
		if r.URL.Path == "/old" {
			http.Redirect(w, r, "http://"+r.Host+"/new", http.StatusFound)
		}
	}))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	s := newSetup()
	u := mustURL(t, server.URL+"/old?token=hunter2#hunter2")
	u.User = url.UserPassword("ops", "hunter2")
	s.Options.Health = quick(u)
	v := s.verify()
	assert.Equal(t, report.CheckPassed, v.Checks[0].Status, v.Checks[0].Detail)
	assert.Equal(t, "health "+server.URL+"/old", v.Checks[0].Name)
	assert.EqualValues(t, 6, connections.Load(), "three probes, each with a redirect")
}

func TestHealthURLsThatDifferInWhatIsNotShown(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(status(200))
	t.Cleanup(server.Close)
	s := newSetup()
	s.Options.Health = quick(mustURL(t, server.URL+"/?a"), mustURL(t, server.URL+"/?b"))
	v := s.verify()
	assert.Equal(t, "health "+server.URL+"/", v.Checks[0].Name)
	assert.Equal(t, "health "+server.URL+"/ (2)", v.Checks[1].Name)
}

func TestHealthNeedsACertificateToTrust(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		host    string
		until   time.Duration
		trusted bool
		want    report.CheckStatus
		detail  string
	}{
		"a good one":            {"127.0.0.1", time.Hour, true, report.CheckPassed, "3 consecutive responses"},
		"of an unknown issuer":  {"127.0.0.1", time.Hour, false, report.CheckFailed, "certificate is not trusted: x509: certificate signed by unknown authority"},
		"expired":               {"127.0.0.1", -time.Hour, true, report.CheckFailed, "certificate has expired"},
		"made for another host": {"127.9.9.9", time.Hour, true, report.CheckFailed, "not 127.0.0.1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			certificate, leaf := selfSigned(t, c.host, time.Now().Add(c.until))
			server := httptest.NewUnstartedServer(status(200))
			server.Config.ErrorLog = log.New(io.Discard, "", 0)
			server.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}}
			server.StartTLS()
			t.Cleanup(server.Close)
			roots := x509.NewCertPool()
			if c.trusted {
				roots.AddCert(leaf)
			}
			s := newSetup()
			s.HTTP = &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}}
			s.Options.Health = quick(mustURL(t, server.URL))
			if c.want == report.CheckPassed {
				s.Options.Health.Timeout = 20 * time.Second
			}
			got := s.verify().Checks[0]
			assert.Equal(t, c.want, got.Status, got.Detail)
			assert.Contains(t, got.Detail, c.detail)
		})
	}
}

func selfSigned(t *testing.T, host string, until time.Time) (tls.Certificate, *x509.Certificate) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-24 * time.Hour), NotAfter: until,
		IPAddresses: []net.IP{net.ParseIP(host)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	leaf, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, leaf
}

func TestHealthWaitsForAServerThatComesUp(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := listener.Addr().String()
	require.NoError(t, listener.Close())

	s := newSetup()
	s.Options.Health = quick(mustURL(t, "http://"+address))
	s.Options.Health.Timeout = 2 * time.Second
	done := make(chan verify.Verdict)
	go func() { done <- s.verify() }()
	require.Eventually(t, func() bool { return strings.Contains(s.log.String(), "refused") }, time.Second, time.Millisecond)
	listener, err = net.Listen("tcp", address)
	if err != nil {
		t.Skip("somebody else took the port meanwhile")
	}
	server := &http.Server{Handler: status(200)}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	got := (<-done).Checks[0]
	assert.Equal(t, report.CheckPassed, got.Status, got.Detail)
}

// web is a network that is a function.
type web func(*http.Request) (*http.Response, error)

func (w web) RoundTrip(r *http.Request) (*http.Response, error) { return w(r) }

func answer(r *http.Request, status int) *http.Response {
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: http.NoBody, Request: r}
}

func TestHealthKeepsItsTimes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		timeout time.Duration
		takes   time.Duration // one probe
		status  int
		lasts   time.Duration // all of it
		probes  int
		detail  string
	}{
		"fast answers, one each interval":       {time.Minute, 10 * time.Millisecond, 200, 4*time.Second + 10*time.Millisecond, 3, "response times 10ms to 10ms, median 10ms"},
		"answers slower than the interval":      {time.Minute, 3 * time.Second, 200, 9 * time.Second, 3, "median 3s"},
		"bad to the end of the time":            {time.Minute, 0, 500, time.Minute, 30, "0 of 30 probes healthy"},
		"no answer: each probe ends after 10 s": {59 * time.Second, time.Hour, 200, 59 * time.Second, 6, "0 of 5 probes healthy, at most 0 in a row; last problem: no complete response within 10s"},
		"no answer in less than one probe":      {5 * time.Second, time.Hour, 200, 5 * time.Second, 1, "0 of 1 probes healthy"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				probes := 0
				s := newSetup()
				s.HTTP = &http.Client{Transport: web(func(r *http.Request) (*http.Response, error) {
					probes++
					if err := (clock{}).Sleep(r.Context(), c.takes); err != nil {
						return nil, err
					}
					return answer(r, c.status), nil
				})}
				s.Options.Health = verify.Health{URLs: []*url.URL{mustURL(t, "https://api.example")}, Successes: 3, Interval: 2 * time.Second, Timeout: c.timeout}
				v := s.verify()
				assert.Equal(t, c.lasts, v.Ended.Sub(v.Started))
				assert.Equal(t, c.probes, probes)
				assert.Contains(t, v.Checks[0].Detail, c.detail)
			})
		})
	}
}

// A probe that the end of the time cuts off is only unhealthy if it hung.
func TestAProbeThatIsCutOff(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		timeout, takes, last time.Duration // the last is the third probe
		want                 report.CheckStatus
	}{
		"it had just begun":                      {4*time.Second + 100*time.Millisecond, 10 * time.Millisecond, time.Hour, report.CheckInconclusive},
		"it took no longer than the others":      {8 * time.Second, 3 * time.Second, time.Hour, report.CheckInconclusive},
		"it hung for longer than the next pause": {7 * time.Second, 10 * time.Millisecond, time.Hour, report.CheckFailed},
		"it hung for longer than the others":     {10 * time.Second, 3 * time.Second, time.Hour, report.CheckFailed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				probes := 0
				s := newSetup()
				s.HTTP = &http.Client{Transport: web(func(r *http.Request) (*http.Response, error) {
					takes := c.takes
					if probes++; probes == 3 {
						takes = c.last
					}
					if err := (clock{}).Sleep(r.Context(), takes); err != nil {
						return nil, err
					}
					return answer(r, 200), nil
				})}
				s.Options.Health = verify.Health{URLs: []*url.URL{mustURL(t, "https://api.example")}, Successes: 5, Interval: 2 * time.Second, Timeout: c.timeout}
				got := s.verify().Checks[0]
				assert.Equal(t, c.want, got.Status, got.Detail)
				assert.Contains(t, got.Detail, "2 of 2 probes healthy")
			})
		})
	}
}
