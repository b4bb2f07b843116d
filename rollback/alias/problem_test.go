package alias

import (
	"context"
	"errors"
	"net"
	"net/http"
	"testing"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/stretchr/testify/assert"

	"github.com/org/lambda-rollback-action/rollback/report"
)

func awsAnswer(status int, code string) error {
	var inner error = &smithy.GenericAPIError{Code: code, Message: "no"}
	if code == "" {
		inner = &smithy.DeserializationError{Err: errors.New("not JSON")}
	}
	return &awshttp.ResponseError{ResponseError: &smithyhttp.ResponseError{
		Response: &smithyhttp.Response{Response: &http.Response{StatusCode: status, Header: http.Header{}}}, Err: inner,
	}}
}

func TestExplain(t *testing.T) {
	t.Parallel()
	unresolved := &smithyhttp.RequestSendError{Err: &net.DNSError{Err: "no such host", Name: "lambda.us-east-99.amazonaws.com", IsNotFound: true}}
	throttled := awsAnswer(429, "TooManyRequestsException")
	for name, c := range map[string]struct {
		err    error
		reason report.Reason
		says   string
	}{
		"denied":                          {awsAnswer(403, "AccessDeniedException"), report.AccessDenied, "AWS denied lambda:GetAlias on api:live"},
		"a 403 of a proxy":                {awsAnswer(403, ""), report.AccessDenied, "GetAlias failed on api:live: HTTP status 403, without an AWS error"},
		"the session is over":             {awsAnswer(403, "ExpiredTokenException"), report.NoCredentials, "AWS did not accept the credentials (ExpiredTokenException)"},
		"the request is too old":          {awsAnswer(403, "RequestExpired"), report.NoCredentials, "AWS did not accept the credentials (RequestExpired)"},
		"a signature that is not whole":   {awsAnswer(403, "IncompleteSignatureException"), report.NoCredentials, "AWS did not accept the credentials"},
		"no such function":                {awsAnswer(404, "ResourceNotFoundException"), report.FunctionNotFound, "GetAlias found nothing at api:live"},
		"a 404 that is not AWS's":         {awsAnswer(404, ""), report.AWSError, "GetAlias failed on api:live: HTTP status 404"},
		"throttled":                       {throttled, report.Throttled, "AWS throttled GetAlias on api:live"},
		"a wrong request":                 {awsAnswer(400, "ValidationException"), report.AWSError, "GetAlias failed on api:live: ValidationException: no"},
		"there is no such region":         {unresolved, report.InvalidInput, "lambda.us-east-99.amazonaws.com"},
		"the time is over":                {&Stopped{Cause: ErrTimeout, Last: awsAnswer(503, "ServiceException")}, report.Timeout, "GetAlias did not succeed before the input timeout expired (the last attempt failed: ServiceException: no)"},
		"the time is over, throttled":     {&Stopped{Cause: ErrTimeout, Last: throttled}, report.Throttled, "AWS kept throttling GetAlias until the input timeout expired"},
		"a deadline of somebody else's":   {&Stopped{Cause: context.DeadlineExceeded}, report.Timeout, "GetAlias did not succeed"},
		"the run was cancelled":           {&Stopped{Cause: ErrCancelled, Last: throttled}, report.Cancelled, "the run was cancelled during GetAlias"},
		"a problem that is worded before": {&Problem{Reason: report.VersionNotFound, Text: "gone"}, report.VersionNotFound, "gone"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := explain(c.err, "GetAlias", "api:live")
			assert.Equal(t, c.reason, p.Reason)
			assert.Contains(t, p.Text, c.says)
		})
	}
}

func TestAmbiguous(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		err  error
		want bool
	}{
		"a server error":                   {awsAnswer(503, "ServiceException"), true},
		"no answer":                        {&smithyhttp.RequestSendError{Err: errors.New("reset")}, true},
		"cut off by the end of the run":    {&Stopped{Cause: ErrCancelled, Last: &smithy.CanceledError{}}, true},
		"refused before the end":           {&Stopped{Cause: ErrCancelled, Last: awsAnswer(429, "TooManyRequestsException")}, false},
		"not tried at all":                 {&Stopped{Cause: ErrCancelled}, false},
		"throttled":                        {awsAnswer(429, ""), false},
		"refused by an answer of no sense": {awsAnswer(404, ""), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, c.want, ambiguous(c.err))
		})
	}
}
