package alias

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/org/lambda-rollback-action/rollback/aws"
	"github.com/org/lambda-rollback-action/rollback/report"
)

// The causes with which the caller ends a context. They determine the message.
var (
	ErrCancelled       = errors.New("the run was cancelled")
	ErrTimeout   error = timeoutError{}
)

// timeoutError implements Timeout, like context.DeadlineExceeded.
type timeoutError struct{}

func (timeoutError) Error() string { return "the input timeout has expired" }

// Timeout lets packages that do not know this type tell it from a cancellation.
func (timeoutError) Timeout() bool { return true }

// Problem is an error with the texts for the report.
type Problem struct {
	Reason report.Reason
	Text   string // what is wrong, where, and what to do
	Detail string // AWS's message, for the log; may be empty
	// Unknown reports that it could not be determined whether the alias moved.
	Unknown bool
	Err     error // the underlying error; nil if there is none
}

func (p *Problem) Error() string { return p.Text }

// Unwrap returns the underlying error.
func (p *Problem) Unwrap() error { return p.Err }

// explain turns the error of a call into a problem. action is the name of the call,
// which is also the name of its IAM action; resource is what it was called on.
func explain(err error, action, resource string) *Problem {
	if p, found := errors.AsType[*Problem](err); found {
		return p
	}
	if stopped, found := errors.AsType[*Stopped](err); found {
		return explainStop(stopped, action)
	}
	say := func(reason report.Reason, format string, args ...any) *Problem {
		return &Problem{Reason: reason, Text: fmt.Sprintf(format, args...), Detail: brief(err), Err: err}
	}
	switch aws.Classify(err) {
	case aws.BadCredentials:
		return say(report.NoCredentials, "AWS did not accept the credentials (%s): renew them with role-to-assume, or with a credentials step right before this one", cmp.Or(aws.Code(err), brief(err)))
	case aws.Denied:
		if !aws.ByAWS(err) {
			return say(report.AccessDenied, "%s failed on %s: %s", action, resource, brief(err))
		}
		return say(report.AccessDenied, "AWS denied lambda:%s on %s: allow that action for the role that this job uses", action, resource)
	case aws.NotFound:
		return say(report.FunctionNotFound, "%s found nothing at %s: check the name, the region and the account (%s)", action, resource, brief(err))
	case aws.Throttled:
		return say(report.Throttled, "AWS throttled %s on %s: there are too many calls in this account and region; run this again (%s)", action, resource, brief(err))
	case aws.Unresolved: // a retry cannot help: the settings of the job do not lead to an endpoint
		return say(report.InvalidInput, "%s on %s could not be called: %s", action, resource, brief(err))
	default:
		return say(report.AWSError, "%s failed on %s: %s", action, resource, brief(err))
	}
}

func explainStop(stopped *Stopped, action string) *Problem {
	after := stopped.LastTry()
	switch {
	case errors.Is(stopped.Cause, ErrCancelled):
		return &Problem{Reason: report.Cancelled, Err: stopped, Text: fmt.Sprintf("the run was cancelled during %s%s", action, after)}
	case stopped.Last != nil && aws.Classify(stopped.Failure()) == aws.Throttled:
		return &Problem{Reason: report.Throttled, Err: stopped, Text: fmt.Sprintf(
			"AWS kept throttling %s until the input timeout expired%s: run this again, or increase timeout", action, after)}
	case errors.Is(stopped.Cause, ErrTimeout), errors.Is(stopped.Cause, context.DeadlineExceeded):
		return &Problem{Reason: report.Timeout, Err: stopped, Text: fmt.Sprintf(
			"%s did not succeed before the input timeout expired%s: run this again, or increase timeout", action, after)}
	}
	return &Problem{Reason: report.Cancelled, Err: stopped, Text: fmt.Sprintf("%s was stopped: %s%s", action, stopped.Cause, after)}
}
