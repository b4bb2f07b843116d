package notify_test

import (
	"html/template"
	"net/url"
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

// hrefs are the addresses of a page's links, as a browser reads them.
func hrefs(t require.TestingT, page string) []string {
	root, err := html.Parse(strings.NewReader(page))
	require.NoError(t, err)
	var all []string
	for n := range root.Descendants() {
		for _, attribute := range n.Attr {
			if attribute.Key == "href" {
				all = append(all, attribute.Val)
			}
		}
	}
	return all
}

// linking is an alert with one address wherever there may be one. It goes to the
// page as it is: what was looked at before must not be all that holds.
func linking(address string) report.Alert {
	return report.Alert{
		Mark: "✅", Headline: "x", Message: "x",
		Links:     []report.Page{{Name: "Button", URL: address}, {Name: "Plain", URL: address}},
		Facts:     []report.Fact{{Name: "Run", Text: "Fact", URL: address}},
		Functions: []report.AlertRow{{Function: "Row", URL: address}},
	}
}

func TestLinksOfAnEmail(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ address, want string }{
		"of the web":          {"https://a.example/b?c=d&e=f#g", "https://a.example/b?c=d&e=f#g"},
		"without TLS":         {"http://a.example/", "http://a.example/"},
		"in capitals":         {"HTTPS://a.example/", "HTTPS://a.example/"},
		"escaped already":     {"https://a.example/%2Fb%20c", "https://a.example/%2Fb%20c"},
		"half an escape":      {"https://a.example/?100%", "https://a.example/?100%25"},
		"no escape":           {"https://a.example/?100%zz", "https://a.example/?100%25zz"},
		"quotes and brackets": {`https://a.example/"'(<x>)`, "https://a.example/%22%27%28%3cx%3e%29"},
		"letters":             {"https://a.example/é", "https://a.example/%c3%a9"},
		"a fragment of CloudWatch": {
			"https://console.example/#logsV2:log-groups/log-group/$252Faws$252Flambda$252Fapi",
			"https://console.example/#logsV2:log-groups/log-group/$252Faws$252Flambda$252Fapi",
		},
		"nothing":              {"", ""},
		"a script":             {"javascript:alert(1)", ""},
		"a script in capitals": {"JavaScript:alert(1)", ""},
		"a script and a host":  {"javascript://a.example/%0aalert(1)", ""},
		"a blank before":       {" javascript:alert(1)", ""},
		"a control before":     {"\x01javascript:alert(1)", ""},
		"a tab within":         {"java\tscript:alert(1)", ""},
		"data":                 {"data:text/html,<script>alert(1)</script>", ""},
		"a file":               {"file:///etc/passwd", ""},
		"mail":                 {"mailto:a@b.example", ""},
		"no scheme":            {"//a.example/", ""},
		"a path":               {"/a", ""},
		"no host":              {"https:///a", ""},
		"a line's end":         {"https://a.example/\r\nb", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			page, err := notify.EmailHTML(linking(c.address))
			require.NoError(t, err)
			all := hrefs(t, page)
			for _, text := range []string{"Fact<", "Row<"} {
				assert.True(t, strings.Contains(page, text), "the text stands there with a link and without") //nolint:testifylint // else the whole page is printed
			}
			if c.want == "" {
				assert.Empty(t, all)
				return
			}
			assert.Equal(t, []string{c.want, c.want, c.want}, all, "a fact has no link that the alert has already")
		})
	}
}

// html/template has been looked at by more people than this page.
func TestLinksAreEscapedAsTemplatesDo(t *testing.T) {
	t.Parallel()
	link := template.Must(template.New("").Parse(`<a href="{{.}}"></a>`))
	rapid.Check(t, func(t *rapid.T) {
		address := "https://a.example/" + rapid.OneOf(rapid.String(), rapid.StringMatching(`[!-~%]{0,40}`)).Draw(t, "address")
		page, err := notify.EmailHTML(linking(address))
		require.NoError(t, err)
		var b strings.Builder
		require.NoError(t, link.Execute(&b, address))
		all := hrefs(t, page)
		if len(all) == 0 {
			_, err = url.Parse(address)
			require.True(t, err != nil || strings.ContainsFunc(address, unicode.IsSpace), address)
			return
		}
		require.Equal(t, hrefs(t, b.String())[0], all[0])
	})
}

// Texts stay texts wherever they stand.
func TestTextsOfAnEmailAreEscaped(t *testing.T) {
	t.Parallel()
	const evil = `</title></style></pre><img src=x onerror="alert(1)">'&amp;{{.}}`
	a := report.Alert{
		Mark: evil, Headline: evil, Message: evil, Verdict: evil, NotRolledBack: evil, Left: 1,
		Why: []string{evil}, Notes: []string{evil}, Next: []string{evil + ": aws lambda " + evil},
		Links:     []report.Page{{Name: evil, URL: "https://a.example/"}},
		Facts:     []report.Fact{{Name: evil, Text: evil}},
		Functions: []report.AlertRow{{Mark: evil, Function: evil, Version: evil, Result: evil}},
		Checks:    []report.PublishedCheck{{Name: evil, Detail: evil, Status: "failed"}, {Name: evil, Detail: evil, Status: "passed"}},
	}
	page, err := notify.EmailHTML(a)
	require.NoError(t, err)
	checkPage(t, page)
	root, err := html.Parse(strings.NewReader(page))
	require.NoError(t, err)
	seen := 0
	for n := range root.Descendants() {
		if n.Type == html.TextNode {
			seen += strings.Count(n.Data, evil)
		}
	}
	assert.Equal(t, 24, seen, "4 in titles, 2 in the preview, and 18 each in its place")
}
