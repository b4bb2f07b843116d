package aws

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

const (
	// warmConnections is how many calls to Lambda are made at once for one function.
	warmConnections = 5
	// warmFor is how long an unused connection is assumed to be open.
	warmFor = 10 * time.Second
)

// warm opens the first connections to AWS while the credentials are fetched. Call it
// after the configuration has been loaded: before that, the client does not have the
// certificates of AWS_CA_BUNDLE. Behind a proxy, it does nothing.
func warm(ctx context.Context, cfg *aws.Config, options Options) {
	client, is := cfg.HTTPClient.(*awshttp.BuildableClient)
	if !is {
		return
	}
	w := &warmer{clock: options.Clock, ready: map[string][]<-chan warmed{}}
	// Without this, the connection would not have the client's settings.
	transport, dialer := client.GetTransport(), client.GetDialer()
	w.tls = &tls.Dialer{NetDialer: dialer, Config: transport.TLSClientConfig.Clone()}
	if w.tls.Config == nil {
		w.tls.Config = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	w.tls.Config.NextProtos = []string{"h2", "http/1.1"}
	cfg.HTTPClient = client.WithTransportOptions(func(t *http.Transport) { t.DialTLSContext = w.dial })
	open := func(connections int, endpoint *url.URL, found bool) {
		if !found || !direct(transport, endpoint) {
			return
		}
		for range connections {
			w.open(ctx, address(endpoint))
		}
	}
	if options.RoleARN != "" {
		endpoint, found := stsEndpoint(ctx, *cfg, stsRegion(options.RoleARN, cfg.Region))
		open(1, endpoint, found)
	}
	regions := slices.Clone(options.Regions)
	if !slices.Contains(regions, cfg.Region) {
		regions = append(regions, cfg.Region)
	}
	for _, region := range regions {
		if region == "" {
			continue
		}
		endpoint, found := lambdaEndpoint(ctx, *cfg, region)
		open(warmConnections, endpoint, found)
		// What else moves the alias is looked up at the same time.
		endpoint, found = stacksEndpoint(ctx, *cfg, region)
		open(1, endpoint, found)
		endpoint, found = codeDeployEndpoint(ctx, *cfg, region)
		open(1, endpoint, found)
	}
}

// direct reports whether a TLS connection goes to the endpoint itself.
func direct(t *http.Transport, endpoint *url.URL) bool {
	if endpoint.Scheme != "https" {
		return false
	}
	if t.Proxy == nil {
		return true
	}
	proxy, err := t.Proxy(&http.Request{URL: endpoint})
	return err == nil && proxy == nil
}

func address(endpoint *url.URL) string {
	if endpoint.Port() != "" {
		return endpoint.Host
	}
	return net.JoinHostPort(endpoint.Hostname(), "443")
}

func lambdaEndpoint(ctx context.Context, cfg aws.Config, region string) (*url.URL, bool) {
	o := lambda.NewFromConfig(cfg, func(o *lambda.Options) { o.Region = region }).Options()
	found, err := o.EndpointResolverV2.ResolveEndpoint(ctx, lambda.EndpointParameters{
		Region: &o.Region, Endpoint: o.BaseEndpoint,
		UseFIPS:      aws.Bool(o.EndpointOptions.UseFIPSEndpoint == aws.FIPSEndpointStateEnabled),
		UseDualStack: aws.Bool(o.EndpointOptions.UseDualStackEndpoint == aws.DualStackEndpointStateEnabled),
	})
	return &found.URI, err == nil
}

func stsEndpoint(ctx context.Context, cfg aws.Config, region string) (*url.URL, bool) {
	o := sts.NewFromConfig(cfg, func(o *sts.Options) { o.Region = region }).Options()
	found, err := o.EndpointResolverV2.ResolveEndpoint(ctx, sts.EndpointParameters{
		Region: &o.Region, Endpoint: o.BaseEndpoint,
		UseFIPS:      aws.Bool(o.EndpointOptions.UseFIPSEndpoint == aws.FIPSEndpointStateEnabled),
		UseDualStack: aws.Bool(o.EndpointOptions.UseDualStackEndpoint == aws.DualStackEndpointStateEnabled),
	})
	return &found.URI, err == nil
}

func stacksEndpoint(ctx context.Context, cfg aws.Config, region string) (*url.URL, bool) {
	o := cloudformation.NewFromConfig(cfg, func(o *cloudformation.Options) { o.Region = region }).Options()
	found, err := o.EndpointResolverV2.ResolveEndpoint(ctx, cloudformation.EndpointParameters{
		Region: &o.Region, Endpoint: o.BaseEndpoint,
		UseFIPS:      aws.Bool(o.EndpointOptions.UseFIPSEndpoint == aws.FIPSEndpointStateEnabled),
		UseDualStack: aws.Bool(o.EndpointOptions.UseDualStackEndpoint == aws.DualStackEndpointStateEnabled),
	})
	return &found.URI, err == nil
}

func codeDeployEndpoint(ctx context.Context, cfg aws.Config, region string) (*url.URL, bool) {
	o := codedeploy.NewFromConfig(cfg, func(o *codedeploy.Options) { o.Region = region }).Options()
	found, err := o.EndpointResolverV2.ResolveEndpoint(ctx, codedeploy.EndpointParameters{
		Region: &o.Region, Endpoint: o.BaseEndpoint,
		UseFIPS:      aws.Bool(o.EndpointOptions.UseFIPSEndpoint == aws.FIPSEndpointStateEnabled),
		UseDualStack: aws.Bool(o.EndpointOptions.UseDualStackEndpoint == aws.DualStackEndpointStateEnabled),
	})
	return &found.URI, err == nil
}

// warmer keeps connections that were opened before their first use, by the address of
// the host.
type warmer struct {
	clock Clock
	tls   *tls.Dialer

	mu    sync.Mutex
	ready map[string][]<-chan warmed
}

// warmed is a connection, or the reason why there is none.
type warmed struct {
	conn net.Conn
	err  error
	at   time.Time
}

// open begins to open a connection.
func (w *warmer) open(ctx context.Context, host string) {
	made := make(chan warmed, 1)
	w.mu.Lock()
	w.ready[host] = append(w.ready[host], made)
	w.mu.Unlock()
	go func() {
		ctx, cancel := context.WithTimeout(ctx, dialLimit+tlsLimit)
		defer cancel()
		conn, err := w.tls.DialContext(ctx, "tcp", host)
		made <- warmed{conn, err, w.clock.Now()}
	}()
}

// dial returns a connection that was opened before, or that is being opened. If none
// can be used, it opens one.
func (w *warmer) dial(ctx context.Context, network, host string) (net.Conn, error) {
	for made := w.next(host); made != nil; made = w.next(host) {
		select {
		case c := <-made:
			switch {
			case c.err != nil: // it is opened again, and an error is reported then
			case w.clock.Now().Sub(c.at) > warmFor:
				_ = c.conn.Close()
			default:
				return c.conn, nil
			}
		case <-ctx.Done():
			return nil, fmt.Errorf("failed to connect to %s: %w", host, ctx.Err())
		}
	}
	ctx, cancel := context.WithTimeout(ctx, dialLimit+tlsLimit)
	defer cancel()
	return w.tls.DialContext(ctx, network, host)
}

func (w *warmer) next(host string) <-chan warmed {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := w.ready[host]
	if len(all) == 0 {
		return nil
	}
	w.ready[host] = all[1:]
	return all[0]
}
