package report

import (
	"slices"
	"strings"
)

// section is a part of a page in GitHub's Markdown. A section without a body is left
// out.
type section struct {
	title string // in Markdown; empty for no heading
	level int    // the level of the heading; 0 for sectionLevel
	body  string
}

const (
	titleLevel   = 2
	sectionLevel = 3
)

func (s section) markdown() string {
	if s.title == "" || s.body == "" {
		return s.body
	}
	level := s.level
	if level == 0 {
		level = sectionLevel
	}
	return strings.Repeat("#", level) + " " + s.title + "\n\n" + s.body
}

// page joins sections.
func page(sections []section) string {
	all := make([]string, 0, len(sections))
	for _, s := range sections {
		all = append(all, s.markdown())
	}
	return joinParts("\n\n", all...) + "\n"
}

// joinParts joins the parts that are not empty.
func joinParts(between string, parts ...string) string {
	return strings.Join(slices.DeleteFunc(slices.Clone(parts), func(s string) bool { return s == "" }), between)
}

// longestBody is the maximum length of a comment or an issue, in bytes. GitHub rejects
// more than 65,536 characters.
const longestBody = 60_000

// tooLong replaces a section that was left out.
const tooLong = "This is too long for this page; see the summary of the run."

// shortPage joins sections to a page of at most longestBody. If they are too long
// together, a sentence replaces the longest ones, and only their headings stay.
func shortPage(sections ...section) string {
	sections = slices.DeleteFunc(slices.Clone(sections), func(s section) bool { return s.body == "" })
	for range sections {
		if len(page(sections)) < longestBody {
			break
		}
		longest := 0
		for i, s := range sections {
			if len(s.markdown()) > len(sections[longest].markdown()) {
				longest = i
			}
		}
		sections[longest].body = tooLong
	}
	return page(sections)
}

// upTo joins lines up to a number of lines and bytes, and counts those left out.
func upTo(n, most, bytes int, line func(i int) string) (text string, left int) {
	var b strings.Builder
	for i := range n {
		if i == most {
			return b.String(), n - i
		}
		next := line(i)
		if b.Len()+len(next)+1 > bytes {
			return b.String(), n - i
		}
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(next)
	}
	return b.String(), 0
}

// folded is a block that opens on a click. Its title does not support Markdown, only
// plain HTML.
func folded(titleHTML, body string) string {
	return "<details><summary>" + titleHTML + "</summary>\n\n" + body + "\n\n</details>"
}
