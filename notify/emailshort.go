package notify

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"unicode"

	"github.com/org/lambda-rollback-action/report"
)

// room is how much of an alert an email has.
type room struct {
	text, url                       int // characters, bytes
	rows, checks, lines, facts, why int // elements
}

// rooms are tried one after the other until the message is small enough. What is
// cut stands on the page of the run, whole.
var rooms = []room{
	{text: 4_000, url: 2_048, rows: 40, checks: 12, lines: 30, facts: 20, why: 4},
	{text: 1_000, url: 600, rows: 40, checks: 12, lines: 30, facts: 20, why: 4},
	{text: 400, url: 300, rows: 40, checks: 8, lines: 20, facts: 20, why: 4},
	{text: 160, url: 300, rows: 25, checks: 6, lines: 12, facts: 15, why: 3},
	{text: 80, url: 300, rows: 12, checks: 4, lines: 8, facts: 15, why: 2},
	{text: 32, url: 200, rows: 10, checks: 3, lines: 5, facts: 12, why: 2},
}

// smallest is the last of the rooms: whatever an alert holds fits into it.
var smallest = len(rooms) - 1

func shortened(a report.Alert, step int) report.Alert {
	r := rooms[step]
	text := func(s string) string { return report.Cut(clean(s), r.text) }
	address := func(s string) string {
		u, err := url.Parse(s)
		if err != nil || len(s) > r.url || u.Scheme != "https" && u.Scheme != "http" || strings.ContainsFunc(s, unicode.IsSpace) {
			return ""
		}
		return s
	}
	texts := func(all []string, most int) []string { return each(all, most, text) }
	a.Mark, a.Headline, a.Message, a.Verdict, a.NotRolledBack = text(a.Mark), text(a.Headline), text(a.Message), text(a.Verdict), text(a.NotRolledBack)
	a.Facts = each(a.Facts, r.facts, func(f report.Fact) report.Fact {
		return report.Fact{Name: text(f.Name), Text: text(f.Text), URL: address(f.URL)}
	})
	a.Left += max(0, len(a.Functions)-r.rows)
	a.Functions = each(a.Functions, r.rows, func(f report.AlertRow) report.AlertRow {
		return report.AlertRow{Mark: text(f.Mark), Function: text(f.Function), Version: text(f.Version), Result: text(f.Result), URL: address(f.URL)}
	})
	more := len(a.Checks) - r.checks
	a.Checks = each(a.Checks, r.checks, func(c report.Check) report.Check {
		return report.Check{Name: text(c.Name), Status: text(c.Status), Detail: text(c.Detail)}
	})
	if more > 0 {
		a.Checks = append(a.Checks, report.Check{Name: fmt.Sprintf("%d more", more), Detail: "on the page of the run"})
	}
	a.Why, a.Notes, a.Next = texts(a.Why, r.why), texts(a.Notes, r.lines), texts(a.Next, r.lines)
	a.Links = slices.DeleteFunc(each(a.Links, r.why, func(p report.Page) report.Page { return report.Page{Name: text(p.Name), URL: address(p.URL)} }),
		func(p report.Page) bool { return p.URL == "" })
	return a
}

func each[T any](all []T, most int, change func(T) T) []T {
	var out []T
	for _, one := range all[:min(len(all), most)] {
		out = append(out, change(one))
	}
	return out
}
