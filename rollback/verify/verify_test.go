package verify_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/rollback/report"
	"github.com/org/lambda-rollback-action/rollback/verify"
)

// everything turns all checks on, each of them good.
func everything(t *testing.T) *setup {
	t.Helper()
	s := newSetup()
	s.HTTP = &http.Client{Transport: web(func(r *http.Request) (*http.Response, error) { return answer(r, 200), nil })}
	s.Options = verify.Options{
		Health:        verify.Health{URLs: []*url.URL{mustURL(t, "https://api.example/up")}, Successes: 3, Interval: 2 * time.Second, Timeout: time.Minute},
		InvokePayload: json.RawMessage(`{}`),
		Alarms:        []verify.Alarm{{Name: "errors"}},
		Observe:       5 * time.Minute,
	}
	s.clients.Lambda = ran("41")
	s.clients.Alarms = inStates(map[string]types.StateValue{"errors": types.StateValueOk})
	s.clients.Metrics = counts(steady)
	s.clients.Logs = written(line("41", time.Minute, "INFO all is well"))
	return s
}

func TestVerdict(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*setup)
		want   report.Health
		checks int
	}{
		"nothing to check tells nothing":                  {func(s *setup) { s.Options = verify.Options{} }, report.HealthUnknown, 0},
		"all is well":                                     {func(*setup) {}, report.Healthy, 5},
		"one check that failed outweighs those that pass": {func(s *setup) { s.clients.Lambda = ran("42") }, report.NotHealthy, 5},
		"one that tells nothing keeps it from healthy":    {func(s *setup) { s.clients.Logs = written() }, report.HealthUnknown, 5},
		"failed outweighs inconclusive, too": {func(s *setup) {
			s.clients.Logs = written()
			s.clients.Alarms = inStates(map[string]types.StateValue{"errors": types.StateValueAlarm})
		}, report.NotHealthy, 5},
		"the invocation alone": {func(s *setup) { s.Options = verify.Options{InvokePayload: json.RawMessage(`{}`)} }, report.Healthy, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := everything(t)
				c.change(s)
				overall, each := s.Verify(context.Background(), []verify.Subject{s.subject})
				assert.Equal(t, c.want, overall.Healthy, "%+v", overall.Checks)
				assert.Len(t, overall.Checks, c.checks)
				require.Len(t, each, 1)
				assert.Equal(t, overall, each[0])
			})
		})
	}
}

func TestSeveralFunctionsHaveVerdictsOfTheirOwn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := everything(t)
		s.Options.Observe = 0
		well, sick := s.subject, s.subject
		sick.Function, sick.Region = "shop", "us-east-1"
		good := s.clients
		bad := good
		bad.Lambda = ran("42")
		asked := map[string]int{}
		s.AWS = func(region string) verify.Clients {
			asked[region]++
			return map[string]verify.Clients{"eu-west-1": good, "us-east-1": bad}[region]
		}
		overall, each := s.Verify(context.Background(), []verify.Subject{well, sick, well})
		assert.Equal(t, report.NotHealthy, overall.Healthy)
		require.Len(t, each, 3)
		assert.Equal(t, report.Healthy, each[0].Healthy)
		assert.Equal(t, report.NotHealthy, each[1].Healthy)
		assert.Equal(t, report.Healthy, each[2].Healthy)
		assert.Equal(t, "invoke", each[1].Checks[2].Name)
		assert.Len(t, overall.Checks, 5, "what is common stands there once: a URL, an alarm, three invocations")
		assert.Equal(t, "shop:live: invoke", overall.Checks[3].Name)
		assert.Equal(t, map[string]int{"eu-west-1": 1, "us-east-1": 1}, asked)
	})
}

func TestNothingMoved(t *testing.T) {
	t.Parallel()
	overall, each := newSetup().Verify(context.Background(), nil)
	assert.Equal(t, report.HealthUnknown, overall.Healthy)
	assert.Empty(t, each)
}

func TestAWatchEndsWhenACheckHasFailed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := everything(t)
		s.Options.Observe = time.Hour
		s.clients.Lambda = ran("42")
		v := s.verify()
		assert.Less(t, v.Ended.Sub(v.Started), 20*time.Second)
		assert.Equal(t, report.NotHealthy, v.Healthy)
		for _, name := range []string{"alarm", "metrics", "logs"} {
			c := find(t, v, name)
			assert.Equal(t, report.CheckInconclusive, c.Status, name)
			assert.Contains(t, c.Detail, "the watch ended after 10 s of 1 h: the check invoke had already failed")
		}
		assert.Contains(t, find(t, v, "alarm").Detail, "its last known state was OK")
		assert.NotNil(t, v.Watched, "what was measured until then is shown")
	})
}

func TestACancelledWatchSaysWhatItKnew(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := everything(t)
		probes := 0
		s.HTTP.Transport = web(func(r *http.Request) (*http.Response, error) {
			probes++
			return answer(r, 200+300*(probes%2)), nil
		})
		s.clients.Lambda = invokes(nil).hanging()
		ctx, cancel := context.WithCancelCause(context.Background())
		time.AfterFunc(31*time.Second, func() { cancel(errors.New("the run was cancelled")) })
		v := s.verifyWithin(ctx)
		assert.Equal(t, 31*time.Second, v.Ended.Sub(v.Started))
		assert.Equal(t, report.HealthUnknown, v.Healthy)
		for _, c := range v.Checks {
			assert.Equal(t, report.CheckInconclusive, c.Status, c.Name)
			assert.Contains(t, c.Detail, "the run was cancelled", c.Name)
		}
		assert.Contains(t, find(t, v, "health").Detail, "8 of 16 probes healthy")
		assert.Contains(t, find(t, v, "alarm").Detail, "ended after 31 s of 5 min")
	})
}

func TestNothingHangs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := everything(t)
		s.clients = verify.Clients{
			Lambda: invokes(nil).hanging(), Alarms: alarms(nil).hanging(), Metrics: metrics(nil).hanging(), Logs: logs(nil).hanging(),
		}
		v := s.verify()
		assert.Equal(t, report.HealthUnknown, v.Healthy)
		assert.Less(t, v.Ended.Sub(v.Started), s.Options.Observe+3*time.Minute)
		assert.Contains(t, find(t, v, "invoke").Detail, "did not respond within 1 min")
		for name, action := range map[string]string{"alarm": "cloudwatch:DescribeAlarms", "metrics": "cloudwatch:GetMetricData", "logs": "logs:FilterLogEvents"} {
			assert.Equal(t, action+" failed: no response within 8s", find(t, v, name).Detail)
		}
	})
}

func TestNothingHangsWithManyFunctions(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := everything(t)
		s.clients.Metrics, s.clients.Logs = metrics(nil).hanging(), logs(nil).hanging()
		overall, each := s.Verify(context.Background(), slices.Repeat([]verify.Subject{s.subject}, 200))
		assert.Less(t, overall.Ended.Sub(overall.Started), s.Options.Observe+6*time.Minute)
		assert.Equal(t, report.HealthUnknown, overall.Healthy)
		assert.Contains(t, find(t, each[199], "logs").Detail, "there was no response within 2 min")
	})
}

func TestAMissingPermissionMakesItsCheckInconclusiveAndIsNamed(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		deny   func(*setup, error)
		action string
	}{
		"invoke":  {func(s *setup, err error) { s.clients.Lambda = invokes(nil).failing(err) }, "lambda:InvokeFunction"},
		"alarm":   {func(s *setup, err error) { s.clients.Alarms = alarms(nil).failing(err) }, "cloudwatch:DescribeAlarms"},
		"metrics": {func(s *setup, err error) { s.clients.Metrics = metrics(nil).failing(err) }, "cloudwatch:GetMetricData"},
		"logs":    {func(s *setup, err error) { s.clients.Logs = logs(nil).failing(err) }, "logs:FilterLogEvents"},
	} {
		for said, want := range map[string]string{
			"AccessDeniedException": "AWS denied " + c.action + ": allow that action",
			"AccessDenied":          "AWS denied " + c.action + ": allow that action",
			"ExpiredToken":          "AWS did not accept the credentials for " + c.action,
		} {
			t.Run(name+" answers "+said, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					s := everything(t)
					c.deny(s, awsError(403, said))
					v := s.verify()
					got := find(t, v, name)
					assert.Equal(t, report.CheckInconclusive, got.Status)
					assert.Contains(t, got.Detail, want)
					assert.Equal(t, report.HealthUnknown, v.Healthy)
					for _, other := range v.Checks {
						if other.Name != got.Name {
							assert.Equal(t, report.CheckPassed, other.Status, "%+v", other)
						}
					}
				})
			})
		}
	}
}

func TestReadingCallsAreTriedThreeTimes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		err   error
		tries int
	}{
		"throttled":       {awsError(400, "ThrottlingException"), 3},
		"a bare 429":      {awsError(429, ""), 3},
		"a server error":  {awsError(503, "ServiceUnavailable"), 3},
		"a wrong request": {awsError(400, "ValidationError"), 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newSetup()
				s.Options.Alarms = []verify.Alarm{{Name: "errors"}}
				tries := 0
				s.clients.Alarms = alarms(nil).counting(&tries, c.err)
				v := s.verify()
				assert.Equal(t, c.tries, tries)
				assert.Equal(t, report.CheckInconclusive, v.Checks[0].Status)
			})
		})
	}
}
