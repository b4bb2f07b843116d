package verify_test

import (
	"context"
	"net"
	"testing"
	"testing/synctest"

	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/rollback/report"
	"github.com/org/lambda-rollback-action/rollback/verify"
)

func preflight(s *setup) (common, own []verify.Preflight) {
	common, each := s.Preflight(context.Background(), []verify.Subject{s.subject})
	return common, each[0]
}

func TestPreflightOfWhatWorks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		common, own := preflight(everything(t))
		require.Len(t, common, 2)
		assert.Equal(t, verify.Preflight{Check: report.Check{Name: "health https://api.example/up", Status: report.CheckPassed, Detail: "it responds with status 200, in <1ms"}}, common[0])
		assert.Equal(t, verify.Preflight{Check: report.Check{Name: "alarm errors", Status: report.CheckPassed, Detail: "readable; its last known state was OK"}}, common[1])
		assert.Equal(t, []verify.Preflight{
			{Check: report.Check{Name: "invoke", Status: report.CheckPassed, Detail: "allowed (as a dry run: the function did not run)"}},
			{Check: report.Check{Name: "metrics", Status: report.CheckPassed, Detail: "readable"}},
			{Check: report.Check{Name: "logs", Status: report.CheckPassed, Detail: "/aws/lambda/api is readable"}},
		}, own)
	})
}

func TestPreflightOfWhatDoesNotWork(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		err    error
		status report.CheckStatus
		reason report.Reason
		says   string
	}{
		"denied":                    {awsError(403, "AccessDeniedException"), report.CheckFailed, report.AccessDenied, "AWS denied cloudwatch:DescribeAlarms"},
		"the session is over":       {awsError(403, "ExpiredToken"), report.CheckFailed, report.AWSError, "AWS did not accept the credentials"},
		"the request is wrong":      {awsError(400, "ValidationError"), report.CheckFailed, report.AWSError, "cloudwatch:DescribeAlarms failed: ValidationError"},
		"throttled, which passes":   {awsError(429, "ThrottlingException"), report.CheckInconclusive, "", "AWS kept throttling"},
		"down, which passes":        {awsError(503, "ServiceUnavailable"), report.CheckInconclusive, "", "failed: ServiceUnavailable"},
		"there is no such region":   {&smithyhttp.RequestSendError{Err: &net.DNSError{Err: "no such host", Name: "monitoring.us-east-99.amazonaws.com", IsNotFound: true}}, report.CheckFailed, report.AWSError, "monitoring.us-east-99.amazonaws.com: no such host"},
		"never an answer":           {errHang, report.CheckInconclusive, "", "no response within 8s"},
		"an answer is not readable": {awsError(404, ""), report.CheckFailed, report.AWSError, "failed: "},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newSetup()
				s.Options.Alarms = []verify.Alarm{{Name: "errors"}}
				s.clients.Alarms = alarms(nil).failing(c.err)
				common, _ := preflight(s)
				require.Len(t, common, 1)
				assert.Equal(t, c.status, common[0].Check.Status)
				assert.Equal(t, c.reason, common[0].Reason)
				assert.Contains(t, common[0].Check.Detail, c.says)
			})
		})
	}
}

func TestPreflightOfNothing(t *testing.T) {
	t.Parallel()
	s := newSetup()
	s.Options = verify.Options{Alarms: []verify.Alarm{{Name: "errors"}}, APIs: []string{"shop"}, Observe: 1}
	common, own := s.Preflight(context.Background(), nil)
	assert.Empty(t, common)
	assert.Empty(t, own)
}
