package emulator_test

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/test/emulator"
)

// watching is one call of each operation that watches production.
type watching struct {
	match emulator.Match
	call  func(context.Context) error
}

func watchings(e *emulator.Emulator, w *wire) map[string]watching {
	watch, logs := watchClient(e, region, w), logsClient(e, region, w)
	return map[string]watching{
		"DescribeAlarms": {
			emulator.Match{Service: emulator.ServiceCloudWatch, Operation: "DescribeAlarms"},
			func(ctx context.Context) error {
				_, err := watch.DescribeAlarms(ctx, &cloudwatch.DescribeAlarmsInput{})
				return err
			},
		},
		"GetMetricData": {
			emulator.Match{Service: emulator.ServiceCloudWatch, Operation: "GetMetricData"},
			func(ctx context.Context) error {
				_, err := watch.GetMetricData(ctx, dataInput(time.Hour, query("q", "Shop", "Orders", "Sum", nil)))
				return err
			},
		},
		"FilterLogEvents": {
			emulator.Match{Service: emulator.ServiceLogs, Operation: "FilterLogEvents", Function: "/aws/lambda/api"},
			func(ctx context.Context) error {
				_, err := logs.FilterLogEvents(ctx, &cloudwatchlogs.FilterLogEventsInput{LogGroupName: aws.String("/aws/lambda/api")})
				return err
			},
		},
	}
}

func TestFaultsSpeakTheLanguageOfTheService(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		effect emulator.Effect
		code   map[string]string // by operation
		status map[string]int
		text   map[string]string
	}{
		"denied": {
			effect: emulator.Deny(),
			code:   map[string]string{"DescribeAlarms": "AccessDenied", "GetMetricData": "AccessDenied", "FilterLogEvents": "AccessDeniedException"},
			status: map[string]int{"DescribeAlarms": 403, "GetMetricData": 403, "FilterLogEvents": 400},
			text: map[string]string{
				"DescribeAlarms": "User: arn:aws:iam::111111111111:user/AKIDTEST is not authorized to perform: cloudwatch:DescribeAlarms " +
					"on resource: arn:aws:cloudwatch:eu-west-1:111111111111:alarm:* because no identity-based policy allows the cloudwatch:DescribeAlarms action",
				"GetMetricData": "User: arn:aws:iam::111111111111:user/AKIDTEST is not authorized to perform: cloudwatch:GetMetricData " +
					"because no identity-based policy allows the cloudwatch:GetMetricData action",
				"FilterLogEvents": "User: arn:aws:iam::111111111111:user/AKIDTEST is not authorized to perform: logs:FilterLogEvents " +
					"on resource: arn:aws:logs:eu-west-1:111111111111:log-group:/aws/lambda/api:log-stream: because no identity-based policy allows the logs:FilterLogEvents action",
			},
		},
		"denied without a message": {
			effect: emulator.DenyWithoutMessage(),
			code:   map[string]string{"DescribeAlarms": "AccessDenied", "GetMetricData": "AccessDenied", "FilterLogEvents": "AccessDeniedException"},
		},
		"throttled": {
			effect: emulator.Throttle(0),
			code:   map[string]string{"DescribeAlarms": "Throttling", "GetMetricData": "Throttling", "FilterLogEvents": "ThrottlingException"},
			status: map[string]int{"DescribeAlarms": 400, "GetMetricData": 400, "FilterLogEvents": 400},
			text:   map[string]string{"DescribeAlarms": "Rate exceeded", "GetMetricData": "Rate exceeded", "FilterLogEvents": "Rate exceeded"},
		},
		"throttled above a rate": {
			effect: emulator.ThrottleAbove(0.001, 0),
			code:   map[string]string{"DescribeAlarms": "Throttling", "GetMetricData": "Throttling", "FilterLogEvents": "ThrottlingException"},
		},
		"a status of its own": {
			effect: emulator.Status(http.StatusServiceUnavailable, "ServiceUnavailableException", "busy"),
			code: map[string]string{
				"DescribeAlarms": "ServiceUnavailableException", "GetMetricData": "ServiceUnavailableException", "FilterLogEvents": "ServiceUnavailableException",
			},
			status: map[string]int{"DescribeAlarms": 503, "GetMetricData": 503, "FilterLogEvents": 503},
			text:   map[string]string{"DescribeAlarms": "busy", "GetMetricData": "busy", "FilterLogEvents": "busy"},
		},
		"a status without a code": {
			effect: emulator.Status(http.StatusBadGateway, "", ""),
			code:   map[string]string{"DescribeAlarms": "UnknownError", "GetMetricData": "UnknownError", "FilterLogEvents": "UnknownError"},
			status: map[string]int{"DescribeAlarms": 502, "GetMetricData": 502, "FilterLogEvents": 502},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := emulator.StartFor(t)
			e.Logs(region).CreateGroup("/aws/lambda/api")
			w := newWire(t)
			for operation, watching := range watchings(e, w) {
				fault := e.Fault(watching.match, test.effect)
				err := watching.call(t.Context())
				assert.Equal(t, test.code[operation], code(err), operation)
				if status, ok := test.status[operation]; ok {
					assert.Equal(t, status, w.status, operation)
				}
				if text, ok := test.text[operation]; ok {
					var api smithy.APIError
					require.ErrorAs(t, err, &api, operation)
					assert.Equal(t, text, api.ErrorMessage(), operation)
				}
				fault.Remove()
				assert.NoError(t, watching.call(t.Context()), operation)
			}
		})
	}
}

func TestRetryAfterOfEveryService(t *testing.T) {
	t.Parallel()
	e := emulator.StartFor(t)
	w := newWire(t)
	e.Fault(emulator.Match{}, emulator.Throttle(3*time.Second))
	for operation, watching := range watchings(e, w) {
		require.Error(t, watching.call(t.Context()), operation)
		assert.Equal(t, "3", w.header.Get("Retry-After"), operation)
	}
}

func TestConnectionsThatFailWhileWatching(t *testing.T) {
	t.Parallel()
	e := emulator.StartFor(t)
	e.Logs(region).CreateGroup("/aws/lambda/api")
	for operation, watching := range watchings(e, newWire(t)) {
		reset := e.Fault(watching.match, emulator.Reset())
		assert.ErrorIs(t, watching.call(t.Context()), syscall.ECONNRESET, operation)
		reset.Remove()

		half := e.Fault(watching.match, emulator.Truncated())
		assert.ErrorContains(t, watching.call(t.Context()), "unexpected EOF", operation)
		half.Remove()

		hang := e.Fault(watching.match, emulator.Hang())
		assert.ErrorIs(t, watching.call(untilHit(t, hang)), context.Canceled, operation)
		hang.Remove()

		slow := e.Fault(watching.match, emulator.Latency(20*time.Millisecond))
		began := time.Now()
		assert.NoError(t, watching.call(t.Context()), operation)
		assert.GreaterOrEqual(t, time.Since(began), 20*time.Millisecond, operation)
		slow.Remove()
	}
	var faults []string
	for _, call := range e.Calls(emulator.Match{Operation: "GetMetricData"}) {
		faults = append(faults, call.Fault)
	}
	assert.Equal(t, []string{"reset", "truncated", "hang", "latency"}, faults)
}

func TestFaultsAimedAtLambdaLeaveTheWatchingAlone(t *testing.T) {
	t.Parallel()
	e := emulator.StartFor(t)
	e.Logs(region).CreateGroup("/aws/lambda/api")
	e.LimitControlPlane(0.001, 0)
	e.Fault(emulator.Match{Service: emulator.ServiceLambda}, emulator.Deny())
	e.Fault(emulator.Match{Function: "api"}, emulator.Deny())
	for operation, watching := range watchings(e, newWire(t)) {
		assert.NoError(t, watching.call(t.Context()), operation)
	}
}

func TestOperationsThatTheEmulatorHasNot(t *testing.T) {
	t.Parallel()
	e := emulator.StartFor(t)
	_, err := watchClient(e, region, newWire(t)).ListMetrics(t.Context(), &cloudwatch.ListMetricsInput{})
	assert.Equal(t, "UnknownOperationException", code(err))
	_, err = logsClient(e, region, newWire(t)).DescribeLogGroups(t.Context(), &cloudwatchlogs.DescribeLogGroupsInput{})
	assert.Equal(t, "UnknownOperationException", code(err))
}

func TestBodiesThatAreNoRequest(t *testing.T) {
	t.Parallel()
	e := emulator.StartFor(t)
	const signature = "AWS4-HMAC-SHA256 Credential=AKIDTEST/20260102/eu-west-1/monitoring/aws4_request"
	for name, test := range map[string]struct {
		path, target, signature string
		body                    string
		want                    int
	}{
		"no CBOR":               {"/service/GraniteServiceVersion20100801/operation/DescribeAlarms", "", signature, "{}", 400},
		"CBOR cut off":          {"/service/GraniteServiceVersion20100801/operation/GetMetricData", "", signature, "\xa1\x69Start", 400},
		"CBOR of another shape": {"/service/GraniteServiceVersion20100801/operation/DescribeAlarms", "", signature, "\x01", 400},
		"no JSON":               {"/", "Logs_20140328.FilterLogEvents", signature, "<xml/>", 400},
		"unsigned alarms":       {"/service/GraniteServiceVersion20100801/operation/DescribeAlarms", "", "", "", 403},
		"unsigned logs":         {"/", "Logs_20140328.FilterLogEvents", "", "{}", 400},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, e.URL+test.path, strings.NewReader(test.body))
			require.NoError(t, err)
			request.Header.Set("X-Amz-Target", test.target)
			request.Header.Set("Authorization", test.signature)
			w := newWire(t)
			response, err := w.Do(request)
			require.NoError(t, err)
			require.NoError(t, response.Body.Close())
			assert.Equal(t, test.want, w.status)
		})
	}
}

func TestManyWatchersAtOnce(t *testing.T) {
	t.Parallel()
	e := emulator.StartFor(t)
	f := withVersions(t, e, 2)
	w := func() *wire { return newWire(t) }
	var all sync.WaitGroup
	for i := range 8 {
		calls := watchings(e, w())
		all.Go(func() {
			for j := range 20 {
				e.CloudWatch(region).SetAlarm("api", emulator.AlarmOK).AlarmAfter(1, emulator.AlarmInAlarm)
				e.CloudWatch(region).PutMetric("Shop", "Orders", nil, minute(j), float64(i))
				e.Logs(region).PutEvents("/aws/lambda/api", emulator.LogStream(day, 1, "a"), emulator.LogEvent{At: day, Message: "hello"})
				f.Traffic("live", minute(j), minute(j+1), 60, 0.5)
				for operation, watching := range calls {
					assert.NoError(t, watching.call(t.Context()), operation)
				}
			}
		})
	}
	all.Wait()
	assert.Len(t, e.Calls(emulator.Match{Service: emulator.ServiceCloudWatch}), 8*20*2)
	assert.Len(t, e.Calls(emulator.Match{Service: emulator.ServiceLogs}), 8*20)
	api := watchClient(e, region, newWire(t))
	assert.Equal(t, []float64{8 * 20}, values(t, api, &cloudwatch.GetMetricDataInput{
		StartTime: aws.Time(minute(0)), EndTime: aws.Time(minute(60)),
		MetricDataQueries: []types.MetricDataQuery{query("q", "Shop", "Orders", "SampleCount", nil, every(3600))},
	}))
}
