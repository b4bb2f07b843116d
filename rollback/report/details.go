package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// functionSections returns the sections about the only function.
func functionSections(r Result, f Function) []section {
	title := "Why it was not rolled back"
	switch f.Status {
	case RolledBack, Planned:
		title = "Why it was moved"
		if f.Status == Planned {
			title = "Why it would be moved"
		}
	case Failed, NotReady:
		title = "About the versions"
	case Ready, Taken, Listed, Drilled, Promoted:
		title = "Evidence"
	case Skipped, Restored: // a function is never restored
	}
	return []section{
		{title: title, body: whyAndWhen(f)},
		{title: "Versions", body: versionsTable(f, r.Timestamp)},
		{title: "Both versions", body: promotionSection(f)},
		{title: checksTitle(r.Command), body: healthDetails(f)},
		{title: "Timeline", body: timelineTable(f)},
		{title: changesTitle(f), body: foldedChanges(f)},
		{title: "Who else moves this alias", body: ownerSection(f)},
		{title: "Notes of " + orFunction(inlineCode(f.Function, longestName)), body: noteList(f.Notes)},
	}
}

// functionBlocks returns a folded block for each of several functions that has more to
// show than its row in the table.
func functionBlocks(r Result, all []Function) section {
	told := slices.DeleteFunc(slices.Clone(all), func(f Function) bool {
		return f.Message == "" && f.Proof == "" && len(f.Checks)+len(f.Changes)+len(f.Notes)+len(f.Versions) == 0 && f.Owner == nil
	})
	return foldedBlocks(told, detailsBytes, "the output `results`", func(f Function) string {
		return functionBlock(f, whyAndWhen(f), versionsTable(f, r.Timestamp), promotionSection(f), healthDetails(f), timelineTable(f), changesBlock(f), ownerSection(f), noteList(f.Notes), functionLinks(f))
	})
}

// foldedBlocks returns as many folded blocks as there is room for. rest says where the
// others are.
func foldedBlocks(all []Function, bytes int, rest string, one func(Function) string) section {
	text, left := upTo(len(all), maxDetails, bytes, func(i int) string { return one(all[i]) + "\n" })
	if left > 0 {
		text += fmt.Sprintf("\n\n%d more functions are not shown here; see %s.", left, rest)
	}
	return section{title: "Function by function", body: strings.TrimSpace(text)}
}

// functionBlock returns the folded content about one function, below its message.
func functionBlock(f Function, parts ...string) string {
	title := f.mark() + " " + codeHTML(oneLine(f.Function, longestName)) + " " + StatusText(f.Status)
	return folded(title, joinParts("\n\n", append([]string{escapeMarkdown(f.Message, longestText)}, parts...)...))
}

// why returns why this version was selected, and to which run the failing one was
// attributed; sentences.
func (m medium) why(f Function) []string {
	var out []string
	if f.Why != "" && f.Target != "" && f.Status != Skipped {
		out = append(out, "Version "+m.text(f.Target, longestName)+" "+targetPhrase(f)+" because "+withFullStop(m.text(f.Why, longestText)))
	}
	if f.Proof != "" {
		out = append(out, capitalized(withFullStop(m.text(f.Proof, longestText))))
	}
	return out
}

// targetPhrase says what happened to the selected version.
func targetPhrase(f Function) string {
	switch {
	case f.Status == Ready, f.Status == NotReady, f.Status == Listed:
		return "would be the target of a rollback now,"
	case f.Status == Planned:
		return "would be selected"
	case f.Status == Failed && f.MovedAt == "":
		return "was selected as the target"
	default:
		return "was selected"
	}
}

// whyAndWhen returns the reason, and the time of the move.
func whyAndWhen(f Function) string {
	parts := gitHub.why(f)
	if f.MovedAt != "" {
		parts = append(parts, "Moved at "+escapeMarkdown(timeOfDay(f.MovedAt), longestName)+".")
	}
	return strings.Join(parts, " ")
}

// withFullStop ends a text with a period.
func withFullStop(text string) string {
	if text == "" || strings.ContainsAny(text[len(text)-1:], ".!?…") {
		return text
	}
	return text + "."
}

// capitalized makes the first letter of a text a capital.
func capitalized(text string) string {
	first, size := utf8.DecodeRuneInString(text)
	if size == 0 {
		return text
	}
	return string(unicode.ToUpper(first)) + text[size:]
}

// checksTitle returns the question that the checks of a command answer.
func checksTitle(command string) string {
	switch command {
	case "check", "promote":
		return "What was checked"
	case "drill":
		return "Was it healthy on both versions?"
	default:
		return "Did production recover?"
	}
}

func checkTable(all []Check) string {
	if len(all) == 0 {
		return ""
	}
	if len(all) > maxLines {
		all = mostTellingFirst(all)
	}
	rows, left := upTo(len(all), maxLines, sectionBytes, func(i int) string {
		c := all[i]
		return "| " + escapeMarkdown(c.Title(), longestCell) + " | " + checkMark(c.Status) + escapeMarkdown(string(c.Status), longestCell) +
			" | " + escapeMarkdown(c.Detail, longestCell) + " |"
	})
	return "| Check | Result | Detail |\n| --- | --- | --- |\n" + rows + leftOut(left)
}

// mostTellingFirst puts first what must not be left out: the checks of the live
// version before those of replaced versions, and failures before successes.
func mostTellingFirst(all []Check) []Check {
	rank := func(c Check) int {
		n := 0
		if c.Version != "" {
			n = 3
		}
		switch c.Status {
		case CheckFailed:
			return n
		case CheckInconclusive:
			return n + 1
		default:
			return n + 2
		}
	}
	sorted := slices.Clone(all)
	slices.SortStableFunc(sorted, func(a, b Check) int { return cmp.Compare(rank(a), rank(b)) })
	return sorted
}

// healthDetails returns the results of the checks, the CloudWatch metrics, and the log
// of the test invocation.
func healthDetails(f Function) string {
	measured, log := "", ""
	if f.Watched != nil {
		measured = f.Watched.markdown()
	}
	if f.LogTail != "" {
		log = folded("Log of the test invocation", preformatted(f.LogTail))
	}
	return joinParts("\n\n", checkTable(f.Checks), measured, log)
}

const longestLine = 500 // characters of a log line

// preformatted shows outside text line by line, as code.
func preformatted(text string) string {
	var lines []string
	for line := range strings.Lines(strings.TrimSpace(text)) {
		lines = append(lines, "    "+Line(strings.TrimRight(line, "\r\n"), longestLine))
	}
	return strings.Join(lines[:min(len(lines), maxLines)], "\n")
}

func checkMark(status CheckStatus) string {
	switch status {
	case CheckPassed:
		return "✅ "
	case CheckFailed:
		return "❌ "
	case CheckInconclusive:
		return "⚠️ "
	default:
		return ""
	}
}

func changesTitle(f Function) string {
	other := cmp.Or(f.To, f.Target)
	if f.Promotion != nil {
		other = f.Promotion.Version
	}
	if f.From == "" || other == "" {
		return "What differs between the versions"
	}
	return "What differs between version " + escapeMarkdown(f.From, longestName) + " and " + escapeMarkdown(other, longestName)
}

// orWord returns the heading of a column for a version.
func orWord(version, word string) string {
	if version == "" {
		return word
	}
	return "Version " + escapeMarkdown(version, longestName)
}

func changeTable(f Function) string {
	all := f.Changes
	if len(all) == 0 {
		return ""
	}
	rows, left := upTo(len(all), maxLines, sectionBytes, func(i int) string {
		c := all[i]
		return "| " + escapeMarkdown(c.What, longestCell) + " | " + orDash(inlineCode(c.From, longestCell)) + " | " + orDash(inlineCode(c.To, longestCell)) + " |"
	})
	other := cmp.Or(f.Target, f.To)
	if f.Promotion != nil {
		other = f.Promotion.Version
	}
	return "| What | " + orWord(f.From, "Serving") + " | " + orWord(other, "Target") + " |\n| --- | --- | --- |\n" + rows + leftOut(left)
}

// foldedChanges keeps a long table from pushing the next steps off the screen.
func foldedChanges(f Function) string {
	text := changeTable(f)
	if len(f.Changes) <= foldAbove {
		return text
	}
	return folded(fmt.Sprintf("%d settings differ", len(f.Changes)), text)
}

// changesBlock is the table below its own title.
func changesBlock(f Function) string {
	if len(f.Changes) == 0 {
		return ""
	}
	return "**" + changesTitle(f) + "**\n\n" + changeTable(f)
}

func noteList(all []Note) string {
	lines, left := upTo(len(all), maxNotes, sectionBytes, func(i int) string {
		mark := ""
		if all[i].Warning {
			mark = "⚠️ "
		}
		return "- " + mark + escapeMarkdown(all[i].Text, longestText)
	})
	return lines + leftOut(left)
}

func leftOut(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("\n\n%d more are not shown here.", n)
}

// linkSection returns links to the run and to pages in the AWS console.
func linkSection(r Result) section {
	var parts []string
	for _, l := range linksOf(r) {
		switch l.to {
		case linkToRun:
			if isRollback(r.Command) && gitHub.runFact(r.Run).linked != "" {
				continue // the section about the run contains it
			}
			parts = append(parts, markdownLink(r.runLinkName("The run"), l.url))
		case linkToOwnRun:
			parts = append(parts, markdownLink("This run", l.url))
		case linkToAlias, linkToLogs:
			if calloutKind(r) != "" { // otherwise, nothing happened, and there is nothing to check
				parts = append(parts, l.markdown(r.Functions[0]))
			}
		}
	}
	return section{title: "Links", body: strings.Join(parts, linkGap)}
}

const linkGap = " · " // between links on a line

func functionLinks(f Function) string {
	var parts []string
	for _, l := range linksOfFunction(f) {
		parts = append(parts, l.markdown(f))
	}
	return strings.Join(parts, linkGap)
}

// markdown returns a link to a page of a function.
func (l link) markdown(f Function) string {
	if l.to == linkToAlias {
		return markdownLink("Alias "+inlineCode(f.Alias, longestName)+" in the AWS console", l.url)
	}
	return markdownLink("Logs of "+orFunction(inlineCode(f.Function, longestName))+" in CloudWatch", l.url)
}

// dash is shown if there is no value.
const dash = "–"

func orDash(text string) string { return cmp.Or(text, dash) }

func orFunction(name string) string {
	if name == "" {
		return "the function"
	}
	return name
}
