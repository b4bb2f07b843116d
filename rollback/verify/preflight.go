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

// preflightWindow is how far back a preflight tries to read metrics and logs.
const preflightWindow = 5 * time.Minute

// Preflight says whether one check could be made.
type Preflight struct {
	Check  report.Check
	Reason report.Reason // why the check failed
}

// Preflight reports whether the requested checks could be made after a move, without
// making one. It tries each permission, but runs no function and changes nothing. A
// check is failed if something would keep it from giving a result. It is inconclusive
// if something is unhealthy now but may be healthy by then. common has the checks
// that all subjects share, and own those of each subject.
func (v *Verifier) Preflight(ctx context.Context, subjects []Subject) (common []Preflight, own [][]Preflight) {
	r := v.newRun(ctx, subjects)
	defer r.endWatch(nil)

	common = preflights(ctx, r.commonChecks(subjects))
	for _, s := range subjects {
		own = append(own, preflights(ctx, r.subjectChecks(s)))
	}
	return common, own
}

// preflights runs the preflights of all checks concurrently and keeps their order.
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

// refused returns the preflight of a call that failed. An error that is temporary, or
// that the time limit caused, is inconclusive: it says nothing about the day when the
// check is needed.
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
