package aws

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// Kind says what an error of a call means for the caller.
type Kind int

// The kinds of errors.
const (
	Other              Kind = iota // AWS refused the call, or it could not be made; a further try changes nothing
	Throttled                      // too many calls were made
	Denied                         // the credentials are valid, but may not make the call
	BadCredentials                 // the credentials are expired, wrong or missing
	NotFound                       // AWS says that the resource does not exist
	Conflict                       // another change is under way, or the resource exists already
	PreconditionFailed             // the resource was changed meanwhile
	Ambiguous                      // no answer to rely on came back: the call may have been carried out
	Unresolved                     // the endpoint's host name does not exist: the call was not made
	Spreading                      // a role that AWS does not know everywhere yet was refused
	Skewed                         // signed by a clock that is wrong; the next try is signed by AWS's
	GivenUp                        // the context ended: see Stopped
)

// badCredentials are the codes for credentials that AWS does not accept. They come
// with the status 403, too, where no permission would help.
var badCredentials = []string{
	"AuthFailure", "ExpiredToken", "ExpiredTokenException", "IncompleteSignature", "IncompleteSignatureException",
	"InvalidAccessKeyId", "InvalidClientTokenId", "InvalidSignatureException", "InvalidToken", "MissingAuthenticationToken",
	"MissingAuthenticationTokenException", "RequestExpired", "RequestTimeTooSkewed", "SignatureDoesNotMatch",
	"UnrecognizedClientException",
}

// notFound are the codes for a resource that does not exist. The status 404 alone
// is no such answer: a wrong endpoint or a proxy gives it, too.
var notFound = []string{
	"NoSuchBucket", "NoSuchDistribution", "NoSuchKey", "NoSuchVersion", "NotFound",
	"ProvisionedConcurrencyConfigNotFoundException", "ResourceNotFoundException",
}

// Classify gives the kind of an error. An answer with a 4xx status is final even
// where its body cannot be read; only a 5xx status, or no complete answer, is
// ambiguous.
func Classify(err error) Kind {
	if _, found := errors.AsType[*Stopped](err); found {
		return GivenUp
	}
	if _, found := errors.AsType[*spreadingError](err); found {
		return Spreading
	}
	if token, found := errors.AsType[*tokenError](err); found && token.passing() {
		return Ambiguous
	} else if found {
		return BadCredentials
	}
	if inner := credentialsCall(err); inner != nil {
		if kind := Classify(inner); kind.Retryable() {
			return kind
		}
		return BadCredentials
	}
	status, code := Status(err), Code(err)
	switch {
	case isUnresolved(err):
		return Unresolved
	case status == http.StatusTooManyRequests, retry.IsErrorThrottles(retry.DefaultThrottles).IsErrorThrottle(err) == aws.TrueTernary:
		return Throttled
	case isSkewed(err):
		return Skewed
	case slices.Contains(badCredentials, code):
		return BadCredentials
	case code == "AccessDenied", code == "AccessDeniedException", status == http.StatusForbidden:
		return Denied
	case slices.Contains(notFound, code):
		return NotFound
	case status == http.StatusConflict:
		return Conflict
	case status == http.StatusPreconditionFailed:
		return PreconditionFailed
	case status >= 500, code == "IDPCommunicationError", code == "RequestTimeout", code == "RequestTimeoutException", errors.Is(err, errTryLimit):
		return Ambiguous
	case status >= 400:
		return Other
	case isUnanswered(err):
		return Ambiguous
	}
	return Other
}

// credentialsCall is the error of the call to STS, made on the way to another call,
// that was to renew the credentials; nil: there is none. What it was denied is not
// what the other call needs.
func credentialsCall(err error) error {
	if outer, found := errors.AsType[*smithy.OperationError](err); found {
		if inner, found := errors.AsType[*smithy.OperationError](outer.Err); found {
			return inner
		}
	}
	return nil
}

// Retryable reports whether a further try may succeed. Of Unresolved only a few do:
// see Do.
func (k Kind) Retryable() bool {
	return slices.Contains([]Kind{Throttled, Ambiguous, Unresolved, Spreading, Skewed}, k)
}

// isSkewed tells that the SDK takes a refusal for one of a clock that differs from
// AWS's by minutes. It has measured by how much, and says so once.
func isSkewed(err error) bool {
	var says interface{ RetryableError() bool }
	return Status(err) >= 400 && Status(err) < 500 && errors.As(err, &says) && says.RetryableError()
}

// isUnanswered reports whether the answer is missing, broken off or unreadable.
func isUnanswered(err error) bool {
	var send *smithyhttp.RequestSendError
	var unreadable *smithy.DeserializationError
	var cancelled *smithy.CanceledError
	return errors.As(err, &send) || errors.As(err, &unreadable) || errors.As(err, &cancelled)
}

func isUnresolved(err error) bool {
	dns, found := errors.AsType[*net.DNSError](err)
	return found && dns.IsNotFound
}

// Status is the HTTP status of the answer; zero: there was none.
func Status(err error) int {
	if response, found := errors.AsType[*awshttp.ResponseError](err); found && response.Response != nil {
		return response.HTTPStatusCode()
	}
	return 0
}

// Code is AWS's code of the error; empty: the answer has none that can be read.
func Code(err error) string {
	if api := smithy.APIError(nil); errors.As(err, &api) {
		return api.ErrorCode()
	}
	// Lambda says it in a header, too, which is there where the body cannot be read.
	if response, found := errors.AsType[*awshttp.ResponseError](err); found && response.Response != nil && Status(err) >= http.StatusBadRequest {
		code, _, _ := strings.Cut(response.Response.Header.Get("X-Amzn-Errortype"), ":")
		return code
	}
	return ""
}

// Brief is the error without the SDK's details of the request. It may hold text
// from outside.
func Brief(err error) string {
	var api smithy.APIError
	switch status := Status(err); {
	case errors.As(err, &api) && api.ErrorMessage() != "":
		return fmt.Sprintf("%s: %s", api.ErrorCode(), api.ErrorMessage())
	case api != nil:
		return api.ErrorCode()
	case errors.Is(err, errTryLimit):
		return errTryLimit.Error()
	case status != 0:
		return fmt.Sprintf("HTTP status %d", status)
	}
	if unresolved, found := errors.AsType[*unresolvedError](err); found {
		return unresolved.Error()
	}
	if _, found := errors.AsType[*smithy.CanceledError](err); found {
		return "it was cut off before an answer came"
	}
	if send, found := errors.AsType[*smithyhttp.RequestSendError](err); found {
		return "no answer: " + Innermost(send.Err)
	}
	if op, found := errors.AsType[*smithy.OperationError](err); found {
		return op.Err.Error()
	}
	return err.Error()
}

// Innermost takes address and verb off an error of the network.
func Innermost(err error) string {
	if outer, found := errors.AsType[*url.Error](err); found {
		err = outer.Err
	}
	if op, found := errors.AsType[*net.OpError](err); found {
		err = op.Err
	}
	return err.Error()
}

// unresolvedError names the region of an endpoint whose host name does not exist.
type unresolvedError struct {
	host, region string
	err          error
}

func (e *unresolvedError) Error() string {
	if strings.Contains(e.host, "-fips.") {
		return fmt.Sprintf("the host %s does not exist: not every region has FIPS endpoints, check AWS_USE_FIPS_ENDPOINT and the region %s", e.host, e.region)
	}
	if !strings.Contains(e.host, e.region) { // an endpoint or a proxy that is set by hand
		return fmt.Sprintf("the host %s does not exist: check AWS_ENDPOINT_URL and HTTPS_PROXY", e.host)
	}
	return fmt.Sprintf("the host %s does not exist: check the region %s", e.host, e.region)
}

// Unwrap gives the error of the network.
func (e *unresolvedError) Unwrap() error { return e.err }
