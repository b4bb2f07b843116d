package report

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// The limits of the summary, in bytes and entries. GitHub drops a whole summary above
// 1 MiB; the shares of the sections add up to less than 900 KiB. The table and the
// single functions have priority.
const (
	tableBytes   = 256 << 10
	detailsBytes = 384 << 10
	sectionBytes = 48 << 10

	maxRows    = 200 // functions in the table; the output `results` contains all
	maxDetails = 50  // functions with their own details
	maxLines   = 50  // checks or changes per function
	maxNotes   = 80  // as many as there are inputs that can be invalid
	maxJobs    = 5   // failed jobs that are listed
	foldAbove  = 8   // from how many changes on they are folded

	longestText = 1_000 // characters of a message, a proof or a note
	longestCell = 300   // characters in a table cell
)

// Summary returns the page that GitHub shows for the step, in its Markdown: what
// happened first, then what to do now, with less than 900 KiB. Outside texts in r
// cannot format, link or mention. Secrets must be removed from r before.
func Summary(r Result) string {
	all := mostUrgentFirst(r.Functions)
	head := pageHead(r, all, "")
	sections := []section{head, {title: "What to do now", body: numberedSteps(r)}}
	if len(all) > 0 {
		sections = append(sections, section{body: functionTable(r.Command, all, tableBytes, "; see the output `results`")})
	}
	sections = append(sections, runSection(r))
	if len(all) == 1 {
		sections = append(sections, functionSections(r, all[0])...)
	} else {
		sections = append(sections, functionBlocks(r, all))
	}
	return page(append(sections,
		siteSection(r),
		section{title: "Notes", body: noteList(r.Notes)},
		linkSection(r),
		notRolledBackSection(r),
	))
}

// pageHead returns the headline, the message and, if the result is a failure, the
// first thing to do. first is that step in Markdown; it is empty if the steps follow
// later.
func pageHead(r Result, all []Function, first string) section {
	message := r.Message
	if message == "" {
		message = Headline(r)
	}
	text := escapeMarkdown(message, longestText)
	if kind := calloutKind(r); kind != "" {
		text = "> [!" + kind + "]\n> " + text
		if first != "" && (r.Status == Failed || r.isInconclusive()) {
			text += "\n>\n> **Do now:** " + first
		}
	}
	return section{
		level: titleLevel, title: r.mark() + " " + gitHub.headline(r) + recoverySuffix(r),
		body: joinParts("\n\n", text, circumstances(r, all)),
	}
}

// recoverySuffix adds to a headline with "rolled back" whether production recovered,
// because some people read only the headline.
func recoverySuffix(r Result) string {
	switch {
	case r.Status != RolledBack || !slices.ContainsFunc(r.Functions, checkedAfterMove):
		return ""
	case r.Healthy == Healthy:
		return ", and production recovered"
	default:
		return ", but it is **not confirmed** that production recovered"
	}
}

// calloutKind is the kind of GitHub's alert box around the message, or empty for no
// box if nobody has to look at it.
func calloutKind(r Result) string {
	switch severity := SeverityOf(r); {
	case severity == SeverityFailure:
		return "CAUTION"
	case severity == SeverityAttention:
		return "WARNING"
	case r.Status == Skipped:
		return ""
	default:
		return "NOTE"
	}
}

// circumstances is one line: where, when, and whether production was checked.
func circumstances(r Result, all []Function) string {
	var parts []string
	if r.Environment != "" {
		parts = append(parts, "Environment "+inlineCode(r.Environment, longestName))
	}
	if r.RequestReason != "" {
		parts = append(parts, "Reason given: “"+escapeMarkdown(r.RequestReason, longestCell)+"”")
	}
	if !r.Timestamp.IsZero() {
		parts = append(parts, r.Timestamp.UTC().Format("2006-01-02 15:04:05")+" UTC")
	}
	moved := slices.ContainsFunc(all, WasMoved)
	checked := slices.ContainsFunc(all, func(f Function) bool { return f.Healthy == Healthy })
	switch {
	case r.Healthy == Healthy:
		parts = append(parts, "✅ checked: healthy")
	case r.Healthy == NotHealthy:
		parts = append(parts, "❌ checked: **not healthy**")
	case checked:
		parts = append(parts, "partly checked: healthy where checked")
	case r.Command != "check" && slices.ContainsFunc(all, func(f Function) bool { return len(f.Checks) > 0 }):
		parts = append(parts, "⚠️ checked: **inconclusive**")
	case moved && isRollback(r.Command):
		parts = append(parts, "health not checked")
	}
	return strings.Join(parts, " · ")
}

// functionTable has one row per function, up to a number of bytes. rest says where the
// other functions are.
func functionTable(command string, all []Function, bytes int, rest string) string {
	regions := severalRegions(all)
	rows, left := upTo(len(all), maxRows, bytes, func(i int) string { return functionRow(command, all[i], regions) })
	text := "| Function | Alias | Version | Result | Why |\n| --- | --- | --- | --- | --- |\n" + rows
	if left > 0 {
		text += fmt.Sprintf("\n\n%d more functions are not shown here%s.", left, rest)
	}
	return text
}

func functionRow(command string, f Function, regions bool) string {
	name := inlineCode(f.Function, longestName)
	if regions {
		name += " in " + escapeMarkdown(f.Region, longestName)
	}
	cells := []string{
		name,
		inlineCode(f.Alias, longestName),
		orDash(gitHub.move(f, nil)),
		f.mark() + " " + escapeMarkdown(statusTextFor(command, f.Status), longestCell),
		escapeMarkdown(reasonHeadingFor(command, f.Reason), longestCell),
	}
	return "| " + strings.Join(cells, " | ") + " |"
}

// itemIndent is the indentation of the content of a list item.
const itemIndent = "   "

// numberedSteps is the list of next steps.
func numberedSteps(r Result) string {
	all := nextSteps(r)
	if len(all) == 1 {
		return all[0].item("")
	}
	lines, _ := upTo(len(all), maxLines, sectionBytes, func(i int) string {
		return fmt.Sprintf("%d. %s", i+1, all[i].item(itemIndent))
	})
	return lines
}

func severalRegions(all []Function) bool {
	return slices.ContainsFunc(all, func(f Function) bool { return f.Region != all[0].Region })
}

// timeOfDay shortens an RFC 3339 time to the time of day; it does not change other
// text.
func timeOfDay(at string) string {
	t, err := time.Parse(time.RFC3339, at)
	if err != nil {
		return at
	}
	return t.UTC().Format("15:04:05") + " UTC"
}
