package notify

import (
	"net/url"
	"strings"
	"unicode"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// sanitized makes an alert safe for an email: every text is one line of valid UTF-8,
// every URL is http or https, and nothing is longer than it is in an alert of ours.
// Text from outside must not begin a header or a second message.
func sanitized(a report.Alert) report.Alert {
	const (
		longest = 400 // characters of what is short by nature
		name    = 60
		most    = 5 // links, and sentences that say why
	)
	text := func(s string) string { return report.Cut(oneLine(s), longest) }
	texts := func(all []string) []string { return mapAll(all, oneLine) }
	a.Mark, a.Headline = report.Cut(oneLine(a.Mark), name), text(a.Headline)
	a.Message, a.Verdict, a.NotRolledBack = oneLine(a.Message), oneLine(a.Verdict), text(a.NotRolledBack)
	a.Facts = mapAll(a.Facts, func(f report.Fact) report.Fact {
		return report.Fact{Name: report.Cut(oneLine(f.Name), name), Text: oneLine(f.Text), URL: webURL(f.URL)}
	})
	a.Functions = mapAll(a.Functions, func(f report.AlertRow) report.AlertRow {
		return report.AlertRow{Mark: report.Cut(oneLine(f.Mark), name), Function: oneLine(f.Function), Version: oneLine(f.Version), Result: oneLine(f.Result), URL: webURL(f.URL)}
	})
	a.Checks = mapAll(a.Checks, func(c report.PublishedCheck) report.PublishedCheck {
		return report.PublishedCheck{Name: oneLine(c.Name), Status: c.Status, Detail: oneLine(c.Detail)}
	})
	a.Why, a.Notes, a.Next = mapAll(firstN(a.Why, most), text), texts(a.Notes), texts(a.Next)
	links := a.Links
	a.Links = nil
	for _, l := range firstN(links, most) {
		if address := webURL(l.URL); address != "" {
			a.Links = append(a.Links, report.Page{Name: report.Cut(oneLine(l.Name), name), URL: address})
		}
	}
	return a
}

func mapAll[T any](all []T, change func(T) T) []T {
	var out []T
	for _, one := range all {
		out = append(out, change(one))
	}
	return out
}

// webURL is the URL if it is http or https, and otherwise empty.
func webURL(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || strings.ContainsFunc(address, unicode.IsSpace) {
		return ""
	}
	return address
}
