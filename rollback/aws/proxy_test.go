package aws_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"testing"
	"time"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/rollback/aws"
)

// proxyOf answers each CONNECT with a status.
func proxyOf(t *testing.T, status int) (address *url.URL, calls func() int) {
	t.Helper()
	n := make(chan struct{}, 1000)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, http.MethodConnect, r.Method)
		n <- struct{}{}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, "<html>no</html>")
	}))
	t.Cleanup(server.Close)
	address, err := url.Parse(server.URL)
	require.NoError(t, err)
	return address, func() int { return len(n) }
}

func TestAProxyThatDoesNotConnect(t *testing.T) {
	const host = "lambda.eu-west-1.amazonaws.com:443"
	refused := "the proxy (HTTPS_PROXY) refused to connect to " + host + " (HTTP status %d): allow this host in the proxy, or add it to NO_PROXY"
	failed := "the proxy (HTTPS_PROXY) could not connect to " + host + " (HTTP status %d)"
	for status, c := range map[int]struct {
		kind  aws.Kind
		again bool
		says  string
	}{
		302: {aws.Unresolved, false, refused},
		400: {aws.Unresolved, false, refused},
		403: {aws.Unresolved, false, refused},
		404: {aws.Unresolved, false, refused},
		407: {aws.Unresolved, false, "the proxy did not accept the user and password in HTTPS_PROXY, or there are none (HTTP status %d)"},
		501: {aws.Unresolved, false, refused},
		408: {aws.Ambiguous, true, failed},
		429: {aws.Ambiguous, true, failed},
		500: {aws.Ambiguous, true, failed},
		502: {aws.Ambiguous, true, failed},
		503: {aws.Ambiguous, true, failed},
		504: {aws.Ambiguous, true, failed},
	} {
		t.Run(strconv.Itoa(status), func(t *testing.T) {
			proxy, calls := proxyOf(t, status)
			clients, _, err := surrounded(t, false, map[string]string{"AWS_ACCESS_KEY_ID": "AKID", "AWS_SECRET_ACCESS_KEY": "s"}, clock{})
			require.NoError(t, err)
			client := throughProxy(t, clients, proxy)
			_, err = aws.Do(t.Context(), aws.Retry{Log: &journal{}, Clock: &passingClock{now: time.Now()}, Tries: 3}, "GetAlias", func(ctx context.Context) (any, error) {
				return getAlias(ctx, client)
			})
			require.Error(t, err)
			assert.Equal(t, c.kind, aws.Classify(err), err)
			assert.Equal(t, fmt.Sprintf(c.says, status), aws.Brief(err))
			want := 1
			if c.again {
				want = 3
			}
			assert.Equal(t, want, calls())
		})
	}
}

// throughProxy is a client of Lambda whose connections go through a proxy. What
// net/http reads of the environment, it reads once.
func throughProxy(t *testing.T, clients *aws.Clients, proxy *url.URL) *lambda.Client {
	t.Helper()
	o := clients.Lambda("").Options()
	client, is := aws.Unwrapped(o.HTTPClient).(*awshttp.BuildableClient)
	require.True(t, is)
	o.HTTPClient = client.WithTransportOptions(func(t *http.Transport) { t.Proxy = http.ProxyURL(proxy) })
	return lambdaWith(o)
}
