package emulator

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"net/http"
)

// The error codes of Lambda that the emulator answers by itself.
const (
	codeNotFound     = "ResourceNotFoundException"
	codeConflict     = "ResourceConflictException"
	codePrecondition = "PreconditionFailedException"
	codeParameter    = "InvalidParameterValueException"
	codeValidation   = "ValidationException"
)

// refusal is an error on its way to become an answer.
type refusal struct {
	status  int
	code    string
	message string
	untyped bool // without "Type" in the body
}

// Error makes a refusal an error for those who use the Go API.
func (r *refusal) Error() string { return r.code + ": " + r.message }

func notFound(format string, args ...any) *refusal {
	return &refusal{status: http.StatusNotFound, code: codeNotFound, message: fmt.Sprintf(format, args...)}
}

func conflict(format string, args ...any) *refusal {
	return &refusal{status: http.StatusConflict, code: codeConflict, message: fmt.Sprintf(format, args...)}
}

func invalid(format string, args ...any) *refusal {
	return &refusal{status: http.StatusBadRequest, code: codeParameter, message: fmt.Sprintf(format, args...)}
}

// violation is what AWS says of a value that breaks its field's constraint.
func violation(value, field, constraint string) *refusal {
	return &refusal{
		status: http.StatusBadRequest, code: codeValidation, untyped: true,
		message: fmt.Sprintf("1 validation error detected: Value '%s' at '%s' failed to satisfy constraint: %s", value, field, constraint),
	}
}

func staleRevision() *refusal {
	return &refusal{
		status: http.StatusPreconditionFailed, code: codePrecondition,
		message: "The Revision Id provided does not match the latest Revision Id. " +
			"Call the GetFunction/GetAlias API to retrieve the latest Revision Id",
	}
}

// refuse is the answer that a refusal becomes.
func (x *exchange) refuse(r *refusal) answer {
	return x.failTyped(r.status, r.code, r.message, !r.untyped)
}

// fail is an error in the form of the service that was called.
func (x *exchange) fail(status int, code, message string) answer {
	return x.failTyped(status, code, message, status < http.StatusInternalServerError && status != http.StatusForbidden)
}

func (x *exchange) failTyped(status int, code, message string, typed bool) answer {
	switch x.call.Service {
	case ServiceGitHub, ServiceOIDC:
		return x.failGitHub(status, message)
	case ServiceSTS, ServiceStacks:
		return x.failXML(status, code, message)
	}
	body := map[string]any{}
	switch {
	case status == http.StatusNotFound && code == codeNotFound, status == http.StatusForbidden && code == "AccessDeniedException":
		body["Message"] = message
	default:
		body["message"] = message
	}
	if status >= http.StatusInternalServerError {
		body["Type"] = "Service"
	} else if typed {
		body["Type"] = "User"
	}
	a := x.ok(status, body)
	a.code = code
	a.header.Set("X-Amzn-Errortype", code)
	return a
}

// failXML is an error of the query protocol, which STS and
// CloudFormation speak.
func (x *exchange) failXML(status int, code, message string) answer {
	namespace := "https://sts.amazonaws.com/doc/2011-06-15/"
	if x.call.Service == ServiceStacks {
		namespace = "http://cloudformation.amazonaws.com/doc/2010-05-15/"
	}
	a := answer{status: status, header: http.Header{}, code: code}
	a.header.Set("Content-Type", "text/xml")
	side := "Sender"
	if status >= http.StatusInternalServerError {
		side = "Receiver"
	}
	a.body = fmt.Appendf(nil,
		`<ErrorResponse xmlns="%s"><Error><Type>%s</Type><Code>%s</Code><Message>%s</Message></Error><RequestId>%s</RequestId></ErrorResponse>`,
		namespace, side, escapeXML(code), escapeXML(message), x.call.RequestID)
	return a
}

func escapeXML(text string) string {
	var b bytes.Buffer
	_ = xml.EscapeText(&b, []byte(text)) // A bytes.Buffer takes everything.
	return b.String()
}
