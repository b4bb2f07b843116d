package notify

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/charmbracelet/x/ansi"

	"github.com/org/lambda-rollback-action/rollback/report"
)

const textWidth = 72 // columns of the plain text

// emailText is an alert for readers of plain text.
func emailText(a report.Alert) string {
	t := &textMessage{}
	if a.Trial {
		t.line("*** TEST MESSAGE: nothing has happened ***", "", "")
		t.blank()
	}
	t.line(a.Title(), "", "")
	t.blank()
	t.line(a.Message, "", "")
	if a.Verdict != "" {
		t.blank()
		t.line(a.Verdict, "", "")
	}
	bad, others := splitChecks(a.Checks)
	t.steps(a.Next)
	t.checks(failedChecksTitle, bad)
	t.functions(a)
	t.facts(a)
	t.checks(otherChecksHeading(bad), others)
	t.sentences("Warnings", a.Notes)
	t.sentences("Why", a.Why)
	if a.NotRolledBack != "" {
		t.sentences("Not rolled back", []string{a.NotRolledBack})
	}
	t.links(a.Links)
	t.blank()
	t.b.WriteString("-- \n") // as a signature begins: answers leave it out
	t.line(signature, "", "")
	return t.b.String()
}

const signature = "Sent by lambda-rollback-action, because a workflow lists this address in email-to or email-cc."

type textMessage struct{ b strings.Builder }

func (t *textMessage) blank() { t.b.WriteString("\n") }

func (t *textMessage) heading(text string) {
	t.blank()
	t.b.WriteString(strings.ToUpper(text) + "\n")
}

// line breaks a text between words. What has no blank stays whole: addresses are to
// be followed. Of what a line begins with, every character counts as one column.
func (t *textMessage) line(text, first, rest string) {
	start, line := first, ""
	for word := range strings.FieldsSeq(text) {
		if line != "" && utf8.RuneCountInString(start)+ansi.StringWidth(line)+1+ansi.StringWidth(word) > textWidth {
			t.b.WriteString(start + line + "\n")
			start, line = rest, ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	t.b.WriteString(start + line + "\n")
}

func (t *textMessage) sentences(title string, all []string) {
	if len(all) == 0 {
		return
	}
	t.heading(title)
	for _, text := range all {
		first, rest := "  ", "  "
		if len(all) > 1 {
			first, rest = "- ", "  "
		}
		t.line(text, first, rest)
	}
}

// steps have their commands on lines of their own, to be copied.
func (t *textMessage) steps(all []string) {
	if len(all) == 0 {
		return
	}
	t.heading(nextTitle)
	for i, step := range all {
		text, command := emailCommand(step)
		number := fmt.Sprintf("%d. ", i+1)
		if len(all) == 1 {
			number = "  "
		}
		rest := strings.Repeat(" ", len(number))
		t.line(text, number, rest)
		for line := range strings.SplitSeq(command, "\n") {
			if line != "" {
				t.b.WriteString(rest + "  " + line + "\n")
			}
		}
	}
}

func (t *textMessage) facts(a report.Alert) {
	if len(a.Facts) == 0 {
		return
	}
	t.heading("Facts")
	width := 0
	for _, f := range a.Facts {
		width = max(width, ansi.StringWidth(f.Name))
	}
	width = min(width, textWidth/3) //nolint:mnd // names are short; should one not be, the text still has room
	indent := strings.Repeat(" ", width+4)
	for _, f := range withoutLinked(a) {
		name := ansi.Truncate(f.Name, width, "…")
		t.line(f.Text, "  "+name+strings.Repeat(" ", width-ansi.StringWidth(name)+2), indent)
		if f.URL != "" {
			t.b.WriteString(indent + f.URL + "\n")
		}
	}
}

// withoutLinked are the facts, with no link that the alert has already.
func withoutLinked(a report.Alert) []report.Fact {
	all := slices.Clone(a.Facts)
	for i, f := range all {
		if slices.ContainsFunc(a.Links, func(p report.Page) bool { return p.URL == f.URL }) {
			all[i].URL = ""
		}
	}
	return all
}

func (t *textMessage) functions(a report.Alert) {
	if len(a.Functions) == 0 {
		return
	}
	t.heading(functionsTitle(a))
	for _, f := range a.Functions {
		text := f.Function
		if f.Version != "" {
			text += "  " + f.Version
		}
		t.line(text, "  "+f.Mark+" ", "     ")
		t.line(f.Result, "     ", "     ")
	}
	if a.Left > 0 {
		t.line(omittedFunctions(a.Left), "  ", "  ")
	}
}

func (t *textMessage) checks(title string, all []report.PublishedCheck) {
	if len(all) == 0 {
		return
	}
	t.heading(title)
	for _, c := range all {
		t.line(c.Name+detail(c), "  "+cmp.Or(report.CheckMark(c.Status), "-")+" ", "     ")
	}
}

func (t *textMessage) links(all []report.Page) {
	if len(all) == 0 {
		return
	}
	t.heading("Links")
	for _, p := range all {
		t.b.WriteString("  " + p.Name + ": " + p.URL + "\n")
	}
}
