package github_test

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/github"
	"github.com/org/lambda-rollback-action/test/emulator"
)

// description is what GitHub says of its API, the operations that are called.
var description = sync.OnceValues(func() (*openapi3.T, error) {
	whole, err := openapi3.NewLoader().LoadFromFile("testdata/openapi/github.json")
	if err == nil {
		// It says that this is a time. Its text and GitHub's documentation say
		// that it is a range of times, as in a search.
		whole.Components.Parameters["created"].Value.Schema.Value.Format = ""
	}
	return whole, err
})

// described lets pass what GitHub's own description allows: what the program asks
// for, and what the emulator answers. Its answers about runs are leaner than
// GitHub's, and not held to it.
type described struct {
	t      *testing.T
	router routers.Router
	server string

	mu  sync.Mutex
	saw map[string]int // operations
}

func describedBy(t *testing.T, e *emulator.Emulator) *described {
	t.Helper()
	whole, err := description()
	require.NoError(t, err)
	here := *whole
	here.Servers = openapi3.Servers{{URL: e.GitHubURL}}
	router, err := gorillamux.NewRouter(&here)
	require.NoError(t, err)
	return &described{t: t, router: router, server: e.GitHubURL, saw: map[string]int{}}
}

func (d *described) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.HasSuffix(r.URL.Path, "/graphql") { // the other API, which has a description of its own
		return http.DefaultTransport.RoundTrip(r)
	}
	route, params, err := d.router.FindRoute(r)
	if !assert.NoError(d.t, err, "%s %s is no operation of GitHub's", r.Method, r.URL) {
		return nil, err
	}
	d.mu.Lock()
	d.saw[route.Operation.OperationID]++
	d.mu.Unlock()
	var body []byte
	if r.Body != nil {
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
	}
	asked := &openapi3filter.RequestValidationInput{Request: withBody(r, body), PathParams: params, Route: route}
	assert.NoError(d.t, openapi3filter.ValidateRequest(r.Context(), asked), "%s %s", r.Method, r.URL)

	resp, err := http.DefaultTransport.RoundTrip(withBody(r, body))
	if err != nil {
		return nil, err
	}
	answer, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if err != nil {
		return nil, err
	}
	lean := strings.Contains(r.URL.Path, "/actions/")
	if resp.StatusCode < http.StatusBadRequest && !lean { // refusals are described for some operations only
		said := &openapi3filter.ResponseValidationInput{RequestValidationInput: asked, Status: resp.StatusCode, Header: resp.Header}
		said.SetBodyBytes(answer)
		assert.NoError(d.t, openapi3filter.ValidateResponse(r.Context(), said), "the emulator's answer to %s %s", r.Method, r.URL)
	}
	resp.Body = io.NopCloser(bytes.NewReader(answer))
	return resp, nil
}

// withBody is a copy of a request that can be read to its end.
func withBody(r *http.Request, body []byte) *http.Request {
	out := r.Clone(r.Context())
	out.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	out.Body, _ = out.GetBody()
	if len(body) == 0 {
		out.Body, out.GetBody = nil, nil
	}
	return out
}

// The description must be able to say no, and each of its operations must be one
// that is called.
func TestTheDescriptionIsHeldTo(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.GitHub.AddIssue(repository, emulator.Issue{Pull: &emulator.Pull{Merge: badSHA}})
	s.GitHub.AddDeployment(repository, emulator.Deployment{SHA: badSHA}, "success")
	every := []string{github.FollowUpDeployment, github.FollowUpComment, github.FollowUpIssue}
	s.follow(t, rolledBack(movedFunction()), every...)
	s.c.RunAttempt = 2
	again := movedFunction()
	again.Message = "once more"
	s.follow(t, rolledBack(again), every...)

	whole, err := description()
	require.NoError(t, err)
	for path, item := range whole.Paths.Map() {
		for method, operation := range item.Operations() {
			if !strings.Contains(path, "/actions/") {
				assert.Positive(t, s.described.saw[operation.OperationID], "%s %s is not called", method, path)
			}
		}
	}

	for name, body := range map[string]string{
		"an unknown state":  `{"state": "good"}`,
		"no state":          `{"description": "x"}`,
		"a state of a kind": `{"state": 1}`,
	} {
		request, err := http.NewRequest(http.MethodPost, s.GitHubURL+"/repos/o/r/deployments/1/statuses", strings.NewReader(body))
		require.NoError(t, err)
		request.Header.Set("Content-Type", "application/json")
		route, params, err := s.described.router.FindRoute(request)
		require.NoError(t, err)
		err = openapi3filter.ValidateRequest(t.Context(), &openapi3filter.RequestValidationInput{Request: request, PathParams: params, Route: route})
		assert.Error(t, err, name)
	}
}
