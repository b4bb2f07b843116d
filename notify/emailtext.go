package notify

import (
	"cmp"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/org/lambda-rollback-action/rollback/report"
)

const textWidth = 72 // columns of the plain text

// emailText is an alert for readers of plain text.
func emailText(a report.Alert) string {
	t := &plainLetter{}
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
	bad, others := badNews(a.Checks)
	t.checks(badTitle, bad)
	t.steps(a.Next)
	t.functions(a)
	t.facts(a)
	t.checks(titleOfOthers(bad), others)
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

const signature = "Sent by lambda-rollback-action, since a workflow names this address in email-to or email-cc."

type plainLetter struct{ b strings.Builder }

func (t *plainLetter) blank() { t.b.WriteString("\n") }

func (t *plainLetter) heading(text string) {
	t.blank()
	t.b.WriteString(strings.ToUpper(text) + "\n")
}

// line breaks a text between words. What has no blank stays whole: addresses
// are to be followed.
func (t *plainLetter) line(text, first, rest string) {
	line := first
	empty := true
	for word := range strings.FieldsSeq(text) {
		if !empty && columns(line)+1+columns(word) > textWidth {
			t.b.WriteString(line + "\n")
			line, empty = rest, true
		}
		if !empty {
			line += " "
		}
		line += word
		empty = false
	}
	t.b.WriteString(line + "\n")
}

func (t *plainLetter) sentences(title string, all []string) {
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
func (t *plainLetter) steps(all []string) {
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

func (t *plainLetter) facts(a report.Alert) {
	if len(a.Facts) == 0 {
		return
	}
	t.heading("Facts")
	width := 0
	for _, f := range a.Facts {
		width = max(width, columns(f.Name))
	}
	width = min(width, textWidth/3) //nolint:mnd // names are short; should one not be, the text still has room
	indent := strings.Repeat(" ", width+4)
	for _, f := range a.Facts {
		name := report.Cut(f.Name, width)
		t.line(f.Text, "  "+name+strings.Repeat(" ", width-columns(name)+2), indent)
		if f.URL != "" && !isAmong(a.Links, f.URL) {
			t.b.WriteString(indent + f.URL + "\n")
		}
	}
}

func (t *plainLetter) functions(a report.Alert) {
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
		t.line(more(a.Left), "  ", "  ")
	}
}

func (t *plainLetter) checks(title string, all []report.PublishedCheck) {
	if len(all) == 0 {
		return
	}
	t.heading(title)
	for _, c := range all {
		t.line(c.Name+detail(c), "  "+cmp.Or(checkMark(c), "-")+" ", "     ")
	}
}

func (t *plainLetter) links(all []report.Page) {
	if len(all) == 0 {
		return
	}
	t.heading("Links")
	for _, p := range all {
		t.b.WriteString("  " + p.Name + ": " + p.URL + "\n")
	}
}

// isAmong: the address stands below the message anyway.
func isAmong(links []report.Page, url string) bool {
	for _, p := range links {
		if p.URL == url {
			return true
		}
	}
	return false
}

// columns is how wide a text is on a terminal, near enough.
func columns(text string) int {
	return utf8.RuneCountInString(text) - strings.Count(text, "\ufe0f")
}
