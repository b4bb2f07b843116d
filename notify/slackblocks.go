package notify

import (
	"strings"

	"github.com/org/lambda-rollback-action/report"
)

var slackBold = map[string]bool{"bold": true}

func plain(text string) slackElement { return slackElement{Type: "text", Text: text} }

func bold(text string) slackElement {
	return slackElement{Type: "text", Text: text, Style: slackBold}
}

func code(text string) slackElement {
	return slackElement{Type: "text", Text: text, Style: map[string]bool{"code": true}}
}

// linked is a text that leads to a page, where there is one.
func linked(text, url string) slackElement {
	if url == "" {
		return plain(text)
	}
	return slackElement{Type: "link", Text: text, URL: url}
}

// section is a paragraph. Slack refuses empty texts, so they are left out.
func section(parts ...slackElement) slackElement {
	s := slackElement{Type: "rich_text_section"}
	for _, part := range parts {
		if strings.TrimSpace(part.Text) != "" || part.Text != "" && len(s.Elements) > 0 {
			s.Elements = append(s.Elements, part)
		}
	}
	return s
}

// list has an item for each paragraph that is not empty.
func list(style string, items []slackElement) slackElement {
	l := slackElement{Type: "rich_text_list", Style: style}
	for _, item := range items {
		if len(item.Elements) > 0 {
			l.Elements = append(l.Elements, item)
		}
	}
	return l
}

// appendText adds a block of paragraphs and lists, unless all are empty.
func appendText(blocks []slackBlock, parts ...slackElement) []slackBlock {
	var full []slackElement
	for _, part := range parts {
		if len(part.Elements) > 0 {
			full = append(full, part)
		}
	}
	if len(full) == 0 {
		return blocks
	}
	return append(blocks, slackBlock{Type: "rich_text", Elements: full})
}

func steps(all []string) []slackElement {
	var out []slackElement
	for _, step := range all {
		words, command := commandIn(step)
		if command == "" {
			out = append(out, section(plain(words)))
			continue
		}
		out = append(out, section(plain(words), code(command)))
	}
	return out
}

// commandIn parts a step from the command that it ends with, which is set so
// that it can be copied; empty: there is none.
func commandIn(step string) (words, command string) {
	at := strings.Index(step, "aws lambda ")
	if at <= 0 {
		return step, ""
	}
	return step[:at], step[at:]
}

func links(all []report.Page) []slackElement {
	var out []slackElement
	for i, page := range all {
		if i > 0 {
			out = append(out, plain("  ·  "))
		}
		out = append(out, linked(page.Name, page.URL))
	}
	return out
}

func facts(all []report.Fact) []slackElement {
	var out []slackElement
	for i, f := range all {
		if i > 0 {
			out = append(out, plain("\n"))
		}
		out = append(out, bold(f.Name), plain("  "), linked(f.Text, f.URL))
	}
	return out
}

// rows are one line a function. Many of them are one text, because every part
// of a block costs room.
func rows(a report.Alert) []slackElement {
	var items []slackElement
	var text strings.Builder
	for _, row := range a.Functions {
		rest := strings.TrimRight("  "+row.Version, " ") + ", " + row.Result
		if len(a.Functions) <= slackLinkedRows {
			items = append(items, section(plain(row.Mark+" "), linked(row.Function, row.URL), plain(rest+"\n")))
			continue
		}
		text.WriteString(row.Mark + " " + row.Function + rest + "\n")
	}
	if text.Len() > 0 {
		items = append(items, section(plain(text.String())))
	}
	return append(items, section(plain(more(a.Left))))
}

func checks(all []report.Check) []slackElement {
	var out []slackElement
	for _, c := range all {
		out = append(out, section(plain(strings.TrimLeft(checkMark(c)+" ", " ")), bold(c.Name), plain(detail(c))))
	}
	return out
}

// checkMark is the emoji of a check; of a status that is none of ours, nothing.
func checkMark(c report.Check) string { return report.CheckMark(c.Status) }

// detail is what a check found, behind its name.
func detail(c report.Check) string {
	if c.Detail == "" {
		return ""
	}
	return ": " + c.Detail
}

func notes(all []string) []slackElement {
	var out []slackElement
	for _, text := range all {
		out = append(out, section(plain("⚠️ "+text)))
	}
	return out
}
