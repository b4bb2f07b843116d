package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"
)

// Text is the result for a terminal, in plain text: what happened first, what to
// do next last. Texts from outside can neither move the cursor nor colour
// anything. Secrets must have been taken out of r before.
func Text(r Result) string {
	all := mostUrgentFirst(r.Functions)
	parts := []string{r.mark() + " " + Headline(r)}
	if r.Declined {
		parts[0] = statusMarks[Skipped] + " Nothing was moved"
	}
	if message := oneLine(r.Message, longestMessage); message != "" && !strings.HasSuffix(parts[0], message) {
		parts = append(parts, message)
	}
	if r.RequestReason != "" {
		parts = append(parts, "Reason given: "+oneLine(r.RequestReason, longestCell))
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
		parts = append(parts, fmt.Sprintf("%s %s:%s: %s", f.mark(), oneLine(f.Function, longestName), oneLine(f.Alias, longestName), oneLine(f.Message, longestText)))
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

// VersionsText is the table of a function's versions. Where it is wider than
// width, what tells least is shortened or left out; 0: nothing is.
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
	rows = withoutEmpty(rows)
	text := columns(rows)
	if width > 0 {
		text = columns(fitted(rows, width))
		var lines []string
		for line := range strings.SplitSeq(text, "\n") {
			lines = append(lines, CutCells(line, width))
		}
		text = strings.Join(lines, "\n")
	}
	if more := f.VersionsInAll - len(f.Versions); more > 0 {
		text += fmt.Sprintf("\n%d more versions are not shown; list-limit says how many are.", more)
	}
	return text
}

// narrower are the columns that give way to the others, one after the other: to
// which width, in cells; 0: altogether.
var narrower = []struct {
	column string
	to     int
}{
	{"DESCRIPTION", 20},
	{"DIFFERS", 14},
	{"ALIASES", 14},
	{"PUBLISHED (UTC)", len(time.DateOnly)},
	{"DESCRIPTION", 10},
	{"AGE", 0},
	{"DIFFERS", 7},
	{"CODE", 0},
	{"ALIASES", 7},
	{"DESCRIPTION", 0},
	{"DIFFERS", 0},
	{"STATE", 0},
	{"ALIASES", 0},
}

// fitted makes the columns of a table as narrow as width asks for, if they can
// be.
func fitted(rows [][]string, width int) [][]string {
	headings := slices.Clone(rows[0])
	for _, n := range narrower {
		if widest(columns(rows)) <= width {
			break
		}
		at := slices.Index(headings, n.column)
		if at < 0 {
			continue
		}
		if n.to == 0 {
			headings = slices.Delete(headings, at, at+1)
		}
		for i, row := range rows {
			row = slices.Clone(row)
			switch {
			case n.to == 0:
				row = slices.Delete(row, at, at+1)
			case n.column == "PUBLISHED (UTC)" && i == 0:
				row[at] = "PUBLISHED"
			case n.column == "PUBLISHED (UTC)":
				row[at], _, _ = strings.Cut(row[at], " ")
			default:
				row[at] = CutCells(row[at], n.to)
			}
			rows[i] = row
		}
	}
	return rows
}

func widest(text string) int {
	most := 0
	for line := range strings.SplitSeq(text, "\n") {
		most = max(most, cells(line))
	}
	return most
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

// leastValue is how many characters of a value are shown on any terminal.
const leastValue = 8

// ChangesText tells what differs between two versions. Where it is wider than
// width, values are cut; 0 or below: nothing is.
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
			names = max(names, cells(row[0]))
		}
		limit := max((width-names-len("      "))/2, leastValue)
		for _, row := range rows {
			row[1], row[2] = Cut(row[1], limit), Cut(row[2], limit)
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

// CutCells shortens a text to what a terminal has room for. Where something was
// left out, it ends with `…`.
func CutCells(text string, width int) string {
	if cells(text) <= width {
		return text
	}
	used := 0
	for i, r := range text {
		if used += cells(string(r)); used >= width {
			return text[:i] + ellipsis
		}
	}
	return text
}

// cells is how wide a text is on a terminal, near enough: the sign that makes an
// emoji of a character takes no room, and East Asian ones take that of two.
func cells(text string) int {
	n := 0
	for _, r := range text {
		switch {
		case r == '\ufe0f':
		case unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul) || r >= '\uff01' && r <= '\uff60':
			n += 2
		default:
			n++
		}
	}
	return n
}

// NotRolledBackText is what moving an alias does not bring back.
const NotRolledBackText = "Nothing but the alias moves: the static site, infrastructure, databases and their migrations, secrets and configuration stores stay as they are."
