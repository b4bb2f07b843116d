package notify

import (
	"fmt"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// budget is how much of an alert fits into a message. Lengths are in characters.
type budget struct {
	sentence int // of the message, a step, a warning
	value    int // of a fact, a check, a cell
	maxURL   int // longer ones are left out

	facts, functions, checks, notes, steps int
	reasons                                bool // why this version, and what is not rolled back
}

// budgets are tried in order until a message is within the limit. What is cut first
// is what a reader misses least. With the last one every alert is within the limit of
// every service; a test holds that.
var budgets = []budget{
	{sentence: 1000, value: 300, maxURL: 800, facts: 16, functions: 40, checks: 12, notes: 6, steps: 8, reasons: true},
	{sentence: 600, value: 160, maxURL: 400, facts: 14, functions: 40, checks: 6, notes: 3, steps: 6, reasons: true},
	{sentence: 400, value: 100, maxURL: 300, facts: 12, functions: 30, checks: 4, notes: 2, steps: 5},
	{sentence: 300, value: 60, maxURL: 200, facts: 10, functions: 20, checks: 3, notes: 1, steps: 4},
	{sentence: 200, value: 30, maxURL: 100, facts: 8, functions: 8, checks: 2, notes: 1, steps: 2},
}

// fit words an alert with the largest budget that keeps it within a service's limit.
func fit[M any](a report.Alert, limit int, word func(report.Alert) M, size func(M) int) M {
	var message M
	for _, b := range budgets {
		message = word(b.truncate(a))
		if size(message) <= limit {
			break
		}
	}
	return message
}

// truncate leaves out what is beyond the budget, and says so.
func (b budget) truncate(a report.Alert) report.Alert {
	a.Message = report.Cut(a.Message, b.sentence)
	a.Verdict = report.Cut(a.Verdict, b.sentence)

	facts := firstN(a.Facts, b.facts)
	a.Facts = make([]report.Fact, len(facts))
	for i, f := range facts {
		a.Facts[i] = report.Fact{Name: f.Name, Text: report.Cut(f.Text, b.value), URL: b.address(f.URL)}
	}

	rows := firstN(a.Functions, b.functions)
	a.Left += len(a.Functions) - len(rows)
	a.Functions = make([]report.AlertRow, len(rows))
	for i, f := range rows {
		a.Functions[i] = report.AlertRow{
			Mark: f.Mark, URL: b.address(f.URL),
			Function: report.Cut(f.Function, b.value), Version: report.Cut(f.Version, b.value), Result: report.Cut(f.Result, b.value),
		}
	}

	checks := firstN(a.Checks, b.checks)
	left := len(a.Checks) - len(checks)
	a.Checks = make([]report.PublishedCheck, len(checks), len(checks)+1)
	for i, c := range checks {
		a.Checks[i] = report.PublishedCheck{Name: report.Cut(c.Name, b.value), Status: c.Status, Detail: report.Cut(c.Detail, b.value)}
	}
	if left > 0 {
		a.Checks = append(a.Checks, report.PublishedCheck{Name: "more checks", Detail: "on the page of the run"})
	}

	a.Notes = b.sentences(a.Notes, b.notes, "There are more warnings on the page of the run.")
	a.Next = b.sentences(a.Next, b.steps, "There are more steps on the page of the run.")
	if b.reasons {
		a.Why = b.sentences(a.Why, len(a.Why), "")
	} else {
		a.Why, a.NotRolledBack = nil, ""
	}

	links := a.Links
	a.Links = nil
	for _, l := range links {
		if b.address(l.URL) != "" {
			a.Links = append(a.Links, l)
		}
	}
	return a
}

func (b budget) address(address string) string {
	if len(address) > b.maxURL {
		return ""
	}
	return address
}

func (b budget) sentences(all []string, most int, more string) []string {
	var out []string
	for _, text := range firstN(all, most) {
		out = append(out, report.Cut(text, b.sentence))
	}
	if len(out) < len(all) {
		out = append(out, more)
	}
	return out
}

func firstN[T any](all []T, most int) []T { return all[:min(len(all), most)] }

// omittedFunctions says how many functions were left out; empty: none.
func omittedFunctions(left int) string {
	switch left {
	case 0:
		return ""
	case 1:
		return "… and 1 more, on the page of the run"
	default:
		return fmt.Sprintf("… and %d more, on the page of the run", left)
	}
}

// maxEarlyChecks is how many checks may precede what to do.
const maxEarlyChecks = 4

// splitChecks gives the checks that did not pass apart, because they precede what to
// do, which depends on them. They come first in an alert.
func splitChecks(all []report.PublishedCheck) (bad, others []report.PublishedCheck) {
	n := 0
	for n < min(len(all), maxEarlyChecks) && all[n].Status != report.CheckPassed && all[n].Status != "" {
		n++
	}
	return all[:n], all[n:]
}
