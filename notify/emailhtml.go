package notify

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/org/lambda-rollback-action/report"
)

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

// emailHTML is an alert as a page for mail programs: tables and inline styles,
// since that is what all of them draw, and nothing that is loaded from anywhere.
func emailHTML(a report.Alert) string {
	colour := cmp.Or(colours[a.Severity], colours[report.SeverityQuiet])
	if a.Trial || a.Preliminary {
		colour = openColour
	}
	bad, others := badNews(a.Checks)
	p := &htmlPage{}
	p.add(emailHead, a.Title())
	p.top(a, colour)
	p.checks(badTitle, bad)
	p.steps(a.Next)
	p.functions(a)
	p.facts(a.Facts)
	p.checks(titleOfOthers(bad), others)
	p.sentences("Warnings", a.Notes)
	p.sentences("Why", a.Why)
	if a.NotRolledBack != "" {
		p.sentences("Not rolled back", []string{a.NotRolledBack})
	}
	p.add(`<tr><td class="pad" style="padding:8px 24px 20px">
<p class="pale" style="margin:0;font-size:12px;line-height:18px;color:#57606a">{}</p>
</td></tr>
</table>
</td></tr>
</table>
</body>
</html>
`, signature)
	return p.b.String()
}

func titleOfOthers(bad []report.Check) string {
	if len(bad) > 0 {
		return othersTitle
	}
	return checksTitle
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

// emailCommand sets the command that a step ends with on a line for each option,
// fit to be copied into a shell.
func emailCommand(step string) (text, command string) {
	text, command = commandIn(step)
	return strings.TrimSpace(text), strings.ReplaceAll(command, " --", " \\\n  --")
}
