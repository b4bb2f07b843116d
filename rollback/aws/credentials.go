package aws

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
)

const (
	// spreadLimit is how long AWS may take to propagate a new or changed role, or a new
	// session.
	spreadLimit = 10 * time.Second
	// renewalLimit bounds a renewal of the session: the SDK does not pass a limit to it.
	renewalLimit = 30 * time.Second
)

// identity is the part of the STS API that is used.
type identity interface {
	AssumeRoleWithWebIdentity(context.Context, *sts.AssumeRoleWithWebIdentityInput, ...func(*sts.Options)) (*sts.AssumeRoleWithWebIdentityOutput, error)
}

// role provides sessions of a role from the job's OIDC token. It is not the SDK's own
// provider, which does not pass a context to the token and uses only the wall clock.
type role struct {
	sts     identity
	options Options

	deniedSince time.Time // zero: not denied
	renewed     bool      // a second token was tried
}

// Retrieve assumes the role. Errors that may pass are marked for Do.
func (r *role) Retrieve(ctx context.Context) (aws.Credentials, error) {
	if _, limited := ctx.Deadline(); !limited {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, renewalLimit)
		defer cancel()
	}
	token, err := r.options.Token(ctx)
	if err != nil {
		return aws.Credentials{}, &tokenError{err}
	}
	r.options.Secret(token)
	out, err := Once(ctx, func(ctx context.Context) (*sts.AssumeRoleWithWebIdentityOutput, error) {
		return r.sts.AssumeRoleWithWebIdentity(ctx, &sts.AssumeRoleWithWebIdentityInput{
			RoleArn: &r.options.RoleARN, RoleSessionName: &r.options.SessionName, WebIdentityToken: &token,
		})
	})
	if err != nil {
		return aws.Credentials{}, r.refused(err, token)
	}
	issued := out.Credentials
	if issued == nil || aws.ToString(issued.AccessKeyId) == "" || aws.ToString(issued.SecretAccessKey) == "" {
		return aws.Credentials{}, fmt.Errorf("the response of STS contains no credentials: %w", ErrIncomplete)
	}
	return aws.Credentials{
		AccessKeyID: aws.ToString(issued.AccessKeyId), SecretAccessKey: aws.ToString(issued.SecretAccessKey),
		SessionToken: aws.ToString(issued.SessionToken), Source: "role-to-assume",
		CanExpire: true, Expires: r.expires(out),
	}, nil
}

// expires returns the end of the session by the clock of this machine. That clock may
// be wrong, so only the duration is taken from AWS.
func (r *role) expires(out *sts.AssumeRoleWithWebIdentityOutput) time.Time {
	end := aws.ToTime(out.Credentials.Expiration)
	if now, known := awsmiddleware.GetServerTime(out.ResultMetadata); known {
		return r.options.Clock.Now().Add(end.Sub(now))
	}
	return end
}

// refused marks the errors of STS that are temporary. AWS recommends sending a token
// once more if STS did not accept it.
func (r *role) refused(err error, token string) error {
	if kind := Classify(err); kind.Retryable() {
		return err
	}
	cause := causeOf(err)
	e := &RoleError{Cause: cause, Role: r.options.RoleARN, Claims: ReadClaims(token), Err: err}
	now := r.options.Clock.Now()
	switch cause {
	case RoleDenied:
		if r.deniedSince.IsZero() {
			r.deniedSince = now
		}
		if now.Sub(r.deniedSince) < spreadLimit {
			return &spreadingError{e}
		}
	case TokenNotAccepted:
		if !r.renewed {
			r.renewed = true
			return &spreadingError{e}
		}
	case RoleOther:
	}
	return e
}

// tokenError is the error if the job has no OIDC token.
type tokenError struct{ err error }

func (e *tokenError) Error() string {
	return fmt.Sprintf("failed to get the job's OIDC token: %s", e.err)
}

// Unwrap returns the cause.
func (e *tokenError) Unwrap() error { return e.err }

// passing reports whether a retry may return a token, according to the error.
func (e *tokenError) passing() bool {
	var says interface{ Retryable() bool }
	return errors.As(e.err, &says) && says.Retryable()
}

// spreadingError is a refusal that may be temporary, because AWS may not have
// propagated the role everywhere yet.
type spreadingError struct{ err error }

func (e *spreadingError) Error() string { return e.err.Error() }

// Unwrap returns the refusal.
func (e *spreadingError) Unwrap() error { return e.err }

// credentials returns the credentials of the role or, without a role, those of the
// SDK's chain. It returns an error if there are none.
func (c *Clients) credentials(ctx context.Context, o Options, e *endpoint) (aws.CredentialsProvider, error) {
	provider := c.config.Credentials
	if provider != nil {
		provider = &source{chain: provider, endpoint: e}
	}
	if o.RoleARN != "" {
		client := sts.NewFromConfig(c.config, func(s *sts.Options) { s.Region = stsRegion(o.RoleARN, s.Region) })
		provider = &role{sts: client, options: o}
	}
	if provider == nil {
		return nil, errors.New("none were found")
	}
	first, err := issued(ctx, provider, o)
	if err != nil {
		return nil, err
	}
	o.Secret(first.SecretAccessKey)
	o.Secret(first.SessionToken)
	if o.RoleARN == "" {
		return provider, nil
	}
	c.assumed = o.Clock.Now()
	return aws.NewCredentialsCache(&beginning{first: &first, then: provider}), nil
}

// issued waits for the first credentials. A chain that ends without any is not
// retried; its first try may take as long as a person takes to sign in.
func issued(ctx context.Context, provider aws.CredentialsProvider, o Options) (aws.Credentials, error) {
	if o.RoleARN == "" {
		c, err := provider.Retrieve(ctx)
		if from, found := errors.AsType[*sourceError](err); err == nil || found && !from.kind.Retryable() || !found && !byService(err) {
			return c, err
		}
	}
	return Do(ctx, Retry{Log: o.Log, Clock: o.Clock}, "credentials", provider.Retrieve)
}

// byService reports that a service that issues credentials was called, and not only
// looked for.
func byService(err error) bool {
	call, found := errors.AsType[*smithy.OperationError](err)
	return found && slices.Contains([]string{"STS", "SSO", "SSO OIDC"}, call.ServiceID)
}

// beginning returns the credentials that have been fetched already at first, and then
// those of a provider.
type beginning struct {
	first *aws.Credentials
	then  aws.CredentialsProvider
}

// Retrieve is called only by the SDK's cache, and never concurrently.
func (b *beginning) Retrieve(ctx context.Context) (aws.Credentials, error) {
	if first := b.first; first != nil {
		b.first = nil
		return *first, nil
	}
	return b.then.Retrieve(ctx)
}

// plain returns the part of the SDK's nested errors that a person needs.
func plain(err error) error {
	if stopped, found := errors.AsType[*Stopped](err); found {
		return stopped
	}
	if refused, found := errors.AsType[*RoleError](err); found {
		return refused
	}
	if from, found := errors.AsType[*sourceError](err); found {
		return from
	}
	if api := smithy.APIError(nil); errors.As(err, &api) {
		if text := strings.Trim(api.ErrorCode()+": "+strings.TrimSpace(api.ErrorMessage()), ": "); text != "" {
			return errors.New(text)
		}
	}
	if unresolved, found := errors.AsType[*unresolvedError](err); found {
		return unresolved
	}
	return err
}
