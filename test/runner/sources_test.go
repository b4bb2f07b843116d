package runner_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// bySource is a step whose credentials come from an endpoint.
func (s *scene) bySource(variable, value string) *step {
	return s.step().unset("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_EC2_METADATA_DISABLED").set(variable, value)
}

// sourceEndpoint issues the emulator's keys as a container and as an instance get
// them. For a while, it answers with a status.
func (s *scene) sourceEndpoint(status int, lasts time.Duration) string {
	s.tb.Helper()
	began := time.Now()
	env := s.Env()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case time.Since(began) < lasts:
			w.WriteHeader(status)
		case strings.HasSuffix(r.URL.Path, "/api/token"):
			w.Header().Set("X-Aws-Ec2-Metadata-Token-Ttl-Seconds", "21600")
			_, _ = io.WriteString(w, "token")
		case strings.HasSuffix(r.URL.Path, "/security-credentials/"):
			_, _ = io.WriteString(w, "role")
		default:
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, `{"Code":"Success","AccessKeyId":"`+env["AWS_ACCESS_KEY_ID"]+`","SecretAccessKey":"`+env["AWS_SECRET_ACCESS_KEY"]+
				`","Token":"","Expiration":"2099-01-01T00:00:00Z"}`)
		}
	}))
	s.tb.Cleanup(server.Close)
	return server.URL
}

func TestAnEndpointForCredentialsThatIsDown(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		variable, path string
		status         int
		lasts          time.Duration
	}{
		"a container's":              {"AWS_CONTAINER_CREDENTIALS_FULL_URI", "/x", 503, 3 * time.Second},
		"a container's that refuses": {"AWS_CONTAINER_CREDENTIALS_FULL_URI", "/x", 429, time.Second},
		"an instance's":              {"AWS_EC2_METADATA_SERVICE_ENDPOINT", "", 503, 7 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			f := s.function("api", 3)
			o := s.bySource(c.variable, s.sourceEndpoint(c.status, c.lasts)+c.path).run()
			require.Equal(t, "rolled-back/previous-version", o.ended(), o.outputs["message"])
			assert.Equal(t, "2", f.Serving("live"))
		})
	}
}

func TestAnEndpointForCredentialsThatGivesNone(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.function("api", 3)
	url := s.sourceEndpoint(503, time.Hour)
	o := s.bySource("AWS_CONTAINER_CREDENTIALS_FULL_URI", url+"/x").input("timeout", "4s").run()
	assert.Equal(t, "failed/timeout", o.ended())
	assert.Contains(t, o.outputs["message"], "the credentials endpoint "+strings.TrimPrefix(url, "http://")+" responded with HTTP status 503")

	for variable, path := range map[string]string{"AWS_CONTAINER_CREDENTIALS_FULL_URI": "/x", "AWS_EC2_METADATA_SERVICE_ENDPOINT": ""} {
		url = s.sourceEndpoint(404, time.Hour)
		o = s.bySource(variable, url+path).run()
		assert.Equal(t, "failed/no-credentials", o.ended())
		assert.Contains(t, o.outputs["message"], "no usable AWS credentials: the credentials endpoint "+strings.TrimPrefix(url, "http://")+" responded with HTTP status 404; set role-to-assume")
		assert.Less(t, o.took-o.stalled, 30*time.Second, "timeout is 5 min")
	}
}

// Nothing says that this is an instance, and a proxy answers in place of one.
func TestNoEndpointForCredentials(t *testing.T) {
	t.Parallel()
	for name, proxy := range map[string]http.HandlerFunc{
		"503": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) },
		"cut": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			s.function("api", 3)
			server := httptest.NewServer(proxy)
			t.Cleanup(server.Close)
			o := s.bySource("HTTP_PROXY", server.URL).run()
			assert.Equal(t, "failed/no-credentials", o.ended())
			assert.Contains(t, o.outputs["message"], "none were found in the environment or in the AWS configuration files, and the instance metadata endpoint 169.254.169.254 ")
			assert.Less(t, o.took-o.stalled, 15*time.Second)
		})
	}
}
