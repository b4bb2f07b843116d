package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"
)

// Text returns the result for a terminal, in plain text: what happened first, then
// what to do now. Outside texts cannot move the cursor or set colors. Secrets must be
// removed from r before.
func Text(r Result) string {
	all := mostUrgentFirst(r.Functions)
	mark, headline := r.mark(), Headline(r)
	if r.Declined {
		mark, headline = statusMarks[Skipped], "Nothing was moved"
	}
	parts := []string{mark + " " + headline}
	if message := oneLine(r.Message, longestMessage); message != headline {
		parts = append(parts, message)
	}
	if r.RequestReason != "" {
		parts = append(parts, "Reason given: "+oneLine(r.RequestReason, longestCell))
	}
	parts = append(parts, nextText(r))
	for _, f := range all {
		parts = append(parts, functionText(r, f, len(all) > 1))
	}
	parts = append(parts, siteText(r))
	var notes []string
	for _, n := range r.Notes {
		notes = append(notes, noteText(n))
	}
	parts = append(parts, strings.Join(notes, "\n"))
	parts = slices.DeleteFunc(parts, func(s string) bool { return s == "" })
	return strings.Join(parts, "\n\n") + "\n"
}

// textWidth is the minimum width of a terminal, in cells.
const textWidth = 80

func functionText(r Result, f Function, several bool) string {
	var parts []string
	if several {
		parts = append(parts, fmt.Sprintf("%s %s:%s: %s", f.mark(), oneLine(f.Function, longestName), oneLine(f.Alias, longestName), oneLine(f.Message, longestText)))
	}
	if text := VersionsText(f, r.Timestamp, textWidth); text != "" {
		parts = append(parts, text)
	}
	if len(f.Checks) > 0 {
		rows := [][]string{}
		for _, c := range f.Checks {
			rows = append(rows, []string{strings.TrimSpace(checkMark(c.Status)), oneLine(c.Title(), longestCell), oneLine(c.Detail, longestText)})
		}
		parts = append(parts, checksTitle(r.Command)+"\n"+columns(rows))
	}
	if text := timelineText(f); text != "" {
		parts = append(parts, "Timeline (UTC)\n"+text)
	}
	if text := ChangesText(f.Changes, f.From, cmp.Or(f.Target, f.To), 0); text != "" {
		parts = append(parts, text)
	}
	for _, n := range f.Notes {
		parts = append(parts, noteText(n))
	}
	return strings.Join(parts, "\n\n")
}

func noteText(n Note) string {
	if n.Warning {
		return "⚠️ " + oneLine(n.Text, longestText)
	}
	return oneLine(n.Text, longestText)
}

func nextText(r Result) string {
	if r.Reason == InvalidInput && !r.RolledBack() || r.Declined { // the message contains everything
		return ""
	}
	var lines []string
	for i, step := range NextSteps(r) {
		lines = append(lines, fmt.Sprintf("  %d. %s", i+1, step))
	}
	if len(lines) == 0 {
		return ""
	}
	return "What to do now\n" + strings.Join(lines, "\n")
}

// VersionsText returns the table of a function's versions. If it is wider than width,
// in cells, the least important columns are shortened or left out; a width of 0 means
// no limit.
func VersionsText(f Function, now time.Time, width int) string {
	if len(f.Versions) == 0 {
		return ""
	}
	all := textColumns(f.Versions, now)
	text := render(all)
	if width > 0 {
		text = fitted(all, width)
	}
	if more := f.VersionsInAll - len(f.Versions); more > 0 {
		text += fmt.Sprintf("\n%d more versions are not shown; list-limit sets how many are shown.", more)
	}
	return text
}

// leastValue is how many cells of a value are shown on any terminal.
const leastValue = 8

// ChangesText returns the differences between two versions. If the table is wider than
// width, values are cut; a width of 0 or less means no limit.
func ChangesText(all []Change, from, to string, width int) string {
	if len(all) == 0 {
		return ""
	}
	rows := [][]string{{"WHAT DIFFERS", strings.ToUpper(orWordText(from, "serving")), strings.ToUpper(orWordText(to, "target"))}}
	for _, c := range all {
		rows = append(rows, []string{oneLine(c.What, longestCell), orDash(oneLine(c.From, longestCell)), orDash(oneLine(c.To, longestCell))})
	}
	text := columns(rows)
	if over := widest(text) - width; width > 0 && over > 0 {
		names := 0
		for _, row := range rows {
			names = max(names, ansi.StringWidth(row[0]))
		}
		limit := max((width-names-len("      "))/2, leastValue)
		for _, row := range rows {
			row[1], row[2] = ansi.Truncate(row[1], limit, ellipsis), ansi.Truncate(row[2], limit, ellipsis)
		}
		text = columns(rows)
	}
	return text
}

func orWordText(version, word string) string {
	if version == "" {
		return word
	}
	return "version " + oneLine(version, longestName)
}

func timelineText(f Function) string {
	if len(f.Timeline) == 0 || timelineTable(f) == "" {
		return ""
	}
	var rows [][]string
	for _, m := range f.Timeline {
		rows = append(rows, []string{m.At.UTC().Format("15:04:05"), eventTexts[m.Event], oneLine(m.Detail, longestCell)})
	}
	return columns(rows)
}
