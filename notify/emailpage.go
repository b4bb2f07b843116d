package notify

import (
	"cmp"
	_ "embed"
	"html"
	"strings"

	"github.com/org/lambda-rollback-action/report"
)

// emailHead is the page until its body; its style is for light and dark, and for
// phones.
//
//go:embed email.head.html
var emailHead string

// htmlPage is written piece by piece. html/template would do the same, but calls
// methods by their names: then the linker keeps every method of every type, and
// the program is half as large again.
type htmlPage struct{ b strings.Builder }

// add writes a piece of HTML that is known when this is compiled. Each {} in it,
// in a text or between double quotes, becomes the next value, escaped.
func (p *htmlPage) add(piece string, values ...string) {
	for _, value := range values {
		before, after, _ := strings.Cut(piece, "{}")
		p.b.WriteString(before + html.EscapeString(value))
		piece = after
	}
	p.b.WriteString(piece)
}

// link is a text that leads somewhere, or the text alone.
func (p *htmlPage) link(text, url string) {
	if url == "" {
		p.add("{}", text)
		return
	}
	p.add(`<a class="link" href="{}" style="color:#0b5cad;text-decoration:none">{}</a>`, url, text)
}

const (
	wraps       = `overflow-wrap:anywhere;word-break:break-word`
	rowBegin    = `<table width="100%" cellpadding="0" cellspacing="0" border="0" style="width:100%;font-size:14px;line-height:20px">` + "\n"
	cellStyle   = `border-top:1px solid #e4e7eb;color:#1f2328;` + wraps
	paragraph14 = `<p class="ink" dir="auto" style="margin:0 0 8px;font-size:14px;line-height:21px;color:#1f2328;` + wraps + `">{}</p>` + "\n"
)

// part begins a part of the message; end ends it.
func (p *htmlPage) part(title string) {
	p.add(`<tr><td class="pad" style="padding:12px 24px">
<h2 class="ink" style="margin:0 0 6px;font-size:15px;line-height:20px;font-weight:600;color:#1f2328">{}</h2>
`, title)
}

func (p *htmlPage) end() { p.add("</td></tr>\n") }

// top is what a phone shows first: the headline in its colour, what happened,
// and the buttons.
func (p *htmlPage) top(a report.Alert, colour string) {
	p.add(`<body class="page" style="margin:0;padding:0;background:#f4f5f7;-webkit-text-size-adjust:100%">
<div style="display:none;max-height:0;overflow:hidden;mso-hide:all;font-size:1px;line-height:1px;color:#f4f5f7;opacity:0">{}`, preview(a))
	p.add(strings.Repeat("&#8199;&#847; ", 20)) // so that no other text follows in the preview
	p.add(`</div>
<table class="page" role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0" bgcolor="#f4f5f7" style="background:#f4f5f7">
<tr><td class="page" align="center" style="padding:24px 12px">
<table class="card" role="presentation" width="640" cellpadding="0" cellspacing="0" border="0" bgcolor="#ffffff" style="width:100%;max-width:640px;table-layout:fixed;background:#ffffff;border:1px solid #d9dce1;border-radius:10px;border-collapse:separate;overflow:hidden;font-family:-apple-system,BlinkMacSystemFont,'Segoe UI',Roboto,Helvetica,Arial,sans-serif;text-align:left">
<tr><td class="pad" bgcolor="{}" style="padding:20px 24px;background:{};color:#ffffff">
`, colour, colour)
	if a.Trial {
		p.add(`<p style="margin:0 0 8px;font-size:13px;line-height:18px;font-weight:700;letter-spacing:1px;color:#ffffff">TEST MESSAGE</p>` + "\n")
	}
	p.add(`<h1 dir="auto" style="margin:0;font-size:21px;line-height:28px;font-weight:600;color:#ffffff;`+wraps+`">{}</h1>
</td></tr>
<tr><td class="pad" style="padding:20px 24px 4px">
<p class="ink" dir="auto" style="margin:0 0 12px;font-size:16px;line-height:24px;color:#1f2328;`+wraps+`">{}</p>
`, a.Title(), a.Message)
	if a.Verdict != "" {
		p.add(`<p class="ink" dir="auto" style="margin:0 0 12px;font-size:16px;line-height:24px;font-weight:600;color:#1f2328;`+wraps+`">{}</p>`+"\n", a.Verdict)
	}
	if len(a.Links) > 0 {
		p.buttons(a.Links, colour)
	}
	p.end()
}

func (p *htmlPage) buttons(links []report.Page, colour string) {
	p.add(`<table role="presentation" cellpadding="0" cellspacing="0" border="0"><tr><td>` + "\n")
	for i, l := range links {
		p.add(`<table role="presentation" align="left" cellpadding="0" cellspacing="0" border="0" style="margin:0 8px 8px 0"><tr>`)
		if i == 0 {
			p.add(`<td bgcolor="{}" style="padding:9px 16px;background:{};border:1px solid {};border-radius:6px"><a href="{}" style="font-size:14px;line-height:20px;font-weight:600;color:#ffffff;text-decoration:none">{}</a></td>`,
				colour, colour, colour, l.URL, l.Name)
		} else {
			p.add(`<td class="plain" style="padding:9px 16px;border:1px solid #afb8c1;border-radius:6px"><a href="{}" style="font-size:14px;line-height:20px;font-weight:600;color:#1f2328;text-decoration:none">{}</a></td>`, l.URL, l.Name)
		}
		p.add("</tr></table>\n")
	}
	p.add("</td></tr></table>\n")
}

func (p *htmlPage) steps(all []string) {
	if len(all) == 0 {
		return
	}
	p.part(nextTitle)
	p.add(`<ol class="ink" style="margin:0;padding:0 0 0 22px;font-size:15px;line-height:22px;color:#1f2328">` + "\n")
	for _, step := range all {
		text, command := emailCommand(step)
		p.add(`<li dir="auto" style="margin:0 0 8px;`+wraps+`">{}`, text)
		if command != "" {
			p.add(`<pre class="code" dir="ltr" style="margin:6px 0 0;padding:8px 10px;background:#f0f2f4;border-radius:6px;font-family:ui-monospace,Menlo,Consolas,monospace;font-size:13px;line-height:19px;color:#1f2328;white-space:pre-wrap;`+wraps+`">{}</pre>`, command)
		}
		p.add("</li>\n")
	}
	p.add("</ol>\n")
	p.end()
}

func (p *htmlPage) functions(a report.Alert) {
	if len(a.Functions) == 0 {
		return
	}
	p.part(functionsTitle(a))
	p.add(rowBegin)
	for _, f := range a.Functions {
		p.add(`<tr class="row">
<td class="stack rule ink above" dir="auto" width="38%" valign="top" style="padding:7px 12px 7px 0;font-weight:600;`+cellStyle+`">{} `, f.Mark)
		p.link(f.Function, f.URL)
		p.add(`</td>
<td class="tuck rule ink" dir="auto" width="24%" valign="top" style="padding:7px 12px 7px 0;`+cellStyle+`">{}</td>
<td class="tuck rule ink" dir="auto" width="38%" valign="top" style="padding:7px 0;`+cellStyle+`">{}</td>
</tr>
`, f.Version, f.Result)
	}
	p.add("</table>\n")
	if a.Left > 0 {
		p.add(`<p class="pale" style="margin:6px 0 0;font-size:14px;line-height:20px;color:#57606a">{}</p>`+"\n", more(a.Left))
	}
	p.end()
}

func (p *htmlPage) facts(all []report.Fact) {
	if len(all) == 0 {
		return
	}
	p.part("Facts")
	p.add(rowBegin)
	for _, f := range all {
		p.add(`<tr>
<td class="stack rule pale above" width="28%" valign="top" style="padding:7px 12px 7px 0;border-top:1px solid #e4e7eb;color:#57606a">{}</td>
<td class="stack rule ink below" dir="auto" valign="top" style="padding:7px 0;`+cellStyle+`">`, f.Name)
		p.link(f.Text, f.URL)
		p.add("</td>\n</tr>\n")
	}
	p.add("</table>\n")
	p.end()
}

func (p *htmlPage) checks(title string, all []report.Check) {
	if len(all) == 0 {
		return
	}
	p.part(title)
	p.add(rowBegin)
	for _, c := range all {
		p.add(`<tr>
<td class="rule" width="28" valign="top" style="padding:7px 0;border-top:1px solid #e4e7eb">{}</td>
<td class="rule ink" dir="auto" valign="top" style="padding:7px 0;`+cellStyle+`">{}`, cmp.Or(checkMark(c), "–"), c.Name)
		if c.Detail != "" {
			p.add(`<br><span class="pale" style="color:#57606a">{}</span>`, c.Detail)
		}
		p.add("</td>\n</tr>\n")
	}
	p.add("</table>\n")
	p.end()
}

func (p *htmlPage) sentences(title string, all []string) {
	if len(all) == 0 {
		return
	}
	p.part(title)
	for _, text := range all {
		p.add(paragraph14, text)
	}
	p.end()
}
