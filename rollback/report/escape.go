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

// zeroWidthSpace separates characters for GitHub, but not for readers: a zero-width
// space after `@`, `#` or the colon of a URL prevents mentions, links, and back
// references on an issue. An entity for the character itself would not work, because
// GitHub finds mentions after it decodes entities.
const zeroWidthSpace = "&#8203;"

// Cut shortens text to at most limit characters (not bytes). If something was removed,
// the last character is `…`. Invalid UTF-8 becomes U+FFFD.
func Cut(text string, limit int) string {
	if limit <= 0 {
		return ""
	}
	if len(text) > limit*utf8.UTFMax+utf8.UTFMax { // the rest is not needed
		text = text[:limit*utf8.UTFMax+utf8.UTFMax]
	}
	runes := []rune(text)
	if len(runes) <= limit {
		return string(runes)
	}
	return string(runes[:limit-1]) + ellipsis
}

// Line converts outside text to one line that shows its content: line breaks, ANSI
// sequences, other control characters and characters that change the text direction
// become visible escapes such as `
// ` and `\u202e`. The result has at most limit characters. It is not escaped for
// Markdown or HTML.
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

// isJoiner reports whether a character is invisible and only shapes its neighbors
// (emoji, Indic scripts). Such characters are dropped, because their escapes would
// split words.
func isJoiner(r rune) bool {
	return r == '\u200c' || r == '\u200d' || unicode.Is(unicode.Variation_Selector, r)
}

// isVisible is false for control, format, private and unassigned characters, and for
// characters without a glyph. The runner compares texts with the rules of a culture,
// which ignore such characters: they must not hide the parts of a command.
func isVisible(r rune) bool {
	return unicode.IsGraphic(r) && !unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r)
}

// oneLine is Line with spaces instead of line breaks, for prose.
func oneLine(text string, limit int) string {
	text = Cut(text, limit)
	if strings.ContainsAny(text, "\r\n\t") {
		text = strings.Join(strings.Fields(text), " ")
	}
	return Line(text, limit)
}

// escapeMarkdown converts outside text to plain text in GitHub's Markdown, for any
// place: a paragraph, a list, a table or a link. The result is one line of at most
// limit visible characters. It formats nothing, links nothing, and mentions nobody.
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

// inlineCode shows outside text as inline code in GitHub's Markdown, also in tables.
// The result is one line of at most limit characters; empty text stays empty.
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

// codeHTML shows one line as inline code if backticks do not work: in HTML blocks, and
// for text that contains backticks or pipes.
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

// markdownLink returns a Markdown link. The text must already be Markdown. Without a
// valid web address, it returns only the text.
func markdownLink(markdown, url string) string {
	if !isWebAddress(url) {
		return markdown
	}
	return "[" + markdown + "](<" + urlEscapes.Replace(url) + ">)"
}

var urlEscapes = strings.NewReplacer(
	"<", "%3C", ">", "%3E", "|", "%7C", `\`, "%5C", "`", "%60", "&", "&amp;",
)

// isWebAddress rejects other schemes, and everything that a browser would interpret in
// another way.
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
