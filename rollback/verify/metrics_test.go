package verify_test

import (
	"cmp"
	"fmt"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/rollback/report"
)

func (metrics) failing(err error) metrics {
	return func(*cloudwatch.GetMetricDataInput) (*cloudwatch.GetMetricDataOutput, error) { return nil, err }
}

func (m metrics) hanging() metrics { return m.failing(errHang) }

// minute is what happened in one minute.
type minute struct {
	calls, errors, throttles float64
	version                  string // that got the calls, where AWS counts by version
}

// counts makes a CloudWatch of what happened in each minute, told by its
// distance from the beginning of the test. It has no minutes to come.
func counts(happened func(at time.Duration) minute) metrics { return countsBy(0, happened) }

// countsBy is counts by a clock that is ahead.
func countsBy(ahead time.Duration, happened func(at time.Duration) minute) metrics {
	began := time.Now().Add(ahead)
	return func(in *cloudwatch.GetMetricDataInput) (*cloudwatch.GetMetricDataOutput, error) {
		out := &cloudwatch.GetMetricDataOutput{}
		for _, q := range in.MetricDataQueries {
			result := types.MetricDataResult{Id: q.Id, StatusCode: types.StatusCodeComplete}
			for at := in.StartTime.Truncate(time.Minute); at.Before(*in.EndTime) && at.Before(time.Now().Add(ahead)); at = at.Add(time.Minute) {
				if v, there := value(q, happened(at.Sub(began))); there {
					result.Timestamps = append(result.Timestamps, at)
					result.Values = append(result.Values, v)
				}
			}
			out.MetricDataResults = append(out.MetricDataResults, result)
		}
		return out, nil
	}
}

func value(q types.MetricDataQuery, m minute) (float64, bool) {
	if dimensions := q.MetricStat.Metric.Dimensions; len(dimensions) == 3 && aws.ToString(dimensions[2].Value) != m.version {
		return 0, false
	}
	switch name := aws.ToString(q.MetricStat.Metric.MetricName); {
	case name == "Throttles":
		return m.throttles, m.calls+m.throttles > 0
	case m.calls == 0:
		return 0, false
	case name == "Invocations":
		return m.calls, true
	case name == "Errors":
		return m.errors, true
	default:
		return 120, true
	}
}

// steady is a service that has always worked, but for the failed version.
func steady(at time.Duration) minute {
	if at >= -10*time.Minute && at < 0 {
		return minute{calls: 100, errors: 50, version: "42"}
	}
	return minute{calls: 100, version: "41"}
}

// since changes steady from the move on.
func since(m minute) func(time.Duration) minute {
	return func(at time.Duration) minute {
		if at >= 0 {
			return m
		}
		return steady(at)
	}
}

func TestMetrics(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		happened func(time.Duration) minute
		change   func(*setup)
		want     report.CheckStatus
		detail   string
		note     string
		lasts    time.Duration
	}{
		"recovered": {happened: steady, want: report.CheckPassed,
			detail: "error rate now 0.0 % (0 errors in 500 calls), before the deploy 0.0 % (0 errors in 6000 calls); an increase of 5 points would have been detected"},
		"recovered, and AWS does not count by version": {happened: since(minute{calls: 100}), want: report.CheckPassed, detail: "0 errors in 500 calls"},
		"still bad": {happened: since(minute{calls: 100, errors: 40, version: "41"}), want: report.CheckFailed,
			detail: "error rate now 40 % (200 errors in 500 calls), before the deploy 0.0 % (0 errors in 6000 calls); more than chance explains (p < 0.0001)"},
		"as bad as the failed version was": {happened: since(minute{calls: 100, errors: 45, version: "41"}), want: report.CheckFailed,
			detail: "the version that was replaced failed as often, so the cause is probably not the code"},
		"two errors of a few calls": {happened: func(at time.Duration) minute {
			switch at {
			case time.Minute, 3 * time.Minute:
				return minute{calls: 4, errors: 1, version: "41"}
			default:
				return minute{calls: 4, version: "41"}
			}
		}, want: report.CheckInconclusive, detail: "error rate now 10 % (2 errors in 20 calls), before the deploy 0.0 % (0 errors in 240 calls); more than chance explains (p = 0.0056), but not in both halves of the time"},
		"few calls and no errors": {happened: func(time.Duration) minute { return minute{calls: 4, version: "41"} }, want: report.CheckInconclusive,
			detail: "too few calls to tell: 20 seen, about 234 needed"},
		"bad at the beginning alone": {happened: func(at time.Duration) minute {
			if at == 0 || at == time.Minute {
				return minute{calls: 100, errors: 40, version: "41"}
			}
			return steady(at)
		}, want: report.CheckInconclusive, detail: "but not in both halves of the time"},
		"still bad, by alias":        {happened: since(minute{calls: 100, errors: 40}), want: report.CheckFailed, detail: "error rate now 40 %"},
		"as bad as it always was":    {happened: func(time.Duration) minute { return minute{calls: 200, errors: 10, version: "41"} }, want: report.CheckPassed, detail: "before the deploy 5.0 %"},
		"a single error in hundreds": {happened: since(minute{calls: 101, errors: 1, version: "41"}), want: report.CheckPassed, detail: "error rate now 1.0 % (5 errors in 505 calls)"},
		"nobody calls any more": {happened: since(minute{}), want: report.CheckInconclusive,
			detail: "no calls since the move, and missing data does not mean healthy", lasts: 8*time.Minute + 30*time.Second},
		"nobody ever called: nothing to wait for": {happened: func(time.Duration) minute { return minute{} }, want: report.CheckInconclusive,
			detail: "missing data does not mean healthy", lasts: 7 * time.Minute},
		"all is throttled": {happened: since(minute{throttles: 7}), want: report.CheckInconclusive, detail: "every call since the move was throttled (35)", note: "35 calls were throttled"},
		"some are throttled": {happened: since(minute{calls: 100, throttles: 1, version: "41"}), want: report.CheckPassed,
			detail: "5 calls throttled", note: "check the concurrency"},
		"most are throttled": {happened: since(minute{calls: 10, throttles: 90, version: "41"}), want: report.CheckInconclusive,
			detail: "450 calls throttled; more calls were throttled than usual", note: "check the concurrency"},
		"as many are throttled as always": {happened: func(time.Duration) minute { return minute{calls: 30, throttles: 270, version: "41"} }, want: report.CheckPassed,
			note: "check the concurrency"},
		"AWS stops counting by version when one serves alone, which fails": {happened: func(at time.Duration) minute {
			if at <= 0 {
				return minute{calls: 10, version: "41"}
			}
			return minute{calls: 100, errors: 60}
		}, want: report.CheckFailed, detail: "error rate now 59 %"},
		"AWS stops counting by version when one serves alone, which is well": {happened: func(at time.Duration) minute {
			if at <= 0 {
				return minute{calls: 10, version: "41"}
			}
			return minute{calls: 100}
		}, want: report.CheckPassed, detail: "0 errors in 410 calls"},
		"the failed version is still called": {happened: since(minute{calls: 100, version: "42"}), want: report.CheckPassed,
			detail: "0 errors in 500 calls", note: "version 42, which was replaced, still received 400 calls through the alias live"},
		"the first minute alone is bad, by alias": {happened: func(at time.Duration) minute {
			if at == 0 {
				return minute{calls: 100, errors: 90}
			}
			return minute{calls: cmp.Or(steady(at).calls, 100)}
		}, want: report.CheckInconclusive, detail: "may still be errors of the failed version"},
		"the traffic followed the alias four minutes later": {happened: func(at time.Duration) minute {
			m := steady(at)
			m.version = ""
			return m
		}, change: func(s *setup) { s.subject.MovedAt = s.subject.MovedAt.Add(-4 * time.Minute) },
			want: report.CheckPassed, detail: "0 errors in 500 calls"},
		"the time of the deploy is not known": {happened: steady, change: func(s *setup) { s.subject.DeployedAt = time.Time{} },
			want: report.CheckInconclusive, detail: "there is no data from before the deploy"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { // its time begins at a full minute
				s := newSetup()
				s.Options.Observe = 5 * time.Minute
				s.clients.Metrics = counts(c.happened)
				if c.change != nil {
					c.change(s)
				}
				v := s.verify()
				got := find(t, v, "metrics")
				assert.Equal(t, c.want, got.Status, got.Detail)
				assert.Contains(t, got.Detail, c.detail)
				assert.Contains(t, noteTexts(v), c.note)
				if c.lasts != 0 {
					assert.Equal(t, c.lasts, v.Ended.Sub(v.Started))
				}
			})
		})
	}
}

func TestMetricsThatComeLateAreWaitedFor(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSetup()
		s.Options.Observe = time.Minute
		began := time.Now()
		s.clients.Metrics = counts(func(at time.Duration) minute {
			if at >= 0 && time.Since(began) < 100*time.Second {
				return minute{}
			}
			return steady(at)
		})
		v := s.verify()
		assert.Equal(t, report.CheckPassed, find(t, v, "metrics").Status)
		assert.Equal(t, 2*time.Minute, v.Ended.Sub(v.Started), "as long again as a watch of a minute")
	})
}

func TestMetricsInTheMinuteOfTheMove(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(30 * time.Second) // the move is in the middle of a minute
		s := newSetup()
		s.Options.Observe = 5 * time.Minute
		s.clients.Metrics = counts(func(at time.Duration) minute {
			if at < 0 {
				return minute{calls: 100, errors: 90} // the minute of the move, too
			}
			return minute{calls: 100}
		})
		got := find(t, s.verify(), "metrics")
		assert.Equal(t, report.CheckPassed, got.Status, got.Detail)
		assert.Contains(t, got.Detail, "error rate now 0.0 %")
	})
}

// CloudWatch's minutes are AWS's, and so are the times that the checks are given: by
// the clock of a machine that is behind, the failed version's last errors would be of
// after the move, and by one that is ahead, there would be no calls yet.
func TestMetricsWhereTheMachinesClockIsWrong(t *testing.T) {
	t.Parallel()
	for _, ahead := range []time.Duration{0, 4 * time.Minute, -4 * time.Minute} {
		t.Run(ahead.String(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newSetup()
				s.Options.Observe = 5 * time.Minute
				s.subject.DeployedAt = s.subject.DeployedAt.Add(ahead)
				answers := countsBy(ahead, func(at time.Duration) minute {
					m := steady(at)
					m.version = ""
					return m
				})
				s.clients.Metrics = answers
				s.Clock, s.subject.MovedAt = clockAhead{ahead: ahead}, s.subject.MovedAt.Add(ahead)
				got := find(t, s.verify(), "metrics")
				assert.Equal(t, report.CheckPassed, got.Status, got.Detail)
				assert.Contains(t, got.Detail, "0 errors in 500 calls), before the deploy 0.0 % (0 errors in 6000 calls)")
			})
		})
	}
}

// Beside a canary the target had calls before the move, in its very minute: they
// say nothing about the time after it.
func TestMetricsWhereTheTargetServedBefore(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		servedBefore bool
		want         report.CheckStatus
	}{"beside a canary": {true, report.CheckInconclusive}, "not before the move": {false, report.CheckPassed}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				time.Sleep(30 * time.Second) // the move is in the middle of a minute
				s := newSetup()
				s.Options.Observe, s.subject.ServedBefore = 5*time.Minute, c.servedBefore
				s.clients.Metrics = counts(func(at time.Duration) minute {
					if at < 0 {
						return minute{calls: 100, version: "41"} // the minute of the move, too
					}
					return minute{}
				})
				got := find(t, s.verify(), "metrics")
				assert.Equal(t, c.want, got.Status, got.Detail)
			})
		})
	}
}

func TestMetricsAskWithAMarginOfTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSetup()
		s.Options.Observe = 5 * time.Minute
		s.subject.Function = "arn:aws:lambda:eu-west-1:123456789012:function:api:live"
		s.subject.DeployedAt = s.subject.MovedAt.Add(-30 * 24 * time.Hour)
		moved := s.subject.MovedAt
		var spans []string
		answers := counts(steady)
		s.clients.Metrics = metrics(func(in *cloudwatch.GetMetricDataInput) (*cloudwatch.GetMetricDataOutput, error) {
			spans = append(spans, fmt.Sprintf("%s to %s", in.StartTime.Sub(moved), in.EndTime.Sub(moved)))
			metric := in.MetricDataQueries[0].MetricStat.Metric
			assert.Equal(t, "api", aws.ToString(metric.Dimensions[0].Value))
			assert.Equal(t, "api:live", aws.ToString(metric.Dimensions[1].Value))
			return answers(in)
		})
		s.verify()
		assert.Equal(t, []string{"-721h1m0s to -719h59m0s", "-3h1m0s to 6m0s"}, spans, "a version that failed for a month is asked about for three hours")
	})
}

func TestMetricsOfSeveralPages(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		pages int
		want  report.CheckStatus
	}{
		"two":     {2, report.CheckPassed},
		"endless": {1000, report.CheckInconclusive},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newSetup()
				s.Options.Observe = 5 * time.Minute
				answers, calls := counts(steady), 0
				s.clients.Metrics = metrics(func(in *cloudwatch.GetMetricDataInput) (*cloudwatch.GetMetricDataOutput, error) {
					out, err := answers(in)
					calls++
					if aws.ToString(in.NextToken) != strconv.Itoa(c.pages-1) {
						n := 1
						if in.NextToken != nil {
							_, err := fmt.Sscan(*in.NextToken, &n)
							assert.NoError(t, err)
							n++
						}
						out.NextToken = str(strconv.Itoa(n))
					}
					return out, err
				})
				got := find(t, s.verify(), "metrics")
				assert.Equal(t, c.want, got.Status, got.Detail)
				assert.LessOrEqual(t, calls, 10)
			})
		})
	}
}

func TestMetricsMakeATable(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSetup()
		s.Options.Observe = 5 * time.Minute
		s.clients.Metrics = counts(steady)
		v := s.verify()
		require.NotNil(t, v.Watched)
		assert.Equal(t, 5*time.Minute, v.Watched.Before)
		assert.Equal(t, 10*time.Minute, v.Watched.Failing)
		assert.Equal(t, 4*time.Minute, v.Watched.Now, "the minute of the move is the failed version's, too")
		row := v.Watched.Rows[2]
		assert.Equal(t, "Error rate", row.Name)
		assert.Equal(t, []report.Amount{report.Known(0), report.Known(50), report.Known(0)},
			[]report.Amount{row.Before.Total, row.Failing.Total, row.Now.Total})
		assert.Equal(t, "▁▁▁▁▁┊██████████┊▁▁▁▁▁", row.Sparkline())
		assert.Equal(t, report.Known(120), v.Watched.Rows[4].Now.Total)
	})
}
