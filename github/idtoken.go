package github

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sethvargo/go-githubactions"
)

// ErrNoIDToken is given where the job may not ask for an OIDC token.
var ErrNoIDToken = errors.New("the job may not ask for an OIDC token: add `id-token: write` to its permissions")

const idTokenTries = 3

// IDToken asks GitHub for the job's OIDC token for an audience. go-githubactions
// tries once only, and the service is known to hiccup.
func IDToken(ctx context.Context, getenv func(string) string, audience string) (string, error) {
	if getenv("ACTIONS_ID_TOKEN_REQUEST_URL") == "" || getenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN") == "" {
		return "", ErrNoIDToken
	}
	action := githubactions.New(githubactions.WithGetenv(getenv))
	var last error
	for try := range idTokenTries {
		token, err := action.GetIDToken(ctx, audience)
		if err == nil && token != "" {
			return token, nil
		}
		if last = err; err == nil {
			last = errors.New("the answer holds no token")
		}
		select {
		case <-ctx.Done():
			return "", fmt.Errorf("failed to get OIDC token: %w", last)
		case <-time.After(time.Duration(try+1) * 300 * time.Millisecond):
		}
	}
	return "", fmt.Errorf("failed to get OIDC token: %w", last)
}
