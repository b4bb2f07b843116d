package verify

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	logtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// aheadWindow is how far back it is tried whether metrics and logs can be read.
const aheadWindow = 5 * time.Minute

// Outlook is whether one check could be made.
type Outlook struct {
	report.Check

	Reason report.Reason // of what failed
}

// Ahead tells whether the checks that are asked for could be made after a move,
// without one: each permission is tried, nothing runs, and nothing changes.
// Failed is what would keep a check from telling anything; what is not well
// now, but may be by then, is inconclusive. common are the checks that all
// subjects share, own those of each.
func (v *Verifier) Ahead(ctx context.Context, subjects []Subject) (common []Outlook, own [][]Outlook) {
	r := v.begin(ctx, subjects)
	defer r.enough(nil)

	shared := r.healthAhead()
	if len(v.Alarms) > 0 && len(subjects) > 0 {
		shared = append(shared, func(ctx context.Context) []Outlook { return r.alarmsAhead(ctx, subjects) })
	}
	common = sideBySide(ctx, shared)
	for _, s := range subjects {
		var mine []aheadCheck
		if len(v.InvokePayload) > 0 {
			mine = append(mine, func(ctx context.Context) []Outlook { return r.invokeAhead(ctx, s) })
		}
		if v.Observe > 0 {
			mine = append(mine,
				func(ctx context.Context) []Outlook { return r.metricsAhead(ctx, s) },
				func(ctx context.Context) []Outlook { return r.logsAhead(ctx, s) })
		}
		own = append(own, sideBySide(ctx, mine))
	}
	return common, own
}

type aheadCheck func(context.Context) []Outlook

// sideBySide runs them all at once and keeps their order.
func sideBySide(ctx context.Context, all []aheadCheck) []Outlook {
	out := make([][]Outlook, len(all))
	var wait sync.WaitGroup
	for i, c := range all {
		wait.Go(func() { out[i] = c(ctx) })
	}
	wait.Wait()
	return slices.Concat(out...)
}

func outlook(name string, status report.CheckStatus, format string, args ...any) []Outlook {
	return []Outlook{{Check: one(name, status, format, args...).checks[0]}}
}

// refused is the line of a call that did not work. What passes by itself, or
// comes from the end of the time, says nothing about the day it is needed.
func (r *run) refused(ctx context.Context, name string, err error, action string) []Outlook {
	out := outlook(name, Failed, "%s", r.explain(ctx, err, action))
	switch {
	case ctx.Err() != nil || passing(err) || throttled(err):
		out[0].Status = Inconclusive
	case denied(err):
		out[0].Reason = report.AccessDenied
	default:
		out[0].Reason = report.AWSError
	}
	return out
}

// healthAhead probes each URL once.
func (r *run) healthAhead() []aheadCheck {
	var checks []aheadCheck
	for _, u := range r.Health.URLs {
		t := &tally{prober: r.prober(u), name: "health " + r.outside(plain(u), longestText)}
		checks = append(checks, func(ctx context.Context) []Outlook {
			a := t.probe(ctx)
			if a.problem != "" {
				return outlook(t.name, Inconclusive, "it is not well now, and a rollback would be called not healthy as long as that lasts: %s", a.problem)
			}
			return outlook(t.name, Passed, "it answers with %s, in %s", t.wanted(), milliseconds(a.took))
		})
	}
	return checks
}

// alarmsAhead reads every alarm once.
func (r *run) alarmsAhead(ctx context.Context, subjects []Subject) []Outlook {
	w := r.alarmWatch(subjects)
	unread, err := w.read(ctx)
	var out []Outlook
	for _, name := range w.Alarms {
		title := alarmLine + w.outside(name, reasonLimit)
		states := w.states(name)
		switch {
		case err != nil:
			c := r.refused(ctx, title, err, alarmAction)
			c[0].Detail += w.inRegion(unread)
			out = append(out, c...)
		case len(states) == 0:
			c := Outlook{Check: w.conclude(name), Reason: report.InvalidInput}
			c.Status = Failed
			out = append(out, c)
		default:
			status := Passed
			for state := range states {
				if alarmStatus[state] != Passed {
					status = Inconclusive
				}
			}
			out = append(out, outlook(title, status, "readable%s", w.lastKnown(name))...)
		}
	}
	return out
}

// invokeAhead asks Lambda whether it would run the function, without running it.
func (r *run) invokeAhead(ctx context.Context, s Subject) []Outlook {
	limited, cancel := context.WithTimeoutCause(ctx, readLimit, errReadLimit)
	defer cancel()
	_, err := do(limited, r.calls, "Invoke (dry run)", func(ctx context.Context) (*lambda.InvokeOutput, error) {
		return r.regions[s.Region].Lambda.Invoke(ctx, &lambda.InvokeInput{
			FunctionName: aws.String(s.address()), Qualifier: &s.Alias, InvocationType: types.InvocationTypeDryRun,
		}, uninvoked)
	})
	if err != nil {
		return r.refused(limited, "invoke", err, invokeAction)
	}
	return outlook("invoke", Passed, "allowed (as a dry run: the function did not run)")
}

// metricsAhead reads the metrics of the last minutes.
func (r *run) metricsAhead(ctx context.Context, s Subject) []Outlook {
	limited, cancel := context.WithTimeoutCause(ctx, readLimit, errReadLimit)
	defer cancel()
	now := r.Clock.Now()
	m := newMeasured(windows{})
	if err := r.metricData(limited, s.Region, span{now.Add(-aheadWindow), now}, metricQueries(s), m); err != nil {
		return r.refused(limited, "metrics", err, metricAction)
	}
	return outlook("metrics", Passed, "readable")
}

// logsAhead reads the log of the last minutes.
func (r *run) logsAhead(ctx context.Context, s Subject) []Outlook {
	limited, cancel := context.WithTimeoutCause(ctx, readLimit, errReadLimit)
	defer cancel()
	_, err := r.readLogs(limited, s, r.Clock.Now().Add(-aheadWindow), time.Time{}, errorPattern, func(logtypes.FilteredLogEvent) {})
	if err != nil {
		c := r.refused(limited, "logs", err, logAction)
		c[0].Detail = r.explainLogs(limited, s, err)
		return c
	}
	return outlook("logs", Passed, "%s is readable", s.logGroup())
}
