package github

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/sethvargo/go-githubactions"
)

// ErrNoIDToken is given where the job may not ask for an OIDC token.
var ErrNoIDToken = errors.New("the job may not ask for an OIDC token: add `id-token: write` to its permissions")

// IDTokenError is why GitHub gave no token.
type IDTokenError struct {
	Status int // of the answer; 0: there was none, or it cannot be read
	err    error
	final  bool
}

func (e *IDTokenError) Error() string { return e.err.Error() }

// Unwrap gives what it came from.
func (e *IDTokenError) Unwrap() error { return e.err }

// Retryable tells whether a further try may succeed: GitHub's service is known to
// hiccup.
func (e *IDTokenError) Retryable() bool { return !e.final }

// IDToken asks GitHub once for the job's OIDC token for an audience. Its error is
// ErrNoIDToken or an *IDTokenError.
func IDToken(ctx context.Context, getenv func(string) string, audience string) (string, error) {
	trimmed := func(name string) string { return strings.TrimSpace(getenv(name)) }
	if trimmed("ACTIONS_ID_TOKEN_REQUEST_URL") == "" || trimmed("ACTIONS_ID_TOKEN_REQUEST_TOKEN") == "" {
		return "", ErrNoIDToken
	}
	token, err := githubactions.New(githubactions.WithGetenv(trimmed)).GetIDToken(ctx, audience)
	switch {
	case err != nil:
		return "", explainIDToken(err)
	case strings.TrimSpace(token) == "":
		return "", &IDTokenError{Status: http.StatusOK, err: errors.New("the answer of GitHub's token service holds no token")}
	}
	return strings.TrimSpace(token), nil
}

// explainIDToken leaves address and body out of what is said.
func explainIDToken(err error) *IDTokenError {
	if refused, found := errors.AsType[*githubactions.RequestFailedError](err); found {
		status := refused.StatusCode
		said := fmt.Errorf("GitHub's token service answered %d", status)
		if status == http.StatusUnauthorized || status == http.StatusForbidden {
			said = fmt.Errorf("%w: it does not accept ACTIONS_ID_TOKEN_REQUEST_TOKEN, which the runner sets for each job; do not set it in the workflow", said)
		}
		final := status < 500 && status != http.StatusTooManyRequests && status != http.StatusRequestTimeout
		return &IDTokenError{Status: status, final: final, err: said}
	}
	if failed, found := errors.AsType[*url.Error](err); found {
		if failed.Op == "parse" {
			return &IDTokenError{final: true, err: errors.New("ACTIONS_ID_TOKEN_REQUEST_URL, which the runner sets, is no address")}
		}
		return &IDTokenError{err: fmt.Errorf("GitHub's token service could not be reached: %w", failed.Err)}
	}
	return &IDTokenError{err: errors.New("the answer of GitHub's token service cannot be read")}
}
