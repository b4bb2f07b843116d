package verify_test

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/stretchr/testify/assert"

	"github.com/org/lambda-rollback-action/rollback/report"
)

func (invokes) failing(err error) invokes {
	return func(*lambda.InvokeInput) (*lambda.InvokeOutput, error) { return nil, err }
}

func (i invokes) hanging() invokes { return i.failing(errHang) }

// ran answers with each version in turn, and goes on with the last.
func ran(versions ...string) invokes {
	var n atomic.Int64
	return func(*lambda.InvokeInput) (*lambda.InvokeOutput, error) {
		return &lambda.InvokeOutput{StatusCode: 200, ExecutedVersion: &versions[min(int(n.Add(1)), len(versions))-1]}, nil
	}
}

// settle is the pause until the alias is tried again.
const settle = 500 * time.Millisecond

// sickAt has the failed version answer once, with an error of its own.
func sickAt(version string) invokes {
	later := ran("41")
	var n atomic.Int64
	return func(in *lambda.InvokeInput) (*lambda.InvokeOutput, error) {
		if n.Add(1) > 1 {
			return later(in)
		}
		return &lambda.InvokeOutput{StatusCode: 200, ExecutedVersion: &version, FunctionError: str("Unhandled")}, nil
	}
}

// first answers with each error in turn, and then as told.
func first(then invokes, errs ...error) invokes {
	n := 0
	return func(in *lambda.InvokeInput) (*lambda.InvokeOutput, error) {
		if n++; n <= len(errs) {
			return nil, errs[n-1]
		}
		return then(in)
	}
}

func TestInvoke(t *testing.T) {
	t.Parallel()
	said := func(change func(*lambda.InvokeOutput)) invokes {
		return func(*lambda.InvokeInput) (*lambda.InvokeOutput, error) {
			out := &lambda.InvokeOutput{StatusCode: 200, ExecutedVersion: str("41")}
			change(out)
			return out, nil
		}
	}
	throttled := awsError(429, "TooManyRequestsException")
	for name, c := range map[string]struct {
		lambda invokes
		want   report.CheckStatus
		detail string
		lasts  time.Duration
	}{
		"the target answers":                  {ran("41"), report.CheckPassed, "version 41 responded in <1ms without a function error", 0},
		"the alias settles":                   {ran("42", "42", "41"), report.CheckPassed, "version 41 responded", time.Second},
		"the alias never settles":             {ran("42"), report.CheckFailed, "after 10 s, the alias still runs version 42 instead of 41", 10 * time.Second},
		"a function error of the old version": {sickAt("42"), report.CheckPassed, "version 41 responded", settle},
		"the target fails": {said(func(o *lambda.InvokeOutput) {
			o.FunctionError, o.Payload = str("Unhandled"), []byte(`{"errorMessage":"no hunter2"}`)
		}), report.CheckFailed, `version 41 ended with a function error (Unhandled): {"errorMessage":"no ***"}`, 0},
		"the target fails at length": {said(func(o *lambda.InvokeOutput) {
			o.FunctionError, o.Payload = str("Unhandled"), []byte(strings.Repeat("x", 6<<20))
		}), report.CheckFailed, strings.Repeat("x", 499) + "…", 0},
		"AWS does not say which version":   {said(func(o *lambda.InvokeOutput) { o.ExecutedVersion = nil }), report.CheckInconclusive, "did not report which version ran", 10 * time.Second},
		"202 counts as answered":           {said(func(o *lambda.InvokeOutput) { o.StatusCode = 202 }), report.CheckPassed, "version 41", 0},
		"204 does not":                     {said(func(o *lambda.InvokeOutput) { o.StatusCode = 204 }), report.CheckInconclusive, "the status 204", 0},
		"throttled four times":             {first(ran("41"), throttled, throttled, throttled, throttled), report.CheckPassed, "version 41", -1},
		"throttled for ever":               {ran().failing(throttled), report.CheckInconclusive, "did not respond within 1 min; the last attempt failed: TooManyRequestsException", time.Minute},
		"the version is restored":          {first(ran("41"), awsError(409, "SnapStartNotReadyException")), report.CheckPassed, "version 41", -1},
		"a fault that passes":              {first(ran("41"), awsError(500, "ServiceException"), awsError(502, "")), report.CheckPassed, "version 41", -1},
		"a fault that stays":               {ran().failing(awsError(500, "ServiceException")), report.CheckInconclusive, "lambda:InvokeFunction failed: ServiceException", -1},
		"Lambda cannot decrypt":            {ran().failing(awsError(502, "KMSAccessDeniedException")), report.CheckFailed, "Lambda cannot run the version: KMSAccessDeniedException", 0},
		"the payload is not to its liking": {ran().failing(awsError(400, "InvalidRequestContentException")), report.CheckInconclusive, "InvalidRequestContentException", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newSetup()
				s.Options.InvokePayload = json.RawMessage(`{"ping":true}`)
				s.clients.Lambda = c.lambda
				v := s.verify()
				got := find(t, v, "invoke")
				assert.Equal(t, c.want, got.Status, got.Detail)
				assert.Contains(t, got.Detail, c.detail)
				if c.lasts >= 0 {
					assert.Equal(t, c.lasts, v.Ended.Sub(v.Started))
				}
			})
		})
	}
}

func TestInvokeAsksForTheAliasAndTheLog(t *testing.T) {
	t.Parallel()
	for name, arn := range map[string]string{"api": "", "arn:aws:lambda:eu-west-1:123456789012:function:api": "arn:aws:lambda:eu-west-1:123456789012:function:api"} {
		s := newSetup()
		s.subject.ARN = arn
		s.Options.InvokePayload = json.RawMessage(`{"ping":true}`)
		s.clients.Lambda = invokes(func(in *lambda.InvokeInput) (*lambda.InvokeOutput, error) {
			assert.Equal(t, name, aws.ToString(in.FunctionName))
			assert.Equal(t, "live", aws.ToString(in.Qualifier))
			assert.Equal(t, types.LogTypeTail, in.LogType)
			assert.JSONEq(t, `{"ping":true}`, string(in.Payload))
			return &lambda.InvokeOutput{StatusCode: 200, ExecutedVersion: str("41")}, nil
		})
		assert.Equal(t, report.CheckPassed, s.verify().Checks[0].Status)
	}
}

func TestInvokeKeepsTheLogsTailWithoutSecrets(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("nter2 half a secret ", 300) + "\nthe end, hunter2"
	for name, c := range map[string]struct{ encoded, want string }{
		"a short tail":   {base64.StdEncoding.EncodeToString([]byte("key hunter2\nREPORT")), "key ***\nREPORT"},
		"a cut tail":     {base64.StdEncoding.EncodeToString([]byte(long)), "the end, ***"},
		"no base64":      {"%%%", ""},
		"no tail at all": {"", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSetup()
			s.Options.InvokePayload = json.RawMessage(`{}`)
			s.clients.Lambda = invokes(func(*lambda.InvokeInput) (*lambda.InvokeOutput, error) {
				return &lambda.InvokeOutput{StatusCode: 200, ExecutedVersion: str("41"), LogResult: &c.encoded, FunctionError: str("Unhandled")}, nil
			})
			v := s.verify()
			assert.Equal(t, c.want, v.LogTail)
			assert.NotContains(t, s.log.String(), "hunter2")
			if c.want != "" {
				assert.Contains(t, s.log.String(), "log of api: ", "it failed, so that the log has it")
			}
		})
	}
}
