package notify

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/org/lambda-rollback-action/rollback/report"
)

const (
	// teamsMaxLinkedRows is up to how many functions open their page when tapped.
	teamsMaxLinkedRows = 10
	// teamsMaxButtons is how many Teams shows in a row.
	teamsMaxButtons = 6
	// factColumn is the width of the names of the facts.
	factColumn = "120px"
)

// teamsStyles are the backgrounds of the headline.
var teamsStyles = map[report.Severity]string{
	report.SeverityFailure:   "attention",
	report.SeverityAttention: "warning",
	report.SeverityDone:      "good",
	report.SeverityQuiet:     "emphasis",
}

type teamsMessage struct {
	Type        string            `json:"type"`
	Summary     string            `json:"summary"` // for flows that tell it in a notification
	Attachments []teamsAttachment `json:"attachments"`
}

type teamsAttachment struct {
	ContentType string  `json:"contentType"`
	ContentURL  *string `json:"contentUrl"`
	Content     card    `json:"content"`
}

// card is an Adaptive Card of version 1.4, the last that Teams shows on phones
// whole (no Table):
// https://learn.microsoft.com/en-us/microsoftteams/platform/task-modules-and-cards/cards/cards-reference
type card struct {
	Schema       string            `json:"$schema"`
	Type         string            `json:"type"`
	Version      string            `json:"version"`
	FallbackText string            `json:"fallbackText"`
	Speak        string            `json:"speak"`
	Teams        map[string]string `json:"msteams"`
	Body         []element         `json:"body"`
}

// element is whatever can stand in a card.
type element struct {
	Type      string    `json:"type"`
	Style     string    `json:"style,omitempty"`
	Bleed     bool      `json:"bleed,omitempty"`
	Separator bool      `json:"separator,omitempty"`
	Spacing   string    `json:"spacing,omitempty"`
	Width     string    `json:"width,omitempty"`
	Text      string    `json:"text,omitempty"`
	Size      string    `json:"size,omitempty"`
	Weight    string    `json:"weight,omitempty"`
	FontType  string    `json:"fontType,omitempty"`
	Subtle    bool      `json:"isSubtle,omitempty"`
	Wrap      bool      `json:"wrap,omitempty"`
	Title     string    `json:"title,omitempty"`
	URL       string    `json:"url,omitempty"`
	Items     []element `json:"items,omitempty"`
	Columns   []element `json:"columns,omitempty"`
	Inlines   []element `json:"inlines,omitempty"`
	Actions   []element `json:"actions,omitempty"`
	Select    *element  `json:"selectAction,omitempty"`
}

// newTeamsMessage words an alert for Teams.
//
// A TextBlock reads Markdown, and Teams on a phone knows no way to escape it: it
// shows the backslash. So all but our own words stand in a RichTextBlock, whose
// runs are shown as they are. A run cannot be a link, though, since Teams began
// to tear such runs out of their line: the name of a fact is the link instead,
// or the whole line.
func newTeamsMessage(a report.Alert) teamsMessage {
	return fit(a, teamsLimit.Max, teamsLayout, teamsMessage.size)
}

func teamsLayout(a report.Alert) teamsMessage {
	head := element{
		Type: "Container", Style: teamsStyle(a), Bleed: true,
		Items: []element{
			paragraph(element{Text: a.Title(), Size: "large", Weight: "bolder"}),
			paragraph(element{Text: a.Message}),
		},
	}
	if a.Verdict != "" {
		head.Items = append(head.Items, paragraph(element{Text: a.Verdict, Weight: "bolder"}))
	}
	body := []element{head}
	bad, others := splitChecks(a.Checks)
	body = append(body, teamsSteps(a.Next)...)
	body = append(body, teamsChecks(bad, nil)...)
	if buttons := teamsLinks(a.Links); len(buttons) > 0 {
		body = append(body, element{Type: "ActionSet", Actions: buttons})
	}
	body = append(body, teamsRows(a)...)
	body = append(body, teamsFacts(withoutLinked(a))...)
	body = append(body, teamsChecks(others, a.Notes)...)
	for i, text := range append(a.Why, a.NotRolledBack) {
		if text != "" {
			body = append(body, withSpacing(i, paragraph(element{Text: text, Size: "small", Subtle: true})))
		}
	}
	if len(body) > 1 {
		body[1].Separator = false // the headline's colour is one
	}
	return teamsMessage{
		Type:    "message",
		Summary: a.Title(),
		Attachments: []teamsAttachment{{
			ContentType: "application/vnd.microsoft.card.adaptive",
			Content: card{
				Schema: "http://adaptivecards.io/schemas/adaptive-card.json", Type: "AdaptiveCard", Version: "1.4",
				FallbackText: withoutMarkup(a.Title()), Speak: withoutMarkup(a.Title()),
				Teams: map[string]string{"width": "Full"},
				Body:  body,
			},
		}},
	}
}

func teamsStyle(a report.Alert) string {
	if a.Trial || a.Preliminary {
		return "accent"
	}
	return cmp.Or(teamsStyles[a.Severity], "emphasis")
}

// withoutMarkup is for what a client reads as Markdown or SSML. It is the headline,
// seldom with any of these in it, so they are just left out.
func withoutMarkup(text string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune("<>&[]()*_`\\", r) {
			return ' '
		}
		return r
	}, text)
}

// paragraph is a text of runs, each shown as it is.
func paragraph(runs ...element) element {
	p := element{Type: "RichTextBlock"}
	for _, run := range runs {
		if run.Text != "" {
			run.Type = "TextRun"
			p.Inlines = append(p.Inlines, run)
		}
	}
	return p
}

// heading is one of ours; it may be Markdown.
func heading(text string) element {
	return element{Type: "TextBlock", Text: text, Weight: "bolder", Wrap: true}
}

// withSpacing separates the first of several elements from what is above.
func withSpacing(i int, e element) element {
	if i == 0 {
		e.Separator, e.Spacing = true, "medium"
	} else {
		e.Spacing = "small"
	}
	return e
}

func teamsSteps(all []string) []element {
	if len(all) == 0 {
		return nil
	}
	out := []element{heading(nextTitle)}
	for i, step := range all {
		words, command := commandIn(step)
		p := paragraph(element{Text: fmt.Sprintf("%d. %s", i+1, words)}, element{Text: command, FontType: "monospace"})
		p.Spacing = "small"
		out = append(out, p)
	}
	return out
}

func teamsLinks(all []report.Page) []element {
	var out []element
	for _, page := range firstN(all, teamsMaxButtons) {
		out = append(out, element{Type: "Action.OpenUrl", Title: page.Name, URL: page.URL})
	}
	return out
}

// teamsRows are a line for each function, which opens its page.
func teamsRows(a report.Alert) []element {
	var out []element
	for i, row := range a.Functions {
		line := paragraph(element{Text: row.Mark + " "}, element{Text: row.Function, Weight: "bolder"},
			element{Text: strings.TrimRight("  "+row.Version, " ")}, element{Text: ", " + row.Result})
		if row.URL == "" || len(a.Functions) > teamsMaxLinkedRows {
			out = append(out, withSpacing(i, line))
			continue
		}
		out = append(out, withSpacing(i, element{
			Type: "Container", Items: []element{line}, Select: &element{Type: "Action.OpenUrl", Title: "Alias", URL: row.URL},
		}))
	}
	if text := omittedFunctions(a.Left); text != "" {
		out = append(out, withSpacing(1, paragraph(element{Text: text, Subtle: true})))
	}
	return out
}

// teamsFacts are lines of two columns. A FactSet would read its values as Markdown.
func teamsFacts(all []report.Fact) []element {
	var out []element
	for i, f := range all {
		name := heading(f.Name)
		if f.URL != "" {
			name.Text = "[" + f.Name + "](" + markdownURL.Replace(f.URL) + ")"
		}
		out = append(out, withSpacing(i, element{Type: "ColumnSet", Columns: []element{
			{Type: "Column", Width: factColumn, Items: []element{name}},
			{Type: "Column", Width: "stretch", Items: []element{paragraph(element{Text: cmp.Or(f.Text, "–")})}},
		}}))
	}
	return out
}

// markdownURL escapes what would end a link of Markdown too early.
var markdownURL = strings.NewReplacer("(", "%28", ")", "%29", "<", "%3C", ">", "%3E", `\`, "%5C", "*", "%2A", "[", "%5B", "]", "%5D")

func teamsChecks(all []report.PublishedCheck, notes []string) []element {
	var out []element
	for _, c := range all {
		out = append(out, withSpacing(len(out), paragraph(
			element{Text: strings.TrimLeft(report.CheckMark(c.Status)+" ", " ")}, element{Text: c.Name, Weight: "bolder"}, element{Text: detail(c)})))
	}
	for _, text := range notes {
		out = append(out, withSpacing(len(out), paragraph(element{Text: "⚠️ " + text})))
	}
	return out
}

// size is the length of the body, in bytes.
func (m teamsMessage) size() int {
	data, _ := compactJSON(m)
	return len(data)
}
