// Package verify proves, after the alias was moved, that production recovered:
// it probes, invokes, and watches alarms, metrics and logs. Each check is a
// file. It knows nothing of GitHub, and changes nothing anywhere.
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
	Function      string // for people, and the name that AWS's metrics know it by
	ARN           string // of the function; empty: it is called by its name
	Alias         string
	Region        string
	Version       string // the target: it must serve now
	FailedVersion string // the one that was left
	LogGroup      string // empty: /aws/lambda/<name>

	// ServedBefore: the version got a share of the traffic before the move, too, as
	// beside a canary.
	ServedBefore bool

	MovedAt    time.Time
	DeployedAt time.Time // when the failing version came; zero: not known
	// Timeout is how long an invocation may take; 0: not known.
	Timeout time.Duration
}

// name is the bare name of the function, also where an ARN or a name with an
// alias was given.
func (s Subject) name() string {
	name := s.Function
	if _, rest, found := strings.Cut(name, ":function:"); found {
		name = rest
	}
	name, _, _ = strings.Cut(name, ":")
	return name
}

// address is how the API is to be asked for the function.
func (s Subject) address() string {
	if s.ARN != "" {
		return s.ARN
	}
	return s.Function
}

// logGroup is where the function writes.
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
	// Observe is how long alarms, metrics and logs are watched. Zero: alarms
	// are looked at once, metrics and logs not at all.
	Observe time.Duration
	// APIs are the APIs of API Gateway whose errors are watched: names of REST
	// APIs and ids of HTTP APIs.
	APIs []string
}

// Alarm is one to look at.
type Alarm struct {
	Name   string
	Region string // empty: the region of each subject
}

// Health says how the URLs are probed.
type Health struct {
	URLs       []*url.URL
	Statuses   func(int) bool // accepts a status; nil: 200 alone
	StatusText string         // what Statuses accepts, for people
	Successes  int            // accepted answers in a row
	Interval   time.Duration  // from one probe's start to the next one's
	Timeout    time.Duration  // for each URL to become healthy
	Body       string         // text that the body must hold; empty: any body
}

// Verdict is what the checks say together.
type Verdict = report.Verdict

// Clients are AWS's APIs in one region. A *cloudwatch.Client is both Alarms
// and Metrics. They must not try calls again by themselves.
type Clients struct {
	Lambda  Invoker
	Alarms  AlarmReader
	Metrics MetricReader
	Logs    LogReader
}

// Verifier runs the checks. HTTP's own time limit and its rules for redirects
// and cookies do not count; its transport does.
type Verifier struct {
	Options Options
	HTTP    *http.Client
	AWS     func(region string) Clients // asked once for each region
	Clock   aws.Clock
	Log     aws.Log
	// Redact takes secrets out of text from outside; nil: there are none.
	Redact func(string) string
}

// Verify runs all checks at once and gives the verdict over everything, and
// one for each subject, in their order; the checks that are common to all
// stand in each. It ends within Observe and the limits of the single checks.
// Where ctx ends, the checks that were not done are inconclusive, and say why
// (the context's cause) and what they knew.
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

// judge is the rule of the verdict. What says nothing is not health.
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
