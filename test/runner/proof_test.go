package runner_test

import (
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/test/emulator"
)

// proven is what `results` says about the proof, for one function.
type proven struct {
	result

	To       string `json:"to"`
	Healthy  string `json:"healthy"`
	Rejected []string
	Checks   []struct {
		Name, Status, Detail string
	} `json:"checks"`
	Timeline []struct {
		Event, At, Detail string
	} `json:"timeline"`
	RecoveryMS *int64 `json:"time-to-recovery-ms"`
}

func (o outcome) proven(tb testing.TB) proven {
	tb.Helper()
	var all []proven
	require.NoError(tb, json.Unmarshal([]byte(o.outputs["results"]), &all))
	require.Len(tb, all, 1)
	return all[0]
}

// check is the status and the detail of the first check whose name begins so.
func (p proven) check(tb testing.TB, name string) (status, detail string) {
	tb.Helper()
	for _, c := range p.Checks {
		if strings.HasPrefix(c.Name, name) {
			return c.Status, c.Detail
		}
	}
	require.Failf(tb, "no such check", "%s in %+v", name, p.Checks)
	return "", ""
}

func (p proven) events() []string {
	var all []string
	for _, m := range p.Timeline {
		all = append(all, m.Event)
	}
	return all
}

// quick makes the health checks fast.
func (s *step) quick() *step {
	return s.inputs(map[string]string{"health-interval": "20ms", "health-timeout": "2s"})
}

// patient makes them fast where they pass: on a busy machine an answer takes a second.
func (s *step) patient() *step {
	return s.inputs(map[string]string{"health-interval": "20ms", "health-timeout": "60s"})
}

// answers serves these statuses, one after the other, and the last for ever.
func (s *scene) answers(statuses ...int) string {
	var n atomic.Int64
	return s.HealthURL(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(statuses[min(int(n.Add(1))-1, len(statuses)-1)])
	})
}

const (
	wellEnd   = "rolled-back/previous-version true"
	unwellEnd = "failed/unhealthy false"
	openEnd   = "rolled-back/previous-version unknown"
)

func (o outcome) end() string { return o.ended() + " " + o.outputs["healthy"] }

func TestHealthAfterTheMove(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		inputs func(s *scene) map[string]string
		want   string
		detail string // of the first health check
	}{
		"it is well": {
			func(s *scene) map[string]string { return map[string]string{"health-url": s.answers(200)} },
			wellEnd, "3 consecutive responses had status 200, after 3 probes",
		},
		"it becomes well while it is probed": {
			func(s *scene) map[string]string { return map[string]string{"health-url": s.answers(502, 502, 200)} },
			wellEnd, "after 5 probes",
		},
		"a good answer now and then is not enough": {
			func(s *scene) map[string]string {
				var n atomic.Int64
				return map[string]string{"health-url": s.HealthURL(func(w http.ResponseWriter, _ *http.Request) {
					if n.Add(1)%3 == 0 {
						w.WriteHeader(http.StatusServiceUnavailable)
					}
				})}
			},
			unwellEnd, "at most 2 in a row; last problem: status 503",
		},
		"one of several is not well": {
			func(s *scene) map[string]string {
				return map[string]string{"health-url": s.answers(500) + "\n" + s.answers(200)}
			},
			unwellEnd, "last problem: status 500",
		},
		"all of several are well": {
			func(s *scene) map[string]string {
				return map[string]string{"health-url": s.answers(200) + "\n" + s.answers(200)}
			},
			wellEnd, "",
		},
		"a class of statuses": {
			func(s *scene) map[string]string {
				return map[string]string{"health-url": s.answers(204, 201, 299), "health-status": "2xx"}
			},
			wellEnd, "status 2xx",
		},
		"a status that was not asked for": {
			func(s *scene) map[string]string { return map[string]string{"health-url": s.answers(204)} },
			unwellEnd, "status 204",
		},
		"it answers too late": {
			func(s *scene) map[string]string {
				return map[string]string{"health-url": s.HealthURL(func(_ http.ResponseWriter, r *http.Request) {
					select {
					case <-r.Context().Done():
					case <-time.After(20 * time.Second):
					}
				})}
			},
			unwellEnd, "0 of 1 probes healthy",
		},
		"a body that never ends": {
			func(s *scene) map[string]string {
				return map[string]string{"health-url": s.HealthURL(func(w http.ResponseWriter, r *http.Request) {
					for r.Context().Err() == nil {
						if _, err := w.Write([]byte(strings.Repeat("x", 64<<10))); err != nil {
							return
						}
					}
				}), "health-body": "ready"}
			},
			unwellEnd, "",
		},
		"the body that was asked for": {
			func(s *scene) map[string]string {
				return map[string]string{"health-url": s.HealthURL(func(w http.ResponseWriter, _ *http.Request) {
					_, _ = fmt.Fprint(w, `{"state":"ready"}`)
				}), "health-body": `"state":"ready"`}
			},
			wellEnd, "with the required text",
		},
		"an error page that says 200": {
			func(s *scene) map[string]string {
				return map[string]string{"health-url": s.HealthURL(func(w http.ResponseWriter, _ *http.Request) {
					_, _ = fmt.Fprint(w, "We are sorry")
				}), "health-body": "ready"}
			},
			unwellEnd, "",
		},
		"a redirect to another host": {
			func(s *scene) map[string]string {
				elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
					assert.Fail(s.tb, "it was followed")
				}))
				s.tb.Cleanup(elsewhere.Close)
				return map[string]string{"health-url": s.HealthURL(func(w http.ResponseWriter, r *http.Request) {
					http.Redirect(w, r, elsewhere.URL, http.StatusFound)
				})}
			},
			unwellEnd, "status 302",
		},
		"a redirect on the same host": {
			func(s *scene) map[string]string {
				return map[string]string{"health-url": s.HealthURL(func(w http.ResponseWriter, r *http.Request) {
					if r.URL.RawQuery == "" {
						http.Redirect(w, r, r.URL.Path+"?deep=1", http.StatusFound)
					}
				})}
			},
			wellEnd, "",
		},
		"a certificate that nobody vouches for": {
			func(s *scene) map[string]string {
				server := httptest.NewUnstartedServer(http.NotFoundHandler())
				server.Config.ErrorLog = log.New(io.Discard, "", 0)
				server.StartTLS()
				s.tb.Cleanup(server.Close)
				return map[string]string{"health-url": server.URL}
			},
			unwellEnd, "certificate",
		},
		"nobody listens": {
			func(*scene) map[string]string {
				server := httptest.NewServer(http.NotFoundHandler())
				server.Close()
				return map[string]string{"health-url": server.URL}
			},
			unwellEnd, "refused",
		},
		"it follows the version that serves": {
			func(s *scene) map[string]string {
				return map[string]string{"health-url": s.Health("api", "live", func(version int64) int {
					if version == 3 {
						return 500
					}
					return 200
				})}
			},
			wellEnd, "",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			f := s.function("api", 3)
			o := s.step().quick().inputs(c.inputs(s)).run()
			assert.Equal(t, c.want, o.end(), o.outputs["message"])
			assert.Equal(t, "2", f.Serving("live"), "the alias stays on the target whatever is found")
			assert.Equal(t, "2", o.outputs["to-version"])
			assert.Equal(t, "true", o.outputs["rolled-back"])
			_, detail := o.proven(t).check(t, "health ")
			assert.Contains(t, detail, c.detail)
			wantCode := 0
			if c.want == unwellEnd {
				wantCode = 1
				assert.Contains(t, o.outputs["message"], "production is NOT healthy")
				assert.Contains(t, o.outputs["message"], "the alias stays on version 2")
			}
			assert.Equal(t, wantCode, o.code)
			assert.Less(t, o.took-o.stalled, 20*time.Second)
		})
	}
}

func TestInvokeAfterTheMove(t *testing.T) {
	t.Parallel()
	payload := map[string]string{"invoke-payload": `{"ping":true}`}
	respond := func(s *scene, r emulator.Response) {
		f := s.Lambda(region).Function("api")
		require.NoError(s.tb, f.Change(2, func(v *emulator.Version) {
			v.Respond = func([]byte) emulator.Response { return r }
		}))
	}
	for name, c := range map[string]struct {
		scene  func(s *scene)
		want   string
		detail string
	}{
		"the target answers": {func(*scene) {}, wellEnd, "version 2 responded in"},
		"the target throws": {func(s *scene) {
			respond(s, emulator.Response{Payload: []byte(`{"errorMessage":"no table"}`), Error: "Unhandled"})
		}, unwellEnd, "no table"},
		"it may not be invoked":           {func(s *scene) { s.Fault(on("Invoke", "live"), emulator.Deny()) }, openEnd, "AWS denied lambda:InvokeFunction"},
		"it is throttled for a moment":    {func(s *scene) { s.Fault(on("Invoke", "live"), emulator.Throttle(0).Times(2)) }, wellEnd, "version 2"},
		"Lambda cannot start it":          {func(s *scene) { s.Fault(on("Invoke", "live"), emulator.Status(502, "InvalidRuntimeException", "gone")) }, unwellEnd, "cannot run"},
		"Lambda fails once in between":    {func(s *scene) { s.Fault(on("Invoke", "live"), emulator.Status(500, "ServiceException", "x").Times(1)) }, wellEnd, "version 2"},
		"Lambda fails again and again":    {func(s *scene) { s.Fault(on("Invoke", "live"), emulator.Status(500, "ServiceException", "x")) }, openEnd, "lambda:InvokeFunction failed"},
		"the session has ended meanwhile": {func(s *scene) { s.Fault(on("Invoke", "live"), emulator.Status(403, "ExpiredTokenException", "x")) }, openEnd, "did not accept the credentials"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			s.function("api", 3)
			c.scene(s)
			o := s.step().inputs(payload).run()
			assert.Equal(t, c.want, o.end(), o.outputs["message"])
			_, detail := o.proven(t).check(t, "invoke")
			assert.Contains(t, detail, c.detail)
		})
	}
}

func TestTheLogOfTheInvocationIsShownWithoutSecrets(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	f := s.function("api", 3)
	const secret = "canary-of-the-function-log"
	require.NoError(t, f.Change(2, func(v *emulator.Version) {
		v.Respond = func([]byte) emulator.Response {
			return emulator.Response{Payload: []byte("{}"), Error: "Unhandled", Log: "START\nusing " + secret + " ::add-mask::x\n##[error]boom\nEND\n"}
		}
	}))
	o := s.step().input("invoke-payload", "{}").input("webhook-secret", "").input("smtp-password", "").set("AWS_SESSION_TOKEN", secret).run()
	assert.Equal(t, unwellEnd, o.end())
	assert.Contains(t, o.summary, "Log of the test invocation")
	assert.Contains(t, o.summary, "using ***")
	assert.NotContains(t, o.everything(), secret)
}

func TestAlarmsAfterTheMove(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		scene   func(cw *emulator.CloudWatch)
		observe string // a change takes a time to watch
		status  string
		detail  string
		end     string
	}{
		"OK":                {scene: func(cw *emulator.CloudWatch) { cw.SetAlarm("errors", emulator.AlarmOK) }, status: "passed", detail: "OK", end: wellEnd},
		"in ALARM":          {scene: func(cw *emulator.CloudWatch) { cw.SetAlarm("errors", emulator.AlarmInAlarm) }, status: "failed", detail: "ALARM", end: unwellEnd},
		"no data":           {scene: func(cw *emulator.CloudWatch) { cw.SetAlarm("errors", emulator.AlarmInsufficientData) }, status: "inconclusive", detail: "INSUFFICIENT_DATA", end: openEnd},
		"a composite OK":    {scene: func(cw *emulator.CloudWatch) { cw.SetCompositeAlarm("errors", emulator.AlarmOK) }, status: "passed", detail: "OK", end: wellEnd},
		"a composite ALARM": {scene: func(cw *emulator.CloudWatch) { cw.SetCompositeAlarm("errors", emulator.AlarmInAlarm) }, status: "failed", detail: "ALARM", end: unwellEnd},
		"missing":           {scene: func(*emulator.CloudWatch) {}, status: "inconclusive", detail: "there is no metric or composite alarm with that name", end: openEnd},
		// The metrics may not be read, so that the end is open where nothing fails.
		"ALARM of before that ends in time": {scene: func(cw *emulator.CloudWatch) {
			cw.SetAlarm("errors", emulator.AlarmInAlarm).AlarmAfter(1, emulator.AlarmOK)
		}, observe: "1s", status: "passed", detail: "OK", end: openEnd},
		"OK that turns into ALARM": {scene: func(cw *emulator.CloudWatch) {
			cw.SetAlarm("errors", emulator.AlarmOK).AlarmAfter(1, emulator.AlarmInAlarm)
		}, observe: "1s", status: "failed", detail: "ALARM", end: unwellEnd},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			s.function("api", 3)
			c.scene(s.CloudWatch(region))
			s.Fault(emulator.Match{Service: emulator.ServiceCloudWatch, Operation: "GetMetricData"}, emulator.Deny())
			o := s.step().inputs(map[string]string{"alarms": "errors", "observe": c.observe}).run()
			status, detail := o.proven(t).check(t, "alarm errors")
			assert.Equal(t, c.status, status)
			assert.Contains(t, detail, c.detail)
			assert.Equal(t, c.end, o.end(), o.outputs["message"])
		})
	}
}

// An alarm is looked for in the region of every function that was moved.
func TestAlarmsInSeveralRegions(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.function("api", 3)
	far := s.Lambda("us-east-1").CreateFunction("far")
	far.Publish(s.ago(24 * time.Hour))
	far.Publish(s.deployed())
	require.NoError(t, far.SetAlias("live", 2, nil))
	s.CloudWatch(region).SetAlarm("errors", emulator.AlarmOK)
	s.CloudWatch("us-east-1").SetAlarm("errors", emulator.AlarmInAlarm)
	o := s.step().input("function-name", "api\n"+far.ARN()).input("alarms", "errors").run()
	assert.Equal(t, unwellEnd, o.end(), o.outputs["message"])
	assert.Contains(t, o.summary, "us-east-1")
}

// What was not allowed to look says nothing: it is neither well nor a failure,
// and the message names the missing IAM action.
func TestEachCheckWithoutItsPermission(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		inputs    map[string]string
		service   string
		operation string
		check     string
		action    string
	}{
		"invoke":  {map[string]string{"invoke-payload": "{}"}, emulator.ServiceLambda, "Invoke", "invoke", "lambda:InvokeFunction"},
		"alarms":  {map[string]string{"alarms": "errors"}, emulator.ServiceCloudWatch, "DescribeAlarms", "alarm errors", "cloudwatch:DescribeAlarms"},
		"metrics": {map[string]string{"observe": "1s"}, emulator.ServiceCloudWatch, "GetMetricData", "metrics", "cloudwatch:GetMetricData"},
		"logs":    {map[string]string{"observe": "1s"}, emulator.ServiceLogs, "FilterLogEvents", "logs", "logs:FilterLogEvents"},
		"an API":  {map[string]string{"observe": "1s", "observe-api": "shop"}, emulator.ServiceCloudWatch, "GetMetricData", "API shop", "cloudwatch:GetMetricData"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			f := s.function("api", 3)
			s.CloudWatch(region).SetAlarm("errors", emulator.AlarmOK)
			s.Fault(emulator.Match{Service: c.service, Operation: c.operation}, emulator.Deny())
			o := s.step().inputs(c.inputs).run()
			assert.Equal(t, openEnd, o.end(), o.outputs["message"])
			assert.Zero(t, o.code)
			assert.Equal(t, "2", f.Serving("live"))
			status, detail := o.proven(t).check(t, c.check)
			assert.Equal(t, "inconclusive", status)
			assert.Contains(t, detail, "AWS denied "+c.action)
			assert.Contains(t, o.summary, c.action)
		})
	}
}

// calls and logs of production: well before, failing since the deploy.
func (s *scene) production(f *emulator.Function, after float64) {
	f.Traffic("live", s.ago(3*time.Hour), s.deployed().Truncate(time.Minute), 60, 0)
	f.Traffic("live", s.deployed().Truncate(time.Minute), s.now.Truncate(time.Minute), 60, 0.5)
	f.TrafficOn("live", 2, s.now.Truncate(time.Minute), s.now.Add(5*time.Minute), 60, after)
	group := "/aws/lambda/" + f.Name()
	s.Logs(region).PutEvents(group, emulator.LogStream(s.now, 3, "aaa"), emulator.LogEvent{At: s.ago(3 * time.Minute), Message: "[ERROR] boom"})
	for i := range 30 {
		s.Logs(region).PutEvents(group, emulator.LogStream(s.now, 2, "bbb"), emulator.LogEvent{At: s.now.Add(time.Duration(i) * time.Second), Message: "INFO served"})
	}
}

func TestObserve(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		after   float64 // share of failing calls after the move
		metrics string
	}{
		"the errors end":   {0, "passed"},
		"the errors go on": {0.5, "failed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			s.production(s.function("api", 3), c.after)
			o := s.step().input("observe", "2s").run()
			p := o.proven(t)
			status, detail := p.check(t, "metrics")
			assert.Equal(t, c.metrics, status, detail)
			assert.Regexp(t, `\| \| Before the deploy \(\d min\) \| Failing \(\d min\) \| Now(?: \(\d min\))? \| Minute by minute \|`, o.summary)
		})
	}
}

// The failed deploy may have moved the log to another group: the target writes
// where its own configuration says, and so does the version after a step back.
func TestTheLogIsThatOfTheVersionThatServes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		well  int64
		group string
	}{
		"the first target": {3, "/third"},
		"one step further": {2, "/second"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			f := s.function("api", 4)
			for version, group := range map[int64]string{4: "/fourth", 3: "/third", 2: "/second"} {
				require.NoError(t, f.Change(version, func(v *emulator.Version) { v.LogGroup = group }))
			}
			for i := range 20 {
				s.Logs(region).PutEvents(c.group, emulator.LogStream(s.now, c.well, "bbb"),
					emulator.LogEvent{At: s.now.Add(time.Duration(i) * time.Second), Message: "INFO served"})
			}
			o := s.step().quick().inputs(map[string]string{"health-url": s.by(c.well), "observe": "2s", "on-unhealthy": "step-back"}).run()
			status, detail := o.proven(t).check(t, "logs")
			assert.Equal(t, "passed", status, detail)
			assert.Contains(t, detail, "writes to "+c.group)
		})
	}
}

// The API in front of the function answers 5xx where the function fails.
func TestObserveAnAPI(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		dimension, errors string // how the kind of API is counted
		before, after     float64
		want              string
	}{
		"a REST API that is well again":    {"ApiName", "5XXError", 0, 0, "passed"},
		"an HTTP API that is well again":   {"ApiId", "5xx", 0, 0, "passed"},
		"a REST API that goes on failing":  {"ApiName", "5XXError", 0, 400, "failed"},
		"an HTTP API that goes on failing": {"ApiId", "5xx", 0, 400, "failed"},
		"errors that are usual":            {"ApiId", "5xx", 400, 400, "passed"},
		"an API that nobody calls":         {"", "", 0, 0, "inconclusive"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			s.function("api", 3)
			if c.dimension != "" {
				where := map[string]string{c.dimension: "shop"}
				for n := -180; n < 10; n++ {
					at, errors := s.now.Add(time.Duration(n)*time.Minute), c.after
					if n < -6 {
						errors = c.before
					}
					s.CloudWatch(region).PutMetric("AWS/ApiGateway", "Count", where, at, 2000)
					s.CloudWatch(region).PutMetric("AWS/ApiGateway", c.errors, where, at, errors)
				}
			}
			// Judged are whole minutes, the first left out: they are to come.
			o := s.step().inputs(map[string]string{"observe": "1s", "observe-api": "shop"}).run()
			status, detail := o.proven(t).check(t, "API shop")
			if c.want == "failed" && status == "inconclusive" { // so near to the move
				assert.Contains(t, detail, "these may still be errors of the failed version")
				return
			}
			assert.Equal(t, c.want, status, detail)
			assert.Contains(t, detail, "5xx responses: ")
		})
	}
}

// Missing data does not mean healthy.
func TestObserveWhereNobodyCalls(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.function("api", 3)
	o := s.step().input("observe", "1s").run()
	assert.Equal(t, openEnd, o.end(), o.outputs["message"])
	for _, check := range []string{"metrics", "logs"} {
		status, detail := o.proven(t).check(t, check)
		assert.Equal(t, "inconclusive", status, detail)
	}
	assert.Contains(t, o.outputs["message"], "could not confirm that production recovered")
}

// GitHub's clock, AWS's and the runner's differ: no time may come out negative,
// and a version made "in the future" is still rolled back.
func TestClocksThatDiffer(t *testing.T) {
	t.Parallel()
	for name, ahead := range map[string]time.Duration{"GitHub's is ahead": 2 * time.Minute, "GitHub's is behind": -2 * time.Minute} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			require.NoError(t, s.GitHub.ChangeRun(repository, s.run.ID, func(r *emulator.WorkflowRun) {
				r.Jobs[0].CompletedAt = s.now.Add(ahead)
			}))
			s.function("api", 3)
			o := s.step().patient().input("health-url", s.answers(200)).run()
			assert.Equal(t, wellEnd, o.end(), o.outputs["message"])
			p := o.proven(t)
			if ahead > 0 {
				assert.Nil(t, p.RecoveryMS, "a negative time is not known")
			} else {
				require.NotNil(t, p.RecoveryMS)
				assert.Positive(t, *p.RecoveryMS)
			}
		})
	}
}

func TestTheTimelineTellsTheWholeWay(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.function("api", 3)
	o := s.step().patient().input("health-url", s.answers(200)).run()
	p := o.proven(t)
	assert.Equal(t, []string{"run-created", "deploy-failed", "started", "alias-moved", "traffic-moved", "verified"}, p.events())
	last := time.Time{}
	for _, m := range p.Timeline {
		at, err := time.Parse(time.RFC3339, m.At)
		require.NoError(t, err)
		assert.False(t, at.Before(last), "%+v", p.Timeline)
		last = at
	}
	require.NotNil(t, p.RecoveryMS)
	assert.InDelta(t, (4 * time.Minute).Milliseconds(), *p.RecoveryMS, 30_000)
	assert.Contains(t, o.summary, "### Timeline")
	assert.Contains(t, o.summary, "Time to recovery: 4 min")
	assert.Contains(t, o.summary, "Smoke test")
}

// With provisioned concurrency the traffic follows the alias later: the timeline
// says what served until then.
func TestTheTimelineTellsWhatServedMeanwhile(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.function("api", 3)
	s.Fault(on("UpdateAlias", "live"), emulator.SlowWeights(3))
	o := s.step().patient().input("health-url", s.answers(200)).run()
	assert.Equal(t, wellEnd, o.end(), o.outputs["message"])
	for _, m := range o.proven(t).Timeline {
		if m.Event == "traffic-moved" {
			assert.Regexp(t, `^100% of traffic is on version 2; it took \d+(\.\d+)? s, and at first \d+(\.\d+)?% still went to version 3$`, m.Detail)
		}
	}
	assert.Contains(t, o.proven(t).events(), "traffic-moved")
}

// Another job can have failed long before the deploy did: the time to recovery
// begins with the deploy.
func TestTheTimelineBeginsWithTheJobThatCounts(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{"deploy": "deploy", "deploy (eu, blue)": "deploy (eu, blue)", "deploy / ship": "deploy / ship", "Ship it": "lint"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			require.NoError(t, s.GitHub.ChangeRun(repository, s.run.ID, func(r *emulator.WorkflowRun) {
				r.Jobs[0].Name = name
				r.Jobs = append(r.Jobs, emulator.WorkflowJob{
					Name: "lint", Conclusion: "failure", StartedAt: s.ago(9 * time.Minute), CompletedAt: s.ago(8 * time.Minute),
				})
			}))
			s.function("api", 3)
			o := s.step().quick().inputs(map[string]string{
				"health-url": s.answers(200), "deploy-job": "deploy",
				"needs": `{"deploy":{"result":"failure","outputs":{}},"lint":{"result":"failure","outputs":{}}}`,
			}).run()
			for _, m := range o.proven(t).Timeline {
				if m.Event == "deploy-failed" {
					assert.Contains(t, m.Detail, "“"+want+"”")
				}
			}
		})
	}
}

// by gives the health of a version.
func (s *scene) by(well ...int64) string {
	return s.Health("api", "live", func(version int64) int {
		if slices.Contains(well, version) {
			return 200
		}
		return 500
	})
}

// wellAre lets all other versions end with a function error. Unlike an endpoint,
// which must be probed for a time, that is found at once.
func (s *scene) wellAre(f *emulator.Function, well ...int64) {
	s.tb.Helper()
	for _, version := range f.Versions() {
		if slices.Contains(well, version) {
			continue
		}
		require.NoError(s.tb, f.Change(version, func(v *emulator.Version) {
			v.Respond = func([]byte) emulator.Response { return emulator.Response{Error: "Unhandled", Payload: []byte("{}")} }
		}))
	}
}

func TestStepBack(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		well     []int64 // versions that are healthy
		inputs   map[string]string
		scene    func(s *scene, f *emulator.Function)
		want     string
		serving  string
		rejected string // in the memory's Description
		says     []string
		moves    int
	}{
		"the first target is well": {
			well: []int64{5}, want: wellEnd, serving: "5", rejected: "rejected=6@7001 ", moves: 1,
		},
		"the second one is": {
			well: []int64{4}, want: wellEnd, serving: "4", rejected: "rejected=6@7001,5 ", moves: 2,
			says: []string{"version 5 was not healthy either"},
		},
		"the third one is": {
			well: []int64{3}, want: wellEnd, serving: "3", rejected: "rejected=6@7001,5,4 ", moves: 3,
			says: []string{"versions 5 and 4 were not healthy either"},
		},
		"none is": {
			want: unwellEnd, serving: "5", moves: 5,
			says: []string{"on version 5, the first target of the rollback from version", "versions 5, 4, 3 and 2 were not healthy", "NOT healthy"},
		},
		"none is within max-steps": {
			well: []int64{3}, inputs: map[string]string{"max-steps": "1"}, want: unwellEnd, serving: "5", moves: 3,
			says: []string{"versions 5 and 4 were not healthy"},
		},
		"a rejected one is passed over": {
			well: []int64{3},
			scene: func(s *scene, f *emulator.Function) {
				require.NoError(s.tb, f.SetAlias("live-rollback", 5, nil))
				require.NoError(s.tb, f.DescribeAlias("live-rollback", "rejected=4"))
			},
			want: wellEnd, serving: "3", moves: 2,
		},
		"one that cannot serve is passed over": {
			well: []int64{3},
			scene: func(s *scene, f *emulator.Function) {
				require.NoError(s.tb, f.SetState(4, emulator.StateFailed, "InternalError"))
			},
			want: wellEnd, serving: "3", moves: 2,
		},
		"fail is the default": {
			well: []int64{4}, inputs: map[string]string{"on-unhealthy": "fail"}, want: unwellEnd, serving: "5", moves: 1,
		},
		"a further move is denied": {
			well:  []int64{4},
			scene: func(s *scene, _ *emulator.Function) { s.Fault(on("UpdateAlias", "live"), emulator.Deny().Skip(1)) },
			want:  unwellEnd, serving: "5", moves: 1,
			says: []string{"the alias stays on version 5"},
		},
		"a further move's answer is lost": {
			well:  []int64{4},
			scene: func(s *scene, _ *emulator.Function) { s.Fault(on("UpdateAlias", "live"), emulator.LostAnswer().Nth(2)) },
			want:  wellEnd, serving: "4", moves: 2,
		},
		"a further move is throttled": {
			well: []int64{4},
			scene: func(s *scene, _ *emulator.Function) {
				s.Fault(on("UpdateAlias", "live"), emulator.Throttle(0).Skip(1).Times(2))
			},
			want: wellEnd, serving: "4", moves: 2,
		},
		"the memory cannot be written": {
			well: []int64{4},
			scene: func(s *scene, _ *emulator.Function) {
				s.Fault(on("CreateAlias", ""), emulator.Deny())
				s.Fault(on("UpdateAlias", "live-rollback"), emulator.Deny())
			},
			want: wellEnd, serving: "4", moves: 2,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			f := s.function("api", 6)
			if c.scene != nil {
				c.scene(s, f)
			}
			before := len(f.History("live"))
			s.wellAre(f, c.well...)
			o := s.step().inputs(map[string]string{
				"invoke-payload": "{}", "on-unhealthy": "step-back", "max-steps": "3",
			}).inputs(c.inputs).run()

			assert.Equal(t, c.want, o.end(), o.outputs["message"])
			assert.Equal(t, c.serving, f.Serving("live"))
			assert.Equal(t, c.serving, o.outputs["to-version"])
			for _, text := range c.says {
				assert.Contains(t, o.outputs["message"], text)
			}
			if c.moves > 0 {
				assert.Len(t, f.History("live")[before:], c.moves)
			}
			if memory, has := f.Alias("live-rollback"); has && c.rejected != "" {
				assert.Contains(t, memory.Description, c.rejected)
				assert.Equal(t, c.serving, memory.Version)
			}
		})
	}
}

// Somebody deploys while production is being checked: that is never undone, what
// passed proves nothing about the target, and nobody is told that it serves.
func TestADeployDuringTheChecksStays(t *testing.T) {
	t.Parallel()
	for _, policy := range []string{"fail", "step-back"} {
		for answer, want := range map[int]string{http.StatusInternalServerError: unwellEnd, http.StatusOK: openEnd} {
			t.Run(fmt.Sprintf("%s, answers %d", policy, answer), func(t *testing.T) {
				t.Parallel()
				s := newScene(t)
				f := s.function("api", 4)
				var once atomic.Bool
				url := s.HealthURL(func(w http.ResponseWriter, _ *http.Request) {
					if once.CompareAndSwap(false, true) {
						v := f.Publish(time.Now())
						assert.NoError(t, f.SetAlias("live", v, nil))
					}
					w.WriteHeader(answer)
				})
				o := s.step().quick().inputs(map[string]string{"health-url": url, "on-unhealthy": policy}).run()
				assert.Equal(t, "5", f.Serving("live"), "the newer deploy")
				assert.Equal(t, want, o.end(), o.outputs["message"])
				assert.Contains(t, o.outputs["message"], "it serves version 5 now")
				assert.NotContains(t, o.outputs["message"], "stays on")
				assert.Nil(t, o.proven(t).RecoveryMS)
				status, _ := o.proven(t).check(t, "alias")
				assert.Equal(t, "inconclusive", status)
			})
		}
	}
}

// Somebody deploys right after a step back, before it was read: what is said is
// what serves, and no further step is made.
func TestADeployAfterAStepBackStays(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	f := s.function("api", 6)
	var moves atomic.Int64
	s.Fault(on("UpdateAlias", "live"), emulator.After(func(emulator.Call) { moves.Add(1) }))
	s.Fault(on("GetAlias", "live"), emulator.Before(func(emulator.Call) {
		if moves.CompareAndSwap(2, 3) {
			v := f.Publish(time.Now())
			assert.NoError(t, f.SetAlias("live", v, nil))
		}
	}))
	o := s.step().quick().inputs(map[string]string{"health-url": s.by(), "on-unhealthy": "step-back"}).run()
	assert.Equal(t, "7", f.Serving("live"))
	assert.Equal(t, unwellEnd, o.end(), o.outputs["message"])
	assert.Contains(t, o.outputs["message"], "it serves version 7 now")
	assert.NotContains(t, o.outputs["message"], "stays on")
	assert.Equal(t, int64(3), moves.Load(), "no third move")
}

// A step back whose answer was lost, and the alias cannot be read: then nobody is
// told where it stands.
func TestAStepBackOfWhichNobodyKnows(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	f := s.function("api", 6)
	var moves atomic.Int64
	s.Fault(on("UpdateAlias", "live"), emulator.After(func(emulator.Call) { moves.Add(1) }))
	s.Fault(on("UpdateAlias", "live"), emulator.LostAnswer().Skip(1))
	reads := emulator.Match{Service: emulator.ServiceLambda, Operation: "GetAlias", Qualifier: "live", Where: func(emulator.Call) bool {
		return moves.Load() > 1
	}}
	s.Fault(reads, emulator.Status(500, "ServiceException", "x"))
	o := s.step().quick().inputs(map[string]string{"health-url": s.by(), "on-unhealthy": "step-back", "timeout": "5s"}).run()
	assert.Equal(t, "4", f.Serving("live"))
	assert.Equal(t, unwellEnd, o.end(), o.outputs["message"])
	assert.Contains(t, o.outputs["message"], "could not determine whether the alias left version 5: check where it points")
	assert.NotContains(t, o.outputs["message"], "stays on")
}

// Traffic that still shifts when the time is over: what passes may have been said
// by the failed version.
func TestChecksWhileTheTrafficStillShifts(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.function("api", 3)
	s.Fault(on("UpdateAlias", "live"), emulator.SlowWeightsFor(time.Minute))
	o := s.step().patient().inputs(map[string]string{"health-url": s.answers(200), "timeout": "5s"}).run()
	assert.Equal(t, openEnd, o.end(), o.outputs["message"])
	assert.Regexp(t, `alias: the checks may not have reached version 2: version 3 still gets \d+(\.\d+)?% of its traffic`, o.outputs["message"])
}

// Nor does it leave a version of which nobody knows whether it failed.
func TestNoStepBackWhileTheTrafficStillShifts(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	f := s.function("api", 4)
	s.Fault(on("UpdateAlias", "live"), emulator.SlowWeightsFor(time.Minute))
	o := s.step().quick().inputs(map[string]string{"health-url": s.answers(500), "timeout": "5s", "on-unhealthy": "step-back"}).run()
	assert.Equal(t, unwellEnd, o.end(), o.outputs["message"])
	assert.Equal(t, "3", f.Serving("live"))
	assert.Contains(t, o.outputs["message"], "version 4 still gets")
	assert.Equal(t, []string{"4"}, o.proven(t).Rejected)
}

// An alarm that is looked at right after the move was set off by the failed
// version: no good version is left for it.
func TestNoStepBackForAnAlarmThatWasNotWatched(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		inputs  map[string]string
		serving string // in the end
		moves   int
	}{
		"the alarm alone":           {map[string]string{}, "5", 1},
		"the alarm was watched":     {map[string]string{"observe": "1s", "max-steps": "1"}, "5", 3},
		"another check failed, too": {map[string]string{"invoke-payload": "{}", "max-steps": "1"}, "5", 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			f := s.function("api", 6)
			s.wellAre(f)
			s.CloudWatch(region).SetAlarm("errors", emulator.AlarmInAlarm)
			before := len(f.History("live"))
			o := s.step().inputs(map[string]string{"alarms": "errors", "on-unhealthy": "step-back"}).inputs(c.inputs).run()
			assert.Equal(t, unwellEnd, o.end(), o.outputs["message"])
			assert.Equal(t, c.serving, f.Serving("live"))
			assert.Len(t, f.History("live")[before:], c.moves)
		})
	}
}

// A deploy that comes while the function is invoked is no failure of the target.
func TestADeployDuringTheInvocationStays(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	f := s.function("api", 4)
	var once atomic.Bool
	s.Fault(on("Invoke", "live"), emulator.Before(func(emulator.Call) {
		if once.CompareAndSwap(false, true) {
			v := f.Publish(time.Now())
			assert.NoError(t, f.SetAlias("live", v, nil))
		}
	}))
	o := s.step().inputs(map[string]string{"invoke-payload": "{}", "on-unhealthy": "step-back"}).run()
	assert.Equal(t, openEnd, o.end(), o.outputs["message"])
	assert.Equal(t, "5", f.Serving("live"))
	assert.Contains(t, o.outputs["message"], "it serves version 5 now")
}

// Only the function whose own checks fail goes further back.
func TestStepBackOfOneAmongSeveral(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	good, bad := s.function("good", 5), s.function("bad", 5)
	for _, v := range []int64{4} {
		require.NoError(t, bad.Change(v, func(v *emulator.Version) {
			v.Respond = func([]byte) emulator.Response { return emulator.Response{Error: "Unhandled", Payload: []byte("{}")} }
		}))
	}
	o := s.step().inputs(map[string]string{"function-name": "good\nbad", "invoke-payload": "{}", "on-unhealthy": "step-back"}).run()
	assert.Equal(t, wellEnd, o.end(), o.outputs["message"])
	assert.Equal(t, "4", good.Serving("live"))
	assert.Equal(t, "3", bad.Serving("live"))
}

// With all-or-nothing functions go further back together, or not at all, whoever
// of them is not healthy.
func TestStepBackTogether(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		scene     func(s *scene, good, bad *emulator.Function)
		want      string
		good, bad string // what serves in the end
		says      string // a warning of good
	}{
		"both step": {
			func(s *scene, _, bad *emulator.Function) { s.wellAre(bad, 1, 2, 3) }, wellEnd, "3", "3", "",
		},
		"one has nothing further back": {
			func(s *scene, good, bad *emulator.Function) {
				s.wellAre(bad, 1, 2, 3)
				for v := int64(1); v < 4; v++ {
					require.NoError(s.tb, good.Delete(v))
				}
			}, unwellEnd, "4", "4", "the action cannot go further back",
		},
		"one that is unwell has nothing further back": {
			func(s *scene, _, bad *emulator.Function) {
				s.wellAre(bad, 1, 2, 3)
				for v := int64(1); v < 4; v++ {
					require.NoError(s.tb, bad.Delete(v))
				}
			}, unwellEnd, "4", "4", "another function cannot go further back: this one stays on version 4",
		},
		"one cannot be moved, and the other returns": {
			func(s *scene, _, bad *emulator.Function) {
				s.wellAre(bad, 1, 2, 3)
				s.Fault(emulator.Match{Service: emulator.ServiceLambda, Operation: "UpdateAlias", Function: "bad", Qualifier: "live"}, emulator.Deny().Skip(1))
			}, unwellEnd, "4", "4", "this one returned to version 4",
		},
		"none is well": {
			func(s *scene, _, bad *emulator.Function) { s.wellAre(bad) }, unwellEnd, "4", "4", "",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			good, bad := s.function("good", 5), s.function("bad", 5)
			c.scene(s, good, bad)
			o := s.step().inputs(map[string]string{
				"function-name": "good\nbad", "invoke-payload": "{}", "on-unhealthy": "step-back", "all-or-nothing": "true",
			}).run()
			assert.Equal(t, c.want, o.end(), o.outputs["message"])
			assert.Equal(t, c.good, good.Serving("live"))
			assert.Equal(t, c.bad, bad.Serving("live"))
			assert.Contains(t, strings.Join(o.warnings(), "\n"), c.says)
			var all []proven
			require.NoError(t, json.Unmarshal([]byte(o.outputs["results"]), &all))
			for _, r := range all {
				serving := map[string]*emulator.Function{"good": good, "bad": bad}[r.Function].Serving("live")
				assert.Equal(t, serving, r.To, r.Message)
				if r.Function == "good" {
					assert.Equal(t, "true", r.Healthy, r.Message)
				}
			}
		})
	}
}

// A signal ends the checks in time, and what is said is what is true.
func TestSignalsDuringTheProof(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		inputs map[string]string
		await  emulator.Match
	}{
		"while a URL is probed": {map[string]string{"health-timeout": "60s", "health-interval": "20ms"}, emulator.Match{Service: emulator.ServiceHealth}},
		"while it is watched":   {map[string]string{"observe": "60s", "alarms": "errors"}, emulator.Match{Service: emulator.ServiceCloudWatch, Operation: "DescribeAlarms"}},
		"in the third version":  {map[string]string{"health-timeout": "100ms", "health-interval": "10ms", "on-unhealthy": "step-back"}, emulator.Match{}},
	} {
		for sig, limit := range map[syscall.Signal]time.Duration{syscall.SIGINT: afterInterrupt, syscall.SIGTERM: afterTerminate} {
			t.Run(sig.String()+" "+name, func(t *testing.T) {
				t.Parallel()
				s := newScene(t)
				f := s.function("api", 9)
				s.CloudWatch(region).SetAlarm("errors", emulator.AlarmOK)
				p := s.step().input("health-url", s.answers(500)).inputs(c.inputs).start()
				if c.await.Service != "" {
					s.await(c.await)
				} else {
					require.Eventually(t, func() bool { return f.Serving("live") == "6" }, 20*time.Second, time.Millisecond)
				}
				o, after := p.stop(sig)
				assert.Less(t, after, limit)
				assert.Equal(t, f.Serving("live"), o.outputs["to-version"], o.outputs["message"])
				assert.NotEqual(t, "true", o.outputs["healthy"])
				assert.Equal(t, "true", o.outputs["rolled-back"])
				assert.Contains(t, o.outputs["message"], "version "+f.Serving("live"))
			})
		}
	}
}

// Nothing is checked where nothing was moved.
func TestNothingIsCheckedWhereNothingMoved(t *testing.T) {
	t.Parallel()
	checks := map[string]string{"invoke-payload": "{}", "alarms": "errors", "observe": "1s"}
	for name, prepare := range map[string]func(s *scene, st *step){
		"a dry run":           func(_ *scene, st *step) { st.input("dry-run", "true") },
		"a branch of its own": func(_ *scene, st *step) { st.set("GITHUB_REF", "refs/heads/side").set("GITHUB_REF_NAME", "side") },
		"nothing deployed": func(s *scene, _ *step) {
			require.NoError(s.tb, s.Lambda(region).Function("api").SetAlias("live", 2, nil))
		},
		"denied": func(s *scene, _ *step) { s.Fault(on("UpdateAlias", "live"), emulator.Deny()) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			s.function("api", 3)
			st := s.step().input("health-url", s.answers(200)).inputs(checks)
			prepare(s, st)
			o := st.run()
			assert.Equal(t, "unknown", o.outputs["healthy"], o.outputs["message"])
			assert.Empty(t, s.asked(emulator.ServiceHealth))
			assert.Empty(t, s.asked(emulator.ServiceCloudWatch))
			assert.Empty(t, s.asked(emulator.ServiceLogs))
			assert.Empty(t, s.Calls(emulator.Match{Service: emulator.ServiceLambda, Operation: "Invoke"}))
		})
	}
}

// Every kind of fault at every single call of the way further back: the alias
// ends on a version that was tried, the outputs name it, and nothing hangs.
func TestEveryFaultOfAStepBack(t *testing.T) {
	t.Parallel()
	faults := map[string]func() emulator.Effect{
		"throttled":   func() emulator.Effect { return emulator.Throttle(0) },
		"error 500":   func() emulator.Effect { return emulator.Status(500, "ServiceException", "x") },
		"reset":       emulator.Reset,
		"lost answer": emulator.LostAnswer,
		"truncated":   emulator.Truncated,
		"denied":      emulator.Deny,
		"412":         func() emulator.Effect { return emulator.Status(412, "PreconditionFailedException", "x") },
		"404":         func() emulator.Effect { return emulator.Status(404, "ResourceNotFoundException", "x") },
	}
	operations := []string{"UpdateAlias", "GetAlias", "GetFunctionConfiguration", "CreateAlias"}
	for kind, effect := range faults {
		for _, operation := range operations {
			t.Run(kind+" at "+operation, func(t *testing.T) {
				t.Parallel()
				for nth := 1; nth <= 8; nth++ {
					s := newScene(t)
					f := s.function("api", 6)
					s.wellAre(f, 3)
					fault := s.Fault(emulator.Match{Service: emulator.ServiceLambda, Operation: operation}, effect().Nth(nth))
					o := s.step().inputs(map[string]string{
						"invoke-payload": "{}", "on-unhealthy": "step-back",
					}).run()
					serving := f.Serving("live")
					about := fmt.Sprintf("the fault at call %d: %s: %s", nth, o.end(), o.outputs["message"])
					assert.Contains(t, []string{"6", "5", "4", "3"}, serving, about)
					if o.outputs["rolled-back"] == "true" {
						assert.Equal(t, serving, o.outputs["to-version"], about)
					} else {
						assert.Equal(t, "6", serving, about)
					}
					if o.outputs["healthy"] == "true" {
						assert.Equal(t, "3", serving, about)
					}
					if fault.Hits() == 0 { // there are no more calls
						assert.Greater(t, nth, 1)
						break
					}
				}
			})
		}
	}
}
