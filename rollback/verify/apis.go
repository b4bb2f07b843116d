package verify

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// apiChecks watches the errors that callers of the APIs get, in every region of
// the subjects together. The time of the failure is that of the first subject
// whose deploy is known.
func (r *run) apiChecks(subjects []Subject) []check {
	if r.Observe <= 0 {
		return nil
	}
	first := slices.IndexFunc(subjects, func(s Subject) bool { return !s.DeployedAt.IsZero() })
	s := subjects[max(first, 0)]
	var checks []check
	for _, api := range r.APIs {
		checks = append(checks, func(ctx context.Context) findings { return r.api(ctx, api, s) })
	}
	return checks
}

func (r *run) api(ctx context.Context, api string, s Subject) findings {
	name := "API " + r.outside(api, reasonLimit)
	m, cut, err := r.watchTraffic(ctx, r.windows, s, func(ctx context.Context, w span, m *measured) error {
		var calls, errors []string
		for n, region := range slices.Sorted(maps.Keys(r.regions)) {
			queries := apiQueries(api, n)
			if err := r.metricData(ctx, region, w, queries, m); err != nil {
				return err
			}
			calls = append(calls, *queries[0].Id, *queries[1].Id)
			errors = append(errors, *queries[2].Id, *queries[3].Id)
		}
		m.sum("calls", calls)
		m.sum("errors", errors)
		return nil
	})
	switch {
	case m == nil:
		return one(name, Inconclusive, "%s", cut)
	case err != nil:
		return one(name, Inconclusive, "%s", r.explain(ctx, err, metricAction))
	}
	status, detail := m.judge()
	if cut != "" {
		detail += "; " + cut
	}
	if status == Passed && (cut != "" || m.partial) {
		status = Inconclusive
	}
	return one(name, status, "answers 5xx: %s", detail)
}

// apiQueries asks for a REST API by its name and for an HTTP API by its id:
// which of the two it is, nobody has to say. Calls come first, then errors; n
// tells the regions apart.
func apiQueries(api string, n int) []types.MetricDataQuery {
	query := func(id, metric, dimension string) types.MetricDataQuery {
		return types.MetricDataQuery{Id: aws.String(fmt.Sprintf("%s%d", id, n)), MetricStat: &types.MetricStat{
			Metric: &types.Metric{
				Namespace: aws.String("AWS/ApiGateway"), MetricName: aws.String(metric),
				Dimensions: []types.Dimension{{Name: aws.String(dimension), Value: aws.String(api)}},
			},
			Period: aws.Int32(int32(period / time.Second)), Stat: aws.String("Sum"),
		}}
	}
	return []types.MetricDataQuery{
		query("restcalls", "Count", "ApiName"),
		query("httpcalls", "Count", "ApiId"),
		query("resterrors", "5XXError", "ApiName"),
		query("httperrors", "5xx", "ApiId"),
	}
}

// sum makes one series of several. What is read again counts once.
func (m *measured) sum(into string, from []string) {
	all := series{}
	for _, id := range from {
		for at, value := range m.data[id] {
			all[at] += value
		}
	}
	m.data[into] = all
}
