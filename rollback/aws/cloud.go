// Package aws makes the AWS clients: region, credentials, connections and the
// pace of calls. What is asked of AWS is decided elsewhere.
package aws

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/logging"
	"github.com/aws/smithy-go/middleware"
	"golang.org/x/time/rate"
)

// Lambda allows 15 control-plane calls a second for an account and region, for
// everything that runs there together. A burst and a second's worth of calls stay
// within it; one function alone does not feel the burst's bound.
const (
	callsPerSecond = 10
	callsAtOnce    = 5
)

// Time limits of a connection. A call's own limit is set where it is made.
const (
	dialLimit = 3 * time.Second
	tlsLimit  = 5 * time.Second
)

// ErrNoCredentials marks an error of Open that is about credentials.
var ErrNoCredentials = errors.New("no usable AWS credentials")

// ErrNoRegion is what Open gives where nobody named a region.
var ErrNoRegion = errors.New("no AWS region is known")

// Options say how to reach AWS.
type Options struct {
	Region string // empty: from the environment
	// RoleARN is assumed by the job's OIDC token; empty: the SDK's default
	// chain of credentials.
	RoleARN     string
	SessionName string
	// Token gives the job's OIDC token.
	Token func(ctx context.Context) (string, error)
	// NeedRegion: an ARN gives every function its region, so that none else
	// is needed, where this is false.
	NeedRegion bool
	// Secret is told every secret that AWS or GitHub issues on the way.
	Secret func(string)
}

// Cloud gives clients that share credentials, connections and a pace.
type Cloud struct {
	config aws.Config
	pace   map[string]*rate.Limiter
}

// Open finds region and credentials, and makes sure that there are some.
func Open(ctx context.Context, o Options) (*Cloud, error) {
	// The SDK's own client type: a plain http.Client together with
	// AWS_CA_BUNDLE makes loading the configuration fail.
	client := awshttp.NewBuildableClient().
		WithDialerOptions(func(d *net.Dialer) { d.Timeout = dialLimit }).
		WithTransportOptions(func(t *http.Transport) {
			t.TLSHandshakeTimeout = tlsLimit
			t.MaxIdleConnsPerHost = callsAtOnce
		})
	load := []func(*config.LoadOptions) error{
		config.WithHTTPClient(client),
		// The SDK's own log would go past ours, unescaped.
		config.WithLogger(logging.Nop{}),
	}
	if o.Region != "" {
		load = append(load, config.WithRegion(o.Region))
	}
	cfg, err := config.LoadDefaultConfig(ctx, load...)
	if err != nil {
		return nil, fmt.Errorf("failed to load the AWS configuration: %w", err)
	}
	if cfg.Region == "" {
		if o.NeedRegion {
			return nil, ErrNoRegion
		}
		if o.RoleARN != "" {
			cfg.Region = "us-east-1" // of STS; the functions name their own
		}
	}
	if o.RoleARN != "" {
		cfg.Credentials = assumed(cfg, o)
	}
	if cfg.Credentials == nil {
		return nil, ErrNoCredentials
	}
	issued, err := cfg.Credentials.Retrieve(ctx)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoCredentials, plain(err))
	}
	o.Secret(issued.SecretAccessKey)
	o.Secret(issued.SessionToken)
	return &Cloud{config: cfg, pace: map[string]*rate.Limiter{}}, nil
}

// Region is the region of functions that name none.
func (c *Cloud) Region() string { return c.config.Region }

// Lambda is a client for a region; empty: the default one. Clients of one
// region share its pace. It is not to be called from several goroutines at once.
func (c *Cloud) Lambda(region string) *lambda.Client {
	if region == "" {
		region = c.config.Region
	}
	pace, known := c.pace[region]
	if !known {
		pace = rate.NewLimiter(callsPerSecond, callsAtOnce)
		c.pace[region] = pace
	}
	return lambda.NewFromConfig(c.config, func(o *lambda.Options) {
		o.Region = region
		o.APIOptions = append(o.APIOptions, paced(pace))
	})
}

// CloudWatch is a client for a region; empty: the default one.
func (c *Cloud) CloudWatch(region string) *cloudwatch.Client {
	return cloudwatch.NewFromConfig(c.config, func(o *cloudwatch.Options) {
		if region != "" {
			o.Region = region
		}
	})
}

// Logs is a client for a region; empty: the default one.
func (c *Cloud) Logs(region string) *cloudwatchlogs.Client {
	return cloudwatchlogs.NewFromConfig(c.config, func(o *cloudwatchlogs.Options) {
		if region != "" {
			o.Region = region
		}
	})
}

// paced holds every try of a call back until its turn.
func paced(pace *rate.Limiter) func(*middleware.Stack) error {
	return func(stack *middleware.Stack) error {
		return stack.Finalize.Add(middleware.FinalizeMiddlewareFunc("Pace",
			func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
				// Not Wait: that one refuses at once what does not fit before
				// the deadline, so that the time limit would have another name.
				turn := time.NewTimer(pace.Reserve().Delay())
				defer turn.Stop()
				select {
				case <-turn.C:
				case <-ctx.Done():
					return middleware.FinalizeOutput{}, middleware.Metadata{}, &smithy.CanceledError{Err: ctx.Err()}
				}
				return next.HandleFinalize(ctx, in)
			}), middleware.Before)
	}
}

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
	return err
}
