package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// longestTitle is in characters; GitHub's own limit is 256.
const longestTitle = 200

// IssueTitle returns the title of a post-mortem: what happened to what, where and on
// which day. It is plain text that contains no links or mentions.
func IssueTitle(r Result) string {
	title := Headline(r)
	if r.Environment != "" && !strings.HasPrefix(title, plainText.where(r)+" ") {
		title += " · " + Line(r.Environment, longestName)
	}
	// Titles support one element of Markdown, the backtick; a zero-width space
	// prevents the rest from being interpreted.
	title = strings.NewReplacer("`", "'", "@", "@\u200b", "#", "#\u200b").Replace(title)
	day := ""
	if !r.Timestamp.IsZero() {
		day = " (" + r.Timestamp.UTC().Format(time.DateOnly) + ")"
	}
	return Cut(title, longestTitle-len(day)) + day
}

// Issue returns the text of a post-mortem, in GitHub's Markdown: the timeline, the
// evidence, the open questions, and a task list of what to do. The rules of Comment
// also apply to it.
func Issue(r Result) string {
	all := mostUrgentFirst(r.Functions)
	sections := []section{
		{body: pageHead(r, all, "").body}, // the headline is the title
		{title: "Next steps", body: taskList(nextTasks(r))},
	}
	if len(all) == 1 {
		f := all[0]
		sections = append(sections,
			section{title: "Timeline", body: wholeTimeline(r, f)},
			section{title: "Versions", body: versionsOf(r, f)},
			section{title: "Why this run", body: whyAndWhen(f)},
			runSection(r),
			section{title: "Did production recover?", body: healthOrNotChecked(f)},
			section{title: changesTitle(f), body: foldedChanges(f)},
			section{title: "Notes", body: noteList(f.Notes)},
		)
	} else {
		sections = append(sections, runSection(r),
			section{title: "Functions", body: functionTable(r.Command, all, longestBody/4, "")},
			foldedBlocks(all, longestBody/3, "the summary of the run", func(f Function) string {
				return functionBlock(f, timelineTable(f), versionsOf(r, f), whyAndWhen(f), healthOrNotChecked(f), changesBlock(f), noteList(f.Notes))
			}))
	}
	return shortPage(append(sections,
		section{title: "Open questions", body: taskList(openQuestions(r, all))},
		section{body: runLinks(r)},
	)...)
}

// IssueUpdate returns the comment on a post-mortem after the same version has failed
// again, or after another attempt to roll it back.
func IssueUpdate(r Result) string {
	all := mostUrgentFirst(r.Functions)
	again := "**The same version again**"
	if run := gitHub.runFact(r.Run); run.linked != "" {
		again += ", in " + run.markdown()
	}
	head := pageHead(r, all, "")
	head.level = sectionLevel
	sections := []section{head, {title: "Next steps", body: taskList(nextTasks(r))}, {body: again + "."}, {body: moveList(r, all)}, runSection(r)}
	if len(all) == 1 {
		sections = append(sections,
			section{title: "Timeline", body: wholeTimeline(r, all[0])},
			section{title: "Did production recover?", body: healthOrNotChecked(all[0])})
	}
	return shortPage(append(sections, section{body: runLinks(r)})...)
}

// wholeTimeline returns the timeline, even if nothing was moved or no move was
// attempted.
func wholeTimeline(r Result, f Function) string {
	if text := timelineTable(f); text != "" {
		return text
	}
	all := f.Timeline
	if len(all) == 0 {
		all = timelineWithRun(r.Run, r.Started, nil)
	}
	if len(all) == 0 {
		return ""
	}
	return momentTable(all)
}

// healthOrNotChecked returns the results of the checks, without the log of the test
// invocation: GitHub mails an issue to all watchers, and the log of a function is not
// for them.
func healthOrNotChecked(f Function) string {
	f.LogTail = ""
	if text := healthDetails(f); text != "" || !WasMoved(f) {
		return text
	}
	return "Not checked: no check was requested."
}

// versionsOf lists when each version was published, and from which commit.
func versionsOf(r Result, f Function) string {
	rows := []string{}
	add := func(what, version string) {
		if version == "" {
			return
		}
		published, commit := "–", "–"
		if at := f.Published[version]; !at.IsZero() {
			published = at.UTC().Format(time.DateTime)
		}
		if sha := f.Commits[version]; sha != "" {
			commit = commitLink(r.Run, sha)
		}
		rows = append(rows, fmt.Sprintf("| %s | %s | %s | %s |", what, escapeMarkdown(version, longestName), published, commit))
	}
	left, now := LeftVersion(f), f.To
	if WasMoved(f) {
		add("Was rolled back", left)
		for _, version := range f.Tried {
			add("Tried, also not healthy", version)
		}
		add("**Live version**", now)
	} else {
		left, now = f.From, cmp.Or(f.Target, f.To)
		add("**Live version**", left)
		add("Rollback target", now)
	}
	if len(rows) == 0 {
		return ""
	}
	text := "| | Version | Published (UTC) | Commit |\n| --- | --: | --- | --- |\n" + strings.Join(rows, "\n")
	if url := compareURL(r.Run, f.Commits[now], f.Commits[left]); url != "" {
		text += "\n\nOn GitHub: " + markdownLink("what came between the two", url) + "."
	}
	return text
}

// openQuestions returns the questions that this program cannot answer.
func openQuestions(r Result, all []Function) []string {
	sha := FailedCommit(r)
	commit := "the commit"
	if sha != "" {
		commit = commitLink(r.Run, sha)
	}
	asked := []string{"What in " + commit + " broke production?"}
	if SameCommit(r) {
		asked[0] = "Both versions were built from " + commit + ". What else was different: configuration, a dependency, the build?"
	}
	asked = append(asked, "Why was it not found before it was deployed?")
	for _, f := range all[:min(len(all), 1)] { // of several functions, the most urgent one
		asked = append(asked, affectedQuestion(f, len(all) > 1))
	}
	moved := slices.ContainsFunc(all, WasMoved)
	switch {
	case r.Healthy == NotHealthy:
		asked = append(asked, "Production is not healthy on the earlier version either. What else has changed: a dependency, data, a secret, infrastructure?")
	case moved && r.Healthy != Healthy:
		asked = append(asked, "Did production recover? The checks did not prove it.")
	}
	return append(asked,
		"Did the deploy change what does not go back with the alias: the static site, infrastructure, a database, secrets, a configuration store?")
}

// affectedQuestion asks which users were affected, with the period as far as it is
// known.
func affectedQuestion(f Function, several bool) string {
	of := ""
	if several {
		of = " by " + inlineCode(f.Function, longestName)
	}
	since := f.DeployedAt
	if since.IsZero() {
		since = f.Published[LeftVersion(f)]
	}
	from := ""
	if !since.IsZero() {
		from = " " + since.UTC().Format("15:04:05")
	}
	if !WasMoved(f) {
		if from != "" {
			return "Who is affected" + of + ", since" + from + " UTC?"
		}
		return "Who is affected" + of + ", and since when?"
	}
	if from != "" {
		return "Who was affected" + of + ", from" + from + " UTC, when the version was deployed, to " + escapeMarkdown(timeOfDay(f.MovedAt), longestName) + "?"
	}
	return "Who was affected" + of + ", up to " + escapeMarkdown(timeOfDay(f.MovedAt), longestName) + ", and since when?"
}

// nextTasks returns the next steps, each as the text of a task.
func nextTasks(r Result) []string {
	var all []string
	for _, s := range nextSteps(r) {
		all = append(all, s.item(itemIndent))
	}
	return all
}

func taskList(all []string) string {
	lines, left := upTo(len(all), maxLines, longestBody/4, func(i int) string { return "- [ ] " + all[i] })
	return lines + leftOut(left)
}
