package emulator

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/aws/smithy-go/encoding/cbor"
)

// Errors are made as Lambda words them, those of faults included; the services
// with a tongue of their own translate them on the way out.

// translate puts an error into the form of the service that was called.
func (x *exchange) translate(a answer) answer {
	if a.status < http.StatusBadRequest {
		return a
	}
	switch x.call.Service {
	case ServiceCloudWatch:
		return x.failCloudWatch(x.spoken(a, http.StatusForbidden))
	case ServiceLogs:
		return x.failLogs(x.spoken(a, http.StatusBadRequest))
	case ServiceHealth:
		return a.plain()
	default:
		return a
	}
}

// spoken takes an error's message out of Lambda's form, and says anew what only
// Lambda would say so: its throttling and its denials.
func (x *exchange) spoken(a answer, deniedStatus int) (answer, string) {
	var body struct {
		Message string `json:"message"` // or Message: encoding/json takes both
	}
	_ = json.Unmarshal(a.body, &body) // A body that does not parse has no message.
	switch a.code {
	case "TooManyRequestsException":
		a.status, a.code = http.StatusBadRequest, "ThrottlingException"
	case "AccessDeniedException":
		a.status = deniedStatus
		if strings.Contains(body.Message, "to perform: lambda:"+x.call.Operation) {
			body.Message = x.deniedWatching()
		}
	case "MissingAuthenticationTokenException":
		a.status = deniedStatus
	}
	return a, body.Message
}

// deniedWatching is what IAM says of an action on alarms, metrics or logs.
// Metrics are no resources.
func (x *exchange) deniedWatching() string {
	c := x.call
	action, resource := "cloudwatch:"+c.Operation, ""
	switch {
	case c.Service == ServiceLogs:
		action, resource = "logs:"+c.Operation, logGroupARN(c.Region, c.Function)+":log-stream:"
	case c.Operation == "DescribeAlarms":
		resource = alarmARN(c.Region, "*")
	}
	if resource != "" {
		resource = " on resource: " + resource
	}
	return fmt.Sprintf("User: %s is not authorized to perform: %s%s because no identity-based policy allows the %s action",
		c.Actor, action, resource, action)
}

// queryCodes are the codes that CloudWatch's errors had in the query protocol.
// A client that says that it comes from there (X-Amzn-Query-Mode) gets them in a
// header, and the Go SDK gives that code, not the name in the body.
var queryCodes = map[string]string{
	"AccessDeniedException":                "AccessDenied",
	"InternalServiceFault":                 "InternalServiceError",
	"InvalidParameterCombinationException": "InvalidParameterCombination",
	"InvalidParameterValueException":       "InvalidParameterValue",
	"MissingAuthenticationTokenException":  "MissingAuthenticationToken",
	"MissingRequiredParameterException":    "MissingParameter",
	"ThrottlingException":                  "Throttling",
	codeValidation:                         "ValidationError",
}

func (x *exchange) failCloudWatch(a answer, message string) answer {
	body := cbor.Map{}
	if a.code != "" {
		body["__type"] = cbor.String("com.amazonaws.cloudwatch#" + a.code)
	}
	if message != "" {
		body["message"] = cbor.String(message)
	}
	failed := okCBOR(a.status, body)
	failed.code = a.code
	if a.code != "" && x.request.Header.Get("X-Amzn-Query-Mode") == "true" {
		if code, ok := queryCodes[a.code]; ok {
			failed.code = code
		}
		side := "Sender"
		if a.status >= http.StatusInternalServerError {
			side = "Receiver"
		}
		failed.header.Set("X-Amzn-Query-Error", failed.code+";"+side)
	}
	return failed.keeping(a)
}

func (x *exchange) failLogs(a answer, message string) answer {
	body := map[string]string{}
	if a.code != "" {
		body["__type"] = a.code
	}
	if message != "" {
		body["message"] = message
	}
	failed := x.okLogs(a.status, body)
	failed.code = a.code
	return failed.keeping(a)
}

// plain is an error as a mere web server words it.
func (a answer) plain() answer {
	failed := answer{status: a.status, header: http.Header{}, body: []byte(http.StatusText(a.status) + "\n"), code: a.code}
	failed.header.Set("Content-Type", "text/plain; charset=utf-8")
	return failed.keeping(a)
}

// keeping takes over from another answer what belongs to none of its words.
func (a answer) keeping(other answer) answer {
	a.delivery = other.delivery
	if wait := other.header.Get("Retry-After"); wait != "" {
		a.header.Set("Retry-After", wait)
	}
	return a
}
