package aws_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/rollback/aws"
)

// counted is a clock that does not wait, and adds up how long it was to wait.
type counted struct {
	now   time.Time
	slept atomic.Int64
}

func (c *counted) Now() time.Time { return c.now }

func (c *counted) Sleep(_ context.Context, d time.Duration) error {
	c.slept.Add(int64(max(d, 0)))
	return nil
}

func open(t *testing.T, endpoint string, clock aws.Clock) *aws.Clients {
	t.Helper()
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": endpoint, "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret",
		"AWS_REGION": "us-east-99", "AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
	} {
		t.Setenv(name, value)
	}
	clients, err := aws.Open(t.Context(), aws.Options{NeedRegion: true, Secret: func(string) {}, Clock: clock})
	require.NoError(t, err)
	return clients
}

func TestLambdaCallsKeepThePaceOfTheClock(t *testing.T) {
	server := httptest.NewServer(answers(200, "", "{}"))
	t.Cleanup(server.Close)
	clock := &counted{now: time.Now()}
	clients := open(t, server.URL, clock)
	for range 20 {
		_, err := getAlias(t.Context(), clients.Lambda(""))
		require.NoError(t, err)
	}
	// 14 at once, then 15 a second: the waits are 1/15, 2/15, ... 6/15 s.
	assert.Equal(t, 1400*time.Millisecond, time.Duration(clock.slept.Load()).Round(time.Millisecond))
}

// passing is a clock whose time passes by sleeping alone.
type passing struct{ now time.Time }

func (c *passing) Now() time.Time { return c.now }

func (c *passing) Sleep(_ context.Context, d time.Duration) error {
	c.now = c.now.Add(max(d, 0))
	return nil
}

func TestThePaceGivesWayToOthersAndComesBack(t *testing.T) {
	var throttle atomic.Bool
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if throttle.Swap(false) {
			coded(429, "TooManyRequestsException")(w, r)
			return
		}
		answers(200, "", "{}")(w, r)
	}))
	t.Cleanup(server.Close)
	clock := &passing{now: time.Now()}
	clients := open(t, server.URL, clock)
	takes := func(calls int) time.Duration {
		began := clock.now
		for range calls {
			_, err := getAlias(t.Context(), clients.Lambda(""))
			require.NoError(t, err)
		}
		return clock.now.Sub(began).Round(10 * time.Millisecond)
	}
	assert.Zero(t, takes(5), "one function is not held back")
	throttle.Store(true)
	_, err := getAlias(t.Context(), clients.Lambda(""))
	require.Error(t, err)
	assert.InDelta(t, 0.93, takes(7).Seconds(), 0.1, "half as fast, and nothing saved up")
	takes(100)
	assert.InDelta(t, 1, takes(15).Seconds(), 0.1, "as fast as before")
	other := clients.Lambda("us-east-98")
	for range 14 { // another region has a pace of its own
		before := clock.now
		_, err := getAlias(t.Context(), other)
		require.NoError(t, err)
		assert.Equal(t, before, clock.now)
	}
}

func TestTheSDKDoesNotTryAgain(t *testing.T) {
	var calls atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		calls.Add(1)
		coded(503, "ServiceException")(w, r)
	}))
	t.Cleanup(server.Close)
	_, err := getAlias(t.Context(), open(t, server.URL, clock{}).Lambda(""))
	require.Error(t, err)
	assert.EqualValues(t, 1, calls.Load())
}

func TestAnUnknownHostIsNamedWithItsRegion(t *testing.T) {
	for name, c := range map[string]struct{ host, says, operation string }{
		"of a region":    {"lambda.us-east-99.amazonaws.com", "the host lambda.us-east-99.amazonaws.com does not exist: check the region us-east-99", "dial"},
		"of an endpoint": {"aws.invalid", "the host aws.invalid does not exist: check AWS_ENDPOINT_URL and HTTPS_PROXY", "dial"},
		"of a proxy":     {"proxy.invalid", "the host proxy.invalid of the proxy in HTTPS_PROXY does not exist: check HTTPS_PROXY", "proxyconnect"},
		"of no proxy":    {"s3cretpw", "the host of the proxy in HTTPS_PROXY does not exist: check HTTPS_PROXY", "proxyconnect"},
	} {
		t.Run(name, func(t *testing.T) {
			client := open(t, "", clock{}).Lambda("")
			options := client.Options()
			options.HTTPClient = network(func(*http.Request) (*http.Response, error) {
				return nil, &net.OpError{Op: c.operation, Err: &net.DNSError{Err: "no such host", Name: c.host, IsNotFound: true}}
			})
			_, err := getAlias(t.Context(), lambda.New(options))
			assert.Equal(t, aws.Unresolved, aws.Classify(err))
			assert.Equal(t, c.says, aws.Brief(err))
		})
	}
}
