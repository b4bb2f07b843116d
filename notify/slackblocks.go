package notify

import (
	"strings"

	"github.com/org/lambda-rollback-action/rollback/report"
)

var slackBold = map[string]bool{"bold": true}

func plain(text string) slackElement { return slackElement{Type: "text", Text: text} }

func bold(text string) slackElement {
	return slackElement{Type: "text", Text: text, Style: slackBold}
}

func code(text string) slackElement {
	return slackElement{Type: "text", Text: text, Style: map[string]bool{"code": true}}
}

// linked is a text that links to a page, if there is one.
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

// plainText is a text outside of rich_text. With emoji, `:name:` is drawn as one;
// without, the `:11:` of a time stays what it is.
func plainText(text string, emoji bool) *slackElement {
	return &slackElement{Type: "plain_text", Text: text, Emoji: &emoji}
}

// numbered has an item for each paragraph that is not empty.
func numbered(items []slackElement) slackElement {
	l := slackElement{Type: "rich_text_list", Style: "ordered"}
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

// commandIn splits off the command that a step ends with, which is set so that it
// can be copied; empty: there is none.
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

func facts(all []report.Fact) [][]slackElement {
	var out [][]slackElement
	for _, f := range all {
		out = append(out, []slackElement{bold(f.Name), plain("  "), linked(f.Text, f.URL)})
	}
	return out
}

// rows are a line for each function. Many of them are one text, because every
// part of a block counts toward the limit.
func rows(a report.Alert) [][]slackElement {
	var out [][]slackElement
	var names []string
	for _, row := range a.Functions {
		rest := strings.TrimRight("  "+row.Version, " ") + ", " + row.Result
		if len(a.Functions) <= slackMaxLinkedRows {
			out = append(out, []slackElement{plain(row.Mark + " "), linked(row.Function, row.URL), plain(rest)})
			continue
		}
		names = append(names, row.Mark+" "+row.Function+rest)
	}
	return append(out, []slackElement{plain(strings.Join(names, "\n"))}, []slackElement{plain(omittedFunctions(a.Left))})
}

func checks(all []report.PublishedCheck) [][]slackElement {
	var out [][]slackElement
	for _, c := range all {
		out = append(out, []slackElement{plain(strings.TrimLeft(report.CheckMark(c.Status)+" ", " ")), bold(c.Name), plain(detail(c))})
	}
	return out
}

func notes(all []string) [][]slackElement {
	var out [][]slackElement
	for _, text := range all {
		out = append(out, []slackElement{plain("⚠️ " + text)})
	}
	return out
}

// lines is a paragraph of lines. They are separated within one section, because two
// sections are not always on lines of their own.
func lines(all [][]slackElement) slackElement {
	var parts []slackElement
	for _, line := range all {
		if full := section(line...).Elements; len(full) > 0 {
			if len(parts) > 0 {
				parts = append(parts, plain("\n"))
			}
			parts = append(parts, full...)
		}
	}
	return section(parts...)
}

// detail is what a check found, behind its name.
func detail(c report.PublishedCheck) string {
	if c.Detail == "" {
		return ""
	}
	return ": " + c.Detail
}
