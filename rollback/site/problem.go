package site

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/org/lambda-rollback-action/rollback/aws"
	"github.com/org/lambda-rollback-action/rollback/report"
)

// Problem is an error with a text for the report.
type Problem struct {
	Reason report.Reason
	Text   string // what is wrong, where, and what to do
	Err    error  // the cause; nil if there is nothing more to know
}

func (p *Problem) Error() string { return p.Text }

// Unwrap returns the cause.
func (p *Problem) Unwrap() error { return p.Err }

func problem(reason report.Reason, format string, args ...any) *Problem {
	return &Problem{Reason: reason, Text: fmt.Sprintf(format, args...)}
}

// ReasonOf returns the reason of an error of this package.
func ReasonOf(err error) report.Reason { return asProblem(err).Reason }

// asProblem returns err as a Problem, so that it has a reason.
func asProblem(err error) *Problem {
	if p, found := errors.AsType[*Problem](err); found {
		return p
	}
	if s, found := errors.AsType[*aws.Stopped](err); found {
		return explainStop(s, "Restoring the site")
	}
	return &Problem{report.AWSError, err.Error(), err}
}

// explain turns the error of a call into a Problem. action is the IAM action that
// the call needs, and resource is what it was called on.
func explain(err error, action, resource string) *Problem {
	if p, found := errors.AsType[*Problem](err); found {
		return p
	}
	if s, found := errors.AsType[*aws.Stopped](err); found {
		return explainStop(s, action)
	}
	say := func(reason report.Reason, format string, args ...any) *Problem {
		return &Problem{reason, fmt.Sprintf(format, args...), err}
	}
	switch kind, code := aws.Classify(err), aws.Code(err); {
	case code == "InvalidObjectState":
		return say(report.Archived, "%s is archived (%s): restore it from the archive with `aws s3api restore-object`, and run this again", resource, aws.Brief(err))
	case code == "NoSuchBucket", aws.Status(err) == http.StatusNotFound && strings.HasPrefix(action, "s3:GetBucket"):
		return say(report.BucketNotFound, "there is no bucket %s: correct site-bucket, or use credentials of the account that owns it", resource)
	case code == "NoSuchDistribution":
		return say(report.InvalidInput, "there is no CloudFront distribution %s in this account: correct cloudfront-distribution-id", resource)
	case kind == aws.BadCredentials:
		return say(report.NoCredentials, "AWS did not accept the credentials (%s): renew them with role-to-assume, or with a credentials step right before this one", cmp.Or(code, aws.Brief(err)))
	case kind == aws.Denied:
		return say(report.AccessDenied, "AWS denied %s on %s: allow that action for the role that this job uses%s", action, resource, keyHint(err, action))
	case kind == aws.Throttled:
		return say(report.Throttled, "AWS kept throttling %s on %s: run it again in a few minutes (%s)", action, resource, aws.Brief(err))
	}
	return say(report.AWSError, "%s failed on %s: %s", action, resource, aws.Brief(err))
}

// keyHint returns advice about KMS if the denial mentions KMS or may be about it:
// the response to a request for a version's head has no text.
func keyHint(err error, action string) string {
	if action == "s3:GetObjectVersion" {
		return ", and kms:Decrypt if a KMS key encrypts the object"
	}
	if strings.Contains(strings.ToLower(aws.Brief(err)), "kms") {
		return ", and kms:Decrypt and kms:GenerateDataKey on the KMS key of the objects (" + aws.Brief(err) + ")"
	}
	return ""
}

func explainStop(s *aws.Stopped, action string) *Problem {
	after := s.LastTry()
	if errors.Is(s.Cause, errNoAnswer) {
		if s.Before != nil {
			after = fmt.Sprintf(" (%s)", aws.Brief(s.Failure()))
		}
		return &Problem{report.Timeout, fmt.Sprintf("S3 did not return a usable response to the first request, %s, within %s%s: check the connection to S3 (AWS_ENDPOINT_URL, HTTPS_PROXY), and run this again",
			action, report.DurationText(firstAnswerLimit), after), s}
	}
	// context.DeadlineExceeded has this method. The cause that a caller sets can
	// have it too.
	if limit, found := errors.AsType[interface {
		error
		Timeout() bool
	}](s.Cause); found && limit.Timeout() {
		return &Problem{report.Timeout, fmt.Sprintf("%s did not succeed before the time limit expired%s: run it again, or increase timeout", action, after), s}
	}
	return &Problem{report.Cancelled, fmt.Sprintf("%s did not complete: %s%s", action, s.Cause, after), s}
}
