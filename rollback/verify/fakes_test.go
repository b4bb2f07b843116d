package verify_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/rollback/report"
	"github.com/org/lambda-rollback-action/rollback/verify"
)

// clock is the time of the test, which synctest makes its own.
type clock struct{}

func (clock) Now() time.Time { return time.Now() }

func (clock) Sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// journal keeps what was logged.
type journal struct {
	mu    sync.Mutex
	lines []string
}

func (j *journal) Infof(format string, args ...any) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = append(j.lines, fmt.Sprintf(format, args...))
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return strings.Join(j.lines, "\n")
}

// The fakes of AWS are functions.
type (
	invokes func(*lambda.InvokeInput) (*lambda.InvokeOutput, error)
	alarms  func(*cloudwatch.DescribeAlarmsInput) (*cloudwatch.DescribeAlarmsOutput, error)
	metrics func(*cloudwatch.GetMetricDataInput) (*cloudwatch.GetMetricDataOutput, error)
	logs    func(*cloudwatchlogs.FilterLogEventsInput) (*cloudwatchlogs.FilterLogEventsOutput, error)
)

func (f invokes) Invoke(ctx context.Context, in *lambda.InvokeInput, _ ...func(*lambda.Options)) (*lambda.InvokeOutput, error) {
	return alive(ctx, in, f)
}

func (f alarms) DescribeAlarms(ctx context.Context, in *cloudwatch.DescribeAlarmsInput, _ ...func(*cloudwatch.Options)) (*cloudwatch.DescribeAlarmsOutput, error) {
	return alive(ctx, in, f)
}

func (f metrics) GetMetricData(ctx context.Context, in *cloudwatch.GetMetricDataInput, _ ...func(*cloudwatch.Options)) (*cloudwatch.GetMetricDataOutput, error) {
	return alive(ctx, in, f)
}

func (f logs) FilterLogEvents(ctx context.Context, in *cloudwatchlogs.FilterLogEventsInput, _ ...func(*cloudwatchlogs.Options)) (*cloudwatchlogs.FilterLogEventsOutput, error) {
	return alive(ctx, in, f)
}

// errHang makes a fake give no answer until the call is given up.
var errHang = errors.New("no answer")

func alive[I, O any](ctx context.Context, in *I, f func(*I) (*O, error)) (*O, error) {
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if f == nil {
		return new(O), nil
	}
	out, err := f(in)
	if err == errHang { //nolint:errorlint // the very value
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return out, err
}

// awsError is an answer of AWS's with a status and a code.
func awsError(status int, code string) error {
	return &smithy.OperationError{ServiceID: "Test", OperationName: "Call", Err: &awshttp.ResponseError{
		RequestID: "8f7e", ResponseError: &smithyhttp.ResponseError{
			Response: &smithyhttp.Response{Response: &http.Response{StatusCode: status, Header: http.Header{}}},
			Err:      &smithy.GenericAPIError{Code: code, Message: "in AWS's words"},
		},
	}}
}

// setup is a Verifier over fakes, and the subject: version 41 serves again
// after version 42 failed.
type setup struct {
	verify.Verifier

	clients verify.Clients
	log     *journal
	subject verify.Subject
}

// clockAhead is a clock that is set to another time.
type clockAhead struct {
	clock

	ahead time.Duration
}

func (c clockAhead) Now() time.Time { return time.Now().Add(c.ahead) }

func newSetup() *setup {
	now := time.Now()
	s := &setup{log: &journal{}, subject: verify.Subject{
		Function: "api", Alias: "live", Region: "eu-west-1", Version: "41", FailedVersion: "42",
		MovedAt: now, DeployedAt: now.Add(-10 * time.Minute),
	}}
	s.clients = verify.Clients{Lambda: invokes(nil), Alarms: alarms(nil), Metrics: metrics(nil), Logs: logs(nil)}
	s.Verifier = verify.Verifier{
		Clock: clock{}, Log: s.log,
		AWS:    func(string) verify.Clients { return s.clients },
		Redact: func(text string) string { return strings.ReplaceAll(text, "hunter2", "***") },
	}
	return s
}

func (s *setup) verify() verify.Verdict {
	return s.verifyWithin(context.Background())
}

func (s *setup) verifyWithin(ctx context.Context) verify.Verdict {
	overall, _ := s.Verify(ctx, []verify.Subject{s.subject})
	return overall
}

// find gives the only check whose name begins so.
func find(t *testing.T, v verify.Verdict, name string) report.Check {
	t.Helper()
	var found []report.Check
	for _, c := range v.Checks {
		if strings.HasPrefix(c.Name, name) {
			found = append(found, c)
		}
	}
	require.Len(t, found, 1, "%+v", v.Checks)
	return found[0]
}

func noteTexts(v verify.Verdict) string {
	var b strings.Builder
	for _, n := range v.Notes {
		b.WriteString(n.Text + "\n")
	}
	return b.String()
}

func mustURL(t *testing.T, text string) *url.URL {
	t.Helper()
	u, err := url.Parse(text)
	require.NoError(t, err)
	return u
}

func str(text string) *string { return aws.String(text) }
