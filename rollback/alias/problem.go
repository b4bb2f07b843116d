package alias

import (
	"context"
	"errors"
	"fmt"

	"github.com/org/lambda-rollback-action/rollback/aws"
	"github.com/org/lambda-rollback-action/rollback/report"
)

// The causes with which the caller ends a context: what happened decides what
// is said.
var (
	ErrCancelled = errors.New("the run was cancelled")
	ErrTimeout   = errors.New("the time limit of the input timeout has passed")
)

// Problem is an error in the words of the report.
type Problem struct {
	Reason report.Reason
	Text   string // what is wrong, where, and what to do
	Detail string // AWS's own words, for the log; may be empty
	// Unknown: it could not be found out whether the alias moved.
	Unknown bool
	Err     error // what it came from; nil if there is no more to know
}

func (p *Problem) Error() string { return p.Text }

// Unwrap gives the error it came from.
func (p *Problem) Unwrap() error { return p.Err }

// explain turns an error of a call into a problem. action is the call's name,
// which is also the name of its IAM action; resource is what it was made on.
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
		return say(report.NoCredentials, "AWS did not accept the credentials (%s): give the job fresh ones, by role-to-assume or by a credentials step before this one", aws.Code(err))
	case aws.Denied:
		return say(report.AccessDenied, "AWS denied lambda:%s on %s: allow that action for the role that this job uses", action, resource)
	case aws.NotFound:
		return say(report.FunctionNotFound, "%s found nothing at %s: check the name, the region and the account (%s)", action, resource, brief(err))
	case aws.Throttled:
		return say(report.Throttled, "AWS throttled %s on %s: too many calls are made in this account and region; run it again (%s)", action, resource, brief(err))
	case aws.Unresolved: // nothing at AWS is to be waited for: the job's settings name no place
		return say(report.InvalidInput, "%s on %s could not be called: %s", action, resource, brief(err))
	default:
		return say(report.AWSError, "%s failed on %s: %s", action, resource, brief(err))
	}
}

func explainStop(stopped *Stopped, action string) *Problem {
	after := ""
	if stopped.Last != nil {
		after = fmt.Sprintf(" (the last try had ended with %s)", brief(stopped.Last))
	}
	switch {
	case errors.Is(stopped.Cause, ErrCancelled):
		return &Problem{Reason: report.Cancelled, Err: stopped, Text: fmt.Sprintf("the run was cancelled during %s%s", action, after)}
	case stopped.Last != nil && aws.Classify(stopped.Last) == aws.Throttled:
		return &Problem{Reason: report.Throttled, Err: stopped, Text: fmt.Sprintf(
			"AWS kept throttling %s until the input timeout was over%s: run it again, or raise timeout", action, after)}
	case errors.Is(stopped.Cause, ErrTimeout), errors.Is(stopped.Cause, context.DeadlineExceeded):
		return &Problem{Reason: report.Timeout, Err: stopped, Text: fmt.Sprintf(
			"%s did not succeed before the input timeout was over%s: run it again, or raise timeout", action, after)}
	}
	return &Problem{Reason: report.Cancelled, Err: stopped, Text: fmt.Sprintf("%s was given up: %s%s", action, stopped.Cause, after)}
}
