package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// single is what there is to tell about the only function, section by section.
func single(r Result, f Function) []string {
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
	case Skipped, Restored: // a function is never restored
	}
	return []string{
		section(title, proof(f)),
		section("Versions", versionsTable(f, r.Timestamp)),
		section(checksTitle(r.Command), recovered(f)),
		section("Timeline", timeline(f)),
		section(changesTitle(f), foldedChanges(f)),
		section("Notes of "+orFunction(Code(f.Function, longestName)), notes(f.Notes)),
	}
}

// details has a folded block for each of several functions that has something
// to tell beyond its line in the table.
func details(r Result, all []Function) string {
	told := slices.DeleteFunc(slices.Clone(all), func(f Function) bool {
		return f.Message == "" && f.Proof == "" && len(f.Checks)+len(f.Changes)+len(f.Notes)+len(f.Versions) == 0
	})
	text, left := upTo(len(told), maxDetails, detailsBytes, func(i int) string { return block(r, told[i]) + "\n" })
	if left > 0 {
		text += fmt.Sprintf("\n\n%d more functions are left out here; the output `results` has them.", left)
	}
	return section("Function by function", strings.TrimSpace(text))
}

func block(r Result, f Function) string {
	parts := []string{
		Markdown(f.Message, longestText),
		proof(f),
		versionsTable(f, r.Timestamp),
		recovered(f),
		timeline(f),
		titled("**"+changesTitle(f)+"**", changes(f)),
		notes(f.Notes),
		functionLinks(f),
	}
	parts = slices.DeleteFunc(parts, func(s string) bool { return s == "" })
	// Within the summary's tag Markdown is not read: plain HTML only.
	summary := Mark(f.Status, f.Reason) + " " + codeHTML(oneLine(f.Function, longestName)) + " " + Done(f.Status)
	return "<details><summary>" + summary + "</summary>\n\n" + strings.Join(parts, "\n\n") + "\n\n</details>"
}

func titled(title, body string) string {
	if body == "" {
		return ""
	}
	return title + "\n\n" + body
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
	parts := []string{checks(f.Checks)}
	if f.Watched != nil {
		parts = append(parts, f.Watched.Markdown())
	}
	if f.LogTail != "" {
		parts = append(parts, "<details><summary>Log of the test invocation</summary>\n\n"+preformatted(f.LogTail)+"\n\n</details>")
	}
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), "\n\n")
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
	return fmt.Sprintf("<details><summary>%d settings differ</summary>\n\n%s\n\n</details>", len(f.Changes), text)
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

// links leads to the run and to the places in the AWS console.
func links(r Result, all []Function) string {
	var parts []string
	if isWebAddress(r.Run.URL) {
		name := "The run"
		if isFailed(r.Run) && isRollback(r.Command) {
			name = "Failed run"
		}
		parts = append(parts, Link(name, r.Run.URL))
	}
	if isWebAddress(r.OwnURL) && r.OwnURL != r.Run.URL {
		parts = append(parts, Link("This run", r.OwnURL))
	}
	if len(all) == 1 && alertOf(r) != "" { // nothing happened: nothing to look at
		if text := functionLinks(all[0]); text != "" {
			parts = append(parts, text)
		}
	}
	return section("Links", strings.Join(parts, " · "))
}

func functionLinks(f Function) string {
	var parts []string
	if page := AliasURL(f); page != "" {
		parts = append(parts, Link("Alias "+Code(f.Alias, longestName)+" in the AWS console", page))
	}
	if page := LogsURL(f); page != "" {
		parts = append(parts, Link("Logs of "+orFunction(Code(f.Function, longestName))+" in CloudWatch", page))
	}
	return strings.Join(parts, " · ")
}

func orDash(text string) string {
	if text == "" {
		return "–"
	}
	return text
}

func orFunction(name string) string {
	if name == "" {
		return "the function"
	}
	return name
}
