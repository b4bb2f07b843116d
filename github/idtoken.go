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

const (
	idTokenTries = 3
	idTokenWait  = 300 * time.Millisecond // before the second try; longer before each further one
)

// IDToken asks GitHub for the job's OIDC token for an audience. go-githubactions
// tries once only, and the service is known to hiccup.
func IDToken(ctx context.Context, clock Clock, getenv func(string) string, audience string) (string, error) {
	if getenv("ACTIONS_ID_TOKEN_REQUEST_URL") == "" || getenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN") == "" {
		return "", ErrNoIDToken
	}
	action := githubactions.New(githubactions.WithGetenv(getenv))
	var last error
	for try := range idTokenTries {
		if try > 0 && clock.Sleep(ctx, time.Duration(try)*idTokenWait) != nil {
			break
		}
		token, err := action.GetIDToken(ctx, audience)
		if err == nil && token != "" {
			return token, nil
		}
		if last = err; err == nil {
			last = errors.New("the answer holds no token")
		}
	}
	return "", fmt.Errorf("failed to get OIDC token: %w", last)
}
