package runner_test

import (
	"net/http"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/test/emulator"
)

const role = "arn:aws:iam::" + emulator.Account + ":role/ci/rollback"

// withoutKeys is what STS says where it could not get GitHub's keys at the moment:
// https://github.com/aws-actions/configure-aws-credentials/issues/299
const withoutKeys = "Couldn't retrieve verification key from your identity provider,  please reference AssumeRoleWithWebIdentity documentation for requirements"

// byRole is a step whose only way in is the job's OIDC token.
func (s *scene) byRole() *step {
	return s.step().unset("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY").input("role-to-assume", role)
}

func TestARoleIsAssumedByTheJobsOwnToken(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		session string
		want    string
	}{
		"named after the run": {"", "lambda-rollback-7001"},
		"named by the input":  {"night-shift", "night-shift"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			f := s.function("api", 3)
			o := s.byRole().input("role-session-name", c.session).run()
			require.Equal(t, "rolled-back/previous-version", o.ended())
			assert.Equal(t, "2", f.Serving("live"))
			for _, call := range s.asked(emulator.ServiceLambda) {
				assert.Equal(t, "arn:aws:sts::"+emulator.Account+":assumed-role/rollback/"+c.want, call.Actor)
			}
			assert.Len(t, s.asked(emulator.ServiceSTS), 1)
			assert.Len(t, s.asked(emulator.ServiceOIDC), 1)
		})
	}
}

func TestARoleWinsOverTheEnvironmentsCredentials(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	f := s.function("api", 3)
	o := s.step().input("role-to-assume", role).run()
	require.Equal(t, "rolled-back", o.status())
	history := f.History("live")
	assert.Contains(t, history[len(history)-1].Actor, ":assumed-role/rollback/")
}

func TestAnAudienceOfOnesOwn(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.TrustAudience("sts.amazonaws.com.cn")
	f := s.function("api", 3)
	o := s.byRole().input("audience", "sts.amazonaws.com.cn").run()
	assert.Equal(t, "rolled-back", o.status())
	assert.Equal(t, "2", f.Serving("live"))
}

func TestNoCredentials(t *testing.T) {
	t.Parallel()
	sts := emulator.Match{Service: emulator.ServiceSTS}
	for name, c := range map[string]struct {
		put  func(s *scene) *step
		says string
	}{
		"none at all": {func(s *scene) *step { return s.step().unset("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY") }, "role-to-assume"},
		"half a pair": {func(s *scene) *step { return s.step().unset("AWS_SECRET_ACCESS_KEY") }, "role-to-assume"},
		"a role without id-token permission": {func(s *scene) *step {
			return s.byRole().unset("ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN")
		}, "id-token: write"},
		"a role for another audience": {func(s *scene) *step { return s.byRole().input("audience", "elsewhere") }, "audience"},
		"a role that does not trust this repository": {func(s *scene) *step {
			s.Fault(sts, emulator.Deny())
			return s.byRole()
		}, "Not authorized to perform sts:AssumeRoleWithWebIdentity"},
		"an OIDC request token that is old": {func(s *scene) *step {
			return s.byRole().set("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "old")
		}, "OIDC token"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			s.function("api", 3)
			o := c.put(s).run()
			assert.Equal(t, "failed/no-credentials", o.ended())
			assert.Contains(t, o.outputs["message"], c.says)
			assert.Empty(t, s.asked(emulator.ServiceLambda))
		})
	}
}

// What may pass is waited for, until the time limit, whose message says what the
// wait was for.
func TestCredentialsThatDoNotComeInTime(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fault emulator.Effect
		of    string
		says  string
	}{
		"an OIDC service that is down":        {emulator.Status(http.StatusInternalServerError, "", "down"), emulator.ServiceOIDC, "token service answered 500"},
		"an OIDC service that talks nonsense": {emulator.Truncated(), emulator.ServiceOIDC, "OIDC token"},
		"STS that is down":                    {emulator.Status(http.StatusServiceUnavailable, "ServiceUnavailable", "down"), emulator.ServiceSTS, "ServiceUnavailable"},
		"STS without GitHub's keys":           {emulator.Status(http.StatusBadRequest, "InvalidIdentityToken", withoutKeys), emulator.ServiceSTS, "InvalidIdentityToken: " + withoutKeys},
		"STS that throttles":                  {emulator.Throttle(0), emulator.ServiceSTS, "last attempt"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			s.function("api", 3)
			s.Fault(emulator.Match{Service: c.of}, c.fault)
			o := s.byRole().input("timeout", "8s").run()
			assert.Equal(t, "failed/timeout", o.ended())
			assert.Contains(t, o.outputs["message"], c.says)
			assert.Greater(t, len(s.asked(c.of)), 3)
			assert.Empty(t, s.asked(emulator.ServiceLambda))
		})
	}
}

func TestCredentialsThatAWSDoesNotTake(t *testing.T) {
	t.Parallel()
	for _, code := range []string{"ExpiredTokenException", "UnrecognizedClientException", "InvalidSignatureException"} {
		t.Run(code, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			f := s.function("api", 3)
			s.Fault(emulator.Match{Service: emulator.ServiceLambda}, emulator.Status(http.StatusForbidden, code, "The security token included in the request is expired"))
			o := s.step().run()
			assert.Equal(t, "failed/no-credentials", o.ended())
			assert.Contains(t, o.outputs["message"], code)
			assert.Equal(t, "3", f.Serving("live"))
			assert.LessOrEqual(t, len(s.asked(emulator.ServiceLambda)), 2, "none is tried again")
		})
	}
}

func TestAHiccupOnTheWayToCredentials(t *testing.T) {
	t.Parallel()
	for name, put := range map[string]func(s *scene){
		"OIDC 500": func(s *scene) {
			s.Fault(emulator.Match{Service: emulator.ServiceOIDC}, emulator.Status(500, "", "x").Times(1))
		},
		"OIDC reset": func(s *scene) { s.Fault(emulator.Match{Service: emulator.ServiceOIDC}, emulator.Reset().Times(1)) },
		"STS 500": func(s *scene) {
			s.Fault(emulator.Match{Service: emulator.ServiceSTS}, emulator.Status(500, "InternalFailure", "x").Times(1))
		},
		"STS without GitHub's keys": func(s *scene) {
			s.Fault(emulator.Match{Service: emulator.ServiceSTS}, emulator.Status(400, "InvalidIdentityToken", withoutKeys).Times(4))
		},
		"STS throttled":   func(s *scene) { s.Fault(emulator.Match{Service: emulator.ServiceSTS}, emulator.Throttle(0).Times(1)) },
		"STS lost answer": func(s *scene) { s.Fault(emulator.Match{Service: emulator.ServiceSTS}, emulator.LostAnswer().Times(1)) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			f := s.function("api", 3)
			put(s)
			assert.Equal(t, "rolled-back", s.byRole().run().status())
			assert.Equal(t, "2", f.Serving("live"))
		})
	}
}

// Whatever the way to the credentials does, a signal and the time limit hold.
func TestTheWayToCredentialsHangs(t *testing.T) {
	t.Parallel()
	for _, service := range []string{emulator.ServiceOIDC, emulator.ServiceSTS} {
		t.Run(service+" until the time limit", func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			s.function("api", 3)
			s.Fault(emulator.Match{Service: service}, emulator.Hang())
			o := s.byRole().input("timeout", "3s").run()
			assert.Equal(t, "failed/timeout", o.ended())
			assert.Less(t, o.took-o.stalled, 6*time.Second)
		})
		t.Run(service+" until SIGTERM", func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			s.function("api", 3)
			s.Fault(emulator.Match{Service: service}, emulator.Hang())
			p := s.byRole().start()
			s.await(emulator.Match{Service: service})
			o, after := p.stop(syscall.SIGTERM)
			assert.Equal(t, "failed/cancelled", o.ended())
			assert.Less(t, after, afterTerminate)
			assert.Empty(t, s.asked(emulator.ServiceLambda))
		})
	}
}

// A role by the job's own token needs nothing of what earlier steps have left.
func TestARoleInSurroundingsOfOthers(t *testing.T) {
	t.Parallel()
	for name, variables := range map[string]map[string]string{
		"a profile that is not there": {"AWS_PROFILE": "nope"},
		"a retry mode of older SDKs":  {"AWS_RETRY_MODE": "legacy"},
		"a bundle that is missing":    {"AWS_CA_BUNDLE": "/no/such/bundle.pem"},
		"a token file that is gone":   {"AWS_WEB_IDENTITY_TOKEN_FILE": "/no/such/token", "AWS_ROLE_ARN": role},
		"all at once": {
			"AWS_PROFILE": "nope", "AWS_RETRY_MODE": "legacy", "AWS_CA_BUNDLE": "/no/such/bundle.pem", "AWS_USE_DUALSTACK_ENDPOINT": "0",
			"AWS_WEB_IDENTITY_TOKEN_FILE": "/no/such/token", "AWS_MAX_ATTEMPTS": "some", "AWS_REGION": "eu-west-1\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			f := s.function("api", 3)
			st := s.byRole()
			for name, value := range variables {
				st = st.set(name, value)
			}
			o := st.run()
			require.Equal(t, "rolled-back/previous-version", o.ended(), o.outputs["message"])
			assert.Equal(t, "2", f.Serving("live"))
		})
	}
}

// What AWS cannot be reached with is named, at once.
func TestSurroundingsThatAreWrong(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ name, value string }{
		"an address without a scheme": {"AWS_ENDPOINT_URL", "localhost:4566"},
		"a switch that is neither":    {"AWS_USE_FIPS_ENDPOINT", "perhaps"},
		"an address that is none":     {"AWS_ENDPOINT_URL_LAMBDA", "http://"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			f := s.function("api", 3)
			o := s.step().set(c.name, c.value).run()
			assert.Equal(t, "failed/invalid-input", o.ended())
			assert.Contains(t, o.outputs["message"], c.name)
			assert.Equal(t, "3", f.Serving("live"))
			assert.Equal(t, "not-ready/invalid-input", s.step().input("command", "check").set(c.name, c.value).run().ended())
		})
	}
}

func TestKeysWithLineEnds(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	f := s.function("api", 3)
	o := s.step().set("AWS_ACCESS_KEY_ID", s.Env()["AWS_ACCESS_KEY_ID"]+"\n").set("AWS_SECRET_ACCESS_KEY", " emulator-secret\n").run()
	require.Equal(t, "rolled-back/previous-version", o.ended(), o.outputs["message"])
	assert.Equal(t, "2", f.Serving("live"))
}

func TestARoleThatSTSRefuses(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.function("api", 3)
	o := s.byRole().input("audience", "elsewhere").run()
	require.Equal(t, "failed/no-credentials", o.ended())
	for _, text := range []string{role, `sub "repo:org/shop:ref:refs/heads/main"`, `aud "elsewhere"`, "identity provider"} {
		assert.Contains(t, o.outputs["message"], text)
	}
}

// A role that was made a moment ago is not known everywhere yet.
func TestARoleThatStillSpreads(t *testing.T) {
	t.Parallel()
	for name, where := range map[string]emulator.Match{
		"STS":    {Service: emulator.ServiceSTS},
		"Lambda": {Service: emulator.ServiceLambda},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			f := s.function("api", 3)
			s.Fault(where, emulator.Deny().Times(1))
			o := s.byRole().run()
			require.Equal(t, "rolled-back/previous-version", o.ended(), o.outputs["message"])
			assert.Equal(t, "2", f.Serving("live"))
		})
	}
}
