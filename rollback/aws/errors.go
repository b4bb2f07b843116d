package aws

import (
	"crypto/tls"
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

// Kind is what an error of a call means for the caller.
type Kind int

// The kinds of errors.
const (
	Other              Kind = iota // AWS refused the call, or it could not be made; a retry does not help
	Throttled                      // too many calls were made
	Denied                         // the credentials are valid, but may not make the call
	BadCredentials                 // the credentials are expired, wrong or missing
	NotFound                       // AWS says that the resource does not exist
	Conflict                       // another change is in progress, or the resource already exists
	PreconditionFailed             // the resource was changed in the meantime
	Ambiguous                      // no reliable response was received: the call may have been carried out
	Unresolved                     // the host does not exist, or is not the intended one: the call was not made
	Spreading                      // a role that AWS has not propagated everywhere yet was refused
	Skewed                         // signed by a clock that is wrong; the next try is signed by AWS's
	GivenUp                        // the context ended: see Stopped
)

// badCredentials are the codes for credentials that AWS does not accept. Their status
// is 403 too, but a permission would not help.
var badCredentials = []string{
	"AuthFailure", "ExpiredToken", "ExpiredTokenException", "IncompleteSignature", "IncompleteSignatureException",
	"InvalidAccessKeyId", "InvalidClientTokenId", "InvalidSignatureException", "InvalidToken", "MissingAuthenticationToken",
	"MissingAuthenticationTokenException", "RequestExpired", "RequestTimeTooSkewed", "SignatureDoesNotMatch",
	"UnrecognizedClientException",
}

// ErrIncomplete marks a response without required data, such as `{}` from a proxy:
// whether the call was carried out is unknown.
var ErrIncomplete = errors.New("the response lacks data that AWS always sends")

// notFound are the codes for a resource that does not exist. The status 404 alone
// proves nothing: a wrong endpoint or a proxy also returns it.
var notFound = []string{
	"NoSuchBucket", "NoSuchDistribution", "NoSuchKey", "NoSuchVersion", "NotFound",
	"ProvisionedConcurrencyConfigNotFoundException", "ResourceNotFoundException",
}

// passing are the codes of temporary errors. S3 also sends them in a response with the
// status 200, and for a single key of a batch.
var passing = []string{
	"ConditionalRequestConflict", "InternalError", "OperationAborted", "RequestTimeout", "RequestTimeoutException", "ServiceUnavailable",
}

// Classify returns the kind of an error. A response with a 4xx status is final even if
// its body cannot be read; only a 5xx status, or no complete response, is ambiguous.
func Classify(err error) Kind {
	if _, found := errors.AsType[*Stopped](err); found {
		return GivenUp
	}
	if _, found := errors.AsType[*spreadingError](err); found {
		return Spreading
	}
	if from, found := errors.AsType[*sourceError](err); found {
		return from.kind
	}
	if token, found := errors.AsType[*tokenError](err); found && isUnresolved(err) {
		return Unresolved
	} else if found && token.passing() {
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
	case errors.Is(err, ErrIncomplete):
		return Ambiguous
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
	case slices.Contains(passing, code), isTooLong(err):
		return Ambiguous
	case status == http.StatusConflict:
		return Conflict
	case status == http.StatusPreconditionFailed:
		return PreconditionFailed
	case isTemporary(status), code == "IDPCommunicationError", isWithoutKeys(err):
		return Ambiguous
	case status >= http.StatusMultipleChoices:
		return Other
	case isUnanswered(err):
		return Ambiguous
	}
	return Other
}

// isTemporary reports whether a retry may fix what an HTTP status says. The status 429 is
// Throttled.
func isTemporary(status int) bool {
	return status >= 500 && status != http.StatusNotImplemented || status == http.StatusRequestTimeout || status == http.StatusTooEarly
}

// isWithoutKeys reports whether STS could not get the keys of the identity provider
// that signed the token. Unlike other refusals with that code, this one is temporary:
// https://github.com/aws-actions/configure-aws-credentials/issues/299
func isWithoutKeys(err error) bool {
	var api smithy.APIError
	return errors.As(err, &api) && api.ErrorCode() == "InvalidIdentityToken" && strings.Contains(api.ErrorMessage(), "retrieve verification key")
}

// credentialsCall returns the error of the call to STS that renews the credentials
// before another call; nil: there is none. If it was denied, the permission of the
// other call does not help.
func credentialsCall(err error) error {
	if outer, found := errors.AsType[*smithy.OperationError](err); found {
		if inner, found := errors.AsType[*smithy.OperationError](outer.Err); found {
			return inner
		}
	}
	return nil
}

// Retryable reports whether a retry may succeed. Unresolved is retried only a few
// times: see Do.
func (k Kind) Retryable() bool {
	return slices.Contains([]Kind{Throttled, Ambiguous, Unresolved, Spreading, Skewed}, k)
}

// isSkewed reports whether the SDK attributes a refusal to a clock that differs from
// AWS's by minutes. The SDK has measured the difference and reports it once.
func isSkewed(err error) bool {
	var says interface{ RetryableError() bool }
	return Status(err) >= 400 && Status(err) < 500 && errors.As(err, &says) && says.RetryableError()
}

// isUnanswered reports whether the response is missing, incomplete or unreadable.
func isUnanswered(err error) bool {
	var send *smithyhttp.RequestSendError
	var unreadable *smithy.DeserializationError
	var cancelled *smithy.CanceledError
	return errors.As(err, &send) || errors.As(err, &unreadable) || errors.As(err, &cancelled)
}

// isUnresolved reports whether no host has that name, the certificate belongs to
// another host, or a proxy does not let the call through.
func isUnresolved(err error) bool {
	if dns, found := errors.AsType[*net.DNSError](err); found {
		return dns.IsNotFound
	}
	return isUntrusted(err) || errors.Is(err, http.ErrSchemeMismatch) || isMisrouted(err)
}

func isUntrusted(err error) bool {
	_, found := errors.AsType[*tls.CertificateVerificationError](err)
	return found
}

// Status returns the HTTP status of the response; zero: there was none.
func Status(err error) int {
	if response, found := errors.AsType[*awshttp.ResponseError](err); found && response.Response != nil {
		return response.HTTPStatusCode()
	}
	return 0
}

// Code returns the AWS error code; empty: the response has no readable code, or did not
// come from AWS.
func Code(err error) string {
	if _, found := errors.AsType[*sourceError](err); found {
		return ""
	}
	if api := smithy.APIError(nil); errors.As(err, &api) {
		return api.ErrorCode()
	}
	// Lambda also sends it in a header, which remains if the body cannot be read.
	if response, found := errors.AsType[*awshttp.ResponseError](err); found && response.Response != nil && Status(err) >= http.StatusBadRequest {
		code, _, _ := strings.Cut(response.Response.Header.Get("X-Amzn-Errortype"), ":")
		return code
	}
	return ""
}

// ByAWS reports whether the error has a code from AWS. Without one, the SDK uses
// UnknownError.
func ByAWS(err error) bool { code := Code(err); return code != "" && code != "UnknownError" }

// Brief returns the error without the SDK's details of the request. It may contain text
// from outside.
func Brief(err error) string {
	if from, found := errors.AsType[*sourceError](err); found {
		return from.Error()
	}
	var api smithy.APIError
	switch status := Status(err); {
	case status >= http.StatusMultipleChoices && status < http.StatusInternalServerError && !ByAWS(err):
		return fmt.Sprintf("HTTP status %d, without an AWS error: a proxy (HTTPS_PROXY) or another server (AWS_ENDPOINT_URL) may have sent the response", status)
	case errors.As(err, &api) && ByAWS(err) && api.ErrorMessage() != "":
		return fmt.Sprintf("%s: %s", api.ErrorCode(), api.ErrorMessage())
	case api != nil && ByAWS(err):
		return api.ErrorCode()
	case isTooLong(err):
		late, _ := errors.AsType[*tooLong](err)
		return late.Error()
	case status != 0 && status < http.StatusMultipleChoices:
		return fmt.Sprintf("a response (HTTP status %d) that is incomplete, or not from AWS", status)
	case status != 0:
		return fmt.Sprintf("HTTP status %d", status)
	}
	if unresolved, found := errors.AsType[*unresolvedError](err); found {
		return unresolved.Error()
	}
	if _, found := errors.AsType[*smithy.CanceledError](err); found {
		return "it was interrupted before a response arrived"
	}
	if isUntrusted(err) {
		return "the endpoint's certificate is not trusted (" + Innermost(err) + "): if a proxy inspects the traffic, set AWS_CA_BUNDLE to a file with its certificate; otherwise, check AWS_ENDPOINT_URL, SSL_CERT_FILE and this machine's clock"
	}
	if errors.Is(err, http.ErrSchemeMismatch) {
		return "the endpoint responded with http instead of https: check AWS_ENDPOINT_URL and HTTPS_PROXY"
	}
	if refused, found := errors.AsType[*proxyError](err); found {
		return refused.Error()
	}
	if hasBadProxyPort(err) {
		return "the proxy cannot be reached: HTTPS_PROXY has a port that is not valid; set it to a URL such as http://proxy.example.com:3128"
	}
	if send, found := errors.AsType[*smithyhttp.RequestSendError](err); found {
		return "no response: " + Innermost(send.Err)
	}
	if op, found := errors.AsType[*smithy.OperationError](err); found {
		return op.Err.Error()
	}
	return err.Error()
}

// Innermost returns a network error without its address and operation.
func Innermost(err error) string {
	if outer, found := errors.AsType[*url.Error](err); found {
		err = outer.Err
	}
	if verification, found := errors.AsType[*tls.CertificateVerificationError](err); found {
		return verification.Err.Error()
	}
	if op, found := errors.AsType[*net.OpError](err); found {
		if err = op.Err; op.Op == "proxyconnect" {
			return "the proxy (HTTPS_PROXY) could not be reached: " + Innermost(err)
		}
	}
	return err.Error()
}

// unresolvedError names the region of an endpoint whose host name does not exist.
type unresolvedError struct {
	host, region string
	err          error
}

func (e *unresolvedError) Error() string {
	if op, found := errors.AsType[*net.OpError](e.err); found && op.Op == "proxyconnect" {
		if !strings.Contains(e.host, ".") { // it may be something else, for example a password
			return "the host of the proxy in HTTPS_PROXY does not exist: check HTTPS_PROXY"
		}
		return fmt.Sprintf("the host %s of the proxy in HTTPS_PROXY does not exist: check HTTPS_PROXY", e.host)
	}
	if strings.Contains(e.host, "-fips.") {
		return fmt.Sprintf("the host %s does not exist: not every region has FIPS endpoints; check AWS_USE_FIPS_ENDPOINT and the region %s", e.host, e.region)
	}
	if !strings.Contains(e.host, e.region) { // an endpoint or a proxy that the user set
		return fmt.Sprintf("the host %s does not exist: check AWS_ENDPOINT_URL and HTTPS_PROXY", e.host)
	}
	return fmt.Sprintf("the host %s does not exist: check the region %s", e.host, e.region)
}

// Unwrap returns the network error.
func (e *unresolvedError) Unwrap() error { return e.err }
