package notify

import (
	_ "embed"
	"fmt"
	"html/template"
	"strings"

	"github.com/org/lambda-rollback-action/report"
)

//go:embed email.html.tmpl
var emailPage string

var emailTemplate = template.Must(template.New("email").Parse(emailPage))

// A part of the message, between its first lines and its last.
type part string

const (
	partNext      part = "next"
	partFacts     part = "facts"
	partFunctions part = "functions"
	partChecks    part = "checks"
	partNotes     part = "notes"
	partWhy       part = "why"
)

const nextTitle = "What to do next"

// order puts what to do first where a person must act, and else the proof.
// What may be long on a phone, functions and facts, never stands before it.
func order(a report.Alert) []part {
	switch {
	case a.Severity == report.SeverityQuiet:
		return []part{partFunctions, partFacts, partWhy, partChecks, partNotes, partNext}
	case a.Severity == report.SeverityDone && len(a.Functions) == 0:
		return []part{partChecks, partNext, partNotes, partFacts, partWhy}
	default:
		return []part{partNext, partFunctions, partChecks, partNotes, partFacts, partWhy}
	}
}

// colours of the severities. White text on them has a contrast of 5 at least.
var colours = map[report.Severity]string{
	report.SeverityFailure:   "#b42318",
	report.SeverityAttention: "#a15c07",
	report.SeverityDone:      "#067647",
	report.SeverityQuiet:     "#475467",
}

// trialColour is none of the severities'.
const trialColour = "#5925dc"

type emailView struct {
	report.Alert

	Colour    string
	Preview   string // what a phone shows below the subject
	Steps     []emailStep
	Parts     []part
	NextTitle string
	FuncTitle string
	LeftOver  string
	Signature string
	Results   []emailCheck
}

type emailStep struct{ Text, Command string }

type emailCheck struct{ Mark, Name, Detail string }

// emailHTML is an alert as a page for mail programs: tables and inline styles,
// since that is what all of them draw, and nothing that is loaded from anywhere.
func emailHTML(a report.Alert) (string, error) {
	v := emailView{
		Alert: a, Colour: colours[a.Severity], Parts: order(a),
		Preview:   preview(a),
		NextTitle: nextTitle, FuncTitle: functionsTitle(a), Signature: signature,
	}
	switch {
	case a.Trial:
		v.Colour = trialColour
	case v.Colour == "":
		v.Colour = colours[report.SeverityQuiet]
	}
	for _, step := range a.Next {
		text, command := splitCommand(step)
		v.Steps = append(v.Steps, emailStep{text, command})
	}
	for _, c := range a.Checks {
		mark := report.CheckMark(c.Status)
		if mark == "" {
			mark = "–"
		}
		v.Results = append(v.Results, emailCheck{mark, c.Name, c.Detail})
	}
	if a.Left > 0 {
		v.LeftOver = leftOver(a.Left)
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

func leftOver(n int) string {
	if n == 1 {
		return "1 more function is on the page of the run."
	}
	return fmt.Sprintf("%d more functions are on the page of the run.", n)
}

// splitCommand takes the command from the end of a step, a line for each option,
// fit to be copied into a shell.
func splitCommand(step string) (text, command string) {
	const start = ": aws "
	text, command, found := strings.Cut(step, start)
	if !found {
		return step, ""
	}
	return text + ":", strings.ReplaceAll(strings.TrimPrefix(start, ": ")+command, " --", " \\\n  --")
}
