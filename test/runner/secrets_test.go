package runner_test

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/github"
	"github.com/org/lambda-rollback-action/test/emulator"
)

// secretInputs are the inputs that hold a secret, each with a right value.
var secretInputs = map[string]string{
	"github-token":      "ghs_canary1GithubToken",
	"slack-webhook-url": "https://127.0.0.1:9/services/T0/B0/canary2SlackHook",
	"slack-bot-token":   "xoxb-canary3SlackBot",
	"smtp-password":     "canary4 p@ss/w+rd=&\"<>",
	"teams-webhook-url": "https://127.0.0.1:9/hook?sig=canary5TeamsHook",
	"webhook-url":       "https://user:canary6Password@127.0.0.1:9/canary6WebHook",
	"webhook-secret":    "canary7HookKey",
}

// secretVariables are the other secrets in a job's environment.
var secretVariables = map[string]string{
	"AWS_SECRET_ACCESS_KEY": "canary8/AwsSecret+Key",
	"AWS_SESSION_TOKEN":     "canary9AwsSessionToken==",
	"ACTIONS_RUNTIME_TOKEN": "canary10RuntimeToken",
	"GITHUB_TOKEN":          "ghs_canary11JobToken",
}

// withoutOutputs is a text in small letters without the names of outputs that are
// called as the secrets are.
func withoutOutputs(text string) string {
	return strings.NewReplacer("canary-weight", "", "canary-calls", "", "canary-errors", "").Replace(strings.ToLower(text))
}

// silent wants that no secret stands anywhere, in any of the ways in which
// texts are usually written.
func silent(t *testing.T, o outcome, secrets ...string) {
	t.Helper()
	all := o.everything()
	for _, secret := range secrets {
		for _, form := range []string{
			secret, url.QueryEscape(secret), url.PathEscape(secret), strings.Trim(quoteJSON(secret), `"`),
			base64.StdEncoding.EncodeToString([]byte(secret)), base64.RawURLEncoding.EncodeToString([]byte(secret)),
		} {
			assert.NotContains(t, all, form)
		}
	}
	assert.NotContains(t, withoutOutputs(all), "canary")
}

func values(maps ...map[string]string) []string {
	var all []string
	for _, m := range maps {
		for _, v := range m {
			all = append(all, v)
		}
	}
	return all
}

func TestEverySecretInputIsLookedFor(t *testing.T) {
	t.Parallel()
	for _, d := range github.InputDefinitions() {
		if d.Secret {
			assert.Contains(t, secretInputs, d.Name, "give it a value in secretInputs, so that the tests below look for it")
		}
	}
}

func TestAWrongSecretIsNotRepeated(t *testing.T) {
	t.Parallel()
	for input := range secretInputs {
		for form, value := range map[string]string{
			"with blanks": "canary with blanks", "of two lines": "canary-one\ncanary-two", "not a URL": "http://[canary", "of control characters": "canary\x1b[1m\x01",
		} {
			t.Run(input+" "+form, func(t *testing.T) {
				t.Parallel()
				s := newScene(t)
				silent(t, s.step().inputs(map[string]string{input: value, "function-name": "", "smtp-username": "me"}).run())
			})
		}
	}
}

func TestSecretsOfInputsThatAreRefused(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	step := func(timeout string) *step {
		// Nothing listens where the channels would be told.
		st := s.step().inputs(secretInputs).set("SLACK_API_URL", "https://127.0.0.1:9").
			inputs(map[string]string{"slack-channel": "#deploys", "timeout": timeout})
		for name, value := range secretVariables {
			st.set(name, value)
		}
		return st
	}
	o := step("5").run()
	refused(t, s, o)
	silent(t, o, values(secretInputs, secretVariables)...)
	// Where what is wrong is optional, the alias moves.
	f := s.function("api", 3)
	o = step("20s").run()
	assert.Equal(t, "2", f.Serving("live"))
	silent(t, o, values(secretInputs, secretVariables)...)
}

// TestSecretsThatComeBackFromOutside: servers repeat what they were sent.
func TestSecretsThatComeBackFromOutside(t *testing.T) {
	t.Parallel()
	secrets := append(values(secretVariables), "ghs_emulator", emulator.OIDCRequestToken)
	echo := "you sent " + strings.Join(secrets, " and ") + " as " + url.QueryEscape(strings.Join(secrets, " ")) +
		" or " + base64.StdEncoding.EncodeToString([]byte("x:"+secrets[0]))
	for source, put := range map[string]func(s *scene, f *emulator.Function, st *step){
		"AWS denies": func(s *scene, _ *emulator.Function, _ *step) {
			s.Fault(on("UpdateAlias", ""), emulator.Status(http.StatusForbidden, "AccessDeniedException", echo))
		},
		"AWS retries": func(s *scene, _ *emulator.Function, _ *step) {
			s.Fault(on("GetAlias", ""), emulator.Status(http.StatusBadGateway, "ServiceException", echo).Times(2))
		},
		"GitHub errs": func(s *scene, _ *emulator.Function, _ *step) {
			s.Fault(emulator.Match{Service: emulator.ServiceGitHub}, emulator.Status(http.StatusTeapot, "", echo))
		},
		"commit message": func(s *scene, _ *emulator.Function, st *step) {
			payload := s.push()
			object(payload, "head_commit")["message"] = echo
			st.event("push", payload)
		},
		"job and step names": func(s *scene, _ *emulator.Function, _ *step) {
			require.NoError(s.tb, s.GitHub.ChangeRun(repository, s.run.ID, func(r *emulator.WorkflowRun) {
				r.Jobs[0].Name, r.Jobs[0].Steps[0].Name, r.Actor, r.Workflow = echo, echo, echo, echo
			}))
		},
		"configuration": func(s *scene, f *emulator.Function, _ *step) {
			require.NoError(s.tb, f.Change(3, func(v *emulator.Version) {
				v.Role, v.Handler, v.Layers, v.LogGroup, v.Environment = echo, echo, []string{echo}, echo, map[string]string{echo: echo}
			}))
		},
		"state of a version": func(s *scene, f *emulator.Function, _ *step) {
			require.NoError(s.tb, f.Change(2, func(v *emulator.Version) { v.State, v.StateReason, v.StateReasonCode = "Failed", echo, echo }))
		},
		"input environment": func(_ *scene, _ *emulator.Function, st *step) { st.input("environment", echo) },
		"memory": func(s *scene, f *emulator.Function, _ *step) {
			require.NoError(s.tb, f.SetAlias("live-rollback", 1, nil))
			require.NoError(s.tb, f.DescribeAlias("live-rollback", "rejected="+secrets[0]+" "+secrets[1]))
		},
	} {
		t.Run(source, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			f := s.function("api", 3)
			st := s.step()
			for name, value := range secretVariables {
				st.set(name, value)
			}
			put(s, f, st)
			o := st.run()
			if source == "GitHub errs" && strings.Contains(withoutOutputs(o.everything()), "canary") {
				t.Error("the beginning of a secret stands in the warning")
			}
			silent(t, o, secrets...)
		})
	}
}

// TestSecretsThatWereIssuedOnTheWay: the job's OIDC token and what STS gives
// for it are in no environment. A signature that AWS does not like comes back
// with the canonical request, session token included.
func TestSecretsThatWereIssuedOnTheWay(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.function("api", 3)
	m := newMirror(t, s.URL, nil)
	m.spoil = func(r *http.Request, x *exchange) {
		if token := r.Header.Get("X-Amz-Security-Token"); token != "" {
			x.refuse(t, http.StatusForbidden, "InvalidSignatureException",
				"The request signature we calculated does not match the signature you provided. The Canonical String for this request should have been 'GET\nx-amz-security-token:"+token+"'")
		}
	}
	o := s.step().unset("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY").
		set("AWS_ENDPOINT_URL", m.URL).
		set("ACTIONS_ID_TOKEN_REQUEST_URL", strings.Replace(s.OIDCURL(), s.URL, m.URL, 1)).
		input("role-to-assume", role).run()
	assert.Equal(t, "failed/no-credentials", o.ended())
	issued := m.issued()
	require.Len(t, issued, 3, "the OIDC token, the secret key, the session token")
	for _, secret := range issued {
		if strings.Contains(o.everything(), secret) {
			t.Error("a secret that STS issued stands in the log, the outputs or the summary")
		}
	}
}

// Nor do secrets get to people: what one channel is told may hold the key of
// another, in a commit message or in the words of AWS.
func TestNoChannelIsToldASecret(t *testing.T) {
	t.Parallel()
	for source, put := range map[string]func(s *scene, echo string){
		"commit message": func(s *scene, echo string) {
			require.NoError(s.tb, s.GitHub.ChangeRun(repository, s.run.ID, func(r *emulator.WorkflowRun) { r.Commit = echo }))
		},
		"job": func(s *scene, echo string) {
			require.NoError(s.tb, s.GitHub.ChangeRun(repository, s.run.ID, func(r *emulator.WorkflowRun) { r.Jobs[0].Steps[0].Name = echo }))
		},
		"AWS": func(s *scene, echo string) {
			s.Fault(on("UpdateAlias", "live"), emulator.Status(http.StatusBadRequest, "InvalidParameterValueException", echo))
		},
	} {
		t.Run(source, func(t *testing.T) {
			t.Parallel()
			s, p := withHistory(t), listeners(t)
			for _, secret := range secretsOfPeople { // one at a time: a long text is cut
				put(s, "it said "+secret)
				st := s.telling(p).inputs(allFollowUps)
				o := st.run()
				silent(t, o, secret)
				var told strings.Builder
				for _, channel := range channels {
					for _, m := range p.Messages(channel) {
						told.WriteString(string(m.Body) + m.Text() + m.Part("text/html"))
					}
				}
				for _, issue := range s.GitHub.Issues(repository) {
					told.WriteString(issue.Title + issue.Body)
					for _, c := range issue.Comments {
						told.WriteString(c.Body)
					}
				}
				assert.Contains(t, told.String(), "it said ***")
				assert.NotContains(t, told.String(), secret)
				require.NoError(t, s.Lambda(region).Function("api").SetAlias("live", 3, nil))
			}
		})
	}
}
