package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Text is the result for a terminal, in plain text: what happened first, what to
// do next last. Texts from outside can neither move the cursor nor colour
// anything. Secrets must have been taken out of r before.
func Text(r Result) string {
	all := mostUrgentFirst(r.Functions)
	parts := []string{Mark(r.Status, r.Reason) + " " + Headline(r)}
	if r.Declined {
		parts[0] = Mark(Skipped, "") + " Nothing was moved"
	}
	if message := oneLine(r.Message, longestMessage); message != "" && !strings.HasSuffix(parts[0], message) {
		parts = append(parts, message)
	}
	if r.Because != "" {
		parts = append(parts, "Reason given: "+oneLine(r.Because, longestCell))
	}
	for _, f := range all {
		parts = append(parts, functionText(r, f, len(all) > 1))
	}
	var notes []string
	for _, n := range r.Notes {
		notes = append(notes, noteText(n))
	}
	parts = append(parts, strings.Join(notes, "\n"), nextText(r))
	parts = slices.DeleteFunc(parts, func(s string) bool { return s == "" })
	return strings.Join(parts, "\n\n") + "\n"
}

func functionText(r Result, f Function, several bool) string {
	var parts []string
	if several {
		parts = append(parts, fmt.Sprintf("%s %s:%s: %s", Mark(f.Status, f.Reason), oneLine(f.Function, longestName), oneLine(f.Alias, longestName), oneLine(f.Message, longestText)))
	}
	if text := VersionsText(f, r.Timestamp, 0); text != "" {
		parts = append(parts, text)
	}
	if len(f.Checks) > 0 {
		rows := [][]string{}
		for _, c := range f.Checks {
			rows = append(rows, []string{strings.TrimSpace(checkMark(c.Status)), oneLine(c.Name, longestCell), oneLine(c.Detail, longestText)})
		}
		parts = append(parts, checksTitle(r.Command)+"\n"+columns(rows))
	}
	if text := timelineText(f); text != "" {
		parts = append(parts, "Timeline (UTC)\n"+text)
	}
	if text := ChangesText(f.Changes, f.From, cmp.Or(f.Target, f.To)); text != "" {
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
	if r.Reason == InvalidInput || r.Declined { // the message says it all
		return ""
	}
	var lines []string
	for i, step := range NextSteps(r) {
		lines = append(lines, fmt.Sprintf("  %d. %s", i+1, step))
	}
	if len(lines) == 0 {
		return ""
	}
	return "What to do next\n" + strings.Join(lines, "\n")
}

// VersionsText is the table of a function's versions. What goes beyond width is
// cut; 0: nothing is.
func VersionsText(f Function, now time.Time, width int) string {
	if len(f.Versions) == 0 {
		return ""
	}
	rows := [][]string{slices.Clone(VersionColumns)}
	rows[0][len(rows[0])-1] = "Differs"
	for i := range rows[0] {
		rows[0][i] = strings.ToUpper(rows[0][i])
	}
	for _, v := range f.Versions {
		cells := v.Cells(now)
		cells[markColumn], _, _ = strings.Cut(cells[markColumn], " by ")
		rows = append(rows, cells)
	}
	text := columns(withoutEmpty(rows))
	if width > 0 {
		var lines []string
		for line := range strings.SplitSeq(text, "\n") {
			lines = append(lines, Cut(line, width))
		}
		text = strings.Join(lines, "\n")
	}
	if older := f.VersionsInAll - len(f.Versions); older > 0 {
		text += fmt.Sprintf("\n%d older versions are not shown; list-limit says how many are.", older)
	}
	return text
}

// withoutEmpty leaves out the columns that tell nothing below their heading.
func withoutEmpty(rows [][]string) [][]string {
	tells := map[int]bool{}
	for _, row := range rows[1:] {
		for i, cell := range row {
			tells[i] = tells[i] || cell != "" && cell != "–"
		}
	}
	out := make([][]string, len(rows))
	for n, row := range rows {
		for i, cell := range row {
			if tells[i] {
				out[n] = append(out[n], cell)
			}
		}
	}
	return out
}

// ChangesText tells what differs between two versions.
func ChangesText(all []Change, from, to string) string {
	if len(all) == 0 {
		return ""
	}
	rows := [][]string{{"WHAT DIFFERS", strings.ToUpper(orWordText(from, "serving")), strings.ToUpper(orWordText(to, "target"))}}
	for _, c := range all {
		rows = append(rows, []string{oneLine(c.What, longestCell), orDash(oneLine(c.From, longestCell)), orDash(oneLine(c.To, longestCell))})
	}
	return columns(rows)
}

func orWordText(version, word string) string {
	if version == "" {
		return word
	}
	return "version " + oneLine(version, longestName)
}

func timelineText(f Function) string {
	if len(f.Timeline) == 0 || timeline(f) == "" {
		return ""
	}
	var rows [][]string
	for _, m := range f.Timeline {
		rows = append(rows, []string{m.At.UTC().Format("15:04:05"), events[m.Event], oneLine(m.Detail, longestCell)})
	}
	return columns(rows)
}

// columns sets rows in columns, two spaces apart. Columns without a text are
// left out.
func columns(rows [][]string) string {
	var widths []int
	for _, row := range rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], cells(cell))
		}
	}
	lines := make([]string, len(rows))
	for n, row := range rows {
		var b strings.Builder
		for i, cell := range row {
			if widths[i] == 0 {
				continue
			}
			b.WriteString(cell + strings.Repeat(" ", widths[i]-cells(cell)+2))
		}
		lines[n] = "  " + strings.TrimRight(b.String(), " ")
	}
	return strings.Join(lines, "\n")
}

// cells is how wide a text is on a terminal, near enough: the sign that makes an
// emoji of a character takes no room.
func cells(text string) int {
	return utf8.RuneCountInString(text) - strings.Count(text, "\ufe0f")
}

// NotRolledBackText is what moving an alias does not bring back.
const NotRolledBackText = "Nothing but the alias moves: the static site, infrastructure, databases and their migrations, secrets and configuration stores stay as they are."
