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
	// tries is how often one call is tried.
	tries        = 3
	firstPause   = 500 * time.Millisecond
	longestPause = 5 * time.Second // even if Retry-After asks for more
	// callsAtOnce limits concurrent calls, so that many functions stay within the
	// limits of CloudWatch and CloudWatch Logs, which are as low as five calls per
	// second in some regions.
	callsAtOnce = 4
	// readLimit is the time limit for what one check reads after its observation
	// period, including the wait for the calls of other checks.
	readLimit   = 2 * time.Minute
	longestText = 300 // characters of an error in a detail
)

// errReadLimit is the cancellation cause of a check that takes too long to read.
var errReadLimit = fmt.Errorf("there was no response within %s", report.DurationText(readLimit))

// check is one check of a run.
type check interface {
	// verify makes the check after a move.
	verify(ctx context.Context) result
	// preflight reports, without a move, whether verify could make the check.
	preflight(ctx context.Context) []Preflight
}

// run has what the checks of one call to Verify or Preflight share.
type run struct {
	options   Options
	transport http.RoundTripper
	clock     aws.Clock
	log       aws.Log
	redact    func(string) string
	retry     aws.Retry
	regions   map[string]Clients
	started   time.Time
	// watching is the context of the observation period. endWatch ends the period
	// when a check has failed, so that the step back, or the person on call, need not
	// wait for the rest.
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

// commonChecks returns the checks that all subjects share.
func (r *run) commonChecks(subjects []Subject) []check {
	return slices.Concat(r.healthChecks(), r.alarmChecks(subjects), r.apiChecks(subjects))
}

// subjectChecks returns the checks of one subject.
func (r *run) subjectChecks(s Subject) []check {
	return slices.Concat(r.invokeChecks(s), r.metricChecks(s), r.logChecks(s))
}

// all runs the checks of all groups concurrently and returns one result per group.
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

// note logs a result, and ends the observation period if a check has failed.
func (r *run) note(res result) {
	for _, line := range res.checks {
		r.log.Infof("check %s: %s: %s", line.Name, line.Status, line.Detail)
		if line.Status == report.CheckFailed {
			r.endWatch(fmt.Errorf("the check %s had already failed", line.Name))
		}
	}
}

// sleepUntilObserved sleeps until the end of the observation period. If the period
// ends early, it returns the reason, as part of a sentence.
func (r *run) sleepUntilObserved() (cutShort string) {
	return r.sleepWatching(r.options.Observe - r.clock.Now().Sub(r.started))
}

// sleepWatching sleeps for d. If the observation period ends early, it returns the
// reason.
func (r *run) sleepWatching(d time.Duration) (cutShort string) {
	if d <= 0 || r.clock.Sleep(r.watching, d) == nil {
		return ""
	}
	return fmt.Sprintf("the watch ended after %s of %s: %s",
		report.DurationText(seconds(r.clock.Now().Sub(r.started))), report.DurationText(r.options.Observe), context.Cause(r.watching))
}

// sanitize converts text from outside for a detail: without secrets, on one line,
// with at most limit characters. It removes secrets first, because half a secret is
// still a secret.
func (r *run) sanitize(text string, limit int) string {
	return report.Line(r.redact(text), limit)
}

// explain returns why a call failed, and what to do about it. action is the IAM
// action that the call requires.
func (r *run) explain(ctx context.Context, err error, action string) string {
	if ctx.Err() != nil {
		return fmt.Sprintf("%s did not complete: %s", action, context.Cause(ctx))
	}
	if stopped, found := errors.AsType[*aws.Stopped](err); found {
		err = stopped.Cause
	}
	text := r.sanitize(aws.Brief(err), longestText)
	switch aws.Classify(err) {
	case aws.Denied:
		return fmt.Sprintf("AWS denied %s: allow that action for the role that this job uses (%s)", action, text)
	case aws.BadCredentials: // a long observation period outlasts a short session
		return fmt.Sprintf("AWS did not accept the credentials for %s: use a session that lasts longer than the checks (%s)", action, text)
	case aws.Throttled:
		return fmt.Sprintf("AWS kept throttling %s (%s)", action, text)
	default:
		return fmt.Sprintf("%s failed: %s", action, text)
	}
}
