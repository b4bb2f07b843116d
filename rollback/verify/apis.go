package verify

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// apiCheck watches the errors that callers of an API get, in every region of the
// subjects together.
type apiCheck struct {
	run     *run
	api     string
	subject Subject // the one whose deploy gives the time of the failure
}

// apiChecks takes the time of the failure from the first subject whose deploy is
// known.
func (r *run) apiChecks(subjects []Subject) []check {
	if r.options.Observe <= 0 || len(subjects) == 0 {
		return nil
	}
	first := slices.IndexFunc(subjects, func(s Subject) bool { return !s.DeployedAt.IsZero() })
	var checks []check
	for _, api := range r.options.APIs {
		checks = append(checks, apiCheck{run: r, api: api, subject: subjects[max(first, 0)]})
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
	out := newResult(name, status, "answers 5xx: %s", detail)
	out.cutShort(cut)
	return out
}

// preflight tries nothing: the metrics of the functions need the same permission,
// and are tried.
func (apiCheck) preflight(context.Context) []Preflight { return nil }

// read reads the calls and errors of all regions.
func (c apiCheck) read(ctx context.Context, w span, m *measurements) error {
	var calls, errors []string
	for n, region := range slices.Sorted(maps.Keys(c.run.regions)) {
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

// apiQueries asks for a REST API by its name and for an HTTP API by its id:
// which of the two it is, nobody has to say. Calls come first, then errors; n
// tells the regions apart.
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

// sum makes one series of several. What is read again counts once.
func (m *measurements) sum(into string, from []string) {
	all := series{}
	for _, id := range from {
		for at, value := range m.data[id] {
			all[at] += value
		}
	}
	m.data[into] = all
}
