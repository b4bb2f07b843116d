package emulator_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/test/emulator"
)

// idToken asks for the job's token as the runner's toolkit does.
func idToken(t *testing.T, e *emulator.Emulator, audience, bearer string) (string, int) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, e.OIDCURL()+"&audience="+url.QueryEscape(audience), nil)
	require.NoError(t, err)
	request.Header.Set("Authorization", "Bearer "+bearer)
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	var body struct{ Value string }
	require.NoError(t, json.NewDecoder(response.Body).Decode(&body))
	return body.Value, response.StatusCode
}

func assume(t *testing.T, e *emulator.Emulator, token string) (*sts.AssumeRoleWithWebIdentityOutput, error) {
	t.Helper()
	api := sts.New(sts.Options{Region: region, BaseEndpoint: aws.String(e.URL), HTTPClient: newWire(t), RetryMaxAttempts: 1})
	return api.AssumeRoleWithWebIdentity(t.Context(), &sts.AssumeRoleWithWebIdentityInput{
		RoleArn: aws.String("arn:aws:iam::111111111111:role/ci/rollback"), RoleSessionName: aws.String("run-7"), WebIdentityToken: &token,
	})
}

func TestRoleIsAssumedByTheJobsOwnToken(t *testing.T) {
	t.Parallel()
	e := emulator.StartFor(t)
	f := withVersions(t, e, 2)
	token, status := idToken(t, e, "sts.amazonaws.com", emulator.OIDCRequestToken)
	require.Equal(t, http.StatusOK, status)
	out, err := assume(t, e, token)
	require.NoError(t, err)
	const session = "arn:aws:sts::111111111111:assumed-role/rollback/run-7"
	assert.Equal(t, session, *out.AssumedRoleUser.Arn)
	assert.NotZero(t, *out.Credentials.Expiration)

	credentials := aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{
			AccessKeyID: *out.Credentials.AccessKeyId, SecretAccessKey: *out.Credentials.SecretAccessKey,
			SessionToken: *out.Credentials.SessionToken,
		}, nil
	})
	who, err := sts.New(sts.Options{Region: region, BaseEndpoint: aws.String(e.URL), HTTPClient: newWire(t), Credentials: credentials}).
		GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
	require.NoError(t, err)
	assert.Equal(t, session, *who.Arn)
	assert.Equal(t, emulator.Account, *who.Account)

	api := lambda.New(lambda.Options{Region: region, BaseEndpoint: aws.String(e.URL), HTTPClient: newWire(t), Credentials: credentials})
	_, err = moveTo(t.Context(), api, "1")
	require.NoError(t, err)
	history := f.History("live")
	assert.Equal(t, session, history[len(history)-1].Actor)
}

func TestTokensThatAreRefused(t *testing.T) {
	t.Parallel()
	e := emulator.StartFor(t)
	_, err := assume(t, e, "a token of somebody else")
	assert.Equal(t, "InvalidIdentityToken", code(err))

	other, _ := idToken(t, e, "other-audience", emulator.OIDCRequestToken)
	_, err = assume(t, e, other)
	assert.Equal(t, "InvalidIdentityToken", code(err))
	e.TrustAudience("other-audience")
	_, err = assume(t, e, other)
	require.NoError(t, err)

	_, status := idToken(t, e, "sts.amazonaws.com", "wrong")
	assert.Equal(t, http.StatusUnauthorized, status)
}

func TestFaultsOfSTS(t *testing.T) {
	t.Parallel()
	e := emulator.StartFor(t)
	token, _ := idToken(t, e, "sts.amazonaws.com", emulator.OIDCRequestToken)
	role := emulator.Match{Service: emulator.ServiceSTS, Operation: "AssumeRoleWithWebIdentity"}
	e.Fault(role, emulator.Deny().Times(1))
	_, err := assume(t, e, token)
	assert.Equal(t, "AccessDenied", code(err))
	e.Fault(role, emulator.Throttle(0).Times(1))
	_, err = assume(t, e, token)
	assert.Equal(t, "Throttling", code(err))
	_, err = assume(t, e, token)
	assert.NoError(t, err)
}
