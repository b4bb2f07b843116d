package emulator_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/test/emulator"
)

const region = "eu-west-1"

var day = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// wire keeps the last response as it came, body included.
type wire struct {
	next   http.RoundTripper
	status int
	header http.Header
	body   []byte
}

func (w *wire) Do(r *http.Request) (*http.Response, error) {
	response, err := w.next.RoundTrip(r)
	if err != nil {
		w.status, w.header, w.body = 0, nil, nil
		return nil, err
	}
	body, err := io.ReadAll(response.Body)
	response.Body.Close()
	w.status, w.header, w.body = response.StatusCode, response.Header, body
	if err != nil {
		return nil, err
	}
	response.Body = io.NopCloser(bytes.NewReader(body))
	return response, nil
}

func newWire(t *testing.T) *wire {
	t.Helper()
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return &wire{next: plainBodies{transport}}
}

// client is the real SDK's client, without retries, so that a test sees each
// answer.
func client(e *emulator.Emulator, region string, httpClient lambda.HTTPClient) *lambda.Client {
	return lambda.New(lambda.Options{
		Region:           region,
		BaseEndpoint:     aws.String(e.URL),
		HTTPClient:       httpClient,
		RetryMaxAttempts: 1,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "AKIDTEST", SecretAccessKey: "secret"}, nil
		}),
	})
}

func start(t *testing.T) (*emulator.Emulator, *lambda.Client) {
	t.Helper()
	e := emulator.StartFor(t)
	return e, client(e, region, newWire(t))
}

// withVersions is a function with versions 1..n, whose alias live is on the last.
func withVersions(t *testing.T, e *emulator.Emulator, n int) *emulator.Function {
	t.Helper()
	f := e.Lambda(region).CreateFunction("api")
	for i := range n {
		f.Publish(day.Add(time.Duration(i) * time.Hour))
	}
	require.NoError(t, f.SetAlias("live", int64(n), nil))
	return f
}

// code is the error code of an API error, or what else went wrong.
func code(err error) string {
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		return api.ErrorCode()
	}
	if err != nil {
		return "not an API error: " + err.Error()
	}
	return ""
}
