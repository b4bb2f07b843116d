// Package verify checks whether production has recovered after the alias was moved:
// it probes URLs, invokes the function, and observes alarms, metrics and logs. Each
// check has its own file. The package does not depend on GitHub, and changes nothing.
package verify

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/org/lambda-rollback-action/rollback/aws"
	"github.com/org/lambda-rollback-action/rollback/report"
)

// Subject is one function whose alias was moved.
type Subject struct {
	Function      string // for people, and the name in AWS metrics
	ARN           string // of the function; empty: API calls use its name
	Alias         string
	Region        string
	Version       string // the target: it must serve now
	FailedVersion string // the version that was replaced
	LogGroup      string // empty: /aws/lambda/<name>

	// ServedBefore reports that the version also received a share of the traffic
	// before the move, such as beside a canary.
	ServedBefore bool

	MovedAt    time.Time
	DeployedAt time.Time // when the failing version was deployed; zero: not known
	// Timeout is how long an invocation may take; 0: not known.
	Timeout time.Duration
}

// name returns the bare name of the function, even if Function is an ARN or has an
// alias.
func (s Subject) name() string {
	name := s.Function
	if _, rest, found := strings.Cut(name, ":function:"); found {
		name = rest
	}
	name, _, _ = strings.Cut(name, ":")
	return name
}

// address returns how API calls identify the function.
func (s Subject) address() string {
	if s.ARN != "" {
		return s.ARN
	}
	return s.Function
}

// logGroup returns the log group of the function.
func (s Subject) logGroup() string {
	if s.LogGroup != "" {
		return s.LogGroup
	}
	return "/aws/lambda/" + s.name()
}

// Options say what to check. The zero value checks nothing.
type Options struct {
	Health        Health
	InvokePayload json.RawMessage // nil: do not invoke
	Alarms        []Alarm
	// Observe is the observation period of alarms, metrics and logs. If it is zero,
	// alarms are read once, and metrics and logs are not read.
	Observe time.Duration
	// APIs are the API Gateway APIs whose errors are observed: names of REST APIs and
	// IDs of HTTP APIs.
	APIs []string
}

// Alarm is a CloudWatch alarm to check.
type Alarm struct {
	Name   string
	Region string // empty: the region of each subject
}

// Health says how the URLs are probed.
type Health struct {
	URLs       []*url.URL
	Statuses   func(int) bool // accepts a status; nil: only 200
	StatusText string         // what Statuses accepts, for people
	Successes  int            // consecutive accepted responses
	Interval   time.Duration  // from the start of one probe to the start of the next
	Timeout    time.Duration  // for each URL to become healthy
	Body       string         // text that the body must contain; empty: any body
}

// Verdict is the combined result of the checks.
type Verdict = report.Verdict

// Clients has the AWS clients of one region. A *cloudwatch.Client can be both Alarms
// and Metrics. The clients must not retry calls themselves.
type Clients struct {
	Lambda  Invoker
	Alarms  AlarmReader
	Metrics MetricReader
	Logs    LogReader
}

// Verifier runs the checks. It uses only the transport of HTTP, not its timeout,
// redirect policy or cookie jar.
type Verifier struct {
	Options Options
	HTTP    *http.Client
	AWS     func(region string) Clients // called once per region and run
	Clock   aws.Clock
	Log     aws.Log
	// Redact removes secrets from text from outside; nil: there are none.
	Redact func(string) string
}

// Verify runs all checks concurrently. It returns the overall verdict and one verdict
// per subject, in their order, which includes the checks that all subjects share. It
// returns within Observe plus the time limits of the individual checks. If ctx ends,
// unfinished checks are inconclusive; their details have the context's cause and what
// was known until then.
func (v *Verifier) Verify(ctx context.Context, subjects []Subject) (overall Verdict, each []Verdict) {
	if len(subjects) == 0 {
		now := v.Clock.Now()
		return Verdict{Healthy: report.HealthUnknown, Started: now, Ended: now}, nil
	}
	r := v.newRun(ctx, subjects)
	defer r.endWatch(nil)

	groups := [][]check{r.commonChecks(subjects)}
	for _, s := range subjects {
		groups = append(groups, r.subjectChecks(s))
	}
	results := r.all(ctx, groups)

	ended := r.clock.Now()
	common := results[0]
	overall = newVerdict(common, r.started, ended)
	for i, s := range subjects {
		own := results[i+1]
		verdict := newVerdict(merge(common, own), r.started, ended)
		verdict.Own = judge(own.checks)
		each = append(each, verdict)
		if len(subjects) > 1 {
			own = own.named(s)
		} else {
			overall.Watched, overall.LogTail, overall.Own = own.watched, own.logTail, verdict.Own
		}
		overall.Checks = append(overall.Checks, own.checks...)
		overall.Notes = append(overall.Notes, own.notes...)
	}
	overall.Healthy = judge(overall.Checks)
	return overall, each
}

func newVerdict(res result, started, ended time.Time) Verdict {
	return Verdict{
		Healthy: judge(res.checks), Checks: res.checks, Notes: res.notes,
		Watched: res.watched, LogTail: res.logTail, Started: started, Ended: ended,
	}
}

// judge derives the health from the checks. An inconclusive check, or no check at
// all, does not count as healthy.
func judge(checks []report.Check) report.Health {
	if len(checks) == 0 {
		return report.HealthUnknown
	}
	verdict := report.Healthy
	for _, c := range checks {
		switch c.Status {
		case report.CheckFailed:
			return report.NotHealthy
		case report.CheckPassed:
		default:
			verdict = report.HealthUnknown
		}
	}
	return verdict
}
