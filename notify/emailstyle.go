package notify

import (
	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"

	"github.com/org/lambda-rollback-action/rollback/report"
)

const (
	white       = "#ffffff"
	textColour  = "#1f2328"
	mutedColour = "#57606a"
	pageColour  = "#f4f5f7"
	// neutralColour is for what is neither good nor bad: a test message, or production
	// that is not verified yet.
	neutralColour = "#5925dc"
)

// severityColours are backgrounds. White text on them has a contrast of 5 at least.
var severityColours = map[report.Severity]string{
	report.SeverityFailure:   "#b42318",
	report.SeverityAttention: "#a15c07",
	report.SeverityDone:      "#067647",
	report.SeverityQuiet:     "#475467",
}

func bannerColour(a report.Alert) string {
	colour, known := severityColours[a.Severity]
	switch {
	case a.Trial, a.Preliminary:
		return neutralColour
	case !known:
		return severityColours[report.SeverityQuiet]
	default:
		return colour
	}
}

// Styles are made of constants alone, and so is what stands in Raw: neither is
// escaped.
const (
	wrapStyle   = ";overflow-wrap:anywhere;word-break:break-word"
	textStyle   = "color:" + textColour + wrapStyle
	borderStyle = "border-top:1px solid #e4e7eb"
	cardStyle   = "width:100%;max-width:640px;table-layout:fixed;background:" + white + ";border:1px solid #d9dce1;border-radius:10px;border-collapse:separate;overflow:hidden;" +
		"font-family:-apple-system,BlinkMacSystemFont,'Segoe UI',Roboto,Helvetica,Arial,sans-serif;text-align:left"
	codeStyle = "margin:6px 0 0;padding:8px 10px;background:#f0f2f4;border-radius:6px;font-family:ui-monospace,Menlo,Consolas,monospace;" +
		"font-size:13px;line-height:19px;color:" + textColour + ";white-space:pre-wrap" + wrapStyle
	sentenceStyle = "margin:0 0 8px;font-size:14px;line-height:21px;" + textStyle
)

// previewPadding follows the preview, so that no other text of the page follows in it.
const (
	previewSpaces  = "&#8199;&#847; &#8199;&#847; &#8199;&#847; &#8199;&#847; &#8199;&#847; "
	previewPadding = previewSpaces + previewSpaces + previewSpaces + previewSpaces
)

const stylesheet = `
:root { color-scheme: light dark; supported-color-schemes: light dark; }
@media (prefers-color-scheme: dark) {
  .page { background: #0d1117 !important; }
  .card { background: #161b22 !important; border-color: #30363d !important; }
  .ink { color: #e6edf3 !important; }
  .pale { color: #9ba7b4 !important; }
  .link { color: #79b8ff !important; }
  .rule { border-color: #30363d !important; }
  .code { background: #0d1117 !important; color: #e6edf3 !important; }
  .plain { border-color: #57606a !important; }
  .plain a { color: #e6edf3 !important; }
}
@media (max-width: 520px) {
  .page { padding: 0 !important; }
  .card { border-radius: 0 !important; border-left: 0 !important; border-right: 0 !important; }
  .pad { padding-left: 16px !important; padding-right: 16px !important; }
  .stack { display: block !important; width: auto !important; padding-left: 0 !important; }
  .row { display: block !important; }
  .tuck { display: inline-block !important; width: auto !important; border-top: 0 !important; padding: 0 12px 7px 0 !important; }
  .below { border-top: 0 !important; padding-top: 0 !important; }
  .above { padding-bottom: 0 !important; }
}
`

var newLine = g.Raw("\n")

// onLines gives each element a line of its own, for those who read the source.
// What is nil is left out.
func onLines(all ...g.Node) g.Group {
	var out g.Group
	for _, one := range all {
		if one != nil {
			out = append(out, newLine, one)
		}
	}
	return append(out, newLine)
}

// noSpacing is how a table has no space and no lines in old mail programs, too.
func noSpacing() g.Group {
	return g.Group{g.Attr("cellpadding", "0"), g.Attr("cellspacing", "0"), g.Attr("border", "0")}
}

func bgcolor(colour string) g.Node { return g.Attr("bgcolor", colour) }
func top() g.Node                  { return g.Attr("valign", "top") }

// autoDirection has a text run from right to left where its first letter does.
func autoDirection() g.Node { return h.Dir("auto") }

func rowTable(rows []g.Node) g.Node {
	return h.Table(h.Width("100%"), noSpacing(), h.Style("width:100%;font-size:14px;line-height:20px"), onLines(rows...))
}

func padded(padding string, all ...g.Node) g.Node {
	return h.Tr(h.Td(h.Class("pad"), h.Style("padding:"+padding), onLines(all...)))
}

func titled(title string, all ...g.Node) g.Node {
	heading := h.H2(h.Class("ink"), h.Style("margin:0 0 6px;font-size:15px;line-height:20px;font-weight:600;color:"+textColour), g.Text(title))
	return padded("12px 24px", append([]g.Node{heading}, all...)...)
}
