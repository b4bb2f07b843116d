package notify_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/rollback/report"
)

func TestSlackMessages(t *testing.T) {
	t.Parallel()
	for name, a := range alerts(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			body := onWire(t, slackWebhook, 200, "ok", a)
			checkSlack(t, body)
			first, _, _ := strings.Cut(texts(t, body)[0], "\n")
			assert.Equal(t, unescaped.Replace(first), a.Title(), "a phone shows the headline first")
		})
	}
}

var unescaped = strings.NewReplacer("&amp;", "&", "&lt;", "<", "&gt;", ">", "\u200b", "")

func TestSlackMessagesAreNeverTooLong(t *testing.T) {
	t.Parallel()
	for name, a := range extremes() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			checkSlack(t, onWire(t, slackWebhook, 200, "ok", a))
		})
	}
}

// Forty functions are one message, each with its line.
func TestSlackHasALineForEachOfFortyFunctions(t *testing.T) {
	t.Parallel()
	body := onWire(t, slackWebhook, 200, "ok", extremes()["forty functions"])
	all := strings.Join(texts(t, body), "\n")
	assert.Equal(t, 40, strings.Count(all, "42 → 41")+strings.Count(all, "42 (41 not reached)"))
}

// checkSlack holds a message against what Slack documents, and against what we
// promise: nothing from outside is read as markup.
// https://docs.slack.dev/reference/block-kit/blocks
func checkSlack(t *testing.T, body []byte) {
	t.Helper()
	var m map[string]any
	if !assert.NoError(t, json.Unmarshal(body, &m)) {
		return
	}
	for key := range m {
		assert.Contains(t, []string{
			"channel", "ts", "thread_ts", "reply_broadcast", "text", "blocks", "attachments",
			"parse", "link_names", "mrkdwn", "unfurl_links", "unfurl_media",
		}, key)
	}
	assert.Equal(t, "none", m["parse"])
	for _, off := range []string{"link_names", "mrkdwn", "unfurl_links", "unfurl_media"} {
		assert.Equal(t, false, m[off], off)
	}
	fallback, _ := m["text"].(string)
	assert.NotEmpty(t, fallback)
	assert.Less(t, len(fallback), 40_000)
	assert.NotContains(t, fallback, "<!")
	assert.NotContains(t, fallback, "@here")
	assert.NotContains(t, fallback, "@channel")

	blocks, _ := m["blocks"].([]any)
	attachments, _ := m["attachments"].([]any)
	assert.NotEmpty(t, blocks)
	assert.LessOrEqual(t, len(attachments), 20)
	count := len(blocks)
	checkBlocks(t, blocks)
	for _, one := range attachments {
		a := one.(map[string]any)
		assert.ElementsMatch(t, []string{"color", "fallback", "blocks"}, keysOf(a), "beside blocks, only these are taken")
		assert.Regexp(t, "^#[0-9A-F]{6}$", a["color"])
		assert.NotEmpty(t, a["fallback"])
		inner := a["blocks"].([]any)
		assert.NotEmpty(t, inner)
		count += len(inner)
		checkBlocks(t, inner)
	}
	assert.LessOrEqual(t, count, 50)
	whole, err := json.Marshal([]any{blocks, attachments})
	assert.NoError(t, err)
	plain := strings.NewReplacer(`\u003c`, "<", `\u003e`, ">", `\u0026`, "&").Replace(string(whole))
	assert.LessOrEqual(t, len(utf16.Encode([]rune(plain))), 13_200)
}

func checkBlocks(t *testing.T, blocks []any) {
	t.Helper()
	for _, one := range blocks {
		block := one.(map[string]any)
		elements, _ := block["elements"].([]any)
		switch block["type"] {
		case "header":
			assert.ElementsMatch(t, []string{"type", "text"}, keysOf(block))
			text := block["text"].(map[string]any)
			checkPlain(t, text)
			assert.LessOrEqual(t, len(utf16.Encode([]rune(text["text"].(string)))), 150)
			assert.NotEmpty(t, strings.TrimSpace(text["text"].(string)))
		case "context":
			assert.ElementsMatch(t, []string{"type", "elements"}, keysOf(block))
			assert.LessOrEqual(t, len(elements), 10)
			for _, e := range elements {
				checkPlain(t, e.(map[string]any))
			}
		case "rich_text":
			assert.ElementsMatch(t, []string{"type", "elements"}, keysOf(block))
			assert.NotEmpty(t, elements)
			for _, e := range elements {
				checkRich(t, e.(map[string]any), true)
			}
		default:
			assert.Fail(t, "unknown block", "%v", block["type"])
		}
	}
}

func checkPlain(t *testing.T, e map[string]any) {
	t.Helper()
	assert.ElementsMatch(t, []string{"type", "text", "emoji"}, keysOf(e))
	assert.Equal(t, "plain_text", e["type"])
	assert.NotEmpty(t, e["text"])
	assert.LessOrEqual(t, utf8.RuneCountInString(e["text"].(string)), 3000)
}

func checkRich(t *testing.T, part map[string]any, lists bool) {
	t.Helper()
	elements, _ := part["elements"].([]any)
	assert.NotEmpty(t, elements)
	switch part["type"] {
	case "rich_text_list":
		assert.True(t, lists, "a list within a list")
		assert.Equal(t, "ordered", part["style"])
		for _, item := range elements {
			assert.Equal(t, "rich_text_section", item.(map[string]any)["type"])
			checkRich(t, item.(map[string]any), false)
		}
	case "rich_text_section":
		assert.ElementsMatch(t, []string{"type", "elements"}, keysOf(part))
		for _, one := range elements {
			e := one.(map[string]any)
			assert.NotEmpty(t, e["text"])
			for key := range e {
				assert.Contains(t, []string{"type", "text", "style", "url"}, key)
			}
			switch e["type"] {
			case "text":
				assert.NotContains(t, e, "url")
			case "link":
				assert.Regexp(t, "^https?://[^ ]+$", e["url"])
				assert.LessOrEqual(t, len(e["url"].(string)), 3000)
			default:
				assert.Fail(t, "an element that could act", "%v", e["type"])
			}
			if style, styled := e["style"].(map[string]any); styled {
				for key := range style {
					assert.Contains(t, []string{"bold", "code"}, key)
				}
			}
		}
	default:
		assert.Fail(t, "unknown part", "%v", part["type"])
	}
}

func keysOf(m map[string]any) []string {
	var keys []string
	for key := range m {
		keys = append(keys, key)
	}
	return keys
}

// texts are all that a person can read of a body, the fallback first.
func texts(t *testing.T, body []byte) []string {
	t.Helper()
	var m map[string]any
	require.NoError(t, json.Unmarshal(body, &m))
	var out []string
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			if text, ok := v["text"].(string); ok {
				out = append(out, text)
			}
			for _, key := range slices.Sorted(slices.Values(keysOf(v))) {
				walk(v[key])
			}
		case []any:
			for _, one := range v {
				walk(one)
			}
		}
	}
	walk(m)
	return out
}

// What a person must know is in every message, whatever its form.
func TestEveryChannelSaysTheFacts(t *testing.T) {
	t.Parallel()
	for name, a := range alerts(t) {
		if name == "hostile" { // shortened
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for channel, body := range map[string][]byte{"slack": onWire(t, slackWebhook, 200, "ok", a), "teams": onWire(t, teams, 202, "", a)} {
				assertSays(t, channel, string(body), a)
			}
		})
	}
}

func assertSays(t *testing.T, channel, body string, a report.Alert) {
	t.Helper()
	var wanted []string
	wanted = append(wanted, a.Title(), a.Message, a.Verdict, a.NotRolledBack)
	wanted = append(append(append(wanted, a.Why...), a.Notes...), firstPart(a.Next)...)
	for _, f := range a.Facts {
		wanted = append(wanted, f.Name, f.Text, f.URL)
	}
	for _, row := range a.Functions {
		wanted = append(wanted, row.Function, row.Version, row.Result, row.URL)
	}
	for _, c := range a.Checks {
		wanted = append(wanted, c.Name, c.Detail)
	}
	for _, l := range a.Links {
		wanted = append(wanted, l.Name, l.URL)
	}
	for _, text := range wanted {
		quoted, err := json.Marshal(text)
		require.NoError(t, err)
		plain := strings.NewReplacer(`\u003c`, "<", `\u003e`, ">", `\u0026`, "&").Replace(strings.Trim(string(quoted), `"`))
		assert.Contains(t, body, plain, channel)
	}
}

// firstPart leaves out a command, which is set apart.
func firstPart(all []string) []string {
	var out []string
	for _, text := range all {
		words, command, _ := strings.Cut(text, "aws lambda ")
		out = append(out, words, command)
	}
	return out
}
