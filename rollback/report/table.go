package report

import (
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"
)

// Tables for a terminal. Widths are in cells, because some characters take two.

// columns formats rows as columns, two spaces apart. Columns without text are left
// out.
func columns(rows [][]string) string {
	var widths []int
	for _, row := range rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], ansi.StringWidth(cell))
		}
	}
	lines := make([]string, len(rows))
	for n, row := range rows {
		var b strings.Builder
		for i, cell := range row {
			if widths[i] == 0 {
				continue
			}
			b.WriteString(cell + strings.Repeat(" ", widths[i]-ansi.StringWidth(cell)+2))
		}
		lines[n] = "  " + strings.TrimRight(b.String(), " ")
	}
	return strings.Join(lines, "\n")
}

func widest(text string) int {
	most := 0
	for line := range strings.SplitSeq(text, "\n") {
		most = max(most, ansi.StringWidth(line))
	}
	return most
}

// textColumn is one column of the table of versions.
type textColumn struct {
	of      versionColumn
	heading string
	cells   []string
	short   *textColumn // the text if there is less room; nil if there is none
}

// tells reports whether the column has any values.
func (c textColumn) tells() bool {
	for _, cell := range c.cells {
		if cell != "" && cell != dash {
			return true
		}
	}
	return false
}

func (c textColumn) cutTo(width int) textColumn {
	cut := textColumn{of: c.of, heading: ansi.Truncate(c.heading, width, ellipsis)}
	for _, cell := range c.cells {
		cut.cells = append(cut.cells, ansi.Truncate(cell, width, ellipsis))
	}
	return cut
}

// textColumns are the columns of a table of versions that have values.
func textColumns(all []Version, now time.Time) []textColumn {
	var out []textColumn
	for of, heading := range versionHeadings {
		column := textColumn{of: versionColumn(of), heading: strings.ToUpper(heading)}
		days := textColumn{of: columnPublished, heading: "PUBLISHED"}
		for _, v := range all {
			column.cells = append(column.cells, v.cell(column.of, now))
			days.cells = append(days.cells, v.publishedAt(time.DateOnly))
		}
		switch column.of {
		case columnPublished:
			column.short = &days
		case columnDiffers:
			column.heading = "DIFFERS"
		default:
		}
		if column.tells() {
			out = append(out, column)
		}
	}
	return out
}

func render(all []textColumn) string {
	rows := make([][]string, 1+len(all[0].cells))
	for _, c := range all {
		rows[0] = append(rows[0], c.heading)
		for i, cell := range c.cells {
			rows[i+1] = append(rows[i+1], cell)
		}
	}
	return columns(rows)
}

// The widths to which a column can be reduced, besides a number of cells.
const (
	leaveOut  = 0
	shortForm = -1
)

// narrowing lists the columns to reduce, one after the other, with their widths.
var narrowing = []struct {
	column versionColumn
	to     int
}{
	{columnDescription, 20},
	{columnDiffers, 14},
	{columnAliases, 14},
	{columnPublished, shortForm},
	{columnDescription, 10},
	{columnAge, leaveOut},
	{columnDiffers, 7},
	{columnCode, leaveOut},
	{columnAliases, 7},
	{columnDescription, leaveOut},
	{columnDiffers, leaveOut},
	{columnState, leaveOut},
	{columnAliases, leaveOut},
}

// fitted returns columns that fit into width. Columns that are still too wide are cut.
func fitted(all []textColumn, width int) string {
	text := render(all)
	for _, n := range narrowing {
		if widest(text) <= width {
			return text
		}
		var narrower []textColumn
		for _, c := range all {
			switch {
			case c.of != n.column:
			case n.to == leaveOut:
				continue
			case n.to == shortForm:
				c = *c.short
			default:
				c = c.cutTo(n.to)
			}
			narrower = append(narrower, c)
		}
		all, text = narrower, render(narrower)
	}
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = ansi.Truncate(line, width, ellipsis)
	}
	return strings.Join(lines, "\n")
}
