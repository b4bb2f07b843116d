package verify

import (
	"context"
	"fmt"
	"slices"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// apiCheck observes the errors that callers of an API receive, in all regions of the
// functions together.
type apiCheck struct {
	run     *run
	api     string
	regions []string
	subject Subject // its deploy is the time of the failure
}

// apiChecks returns one check per API. The time of the failure is that of the first
// subject whose deploy is known.
func (r *run) apiChecks(subjects []Subject) []check {
	if r.options.Observe <= 0 || len(subjects) == 0 {
		return nil
	}
	first := slices.IndexFunc(subjects, func(s Subject) bool { return !s.DeployedAt.IsZero() })
	var regions []string
	for _, s := range subjects {
		regions = append(regions, s.Region)
	}
	slices.Sort(regions)
	regions = slices.Compact(regions)
	var checks []check
	for _, api := range r.options.APIs {
		checks = append(checks, apiCheck{run: r, api: api, regions: regions, subject: subjects[max(first, 0)]})
	}
	return checks
}

func (c apiCheck) verify(ctx context.Context) result {
	r, name := c.run, "API "+c.run.sanitize(c.api, reasonLimit)
	m, cut, err := r.watchTraffic(ctx, c.subject, c.read)
	switch {
	case m == nil:
		return newResult(name, report.CheckInconclusive, "%s", cut)
	case err != nil:
		return newResult(name, report.CheckInconclusive, "%s", r.explain(ctx, err, metricAction))
	}
	status, detail := m.judge()
	if status == report.CheckPassed && m.partial {
		status = report.CheckInconclusive
	}
	out := newResult(name, status, "5xx responses: %s", detail)
	out.cutShort(cut)
	return out
}

// preflight does nothing, because the metrics of the functions require the same
// permission, and their preflight tries it.
func (apiCheck) preflight(context.Context) []Preflight { return nil }

// read reads the calls and errors in the regions of the functions.
func (c apiCheck) read(ctx context.Context, w span, m *measurements) error {
	var calls, errors []string
	for n, region := range c.regions {
		queries := apiQueries(c.api, n)
		if err := c.run.metricData(ctx, region, w, queries, m); err != nil {
			return err
		}
		calls = append(calls, *queries[0].Id, *queries[1].Id)
		errors = append(errors, *queries[2].Id, *queries[3].Id)
	}
	m.sum("calls", calls)
	m.sum("errors", errors)
	return nil
}

// apiQueries returns the queries for a REST API with this name and for an HTTP API
// with this ID, so the user need not say which one it is. The queries for calls come
// first, then those for errors. n makes the IDs different for each region.
func apiQueries(api string, n int) []types.MetricDataQuery {
	query := func(id, metric, dimension string) types.MetricDataQuery {
		return types.MetricDataQuery{Id: sdk.String(fmt.Sprintf("%s%d", id, n)), MetricStat: &types.MetricStat{
			Metric: &types.Metric{
				Namespace: sdk.String("AWS/ApiGateway"), MetricName: sdk.String(metric),
				Dimensions: []types.Dimension{{Name: sdk.String(dimension), Value: sdk.String(api)}},
			},
			Period: sdk.Int32(int32(period / time.Second)), Stat: sdk.String("Sum"),
		}}
	}
	return []types.MetricDataQuery{
		query("restcalls", "Count", "ApiName"),
		query("httpcalls", "Count", "ApiId"),
		query("resterrors", "5XXError", "ApiName"),
		query("httperrors", "5xx", "ApiId"),
	}
}

// sum adds several series into one. It replaces the previous sum, so data that is
// read again counts once.
func (m *measurements) sum(into string, from []string) {
	all := series{}
	for _, id := range from {
		for at, value := range m.data[id] {
			all[at] += value
		}
	}
	m.data[into] = all
}
