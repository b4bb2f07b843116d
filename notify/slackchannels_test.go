package notify_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/org/lambda-rollback-action/notify"
)

// workspace is Slack's API for several channels. It keeps the calls of each.
type workspace struct {
	refuses map[string]string // channel to the error
	hangs   string            // a channel

	mu    sync.Mutex
	calls map[string][]string // by channel: method, and the message that it is about
}

func (s *workspace) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	var m struct {
		Channel string
		TS      string `json:"ts"`
		Thread  string `json:"thread_ts"`
	}
	_ = json.Unmarshal(body, &m)
	if m.Channel == s.hangs {
		<-r.Context().Done()
		return
	}
	if code := s.refuses[m.Channel]; code != "" {
		_, _ = fmt.Fprintf(w, `{"ok":false,"error":%q}`, code)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls[m.Channel] = append(s.calls[m.Channel], strings.TrimSpace(strings.TrimPrefix(r.URL.Path, "/api/chat.")+" "+m.Thread+m.TS))
	_, _ = fmt.Fprintf(w, `{"ok":true,"channel":%q,"ts":"%s.%d"}`, m.Channel, m.Channel, len(s.calls[m.Channel]))
}

func TestSlackInSeveralChannels(t *testing.T) {
	t.Parallel()
	const denied = "Slack answered access_denied: an administrator of the workspace does not allow this app to post: ask an administrator"
	thread := func(channel string) []string {
		return []string{"postMessage", "postMessage " + channel + ".1", "update " + channel + ".1"}
	}
	for name, test := range map[string]struct {
		channels []string
		refuses  map[string]string
		hangs    string
		want     string
		calls    map[string][]string
	}{
		"each has its own thread": {
			channels: []string{"C1", "C2", "C3"}, want: notify.Sent,
			calls: map[string][]string{"C1": thread("C1"), "C2": thread("C2"), "C3": thread("C3")},
		},
		"one refuses": {
			channels: []string{"C1", "C2"}, refuses: map[string]string{"C2": "access_denied"},
			want: "sent to 1 of 2 channels, but not to C2: " + denied, calls: map[string][]string{"C1": thread("C1")},
		},
		"the first refuses": {
			channels: []string{"C1", "C2"}, refuses: map[string]string{"C1": "access_denied"},
			want: "sent to 1 of 2 channels, but not to C1: " + denied, calls: map[string][]string{"C2": thread("C2")},
		},
		"all refuse for the same reason": {
			channels: []string{"C1", "C2"}, refuses: map[string]string{"C1": "access_denied", "C2": "access_denied"},
			want: denied, calls: map[string][]string{},
		},
		"all refuse, each for its own reason": {
			channels: []string{"C1", "C2"}, refuses: map[string]string{"C1": "access_denied", "C2": "early"},
			want: "sent to 0 of 2 channels, but not to C1: " + denied + "; and not to C2: Slack answered early", calls: map[string][]string{},
		},
		"one hangs": {
			channels: []string{"C1", "C2"}, hangs: "C1",
			want: "sent to 1 of 2 channels, but not to C1: no response in time", calls: map[string][]string{"C2": thread("C2")},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			alert := alerts(t)["rolled-back"]
			synctest.Test(t, func(t *testing.T) {
				server := &workspace{refuses: test.refuses, hangs: test.hangs, calls: map[string][]string{}}
				bot := notify.NewSlackBot(notify.SlackBotConfig{APIURL: "http://slack.example/api", Token: slackToken, Channels: test.channels}, deps(pipeServer(t, server)))
				d := notify.Dispatcher{Channels: []notify.Channel{bot}, Limit: 20 * time.Second, Log: silent{}}
				d.Begin(t.Context(), notify.Notification{Alert: alert.AsPreliminary()})
				time.Sleep(time.Minute)
				answers := d.Send(t.Context(), notify.Notification{Alert: alert})
				synctest.Wait()
				assert.Equal(t, map[string]string{"slack-bot": test.want}, answers, "one entry, whatever the number of channels")
				assert.Equal(t, test.calls, server.calls)
			})
		})
	}
}
