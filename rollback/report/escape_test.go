package report_test

import (
	"html"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/rollback/report"
)

func TestCut(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		text  string
		limit int
		want  string
	}{
		"short text stays":                     {"api", 5, "api"},
		"text of just the length stays":        {"abcde", 5, "abcde"},
		"longer text ends in an ellipsis":      {"abcdef", 5, "abcd…"},
		"characters are counted, not bytes":    {"ééééé", 5, "ééééé"},
		"a character is never cut in two":      {"😀😀😀", 2, "😀…"},
		"broken UTF-8 is replaced":             {"a\xffb", 5, "a\uFFFDb"},
		"no room":                              {"abc", 0, ""},
		"long text is not counted to its end":  {strings.Repeat("é", 1<<20), 3, "éé…"},
		"broken UTF-8 that is long":            {strings.Repeat("\xff", 100), 3, "\uFFFD\uFFFD…"},
		"long text that is broken at the edge": {"ab" + strings.Repeat("😀", 100), 4, "ab😀…"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, c.want, report.Cut(c.text, c.limit))
		})
	}
}

func TestLine(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ text, want string }{
		"plain text":                       {"api 42 → 41", "api 42 → 41"},
		"line breaks":                      {"a\r\nb", `a\r\nb`},
		"ANSI colours":                     {"\x1b[31mred", `\u001b[31mred`},
		"the other way of reading":         {"a\u202eb\u2066c", `a\u202eb\u2066c`},
		"a zero-width space":               {"a\u200bb", `a\u200bb`},
		"line separators of Unicode":       {"a\u2028b\u0085c", `a\u2028b\u0085c`},
		"a family is drawn as its members": {"👨\u200d👩", "👨👩"},
		"tags beyond the basic plane":      {"a\U000e0041b", `a\U000e0041b`},
		"a tab":                            {"a\tb", `a\tb`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, c.want, report.Line(c.text, 100))
		})
	}
}

func TestMarkdown(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ text, want string }{
		"a sentence stays as it is":   {"api went back, 42 → 41 (dry run).", "api went back, 42 → 41 (dry run)."},
		"a table's cell cannot end":   {"a | b", "a &#124; b"},
		"HTML":                        {"<b>&amp;", "&lt;b&gt;&amp;amp;"},
		"a person":                    {"@octocat", "@&#8203;octocat"},
		"an issue":                    {"#12 and GH-12", "#&#8203;12 and GH-&#8203;12"},
		"a link":                      {"[x](https://e.example)", `\[x\](https:&#8203;//e.example)`},
		"a bare address":              {"www.e.example", "www.&#8203;e.example"},
		"a mail address":              {"a@e.example", "a@&#8203;e.example"},
		"code":                        {"`x`", "\\`x\\`"},
		"emphasis":                    {"**a** _b_ ~~c~~", `\*\*a\*\* \_b\_ \~\~c\~\~`},
		"mathematics":                 {"$LATEST", "<span>$</span>LATEST"},
		"line breaks become blanks":   {"a\r\n\r\nb", "a b"},
		"a heading":                   {"# a", "#&#8203; a"},
		"a list":                      {"- a", `\- a`},
		"a list with numbers":         {"12. a", `12\. a`},
		"a version is not a list":     {"go 1.26", "go 1.26"},
		"a backslash before a pipe":   {`\|`, `\\&#124;`},
		"control characters are seen": {"\x1b[0m", `\\u001b\[0m`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, c.want, report.EscapeMarkdown(c.text, 100))
		})
	}
}

func TestCode(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ text, want string }{
		"a name":              {"api", "`api`"},
		"nothing":             {"", ""},
		"HTML within":         {"<b>", "`<b>`"},
		"a backtick":          {"a`b", "<code>a&#96;b</code>"},
		"a pipe":              {"a|b", "<code>a&#124;b</code>"},
		"blanks at the edges": {" a", "<code> a</code>"},
		"a line break":        {"a\nb", "`a b`"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, c.want, report.InlineCode(c.text, 100))
		})
	}
}

func TestLink(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ url, want string }{
		"a page":              {"https://github.com/a/b", "[run](<https://github.com/a/b>)"},
		"an own server":       {"http://ghes.example/a", "[run](<http://ghes.example/a>)"},
		"nothing":             {"", "run"},
		"a script":            {"javascript:alert(1)", "run"},
		"a blank within":      {"https://e.example/a b", "run"},
		"a line break within": {"https://e.example/\n", "run"},
		"the end of the link": {"https://e.example/>)|`", "[run](<https://e.example/%3E)%7C%60>)"},
		"endless":             {"https://e.example/" + strings.Repeat("a", 4000), "run"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, c.want, report.MarkdownLink("run", c.url))
		})
	}
}

func FuzzEscape(f *testing.F) {
	for _, seed := range []string{"api", "a|b`c", "\x1b[0m\r\n", "@a #1 https://x", "\u202e\u200b\U000e0041", "\xff\xfe", "12. a"} {
		f.Add(seed, 20)
	}
	f.Fuzz(func(t *testing.T, text string, limit int) {
		limit %= 5000
		line := report.Line(text, limit)
		require.True(t, utf8.ValidString(line))
		assert.LessOrEqual(t, utf8.RuneCountInString(line), max(limit, 0))
		for _, r := range line {
			assert.True(t, unicode.IsGraphic(r), "%U is invisible", r)
		}
		for _, markdown := range []string{report.EscapeMarkdown(text, limit), report.InlineCode(text, limit)} {
			assert.NotContains(t, markdown, "\n")
			assert.NotContains(t, markdown, "|", "a cell ended")
			assert.NotContains(t, markdown, "\r")
		}
		// As GitHub finds mentions, references and addresses: in decoded text.
		seen := html.UnescapeString(report.EscapeMarkdown(text, limit))
		assert.NotContains(t, seen, "://")
		assert.NotRegexp(t, `[@#][A-Za-z0-9]|(?i)gh-[0-9]|www\.[a-z]`, seen)
	})
}
