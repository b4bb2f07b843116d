package aws

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
)

func assumed(cfg aws.Config, o Options) aws.CredentialsProvider {
	return aws.NewCredentialsCache(stscreds.NewWebIdentityRoleProvider(
		sts.NewFromConfig(cfg), o.RoleARN, token{o.Token, o.Secret},
		func(w *stscreds.WebIdentityRoleOptions) { w.RoleSessionName = o.SessionName },
	))
}

// token fetches the OIDC token when the SDK asks for it.
type token struct {
	fetch  func(context.Context) (string, error)
	secret func(string)
}

// tokenLimit bounds how long GitHub may take to give the token. The SDK's
// interface hands no context on.
const tokenLimit = 15 * time.Second

func (t token) GetIdentityToken() ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), tokenLimit)
	defer cancel()
	text, err := t.fetch(ctx)
	if err != nil {
		return nil, fmt.Errorf("failed to get the job's OIDC token: %w", err)
	}
	t.secret(text)
	return []byte(text), nil
}

// plain takes what a person needs out of the SDK's nest of errors.
func plain(err error) error {
	if api := smithy.APIError(nil); errors.As(err, &api) {
		return fmt.Errorf("%s: %s", api.ErrorCode(), strings.TrimSpace(api.ErrorMessage()))
	}
	if unresolved, found := errors.AsType[*unresolvedError](err); found {
		return unresolved
	}
	return err
}
