package site

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

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

// asProblem gives any error a reason.
func asProblem(err error) *Problem {
	if p, found := errors.AsType[*Problem](err); found {
		return p
	}
	return &Problem{report.AWSError, err.Error(), err}
}

// credentialCodes are AWS's answers to credentials that are wrong, as opposed to
// right ones that may not do this.
var credentialCodes = []string{
	"ExpiredToken", "ExpiredTokenException", "InvalidAccessKeyId", "InvalidClientTokenId", "InvalidToken",
	"SignatureDoesNotMatch", "UnrecognizedClientException",
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
	status, code := httpStatus(err), errorCode(err)
	switch {
	case slices.Contains(credentialCodes, code):
		return say(report.NoCredentials, "AWS did not accept the credentials (%s): give the job fresh ones, by role-to-assume or by a credentials step before this one", code)
	case code == "InvalidObjectState":
		return say(report.Archived, "%s is archived (%s): restore it from the archive with `aws s3api restore-object`, and run this again", resource, brief(err))
	case status == http.StatusForbidden || strings.HasPrefix(code, "AccessDenied"):
		return say(report.AccessDenied, "AWS denied %s on %s: allow that action for the role that this job uses%s", action, resource, keyHint(err))
	case code == "NoSuchBucket" || status == http.StatusNotFound && strings.HasPrefix(action, "s3:GetBucket"):
		return say(report.BucketNotFound, "there is no bucket %s: correct site-bucket, or use credentials of the account that has it", resource)
	case code == "NoSuchDistribution":
		return say(report.InvalidInput, "there is no CloudFront distribution %s in this account: correct cloudfront-distribution-id", resource)
	case throttled(err):
		return say(report.Throttled, "AWS kept throttling %s on %s: run it again in some minutes (%s)", action, resource, brief(err))
	}
	return say(report.AWSError, "%s failed on %s: %s", action, resource, brief(err))
}

// keyHint leads to KMS where the denial names it: the action on S3 is allowed then.
func keyHint(err error) string {
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
	if errors.Is(s.cause, context.DeadlineExceeded) {
		return &Problem{report.Timeout, fmt.Sprintf("%s did not succeed before the time limit was over%s: run it again, or raise it", action, after), s}
	}
	return &Problem{report.Cancelled, fmt.Sprintf("%s was given up: %s%s", action, s.cause, after), s}
}

// brief is an AWS error without the request's plumbing.
func brief(err error) string {
	var api smithy.APIError
	switch status := httpStatus(err); {
	case errors.As(err, &api) && api.ErrorMessage() != "":
		return fmt.Sprintf("%s: %s", api.ErrorCode(), api.ErrorMessage())
	case api != nil && api.ErrorCode() != "":
		return api.ErrorCode()
	case errors.Is(err, errTryLimit):
		return errTryLimit.Error()
	case status != 0:
		return fmt.Sprintf("HTTP status %d", status)
	}
	if _, found := errors.AsType[*smithy.CanceledError](err); found {
		return "it was cut off before an answer came"
	}
	if send, found := errors.AsType[*smithyhttp.RequestSendError](err); found {
		return "no answer: " + innermost(send.Err)
	}
	if op, found := errors.AsType[*smithy.OperationError](err); found {
		return op.Err.Error()
	}
	return err.Error()
}

// innermost takes address and verb off an error of the network.
func innermost(err error) string {
	if outer, found := errors.AsType[*url.Error](err); found {
		err = outer.Err
	}
	if op, found := errors.AsType[*net.OpError](err); found {
		err = op.Err
	}
	return err.Error()
}
