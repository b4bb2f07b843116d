package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// functionSections are what there is to tell about the only function.
func functionSections(r Result, f Function) []section {
	title := "Why it was left alone"
	switch f.Status {
	case RolledBack, Planned:
		title = "Why it was moved"
		if f.Status == Planned {
			title = "Why it would be moved"
		}
	case Failed, NotReady:
		title = "What is known about the versions"
	case Ready, Taken, Listed, Drilled:
		title = "What it rests on"
	case Skipped:
	}
	return []section{
		{title: title, body: proof(f)},
		{title: "Versions", body: versionsTable(f, r.Timestamp)},
		{title: checksTitle(r.Command), body: recovered(f)},
		{title: "Timeline", body: timeline(f)},
		{title: changesTitle(f), body: foldedChanges(f)},
		{title: "Notes of " + orFunction(Code(f.Function, longestName)), body: notes(f.Notes)},
	}
}

// functionBlocks has a folded block for each of several functions that has
// something to tell beyond its line in the table.
func functionBlocks(r Result, all []Function) section {
	told := slices.DeleteFunc(slices.Clone(all), func(f Function) bool {
		return f.Message == "" && f.Proof == "" && len(f.Checks)+len(f.Changes)+len(f.Notes)+len(f.Versions) == 0
	})
	return blocks(told, detailsBytes, "the output `results`", func(f Function) string {
		return block(f, proof(f), versionsTable(f, r.Timestamp), recovered(f), timeline(f), changesBlock(f), notes(f.Notes), functionLinks(f))
	})
}

// blocks are as many folded blocks as there is room for; elsewhere has the others.
func blocks(all []Function, bytes int, elsewhere string, block func(Function) string) section {
	text, left := upTo(len(all), maxDetails, bytes, func(i int) string { return block(all[i]) + "\n" })
	if left > 0 {
		text += fmt.Sprintf("\n\n%d more functions are left out here; %s has them.", left, elsewhere)
	}
	return section{title: "Function by function", body: strings.TrimSpace(text)}
}

// block folds what there is to tell of one function below its message.
func block(f Function, parts ...string) string {
	title := f.mark() + " " + codeHTML(oneLine(f.Function, longestName)) + " " + Done(f.Status)
	return folded(title, joinParts("\n\n", append([]string{Markdown(f.Message, longestText)}, parts...)...))
}

// taken says what became of the version that was decided on.
func taken(f Function) string {
	switch {
	case f.Status == Ready, f.Status == NotReady, f.Status == Listed:
		return "is where a rollback would go now,"
	case f.Status == Planned:
		return "would be taken"
	case f.Status == Failed && f.MovedAt == "":
		return "was to be taken"
	default:
		return "was taken"
	}
}

// proof is how the failing version was attributed to the run, and when the
// alias was moved.
func proof(f Function) string {
	var parts []string
	if f.Why != "" && f.Target != "" {
		parts = append(parts, "Version "+Markdown(f.Target, longestName)+" "+taken(f)+" because "+sentence(Markdown(f.Why, longestText)))
	}
	if f.Proof != "" {
		parts = append(parts, sentence(Markdown(f.Proof, longestText)))
	}
	if f.MovedAt != "" {
		parts = append(parts, "Moved at "+Markdown(clock(f.MovedAt), longestName)+".")
	}
	if len(parts) > 1 {
		parts[1] = capital(parts[1])
	}
	return capital(strings.Join(parts, " "))
}

// sentence ends a text with a full stop.
func sentence(text string) string {
	if text == "" || strings.ContainsAny(text[len(text)-1:], ".!?…") {
		return text
	}
	return text + "."
}

// capital begins a text as a sentence begins.
func capital(text string) string {
	first, size := utf8.DecodeRuneInString(text)
	if size == 0 {
		return text
	}
	return string(unicode.ToUpper(first)) + text[size:]
}

// checksTitle asks what the checks of a command answer.
func checksTitle(command string) string {
	switch command {
	case "check":
		return "What was checked"
	case "drill":
		return "Was it well, there and back?"
	default:
		return "Did production recover?"
	}
}

func checks(all []Check) string {
	if len(all) == 0 {
		return ""
	}
	if len(all) > maxLines {
		all = telling(all)
	}
	rows, left := upTo(len(all), maxLines, sectionBytes, func(i int) string {
		c := all[i]
		return "| " + Markdown(c.Name, longestCell) + " | " + checkMark(c.Status) + Markdown(string(c.Status), longestCell) +
			" | " + Markdown(c.Detail, longestCell) + " |"
	})
	return "| Check | Result | Detail |\n| --- | --- | --- |\n" + rows + leftOut(left)
}

// telling puts first what must not be cut off: the checks of the version that
// serves before those of versions that were left, and bad news before good.
func telling(all []Check) []Check {
	rank := func(c Check) int {
		n := 0
		if strings.HasPrefix(c.Name, LeftBehind) {
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

// recovered is what the checks found, what CloudWatch measured, and the log of
// the test invocation.
func recovered(f Function) string {
	measured, log := "", ""
	if f.Watched != nil {
		measured = f.Watched.Markdown()
	}
	if f.LogTail != "" {
		log = folded("Log of the test invocation", preformatted(f.LogTail))
	}
	return joinParts("\n\n", checks(f.Checks), measured, log)
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
	if f.From == "" || other == "" {
		return "What differs between the versions"
	}
	return "What differs between version " + Markdown(f.From, longestName) + " and " + Markdown(other, longestName)
}

// orWord heads a column with a version.
func orWord(version, word string) string {
	if version == "" {
		return word
	}
	return "Version " + Markdown(version, longestName)
}

func changes(f Function) string {
	all := f.Changes
	if len(all) == 0 {
		return ""
	}
	rows, left := upTo(len(all), maxLines, sectionBytes, func(i int) string {
		c := all[i]
		return "| " + Markdown(c.What, longestCell) + " | " + orDash(Code(c.From, longestCell)) + " | " + orDash(Code(c.To, longestCell)) + " |"
	})
	return "| What | " + orWord(f.From, "Serving") + " | " + orWord(cmp.Or(f.Target, f.To), "Target") + " |\n| --- | --- | --- |\n" + rows + leftOut(left)
}

// foldedChanges keeps a long table from pushing the next steps off the screen.
func foldedChanges(f Function) string {
	text := changes(f)
	if len(f.Changes) <= foldAbove {
		return text
	}
	return folded(fmt.Sprintf("%d settings differ", len(f.Changes)), text)
}

// changesBlock is the table below a title of its own.
func changesBlock(f Function) string {
	if len(f.Changes) == 0 {
		return ""
	}
	return "**" + changesTitle(f) + "**\n\n" + changes(f)
}

func notes(all []Note) string {
	lines, left := upTo(len(all), maxLines, sectionBytes, func(i int) string {
		mark := ""
		if all[i].Warning {
			mark = "⚠️ "
		}
		return "- " + mark + Markdown(all[i].Text, longestText)
	})
	return lines + leftOut(left)
}

func leftOut(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("\n\n%d more are left out here.", n)
}

// linkSection leads to the run and to the places in the AWS console.
func linkSection(r Result) section {
	var parts []string
	for _, l := range linksOf(r) {
		switch l.to {
		case linkToRun:
			parts = append(parts, Link(r.runLinkName("The run"), l.url))
		case linkToOwnRun:
			parts = append(parts, Link("This run", l.url))
		case linkToAlias, linkToLogs:
			if calloutKind(r) != "" { // else nothing happened: nothing to look at
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

// markdown is a link to a page of a function.
func (l link) markdown(f Function) string {
	if l.to == linkToAlias {
		return Link("Alias "+Code(f.Alias, longestName)+" in the AWS console", l.url)
	}
	return Link("Logs of "+orFunction(Code(f.Function, longestName))+" in CloudWatch", l.url)
}

// dash stands where there is nothing to say.
const dash = "–"

func orDash(text string) string { return cmp.Or(text, dash) }

func orFunction(name string) string {
	if name == "" {
		return "the function"
	}
	return name
}
