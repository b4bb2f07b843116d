package github_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/github"
)

func tokenEnvironment(address, secret string) func(string) string {
	return func(name string) string {
		return map[string]string{"ACTIONS_ID_TOKEN_REQUEST_URL": address, "ACTIONS_ID_TOKEN_REQUEST_TOKEN": secret}[name]
	}
}

func TestIDToken(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, "Bearer secret", r.Header.Get("Authorization"))
		assert.Equal(t, "sts.amazonaws.com", r.URL.Query().Get("audience"))
		assert.Equal(t, "2.0", r.URL.Query().Get("api-version"))
		_, _ = io.WriteString(w, `{"count":3,"value":"a.b.c\n"}`)
	}))
	t.Cleanup(server.Close)
	for name, address := range map[string]string{"plain": server.URL + "/t?api-version=2.0", "with a line end": server.URL + "/t?api-version=2.0\n"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			token, err := github.IDToken(t.Context(), tokenEnvironment(address, "secret\n"), "sts.amazonaws.com")
			require.NoError(t, err)
			assert.Equal(t, "a.b.c", token)
		})
	}
}

func TestIDTokenThatMayComeLater(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status int
		body   string
		again  bool
		says   string
	}{
		"the service is down":          {500, "", true, "answered 500"},
		"a gateway":                    {502, "<html>", true, "answered 502"},
		"too many calls":               {429, "", true, "answered 429"},
		"slow":                         {408, "", true, "answered 408"},
		"cut off":                      {200, `{"value":"a.b`, true, "could not be read"},
		"empty":                        {200, `{}`, true, "no token"},
		"another job's request token":  {401, "", false, "ACTIONS_ID_TOKEN_REQUEST_TOKEN"},
		"forbidden":                    {403, "", false, "ACTIONS_ID_TOKEN_REQUEST_TOKEN"},
		"an audience it does not take": {400, "", false, "answered 400"},
		"another address":              {404, "", false, "answered 404"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(c.status)
				_, _ = io.WriteString(w, c.body)
			}))
			t.Cleanup(server.Close)
			_, err := github.IDToken(t.Context(), tokenEnvironment(server.URL, "secret"), "a")
			failed, found := errors.AsType[*github.IDTokenError](err)
			require.True(t, found, err)
			assert.Equal(t, c.again, failed.Retryable())
			assert.ErrorContains(t, err, c.says)
			assert.NotContains(t, err.Error(), server.URL)
		})
	}
}

func TestIDTokenWithoutAnAnswer(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	t.Cleanup(server.Close)
	for name, c := range map[string]struct {
		address string
		again   bool
	}{
		"it hangs up": {server.URL, true},
		"no address":  {"http://[::1", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := github.IDToken(t.Context(), tokenEnvironment(c.address, "secret"), "a")
			failed, found := errors.AsType[*github.IDTokenError](err)
			require.True(t, found, err)
			assert.Equal(t, c.again, failed.Retryable())
		})
	}
	_, err := github.IDToken(t.Context(), tokenEnvironment("", ""), "a")
	assert.ErrorIs(t, err, github.ErrNoIDToken)
}
