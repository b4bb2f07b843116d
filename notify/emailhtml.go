package notify

import (
	"cmp"
	_ "embed"
	"fmt"
	"html/template"
	"strings"

	"github.com/org/lambda-rollback-action/report"
)

//go:embed email.html.tmpl
var emailPage string

var emailTemplate = template.Must(template.New("email").Parse(emailPage))

const (
	nextTitle   = "What to do next"
	badTitle    = "Checks that did not pass"
	checksTitle = "Checks"
	othersTitle = "Other checks"
)

// colours of the severities. White text on them has a contrast of 5 at least.
var colours = map[report.Severity]string{
	report.SeverityFailure:   "#b42318",
	report.SeverityAttention: "#a15c07",
	report.SeverityDone:      "#067647",
	report.SeverityQuiet:     "#475467",
}

// openColour is of what is neither good nor bad: a trial, or not yet known.
const openColour = "#5925dc"

type emailView struct {
	report.Alert

	Colour    string
	Preview   string // what a phone shows below the subject
	Steps     []emailStep
	Bad       []emailCheck
	Others    []emailCheck
	NextTitle string
	BadTitle  string
	FuncTitle string
	Signature string

	ChecksTitle string
	LeftOver    string
}

type emailStep struct{ Text, Command string }

type emailCheck struct{ Mark, Name, Detail string }

// emailHTML is an alert as a page for mail programs: tables and inline styles,
// since that is what all of them draw, and nothing that is loaded from anywhere.
func emailHTML(a report.Alert) (string, error) {
	v := emailView{
		Alert: a, Colour: colours[a.Severity], Preview: preview(a), LeftOver: more(a.Left), Signature: signature,
		NextTitle: nextTitle, BadTitle: badTitle, ChecksTitle: checksTitle, FuncTitle: functionsTitle(a),
	}
	bad, others := badNews(a.Checks)
	v.Bad, v.Others = emailChecks(bad), emailChecks(others)
	if len(bad) > 0 {
		v.ChecksTitle = othersTitle
	}
	switch {
	case a.Trial, a.Preliminary:
		v.Colour = openColour
	case v.Colour == "":
		v.Colour = colours[report.SeverityQuiet]
	}
	for _, step := range a.Next {
		text, command := emailCommand(step)
		v.Steps = append(v.Steps, emailStep{text, command})
	}
	var b strings.Builder
	if err := emailTemplate.Execute(&b, v); err != nil {
		return "", err
	}
	return b.String(), nil
}

// preview says first what the subject does not.
func preview(a report.Alert) string {
	const longest = 160 // characters; no phone shows more
	if a.Trial || a.Verdict == "" {
		return report.Cut(a.Message, longest)
	}
	return report.Cut(a.Verdict+" "+a.Message, longest)
}

func functionsTitle(a report.Alert) string {
	return fmt.Sprintf("%d functions", len(a.Functions)+a.Left)
}

func emailChecks(all []report.Check) []emailCheck {
	var out []emailCheck
	for _, c := range all {
		out = append(out, emailCheck{cmp.Or(checkMark(c), "–"), c.Name, c.Detail})
	}
	return out
}

// emailCommand sets the command that a step ends with on a line for each option,
// fit to be copied into a shell.
func emailCommand(step string) (text, command string) {
	text, command = commandIn(step)
	return strings.TrimSpace(text), strings.ReplaceAll(command, " --", " \\\n  --")
}
