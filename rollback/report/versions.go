package report

import (
	"fmt"
	"strings"
	"time"
)

// Version is a published version in the command list.
type Version struct {
	Function    string
	Region      string
	Alias       string // the alias that the list is about
	Version     string
	Published   time.Time // zero if unknown
	Description string
	CodeSHA256  string   // in base64, as returned by AWS
	State       string   // such as Active; empty if not read
	StateReason string   // the reason for the state, if AWS gives one
	Aliases     []string // the aliases that send traffic to it
	Serving     bool     // the alias sends it traffic
	Rejected    bool     // it is never selected automatically
	RejectedBy  string   // the run that rejected it; empty if none, or unknown
	Target      bool     // the version that a rollback would choose now
	Changes     []Change // the differences from the live version; nil if not compared
}

// versionColumn is a column of a table of versions.
type versionColumn int

const (
	columnVersion versionColumn = iota
	columnPublished
	columnAge
	columnDescription
	columnCode
	columnState
	columnAliases
	columnMark // the most important fact, in a word
	columnDiffers
)

var versionHeadings = [...]string{"Version", "Published (UTC)", "Age", "Description", "Code", "State", "Aliases", "", "Differs from the live version"}

const (
	shortCode       = 8  // characters of a code hash that tell versions apart
	longestRemark   = 60 // characters of a description or an alias in a table
	changesInACell  = 3
	aliasesInACell  = 4
	longestVersions = 300 // rows of a table in the summary
)

const minutes = "2006-01-02 15:04" // the format of times if seconds do not matter

// cell returns the value of a column for the version, in plain text. now is the
// current time.
func (v Version) cell(column versionColumn, now time.Time) string {
	switch column {
	case columnVersion:
		return v.Version
	case columnPublished:
		return v.publishedAt(minutes)
	case columnAge:
		if v.Published.IsZero() {
			return dash
		}
		return ageText(now.Sub(v.Published))
	case columnDescription:
		return orDash(oneLine(v.Description, longestRemark))
	case columnCode:
		return orDash(Cut(v.CodeSHA256, shortCode+1))
	case columnState:
		return orDash(oneLine(v.State, longestRemark))
	case columnAliases:
		return orDash(firstFew(v.Aliases, aliasesInACell))
	case columnMark:
		return v.mark()
	case columnDiffers:
		return v.differences()
	}
	return ""
}

func (v Version) publishedAt(layout string) string {
	if v.Published.IsZero() {
		return dash
	}
	return v.Published.UTC().Format(layout)
}

// Label returns the version as an option in a list. The most important facts come
// first, because there may be no room for the end.
func (v Version) Label() string {
	text := fmt.Sprintf("%-6s %s", v.Version, "")
	if !v.Published.IsZero() {
		text = fmt.Sprintf("%-6s %s", v.Version, v.publishedAt(minutes))
	}
	if mark := v.markWithRun(); mark != "" && v.Target {
		text += "  " + mark
	} else if mark != "" {
		text += "  (" + mark + ")"
	}
	if v.State != "" && v.State != "Active" {
		text += "  " + oneLine(v.State, longestRemark)
	}
	if v.Description != "" {
		text += "  " + oneLine(v.Description, longestRemark)
	}
	return text
}

// mark returns the most important fact about a version in a word.
func (v Version) mark() string {
	switch {
	case v.Serving && v.Target:
		return "← proposed, serves"
	case v.Serving && v.Rejected:
		return "serves, rejected"
	case v.Serving:
		return "serves"
	case v.Target:
		return "← proposed"
	case v.Rejected:
		return "rejected"
	}
	return ""
}

// markWithRun is mark, with the run that rejected a version.
func (v Version) markWithRun() string {
	if v.Rejected && !v.Serving && !v.Target && v.RejectedBy != "" {
		return v.mark() + " by run " + oneLine(v.RejectedBy, longestRemark)
	}
	return v.mark()
}

func (v Version) differences() string {
	what := make([]string, 0, len(v.Changes))
	for _, c := range v.Changes {
		if c.Kind == ChangeCode {
			what = append(what, "code")
		} else {
			what = append(what, oneLine(c.What, longestRemark))
		}
	}
	switch {
	case v.Changes == nil:
		return dash
	case len(what) == 0 && v.Serving:
		return ""
	case len(what) == 0:
		return "nothing"
	}
	return firstFew(what, changesInACell)
}

// firstFew joins the first few.
func firstFew(all []string, most int) string {
	if more := len(all) - most; more > 0 {
		return strings.Join(all[:most], ", ") + fmt.Sprintf(" and %d more", more)
	}
	return strings.Join(all, ", ")
}

// ageText returns an age in one unit of time.
func ageText(d time.Duration) string {
	const day = 24 * time.Hour
	switch {
	case d < time.Minute:
		return "now"
	case d < time.Hour:
		return fmt.Sprintf("%d min", d/time.Minute)
	case d < 2*day:
		return fmt.Sprintf("%d h", d/time.Hour)
	case d < 2*365*day:
		return fmt.Sprintf("%d days", d/day)
	}
	return fmt.Sprintf("%d years", d/(365*day))
}

// versionsTable is the section of the summary for one function.
func versionsTable(f Function, now time.Time) string {
	if len(f.Versions) == 0 {
		return ""
	}
	rows, left := upTo(len(f.Versions), longestVersions, sectionBytes, func(i int) string {
		v := f.Versions[i]
		cells := make([]string, len(versionHeadings))
		for column := range cells {
			cells[column] = escapeMarkdown(v.cell(versionColumn(column), now), longestCell)
		}
		cells[columnMark] = escapeMarkdown(v.markWithRun(), longestCell)
		if v.Serving || v.Target {
			cells[0] = "**" + cells[0] + "**"
		}
		return "| " + strings.Join(cells, " | ") + " |"
	})
	text := "| " + strings.Join(versionHeadings[:], " | ") + " |\n| --: | --- | --: | --- | --- | --- | --- | --- | --- |\n" + rows
	if more := f.VersionsInAll - len(f.Versions) + left; more > 0 {
		text += fmt.Sprintf("\n\n%d more versions are not shown here; the input `list-limit` sets how many are shown.", more)
	}
	return text
}
