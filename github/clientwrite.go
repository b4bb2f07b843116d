package github

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	gh "github.com/google/go-github/v62/github"
)

// The marks of a context whose calls must not be made a second time by
// themselves: a comment whose answer was lost is written all the same.
type onceKey struct{}

func isOnce(ctx context.Context) bool { return ctx.Value(onceKey{}) != nil }

// send makes a writing call to <repository>/<path> and decodes its answer. A POST
// is made once: where the answer is lost, the caller must look what is there.
// Throttling and PATCH are repeated as reading is.
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

// mostTries is how often something is looked for and created.
const mostTries = 3

// findOrCreate looks for what there must be once, and creates it where it is not. Where
// it is not known whether creating it has worked, it looks again before it tries
// again.
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
		_ = clock.Sleep(ctx, firstWait<<try) // where ctx has ended, find says so
	}
	return nil, false, err
}

// mayHaveWorked is true for an error after which it is not known whether GitHub
// has done what it was asked for.
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
