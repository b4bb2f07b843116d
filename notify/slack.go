package notify

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf16"

	"github.com/org/lambda-rollback-action/rollback/report"
)

const (
	// slackMaxHeader is the limit of a header block, in UTF-16 units to be sure:
	// https://docs.slack.dev/reference/block-kit/blocks/header-block
	slackMaxHeader = 150
	// slackMaxText is for what a phone shows in its notification and reads aloud.
	slackMaxText = 1500
	// slackMaxContext is the limit of a text object, less some:
	// https://docs.slack.dev/reference/block-kit/composition-objects/text-object
	slackMaxContext = 2900
	// slackMaxLinkedRows is up to how many functions are links: each costs 150
	// characters or so.
	slackMaxLinkedRows = 10
)

// slackLimit is for blocks and attachments as JSON. Slack refuses somewhat above
// 13,200 characters and does not document what it counts; the JSON in UTF-16 units
// is more than anything it can count.
var slackLimit = Limit{
	Max: 12_500, Unit: "UTF-16 units of the blocks and attachments as JSON",
	Source: "https://docs.slack.dev/reference/block-kit/blocks; measured, because Slack does not document what counts",
}

// The colours of the bar are hexadecimal: beside blocks, Slack draws its own
// names `good`, `warning` and `danger` in grey.
var slackColours = map[report.Severity]string{
	report.SeverityFailure:   "#D72B3F",
	report.SeverityAttention: "#E8A317",
	report.SeverityDone:      "#2EB67D",
	report.SeverityQuiet:     "#9AA0A6",
}

// slackBlue is for what is neither good nor bad: a trial, and the time while
// production is being checked.
const slackBlue = "#1D9BD1"

// slackMessage is the JSON of an incoming webhook, of chat.postMessage and of
// chat.update.
type slackMessage struct {
	Channel   string `json:"channel,omitempty"`
	Timestamp string `json:"ts,omitempty"`        // of the message to update
	Thread    string `json:"thread_ts,omitempty"` // of the message to answer
	Broadcast bool   `json:"reply_broadcast,omitempty"`

	Text        string            `json:"text"`
	Blocks      []slackBlock      `json:"blocks,omitempty"`
	Attachments []slackAttachment `json:"attachments,omitempty"`

	Parse       string `json:"parse"`
	LinkNames   bool   `json:"link_names"`
	Markdown    bool   `json:"mrkdwn"`
	UnfurlLinks bool   `json:"unfurl_links"`
	UnfurlMedia bool   `json:"unfurl_media"`
}

type slackAttachment struct {
	Colour   string       `json:"color"`
	Fallback string       `json:"fallback"`
	Blocks   []slackBlock `json:"blocks"`
}

type slackBlock struct {
	Type     string         `json:"type"`
	Text     *slackElement  `json:"text,omitempty"`
	Elements []slackElement `json:"elements,omitempty"`
}

// slackElement is a part of a block, and the parts of that in turn.
type slackElement struct {
	Type     string         `json:"type"`
	Style    any            `json:"style,omitempty"`
	Text     string         `json:"text,omitempty"`
	URL      string         `json:"url,omitempty"`
	Emoji    *bool          `json:"emoji,omitempty"`
	Elements []slackElement `json:"elements,omitempty"`
}

// newSlackMessage formats an alert for Slack.
//
// Nothing in it is Slack's markup. Of that, only `&`, `<` and `>` can be
// escaped; a `*` or a backtick in a commit message would format what follows.
// So texts stand in plain_text and rich_text elements, which are shown as they
// are, links included: nobody is mentioned, nothing unfolds. Links are not
// buttons, because Slack puts a warning sign beside a button that no server of
// the app answers, and there is none.
//
// The header and what happened stand in blocks; the rest hangs below with a bar
// in the colour of the severity, which only an attachment has. Slack may fold a
// long attachment, so what to do comes first in it.
func newSlackMessage(a report.Alert) slackMessage {
	return fit(a, slackLimit.Max, slackLayout, slackMessage.size)
}

// newSlackReply formats the result for the thread of the first message, without what
// that message says and has not changed.
func newSlackReply(a report.Alert) slackMessage {
	a.Facts, a.Why, a.NotRolledBack = nil, nil, ""
	return newSlackMessage(a)
}

func slackLayout(a report.Alert) slackMessage {
	m := slackFallback(a, slackMaxText)
	m.Blocks = []slackBlock{{Type: "header", Text: plainText(cutUnits(a.Title(), slackMaxHeader), true)}}
	m.Blocks = appendText(m.Blocks, section(plain(a.Message+" "), bold(a.Verdict)))

	var under []slackBlock
	bad, others := splitChecks(a.Checks)
	if len(a.Next) > 0 {
		under = appendText(under, section(bold(nextTitle)), numbered(steps(a.Next)))
	}
	under = appendText(under, lines(checks(bad)))
	under = appendText(under, section(links(a.Links)...))
	under = appendText(under, lines(rows(a)))
	under = appendText(under, lines(facts(withoutLinked(a))))
	under = appendText(under, lines(append(checks(others), notes(a.Notes)...)))
	if small := strings.TrimSpace(strings.Join(a.Why, " ") + "\n" + a.NotRolledBack); small != "" {
		under = append(under, slackBlock{Type: "context", Elements: []slackElement{*plainText(report.Cut(small, slackMaxContext), false)}})
	}
	if len(under) > 0 {
		m.Attachments = []slackAttachment{{Colour: slackColour(a), Fallback: cmp.Or(a.Verdict, a.Message), Blocks: under}}
	}
	return m
}

// slackFallback has the most important in text alone. Beside blocks it is what a
// phone shows and a screen reader reads; alone it is what is left where Slack
// refuses the blocks.
func slackFallback(a report.Alert, limit int) slackMessage {
	lines := []string{a.Title(), strings.TrimSpace(a.Message + " " + a.Verdict)}
	lines = append(lines, a.Next...)
	return slackMessage{Text: slackEscape(report.Cut(strings.TrimSpace(strings.Join(lines, "\n")), limit)), Parse: "none"}
}

// newSlackText is only text, with links, for when Slack rejects the blocks.
func newSlackText(a report.Alert) slackMessage {
	a = budgets[1].truncate(a)
	m := slackFallback(a, 2*slackMaxText)
	var b strings.Builder
	b.WriteString(m.Text)
	for _, row := range a.Functions {
		fmt.Fprintf(&b, "\n%s", slackEscape(row.Mark+" "+row.Function+" "+row.Version+", "+row.Result))
	}
	for _, f := range a.Facts {
		fmt.Fprintf(&b, "\n%s: %s", f.Name, slackEscape(f.Text))
	}
	for _, l := range a.Links {
		fmt.Fprintf(&b, "\n%s: <%s>", l.Name, slackURL.Replace(l.URL))
	}
	m.Text = b.String()
	return m
}

func slackColour(a report.Alert) string {
	if a.Trial || a.Preliminary {
		return slackBlue
	}
	return cmp.Or(slackColours[a.Severity], slackBlue)
}

// The text of a notification is Slack's markup whatever is asked for: the three
// characters are escaped, and a zero-width space behind an `@` keeps old clients
// from reading a mention.
var slackEscapes = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "@", "@\u200b")

func slackEscape(text string) string { return slackEscapes.Replace(text) }

var slackURL = strings.NewReplacer("&", "&amp;", "<", "%3C", ">", "%3E", "|", "%7C")

// size is the length of the blocks and attachments as JSON, in UTF-16 units.
func (m slackMessage) size() int {
	data, _ := compactJSON([]any{m.Blocks, m.Attachments})
	return units(string(data))
}

// compactJSON is JSON as it goes out: `&`, `<` and `>` would be six characters each.
func compactJSON(v any) ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return nil, fmt.Errorf("failed to format the message: %w", err)
	}
	return bytes.TrimSpace(b.Bytes()), nil
}

// cutUnits shortens a text to so many UTF-16 units, as services count that are
// written in languages with such strings.
func cutUnits(text string, limit int) string {
	for n := limit; ; n-- {
		short := report.Cut(text, n)
		if units(short) <= limit {
			return short
		}
	}
}

func units(text string) int { return len(utf16.Encode([]rune(text))) }
