package verify_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/stretchr/testify/assert"

	"github.com/org/lambda-rollback-action/rollback/report"
	"github.com/org/lambda-rollback-action/rollback/verify"
)

// gateway counts an API's calls and its 5xx answers by the minute, under the
// names that API Gateway has for one of its two kinds.
func gateway(dimension, errorMetric string, errors func(at time.Duration) float64) metrics {
	began := time.Now()
	return func(in *cloudwatch.GetMetricDataInput) (*cloudwatch.GetMetricDataOutput, error) {
		out := &cloudwatch.GetMetricDataOutput{}
		for _, q := range in.MetricDataQueries {
			result := types.MetricDataResult{Id: q.Id, StatusCode: types.StatusCodeComplete}
			metric := q.MetricStat.Metric
			name := aws.ToString(metric.MetricName)
			if aws.ToString(metric.Namespace) == "AWS/ApiGateway" && aws.ToString(metric.Dimensions[0].Name) == dimension && (name == "Count" || name == errorMetric) {
				for at := in.StartTime.Truncate(time.Minute); at.Before(*in.EndTime) && at.Before(time.Now()); at = at.Add(time.Minute) {
					value := 100.0
					if name == errorMetric {
						value = errors(at.Sub(began))
					}
					result.Timestamps = append(result.Timestamps, at)
					result.Values = append(result.Values, value)
				}
			}
			out.MetricDataResults = append(out.MetricDataResults, result)
		}
		return out, nil
	}
}

func TestAPIs(t *testing.T) {
	t.Parallel()
	ends := func(at time.Duration) float64 {
		if at >= -10*time.Minute && at < 0 {
			return 50
		}
		return 0
	}
	goesOn := func(at time.Duration) float64 {
		if at >= -10*time.Minute {
			return 50
		}
		return 0
	}
	for name, c := range map[string]struct {
		dimension, metric string
		errors            func(time.Duration) float64
		status            report.CheckStatus
		detail            string
	}{
		"a REST API that is well again":  {"ApiName", "5XXError", ends, report.CheckPassed, "5xx responses: error rate now 0.0 % (0 errors in"},
		"an HTTP API that is well again": {"ApiId", "5xx", ends, report.CheckPassed, "5xx responses: error rate now 0.0 %"},
		"a REST API that goes on":        {"ApiName", "5XXError", goesOn, report.CheckFailed, "error rate now 50 %"},
		"an HTTP API that goes on":       {"ApiId", "5xx", goesOn, report.CheckFailed, "before the deploy 0.0 % (0 errors in 6000 calls)"},
		"an API that nobody calls":       {"Nothing", "", ends, report.CheckInconclusive, "missing data does not mean healthy"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newSetup()
				s.Options.Observe, s.Options.APIs = 5*time.Minute, []string{"shop"}
				s.clients.Metrics = gateway(c.dimension, c.metric, c.errors)
				got := find(t, s.verify(), "API shop")
				assert.Equal(t, c.status, got.Status, got.Detail)
				assert.Contains(t, got.Detail, c.detail)
			})
		})
	}
}

func TestAnAPIWithoutThePermission(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSetup()
		s.Options.Observe, s.Options.APIs = time.Minute, []string{"shop"}
		s.clients.Metrics = metrics(nil).failing(awsError(403, "AccessDeniedException"))
		got := find(t, s.verify(), "API shop")
		assert.Equal(t, report.CheckInconclusive, got.Status)
		assert.Contains(t, got.Detail, "cloudwatch:GetMetricData")
	})
}

// The region of an alarm can have another API of that name.
func TestAnAPIIsReadInTheRegionsOfTheFunctions(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSetup()
		s.Options.Observe, s.Options.APIs = 5*time.Minute, []string{"shop"}
		s.Options.Alarms = []verify.Alarm{{Name: "site", Region: "us-east-1"}}
		asked := map[string]bool{}
		healthy := gateway("ApiName", "5XXError", func(time.Duration) float64 { return 0 })
		s.AWS = func(region string) verify.Clients {
			clients := s.clients
			clients.Alarms = inStates(map[string]types.StateValue{"site": inOK})
			clients.Metrics = metrics(func(in *cloudwatch.GetMetricDataInput) (*cloudwatch.GetMetricDataOutput, error) {
				if aws.ToString(in.MetricDataQueries[0].MetricStat.Metric.Namespace) == "AWS/ApiGateway" {
					asked[region] = true
				}
				return healthy(in)
			})
			return clients
		}
		got := find(t, s.verify(), "API shop")
		assert.Equal(t, report.CheckPassed, got.Status, got.Detail)
		assert.Equal(t, map[string]bool{"eu-west-1": true}, asked)
	})
}
