// Package aws makes the AWS clients (region, credentials, connections, the pace of
// calls), says what their errors mean, and tries calls again. What is asked of AWS
// is decided elsewhere.
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
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudfront"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go/logging"
)

// Time limits of a connection. A call's own limit is set where it is made.
const (
	dialLimit = 3 * time.Second
	tlsLimit  = 5 * time.Second
)

// ErrNoCredentials marks an error of Open that is about credentials.
var ErrNoCredentials = errors.New("no usable AWS credentials")

// defaultRegion is where calls go that belong to no region of the user's.
const defaultRegion = "us-east-1"

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
	// Regions are further ones that calls to Lambda will be made in: the connections
	// are made while the credentials are fetched.
	Regions []string
	// Secret is called with every secret that AWS or GitHub issues on the way.
	Secret func(string)
	Clock  Clock
	Log    Log
	// Environment is what the SDK reads; the zero value: it is left as it is.
	Environment Environment
	// Answered is told the Date header of each answer, and how long it took; may be
	// nil.
	Answered func(date string, took time.Duration)
}

// Clients gives clients that share credentials, connections and a pace. None of
// them retries a call: see Retry.
type Clients struct {
	config aws.Config
	clock  Clock
	pace   map[string]*pace
	// assumed is when a role was assumed; zero: the credentials were there before.
	assumed time.Time
	// expiration is when the credentials of the environment end, as it says itself.
	expiration string
	known      atomic.Bool // the role, in Lambda
	denied     sync.Map    // how often a call was tried again, by its path
}

// Open finds region and credentials, and makes sure that there are some.
func Open(ctx context.Context, o Options) (*Clients, error) {
	// The SDK's own client type: a plain http.Client together with
	// AWS_CA_BUNDLE makes loading the configuration fail.
	client := awshttp.NewBuildableClient().
		WithDialerOptions(func(d *net.Dialer) { d.Timeout = dialLimit }).
		WithTransportOptions(func(t *http.Transport) {
			t.TLSHandshakeTimeout = tlsLimit
			t.MaxIdleConnsPerHost = Burst
		})
	load := []func(*config.LoadOptions) error{
		config.WithHTTPClient(client),
		// The SDK's own log would go past ours, unescaped.
		config.WithLogger(logging.Nop{}),
	}
	if o.Region != "" {
		load = append(load, config.WithRegion(o.Region))
	}
	if o.RoleARN != "" { // it needs nothing of where others come from
		load = append(load, config.WithCredentialsProvider(aws.AnonymousCredentials{}))
	}
	cfg, err := o.Environment.load(ctx, o.RoleARN != "", load)
	if err != nil {
		return nil, err
	}
	cfg.APIOptions = append(cfg.APIOptions, namingRegion)
	if cfg.Region == "" {
		if o.NeedRegion {
			return nil, ErrNoRegion
		}
		if o.RoleARN != "" {
			cfg.Region = stsRegion(o.RoleARN, "") // of STS; the functions name their own
		}
	}
	warm(ctx, &cfg, o)
	cfg.Retryer = func() aws.Retryer { return aws.NopRetryer{} }
	if o.Answered != nil {
		cfg.HTTPClient = dated{cfg.HTTPClient, o.Clock, o.Answered}
	}
	clients := &Clients{config: cfg, clock: o.Clock, pace: map[string]*pace{}}
	if o.Environment.Get != nil {
		clients.expiration = o.Environment.Get(expirationVariable)
	}
	if clients.config.Credentials, err = clients.credentials(ctx, o); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoCredentials, plain(err))
	}
	return clients, nil
}

// Region is the region of functions that name none.
func (c *Clients) Region() string { return c.config.Region }

// Lambda is a client for a region; empty: the default one. Clients of one
// region share its pace. It is not to be called from several goroutines at once.
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

// objectsAtOnce is how many requests about objects are under way together. Where
// fewer connections are kept, each request beyond them begins with a handshake.
const objectsAtOnce = 64

// forObjects is the client with connections of its own for many objects.
func forObjects(client aws.HTTPClient) aws.HTTPClient {
	switch client := client.(type) {
	case dated:
		return forObjects(client.next) // S3's own clock is of no interest
	case *awshttp.BuildableClient:
		return client.WithTransportOptions(func(t *http.Transport) {
			t.MaxIdleConns, t.MaxIdleConnsPerHost = 0, objectsAtOnce
		})
	}
	return client
}

// S3 is a client for the default region, with connections of its own. A bucket's own
// region is found by whoever asks for the bucket.
func (c *Clients) S3() *s3.Client {
	return s3.NewFromConfig(c.config, func(o *s3.Options) {
		if o.Region == "" {
			o.Region = defaultRegion
		}
		o.HTTPClient = forObjects(c.config.HTTPClient)
	})
}

// CloudFront is a client for the one region that CloudFront is controlled from.
func (c *Clients) CloudFront() *cloudfront.Client {
	return cloudfront.NewFromConfig(c.config, func(o *cloudfront.Options) { o.Region = defaultRegion })
}

// CloudWatch is a client for a region; empty: the default one.
func (c *Clients) CloudWatch(region string) *cloudwatch.Client {
	return cloudwatch.NewFromConfig(c.config, func(o *cloudwatch.Options) {
		if region != "" {
			o.Region = region
		}
	})
}

// Logs is a client for a region; empty: the default one.
func (c *Clients) Logs(region string) *cloudwatchlogs.Client {
	return cloudwatchlogs.NewFromConfig(c.config, func(o *cloudwatchlogs.Options) {
		if region != "" {
			o.Region = region
		}
	})
}

// CloudFormation is a client for a region; empty: the default one.
func (c *Clients) CloudFormation(region string) *cloudformation.Client {
	return cloudformation.NewFromConfig(c.config, func(o *cloudformation.Options) {
		if region != "" {
			o.Region = region
		}
	})
}

// CodeDeploy is a client for a region; empty: the default one.
func (c *Clients) CodeDeploy(region string) *codedeploy.Client {
	return codedeploy.NewFromConfig(c.config, func(o *codedeploy.Options) {
		if region != "" {
			o.Region = region
		}
	})
}
