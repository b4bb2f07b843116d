package github

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	gh "github.com/google/go-github/v62/github"
)

// onceKey marks a context whose requests must not be retried automatically: if only
// the response was lost, the comment exists already.
type onceKey struct{}

func isOnce(ctx context.Context) bool { return ctx.Value(onceKey{}) != nil }

// send makes a write request to <repository>/<path> and decodes the response. A POST
// is sent once: if its response is lost, the caller must check whether it succeeded.
// Throttled requests and PATCH are retried in the same way as reads.
func (a *API) send(ctx context.Context, method, path string, body, into any) error {
	if a.token == "" {
		return errNoToken
	}
	if method == http.MethodPost {
		ctx = context.WithValue(ctx, onceKey{}, true)
	}
	return a.call(ctx, method, a.repo+"/"+path, body, into)
}

func (a *API) call(ctx context.Context, method, target string, body, into any) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	req, err := a.client.NewRequest(method, target, body)
	if err != nil {
		return fmt.Errorf("failed to make request: %w", err)
	}
	_, err = a.client.Do(ctx, req, into)
	return exceptCustomProperties(err)
}

// mostTries is how often findOrCreate tries.
const mostTries = 3

// findOrCreate returns what must exist exactly once, and creates it if it does not
// exist. If it is not known whether creating it has succeeded, findOrCreate looks for
// it before it tries again.
func findOrCreate[T any](ctx context.Context, clock Clock, find func(context.Context) (*T, error), create func(context.Context) (*T, error)) (it *T, created bool, err error) {
	for try := range mostTries {
		if it, err = find(ctx); err != nil || it != nil {
			return it, false, err
		}
		if it, err = create(ctx); err == nil {
			return it, true, nil
		}
		if !mayHaveWorked(err) || ctx.Err() != nil {
			break
		}
		_ = clock.Sleep(ctx, firstWait<<try) // if ctx has ended, find returns an error
	}
	return nil, false, err
}

// mayHaveWorked reports whether the request may have succeeded in spite of the error.
func mayHaveWorked(err error) bool {
	var (
		answer *gh.ErrorResponse
		limit  *gh.RateLimitError
		abuse  *gh.AbuseRateLimitError
	)
	switch {
	case errors.Is(err, errNoToken), errors.As(err, &limit), errors.As(err, &abuse):
		return false
	case errors.As(err, &answer) && answer.Response != nil:
		return answer.Response.StatusCode >= http.StatusInternalServerError
	default:
		return true
	}
}
