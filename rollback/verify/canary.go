package verify

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	lambdatypes "github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/org/lambda-rollback-action/rollback/errorrate"
	"github.com/org/lambda-rollback-action/rollback/report"
)

// Counts returns the calls of an alias by minute, from one time to another, for each
// of the versions in order. An empty version means the alias as a whole. A minute in
// which nothing was counted is left out.
func (v *Verifier) Counts(ctx context.Context, s Subject, from, to time.Time, versions ...string) ([][]errorrate.Minute, error) {
	if !from.Before(to) {
		return make([][]errorrate.Minute, len(versions)), nil
	}
	r := v.newRun(ctx, []Subject{s})
	defer r.endWatch(nil)
	limited, cancel := context.WithTimeoutCause(ctx, readLimit, errReadLimit)
	defer cancel()
	var queries []types.MetricDataQuery
	for i, version := range versions {
		for _, metric := range []string{"Invocations", "Errors", "Throttles"} {
			queries = append(queries, countQuery(s, metric, i, version))
		}
	}
	m := newMeasurements(windows{})
	if err := r.metricData(limited, s.Region, span{from, to}, queries, m); err != nil {
		return nil, fmt.Errorf("%s", r.explain(limited, err, metricAction))
	}
	if m.partial {
		return nil, errPartial
	}
	out := make([][]errorrate.Minute, len(versions))
	for i := range versions {
		for t := from; t.Before(to); t = t.Add(period) {
			calls, called := m.data[countID("Invocations", i)][t.Unix()]
			throttles, throttled := m.data[countID("Throttles", i)][t.Unix()]
			if called || throttled {
				out[i] = append(out[i], errorrate.Minute{
					Start: t, Calls: int(calls), Errors: int(m.data[countID("Errors", i)][t.Unix()]), Throttles: int(throttles),
				})
			}
		}
	}
	return out, nil
}

// errPartial is returned if a response from CloudWatch is incomplete: the missing
// part could be the errors.
var errPartial = errors.New("CloudWatch did not return all of the data")

func countID(metric string, version int) string {
	return map[string]string{"Invocations": "calls", "Errors": "errors", "Throttles": "throttles"}[metric] + strconv.Itoa(version)
}

func countQuery(s Subject, metric string, i int, version string) types.MetricDataQuery {
	dimensions := []types.Dimension{
		{Name: sdk.String("FunctionName"), Value: sdk.String(s.name())},
		{Name: sdk.String("Resource"), Value: sdk.String(s.name() + ":" + s.Alias)},
	}
	if version != "" {
		dimensions = append(dimensions, types.Dimension{Name: sdk.String("ExecutedVersion"), Value: sdk.String(version)})
	}
	return types.MetricDataQuery{Id: sdk.String(countID(metric, i)), MetricStat: &types.MetricStat{
		Metric: &types.Metric{Namespace: sdk.String("AWS/Lambda"), MetricName: sdk.String(metric), Dimensions: dimensions},
		Period: sdk.Int32(int32(period / time.Second)), Stat: sdk.String("Sum"),
	}}
}

// Ringing returns the alarms that are in ALARM now, by their names for people. known
// is false if an alarm could not be read or does not exist.
func (v *Verifier) Ringing(ctx context.Context, subjects []Subject) (names []string, known bool) {
	if len(v.Options.Alarms) == 0 {
		return nil, true
	}
	r := v.newRun(ctx, subjects)
	defer r.endWatch(nil)
	known = true
	for _, c := range r.alarmChecks(subjects) {
		w, is := c.(*alarmWatch)
		if !is {
			continue
		}
		unread, err := w.read(ctx)
		if err != nil {
			r.log.Infof("alarms%s: %s", w.inRegion(unread), r.explain(ctx, err, alarmAction))
			known = false
		}
		for _, name := range w.names {
			states := w.states(name)
			if _, rings := states[types.StateValue("ALARM")]; rings {
				names = append(names, w.title(name))
			}
			known = known && len(states) > 0
		}
	}
	slices.Sort(names)
	return names, known
}

// PreflightPromotion reports whether a promotion could count the calls of a function
// and, if requested, invoke the subject's version by its number. It runs no function
// and changes nothing.
func (v *Verifier) PreflightPromotion(ctx context.Context, s Subject) []Preflight {
	const metrics, invoke = "promotion: metrics", "promotion: invoke by number"
	r := v.newRun(ctx, []Subject{s})
	defer r.endWatch(nil)
	limited, cancel := context.WithTimeoutCause(ctx, readLimit, errReadLimit)
	defer cancel()
	now := r.clock.Now()
	out := newPreflight(metrics, report.CheckPassed, "readable")
	if err := r.metricData(limited, s.Region, span{now.Add(-preflightWindow), now}, []types.MetricDataQuery{countQuery(s, "Invocations", 0, s.Version)}, newMeasurements(windows{})); err != nil {
		out = r.refused(limited, metrics, err, metricAction)
	}
	if len(r.options.InvokePayload) == 0 {
		return out
	}
	if err := (invokeCheck{r, s}).dryRun(limited, s.Version); err != nil {
		return append(out, r.refused(limited, invoke, err, invokeAction)...)
	}
	return append(out, newPreflight(invoke, report.CheckPassed, "allowed for version %s (as a dry run: the function did not run)", s.Version)...)
}

// InvokeVersion invokes one version of a function by its number, not through the
// alias, before it has any traffic. It makes times concurrent invocations, but at
// least one.
func (v *Verifier) InvokeVersion(ctx context.Context, s Subject, times int) Verdict {
	r := v.newRun(ctx, []Subject{s})
	defer r.endWatch(nil)
	results := make([]result, max(times, 1))
	var wait sync.WaitGroup
	for i := range results {
		wait.Go(func() { results[i] = r.invokeVersion(ctx, s) })
	}
	wait.Wait()
	worst := results[0]
	for _, res := range results[1:] {
		if judge(res.checks) == report.NotHealthy && judge(worst.checks) != report.NotHealthy {
			worst = res
		}
	}
	if len(results) > 1 {
		worst.checks[0].Detail = fmt.Sprintf("%s (%d concurrent calls)", worst.checks[0].Detail, len(results))
	}
	r.note(worst)
	return newVerdict(worst, r.started, r.clock.Now())
}

func (r *run) invokeVersion(ctx context.Context, s Subject) result {
	const name = "invoke"
	limited, cancel := context.WithTimeoutCause(ctx, invokeLimit, errInvokeLimit)
	defer cancel()
	for try := 1; ; try++ {
		asked := r.clock.Now()
		out, err := r.regions[s.Region].Lambda.Invoke(limited, &lambda.InvokeInput{
			FunctionName: sdk.String(s.address()), Qualifier: &s.Version,
			InvocationType: lambdatypes.InvocationTypeRequestResponse, LogType: lambdatypes.LogTypeTail, Payload: r.options.InvokePayload,
		})
		switch {
		case limited.Err() != nil:
			return newResult(name, report.CheckInconclusive, "version %s: %s", s.Version, context.Cause(limited))
		case err == nil:
			// An invocation by number can run only that version, so there is nothing
			// to wait for.
			return invokeCheck{r, s}.judge(out, r.clock.Now().Sub(asked))
		case mayPass(err, try):
			_ = r.clock.Sleep(limited, r.retry.Pause(r.clock.Now(), try, err))
		default:
			return invokeCheck{r, s}.failed(ctx, err)
		}
	}
}
