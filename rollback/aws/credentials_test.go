package aws_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/rollback/aws"
)

const roleARN = "arn:aws:iam::111111111111:role/ci/rollback"

// jwt is a token with these claims, signed by nobody.
func jwt(claims string) string {
	encode := base64.RawURLEncoding.EncodeToString
	return encode([]byte(`{"alg":"RS256"}`)) + "." + encode([]byte(claims)) + "." + encode([]byte("signature"))
}

var plainToken = jwt(`{"sub":"repo:org/shop:environment:production","aud":"sts.amazonaws.com"}`)

// identity is GitHub's token service and STS. Each fails as long as it is told to.
type identity struct {
	token, sts  func(since time.Duration) error
	gives       string
	tokens, was atomic.Int32 // calls
}

func (i *identity) issue(ctx context.Context) (sdk.Credentials, error) {
	began := time.Now()
	o := aws.Options{
		RoleARN: roleARN, SessionName: "s", Secret: func(string) {}, Clock: clock{}, Log: &journal{},
		Token: func(ctx context.Context) (string, error) {
			i.tokens.Add(1)
			if i.token != nil {
				if err := broken(ctx, i.token(time.Since(began))); err != nil {
					return "", passingError{err, errors.Is(err, errNever)}
				}
			}
			return i.gives, nil
		},
	}
	return aws.Issue(ctx, o, func(ctx context.Context, _ *sts.AssumeRoleWithWebIdentityInput) (*sts.AssumeRoleWithWebIdentityOutput, error) {
		i.was.Add(1)
		if i.sts != nil {
			err := broken(ctx, i.sts(time.Since(began)))
			if errors.Is(err, errEmpty) {
				return &sts.AssumeRoleWithWebIdentityOutput{}, nil
			}
			if err != nil {
				return nil, &smithy.OperationError{ServiceID: "STS", OperationName: "AssumeRoleWithWebIdentity", Err: err}
			}
		}
		return &sts.AssumeRoleWithWebIdentityOutput{Credentials: &types.Credentials{
			AccessKeyId: sdk.String("ASIA"), SecretAccessKey: sdk.String("secret"), SessionToken: sdk.String("session"),
			Expiration: sdk.Time(time.Now().Add(time.Hour)),
		}}, nil
	})
}

// noKeys is STS's answer where it did not get the keys of the identity provider.
var noKeys = failureSaying(400, "InvalidIdentityToken", "Couldn't retrieve verification key from your identity provider,  please reference AssumeRoleWithWebIdentity documentation for requirements")

var (
	errHang  = errors.New("no answer at all")
	errEmpty = errors.New("an answer without what it is to hold")
	errNever = errors.New("GitHub's token service answered 401")
)

// broken waits as long as the caller does, where there is no answer.
func broken(ctx context.Context, err error) error {
	if errors.Is(err, errHang) {
		<-ctx.Done()
		return &smithy.CanceledError{Err: ctx.Err()}
	}
	return err
}

// passingError is as GitHub's package gives them.
type passingError struct {
	error

	final bool
}

func (e passingError) Retryable() bool { return !e.final }

func (e passingError) Unwrap() error { return e.error }

func TestFaultsOnTheWayToCredentialsThatPass(t *testing.T) {
	t.Parallel()
	type fault struct {
		name string
		err  error
	}
	faults := []fault{
		{"the service is down", failure(503, "ServiceUnavailable", "")},
		{"it fails inside", failure(500, "InternalFailure", "")},
		{"throttled", failure(400, "Throttling", "")},
		{"throttled, for a time that is said", failure(429, "TooManyRequestsException", "3")},
		{"STS did not reach GitHub", failure(400, "IDPCommunicationError", "")},
		{"STS did not get GitHub's keys", noKeys},
		{"not reachable", &smithyhttp.RequestSendError{Err: &net.OpError{Op: "dial", Err: errors.New("network is unreachable")}}},
		{"no answer", errHang},
		{"{} from something in between", errEmpty},
	}
	for _, f := range faults {
		for _, lasts := range []time.Duration{time.Second, 10 * time.Second, time.Minute} {
			fails := func(since time.Duration) error {
				if since < lasts {
					return f.err
				}
				return nil
			}
			for where, i := range map[string]*identity{"STS": {sts: fails}, "token": {token: fails}, "both": {token: fails, sts: fails}} {
				t.Run(fmt.Sprintf("%s/%s/%s", where, f.name, lasts), func(t *testing.T) {
					t.Parallel()
					synctest.Test(t, func(t *testing.T) {
						ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
						defer cancel()
						began := time.Now()
						i.gives = plainToken
						c, err := i.issue(ctx)
						require.NoError(t, err)
						assert.Equal(t, "session", c.SessionToken)
						// A try that hangs, and the longest pause.
						assert.LessOrEqual(t, time.Since(began), lasts+8*time.Second+5*time.Second)
					})
				})
			}
		}
	}
}

func TestARoleThatStillSpreads(t *testing.T) {
	t.Parallel()
	denied, notAccepted := failure(403, "AccessDenied", ""), failureSaying(400, "InvalidIdentityToken", "Incorrect token audience")
	for name, c := range map[string]struct {
		err   error
		lasts time.Duration
		fails bool
		least time.Duration // until it is given up
		most  time.Duration
	}{
		"denied once":                          {denied, time.Millisecond, false, 0, time.Second},
		"denied for some seconds":              {denied, 6 * time.Second, false, 6 * time.Second, 11 * time.Second},
		"denied for good":                      {denied, time.Hour, true, 10 * time.Second, 15 * time.Second},
		"GitHub's keys are not at hand":        {notAccepted, time.Millisecond, false, 0, time.Second},
		"another audience":                     {notAccepted, time.Hour, true, 0, time.Second},
		"a claim that is refused":              {failure(403, "IDPRejectedClaim", ""), time.Hour, true, 0, time.Second},
		"no ARN of a role":                     {failure(400, "ValidationError", ""), time.Hour, true, 0, 0},
		"a region of STS that is switched off": {failure(403, "RegionDisabledException", ""), time.Hour, true, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				i := &identity{gives: plainToken, sts: func(since time.Duration) error {
					if since < c.lasts {
						return c.err
					}
					return nil
				}}
				_, err := i.issue(t.Context())
				assert.Equal(t, c.fails, err != nil, err)
				assert.GreaterOrEqual(t, time.Since(began), c.least)
				assert.LessOrEqual(t, time.Since(began), c.most)
				assert.Equal(t, i.was.Load(), i.tokens.Load(), "each try has a token of its own")
			})
		})
	}
}

func TestWhatNeverPassesOnTheWayToCredentials(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		i := &identity{token: func(time.Duration) error { return errNever }}
		_, err := i.issue(t.Context())
		require.ErrorIs(t, err, errNever)
		assert.Zero(t, time.Since(began))
		assert.EqualValues(t, 1, i.tokens.Load())
	})
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		i := &identity{gives: plainToken, sts: func(time.Duration) error {
			return &smithyhttp.RequestSendError{Err: unresolved}
		}}
		_, err := i.issue(t.Context())
		assert.Equal(t, aws.Unresolved, aws.Classify(err))
		assert.Less(t, time.Since(began), 15*time.Second)
	})
}

// The token is never said; what it says of the job is.
func TestWhatSTSRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		code  string
		token string
		cause aws.RoleCause
		says  []string
	}{
		"another environment": {
			"AccessDenied", jwt(`{"sub":"repo:org/shop:environment:staging","aud":"sts.amazonaws.com"}`), aws.RoleDenied,
			[]string{roleARN, `sub "repo:org/shop:environment:staging"`, `aud "sts.amazonaws.com"`, "repo:ORG@ID/REPO@ID:"},
		},
		"a subject with numbers": {
			"AccessDenied", jwt(`{"sub":"repo:org@1234/shop@5678:ref:refs/heads/main","aud":["a","b"]}`), aws.RoleDenied,
			[]string{`sub "repo:org@1234/shop@5678:ref:refs/heads/main"`, `aud "a, b"`, "repo:ORG/REPO:", "StringLike"},
		},
		"another audience": {
			"InvalidIdentityToken", jwt(`{"sub":"repo:org/shop:pull_request","aud":"https://github.com/org"}`), aws.TokenNotAccepted,
			[]string{`aud "https://github.com/org"`, "identity provider", "audience", "sts.amazonaws.com.cn"},
		},
		"no such ARN":            {"ValidationError", plainToken, aws.RoleOther, []string{"role-to-assume is the complete ARN"}},
		"a page of a proxy":      {"UnknownError", plainToken, aws.RoleOther, []string{"HTTP status 403, without an AWS error"}},
		"a token that is none":   {"InvalidIdentityToken", "opaque", aws.TokenNotAccepted, []string{`sub ""`}},
		"a payload that is none": {"AccessDenied", "a.!!.c", aws.RoleDenied, []string{`sub ""`}},
		"claims with a line end": {
			"AccessDenied", jwt(`{"sub":"repo:org/shop\n::error::x","aud":7}`), aws.RoleDenied, []string{`"repo:org/shop\n::error::x"`, `aud ""`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				i := &identity{gives: c.token, sts: func(time.Duration) error { return failure(403, c.code, "") }}
				_, err := i.issue(t.Context())
				refused, found := errors.AsType[*aws.RoleError](err)
				require.True(t, found, err)
				assert.Equal(t, c.cause, refused.Cause)
				for _, text := range c.says {
					assert.Contains(t, refused.Error(), text)
				}
				assert.NotContains(t, refused.Error(), c.token)
				assert.NotContains(t, refused.Error(), "\n")
			})
		})
	}
}

// What GitHub documents of subjects, and what has only the looks of them.
func TestTheFormOfASubject(t *testing.T) {
	t.Parallel()
	for subject, want := range map[string]aws.SubjectForm{
		"repo:octo-org/octo-repo:ref:refs/heads/main":                            aws.SubjectNames,
		"repo:octo-org/octo-repo:ref:refs/heads/user@1/work@2":                   aws.SubjectNames,
		"repo:octo-org/octo-repo:environment:Production%3AV1":                    aws.SubjectNames,
		"repo:octo-org/octo-repo:pull_request":                                   aws.SubjectNames,
		"repo:octo-org/octo-repo":                                                aws.SubjectNames,
		"repo:octo-org@123456/octo-repo@456789:ref:refs/heads/main":              aws.SubjectIDs,
		"repo:octo-org@123456/octo-repo@456789:environment:p:job_workflow_ref:x": aws.SubjectIDs,
		"repo:octo-org@123456/octo-repo@456789":                                  aws.SubjectIDs,
		"repo:octo-org@123456/octo-repo:ref:refs/heads/main":                     aws.SubjectOther,
		"repo:octo-org@one/octo-repo@two:ref:refs/heads/main":                    aws.SubjectOther,
		"repository_owner:octo-org":                                              aws.SubjectOther,
		"job_workflow_ref:octo-org/a/.github/workflows/oidc.yml@refs/heads/main": aws.SubjectOther,
		"environment:production:repo:octo-org/octo-repo":                         aws.SubjectOther,
		"": aws.SubjectOther,
	} {
		assert.Equal(t, want, aws.TokenClaims{Subject: subject}.Form(), subject)
	}
}

func TestTheSTSOfAPartition(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ role, region, want string }{
		"the region's own":                               {roleARN, "eu-west-1", "eu-west-1"},
		"no region":                                      {roleARN, "", "us-east-1"},
		"a role for the US government":                   {"arn:aws-us-gov:iam::1:role/r", "us-gov-east-1", "us-gov-east-1"},
		"… and no region":                                {"arn:aws-us-gov:iam::1:role/r", "", "us-gov-west-1"},
		"… and a region of another":                      {"arn:aws-us-gov:iam::1:role/r", "us-east-1", "us-gov-west-1"},
		"a role in China":                                {"arn:aws-cn:iam::1:role/r", "eu-west-1", "cn-north-1"},
		"… in its own region":                            {"arn:aws-cn:iam::1:role/r", "cn-northwest-1", "cn-northwest-1"},
		"a role of the partition aws, a region in China": {roleARN, "cn-north-1", "us-east-1"},
		"isolated":                                       {"arn:aws-iso-b:iam::1:role/r", "us-iso-east-1", "us-isob-east-1"},
		"Europe's own":                                   {"arn:aws-eusc:iam::1:role/r", "", "eusc-de-east-1"},
		"a partition of the future":                      {"arn:aws-moon:iam::1:role/r", "moon-base-1", "moon-base-1"},
		"no ARN":                                         {"rollback", "eu-west-1", "eu-west-1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, c.want, aws.STSRegion(c.role, c.region))
		})
	}
}
