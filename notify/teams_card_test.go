package notify_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTeamsCards(t *testing.T) {
	t.Parallel()
	for name, a := range alerts(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			checkCard(t, onWire(t, teams, 202, "", a))
		})
	}
}

func TestTeamsCardsAreNeverTooLong(t *testing.T) {
	t.Parallel()
	for name, a := range extremes() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			checkCard(t, onWire(t, teams, 202, "", a))
		})
	}
}

func TestTeamsHasALineForEachOfFortyFunctions(t *testing.T) {
	t.Parallel()
	all := strings.Join(texts(t, onWire(t, teams, 202, "", extremes()["forty functions"])), "\n")
	assert.Equal(t, 40, strings.Count(all, "42 → 41")+strings.Count(all, "42 (41 not reached)"))
}

// properties are those of https://adaptivecards.io/explorer that version 1.4 has
// for the elements in use, with what they may be.
var properties = map[string]map[string]string{
	"AdaptiveCard": {
		"$schema": "http://adaptivecards.io/schemas/adaptive-card.json", "version": "1.4", "fallbackText": ".+", "speak": ".+",
	},
	"Container":      {"style": "default|emphasis|good|attention|warning|accent", "bleed": "true", "separator": "true", "spacing": spacings},
	"ColumnSet":      {"separator": "true", "spacing": spacings},
	"Column":         {"width": "auto|stretch|[0-9]+px"},
	"ActionSet":      {},
	"TextBlock":      {"text": ownWords, "weight": "bolder", "wrap": "true"},
	"RichTextBlock":  {"separator": "true", "spacing": spacings},
	"TextRun":        {"text": "(?s).+", "size": "small|large", "weight": "bolder", "fontType": "monospace", "isSubtle": "true"},
	"Action.OpenUrl": {"title": ".{1,40}", "url": `https?://\S+`},
}

const (
	spacings = "none|small|medium"
	// ownWords are the headings and the names of facts: what is read as Markdown
	// must be ours, but for an address that cannot end its link.
	ownWords = `What to do now|\[?(Environment|Function|Version|Failing version|Live version|Live when last read|Failed job|Commit|By|Run|Reason given|Time)(\]\(https?://[^\s()<>\\]+\))?`
)

// checkCard holds a body against the schema's rules, against what Teams is
// known to choke on, and against what we promise.
func checkCard(t *testing.T, body []byte) {
	t.Helper()
	assert.LessOrEqual(t, len(body), 28<<10)
	var m map[string]any
	require.NoError(t, json.Unmarshal(body, &m))
	assert.Equal(t, "message", m["type"])
	attachments := m["attachments"].([]any)
	require.Len(t, attachments, 1)
	attachment := attachments[0].(map[string]any)
	assert.Equal(t, "application/vnd.microsoft.card.adaptive", attachment["contentType"])
	card := attachment["content"].(map[string]any)
	assert.Equal(t, map[string]any{"width": "Full"}, card["msteams"])
	for _, key := range []string{"fallbackText", "speak"} {
		assert.NotRegexp(t, "[<>&*_`\\[\\]()]", card[key])
	}
	delete(card, "msteams")
	checkElement(t, card, "AdaptiveCard")
}

// within are the elements that may stand in a list of an element.
var within = map[string][]string{
	"body":    {"Container", "ColumnSet", "ActionSet", "TextBlock", "RichTextBlock"},
	"items":   {"Container", "ColumnSet", "TextBlock", "RichTextBlock"},
	"columns": {"Column"},
	"inlines": {"TextRun"},
	"actions": {"Action.OpenUrl"},
}

func checkElement(t *testing.T, e map[string]any, kinds ...string) {
	t.Helper()
	kind, _ := e["type"].(string)
	require.Contains(t, kinds, kind)
	for key, value := range e {
		switch {
		case key == "type":
		case key == "selectAction":
			assert.Contains(t, []string{"Container", "ColumnSet"}, kind, "Teams tears runs with an action out of their line")
			checkElement(t, value.(map[string]any), "Action.OpenUrl")
		case within[key] != nil:
			list := value.([]any)
			assert.NotEmpty(t, list, "%s of %s", key, kind)
			if key == "actions" {
				assert.LessOrEqual(t, len(list), 6)
			}
			for _, one := range list {
				checkElement(t, one.(map[string]any), within[key]...)
			}
		default:
			pattern, known := properties[kind][key]
			require.True(t, known, "%s has no %s", kind, key)
			text, err := json.Marshal(value)
			require.NoError(t, err)
			var plain string
			if json.Unmarshal(text, &plain) != nil {
				plain = string(text)
			}
			assert.Regexp(t, "^(?:"+pattern+")$", plain, "%s of %s", key, kind)
		}
	}
	for kindOf, list := range map[string]string{"AdaptiveCard": "body", "Container": "items", "ColumnSet": "columns", "Column": "items", "ActionSet": "actions", "RichTextBlock": "inlines"} {
		if kind == kindOf {
			assert.NotEmpty(t, e[list], "%s without %s", kind, list)
		}
	}
	if kind == "TextBlock" || kind == "TextRun" {
		assert.NotEmpty(t, e["text"])
	}
}
