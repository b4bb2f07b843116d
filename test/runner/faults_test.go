package runner_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/test/emulator"
)

// TestFaultsThatPass: each kind of fault, at each call on the way, once or
// twice. The alias moves all the same, once.
func TestFaultsThatPass(t *testing.T) {
	t.Parallel()
	for fault, effect := range map[string]emulator.Effect{
		"throttled":                  emulator.Throttle(0).Times(2),
		"throttled with Retry-After": emulator.Throttle(time.Second).Times(1),
		"500":                        emulator.Status(http.StatusInternalServerError, "ServiceException", "try again").Times(2),
		"503 without code":           emulator.Status(http.StatusServiceUnavailable, "", "").Times(1),
		"reset":                      emulator.Reset().Times(2),
		"lost answer":                emulator.LostAnswer().Times(1),
		"truncated":                  emulator.Truncated().Times(1),
	} {
		for call, match := range map[string]emulator.Match{
			"GetAlias":                 on("GetAlias", "live"),
			"GetAlias of the memory":   on("GetAlias", "live-rollback"),
			"GetFunctionConfiguration": on("GetFunctionConfiguration", "3"),
			"UpdateAlias":              on("UpdateAlias", "live"),
			"CreateAlias":              on("CreateAlias", "live-rollback"),
		} {
			t.Run(call+" "+fault, func(t *testing.T) {
				t.Parallel()
				s := newScene(t)
				f := s.function("api", 3)
				s.Fault(match, effect)
				o := s.step().run()
				assert.Equal(t, "rolled-back/previous-version", o.ended(), o.outputs["message"])
				assert.Equal(t, "2", f.Serving("live"))
				assert.Equal(t, "2", f.Serving("live-rollback"))
				assert.Len(t, f.History("live"), 2, "one move")
				assert.Empty(t, o.warnings())
				if strings.Contains(fault, "Retry-After") {
					assert.GreaterOrEqual(t, o.took, time.Second)
				}
			})
		}
	}
}

func TestACallThatHangsIsTriedAgain(t *testing.T) {
	t.Parallel()
	for call, match := range map[string]emulator.Match{
		"GetAlias": on("GetAlias", "live"), "GetFunctionConfiguration": on("GetFunctionConfiguration", "3"), "UpdateAlias": on("UpdateAlias", "live"),
	} {
		t.Run(call, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			f := s.function("api", 3)
			s.Fault(match, emulator.Hang().Times(1))
			o := s.step().run()
			assert.Equal(t, "rolled-back", o.status())
			assert.Equal(t, "2", f.Serving("live"))
			assert.Less(t, o.took-o.stalled, 12*time.Second)
		})
	}
}

func TestARetryAfterThatIsLongerThanTheTimeLimit(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	f := s.function("api", 3)
	s.Fault(on("GetAlias", "live"), emulator.Throttle(time.Hour))
	o := s.step().input("timeout", "3s").run()
	assert.Equal(t, "failed/throttled", o.ended())
	assert.Equal(t, "3", f.Serving("live"))
	assert.Less(t, o.took-o.stalled, 6*time.Second)
}

// TestDenied: the message is all that somebody needs to mend the policy.
func TestDenied(t *testing.T) {
	t.Parallel()
	for _, deny := range []struct {
		name   string
		effect emulator.Effect
	}{{"", emulator.Deny()}, {" without a message", emulator.DenyWithoutMessage()}} {
		for action, c := range map[string]struct {
			resource string
			want     string
		}{
			"GetAlias":                 {"api", "failed/access-denied"},
			"GetFunctionConfiguration": {"api:", "failed/access-denied"},
			"UpdateAlias":              {"function:api:live", "failed/access-denied"},
			"CreateAlias":              {"api:live-rollback", "rolled-back/previous-version"},
			"ListVersionsByFunction":   {"api", "failed/access-denied"},
		} {
			t.Run(action+deny.name, func(t *testing.T) {
				t.Parallel()
				s := newScene(t)
				versions := 9
				if action == "ListVersionsByFunction" { // asked only over a gap, and missed only over a long one
					versions = 150
				}
				f := s.function("api", versions)
				if versions == 150 {
					for v := int64(2); v < 150; v++ {
						require.NoError(t, f.Delete(v))
					}
				}
				s.Fault(on(action, ""), deny.effect)
				o := s.step().run()
				assert.Equal(t, c.want, o.ended())
				said := o.outputs["message"]
				if o.status() == "rolled-back" {
					require.Len(t, o.warnings(), 1)
					said = o.warnings()[0]
				}
				assert.Contains(t, said, "lambda:"+action)
				assert.Contains(t, said, c.resource)
				denied := 0
				for _, call := range s.Calls(on(action, "")) {
					if call.Status == http.StatusForbidden {
						denied++
					}
				}
				assert.LessOrEqual(t, denied, 4, "what is denied is not tried again")
				if o.status() == "failed" {
					assert.Equal(t, strconv.Itoa(versions), f.Serving("live"))
				}
			})
		}
	}
}

func TestGitHubNeverStopsARollback(t *testing.T) {
	t.Parallel()
	for name, effect := range map[string]emulator.Effect{
		"hangs":         emulator.Hang(),
		"403":           emulator.Deny(),
		"404":           emulator.Status(http.StatusNotFound, "", "Not Found"),
		"429":           emulator.Status(http.StatusTooManyRequests, "", "slow down"),
		"rate limited":  emulator.Throttle(time.Hour),
		"500":           emulator.Status(http.StatusInternalServerError, "", "oops"),
		"502":           emulator.Status(http.StatusBadGateway, "", "<html>"),
		"resets":        emulator.Reset(),
		"cuts short":    emulator.Truncated(),
		"loses answers": emulator.LostAnswer(),
		"very slow":     emulator.Latency(2 * time.Second),
	} {
		for _, given := range []string{failedNeeds, ""} {
			t.Run(fmt.Sprintf("%s, needs %q", name, given), func(t *testing.T) {
				t.Parallel()
				s := newScene(t)
				f := s.function("api", 3)
				s.Fault(emulator.Match{Service: emulator.ServiceGitHub}, effect)
				o := s.step().input("needs", given).run()
				assert.Equal(t, "rolled-back", o.status())
				assert.Equal(t, "2", f.Serving("live"))
				assert.LessOrEqual(t, len(o.warnings()), 1)
				if name != "very slow" {
					assert.Len(t, o.warnings(), 1)
				}
				assert.Less(t, o.took-o.stalled, 8*time.Second)
			})
		}
	}
}

func TestGitHubThatIsNotThere(t *testing.T) {
	t.Parallel()
	for name, address := range map[string]string{
		"nobody listens": "http://127.0.0.1:1", "not an address": "::", "another protocol": "ftp://127.0.0.1", "no such host": "http://no-such-host.invalid/api/v3",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			f := s.function("api", 3)
			o := s.step().set("GITHUB_API_URL", address).run()
			assert.Equal(t, "rolled-back", o.status())
			assert.Equal(t, "2", f.Serving("live"))
			assert.Len(t, o.warnings(), 1)
		})
	}
}

func TestADeployThatGetsInBetweenIsNeverOverwritten(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	f := s.function("api", 3)
	s.finished()
	s.Fault(on("UpdateAlias", "live"), emulator.Before(func(emulator.Call) {
		assert.NoError(t, f.SetAlias("live", f.Publish(time.Now()), nil))
	}).Times(1))
	o := s.step().run()
	assert.Equal(t, "skipped/superseded", o.ended(), o.outputs["message"])
	assert.Equal(t, "4", f.Serving("live"))
}

// many are functions, each with a bad deploy.
func (s *scene) many(n int) []string {
	var names []string
	for i := range n {
		names = append(names, fmt.Sprintf("fn-%02d", i))
		s.function(names[i], 3)
	}
	return names
}

func TestTwentyFunctionsStayBelowAWSsRate(t *testing.T) {
	t.Parallel()
	const allowed = 15 // control-plane calls a second and region
	s := newScene(t)
	names := s.many(20)
	s.LimitControlPlane(allowed, allowed)
	o := s.step().input("function-name", strings.Join(names, "\n")).run()
	assert.Equal(t, "rolled-back/previous-version", o.ended())
	for _, name := range names {
		assert.Equal(t, "2", s.Lambda(region).Function(name).Serving("live"))
	}
	calls := s.asked(emulator.ServiceLambda)
	refused := slices.DeleteFunc(slices.Clone(calls), func(c emulator.Call) bool { return c.Status != http.StatusTooManyRequests })
	// On a busy machine, calls that left one by one arrive together: no more than leave
	// in the time of a stall, and those of the second after it.
	together := int(min(o.stalled, 2*time.Second).Seconds() * allowed)
	assert.LessOrEqual(t, len(refused), 6+together, "AWS hardly ever has to refuse a call")
	assert.LessOrEqual(t, busiest(calls), allowed+together, "%d calls in %s, %s of it stalled, %d refused",
		len(calls), o.took.Round(100*time.Millisecond), o.stalled.Round(time.Millisecond), len(refused))
}

// busiest is the most calls that arrived within one second.
func busiest(calls []emulator.Call) int {
	most := 0
	for i, first := range calls {
		n := 0
		for _, c := range calls[i:] {
			if c.Start.Sub(first.Start) < time.Second {
				n++
			}
		}
		most = max(most, n)
	}
	return most
}

// The account's rate is shared: others leave little of it.
func TestTwentyFunctionsWhenOthersUseUpTheRate(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	names := s.many(20)
	s.LimitControlPlane(10, 5)
	o := s.step().input("function-name", strings.Join(names, "\n")).run()
	assert.Equal(t, "rolled-back/previous-version", o.ended())
	for _, name := range names {
		assert.Equal(t, "2", s.Lambda(region).Function(name).Serving("live"))
	}
}

// Whoever waits for a turn when the time is over is told that it was the time.
func TestTwentyFunctionsInASecond(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	names := s.many(20)
	o := s.step().inputs(map[string]string{"function-name": strings.Join(names, "\n"), "timeout": "1s"}).run()
	for _, r := range o.results(t) {
		serving := s.Lambda(region).Function(r.Function).Serving("live")
		if r.Status == "rolled-back" {
			assert.Equal(t, "2", serving)
			continue
		}
		assert.Equal(t, "3", serving)
		if r.Reason == "aws-error" {
			t.Errorf("the reason is aws-error where it is the timeout: %s", r.Message)
		}
		assert.Equal(t, "timeout", r.Reason, r.Message)
	}
}

func TestAllOrNothingReturnsWhatMoved(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	names := s.many(3)
	s.Fault(emulator.Match{Operation: "UpdateAlias", Function: names[1]}, emulator.Deny())
	o := s.step().inputs(map[string]string{"function-name": strings.Join(names, "\n"), "all-or-nothing": "true"}).run()
	assert.Equal(t, "failed/access-denied", o.ended())
	for _, name := range names {
		assert.Equal(t, "3", s.Lambda(region).Function(name).Serving("live"))
	}
}

// behind is an address that leads to the emulator, except where instead answers.
func (s *scene) behind(instead func(http.ResponseWriter, *http.Request) bool) string {
	s.tb.Helper()
	upstream, err := url.Parse(s.URL)
	require.NoError(s.tb, err)
	on := httputil.NewSingleHostReverseProxy(upstream)
	on.ErrorHandler = func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) }
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !instead(w, r) {
			on.ServeHTTP(w, r)
		}
	}))
	s.tb.Cleanup(server.Close)
	return server.URL
}

// Something between here and AWS answers in its place: what the answer does not prove
// has not happened.
func TestAnswersOfSomethingElse(t *testing.T) {
	t.Parallel()
	const page = "<html><body>Web Filter</body></html>"
	calls := map[string]func(*http.Request) bool{
		"GetAlias": func(r *http.Request) bool {
			return r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, "/aliases/live")
		},
		"the memory": func(r *http.Request) bool {
			return r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, "/aliases/live-rollback")
		},
		"the version": func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/configuration") },
		"UpdateAlias": func(r *http.Request) bool {
			return r.Method == http.MethodPut && strings.HasSuffix(r.URL.Path, "/aliases/live")
		},
		"STS": func(r *http.Request) bool {
			return r.URL.Path == "/" && strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") &&
				r.Header.Get("Authorization") == ""
		},
	}
	for name, c := range map[string]struct {
		status int
		body   string
		passes bool
	}{
		"{}":                    {http.StatusOK, "{}", true},
		"no content":            {http.StatusNoContent, "", true},
		"a page":                {http.StatusOK, page, true},
		"half an object":        {http.StatusOK, `{"AliasArn":"arn`, true},
		"null":                  {http.StatusOK, "null", true},
		"a gateway's 502":       {http.StatusBadGateway, page, true},
		"a gateway's 408":       {http.StatusRequestTimeout, page, true},
		"it wants a password":   {http.StatusProxyAuthRequired, page, false},
		"it forbids":            {http.StatusForbidden, page, false},
		"another address":       {http.StatusMovedPermanently, "", false},
		"there is no such page": {http.StatusNotFound, page, false},
	} {
		for call, is := range calls {
			t.Run(name+" at "+call, func(t *testing.T) {
				t.Parallel()
				s := newScene(t)
				f := s.function("api", 3)
				var hits atomic.Int32
				most := int32(1 << 20)
				if c.passes {
					most = 2
				}
				between := s.behind(func(w http.ResponseWriter, r *http.Request) bool {
					if !is(r) || hits.Add(1) > most {
						return false
					}
					w.WriteHeader(c.status)
					_, _ = io.WriteString(w, c.body)
					return true
				})
				st := s.step()
				if call == "STS" {
					st = s.byRole()
				}
				o := st.set("AWS_ENDPOINT_URL", between).run()
				require.Positive(t, hits.Load())
				if c.passes || call == "the memory" { // which does not stop a move
					require.Equal(t, "rolled-back/previous-version", o.ended(), o.outputs["message"])
					assert.Equal(t, "2", f.Serving("live"))
					assert.Len(t, f.History("live"), 2, "one move")
					return
				}
				assert.Equal(t, "failed", o.status())
				assert.Contains(t, o.outputs["message"], fmt.Sprintf("HTTP status %d, without an AWS error", c.status))
				assert.Equal(t, "3", f.Serving("live"))
				assert.Less(t, o.took-o.stalled, 20*time.Second, "it never passes")
			})
		}
	}
}
