package notify_test

import (
	"bytes"
	"fmt"
	"maps"
	"math"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"
	"pgregory.net/rapid"

	"github.com/org/lambda-rollback-action/notify"
	"github.com/org/lambda-rollback-action/rollback/report"
)

// post delivers alerts to one server, one after the other, and gives each as it
// was sent.
func post(t *testing.T) func(report.Alert) ([]byte, error) {
	t.Helper()
	s := newMailServer()
	options := sending(s.serve(t, false))
	options.TLS = "none"
	return func(a report.Alert) ([]byte, error) {
		if err := notify.NewEmail(options, deps(nil)).Send(t.Context(), notify.Notification{Alert: a}); err != nil {
			return nil, err
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.mails[len(s.mails)-1].data, nil
	}
}

// nasty draws texts that break out of something, somewhere.
func nasty(longest int) *rapid.Generator[string] {
	pieces := rapid.SampledFrom([]string{
		"\r\n", "\n.\r\n", "\r\nBcc: evil@evil.example\r\n\r\n", ".", "--", "=?utf-8?q?=0D=0ABcc:_x?=", "<script>alert(1)</script>",
		"</style>", "</title>", `" onload="x`, "{{.Colour}}", "javascript:alert(1)", "https://evil.example/p.png", "&amp;", "<!--", "]]>",
		"\x00", "\x1b[31m", "\u202e", "שלום", "أهلا", "\u65e5\u672c\u8a9e", "🚨", "é", "\xff", "=", "=\n", "\u2028", strings.Repeat("x", 1200), ": aws lambda --x",
	})
	return rapid.Custom(func(t *rapid.T) string {
		text := rapid.OneOf(pieces, rapid.String(), rapid.Map(rapid.SliceOfN(pieces, 0, 6), func(all []string) string { return strings.Join(all, " ") })).Draw(t, "text")
		return strings.Repeat(text, rapid.SampledFrom([]int{1, 1, 1, longest}).Draw(t, "times"))
	})
}

func drawAlert(t *rapid.T) report.Alert {
	text := nasty(40)
	list := func(name string) []string { return rapid.SliceOfN(text, 0, 12).Draw(t, name) }
	links := rapid.OneOf(text, rapid.Just("https://console.example/"), rapid.Just("https://console.example/?"+strings.Repeat("%20", 600)))
	a := report.Alert{
		Severity: rapid.SampledFrom([]report.Severity{report.SeverityFailure, report.SeverityAttention, report.SeverityDone, report.SeverityQuiet, "?"}).Draw(t, "severity"),
		Trial:    rapid.Bool().Draw(t, "trial"),
		Mark:     rapid.SampledFrom([]string{"✅", "🚨", "", "x"}).Draw(t, "mark"),
		Headline: text.Draw(t, "headline"), Message: text.Draw(t, "message"), Verdict: text.Draw(t, "verdict"), NotRolledBack: text.Draw(t, "rest"),
		Why: list("why"), Notes: list("notes"), Next: list("next"), Left: rapid.IntRange(0, 300).Draw(t, "left"),
	}
	for range rapid.IntRange(0, 25).Draw(t, "facts") {
		a.Facts = append(a.Facts, report.Fact{Name: text.Draw(t, "name"), Text: text.Draw(t, "text"), URL: links.Draw(t, "url")})
	}
	for range rapid.IntRange(0, 50).Draw(t, "functions") {
		a.Functions = append(a.Functions, report.AlertRow{Mark: "✅", Function: text.Draw(t, "function"), Version: text.Draw(t, "version"), Result: text.Draw(t, "result"), URL: links.Draw(t, "url")})
	}
	for range rapid.IntRange(0, 15).Draw(t, "checks") {
		a.Checks = append(a.Checks, report.PublishedCheck{Name: text.Draw(t, "check"), Status: report.CheckStatus(text.Draw(t, "status")), Detail: text.Draw(t, "detail")})
	}
	for range rapid.IntRange(0, 5).Draw(t, "links") {
		a.Links = append(a.Links, report.Page{Name: text.Draw(t, "page"), URL: links.Draw(t, "url")})
	}
	return a
}

var headerNames = []string{
	"Auto-Submitted", "Content-Type", "Date", "From", "Importance", "Message-Id", "Mime-Version", "References",
	"Subject", "To", "X-Auto-Response-Suppress", "X-Mailer", "X-Priority",
}

// Whatever an alert holds, it is one message with the header intended, small
// enough, and with nothing in it that acts.
func TestWhateverAnEmailHolds(t *testing.T) {
	t.Parallel()
	send := post(t)
	rapid.Check(t, func(t *rapid.T) {
		a := drawAlert(t)
		data, err := send(a)
		require.NoError(t, err)
		checkMessage(t, data)
	})
}

func checkMessage(t require.TestingT, data []byte) {
	assert.Less(t, len(data), 100_000)
	lines := bytes.Split(data, []byte("\r\n"))
	longest := slices.MaxFunc(lines, func(a, b []byte) int { return len(a) - len(b) })
	require.LessOrEqual(t, len(longest), 998)
	require.False(t, bytes.ContainsAny(bytes.Join(lines, nil), "\r\n"))
	require.Negative(t, bytes.IndexFunc(data, func(r rune) bool { return r > unicode.MaxASCII }))
	o := open(t, data)
	for name, values := range maps.All(o.header) {
		require.Contains(t, headerNames, name)
		require.Len(t, values, 1)
	}
	assert.NotContains(t, o.subject, "\n")
	assert.NotEmpty(t, o.subject)
	require.Negative(t, strings.IndexFunc(o.text, func(r rune) bool { return unicode.IsControl(r) && r != '\n' }))
	checkPage(t, o.page)
}

// checkPage parses the page as a browser does, and finds only what the template
// has.
func checkPage(t require.TestingT, page string) {
	root, err := html.Parse(strings.NewReader(page))
	require.NoError(t, err)
	styles, titles := 0, 0
	for n := range root.Descendants() {
		if n.Type == html.CommentNode {
			require.Fail(t, "a comment", n.Data)
		}
		if n.Type != html.ElementNode {
			continue
		}
		require.True(t, slices.Contains([]string{
			"html", "head", "meta", "title", "style", "body", "div", "table", "tbody", "tr", "td", "p", "h1", "h2", "ol", "li", "pre", "a", "br", "span",
		}, n.Data), n.Data)
		styles += btoi(n.Data == "style")
		titles += btoi(n.Data == "title")
		for _, attribute := range n.Attr {
			require.True(t, slices.Contains([]string{
				"lang", "dir", "charset", "name", "content", "class", "style", "role", "width", "cellpadding", "cellspacing", "border", "bgcolor", "align", "valign", "href",
			}, attribute.Key), attribute.Key)
			if attribute.Key == "href" {
				link, err := url.Parse(attribute.Val)
				require.NoError(t, err)
				require.Contains(t, []string{"https", "http"}, link.Scheme)
			}
			if attribute.Key == "style" {
				require.NotContains(t, attribute.Val, "url(")
			}
		}
	}
	require.Equal(t, []int{1, 1}, []int{styles, titles})
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// What a large rollback holds at most is still one message, and says what it
// leaves out.
func TestALargeEmail(t *testing.T) {
	t.Parallel()
	for name, letter := range map[string]string{"ASCII": "x", "Japanese": "\u8a9e", "emoji": "🚨"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			long := strings.Repeat(letter, 100_000)
			functions := make([]report.Function, 120)
			for i := range functions {
				functions[i] = report.Function{
					Function: "f" + strconv.Itoa(i) + long, Alias: long, Region: "eu-west-1", Status: report.RolledBack, Message: long,
					From: long, To: long, Checks: []report.Check{{Name: long, Status: "failed", Detail: long}}, Notes: []report.Note{{Warning: true, Text: long}},
				}
			}
			r := report.Result{
				Environment: long, Functions: functions, RequestReason: long,
				Run: report.Run{Branch: long, Commit: long, Actor: long, SHA: "1a2b3c4", Workflow: long, URL: "https://github.example/o/r/actions/runs/1", Number: 1},
			}
			report.Conclude(&r)
			a := report.NewAlert(r)
			data, err := post(t)(a)
			require.NoError(t, err)
			checkMessage(t, data)
			o := open(t, data)
			assert.Equal(t, a.Title(), o.subject)
			shown := strings.Count(o.text, "  "+a.Functions[0].Mark+" f")
			assert.Positive(t, shown)
			left := fmt.Sprintf("… and %d more, on the page of the run", 120-shown)
			assert.Contains(t, o.text, left)
			assert.Contains(t, o.page, left)
			assert.Contains(t, o.text, "120 FUNCTIONS")
		})
	}
}

// Forty functions of usual length are all there.
func TestAnEmailOfFortyFunctions(t *testing.T) {
	t.Parallel()
	var functions []report.Function
	for i := range 40 {
		functions = append(functions, report.Function{
			Function: fmt.Sprintf("shop-production-orders-%02d", i), Alias: "live", Region: "eu-west-1", Status: report.RolledBack,
			Healthy: report.Healthy, From: "42", To: "41", MovedAt: "2026-03-07T03:14:05Z",
			Checks: []report.Check{{Name: "health https://shop.example.com/health", Status: "passed", Detail: "200 three times in a row, 41 ms"}},
		})
	}
	r := report.Result{Environment: "production", Functions: functions}
	report.Conclude(&r)
	a := report.NewAlert(r)
	data, err := post(t)(a)
	require.NoError(t, err)
	checkMessage(t, data)
	o := open(t, data)
	for _, f := range functions {
		assert.Contains(t, o.text, f.Function+":live 42 → 41")
		assert.Contains(t, o.page, f.Function+":live</a>", "with a link to its alias")
	}
	golden(t, "testdata/email/forty.html", []byte(o.page))
}

// A dot alone ends a message in SMTP.
func TestDotsInAnEmail(t *testing.T) {
	t.Parallel()
	a := anAlert()
	a.Message, a.Verdict = ".", "..hidden"
	data, err := post(t)(a)
	require.NoError(t, err)
	assert.Contains(t, open(t, data).text, "\n\n.\n\n..hidden\n")
}

var colour = regexp.MustCompile(`(?:bgcolor="|background: ?)(#[0-9a-f]{6})`)

// What is white on a colour can be read (WCAG AA: 4.5).
func TestTheBannerCanBeRead(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for name, a := range alerts(t) {
		page := sent(t, a).page
		_, banner, _ := strings.Cut(page, `class="pad" `)
		found := colour.FindStringSubmatch(banner)
		require.NotNil(t, found, name)
		seen[found[1]] = true
		assert.GreaterOrEqual(t, contrast(t, "#ffffff", found[1]), 4.5, name)
	}
	assert.Len(t, slices.Collect(maps.Keys(seen)), 5, "each severity and the trial have a colour of their own")
	for _, pair := range [][2]string{
		{"#1f2328", "#ffffff"}, {"#57606a", "#ffffff"}, {"#0b5cad", "#ffffff"}, {"#57606a", "#f4f5f7"}, {"#1f2328", "#f0f2f4"},
		{"#e6edf3", "#161b22"}, {"#9ba7b4", "#161b22"}, {"#79b8ff", "#161b22"}, {"#e6edf3", "#0d1117"},
	} {
		page := sent(t, alerts(t)["several"]).page
		assert.Contains(t, page, pair[0])
		assert.Contains(t, page, pair[1])
		assert.GreaterOrEqual(t, contrast(t, pair[0], pair[1]), 4.5, pair)
	}
}

// contrast is that of WCAG 2.
func contrast(t *testing.T, one, other string) float64 {
	t.Helper()
	light := func(colour string) float64 {
		sum := 0.0
		for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
			n, err := strconv.ParseUint(colour[1+2*i:3+2*i], 16, 8)
			require.NoError(t, err)
			c := float64(n) / 255
			if c <= 0.04045 {
				c /= 12.92
			} else {
				c = math.Pow((c+0.055)/1.055, 2.4)
			}
			sum += weight * c
		}
		return sum
	}
	a, b := light(one), light(other)
	return (max(a, b) + 0.05) / (min(a, b) + 0.05)
}

// What a person must know is in both forms of the message.
func TestAnEmailSaysTheFacts(t *testing.T) {
	t.Parallel()
	send := post(t)
	line := func(text string) string { return strings.Join(strings.Fields(strings.ReplaceAll(text, `\`, "")), " ") }
	for name, a := range alerts(t) {
		if name == "hostile" { // it holds backslashes, which line takes out
			continue
		}
		data, err := send(a)
		require.NoError(t, err)
		o := open(t, data)
		root, err := html.Parse(strings.NewReader(o.page))
		require.NoError(t, err)
		var page strings.Builder
		var addresses []string
		for n := range root.Descendants() {
			if n.Type == html.TextNode {
				page.WriteString(n.Data + " ")
			}
			for _, attribute := range n.Attr {
				if attribute.Key == "href" {
					addresses = append(addresses, attribute.Val)
				}
			}
		}
		wanted := append([]string{a.Title(), a.Message, a.Verdict, a.NotRolledBack}, slices.Concat(a.Why, a.Notes, firstPart(a.Next))...)
		links := []string{}
		for _, f := range a.Facts {
			wanted, links = append(wanted, f.Name, f.Text), append(links, f.URL)
		}
		for _, row := range a.Functions {
			wanted, links = append(wanted, row.Function, row.Version, row.Result), append(links, row.URL)
		}
		for _, c := range a.Checks {
			wanted = append(wanted, c.Name, c.Detail)
		}
		for _, l := range a.Links {
			wanted, links = append(wanted, l.Name), append(links, l.URL)
			assert.Contains(t, o.text, l.URL, name)
		}
		for _, text := range wanted {
			assert.Contains(t, line(page.String()), line(text), name)
			assert.Contains(t, line(o.text), line(text), name)
		}
		for _, link := range links {
			assert.Contains(t, append(addresses, ""), link, name)
		}
	}
}

// Alerts that no layout was made for.
func TestExtremeEmails(t *testing.T) {
	t.Parallel()
	send := post(t)
	for name, a := range extremes() {
		data, err := send(a)
		require.NoError(t, err, name)
		checkMessage(t, data)
	}
}
