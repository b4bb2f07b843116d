package verify

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/org/lambda-rollback-action/rollback/aws"
	"github.com/org/lambda-rollback-action/rollback/report"
)

const (
	// tries of one reading call.
	tries        = 3
	firstPause   = 500 * time.Millisecond
	longestPause = 5 * time.Second // also where Retry-After asks for more
	// callsAtOnce keeps a fleet below CloudWatch's and Logs' limits, which are
	// as low as five calls a second in some regions.
	callsAtOnce = 4
	// readLimit bounds what one check reads after its watch, the waiting for
	// others' calls included.
	readLimit   = 2 * time.Minute
	longestText = 300 // characters of an error in a detail
)

// errReadLimit is the cause of a check's reading having taken too long.
var errReadLimit = fmt.Errorf("it had no answer within %s", readLimit)

// check is one thing to find out.
type check interface {
	// verify finds it out after a move.
	verify(ctx context.Context) result
	// preflight finds out, without a move, whether verify could.
	preflight(ctx context.Context) []Preflight
}

// run is one Verify or Preflight under way: what its checks share.
type run struct {
	options   Options
	transport http.RoundTripper
	clock     aws.Clock
	log       aws.Log
	redact    func(string) string
	retry     aws.Retry
	regions   map[string]Clients
	started   time.Time
	// watching is what the watch sleeps on; see endWatch.
	// endWatch ends the watching when a check has failed: the step back, or the person
	// on call, need not wait for the rest.
	watching context.Context
	endWatch context.CancelCauseFunc
}

func (v *Verifier) newRun(ctx context.Context, subjects []Subject) *run {
	r := &run{
		options: v.Options, clock: v.Clock, log: v.Log, redact: v.Redact,
		retry: aws.Retry{
			Log: v.Log, Clock: v.Clock, Tries: tries, FirstPause: firstPause, LongestPause: longestPause,
			Gate: make(chan struct{}, callsAtOnce),
		},
		regions: map[string]Clients{},
		started: v.Clock.Now(),
	}
	if v.HTTP != nil {
		r.transport = v.HTTP.Transport
	}
	if r.redact == nil {
		r.redact = func(text string) string { return text }
	}
	r.watching, r.endWatch = context.WithCancelCause(ctx)
	regions := make([]string, 0, len(subjects)+len(v.Options.Alarms))
	for _, s := range subjects {
		regions = append(regions, s.Region)
	}
	for _, a := range v.Options.Alarms {
		regions = append(regions, a.Region)
	}
	for _, region := range regions {
		if _, known := r.regions[region]; !known && region != "" && v.AWS != nil {
			r.regions[region] = v.AWS(region)
		}
	}
	return r
}

// commonChecks are those that all subjects share.
func (r *run) commonChecks(subjects []Subject) []check {
	return slices.Concat(r.healthChecks(), r.alarmChecks(subjects), r.apiChecks(subjects))
}

// subjectChecks are those of one subject.
func (r *run) subjectChecks(s Subject) []check {
	return slices.Concat(r.invokeChecks(s), r.metricChecks(s), r.logChecks(s))
}

// all runs the checks of all groups at once and gives a result for each group.
func (r *run) all(ctx context.Context, groups [][]check) []result {
	results := make([][]result, len(groups))
	var wait sync.WaitGroup
	for i, checks := range groups {
		results[i] = make([]result, len(checks))
		for k, c := range checks {
			wait.Go(func() {
				results[i][k] = c.verify(ctx)
				r.note(results[i][k])
			})
		}
	}
	wait.Wait()
	merged := make([]result, len(groups))
	for i := range groups {
		merged[i] = merge(results[i]...)
	}
	return merged
}

// note logs a result and ends the watch where a check has failed.
func (r *run) note(res result) {
	for _, line := range res.checks {
		r.log.Infof("check %s: %s: %s", line.Name, line.Status, line.Detail)
		if line.Status == report.CheckFailed {
			r.endWatch(fmt.Errorf("the check %s had failed by then", line.Name))
		}
	}
}

// sleepUntilObserved sleeps until the time to observe is over. Where the watch
// ends before that, it gives the reason as half a sentence.
func (r *run) sleepUntilObserved() (cutShort string) {
	return r.sleepWatching(r.options.Observe - r.clock.Now().Sub(r.started))
}

// sleepWatching sleeps while the watch goes on.
func (r *run) sleepWatching(d time.Duration) (cutShort string) {
	if d <= 0 || r.clock.Sleep(r.watching, d) == nil {
		return ""
	}
	return fmt.Sprintf("the watch ended after %s of %s: %s",
		seconds(r.clock.Now().Sub(r.started)), r.options.Observe, context.Cause(r.watching))
}

// sanitize makes text from outside fit for a detail: without secrets, on one
// line, limit characters at most. Secrets go first: half a secret is one, too.
func (r *run) sanitize(text string, limit int) string {
	return report.Line(r.redact(text), limit)
}

// explain says why a call gave no answer, and what to do. action is the IAM
// action that the call needs.
func (r *run) explain(ctx context.Context, err error, action string) string {
	if ctx.Err() != nil {
		return fmt.Sprintf("%s was given up: %s", action, context.Cause(ctx))
	}
	if stopped, found := errors.AsType[*aws.Stopped](err); found {
		err = stopped.Cause
	}
	text := r.sanitize(aws.Brief(err), longestText)
	switch aws.Classify(err) {
	case aws.Denied:
		return fmt.Sprintf("AWS denied %s: allow that action for the role that this job uses (%s)", action, text)
	case aws.BadCredentials: // a long watch outlives short sessions
		return fmt.Sprintf("AWS did not accept the credentials for %s: let the session last longer than the checks (%s)", action, text)
	case aws.Throttled:
		return fmt.Sprintf("AWS kept throttling %s (%s)", action, text)
	default:
		return fmt.Sprintf("%s failed: %s", action, text)
	}
}
