package verify

import (
	"context"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// MetricReader is CloudWatch as far as metrics go.
type MetricReader interface {
	GetMetricData(context.Context, *cloudwatch.GetMetricDataInput, ...func(*cloudwatch.Options)) (*cloudwatch.GetMetricDataOutput, error)
}

const (
	metricAction = "cloudwatch:GetMetricData"
	// period is the finest that Lambda's metrics have.
	period = time.Minute
	// skew is how far this machine's clock may be from AWS's unnoticed.
	skew = time.Minute
	// Lambda's metrics come late, by a minute or more. Where there was traffic
	// before, they are waited for.
	lateLimit = 90 * time.Second
	latePoll  = 15 * time.Second
	// longestFailing bounds how far back it is asked: a version can have
	// failed for weeks before somebody rolls it back by hand.
	longestFailing = 3 * time.Hour
	maxPages       = 5

	// usualTime before the deploy is what the time after the move is compared
	// with.
	usualTime = time.Hour
	// coveredShare of the calls must be counted by version for those to count.
	coveredShare = 0.9
)

func (r *run) metricCheck(s Subject) []check {
	if r.Observe <= 0 {
		return nil
	}
	return []check{func(ctx context.Context) findings { return r.metrics(ctx, s) }}
}

func (r *run) metrics(ctx context.Context, s Subject) findings {
	m, cut, err := r.watchTraffic(ctx, r.windows, s, func(ctx context.Context, w span, m *measured) error {
		return r.metricData(ctx, s.Region, w, metricQueries(s), m)
	})
	if m == nil {
		return one("metrics", Inconclusive, "%s", cut)
	}
	return r.concludeMetrics(ctx, s, m, err, cut)
}

// reader reads the metrics of one stretch of time.
type reader func(ctx context.Context, w span, m *measured) error

// watchTraffic reads metrics at the end of the watch, and goes on reading for a
// while where there was traffic before and there seems to be none now: CloudWatch
// is late. Where the watch was given up, there is nothing to judge.
func (r *run) watchTraffic(ctx context.Context, over func(Subject, time.Duration) windows, s Subject, read reader) (m *measured, cut string, err error) {
	cut = r.untilObserved()
	if ctx.Err() != nil {
		return nil, cut, nil
	}
	late, cancel := context.WithTimeout(r.watching, lateLimit)
	defer cancel()
	reading, cancelReading := context.WithTimeoutCause(ctx, lateLimit+readLimit, errReadLimit)
	defer cancelReading()
	ahead := time.Duration(0)
	for {
		m = newMeasured(over(s, ahead))
		err = measure(reading, m, read)
		if m.ahead.Abs() > skew && ahead == 0 { // a clock that nobody sets
			ahead = m.ahead
			r.Log.Infof("CloudWatch's clock is %s ahead of this machine's; its minutes count", seconds(ahead))
			m = newMeasured(over(s, ahead))
			err = measure(reading, m, read)
		}
		waits := err == nil && cut == "" && m.quiet() && m.busyBefore()
		if !waits || r.Clock.Sleep(late, latePoll) != nil {
			return m, cut, err
		}
	}
}

// measure reads the metrics. The stretch before the deploy is asked for apart:
// it can be far away.
func measure(ctx context.Context, m *measured, read reader) error {
	for _, w := range []span{m.usual, {m.failing.from, m.now.to}} {
		if w.length() == 0 {
			continue
		}
		if err := read(ctx, w, m); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) metricData(ctx context.Context, region string, w span, queries []types.MetricDataQuery, m *measured) error {
	in := &cloudwatch.GetMetricDataInput{
		StartTime: aws.Time(w.from.Add(-skew)), EndTime: aws.Time(w.to.Add(skew)),
		MetricDataQueries: queries, ScanBy: types.ScanByTimestampAscending,
	}
	for range maxPages {
		out, err := do(ctx, r.calls, "GetMetricData", func(ctx context.Context) (*cloudwatch.GetMetricDataOutput, error) {
			return r.regions[region].Metrics.GetMetricData(ctx, in, untriedAlarms)
		})
		if err != nil {
			return err
		}
		if ahead, known := awsmiddleware.GetAttemptSkew(out.ResultMetadata); known {
			m.ahead = ahead
		}
		for i := range out.MetricDataResults {
			m.add(&out.MetricDataResults[i])
		}
		if in.NextToken = out.NextToken; aws.ToString(in.NextToken) == "" {
			return nil
		}
	}
	m.partial = true
	return nil
}

func (m *measured) add(result *types.MetricDataResult) {
	m.partial = m.partial || result.StatusCode == types.StatusCodeInternalError || result.StatusCode == types.StatusCodeForbidden
	id := aws.ToString(result.Id)
	if m.data[id] == nil {
		m.data[id] = series{}
	}
	for i := range min(len(result.Timestamps), len(result.Values)) {
		m.data[id][result.Timestamps[i].Truncate(period).Unix()] = result.Values[i]
	}
}

// metricQueries asks for the alias as a whole, and for each of the two versions
// behind it: AWS counts those apart at least while both serve.
func metricQueries(s Subject) []types.MetricDataQuery {
	query := func(id, metric, statistic, version string) types.MetricDataQuery {
		dimensions := []types.Dimension{
			{Name: aws.String("FunctionName"), Value: aws.String(s.name())},
			{Name: aws.String("Resource"), Value: aws.String(s.name() + ":" + s.Alias)},
		}
		if version != "" {
			dimensions = append(dimensions, types.Dimension{Name: aws.String("ExecutedVersion"), Value: aws.String(version)})
		}
		return types.MetricDataQuery{Id: aws.String(id), MetricStat: &types.MetricStat{
			Metric: &types.Metric{Namespace: aws.String("AWS/Lambda"), MetricName: aws.String(metric), Dimensions: dimensions},
			Period: aws.Int32(int32(period / time.Second)), Stat: aws.String(statistic),
		}}
	}
	queries := []types.MetricDataQuery{
		query("calls", "Invocations", "Sum", ""),
		query("errors", "Errors", "Sum", ""),
		query("throttles", "Throttles", "Sum", ""),
		query("average", "Duration", "Average", ""),
		query("p99", "Duration", "p99", ""),
		query("tcalls", "Invocations", "Sum", s.Version),
		query("terrors", "Errors", "Sum", s.Version),
	}
	if s.FailedVersion != "" && s.FailedVersion != s.Version {
		queries = append(queries, query("fcalls", "Invocations", "Sum", s.FailedVersion))
	}
	return queries
}

// name is the bare name of the function, also where an ARN or a name with an
// alias was given.
func (s Subject) name() string {
	name := s.Function
	if _, rest, found := strings.Cut(name, ":function:"); found {
		name = rest
	}
	name, _, _ = strings.Cut(name, ":")
	return name
}

// concludeMetrics judges what was read.
func (r *run) concludeMetrics(ctx context.Context, s Subject, m *measured, err error, cut string) findings {
	if err != nil {
		return one("metrics", Inconclusive, "%s", r.explain(ctx, err, metricAction))
	}
	status, detail := m.judge()
	if m.partial && status == Passed {
		status, detail = Inconclusive, detail+"; CloudWatch did not give all of the data"
	}
	if cut != "" && status == Passed {
		status = Inconclusive
	}
	if cut != "" {
		detail += "; " + cut
	}
	f := one("metrics", status, "%s", detail)
	f.watched = m.table()
	if n := m.throttles(); n > 0 {
		f.notes = append(f.notes, warning("%.0f calls were throttled since the move: look at the concurrency that the function and the account have", n))
	}
	if n, _ := m.data["fcalls"].in(m.judged); n > 0 {
		f.notes = append(f.notes, warning("version %s, which was left, still got %.0f calls through the alias %s since the move", s.FailedVersion, n, s.Alias))
	}
	return f
}
