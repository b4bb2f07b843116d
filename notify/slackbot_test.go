package notify_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/notify"
	"github.com/org/lambda-rollback-action/rollback/report"
)

func quiet() *log.Logger { return log.New(io.Discard, "", 0) }

// slackServer answers as Slack's API does, for one channel, C0DEPLOY or
// #deployments. What refuses names a method, it is refused for.
type slackServer struct {
	refuses  map[string][]string // method to the words, one a call; empty: it is done
	messages []map[string]any    // as they stand in the channel, replies included
	calls    []string
	layouts  [][]byte // the bodies with blocks
}

// check looks at what was sent; a handler must not end the test.
func (s *slackServer) check(t *testing.T) {
	t.Helper()
	for _, body := range s.layouts {
		checkSlack(t, body)
	}
}

func (s *slackServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	method := strings.TrimPrefix(r.URL.Path, "/api/")
	s.calls = append(s.calls, method)
	body, _ := io.ReadAll(r.Body) // also where it refuses: else the sender's write may break off
	w.Header().Set("Content-Type", "application/json")
	refuse := func(word string) { _, _ = fmt.Fprintf(w, `{"ok":false,"error":%q}`, word) }
	if words := s.refuses[method]; len(words) > 0 {
		s.refuses[method] = words[1:]
		if words[0] != "" {
			refuse(words[0])
			return
		}
	}
	if r.Header.Get("Authorization") != "Bearer "+slackToken {
		refuse("invalid_auth")
		return
	}
	if !strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
		refuse("invalid_form_data")
		return
	}
	var m map[string]any
	if json.Unmarshal(body, &m) != nil {
		refuse("invalid_json")
		return
	}
	if m["blocks"] != nil {
		s.layouts = append(s.layouts, body)
	}
	switch method {
	case "chat.postMessage":
		if m["channel"] != "#deployments" && m["channel"] != "C0DEPLOY" {
			refuse("channel_not_found")
			return
		}
		at := fmt.Sprintf("1772853247.%06d", len(s.messages)+1)
		m["at"] = at
		s.messages = append(s.messages, m)
		_, _ = fmt.Fprintf(w, `{"ok":true,"channel":"C0DEPLOY","ts":%q,"message":{}}`, at)
	case "chat.update":
		if m["channel"] != "C0DEPLOY" { // names are not taken here
			refuse("channel_not_found")
			return
		}
		for i, old := range s.messages {
			if old["at"] == m["ts"] {
				m["at"] = m["ts"]
				s.messages[i] = m
				_, _ = fmt.Fprintf(w, `{"ok":true,"channel":"C0DEPLOY","ts":%q,"text":""}`, m["ts"])
				return
			}
		}
		refuse("message_not_found")
	default:
		refuse("unknown_method")
	}
}

func (s *slackServer) headline(i int) string {
	return s.messages[i]["blocks"].([]any)[0].(map[string]any)["text"].(map[string]any)["text"].(string)
}

type heard struct {
	mu    sync.Mutex
	lines []string
}

func (h *heard) Infof(format string, args ...any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.lines = append(h.lines, fmt.Sprintf(format, args...))
}

func TestTheBotGoesOnInItsThread(t *testing.T) {
	t.Parallel()
	all := alerts(t)
	preliminary := all["preliminary"]
	for name, test := range map[string]struct {
		begin, end report.Alert
		refuses    map[string][]string
		loud       bool     // the reply is for the whole channel
		messages   int      // that stand in the channel at the end
		threaded   bool     // the last one is a reply
		updated    bool     // the first one shows the end
		calls      []string // nil: a post, a post and an update
		heard      string
	}{
		"it ends well":    {begin: preliminary, end: all["rolled-back"], messages: 2, threaded: true, updated: true},
		"it ends badly":   {begin: preliminary, end: all["unhealthy"], loud: true, messages: 2, threaded: true, updated: true},
		"it is not known": {begin: preliminary, end: all["inconclusive"], loud: true, messages: 2, threaded: true, updated: true},
		"of several":      {begin: all["several"].AsPreliminary(), end: all["several"], loud: true, messages: 2, threaded: true, updated: true},
		"the first message cannot be updated": {
			begin: preliminary, end: all["rolled-back"], refuses: map[string][]string{"chat.update": {"cant_update_message"}},
			messages: 2, threaded: true, heard: "could not update the first message: Slack answered cant_update_message",
		},
		"the thread is gone": {
			begin: preliminary, end: all["unhealthy"], refuses: map[string][]string{"chat.postMessage": {"", "thread_not_found"}},
			messages: 2, updated: true, heard: "could not reply in the thread (thread_not_found), so the message goes to the channel",
			calls: []string{"chat.postMessage", "chat.postMessage", "chat.postMessage", "chat.update"},
		},
		"the beginning failed": {
			begin: preliminary, end: all["rolled-back"], refuses: map[string][]string{"chat.postMessage": {"not_in_channel"}},
			messages: 1, updated: true, calls: []string{"chat.postMessage", "chat.postMessage"},
			heard: "slack-bot was not notified yet: Slack answered not_in_channel: invite the app",
		},
		"the layout is refused": {
			begin: preliminary, end: all["rolled-back"], refuses: map[string][]string{"chat.postMessage": {"", "invalid_blocks"}},
			messages: 2, threaded: true, updated: true, heard: "Slack rejected the layout (invalid_blocks), so only the text is sent",
			calls: []string{"chat.postMessage", "chat.postMessage", "chat.postMessage", "chat.update"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				server := &slackServer{refuses: test.refuses}
				log := &heard{}
				bot := notify.NewSlackBot(notify.SlackBotConfig{APIURL: "http://slack.example/api/", Token: slackToken, Channels: []string{"#deployments"}}, logging(pipeServer(t, server), log))
				dispatcher := notify.Dispatcher{Channels: []notify.Channel{bot}, Limit: time.Minute, Log: log}
				dispatcher.Begin(t.Context(), notify.Notification{Alert: test.begin})
				time.Sleep(time.Minute)
				assert.Equal(t, map[string]string{"slack-bot": notify.Sent}, dispatcher.Send(t.Context(), notify.Notification{Alert: test.end}))
				synctest.Wait()
				server.check(t)

				require.Len(t, server.messages, test.messages)
				last := server.messages[len(server.messages)-1]
				if test.threaded {
					assert.Equal(t, server.messages[0]["at"], last["thread_ts"])
				} else {
					assert.NotContains(t, last, "thread_ts")
				}
				assert.Equal(t, test.loud, last["reply_broadcast"] == true)
				if test.updated {
					assert.Equal(t, test.end.Title(), server.headline(0))
				} else {
					assert.Equal(t, test.begin.Title(), server.headline(0))
				}
				calls := test.calls
				if calls == nil {
					calls = []string{"chat.postMessage", "chat.postMessage", "chat.update"}
				}
				assert.Equal(t, calls, server.calls)
				heard := strings.Join(log.lines, "\n")
				assert.Contains(t, heard, test.heard)
				assert.NotContains(t, heard, slackSecret)
			})
		})
	}
}

// What stands above a reply and has not changed is not told again.
func TestTheReplyInTheThread(t *testing.T) {
	t.Parallel()
	all := alerts(t)
	for _, name := range []string{"rolled-back", "unhealthy", "several"} {
		synctest.Test(t, func(t *testing.T) {
			server := &slackServer{}
			bot := notify.NewSlackBot(notify.SlackBotConfig{APIURL: "http://slack.example/api", Token: slackToken, Channels: []string{"C0DEPLOY"}}, deps(pipeServer(t, server)))
			require.NoError(t, bot.Begin(t.Context(), notify.Notification{Alert: all[name].AsPreliminary()}))
			require.NoError(t, bot.Send(t.Context(), notify.Notification{Alert: all[name]}))
			synctest.Wait()
			server.check(t)
			body, err := json.Marshal(server.messages[1])
			require.NoError(t, err)
			golden(t, "testdata/slack/reply/"+name+".json", indented(t, body)[".json"])
			reply := string(body)
			assert.Contains(t, reply, all[name].Verdict)
			assert.NotContains(t, reply, "Failing version")
		})
	}
}

func TestAnswersToTheBot(t *testing.T) {
	t.Parallel()
	refusal := func(word string) http.HandlerFunc { return says(200, `{"ok":false,"error":"`+word+`"}`) }
	taken := says(200, `{"ok":true,"channel":"C0DEPLOY","ts":"1.2"}`)
	for name, test := range map[string]struct {
		answers []http.HandlerFunc
		want    string // empty: sent
		tries   int
		took    time.Duration
	}{
		"takes it":                      {all(taken), "", 1, 0},
		"throttles, then takes it":      {all(throttles("4"), taken), "", 2, 4 * time.Second},
		"throttles for too long":        {all(throttles("60")), "Slack answered 429 slow down", 1, 0},
		"fails once, then takes it":     {all(says(503, ""), taken), "", 2, 500 * time.Millisecond},
		"a fault of its own, then not":  {all(refusal("internal_error"), taken), "", 2, time.Second},
		"faults of its own for good":    {all(refusal("fatal_error")), "Slack answered fatal_error", 3, 2 * time.Second},
		"hangs":                         {all(hangs), "no response within 10s", 2, 10 * time.Second},
		"no such channel":               {all(refusal("channel_not_found")), "Slack answered channel_not_found: set `slack-channel` to the channel ID (C…), and invite the app to the channel if it is private: /invite @app", 1, 0},
		"not invited":                   {all(refusal("not_in_channel")), "Slack answered not_in_channel: invite the app to the channel (/invite @app), or give it the scope chat:write.public", 1, 0},
		"no scope":                      {all(says(200, `{"ok":false,"error":"missing_scope","needed":"chat:write","provided":"x"}`)), "Slack answered missing_scope (needed: chat:write): give the app the bot scope chat:write and reinstall it", 1, 0},
		"a token of no use":             {all(refusal("invalid_auth")), "Slack answered invalid_auth: reinstall the app and store its bot token (xoxb-…) in the secret for `slack-bot-token`", 1, 0},
		"a word of tomorrow":            {all(refusal(`early\n::error::`)), `Slack answered early\n::error::`, 1, 0},
		"refuses with a status":         {all(says(403, `{"ok":false,"error":"access_denied"}`)), "Slack answered 403 access_denied: an administrator of the workspace does not allow this app to post: ask an administrator", 1, 0},
		"dislikes everything":           {all(refusal("invalid_blocks")), "Slack answered invalid_blocks", 2, 0},
		"repeats the token":             {all(echoes(400)), "Slack answered 400 Cannot POST *** *** with Bearer ***", 1, 0},
		"repeats the token in its word": {all(refusal("bad " + slackToken)), "Slack answered bad ***", 1, 0},
		"200 without a word":            {all(says(200, "")), unsure + "Slack's `ok`" + elsewhere + "an empty body", 1, 0},
		"200 with a no of no reason":    {all(says(200, `{"ok":false}`)), unsure + "Slack's `ok`" + elsewhere + `{"ok":false}`, 1, 0},
		"a proxy's page":                {all(says(200, proxyPage)), unsure + "Slack's `ok`" + elsewhere + `<!DOCTYPE html>\n<html><title>Sign in</title></html>`, 1, 0},
		"redirects":                     {all(redirects), "Slack answered 302 Found", 1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := alerts(t)["failed"]
			synctest.Test(t, func(t *testing.T) {
				bot := func(c *http.Client) notify.Channel {
					return notify.NewSlackBot(notify.SlackBotConfig{APIURL: "http://slack.example/api", Token: slackToken, Channels: []string{"#deployments"}}, deps(c))
				}
				got := tell(t, bot, a, 10*time.Second, test.answers...)
				want := test.want
				if want == "" {
					want = notify.Sent
				}
				assert.Equal(t, want, got.said)
				assert.Len(t, got.asked, test.tries)
				assert.Equal(t, test.took, got.took)
				for _, one := range got.asked {
					assert.Equal(t, "/api/chat.postMessage", one.path)
					assert.NotContains(t, string(one.body), slackSecret)
				}
			})
		})
	}
}

// Where the bot hangs from the beginning, the others are told at once all the
// same, and its answer is there within the limit.
func TestABeginningThatHangsHoldsUpNobody(t *testing.T) {
	t.Parallel()
	alert := alerts(t)["rolled-back"]
	synctest.Test(t, func(t *testing.T) {
		hangs := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			<-r.Context().Done()
		})
		bot := notify.NewSlackBot(notify.SlackBotConfig{APIURL: "http://slack.example/api/", Token: slackToken, Channels: []string{"#deployments"}}, deps(pipeServer(t, hangs)))
		other := &fake{}
		dispatcher := notify.Dispatcher{Channels: []notify.Channel{bot, other}, Limit: 20 * time.Second, Log: silent{}}
		began := time.Now()
		dispatcher.Begin(t.Context(), notify.Notification{Alert: alert.AsPreliminary()})
		assert.Zero(t, time.Since(began), "production is checked meanwhile")
		answers := dispatcher.Send(t.Context(), notify.Notification{Alert: alert})
		assert.LessOrEqual(t, time.Since(began), 20*time.Second)
		assert.Equal(t, map[string]string{"slack-bot": "no response within 20s", "fake": notify.Sent}, answers)
		assert.Zero(t, other.at.Sub(began), "told at once")
		synctest.Wait()
	})
}

// fake is a channel that takes everything, and knows when.
type fake struct{ at time.Time }

func (*fake) Name() string { return "fake" }

func (f *fake) Send(context.Context, notify.Notification) error {
	f.at = time.Now()
	return nil
}
