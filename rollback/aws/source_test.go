package aws_test

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/rollback/aws"
)

const issuedJSON = `{"Code":"Success","AccessKeyId":"ASIASOURCE","SecretAccessKey":"secretsecret","Token":"tok","Expiration":"2099-01-01T00:00:00Z"}`

// sourceServer is the endpoint of a container and of an instance. It answers the
// first calls as it is told to.
func sourceServer(t *testing.T, first int32, wrong http.HandlerFunc) (*httptest.Server, *atomic.Int32) {
	t.Helper()
	var calls atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch n := calls.Add(1); {
		case n <= first:
			wrong(w, r)
		case strings.HasSuffix(r.URL.Path, "/api/token"):
			w.Header().Set("X-Aws-Ec2-Metadata-Token-Ttl-Seconds", "21600")
			_, _ = io.WriteString(w, "token")
		case strings.HasSuffix(r.URL.Path, "/security-credentials/"):
			_, _ = io.WriteString(w, "role")
		default:
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, issuedJSON)
		}
	}))
	t.Cleanup(server.Close)
	return server, &calls
}

func jsonOf(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// Where the credentials of a container and of an instance are looked for.
var sources = map[string]func(url string) map[string]string{
	"container": func(url string) map[string]string {
		return map[string]string{"AWS_CONTAINER_CREDENTIALS_FULL_URI": url + "/x"}
	},
	"instance": func(url string) map[string]string {
		return map[string]string{"AWS_EC2_METADATA_SERVICE_ENDPOINT": url, "AWS_EC2_METADATA_DISABLED": ""}
	},
	"instance without its first version": func(url string) map[string]string {
		return map[string]string{
			"AWS_EC2_METADATA_SERVICE_ENDPOINT": url, "AWS_EC2_METADATA_DISABLED": "", "AWS_EC2_METADATA_V1_DISABLED": "true",
		}
	},
}

func TestAnEndpointForCredentialsThatIsDownForAWhile(t *testing.T) {
	for name, c := range map[string]struct {
		where string
		calls int32 // that fail; the SDK itself makes several to an instance
		wrong http.HandlerFunc
	}{
		"503":                            {"container", 20, answers(503, "", "")},
		"500 with a page":                {"container", 20, answers(500, "", "<html>")},
		"500 in JSON":                    {"container", 20, jsonOf(500, `{"code":"InternalServerError","message":"x"}`)},
		"429":                            {"container", 20, answers(429, "", "")},
		"throttled with 400":             {"container", 20, jsonOf(400, `{"code":"ThrottlingException","message":"x"}`)},
		"a connection that ends":         {"container", 20, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }},
		"an answer that is cut":          {"container", 20, cuts(200)},
		"a 503 that is cut":              {"container", 20, cuts(503)},
		"503 without the first version":  {"instance without its first version", 4, answers(503, "", "")},
		"a token that is cut":            {"instance without its first version", 1, cuts(200)},
		"429 of an instance for a token": {"instance without its first version", 1, answers(429, "", "")},
	} {
		t.Run(name, func(t *testing.T) {
			server, calls := sourceServer(t, c.calls, c.wrong)
			_, _, err := surrounded(t, false, sources[c.where](server.URL), &passingClock{now: time.Now()})
			require.NoError(t, err)
			assert.Greater(t, calls.Load(), c.calls)
		})
	}
}

func TestAnEndpointForCredentialsThatRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		wrong http.HandlerFunc
		says  string
	}{
		"400":             {answers(400, "", ""), "responded with HTTP status 400"},
		"401":             {answers(401, "", "who are you"), "responded with HTTP status 401"},
		"403 with a code": {jsonOf(403, `{"code":"AccessDenied","message":"no role"}`), "responded with HTTP status 403"},
		"404":             {answers(404, "", ""), "responded with HTTP status 404"},
		"501":             {answers(501, "", ""), "responded with HTTP status 501"},
	} {
		for where, set := range sources {
			t.Run(name+", "+where, func(t *testing.T) {
				server, calls := sourceServer(t, 1000, c.wrong)
				_, _, err := surrounded(t, false, set(server.URL), clock{})
				require.ErrorIs(t, err, aws.ErrNoCredentials)
				assert.ErrorContains(t, err, "the credentials endpoint "+strings.TrimPrefix(server.URL, "http://")+" "+c.says)
				assert.Equal(t, aws.BadCredentials, aws.Classify(err))
				if where == "container" {
					assert.LessOrEqual(t, calls.Load(), int32(1))
				}
				if strings.HasSuffix(name, "a code") && where == "container" {
					assert.ErrorContains(t, err, "(AccessDenied: no role)")
				}
			})
		}
	}
}

// What is set is waited for.
func TestAnEndpointForCredentialsThatStartsLate(t *testing.T) {
	for _, where := range []string{"container", "instance"} {
		t.Run(where, func(t *testing.T) {
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			require.NoError(t, err)
			address := listener.Addr().String()
			require.NoError(t, listener.Close())
			server, _ := sourceServer(t, 0, nil)
			late := time.AfterFunc(time.Second, func() {
				listener, err := net.Listen("tcp", address)
				if assert.NoError(t, err) {
					go func() { _ = http.Serve(listener, server.Config.Handler) }()
					t.Cleanup(func() { _ = listener.Close() })
				}
			})
			t.Cleanup(func() { late.Stop() })
			began := time.Now()
			_, _, err = surrounded(t, false, sources[where]("http://"+address), clock{})
			require.NoError(t, err)
			assert.Greater(t, time.Since(began), 900*time.Millisecond)
		})
	}
}

// An endpoint without an answer does not hold a try for ever.
func TestAnEndpointForCredentialsThatHangs(t *testing.T) {
	for _, where := range []string{"container", "instance"} {
		t.Run(where, func(t *testing.T) {
			server, _ := sourceServer(t, 1, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
			began := time.Now()
			_, _, err := surrounded(t, false, sources[where](server.URL), clock{})
			require.NoError(t, err)
			assert.Less(t, time.Since(began), 10*time.Second)
		})
	}
}

// Credentials that are renewed on the way to a call are waited for in the same way.
func TestAnEndpointForCredentialsAtARenewal(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		want   aws.Kind
	}{"down": {503, aws.Ambiguous}, "throttling": {429, aws.Throttled}, "refusing": {403, aws.BadCredentials}} {
		t.Run(name, func(t *testing.T) {
			var calls atomic.Int32
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if calls.Add(1) > 1 {
					answers(c.status, "", "")(w, r)
					return
				}
				jsonOf(200, strings.Replace(issuedJSON, "2099-01-01T00:00:00Z", time.Now().Add(-time.Minute).UTC().Format(time.RFC3339), 1))(w, r)
			}))
			t.Cleanup(server.Close)
			clients, _, err := surrounded(t, false, sources["container"](server.URL), clock{})
			require.NoError(t, err)
			_, err = getAlias(t.Context(), clients.Lambda(""))
			require.Error(t, err)
			assert.Equal(t, c.want, aws.Classify(err), err)
			assert.Contains(t, aws.Brief(err), "the credentials endpoint 127.0.0.1:")
			assert.Empty(t, aws.Code(err))
		})
	}
}
