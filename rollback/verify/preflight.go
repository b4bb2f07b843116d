package verify

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/org/lambda-rollback-action/rollback/aws"
	"github.com/org/lambda-rollback-action/rollback/report"
)

// preflightWindow is how far back it is tried whether metrics and logs can be read.
const preflightWindow = 5 * time.Minute

// Preflight says whether one check could be made.
type Preflight struct {
	Check  report.Check
	Reason report.Reason // of what failed
}

// Preflight reports whether the checks that are asked for could be made after a move,
// without one: each permission is tried, nothing runs, and nothing changes.
// Failed is what would keep a check from giving a result; what is unhealthy
// now, but may be by then, is inconclusive. common are the checks that all
// subjects share, own those of each.
func (v *Verifier) Preflight(ctx context.Context, subjects []Subject) (common []Preflight, own [][]Preflight) {
	r := v.newRun(ctx, subjects)
	defer r.endWatch(nil)

	common = preflights(ctx, r.commonChecks(subjects))
	for _, s := range subjects {
		own = append(own, preflights(ctx, r.subjectChecks(s)))
	}
	return common, own
}

// preflights tries all checks at once and keeps their order.
func preflights(ctx context.Context, checks []check) []Preflight {
	out := make([][]Preflight, len(checks))
	var wait sync.WaitGroup
	for i, c := range checks {
		wait.Go(func() { out[i] = c.preflight(ctx) })
	}
	wait.Wait()
	return slices.Concat(out...)
}

func newPreflight(name string, status report.CheckStatus, format string, args ...any) []Preflight {
	return []Preflight{{Check: report.Check{Name: name, Status: status, Detail: fmt.Sprintf(format, args...)}}}
}

// refused is the preflight of a call that did not work. What passes on its own, or
// comes from the end of the time, says nothing about the day it is needed.
func (r *run) refused(ctx context.Context, name string, err error, action string) []Preflight {
	out := newPreflight(name, report.CheckFailed, "%s", r.explain(ctx, err, action))
	switch kind := aws.Classify(err); {
	case ctx.Err() != nil || kind == aws.Throttled || kind == aws.Ambiguous:
		out[0].Check.Status = report.CheckInconclusive
	case kind == aws.Denied:
		out[0].Reason = report.AccessDenied
	default:
		out[0].Reason = report.AWSError
	}
	return out
}
