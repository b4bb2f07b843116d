package notify

import (
	"net/url"
	"strings"
	"unicode"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// mailable is an alert of which every text is a line, every address one of the
// web, and nothing is longer than an alert's may be: a message must not become
// two, whatever it is made of.
func mailable(a report.Alert) report.Alert {
	const (
		longest = 400 // characters of what is short by nature
		name    = 60
		most    = 5 // links, and sentences that say why
	)
	text := func(s string) string { return report.Cut(clean(s), longest) }
	texts := func(all []string) []string { return each(all, clean) }
	a.Mark, a.Headline = report.Cut(clean(a.Mark), name), text(a.Headline)
	a.Message, a.Verdict, a.NotRolledBack = clean(a.Message), clean(a.Verdict), text(a.NotRolledBack)
	a.Facts = each(a.Facts, func(f report.Fact) report.Fact {
		return report.Fact{Name: report.Cut(clean(f.Name), name), Text: clean(f.Text), URL: webAddress(f.URL)}
	})
	a.Functions = each(a.Functions, func(f report.AlertRow) report.AlertRow {
		return report.AlertRow{Mark: report.Cut(clean(f.Mark), name), Function: clean(f.Function), Version: clean(f.Version), Result: clean(f.Result), URL: webAddress(f.URL)}
	})
	a.Checks = each(a.Checks, func(c report.PublishedCheck) report.PublishedCheck {
		return report.PublishedCheck{Name: clean(c.Name), Status: c.Status, Detail: clean(c.Detail)}
	})
	a.Why, a.Notes, a.Next = each(firstOf(a.Why, most), text), texts(a.Notes), texts(a.Next)
	links := a.Links
	a.Links = nil
	for _, l := range firstOf(links, most) {
		if address := webAddress(l.URL); address != "" {
			a.Links = append(a.Links, report.Page{Name: report.Cut(clean(l.Name), name), URL: address})
		}
	}
	return a
}

func each[T any](all []T, change func(T) T) []T {
	var out []T
	for _, one := range all {
		out = append(out, change(one))
	}
	return out
}

// webAddress is an address of the web, or nothing.
func webAddress(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || strings.ContainsFunc(address, unicode.IsSpace) {
		return ""
	}
	return address
}
