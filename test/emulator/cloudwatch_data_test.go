package emulator_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/test/emulator"
)

// minute is the nth whole minute after day's.
func minute(n int) time.Time { return day.Truncate(time.Minute).Add(time.Duration(n) * time.Minute) }

// values is the only result's values; its times must be as many.
func values(t *testing.T, api *cloudwatch.Client, in *cloudwatch.GetMetricDataInput) []float64 {
	t.Helper()
	out, err := api.GetMetricData(t.Context(), in)
	require.NoError(t, err)
	require.Len(t, out.MetricDataResults, 1)
	require.Len(t, out.MetricDataResults[0].Timestamps, len(out.MetricDataResults[0].Values))
	return out.MetricDataResults[0].Values
}

func TestStatistics(t *testing.T) {
	t.Parallel()
	e, api := startWatch(t)
	for i := range 100 {
		e.CloudWatch(region).PutMetric("Shop", "Price", nil, day, float64(i+1))
	}
	for stat, want := range map[string]float64{
		"SampleCount": 100, "Sum": 5050, "Average": 50.5, "Minimum": 1, "Maximum": 100,
		"p50": 50, "p99": 99, "p99.9": 100, "p100": 100, "p0": 1,
	} {
		t.Run(stat, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, []float64{want}, values(t, api, dataInput(time.Hour, query("q", "Shop", "Price", stat, nil))))
		})
	}
}

func TestEachSetOfDimensionsIsAMetricOfItsOwn(t *testing.T) {
	t.Parallel()
	e, api := startWatch(t)
	onAlias := map[string]string{"FunctionName": "api", "Resource": "api:live"}
	e.CloudWatch(region).PutMetric("AWS/Lambda", "Errors", onAlias, day, 3)
	for name, test := range map[string]struct {
		namespace, metric string
		dimensions        map[string]string
		want              []float64
	}{
		"the same":             {"AWS/Lambda", "Errors", onAlias, []float64{3}},
		"fewer dimensions":     {"AWS/Lambda", "Errors", map[string]string{"FunctionName": "api"}, []float64{}},
		"another alias":        {"AWS/Lambda", "Errors", map[string]string{"FunctionName": "api", "Resource": "api:blue"}, []float64{}},
		"no dimensions":        {"AWS/Lambda", "Errors", nil, []float64{}},
		"another metric":       {"AWS/Lambda", "Throttles", onAlias, []float64{}},
		"another namespace":    {"AWS/ApiGateway", "Errors", onAlias, []float64{}},
		"more dimensions":      {"AWS/Lambda", "Errors", map[string]string{"FunctionName": "api", "Resource": "api:live", "ExecutedVersion": "1"}, []float64{}},
		"a name case-shifted":  {"AWS/Lambda", "errors", onAlias, []float64{}},
		"dimensions exchanged": {"AWS/Lambda", "Errors", map[string]string{"FunctionName": "api:live", "Resource": "api"}, []float64{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, test.want, values(t, api, dataInput(time.Hour, query("q", test.namespace, test.metric, "Sum", test.dimensions))))
		})
	}
	elsewhere := watchClient(e, "us-east-1", newWire(t))
	assert.Empty(t, values(t, elsewhere, dataInput(time.Hour, query("q", "AWS/Lambda", "Errors", "Sum", onAlias))))
}

func TestPeriodsAndSpan(t *testing.T) {
	t.Parallel()
	e, api := startWatch(t)
	for i := range 10 {
		e.CloudWatch(region).PutMetric("Shop", "Orders", nil, minute(i).Add(59*time.Second), float64(i))
	}
	orders := func(changes ...func(*types.MetricDataQuery)) types.MetricDataQuery {
		return query("q", "Shop", "Orders", "Sum", nil, changes...)
	}
	span := func(from, to time.Time, q types.MetricDataQuery) *cloudwatch.GetMetricDataInput {
		return &cloudwatch.GetMetricDataInput{
			StartTime: &from, EndTime: &to, ScanBy: types.ScanByTimestampAscending, MetricDataQueries: []types.MetricDataQuery{q},
		}
	}
	assert.Equal(t, []float64{2, 3}, values(t, api, span(minute(2), minute(4), orders())), "the end is exclusive")
	assert.Equal(t, []float64{2, 3}, values(t, api, span(minute(2).Add(40*time.Second), minute(4), orders())), "the start is rounded down")
	assert.Equal(t, []float64{2, 3, 4}, values(t, api, span(minute(2), minute(4).Add(time.Second), orders())), "a minute begun is in it")
	assert.Equal(t, []float64{0 + 1 + 2 + 3 + 4, 5 + 6 + 7 + 8 + 9}, values(t, api, span(minute(0), minute(60), orders(every(300)))), "empty periods are left out")
	assert.Empty(t, values(t, api, span(minute(100), minute(110), orders())))

	newestFirst := span(minute(2), minute(4), orders())
	newestFirst.ScanBy = ""
	out, err := api.GetMetricData(t.Context(), newestFirst)
	require.NoError(t, err)
	result := out.MetricDataResults[0]
	assert.Equal(t, []float64{3, 2}, result.Values, "the default is the newest first")
	assert.True(t, result.Timestamps[0].Equal(minute(3)))
	assert.Equal(t, types.StatusCodeComplete, result.StatusCode)
	assert.Equal(t, "Orders", *result.Label)
}

func TestQueriesAreAnsweredInTheirOrder(t *testing.T) {
	t.Parallel()
	e, api := startWatch(t)
	e.CloudWatch(region).PutMetric("Shop", "Orders", nil, day, 7)
	out, err := api.GetMetricData(t.Context(), dataInput(time.Hour,
		query("empty", "Shop", "Refunds", "Sum", nil),
		query("hidden", "Shop", "Orders", "Sum", nil, func(q *types.MetricDataQuery) { q.ReturnData = aws.Bool(false) }),
		query("orders", "Shop", "Orders", "Sum", nil, func(q *types.MetricDataQuery) { q.Label = aws.String("sold") }),
	))
	require.NoError(t, err)
	require.Len(t, out.MetricDataResults, 2)
	assert.Equal(t, "empty", *out.MetricDataResults[0].Id)
	assert.Empty(t, out.MetricDataResults[0].Values)
	assert.Equal(t, types.StatusCodeComplete, out.MetricDataResults[0].StatusCode, "no data is complete, not an error")
	assert.Equal(t, "sold", *out.MetricDataResults[1].Label)
	assert.Equal(t, []float64{7}, out.MetricDataResults[1].Values)
}

func TestDataComesInPages(t *testing.T) {
	t.Parallel()
	e, api := startWatch(t)
	for i := range 7 {
		e.CloudWatch(region).PutMetric("Shop", "Orders", nil, minute(i), float64(i))
		e.CloudWatch(region).PutMetric("Shop", "Refunds", nil, minute(i), float64(10*i))
	}
	in := dataInput(time.Hour, query("orders", "Shop", "Orders", "Sum", nil), query("refunds", "Shop", "Refunds", "Sum", nil))
	in.MaxDatapoints = aws.Int32(5)
	all := map[string][]float64{}
	var first []types.StatusCode
	pages := cloudwatch.NewGetMetricDataPaginator(api, in)
	count := 0
	for pages.HasMorePages() {
		out, err := pages.NextPage(t.Context())
		require.NoError(t, err)
		count++
		for _, result := range out.MetricDataResults {
			all[*result.Id] = append(all[*result.Id], result.Values...)
			if count == 1 {
				first = append(first, result.StatusCode)
			}
		}
	}
	assert.Equal(t, 3, count)
	assert.Equal(t, []types.StatusCode{types.StatusCodePartialData, types.StatusCodePartialData}, first)
	assert.Equal(t, map[string][]float64{"orders": {0, 1, 2, 3, 4, 5, 6}, "refunds": {0, 10, 20, 30, 40, 50, 60}}, all)
}

func TestValuesShowLate(t *testing.T) {
	t.Parallel()
	now := minute(10)
	e := emulator.StartFor(t, emulator.WithClock(func() time.Time { return now }))
	api := watchClient(e, region, newWire(t))
	for i := range 10 {
		e.CloudWatch(region).PutMetric("Shop", "Orders", nil, minute(i), 1)
	}
	in := dataInput(time.Hour, query("q", "Shop", "Orders", "Sum", nil))
	assert.Len(t, values(t, api, in), 10)
	e.CloudWatch(region).Lag(2 * time.Minute)
	assert.Len(t, values(t, api, in), 9)
}

func TestTrafficOfAnAlias(t *testing.T) {
	t.Parallel()
	e, api := startWatch(t)
	f := withVersions(t, e, 2)
	f.Traffic("live", minute(0), minute(10), 60, 0)
	f.TrafficOn("live", 2, minute(10), minute(20), 50, 0.25)
	onAlias := map[string]string{"FunctionName": "api", "Resource": "api:live"}
	onVersion := map[string]string{"FunctionName": "api", "Resource": "api:live", "ExecutedVersion": "2"}
	tenMinutes := func(metric, stat string, dimensions map[string]string) []float64 {
		in := dataInput(time.Hour, query("q", "AWS/Lambda", metric, stat, dimensions, every(600)))
		return values(t, api, in)
	}
	assert.Equal(t, []float64{600, 500}, tenMinutes("Invocations", "Sum", onAlias))
	assert.Equal(t, []float64{600, 500}, tenMinutes("Invocations", "Sum", map[string]string{"FunctionName": "api"}))
	assert.Equal(t, []float64{500}, tenMinutes("Invocations", "Sum", onVersion))
	assert.Equal(t, []float64{0, 125}, tenMinutes("Errors", "Sum", onAlias), "no errors is zero, not nothing")
	assert.Equal(t, []float64{0, 0.25}, tenMinutes("Errors", "Average", onAlias))
	assert.Equal(t, []float64{0, 0}, tenMinutes("Throttles", "Sum", onAlias))
	assert.Equal(t, []float64{200, 200}, tenMinutes("Duration", "p99", onAlias))
	assert.Equal(t, []float64{20, 20}, tenMinutes("Duration", "p50", onAlias))
	assert.Empty(t, tenMinutes("Invocations", "Sum", map[string]string{"FunctionName": "api", "Resource": "api:blue"}))
}

func TestTrafficStandsInWholeMinutes(t *testing.T) {
	t.Parallel()
	e, api := startWatch(t)
	f := withVersions(t, e, 1)
	f.Traffic("live", minute(0).Add(45*time.Second), minute(2).Add(30*time.Second), 60, 0)
	in := dataInput(time.Hour, query("q", "AWS/Lambda", "Invocations", "Sum", map[string]string{"FunctionName": "api"}))
	out, err := api.GetMetricData(t.Context(), in)
	require.NoError(t, err)
	assert.Equal(t, []float64{15, 60, 30}, out.MetricDataResults[0].Values)
	assert.True(t, out.MetricDataResults[0].Timestamps[0].Equal(minute(0)))
}

func TestRequestsForDataThatAWSRefuses(t *testing.T) {
	t.Parallel()
	_, api := startWatch(t)
	good := query("q", "Shop", "Orders", "Sum", nil)
	one := func(change func(*types.MetricDataQuery)) *cloudwatch.GetMetricDataInput {
		return dataInput(time.Hour, query("q", "Shop", "Orders", "Sum", nil, change))
	}
	many := make([]types.MetricDataQuery, 501)
	for i := range many {
		many[i] = good
	}
	for name, test := range map[string]struct {
		in   *cloudwatch.GetMetricDataInput
		code string
	}{
		"no span":               {dataInput(0, good), "ValidationError"},
		"ends before it starts": {dataInput(-time.Hour, good), "ValidationError"},
		"no query":              {dataInput(time.Hour, []types.MetricDataQuery{}...), "MissingParameter"},
		"too many queries":      {dataInput(time.Hour, many...), "ValidationError"},
		"one id twice":          {dataInput(time.Hour, good, good), "ValidationError"},
		"id in capitals":        {one(func(q *types.MetricDataQuery) { q.Id = aws.String("Q") }), "ValidationError"},
		"period of 90 s":        {one(every(90)), "ValidationError"},
		"period of 0 s":         {one(every(0)), "ValidationError"},
		"unknown statistic":     {one(func(q *types.MetricDataQuery) { q.MetricStat.Stat = aws.String("Median") }), "ValidationError"},
		"percentile over 100":   {one(func(q *types.MetricDataQuery) { q.MetricStat.Stat = aws.String("p101") }), "ValidationError"},
		"neither stat nor math": {one(func(q *types.MetricDataQuery) { q.MetricStat = nil }), "ValidationError"},
		"math": {one(func(q *types.MetricDataQuery) {
			q.MetricStat, q.Expression = nil, aws.String("errors/invocations")
		}), "ValidationError"},
		"token from elsewhere": {func() *cloudwatch.GetMetricDataInput {
			in := dataInput(time.Hour, good)
			in.NextToken = aws.String("AAAA")
			return in
		}(), "InvalidNextToken"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if test.in.MetricDataQueries == nil {
				test.in.MetricDataQueries = []types.MetricDataQuery{} // The SDK refuses nil by itself.
			}
			_, err := api.GetMetricData(t.Context(), test.in)
			assert.Equal(t, test.code, code(err))
		})
	}
}
