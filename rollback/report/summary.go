package report

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// The summary in bytes and entries. GitHub drops a summary above 1 MiB as a
// whole; the sections' shares add up to less than 900 KiB, the table and the
// single functions first.
const (
	tableBytes   = 256 << 10
	detailsBytes = 384 << 10
	sectionBytes = 48 << 10

	maxRows    = 200 // functions in the table; the output `results` has all
	maxDetails = 50  // functions with details of their own
	maxLines   = 50  // checks, changes or notes of one function
	maxJobs    = 5   // failed jobs that are named
	foldAbove  = 8   // changes above which they are folded away

	longestText = 1_000 // characters of a message, a proof or a note
	longestCell = 300   // characters in a table's cell
)

// Summary is the page that GitHub shows for the step, in its Markdown: what
// happened first, what to do next last, less than 900 KiB long. Texts of r that
// come from outside can neither format nor link nor mention. Secrets must have
// been taken out of r before.
func Summary(r Result) string {
	all := mostUrgentFirst(r.Functions)
	sections := []string{head(r, all)}
	if len(all) > 0 {
		sections = append(sections, table(r, all))
	}
	sections = append(sections, failedRun(r))
	if len(all) == 1 {
		sections = append(sections, single(r, all[0])...)
	} else {
		sections = append(sections, details(r, all))
	}
	sections = append(sections,
		section("Notes", notes(r.Notes)),
		links(r, all),
		notRolledBack(r),
		section("What to do next", numberedSteps(r)),
	)
	sections = slices.DeleteFunc(sections, func(s string) bool { return s == "" })
	return strings.Join(sections, "\n\n") + "\n"
}

// head is the headline, the message and, where it failed, the first thing to do.
func head(r Result, all []Function) string {
	title := "## " + r.mark() + " " + headlineMarkdown(r) + recoveredOr(r)

	message := r.Message
	if message == "" {
		message = Headline(r)
	}
	text := Markdown(message, longestText)
	if kind := calloutKind(r); kind != "" {
		text = "> [!" + kind + "]\n> " + text
		if steps := nextSteps(r); (r.Status == Failed || r.isInconclusive()) && len(steps) > 0 {
			text += "\n>\n> **Do now:** " + steps[0].markdown()
		}
	}
	if line := circumstances(r, all); line != "" {
		text += "\n\n" + line
	}
	return title + "\n\n" + text
}

// recoveredOr ends a headline that says "rolled back" with what that has brought:
// it may be all that is read.
func recoveredOr(r Result) string {
	switch {
	case r.Status != RolledBack || !slices.ContainsFunc(r.Functions, checkedAfterMove):
		return ""
	case r.Healthy == Healthy:
		return ", and production recovered"
	default:
		return ", but whether production recovered is **not known**"
	}
}

// calloutKind is the kind of GitHub's callout box around the message; empty: none,
// for there is nothing to see.
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
		parts = append(parts, "Environment "+Code(r.Environment, longestName))
	}
	if r.RequestReason != "" {
		parts = append(parts, "Reason given: “"+Markdown(r.RequestReason, longestCell)+"”")
	}
	if !r.Timestamp.IsZero() {
		parts = append(parts, r.Timestamp.UTC().Format("2006-01-02 15:04:05")+" UTC")
	}
	moved := slices.ContainsFunc(all, func(f Function) bool { return f.MovedAt != "" || f.Status == RolledBack })
	checked := slices.ContainsFunc(all, func(f Function) bool { return f.Healthy == Healthy })
	switch {
	case r.Healthy == Healthy:
		parts = append(parts, "✅ checked: healthy")
	case r.Healthy == NotHealthy:
		parts = append(parts, "❌ checked: **not healthy**")
	case checked:
		parts = append(parts, "checked in part: healthy where it was")
	case r.Command != "check" && slices.ContainsFunc(all, func(f Function) bool { return len(f.Checks) > 0 }):
		parts = append(parts, "⚠️ checked: **inconclusive**")
	case moved && isRollback(r.Command):
		parts = append(parts, "health not checked")
	}
	return strings.Join(parts, " · ")
}

// table has a line for each function.
func table(r Result, all []Function) string {
	regions := severalRegions(all)
	rows, left := upTo(len(all), maxRows, tableBytes, func(i int) string { return row(r.Command, all[i], regions) })
	text := "| Function | Alias | Version | Result | Why |\n| --- | --- | --- | --- | --- |\n" + rows
	if left > 0 {
		text += fmt.Sprintf("\n\n%d more functions are left out here; the output `results` has them.", left)
	}
	return text
}

func row(command string, f Function, regions bool) string {
	name := Code(f.Function, longestName)
	if regions {
		name += " in " + Markdown(f.Region, longestName)
	}
	cells := []string{
		name,
		Code(f.Alias, longestName),
		way(f),
		f.mark() + " " + Markdown(doneFor(command, f.Status), longestCell),
		Markdown(headingFor(command, f.Reason), longestCell),
	}
	return "| " + strings.Join(cells, " | ") + " |"
}

// way is where the alias went: "42 → **41**", or where it stands.
func way(f Function) string {
	from, to := Markdown(versionOr(f.From), longestName), Markdown(f.To, longestName)
	moved := f.Status == RolledBack || f.MovedAt != ""
	switch {
	case f.From == "" && f.To == "":
		return "–"
	case f.Status == Drilled:
		return from + " → " + Markdown(versionOr(f.Target), longestName) + " → **" + from + "**"
	case f.Status == Ready && f.Target != "":
		return from + " (a rollback goes to " + Markdown(f.Target, longestName) + ")"
	case f.To == "":
		return from
	case f.From == f.To && f.WeightsCleared:
		return "**" + to + "**, without the canary"
	case moved:
		return from + " → **" + to + "**"
	case f.Status == Planned:
		return from + " → " + to + " (not done)"
	default:
		return from + " (" + to + " not reached)"
	}
}

// failedRun says what failed, by whom, and where to read it.
func failedRun(r Result) string {
	run := r.Run
	var lines []string
	failed := failedJobs(run.Jobs)
	for _, job := range failed[:min(len(failed), maxJobs)] {
		line := "**Failed job:** " + Link(Markdown(job.Name, longestCell), job.URL)
		if job.FailedStep != "" {
			line += ", in step “" + Markdown(job.FailedStep, longestCell) + "”"
		}
		lines = append(lines, line)
	}
	if more := len(failed) - maxJobs; more > 0 {
		lines = append(lines, fmt.Sprintf("%d more jobs failed.", more))
	}
	if run.SHA != "" {
		line := "**Commit:** " + Link(Code(ShortSHA(run.SHA), longestName), CommitURL(run))
		if first, _, _ := strings.Cut(run.Commit, "\n"); first != "" {
			line += " " + Markdown(first, longestCell)
		}
		lines = append(lines, line)
	}
	if run.Actor != "" {
		lines = append(lines, "**By:** "+Code(run.Actor, longestName))
	}
	if text := runName(run); text != "" {
		lines = append(lines, "**Run:** "+text)
	}
	if len(lines) == 0 {
		return ""
	}
	title := "The run that failed"
	if !isRollback(r.Command) {
		return ""
	}
	if !isFailed(run) {
		title = "The run"
	}
	return section(title, "- "+strings.Join(lines, "\n- "))
}

// isFailed is true where the run is known to have failed. The own run has no
// conclusion yet, but its jobs may.
func isFailed(run Run) bool {
	return run.Conclusion == "failure" || run.Conclusion == "timed_out" || len(failedJobs(run.Jobs)) > 0
}

func runName(run Run) string {
	name := Markdown(run.Workflow, longestCell)
	if run.Number > 0 {
		name = strings.TrimSpace(fmt.Sprintf("%s no. %d", name, run.Number))
	}
	if name == "" && run.URL != "" {
		name = "page of the run"
	}
	if name == "" {
		return ""
	}
	text := Link(name, run.URL)
	if run.Attempt > 1 {
		text += fmt.Sprintf(", attempt %d", run.Attempt)
	}
	if run.Branch != "" {
		text += ", on " + Code(run.Branch, longestName)
	}
	return text
}

func failedJobs(jobs []Job) []Job {
	var failed []Job
	for _, job := range jobs {
		if !job.Own && (job.Conclusion == "failure" || job.Conclusion == "timed_out") {
			failed = append(failed, job)
		}
	}
	return failed
}

// notRolledBack says what a rollback of Lambda does not bring back.
func notRolledBack(r Result) string {
	if !isRollback(r.Command) || r.Status == Skipped || len(r.Functions) == 0 {
		return ""
	}
	return section("Not rolled back", "This action moves nothing but the alias. As the deploy left them: "+
		"the static site, infrastructure, databases and their migrations, secrets and configuration stores.")
}

// numberedSteps is the list of next steps.
func numberedSteps(r Result) string {
	all := nextSteps(r)
	if len(all) == 1 {
		return strings.ReplaceAll(all[0].item(), "\n   ", "\n")
	}
	lines, _ := upTo(len(all), maxLines, sectionBytes, func(i int) string {
		return fmt.Sprintf("%d. %s", i+1, all[i].item())
	})
	return lines
}

func section(title, body string) string {
	if body == "" {
		return ""
	}
	return "### " + title + "\n\n" + body
}

// upTo joins lines until there are enough of them or the bytes are used up, and
// counts those left out.
func upTo(n, most, bytes int, line func(i int) string) (text string, left int) {
	var b strings.Builder
	for i := range n {
		if i == most {
			return b.String(), n - i
		}
		next := line(i)
		if b.Len()+len(next)+1 > bytes {
			return b.String(), n - i
		}
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(next)
	}
	return b.String(), 0
}

func severalRegions(all []Function) bool {
	return slices.ContainsFunc(all, func(f Function) bool { return f.Region != all[0].Region })
}

// clock shortens an RFC 3339 time to the time of day; other text stays.
func clock(at string) string {
	t, err := time.Parse(time.RFC3339, at)
	if err != nil {
		return at
	}
	return t.UTC().Format("15:04:05") + " UTC"
}
