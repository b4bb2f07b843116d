// Package aws creates the AWS clients (region, credentials, connections, the pace of
// calls), classifies their errors, and retries calls. Other packages decide which calls
// are made.
package aws

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/endpointcreds"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudfront"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go/logging"
	"github.com/aws/smithy-go/middleware"
)

// Time limits of a connection. The limit of a call is set by its caller.
const (
	dialLimit = 3 * time.Second
	tlsLimit  = 5 * time.Second
)

// ErrNoCredentials marks an error of Open about credentials.
var ErrNoCredentials = errors.New("no usable AWS credentials")

// defaultRegion is used for calls that do not depend on the user's region.
const defaultRegion = "us-east-1"

// ErrNoRegion is the error of Open if no region is set.
var ErrNoRegion = errors.New("no AWS region is known")

// Options configure the connection to AWS.
type Options struct {
	Region string // empty: from the environment
	// RoleARN is assumed with the job's OIDC token; empty: the SDK's default
	// chain of credentials.
	RoleARN     string
	SessionName string
	// Token returns the job's OIDC token.
	Token func(ctx context.Context) (string, error)
	// NeedRegion reports whether a default region is needed. It is not if every
	// function is given by an ARN, which contains its region.
	NeedRegion bool
	// Regions are the other regions in which Lambda will be called. Connections to
	// them are opened while the credentials are fetched.
	Regions []string
	// Secret is called with every secret that AWS or GitHub issues on the way.
	Secret func(string)
	Clock  Clock
	Log    Log
	// Environment is what the SDK reads; the zero value leaves it unchanged.
	Environment Environment
	// Answered is called with the Date header and the duration of each response; may be
	// nil.
	Answered func(date string, took time.Duration)
}

// Clients creates clients that share credentials, connections and a pace. The clients
// do not retry calls: see Retry.
type Clients struct {
	config aws.Config
	clock  Clock
	pace   map[string]*pace
	// assumed is when a role was assumed; zero: the credentials come from elsewhere.
	assumed time.Time
	// expiration is when the credentials of the environment end, according to it.
	expiration string
	known      atomic.Bool // Lambda has accepted the role
	denied     sync.Map    // how often each denied call was retried, by its path
}

// Open finds the region and the credentials, and checks that there are some.
func Open(ctx context.Context, o Options) (*Clients, error) {
	// The SDK's own client type: a plain http.Client together with
	// AWS_CA_BUNDLE makes loading the configuration fail.
	client := awshttp.NewBuildableClient().
		WithDialerOptions(func(d *net.Dialer) { d.Timeout = dialLimit }).
		WithTransportOptions(func(t *http.Transport) {
			t.TLSHandshakeTimeout = tlsLimit
			t.OnProxyConnectResponse = proxyConnected
			t.MaxIdleConnsPerHost = Burst
		})
	from := &endpoint{get: o.Environment.Get}
	load := []func(*config.LoadOptions) error{
		config.WithHTTPClient(client),
		// The SDK's own logger would bypass ours, without escaping.
		config.WithLogger(logging.Nop{}),
		config.WithEndpointCredentialOptions(func(o *endpointcreds.Options) { o.Retryer = aws.NopRetryer{} }),
		config.WithAPIOptions([]func(*middleware.Stack) error{namingRegion, from.watch}),
	}
	if o.Region != "" {
		load = append(load, config.WithRegion(o.Region))
	}
	if o.RoleARN != "" { // other sources of credentials are not needed
		load = append(load, config.WithCredentialsProvider(aws.AnonymousCredentials{}))
	}
	cfg, err := o.Environment.load(ctx, o, load)
	if err != nil {
		return nil, err
	}
	if cfg.Region == "" {
		if o.NeedRegion {
			return nil, ErrNoRegion
		}
		if o.RoleARN != "" {
			cfg.Region = stsRegion(o.RoleARN, "") // for STS; the functions have regions of their own
		}
	}
	warm(ctx, &cfg, o)
	cfg.Retryer = func() aws.Retryer { return aws.NopRetryer{} }
	cfg.HTTPClient = transport{cfg.HTTPClient, o.Clock, o.Answered, longestAnswer}
	clients := &Clients{config: cfg, clock: o.Clock, pace: map[string]*pace{}}
	if o.Environment.Get != nil {
		clients.expiration = o.Environment.Get(expirationVariable)
	}
	if clients.config.Credentials, err = clients.credentials(ctx, o, from); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoCredentials, plain(err))
	}
	return clients, nil
}

// Region returns the region of functions that are given without one.
func (c *Clients) Region() string { return c.config.Region }

// Lambda returns a client for a region; empty: the default one. The clients of a
// region share its pace. It must not be called from several goroutines at once.
func (c *Clients) Lambda(region string) *lambda.Client {
	if region == "" {
		region = c.config.Region
	}
	p, known := c.pace[region]
	if !known {
		p = newPace()
		c.pace[region] = p
	}
	return lambda.NewFromConfig(c.config, func(o *lambda.Options) {
		o.Region = region
		o.APIOptions = append(o.APIOptions, paced(p, c.clock), c.spreading)
	})
}

// objectsAtOnce is how many requests for objects are in progress at once. With fewer
// idle connections, each additional request would begin with a handshake.
const objectsAtOnce = 64

// forObjects returns the client with separate connections for many objects.
func forObjects(client aws.HTTPClient) aws.HTTPClient {
	switch client := client.(type) {
	case transport:
		return transport{forObjects(client.next), client.clock, nil, 0} // the time on S3's clock is not needed
	case *awshttp.BuildableClient:
		return client.WithTransportOptions(func(t *http.Transport) {
			t.MaxIdleConns, t.MaxIdleConnsPerHost = 0, objectsAtOnce
		})
	}
	return client
}

// S3 returns a client for the default region, with separate connections. The region of
// a bucket is found when the bucket is read.
func (c *Clients) S3() *s3.Client {
	return s3.NewFromConfig(c.config, func(o *s3.Options) {
		if o.Region == "" {
			o.Region = defaultRegion
		}
		o.HTTPClient = forObjects(c.config.HTTPClient)
	})
}

// CloudFront returns a client for the one region that has CloudFront's control plane.
func (c *Clients) CloudFront() *cloudfront.Client {
	return cloudfront.NewFromConfig(c.config, func(o *cloudfront.Options) { o.Region = defaultRegion })
}

// CloudWatch returns a client for a region; empty: the default one.
func (c *Clients) CloudWatch(region string) *cloudwatch.Client {
	return cloudwatch.NewFromConfig(c.config, func(o *cloudwatch.Options) {
		if region != "" {
			o.Region = region
		}
	})
}

// Logs returns a client for a region; empty: the default one.
func (c *Clients) Logs(region string) *cloudwatchlogs.Client {
	return cloudwatchlogs.NewFromConfig(c.config, func(o *cloudwatchlogs.Options) {
		if region != "" {
			o.Region = region
		}
	})
}

// CloudFormation returns a client for a region; empty: the default one.
func (c *Clients) CloudFormation(region string) *cloudformation.Client {
	return cloudformation.NewFromConfig(c.config, func(o *cloudformation.Options) {
		if region != "" {
			o.Region = region
		}
	})
}

// CodeDeploy returns a client for a region; empty: the default one.
func (c *Clients) CodeDeploy(region string) *codedeploy.Client {
	return codedeploy.NewFromConfig(c.config, func(o *codedeploy.Options) {
		if region != "" {
			o.Region = region
		}
	})
}
