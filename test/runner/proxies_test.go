package runner_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// behind is the step with AWS's own endpoints, which only a proxy leads to.
func (s *step) behind(proxy string) *step {
	for name := range s.env {
		if strings.HasPrefix(name, "AWS_ENDPOINT_URL") {
			s.unset(name)
		}
	}
	return s.set("HTTPS_PROXY", proxy)
}

// proxy answers each CONNECT with a status. Its address has a user and a password.
func proxy(tb testing.TB, status int) (address string, calls *atomic.Int32) {
	tb.Helper()
	calls = &atomic.Int32{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		calls.Add(1)
		w.WriteHeader(status)
	}))
	tb.Cleanup(server.Close)
	return strings.Replace(server.URL, "://", "://robot:canaryOfTheProxy@", 1), calls
}

func TestAProxyThatRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status int
		byRole bool
		says   string
	}{
		"407":             {407, false, "the proxy did not accept the user and password in HTTPS_PROXY, or there are none (HTTP status 407)"},
		"403":             {403, false, "the proxy (HTTPS_PROXY) refused to connect to lambda.eu-west-1.amazonaws.com:443 (HTTP status 403)"},
		"407, for a role": {407, true, "the proxy did not accept the user and password in HTTPS_PROXY, or there are none (HTTP status 407)"},
		"403, for a role": {403, true, "the proxy (HTTPS_PROXY) refused to connect to sts.eu-west-1.amazonaws.com:443 (HTTP status 403)"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			s.function("api", 3)
			st := s.step()
			if c.byRole {
				st = s.byRole()
			}
			address, _ := proxy(t, c.status)
			o := st.behind(address).run()
			assert.Equal(t, "failed/invalid-input", o.ended())
			assert.Contains(t, o.outputs["message"], c.says)
			assert.Less(t, o.took-o.stalled, 30*time.Second, "timeout is 5 min")
			silent(t, o)
		})
	}
}

// What passes is waited for.
func TestAProxyThatIsDown(t *testing.T) {
	t.Parallel()
	for _, status := range []int{502, 503, 504} {
		s := newScene(t)
		s.function("api", 3)
		address, calls := proxy(t, status)
		o := s.step().behind(address).input("timeout", "3s").run()
		assert.Equal(t, "failed/timeout", o.ended())
		assert.Contains(t, o.outputs["message"], "HTTPS_PROXY")
		assert.Greater(t, calls.Load(), int32(3))
		silent(t, o)
	}
}

func TestAProxyWithAPortThatIsNone(t *testing.T) {
	t.Parallel()
	for _, byRole := range []bool{true, false} {
		s := newScene(t)
		s.function("api", 3)
		st := s.step()
		if byRole {
			st = s.byRole()
		}
		o := st.behind("http://127.0.0.1:99999").run()
		assert.Equal(t, "failed/invalid-input", o.ended())
		assert.Contains(t, o.outputs["message"], "HTTPS_PROXY has a port that is not valid")
		assert.NotContains(t, o.everything(), "99999")
		assert.Less(t, o.took-o.stalled, 30*time.Second, "timeout is 5 min")
	}
}

// The job's OIDC token comes through the proxy, too.
func TestAProxyThatRefusesTheToken(t *testing.T) {
	t.Parallel()
	for address, says := range map[string]string{
		"":                       "GitHub's token service could not be reached: the proxy (HTTPS_PROXY) responded with HTTP status 407",
		"http://127.0.0.1:99999": "GitHub's token service could not be reached: HTTPS_PROXY has a port that is not valid",
	} {
		s := newScene(t)
		s.function("api", 3)
		if address == "" {
			address, _ = proxy(t, http.StatusProxyAuthRequired)
		}
		o := s.byRole().behind(address).set("ACTIONS_ID_TOKEN_REQUEST_URL", "https://token.actions.example/?api-version=2.0").run()
		assert.Equal(t, "failed/no-credentials", o.ended())
		assert.Contains(t, o.outputs["message"], says)
		assert.Less(t, o.took-o.stalled, 30*time.Second, "timeout is 5 min")
		silent(t, o)
	}
}

// A user and a password are in no text, and a variable is not shown that may hold a
// password alone.
func TestTheUserInfoOfAURLIsNotRepeated(t *testing.T) {
	t.Parallel()
	for name, value := range map[string]string{
		"an escape that is none": "http://robot:canary%zzpw@127.0.0.1:1",
		"a port that is none":    "http://robot:canarypw@127.0.0.1:99999",
		"an address that is cut": "http://robot:canarypw@[::1",
		"no scheme":              "robot:canarypw@127.0.0.1:1",
		"a host that is none":    "http://robot:canarypw@no-such.invalid:1",
		"a port as a password":   "http://robot:99887766",
		"a password alone":       "canarypw",
	} {
		t.Run("proxy with "+name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			s.function("api", 3)
			timeout := "7s"
			if name == "a password alone" {
				timeout = "30s" // a resolver may take 10 s to say that there is no such host
			}
			o := s.step().behind(value).inputs(map[string]string{
				"timeout": timeout, "webhook-url": "https://hooks.example/x", "health-url": "https://shop.example/", "notify-on": "always",
			}).start().wait()
			silent(t, o)
			assert.NotContains(t, o.everything(), "99887766")
			if name == "a password alone" {
				assert.Contains(t, o.outputs["message"], "HTTPS_PROXY")
			}
		})
	}
	for name, value := range map[string]string{
		"a port that is none": "https://robot:canarypw@127.0.0.1:99999", "no answer": "https://robot:canarypw@127.0.0.1:1", "no scheme": "robot:canarypw@127.0.0.1:1",
	} {
		t.Run("endpoint with "+name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			s.function("api", 3)
			o := s.step().set("AWS_ENDPOINT_URL", value).input("timeout", "3s").start().wait()
			assert.Equal(t, "failed", o.status())
			silent(t, o, "robot")
		})
	}
}
