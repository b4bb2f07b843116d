package emulator_test

import (
	"context"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"

	"github.com/org/lambda-rollback-action/test/emulator"
)

var testCredentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
	return aws.Credentials{AccessKeyID: "AKIDTEST", SecretAccessKey: "secret"}, nil
})

// watchClient is the real SDK's client of CloudWatch, without retries.
func watchClient(e *emulator.Emulator, region string, via cloudwatch.HTTPClient) *cloudwatch.Client {
	return cloudwatch.New(cloudwatch.Options{
		Region: region, BaseEndpoint: aws.String(e.URL), HTTPClient: via, RetryMaxAttempts: 1, Credentials: testCredentials,
	})
}

// logsClient is the real SDK's client of CloudWatch Logs, without retries.
func logsClient(e *emulator.Emulator, region string, via cloudwatchlogs.HTTPClient) *cloudwatchlogs.Client {
	return cloudwatchlogs.New(cloudwatchlogs.Options{
		Region: region, BaseEndpoint: aws.String(e.URL), HTTPClient: via, RetryMaxAttempts: 1, Credentials: testCredentials,
	})
}

// plainHTTP may serve several tests at once, which a wire may not.
func plainHTTP(t *testing.T) *http.Client {
	t.Helper()
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: plainBodies{transport}}
}

// plainBodies hides WriteTo of the SDK's request bodies: with it an answer that comes
// at once can be cut off (rollback/aws/transport.go says how).
type plainBodies struct{ next http.RoundTripper }

func (p plainBodies) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil && r.Body != http.NoBody {
		r = r.Clone(r.Context())
		r.Body = struct{ io.ReadCloser }{r.Body}
	}
	return p.next.RoundTrip(r)
}

func startWatch(t *testing.T) (*emulator.Emulator, *cloudwatch.Client) {
	t.Helper()
	e := emulator.StartFor(t)
	return e, watchClient(e, region, plainHTTP(t))
}

// query asks for a metric by minute, unless changes say otherwise.
func query(id, namespace, name, stat string, dimensions map[string]string, changes ...func(*types.MetricDataQuery)) types.MetricDataQuery {
	metric := &types.Metric{Namespace: aws.String(namespace), MetricName: aws.String(name)}
	for name, value := range dimensions {
		metric.Dimensions = append(metric.Dimensions, types.Dimension{Name: aws.String(name), Value: aws.String(value)})
	}
	q := types.MetricDataQuery{
		Id:         aws.String(id),
		MetricStat: &types.MetricStat{Metric: metric, Period: aws.Int32(60), Stat: aws.String(stat)},
	}
	for _, change := range changes {
		change(&q)
	}
	return q
}

// every asks for another period.
func every(seconds int32) func(*types.MetricDataQuery) {
	return func(q *types.MetricDataQuery) { q.MetricStat.Period = aws.Int32(seconds) }
}

// dataInput asks from day on, oldest first.
func dataInput(span time.Duration, queries ...types.MetricDataQuery) *cloudwatch.GetMetricDataInput {
	return &cloudwatch.GetMetricDataInput{
		StartTime: aws.Time(day), EndTime: aws.Time(day.Add(span)),
		ScanBy: types.ScanByTimestampAscending, MetricDataQueries: queries,
	}
}
