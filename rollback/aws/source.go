package aws

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// sourceLimit bounds a call to an endpoint that issues credentials, with the tries of
// the SDK. Some of them have no time limit of their own.
const sourceLimit = 5 * time.Second

// source returns the credentials of the SDK's chain. It explains the errors of the
// endpoint that issues the credentials of a container or an instance: those of the
// SDK lack the host, and often the status.
type source struct {
	chain    aws.CredentialsProvider
	endpoint *endpoint
}

// Retrieve returns the credentials. An error of the endpoint is a *sourceError.
func (s *source) Retrieve(ctx context.Context) (aws.Credentials, error) {
	c, err := s.chain.Retrieve(ctx)
	if err != nil {
		if explained := s.endpoint.explain(err); explained != nil {
			return c, explained
		}
	}
	return c, err
}

// endpoint watches the calls to the endpoint that issues the credentials of a
// container or an instance.
type endpoint struct {
	get func(name string) string // the environment; nil: there is none

	mu      sync.Mutex
	last    *sourceCall // nil: the endpoint was not called
	present bool        // it responded, and not a proxy
}

// sourceCall is how a call to the endpoint ended.
type sourceCall struct {
	url       *url.URL
	container bool
	status    int   // zero: there was no response
	err       error // why there was none
}

// watch adds the time limit to the calls to the endpoint, and keeps how they end.
// Other calls stay as they are.
func (e *endpoint) watch(stack *middleware.Stack) error {
	container := stack.ID() == "GetCredentials"
	if !container && stack.ID() != "GetMetadata" && stack.ID() != "getToken" {
		return nil
	}
	return errors.Join(
		stack.Initialize.Add(middleware.InitializeMiddlewareFunc("SourceLimit",
			func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
				ctx, cancel := context.WithTimeoutCause(ctx, sourceLimit, &tooLong{sourceLimit})
				defer cancel()
				return next.HandleInitialize(ctx, in)
			}), middleware.Before),
		stack.Deserialize.Add(middleware.DeserializeMiddlewareFunc("WatchSource",
			func(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (middleware.DeserializeOutput, middleware.Metadata, error) {
				out, meta, err := next.HandleDeserialize(ctx, in)
				if request, is := in.Request.(*smithyhttp.Request); is {
					call := &sourceCall{url: request.URL, container: container, err: err}
					if response, is := out.RawResponse.(*smithyhttp.Response); is && err == nil {
						call.status = response.StatusCode
					} else if late := context.Cause(ctx); isTooLong(late) {
						call.err = late
					}
					e.keep(call)
				}
				return out, meta, err
			}), middleware.After),
	)
}

func (e *endpoint) keep(call *sourceCall) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.last = call
	e.present = e.present || call.status != 0 && !proxied(call.url)
}

// proxied reports whether a proxy sends the responses of the endpoint.
func proxied(endpoint *url.URL) bool {
	proxy, err := http.ProxyFromEnvironment(&http.Request{URL: endpoint})
	return err != nil || proxy != nil
}

// explain returns what an error of the chain says about the endpoint; nil: nothing.
func (e *endpoint) explain(err error) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	call := e.last
	if call == nil || call.status != 0 && call.status < http.StatusMultipleChoices && (byService(err) || !isCutOff(err)) {
		return nil
	}
	explained := &sourceError{host: call.url.Host, variable: "AWS_CONTAINER_CREDENTIALS_FULL_URI", status: call.status, call: call.err, err: err}
	if !call.container {
		explained.variable = "AWS_EC2_METADATA_SERVICE_ENDPOINT"
		// The SDK looks for an instance's endpoint if nothing says where credentials are.
		explained.unset = e.get == nil || e.get(explained.variable) == ""
	}
	if explained.kind = BadCredentials; !explained.unset || e.present {
		explained.kind = kindOfSource(explained)
	}
	return explained
}

// kindOfSource says whether the error of an endpoint may pass.
func kindOfSource(e *sourceError) Kind {
	switch {
	case e.status == 0 && isUnresolved(e.call):
		return Unresolved
	case e.status == http.StatusTooManyRequests, retry.IsErrorThrottles(retry.DefaultThrottles).IsErrorThrottle(e.err) == aws.TrueTernary:
		return Throttled
	case e.status < http.StatusMultipleChoices, isTemporary(e.status): // below 300: no response, or an incomplete one
		return Ambiguous
	}
	return BadCredentials
}

// isCutOff reports whether a response ended early, or is not JSON. The SDK does not
// wrap the error of a token for the metadata of an instance.
func isCutOff(err error) bool {
	_, syntax := errors.AsType[*json.SyntaxError](err)
	return syntax || isUnanswered(err) || strings.HasSuffix(err.Error(), io.ErrUnexpectedEOF.Error()) || errors.Is(err, io.EOF)
}

// sourceError is the error of an endpoint that issues credentials.
type sourceError struct {
	host     string
	variable string // sets the endpoint
	status   int    // zero: there was no response
	unset    bool   // nothing says that there is an endpoint
	kind     Kind
	call     error // why there was no response
	err      error
}

func (e *sourceError) Error() string {
	const none = "none were found in the environment or in the AWS configuration files, and the instance metadata endpoint "
	switch nowhere := e.unset && !e.kind.Retryable(); {
	case nowhere && e.status == 0:
		return fmt.Sprintf(none+"%s could not be reached (%s)", e.host, e.cause())
	case nowhere:
		return fmt.Sprintf(none+"%s responded with HTTP status %d", e.host, e.status)
	case e.kind == Unresolved:
		return fmt.Sprintf("the credentials endpoint %s could not be reached (%s): check %s", e.host, e.cause(), e.variable)
	case e.status == 0:
		return fmt.Sprintf("the credentials endpoint %s could not be reached (%s)", e.host, e.cause())
	case e.status < http.StatusMultipleChoices:
		return fmt.Sprintf("the credentials endpoint %s sent an incomplete response", e.host)
	}
	return fmt.Sprintf("the credentials endpoint %s responded with HTTP status %d", e.host, e.status) + e.said()
}

// cause returns why there was no response.
func (e *sourceError) cause() string {
	if late, found := errors.AsType[*tooLong](e.call); found {
		return late.Error()
	}
	return Innermost(e.call)
}

// said returns the endpoint's own words, if it has an error code.
func (e *sourceError) said() string {
	var api smithy.APIError
	if !errors.As(e.err, &api) || api.ErrorCode() == "" {
		return ""
	}
	return " (" + strings.TrimSuffix(api.ErrorCode()+": "+strings.TrimSpace(api.ErrorMessage()), ": ") + ")"
}

// Unwrap returns the error of the chain.
func (e *sourceError) Unwrap() error { return e.err }
