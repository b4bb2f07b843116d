package site

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/aws/smithy-go"

	"github.com/org/lambda-rollback-action/rollback/aws"
	"github.com/org/lambda-rollback-action/rollback/report"
)

// Problem is an error in the words of the report.
type Problem struct {
	Reason report.Reason
	Text   string // what is wrong, where, and what to do
	Err    error  // what it came from; nil if there is no more to know
}

func (p *Problem) Error() string { return p.Text }

// Unwrap gives the error it came from.
func (p *Problem) Unwrap() error { return p.Err }

func problem(reason report.Reason, format string, args ...any) *Problem {
	return &Problem{Reason: reason, Text: fmt.Sprintf(format, args...)}
}

// ReasonOf is the reason of an error of this package.
func ReasonOf(err error) report.Reason { return asProblem(err).Reason }

// asProblem gives any error a reason.
func asProblem(err error) *Problem {
	if p, found := errors.AsType[*Problem](err); found {
		return p
	}
	return &Problem{report.AWSError, err.Error(), err}
}

// explain turns an error of a call into a problem. action is the IAM action that
// the call needs, resource what it was made on.
func explain(err error, action, resource string) *Problem {
	if p, found := errors.AsType[*Problem](err); found {
		return p
	}
	if s, found := errors.AsType[*stopped](err); found {
		return explainStop(s, action)
	}
	say := func(reason report.Reason, format string, args ...any) *Problem {
		return &Problem{reason, fmt.Sprintf(format, args...), err}
	}
	status, code := aws.Status(err), aws.Code(err)
	switch {
	case aws.Classify(err) == aws.BadCredentials:
		return say(report.NoCredentials, "AWS did not accept the credentials (%s): give the job fresh ones, by role-to-assume or by a credentials step before this one", cmp.Or(code, brief(err)))
	case code == "InvalidObjectState":
		return say(report.Archived, "%s is archived (%s): restore it from the archive with `aws s3api restore-object`, and run this again", resource, brief(err))
	case status == http.StatusForbidden || strings.HasPrefix(code, "AccessDenied"):
		return say(report.AccessDenied, "AWS denied %s on %s: allow that action for the role that this job uses%s", action, resource, keyHint(err, action))
	case code == "NoSuchBucket" || status == http.StatusNotFound && strings.HasPrefix(action, "s3:GetBucket"):
		return say(report.BucketNotFound, "there is no bucket %s: correct site-bucket, or use credentials of the account that has it", resource)
	case code == "NoSuchDistribution":
		return say(report.InvalidInput, "there is no CloudFront distribution %s in this account: correct cloudfront-distribution-id", resource)
	case throttled(err):
		return say(report.Throttled, "AWS kept throttling %s on %s: run it again in some minutes (%s)", action, resource, brief(err))
	}
	return say(report.AWSError, "%s failed on %s: %s", action, resource, brief(err))
}

// keyHint leads to KMS where the denial names it, or may be about it: the answer to
// a question for a version's head has no text.
func keyHint(err error, action string) string {
	if action == "s3:GetObjectVersion" {
		return ", and kms:Decrypt where a key of KMS encrypts the object"
	}
	if strings.Contains(strings.ToLower(brief(err)), "kms") {
		return ", and kms:Decrypt and kms:GenerateDataKey on the objects' key (" + brief(err) + ")"
	}
	return ""
}

func explainStop(s *stopped, action string) *Problem {
	after := ""
	if s.last != nil {
		after = fmt.Sprintf(" (the last try had ended with %s)", brief(s.last))
	}
	// As context.DeadlineExceeded says of itself; so can the cause that a caller gives.
	if limit, found := errors.AsType[interface {
		error
		Timeout() bool
	}](s.cause); found && limit.Timeout() {
		return &Problem{report.Timeout, fmt.Sprintf("%s did not succeed before the time limit was over%s: run it again, or raise it", action, after), s}
	}
	return &Problem{report.Cancelled, fmt.Sprintf("%s was given up: %s%s", action, s.cause, after), s}
}

// brief is an AWS error without the details of the request.
func brief(err error) string {
	if api := smithy.APIError(nil); errors.Is(err, errTryLimit) && !errors.As(err, &api) {
		return errTryLimit.Error()
	}
	return aws.Brief(err)
}
