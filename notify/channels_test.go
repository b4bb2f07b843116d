package notify_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf16"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/notify"
	"github.com/org/lambda-rollback-action/rollback/report"
)

// service is what a channel sends to, and how its messages are looked at.
type service struct {
	// start makes the service within a synctest bubble. It gives the answers one
	// after the other, the last one for good. sent has the messages so far.
	start func(t *testing.T, answers ...answer) (c notify.Config, d notify.Deps, sent func() [][]byte)
	// size is that of a message in the unit of the channel's limit.
	size func(t *testing.T, message []byte) int
	// golden has the files of a message in testdata/<folder>, by extension.
	golden func(t *testing.T, message []byte) map[string][]byte
	folder string
}

// answer is what a service makes of a message.
type answer int

const (
	accepts answer = iota
	failsForNow
	refusesIt
)

// services has one for every channel of the registry.
var services = map[string]service{
	"slack-bot": {
		start: web(func(c *notify.Config, address string) {
			c.SlackBot = notify.SlackBotConfig{APIURL: address, Token: slackToken, Channels: []string{"#deployments"}}
		}, says(200, `{"ok":true,"channel":"C0DEPLOY","ts":"1.2"}`), says(403, `{"ok":false,"error":"access_denied"}`)),
		size: slackSize, folder: "slack",
		golden: func(t *testing.T, message []byte) map[string][]byte { // as by the webhook, but for the channel
			return indented(t, bytes.Replace(message, []byte(`"channel":"#deployments",`), nil, 1))
		},
	},
	"slack-webhook": {
		start: web(func(c *notify.Config, address string) { c.SlackWebhook.URL = address }, says(200, "ok"), says(403, "action_prohibited")),
		size:  slackSize, folder: "slack", golden: indented,
	},
	"teams": {
		start: web(func(c *notify.Config, address string) { c.Teams.URL = address }, says(202, ""), says(403, "")),
		size:  length, folder: "teams", golden: indented,
	},
	"webhook": {
		start: web(func(c *notify.Config, address string) { c.Webhook.URL = address }, says(204, ""), says(403, "")),
		size:  length, folder: "webhook", golden: indented,
	},
	"email": {
		start: mailing, size: length, folder: "email",
		golden: func(t *testing.T, message []byte) map[string][]byte {
			o := open(t, message)
			return map[string][]byte{".txt": []byte(o.text), ".html": []byte(o.page)}
		},
	},
}

// web is a service over HTTP, by what it says to a message that it accepts and to
// one that it refuses.
func web(configure func(*notify.Config, string), yes, no http.HandlerFunc) func(*testing.T, ...answer) (notify.Config, notify.Deps, func() [][]byte) {
	return func(t *testing.T, answers ...answer) (notify.Config, notify.Deps, func() [][]byte) {
		var sent [][]byte
		client := pipeServer(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			what := answers[min(len(sent), len(answers)-1)]
			body, _ := io.ReadAll(r.Body)
			sent = append(sent, body)
			map[answer]http.HandlerFunc{accepts: yes, failsForNow: echoes(http.StatusServiceUnavailable), refusesIt: no}[what](w, r)
		}))
		var c notify.Config
		configure(&c, "http://service.example/pathSECRET0")
		return c, deps(client), func() [][]byte { return sent }
	}
}

// mailing is a mail server.
func mailing(t *testing.T, answers ...answer) (notify.Config, notify.Deps, func() [][]byte) {
	s := newMailServer()
	var sent [][]byte
	s.answer = func(command, argument string, _ int) error {
		if command != "DATA" {
			return nil
		}
		what := answers[min(len(sent), len(answers)-1)]
		sent = append(sent, []byte(argument))
		return map[answer]error{failsForNow: smtpError(451, "4.3.0 try again"), refusesIt: smtpError(554, "5.7.1 403 spam")}[what]
	}
	options := sending(25)
	options.Host, options.TLS, options.Dial = "mail.example", "none", s.pipe(t)
	return notify.Config{Email: options}, deps(nil), func() [][]byte { return sent }
}

func length(_ *testing.T, message []byte) int { return len(message) }

// slackSize counts what Slack may count: the blocks and attachments.
func slackSize(t *testing.T, message []byte) int {
	t.Helper()
	var m struct{ Blocks, Attachments json.RawMessage }
	require.NoError(t, json.Unmarshal(message, &m))
	return len(utf16.Encode([]rune(string(m.Blocks) + string(m.Attachments))))
}

func indented(t *testing.T, message []byte) map[string][]byte {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, json.Indent(&b, message, "", "  "))
	return map[string][]byte{".json": append(b.Bytes(), '\n')}
}

// What a channel needs beside its file and its entry in the registry. Whoever adds
// one and forgets something is told here what it is.
func TestEveryChannelKeepsTheContract(t *testing.T) {
	t.Parallel()
	rows, inputs := documentedRows(t), notificationInputs(t)
	var configured []string
	for _, d := range notify.Registry() {
		configured = slices.Concat(configured, d.Required, d.Optional)
		t.Run(d.Name, func(t *testing.T) {
			t.Parallel()
			s, known := services[d.Name]
			require.True(t, known, "say in `services` how the channel %s is reached and looked at", d.Name)

			require.NotEmpty(t, d.Required, "say which inputs it needs")
			for _, input := range slices.Concat(d.Required, d.Optional) {
				assert.Contains(t, inputs, input, "action.yml has no such input in a group named “Notifications: …”")
			}
			row, found := rows[d.Name]
			assert.True(t, found, "the table in docs/channels.md has no row with `%s` in the column for `notifications`", d.Name)
			for _, input := range d.Required {
				assert.Contains(t, row, "`"+input+"`", "the row in docs/channels.md does not name it")
			}

			assert.NotEmpty(t, d.Limit.Source, "say where the service documents its limit")
			assert.Equal(t, d.Limit.Max > 0, d.Limit.Unit != "", "say what the limit counts")
			t.Run("limit", func(t *testing.T) { keepsItsLimit(t, d, s) })
			t.Run("severities", func(t *testing.T) { showsTheSeverity(t, s) })
			t.Run("answers", func(t *testing.T) { heedsTheAnswer(t, d, s) })
			t.Run("golden files", func(t *testing.T) { hasGoldenFiles(t, s) })
		})
	}
	names := slices.Collect(maps.Keys(services))
	for _, d := range notify.Registry() {
		names = slices.DeleteFunc(names, func(name string) bool { return name == d.Name })
	}
	assert.Empty(t, names, "not in the registry")
	for _, input := range inputs {
		if input != "notify-on" {
			assert.Contains(t, configured, input, "no channel of the registry takes the input")
		}
	}
	assert.Empty(t, notify.Open(notify.Config{}, deps(nil)), "a channel that nobody configured")
}

// message is what a channel sends for an alert to a service that accepts it.
func message(t *testing.T, s service, a report.Alert) []byte {
	t.Helper()
	var first []byte
	synctest.Test(t, func(t *testing.T) {
		sent, err := sendBy(t, s, a, accepts)
		require.NoError(t, err)
		require.Len(t, sent, 1)
		first = sent[0]
	})
	return first
}

func sendBy(t *testing.T, s service, a report.Alert, answers ...answer) ([][]byte, error) {
	t.Helper()
	c, d, sent := s.start(t, answers...)
	channels := notify.Open(c, d)
	require.Len(t, channels, 1, "its configuration opens it alone")
	err := channels[0].Send(t.Context(), notify.Notification{Alert: a, Result: []byte("{}")})
	synctest.Wait() // until the service is done, too
	return sent(), err
}

func keepsItsLimit(t *testing.T, d notify.Definition, s service) {
	if d.Limit.Max == 0 {
		return
	}
	largest := 0
	for name, a := range extremes() {
		size := s.size(t, message(t, s, a))
		assert.LessOrEqual(t, size, d.Limit.Max, "%s, in %s", name, d.Limit.Unit)
		largest = max(largest, size)
	}
	assert.Greater(t, largest, d.Limit.Max/2, "no alert came near the limit")
}

func showsTheSeverity(t *testing.T, s service) {
	seen := map[string]string{}
	show := func(name string, change func(*report.Alert)) {
		a := alerts(t)["rolled-back"]
		change(&a)
		body := fmt.Sprint(s.golden(t, message(t, s, a)))
		assert.Empty(t, seen[body], "%s looks the same", name)
		seen[body] = name
	}
	for _, severity := range []report.Severity{report.SeverityFailure, report.SeverityAttention, report.SeverityDone, report.SeverityQuiet} {
		show(string(severity), func(a *report.Alert) { a.Severity = severity })
	}
	show("a test message", func(a *report.Alert) { a.Trial = true })
}

func heedsTheAnswer(t *testing.T, d notify.Definition, s service) {
	for name, test := range map[string]struct {
		answers []answer
		sends   int
		fails   bool
	}{
		"accepted":                  {[]answer{accepts}, 1, false},
		"refused":                   {[]answer{refusesIt}, 1, true},
		"fails once, then accepted": {[]answer{failsForNow, accepts}, 2, false},
		"fails for good":            {[]answer{failsForNow}, 0, true},
	} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			c, dependencies, sent := s.start(t, test.answers...)
			err := notify.Open(c, dependencies)[0].Send(ctx, notify.Notification{Alert: alerts(t)["failed"], Result: []byte("{}")})
			synctest.Wait()
			if test.sends > 0 {
				assert.Len(t, sent(), test.sends, name)
			} else {
				assert.Greater(t, len(sent()), 1, name)
			}
			if !test.fails {
				assert.NoError(t, err, name)
				return
			}
			require.Error(t, err, name)
			assert.Regexp(t, `403|503|451`, err.Error(), "%s: say what the service answered", name)
			assert.NotContains(t, err.Error(), slackSecret, "%s: a secret of %s", name, d.Name)
		})
	}
}

func hasGoldenFiles(t *testing.T, s service) {
	for name, a := range alerts(t) {
		for extension, got := range s.golden(t, message(t, s, a)) {
			golden(t, filepath.Join("testdata", s.folder, name+extension), got)
		}
	}
}

// documentedRows are the inputs of each channel in the table of docs/channels.md, by the name that
// the output `notifications` has for it.
func documentedRows(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "docs", "channels.md"))
	require.NoError(t, err)
	rows := map[string]string{}
	for _, row := range regexp.MustCompile("(?m)^\\| [^|]+ \\| ([^|]+) \\| `([a-z-]+)` \\| [^|]+ \\|$").FindAllStringSubmatch(string(text), -1) {
		rows[row[2]] = row[1]
	}
	require.NotEmpty(t, rows)
	return rows
}

// notificationInputs are those of action.yml below a heading for notifications.
func notificationInputs(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "action.yml"))
	require.NoError(t, err)
	var inputs []string
	within := false
	for line := range strings.Lines(string(text)) {
		line = strings.TrimRight(line, "\n")
		if heading, is := strings.CutPrefix(line, "  # "); is {
			within = strings.HasPrefix(heading, "Notifications")
		}
		if name := regexp.MustCompile(`^  ([a-z-]+):$`).FindStringSubmatch(line); within && name != nil {
			inputs = append(inputs, name[1])
		}
		within = within && !strings.HasPrefix(line, "outputs:")
	}
	require.NotEmpty(t, inputs)
	return inputs
}
