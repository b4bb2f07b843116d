package runner_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/notify"
	"github.com/org/lambda-rollback-action/test/emulator"
	"github.com/org/lambda-rollback-action/test/people"
)

// channels are the names of all that the program has.
var channels = func() []string {
	var names []string
	for _, d := range notify.Registry() {
		names = append(names, d.Name)
	}
	return slices.Sorted(slices.Values(names))
}()

// secretsOfPeople may be seen by nobody but the services themselves.
var secretsOfPeople = []string{people.SlackPath, people.TeamsQuery, people.BotToken, people.WebhookKey, people.Password}

func listeners(t *testing.T) *people.Services {
	t.Helper()
	p, err := people.Start(t.TempDir())
	require.NoError(t, err)
	t.Cleanup(p.Close)
	return p
}

// telling is a step that tells everybody.
func (s *scene) telling(p *people.Services, told ...string) *step {
	s.tb.Helper()
	if len(told) == 0 {
		told = channels
	}
	st := s.step().inputs(p.Inputs(told...))
	for name, value := range p.Env() {
		st.set(name, value)
	}
	return st
}

func (o outcome) notifications(tb testing.TB) map[string]string {
	tb.Helper()
	var all map[string]string
	require.NoError(tb, json.Unmarshal([]byte(o.outputs["notifications"]), &all))
	return all
}

func allSent() map[string]string {
	out := map[string]string{}
	for _, channel := range channels {
		out[channel] = "sent"
	}
	return out
}

func TestEveryChannelHearsOfARollback(t *testing.T) {
	t.Parallel()
	s, p := newScene(t), listeners(t)
	f := s.function("api", 3)
	o := s.telling(p).run()
	require.Equal(t, "rolled-back/previous-version", o.ended())
	assert.Equal(t, allSent(), o.notifications(t))
	moved := s.Calls(on("UpdateAlias", "live"))
	require.Len(t, moved, 1)
	for _, channel := range channels {
		messages := p.Messages(channel)
		require.Len(t, messages, 1, channel)
		assert.True(t, messages[0].At.After(moved[0].Start), "people are told after the move")
		assert.Contains(t, messages[0].Text(), "version", "%s: make Text of test/people read its messages", channel)
	}
	assert.Equal(t, "2", f.Serving("live"))
	assert.Contains(t, o.summary, "| Told | "+strings.Join(channels, ", ")+" |")
	silent(t, o, secretsOfPeople...)
}

func TestTheWebhookGetsTheOutputs(t *testing.T) {
	t.Parallel()
	s, p := newScene(t), listeners(t)
	s.function("api", 3)
	o := s.telling(p, people.Webhook).run()
	body := p.Messages(people.Webhook)[0].JSON()
	for _, name := range []string{"status", "reason", "message", "function-name", "from-version", "to-version", "environment", "timestamp", "run-url"} {
		assert.Equal(t, o.outputs[name], body[name], name)
	}
	assert.Equal(t, true, body["rolled-back"])
	assert.Len(t, body["results"], 1)
}

func TestNobodyIsWokenForNothing(t *testing.T) {
	t.Parallel()
	for name, set := range map[string]func(*scene, *step){
		"no job failed": func(_ *scene, st *step) { st.input("needs", `{"deploy":{"result":"success"}}`) },
		"another branch, whose tests failed": func(_ *scene, st *step) {
			st.set("GITHUB_REF", "refs/heads/feature").input("needs", `{"tests":{"result":"failure"},"deploy":{"result":"skipped"}}`)
		},
		"a dry run":           func(_ *scene, st *step) { st.input("dry-run", "true") },
		"a check":             func(_ *scene, st *step) { st.input("command", "check") },
		"a list":              func(_ *scene, st *step) { st.input("command", "list") },
		"a snapshot":          func(_ *scene, st *step) { st.input("command", "snapshot") },
		"failures alone":      func(_ *scene, st *step) { st.input("notify-on", "failed") },
		"a drill that worked": func(_ *scene, st *step) { st.input("command", "drill").input("environment", "staging") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, p := newScene(t), listeners(t)
			s.function("api", 3)
			st := s.telling(p)
			set(s, st)
			o := st.run()
			require.Equal(t, 0, o.code, o.stdout)
			for _, channel := range channels {
				assert.Empty(t, p.Messages(channel), channel)
			}
			assert.Empty(t, o.notifications(t))
		})
	}
}

func TestWhatFailsIsTold(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		set  func(*scene, *step)
		want string // status and reason in the message
	}{
		"denied": {func(s *scene, _ *step) {
			s.Fault(on("UpdateAlias", "live"), emulator.Deny())
		}, "failed/access-denied"},
		"an input is invalid": {func(_ *scene, st *step) { st.input("timeout", "soon") }, "failed/invalid-input"},
		"nothing to go back to": {func(s *scene, _ *step) {
			f := s.Lambda(region).Function("api")
			f.ForceDelete(1)
			f.ForceDelete(2)
		}, "skipped/no-previous-version"},
		"a check that is not ready": {func(s *scene, st *step) {
			st.input("command", "check")
			s.Fault(on("UpdateAlias", "live"), emulator.Deny())
		}, "not-ready/access-denied"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, p := newScene(t), listeners(t)
			s.function("api", 3)
			st := s.telling(p)
			test.set(s, st)
			o := st.run()
			require.Equal(t, test.want, o.ended(), o.stdout)
			assert.Equal(t, allSent(), o.notifications(t))
			for _, channel := range channels {
				assert.Len(t, p.Messages(channel), 1, channel)
			}
		})
	}
}

// A channel that does not answer as it should changes nothing but its own line.
func TestAChannelsFaultIsOnlyAWarning(t *testing.T) {
	t.Parallel()
	for _, channel := range channels {
		if channel == people.Email {
			continue // see the tests of notify
		}
		t.Run(channel, func(t *testing.T) {
			t.Parallel()
			s, p := newScene(t), listeners(t)
			f := s.function("api", 3)
			p.Answer(channel, people.Says(http.StatusForbidden, "action_prohibited\n::error::"+people.WebhookKey))
			o := s.telling(p).run()
			assert.Equal(t, 0, o.code)
			assert.Equal(t, "rolled-back/previous-version", o.ended())
			assert.Equal(t, "2", f.Serving("live"))
			told := o.notifications(t)
			assert.Contains(t, told[channel], "403 action_prohibited")
			for _, other := range channels {
				if other != channel {
					assert.Equal(t, "sent", told[other])
				}
			}
			assert.Contains(t, strings.Join(o.warnings(), "\n"), channel+" was not notified: ")
			silent(t, o, secretsOfPeople...)
		})
	}
}

func TestFortyFunctionsAreOneMessage(t *testing.T) {
	t.Parallel()
	s, p := newScene(t), listeners(t)
	var names []string
	for i := range 40 {
		names = append(names, "f"+string(rune('a'+i/10))+string(rune('0'+i%10)))
		s.function(names[i], 3)
	}
	o := s.telling(p).input("function-name", strings.Join(names, ",")).run()
	require.Equal(t, "rolled-back/previous-version", o.ended())
	for _, channel := range channels {
		require.Len(t, p.Messages(channel), 1)
	}
	assert.Equal(t, allSent(), o.notifications(t))
}

func TestATrialTellsEverybodyAndMovesNothing(t *testing.T) {
	t.Parallel()
	s, p := newScene(t), listeners(t)
	f := s.function("api", 3)
	o := s.telling(p).inputs(map[string]string{"command": "check", "notify-on": "always"}).run()
	assert.Equal(t, "ready/", o.ended())
	assert.Equal(t, allSent(), o.notifications(t))
	assert.Len(t, f.History("live"), 1)
	assert.Equal(t, []string{"live"}, f.Aliases())
	for _, channel := range channels {
		require.Len(t, p.Messages(channel), 1, channel)
		assert.Contains(t, o.outputs["results"], `{"name":"channel `+channel+`","status":"passed","detail":"the test message was accepted"}`)
	}

	p.Answer(people.Webhook, people.Says(http.StatusGone, "no_such_hook"))
	o = s.telling(p).inputs(map[string]string{"command": "check", "notify-on": "always"}).run()
	assert.Equal(t, "not-ready/notification-failed", o.ended())
	assert.Equal(t, 1, o.code)
	assert.Contains(t, o.outputs["message"], "the webhook answered 410 no_such_hook")
}

// The job is cancelled while production is being checked: what is true is told
// all the same, within the time that the runner leaves.
func TestACancelledWatchIsTold(t *testing.T) {
	t.Parallel()
	s, p := newScene(t), listeners(t)
	s.function("api", 3)
	process := s.telling(p).input("observe", "10m").start()
	require.Eventually(t, func() bool { return len(s.Calls(on("UpdateAlias", "live"))) == 1 }, 20*time.Second, 10*time.Millisecond)
	time.Sleep(300 * time.Millisecond)
	require.NoError(t, process.cmd.Process.Signal(syscall.SIGINT))
	o := process.wait()
	assert.False(t, o.signalled)
	assert.Equal(t, "true", o.outputs["rolled-back"])
	assert.Equal(t, allSent(), o.notifications(t))
}

// A certificate that nobody vouches for is refused.
func TestAChannelMustShowWhoItIs(t *testing.T) {
	t.Parallel()
	s, p := newScene(t), listeners(t)
	s.function("api", 3)
	o := s.telling(p).unset("SSL_CERT_FILE").run()
	assert.Equal(t, "rolled-back/previous-version", o.ended())
	for channel, said := range o.notifications(t) {
		assert.Contains(t, said, "certificate", channel)
		assert.Empty(t, p.Messages(channel))
	}
}

// While production is being proven, Slack knows already that the alias has
// moved; the verdict comes into the thread.
func TestSlackIsToldAtOnceAndThenInTheThread(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		answer  int
		timeout string // of the health check
		ended   string
		verdict string
	}{
		"recovered":     {http.StatusOK, "60s", "rolled-back/previous-version", "Production recovered"},
		"not recovered": {http.StatusInternalServerError, "1s", "failed/unhealthy", "NOT healthy"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, p := newScene(t), listeners(t)
			s.function("api", 3)
			var late atomic.Bool
			page := s.Health("api", "live", func(int64) int { // nothing is proven before Slack knows
				if !p.Await(people.SlackBot, 1, 30*time.Second) {
					late.Store(true)
				}
				return test.answer
			})
			o := s.telling(p, people.SlackBot).inputs(map[string]string{
				"health-url": page, "health-interval": "200ms", "health-timeout": test.timeout,
			}).run()
			require.Equal(t, test.ended, o.ended())
			messages := p.Messages(people.SlackBot)
			require.Len(t, messages, 3)
			assert.Equal(t, "chat.postMessage", messages[0].Method)
			assert.Equal(t, "chat.postMessage", messages[1].Method)
			assert.Equal(t, "chat.update", messages[2].Method)
			assert.NotContains(t, messages[0].JSON(), "thread_ts")
			assert.NotContains(t, messages[0].Text(), test.verdict)
			assert.Equal(t, "1772853247.000001", messages[1].JSON()["thread_ts"])
			assert.Contains(t, messages[1].Text(), test.verdict)
			assert.Equal(t, "1772853247.000001", messages[2].JSON()["ts"])
			assert.False(t, late.Load(), "the first message does not wait for the proof")
			assert.Equal(t, map[string]string{people.SlackBot: "sent"}, o.notifications(t))
		})
	}
}

// A person starts the rollback from a branch that has gone on since: the commit
// to revert is that of the version which was left.
func TestAPersonWhoRollsBackIsNotTheOneToRevert(t *testing.T) {
	t.Parallel()
	s, p := withHistory(t), listeners(t)
	const innocent = "1cc0ce471cc0ce471cc0ce471cc0ce471cc0ce47"
	own := s.GitHub.AddRun(repository, emulator.WorkflowRun{
		ID: 9001, Number: 42, Branch: "main", SHA: innocent, Event: "workflow_dispatch", CreatedAt: s.ago(time.Minute),
		Jobs: []emulator.WorkflowJob{{Name: "rollback", StartedAt: s.ago(time.Minute), RunnerName: runnerName}},
	})
	o := s.telling(p).inputs(allFollowUps).inputs(map[string]string{"needs": "", "only-if-deployed": "false"}).
		event("workflow_dispatch", map[string]any{"ref": "refs/heads/main"}).
		set("GITHUB_RUN_ID", strconv.FormatInt(own.ID, 10)).set("GITHUB_SHA", innocent).run()
	require.Equal(t, "rolled-back/previous-version", o.ended())
	for _, channel := range channels {
		text := strings.Join(strings.Fields(p.Messages(channel)[0].Text()), " ")
		assert.Contains(t, text, "Revert "+s.run.SHA[:7]+" on main", channel)
		if channel != people.Webhook {
			assert.NotContains(t, text, innocent[:7], channel)
		}
	}
	assert.Contains(t, o.summary, "Revert `"+s.run.SHA[:7]+"` on `main`")
}

// Everybody is told what AWS refused, and where the other functions are.
func TestSeveralFunctionsThatReturnedAreExplained(t *testing.T) {
	t.Parallel()
	s, p := newScene(t), listeners(t)
	s.function("api", 3)
	s.function("edge", 3)
	s.Fault(emulator.Match{Service: emulator.ServiceLambda, Operation: "UpdateAlias", Function: "edge"}, emulator.Deny())
	o := s.telling(p).inputs(map[string]string{"function-name": "api,edge", "all-or-nothing": "true"}).run()
	require.Equal(t, "failed/access-denied", o.ended())
	for _, channel := range channels {
		text := strings.Join(strings.Fields(p.Messages(channel)[0].Text()), " ")
		assert.Contains(t, text, "AWS denied lambda:UpdateAlias on", channel)
		assert.Contains(t, text, "edge:live could not be moved (access-denied)", channel)
	}
}
