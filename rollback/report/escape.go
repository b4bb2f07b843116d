package report

import (
	"fmt"
	"html"
	"strings"
	"unicode"
	"unicode/utf8"
)

// ellipsis stands where text was cut.
const ellipsis = "…"

// zeroWidthSpace separates characters for GitHub, not for the eye: a zero-width
// space behind `@`, `#` or a URL's colon keeps a text from pinging people, from
// linking, and from leaving a back reference on an issue. An entity of the
// character itself would not do: mentions are found after entities are decoded.
const zeroWidthSpace = "&#8203;"

// Cut shortens text to at most limit characters (not bytes). Where something
// was left out, the last one is `…`. Broken UTF-8 becomes U+FFFD.
func Cut(text string, limit int) string {
	if limit <= 0 {
		return ""
	}
	if len(text) > limit*utf8.UTFMax+utf8.UTFMax { // the rest cannot matter
		text = text[:limit*utf8.UTFMax+utf8.UTFMax]
	}
	runes := []rune(text)
	if len(runes) <= limit {
		return string(runes)
	}
	return string(runes[:limit-1]) + ellipsis
}

// Line makes one line of outside text that shows what is in it: line breaks,
// ANSI sequences, other control characters and those that turn the direction
// of reading become visible escapes such as `\n` and `\u202e`. It is at most
// limit characters long. It is not escaped for Markdown or HTML.
func Line(text string, limit int) string {
	var b strings.Builder
	for _, r := range Cut(text, limit) {
		switch {
		case isJoiner(r):
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case !isVisible(r) && r > 0xffff:
			fmt.Fprintf(&b, `\U%08x`, r)
		case !isVisible(r):
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	return Cut(b.String(), limit)
}

// isJoiner finds the invisible characters that only shape their neighbours
// (emoji, Indic scripts). They are dropped: shown, they would tear words apart.
func isJoiner(r rune) bool {
	return r == '\u200c' || r == '\u200d' || unicode.Is(unicode.Variation_Selector, r)
}

// isVisible is false for control, format, private and unassigned characters,
// and for those that are drawn as nothing. The runner compares by culture, and
// such a comparison skips them: they must not hide the pieces of a command.
func isVisible(r rune) bool {
	return unicode.IsGraphic(r) && !unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r)
}

// oneLine is Line with line breaks as blanks, for prose.
func oneLine(text string, limit int) string {
	text = Cut(text, limit)
	if strings.ContainsAny(text, "\r\n\t") {
		text = strings.Join(strings.Fields(text), " ")
	}
	return Line(text, limit)
}

// escapeMarkdown makes outside text plain text in GitHub's Markdown, wherever it
// stands: in a paragraph, a list, a table or a link. It is one line of at most
// limit characters as seen; it formats nothing, links nothing, mentions nobody.
func escapeMarkdown(text string, limit int) string {
	var b strings.Builder
	text = oneLine(text, limit)
	for i, r := range text {
		before, after := text[:i], text[i+utf8.RuneLen(r):]
		switch r {
		case '&', '<', '>':
			b.WriteString(html.EscapeString(string(r)))
		case '|': // a backslash would show outside of tables' own rules
			b.WriteString("&#124;")
		case '$': // GitHub's mathematics; this is its documented way out
			b.WriteString("<span>$</span>")
		case '\\', '`', '*', '_', '[', ']', '~':
			b.WriteRune('\\')
			b.WriteRune(r)
		case '@', '#':
			b.WriteRune(r)
			b.WriteString(zeroWidthSpace)
		case ':':
			if i == 0 {
				b.WriteRune('\\')
			}
			b.WriteRune(r)
			if strings.HasPrefix(after, "//") {
				b.WriteString(zeroWidthSpace)
			}
		case '.', ')':
			if isNumber(before) {
				b.WriteRune('\\')
			}
			b.WriteRune(r)
			if endsFold(before, "www") {
				b.WriteString(zeroWidthSpace)
			}
		case '-', '+', '=':
			if i == 0 {
				b.WriteRune('\\')
			}
			b.WriteRune(r)
			if endsFold(before, "gh") {
				b.WriteString(zeroWidthSpace)
			}
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// inlineCode shows outside text as inline code in GitHub's Markdown, also within
// tables. It is one line of at most limit characters; empty text stays empty.
func inlineCode(text string, limit int) string {
	text = oneLine(text, limit)
	switch {
	case text == "":
		return ""
	case strings.ContainsAny(text, "`|") || strings.TrimSpace(text) != text:
		return codeHTML(text)
	default:
		return "`" + text + "`"
	}
}

// codeHTML shows one line as inline code where backticks do not work: in HTML
// blocks, and around text that holds backticks or pipes.
func codeHTML(line string) string {
	var b strings.Builder
	for _, r := range line {
		if r < utf8.RuneSelf && (unicode.IsPunct(r) || unicode.IsSymbol(r)) {
			fmt.Fprintf(&b, "&#%d;", r)
		} else {
			b.WriteRune(r)
		}
	}
	return "<code>" + b.String() + "</code>"
}

// markdownLink is a Markdown link. The text must be Markdown already; without a
// usable web address it comes back alone.
func markdownLink(markdown, url string) string {
	if !isWebAddress(url) {
		return markdown
	}
	return "[" + markdown + "](<" + urlEscapes.Replace(url) + ">)"
}

var urlEscapes = strings.NewReplacer(
	"<", "%3C", ">", "%3E", "|", "%7C", `\`, "%5C", "`", "%60", "&", "&amp;",
)

// isWebAddress refuses other schemes and whatever a browser would read anew.
func isWebAddress(url string) bool {
	const longest = 2048
	if len(url) > longest || !strings.HasPrefix(url, "https://") && !strings.HasPrefix(url, "http://") {
		return false
	}
	return !strings.ContainsFunc(url, func(r rune) bool {
		return unicode.IsSpace(r) || !isVisible(r) || r == utf8.RuneError
	})
}

func isNumber(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

func endsFold(s, end string) bool {
	return len(s) >= len(end) && strings.EqualFold(s[len(s)-len(end):], end)
}
