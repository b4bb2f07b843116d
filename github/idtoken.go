package github

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/sethvargo/go-githubactions"
)

// ErrNoIDToken is returned if the job may not request an OIDC token.
var ErrNoIDToken = errors.New("the job is not allowed to request an OIDC token: add `id-token: write` to its permissions")

// IDTokenError says why GitHub returned no token.
type IDTokenError struct {
	Status int // of the response; 0: there was none, or it could not be read
	err    error
	final  bool
}

func (e *IDTokenError) Error() string { return e.err.Error() }

// Unwrap returns the underlying error.
func (e *IDTokenError) Unwrap() error { return e.err }

// Retryable reports whether another attempt may succeed: GitHub's service is known to
// fail briefly.
func (e *IDTokenError) Retryable() bool { return !e.final }

// IDToken requests the job's OIDC token for an audience from GitHub, once. The error
// is ErrNoIDToken or an *IDTokenError.
func IDToken(ctx context.Context, getenv func(string) string, audience string) (string, error) {
	trimmed := func(name string) string { return strings.TrimSpace(getenv(name)) }
	if trimmed("ACTIONS_ID_TOKEN_REQUEST_URL") == "" || trimmed("ACTIONS_ID_TOKEN_REQUEST_TOKEN") == "" {
		return "", ErrNoIDToken
	}
	client := &http.Client{Transport: tokenTransport(), Timeout: tokenTimeout}
	token, err := githubactions.New(githubactions.WithGetenv(trimmed), githubactions.WithHTTPClient(client)).GetIDToken(ctx, audience)
	switch {
	case err != nil:
		return "", explainIDToken(err)
	case strings.TrimSpace(token) == "":
		return "", &IDTokenError{Status: http.StatusOK, err: errors.New("the response of GitHub's token service contains no token")}
	}
	return strings.TrimSpace(token), nil
}

// tokenTimeout limits one request for a token.
const tokenTimeout = 10 * time.Second

// tokenTransport is the default transport, with errors that have the status of a
// proxy that did not connect.
var tokenTransport = sync.OnceValue(func() http.RoundTripper {
	shared, is := http.DefaultTransport.(*http.Transport)
	if !is {
		return http.DefaultTransport
	}
	own := shared.Clone()
	own.OnProxyConnectResponse = func(_ context.Context, _ *url.URL, _ *http.Request, response *http.Response) error {
		if response.StatusCode == http.StatusOK {
			return nil
		}
		return &IDTokenError{
			Status: response.StatusCode, final: isFinal(response.StatusCode),
			err: fmt.Errorf("GitHub's token service could not be reached: the proxy (HTTPS_PROXY) responded with HTTP status %d", response.StatusCode),
		}
	}
	return own
})

// isFinal reports whether another attempt returns the same status.
func isFinal(status int) bool {
	return status < 500 && status != http.StatusTooManyRequests && status != http.StatusRequestTimeout
}

// explainIDToken describes an error without the URL and the body of the response.
func explainIDToken(err error) *IDTokenError {
	if refused, found := errors.AsType[*githubactions.RequestFailedError](err); found {
		status := refused.StatusCode
		said := fmt.Errorf("GitHub's token service answered %d", status)
		if status == http.StatusUnauthorized || status == http.StatusForbidden {
			said = fmt.Errorf("%w: it does not accept ACTIONS_ID_TOKEN_REQUEST_TOKEN, which the runner sets for each job; do not set it in the workflow", said)
		}
		return &IDTokenError{Status: status, final: isFinal(status), err: said}
	}
	if refused, found := errors.AsType[*IDTokenError](err); found {
		return refused
	}
	if failed, found := errors.AsType[*url.Error](err); found {
		if failed.Op == "parse" {
			return &IDTokenError{final: true, err: errors.New("ACTIONS_ID_TOKEN_REQUEST_URL, which the runner sets, is not a valid URL")}
		}
		if proxy, found := errors.AsType[*net.OpError](failed.Err); found && proxy.Op == "proxyconnect" {
			if _, found := errors.AsType[*net.AddrError](proxy.Err); found {
				return &IDTokenError{final: true, err: errors.New("GitHub's token service could not be reached: HTTPS_PROXY has a port that is not valid")}
			}
		}
		return &IDTokenError{err: fmt.Errorf("GitHub's token service could not be reached: %w", failed.Err)}
	}
	return &IDTokenError{err: errors.New("the response of GitHub's token service could not be read")}
}
