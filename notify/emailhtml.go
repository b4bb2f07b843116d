package notify

import (
	"cmp"
	"fmt"
	"strings"

	g "maragu.dev/gomponents"
	h "maragu.dev/gomponents/html"

	"github.com/org/lambda-rollback-action/rollback/report"
)

const (
	nextTitle         = "What to do now"
	failedChecksTitle = "Checks that did not pass"
	checksTitle       = "Checks"
	otherChecksTitle  = "Other checks"
)

// emailHTML is an alert as a page for mail programs: tables and inline styles,
// since that is what all of them draw, and nothing that is loaded from anywhere.
// It is not made by html/template: where templates are executed, the linker keeps
// every exported method, and the program is half as large again.
func emailHTML(a report.Alert) (string, error) {
	var b strings.Builder
	page := g.Group{
		g.Raw("<!DOCTYPE html>\n"),
		h.HTML(h.Lang("en"), h.Dir("ltr"), onLines(emailHead(a), emailBody(a))),
		newLine,
	}
	if err := page.Render(&b); err != nil {
		return "", err
	}
	return b.String(), nil
}

func emailHead(a report.Alert) g.Node {
	meta := func(name, content string) g.Node { return h.Meta(h.Name(name), h.Content(content)) }
	return h.Head(onLines(
		h.Meta(h.Charset("utf-8")),
		meta("viewport", "width=device-width, initial-scale=1"),
		meta("color-scheme", "light dark"),
		meta("supported-color-schemes", "light dark"),
		meta("format-detection", "telephone=no, date=no, address=no, email=no"),
		h.Meta(h.Name("x-apple-disable-message-reformatting")),
		h.TitleEl(g.Text(a.Title())),
		h.StyleEl(g.Raw(stylesheet)),
	))
}

func emailBody(a report.Alert) g.Node {
	bad, others := splitChecks(a.Checks)
	card := h.Table(h.Class("card"), h.Role("presentation"), h.Width("640"), noSpacing(), bgcolor(white), h.Style(cardStyle), onLines(
		banner(a),
		whatHappened(a),
		stepSection(a.Next),
		g.If(len(a.Links) > 0, padded("8px 24px 4px", buttons(a))),
		checkSection(failedChecksTitle, bad),
		functionSection(a),
		factSection(withoutLinked(a)),
		checkSection(otherChecksHeading(bad), others),
		sentenceSection("Warnings", a.Notes),
		sentenceSection("Why", a.Why),
		sentenceSection("Not rolled back", oneOrNone(a.NotRolledBack)),
		padded("8px 24px 20px", h.P(h.Class("pale"), h.Style("margin:0;font-size:12px;line-height:18px;color:"+mutedColour), g.Text(signature))),
	))
	return h.Body(h.Class("page"), h.Style("margin:0;padding:0;background:"+pageColour+";-webkit-text-size-adjust:100%"), onLines(
		h.Div(h.Style("display:none;max-height:0;overflow:hidden;mso-hide:all;font-size:1px;line-height:1px;color:"+pageColour+";opacity:0"),
			g.Text(preview(a)), g.Raw(previewPadding)),
		h.Table(h.Class("page"), h.Role("presentation"), h.Width("100%"), noSpacing(), bgcolor(pageColour), h.Style("background:"+pageColour), onLines(
			h.Tr(h.Td(h.Class("page"), g.Attr("align", "center"), h.Style("padding:24px 12px"), onLines(card))),
		)),
	))
}

func banner(a report.Alert) g.Node {
	colour := bannerColour(a)
	return h.Tr(h.Td(h.Class("pad"), bgcolor(colour), h.Style("padding:20px 24px;background:"+colour+";color:"+white), onLines(
		g.If(a.Trial, h.P(h.Style("margin:0 0 8px;font-size:13px;line-height:18px;font-weight:700;letter-spacing:1px;color:"+white), g.Text("TEST MESSAGE"))),
		h.H1(autoDirection(), h.Style("margin:0;font-size:21px;line-height:28px;font-weight:600;color:"+white+wrapStyle), g.Text(a.Title())),
	)))
}

func whatHappened(a report.Alert) g.Node {
	const style = "margin:0 0 12px;font-size:16px;line-height:24px;"
	return padded("20px 24px 4px",
		h.P(h.Class("ink"), autoDirection(), h.Style(style+textStyle), g.Text(a.Message)),
		g.If(a.Verdict != "", h.P(h.Class("ink"), autoDirection(), h.Style(style+"font-weight:600;"+textStyle), g.Text(a.Verdict))),
	)
}

// buttons are the links, the first of them in the colour of the banner.
func buttons(a report.Alert) g.Node {
	const padding, round = "padding:9px 16px;", ";border-radius:6px"
	const text, unlined = "font-size:14px;line-height:20px;font-weight:600;color:", ";text-decoration:none"
	var all g.Group
	for _, page := range a.Links {
		cell, inner := g.Group{h.Class("plain"), h.Style(padding + "border:1px solid #afb8c1" + round)}, safeLink(page.URL, page.Name, "", text+textColour+unlined)
		if len(all) == 0 {
			colour := bannerColour(a)
			cell = g.Group{bgcolor(colour), h.Style(padding + "background:" + colour + ";border:1px solid " + colour + round)}
			inner = safeLink(page.URL, page.Name, "", text+white+unlined)
		}
		if inner != nil {
			all = append(all, h.Table(h.Role("presentation"), g.Attr("align", "left"), noSpacing(), h.Style("margin:0 8px 8px 0"), h.Tr(h.Td(cell, inner))))
		}
	}
	return g.If(len(all) > 0, h.Table(h.Role("presentation"), noSpacing(), h.Tr(h.Td(onLines(all...)))))
}

func checkSection(heading string, all []report.PublishedCheck) g.Node {
	const style = "padding:7px 0;" + borderStyle
	table := rowTable(g.Map(all, func(c report.PublishedCheck) g.Node {
		found := g.If(c.Detail != "", g.Group{h.Br(), h.Span(h.Class("pale"), h.Style("color:"+mutedColour), g.Text(c.Detail))})
		return h.Tr(onLines(
			h.Td(h.Class("rule"), h.Width("28"), top(), h.Style(style), g.Text(cmp.Or(report.CheckMark(c.Status), "–"))),
			h.Td(h.Class("rule ink"), autoDirection(), top(), h.Style(style+";"+textStyle), g.Text(c.Name), found),
		))
	}))
	return g.If(len(all) > 0, titled(heading, table))
}

func stepSection(all []string) g.Node {
	const style = "margin:0;padding:0 0 0 22px;font-size:15px;line-height:22px;color:" + textColour
	steps := g.Map(all, func(step string) g.Node {
		text, command := emailCommand(step)
		return h.Li(autoDirection(), h.Style("margin:0 0 8px"+wrapStyle), g.Text(text),
			g.If(command != "", h.Pre(h.Class("code"), h.Dir("ltr"), h.Style(codeStyle), g.Text(command))))
	})
	return g.If(len(all) > 0, titled(nextTitle, h.Ol(h.Class("ink"), h.Style(style), onLines(steps...))))
}

func functionSection(a report.Alert) g.Node {
	const cell, last = "padding:7px 12px 7px 0;", "padding:7px 0;"
	table := rowTable(g.Map(a.Functions, func(f report.AlertRow) g.Node {
		return h.Tr(h.Class("row"), onLines(
			h.Td(h.Class("stack rule ink above"), autoDirection(), h.Width("38%"), top(), h.Style(cell+"font-weight:600;"+borderStyle+";"+textStyle),
				g.Text(f.Mark+" "), linkOrText(f.URL, f.Function)),
			h.Td(h.Class("tuck rule ink"), autoDirection(), h.Width("24%"), top(), h.Style(cell+borderStyle+";"+textStyle), g.Text(f.Version)),
			h.Td(h.Class("tuck rule ink"), autoDirection(), h.Width("38%"), top(), h.Style(last+borderStyle+";"+textStyle), g.Text(f.Result)),
		))
	}))
	left := omittedFunctions(a.Left)
	return g.If(len(a.Functions) > 0, titled(functionsTitle(a), table,
		g.If(left != "", h.P(h.Class("pale"), h.Style("margin:6px 0 0;font-size:14px;line-height:20px;color:"+mutedColour), g.Text(left)))))
}

func factSection(all []report.Fact) g.Node {
	table := rowTable(g.Map(all, func(f report.Fact) g.Node {
		return h.Tr(onLines(
			h.Td(h.Class("stack rule pale above"), h.Width("28%"), top(), h.Style("padding:7px 12px 7px 0;"+borderStyle+";color:"+mutedColour), g.Text(f.Name)),
			h.Td(h.Class("stack rule ink below"), autoDirection(), top(), h.Style("padding:7px 0;"+borderStyle+";"+textStyle), linkOrText(f.URL, f.Text)),
		))
	}))
	return g.If(len(all) > 0, titled("Facts", table))
}

func sentenceSection(heading string, all []string) g.Node {
	sentences := g.Map(all, func(text string) g.Node {
		return h.P(h.Class("ink"), autoDirection(), h.Style(sentenceStyle), g.Text(text))
	})
	return g.If(len(all) > 0, titled(heading, sentences...))
}

func otherChecksHeading(bad []report.PublishedCheck) string {
	if len(bad) > 0 {
		return otherChecksTitle
	}
	return checksTitle
}

func oneOrNone(text string) []string {
	if text == "" {
		return nil
	}
	return []string{text}
}

// preview begins with what the subject does not say.
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
