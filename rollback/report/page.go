package report

import (
	"slices"
	"strings"
)

// section is a part of a page in GitHub's Markdown. Without a body it is left out.
type section struct {
	title string // Markdown; empty: there is no heading
	level int    // of the heading; 0: sectionLevel
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

// longestBody is how long a comment or an issue may become, in bytes. GitHub
// refuses more than 65,536 characters.
const longestBody = 60_000

// tooLong stands where a section was left out.
const tooLong = "This was too long for this page; the summary of the run has it."

// shortPage joins sections to a page of longestBody at most. Where they are too
// long together, the longest ones give way to a sentence, and only their headings
// stay.
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

// upTo joins lines until there are enough of them or the bytes are used up, and
// counts those left out.
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

// folded is a block that a click opens. Within its title Markdown is not read:
// plain HTML only.
func folded(titleHTML, body string) string {
	return "<details><summary>" + titleHTML + "</summary>\n\n" + body + "\n\n</details>"
}
