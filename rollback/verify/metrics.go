package verify

import (
	"context"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/org/lambda-rollback-action/rollback/aws"
	"github.com/org/lambda-rollback-action/rollback/report"
)

// MetricReader is the part of the CloudWatch API that reads metrics.
type MetricReader interface {
	GetMetricData(context.Context, *cloudwatch.GetMetricDataInput, ...func(*cloudwatch.Options)) (*cloudwatch.GetMetricDataOutput, error)
}

const (
	metricAction = "cloudwatch:GetMetricData"
	// period is the finest resolution of Lambda's metrics.
	period = time.Minute
	// skew is the assumed maximum difference between the clock of a run and
	// CloudWatch's, which goes unnoticed.
	skew = time.Minute
	// lateLimit is how long to wait for metrics if there was traffic before, because
	// Lambda's metrics arrive a minute or more late. latePoll is the pause between
	// two reads.
	lateLimit = 90 * time.Second
	latePoll  = 15 * time.Second
	// longestFailing limits how far back metrics are read, because a version can have
	// failed for weeks before somebody rolls it back manually.
	longestFailing = 3 * time.Hour
	maxPages       = 5

	// usualTime is the minimum length of the baseline before the deploy, with which
	// the time after the move is compared.
	usualTime = time.Hour
	// coveredShare is the share of the calls that must be counted by version for the
	// counts by version to be used.
	coveredShare = 0.9
)

// metricCheck judges the calls and errors of one function.
type metricCheck struct {
	run     *run
	subject Subject
}

func (r *run) metricChecks(s Subject) []check {
	if r.options.Observe <= 0 {
		return nil
	}
	return []check{metricCheck{r, s}}
}

func (c metricCheck) verify(ctx context.Context) result {
	m, cut, err := c.run.watchTraffic(ctx, c.subject, c.read)
	switch {
	case m == nil:
		return newResult("metrics", report.CheckInconclusive, "%s", cut)
	case err != nil:
		return newResult("metrics", report.CheckInconclusive, "%s", c.run.explain(ctx, err, metricAction))
	}
	return c.conclude(m, cut)
}

// preflight reads the metrics of the last minutes.
func (c metricCheck) preflight(ctx context.Context) []Preflight {
	limited, cancel := context.WithTimeoutCause(ctx, readLimit, errReadLimit)
	defer cancel()
	now := c.run.clock.Now()
	if err := c.read(limited, span{now.Add(-preflightWindow), now}, newMeasurements(windows{})); err != nil {
		return c.run.refused(limited, "metrics", err, metricAction)
	}
	return newPreflight("metrics", report.CheckPassed, "readable")
}

func (c metricCheck) read(ctx context.Context, w span, m *measurements) error {
	return c.run.metricData(ctx, c.subject.Region, w, metricQueries(c.subject), m)
}

// reader reads the metrics of one span of time.
type reader func(ctx context.Context, w span, m *measurements) error

const (
	// publishing is how long CloudWatch takes to publish the metrics of a minute.
	publishing = 2 * time.Minute
	// longestCount limits the wait for calls that are still running. Calls that fail
	// later are not seen.
	longestCount = 5 * time.Minute
)

// countedAfter returns how long after the observation period the metrics of its last
// minutes are complete. Lambda assigns metrics to the start of an invocation, so a
// slow failure is counted late. The wait is never longer than the observation period
// itself.
func countedAfter(s Subject, observe time.Duration) time.Duration {
	return min(publishing+s.Timeout, longestCount, observe)
}

// watchTraffic reads the metrics at the end of the observation period. If there was
// traffic before and there seems to be none now, CloudWatch may be late, so it
// continues to read for a while. m is nil if ctx ended before the metrics were read:
// there is nothing to judge then.
func (r *run) watchTraffic(ctx context.Context, s Subject, read reader) (m *measurements, cut string, err error) {
	cut = r.sleepUntilObserved()
	if cut == "" { // the last minutes are not counted yet
		cut = r.sleepWatching(countedAfter(s, r.options.Observe))
	}
	if ctx.Err() != nil {
		return nil, cut, nil
	}
	late, cancel := context.WithTimeout(r.watching, lateLimit)
	defer cancel()
	reading, cancelReading := context.WithTimeoutCause(ctx, lateLimit+readLimit, errReadLimit)
	defer cancelReading()
	for {
		m = newMeasurements(r.newWindows(s))
		err = measure(reading, m, read)
		waits := err == nil && cut == "" && m.noCalls() && m.hadCalls()
		if !waits || r.clock.Sleep(late, latePoll) != nil {
			return m, cut, err
		}
	}
}

// measure reads the metrics. The baseline is read separately, because it can be much
// earlier.
func measure(ctx context.Context, m *measurements, read reader) error {
	for _, w := range []span{m.windows.usual, {m.windows.failing.from, m.windows.now.to}} {
		if w.length() == 0 {
			continue
		}
		if err := read(ctx, w, m); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) metricData(ctx context.Context, region string, w span, queries []types.MetricDataQuery, m *measurements) error {
	in := &cloudwatch.GetMetricDataInput{
		StartTime: sdk.Time(w.from.Add(-skew)), EndTime: sdk.Time(w.to.Add(skew)),
		MetricDataQueries: queries, ScanBy: types.ScanByTimestampAscending,
	}
	for range maxPages {
		out, err := aws.Do(ctx, r.retry, "GetMetricData", func(ctx context.Context) (*cloudwatch.GetMetricDataOutput, error) {
			return r.regions[region].Metrics.GetMetricData(ctx, in)
		})
		if err != nil {
			return err
		}
		for i := range out.MetricDataResults {
			m.add(&out.MetricDataResults[i])
		}
		if in.NextToken = out.NextToken; sdk.ToString(in.NextToken) == "" {
			return nil
		}
	}
	m.partial = true
	return nil
}

func (m *measurements) add(result *types.MetricDataResult) {
	m.partial = m.partial || result.StatusCode == types.StatusCodeInternalError || result.StatusCode == types.StatusCodeForbidden
	id := sdk.ToString(result.Id)
	if m.data[id] == nil {
		m.data[id] = series{}
	}
	for i := range min(len(result.Timestamps), len(result.Values)) {
		m.data[id][result.Timestamps[i].Truncate(period).Unix()] = result.Values[i]
	}
}

// metricQueries returns the queries for the alias as a whole and for each of the two
// versions behind it. AWS counts by version at least while both versions serve.
func metricQueries(s Subject) []types.MetricDataQuery {
	query := func(id, metric, statistic, version string) types.MetricDataQuery {
		dimensions := []types.Dimension{
			{Name: sdk.String("FunctionName"), Value: sdk.String(s.name())},
			{Name: sdk.String("Resource"), Value: sdk.String(s.name() + ":" + s.Alias)},
		}
		if version != "" {
			dimensions = append(dimensions, types.Dimension{Name: sdk.String("ExecutedVersion"), Value: sdk.String(version)})
		}
		return types.MetricDataQuery{Id: sdk.String(id), MetricStat: &types.MetricStat{
			Metric: &types.Metric{Namespace: sdk.String("AWS/Lambda"), MetricName: sdk.String(metric), Dimensions: dimensions},
			Period: sdk.Int32(int32(period / time.Second)), Stat: sdk.String(statistic),
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

// conclude judges the measurements.
func (c metricCheck) conclude(m *measurements, cut string) result {
	status, detail := m.judge()
	if m.partial && status == report.CheckPassed {
		status, detail = report.CheckInconclusive, detail+"; CloudWatch did not return all of the data"
	}
	res := newResult("metrics", status, "%s", detail)
	res.cutShort(cut)
	res.watched = m.table()
	if n := m.throttles(); n > 0 {
		res.notes = append(res.notes, warning("%.0f calls were throttled since the move: check the concurrency of the function and the account", n))
	}
	if n, _ := m.data["fcalls"].in(m.windows.judged); n > 0 {
		res.notes = append(res.notes, warning("version %s, which was replaced, still received %.0f calls through the alias %s since the move",
			c.subject.FailedVersion, n, c.subject.Alias))
	}
	return res
}
