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

// IssueTitle names a post-mortem: what happened to what, where and on which day.
// It is plain text in which nothing links or mentions.
func IssueTitle(r Result) string {
	title := Headline(r)
	if r.Environment != "" {
		title += " · " + Line(r.Environment, longestName)
	}
	// Titles know one piece of Markdown, the backtick; a zero-width space
	// keeps the rest from being read as more than text.
	title = strings.NewReplacer("`", "'", "@", "@\u200b", "#", "#\u200b").Replace(title)
	day := ""
	if !r.Timestamp.IsZero() {
		day = " (" + r.Timestamp.UTC().Format(time.DateOnly) + ")"
	}
	return Cut(title, longestTitle-len(day)) + day
}

// Issue is the text of a post-mortem, in GitHub's Markdown: the timeline, the
// evidence, the open questions, and what to do as a list of tasks. What is said
// of Comment holds for it, too.
func Issue(r Result) string {
	all := mostUrgentFirst(r.Functions)
	sections := []string{withoutHeading(head(r, all))}
	if len(all) == 1 {
		f := all[0]
		sections = append(sections,
			section("Timeline", whole(r, f)),
			section("Versions", versionsOf(r, f)),
			section("Why this run", proof(f)),
			failedRun(r),
			section("Did production recover?", orNotChecked(f)),
			section(changesTitle(f), foldedChanges(f)),
			section("Notes", notes(f.Notes)),
		)
	} else {
		sections = append(sections, failedRun(r), section("Functions", tableIn(r.Command, all, longestBody/4)))
		sections = append(sections, eachFunction(r, all)...)
	}
	sections = append(sections,
		section("Open questions", tasks(questions(r, all))),
		section("Next steps", tasks(nextTasks(r))),
		runLinks(r),
	)
	return fit(sections)
}

// IssueUpdate is what is added to the post-mortem when the same version has
// failed again, or another try to roll it back has ended.
func IssueUpdate(r Result) string {
	all := mostUrgentFirst(r.Functions)
	again := "**The same version again**"
	if name := runName(r.Run); name != "" {
		again += ", in " + name
	}
	sections := []string{"#" + head(r, all), again + ".", went(r, all), failedRun(r)}
	if len(all) == 1 {
		sections = append(sections,
			section("Timeline", whole(r, all[0])),
			section("Did production recover?", orNotChecked(all[0])))
	}
	return fit(append(sections, section("Next steps", tasks(nextTasks(r))), runLinks(r)))
}

// withoutHeading leaves the headline to the title.
func withoutHeading(text string) string {
	_, rest, _ := strings.Cut(text, "\n\n")
	return rest
}

// whole is the timeline also where nothing was moved, or even tried.
func whole(r Result, f Function) string {
	if text := timeline(f); text != "" {
		return text
	}
	all := f.Timeline
	if len(all) == 0 {
		all = Timeline(r.Run, r.Started, nil)
	}
	if len(all) == 0 {
		return ""
	}
	return moments(all)
}

// orNotChecked is what the checks found, but for the log of the test invocation:
// an issue is mailed to all who watch, and what a function logs is not for them.
func orNotChecked(f Function) string {
	f.LogTail = ""
	if text := recovered(f); text != "" || !WasMoved(f) {
		return text
	}
	return "Nobody has looked: no check was asked for."
}

// versionsOf tells when each version was made, and from which commit.
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
		rows = append(rows, fmt.Sprintf("| %s | %s | %s | %s |", what, Markdown(version, longestName), published, commit))
	}
	left, now := LeftVersion(f), f.To
	if WasMoved(f) {
		add("Was rolled back", left)
		for _, version := range f.Tried {
			add("Tried, and not well either", version)
		}
		add("**Serves now**", now)
	} else {
		left, now = f.From, cmp.Or(f.Target, f.To)
		add("**Serves now**", left)
		add("Should serve", now)
	}
	if len(rows) == 0 {
		return ""
	}
	text := "| | Version | Made (UTC) | Commit |\n| --- | --: | --- | --- |\n" + strings.Join(rows, "\n")
	if link := compareLink(r.Run, f.Commits[now], f.Commits[left]); link != "" {
		text += "\n\nOn GitHub: " + link + "."
	}
	return text
}

// eachFunction is a section for each of several, folded, as many as there is
// room for.
func eachFunction(r Result, all []Function) []string {
	const share = longestBody / 3
	text, left := upTo(len(all), maxDetails, share, func(i int) string { return folded(r, all[i]) + "\n" })
	if left > 0 {
		text += fmt.Sprintf("\n\n%d more functions are left out here; the summary of the run has them.", left)
	}
	return []string{section("Function by function", strings.TrimSpace(text))}
}

func folded(r Result, f Function) string {
	parts := []string{
		Markdown(f.Message, longestText),
		timeline(f),
		versionsOf(r, f),
		proof(f),
		orNotChecked(f),
		titled("**"+changesTitle(f)+"**", changes(f)),
		notes(f.Notes),
	}
	parts = slices.DeleteFunc(parts, func(s string) bool { return s == "" })
	// Within the summary's tag Markdown is not read: plain HTML only.
	summary := f.mark() + " " + codeHTML(oneLine(f.Function, longestName)) + " " + Done(f.Status)
	return "<details><summary>" + summary + "</summary>\n\n" + strings.Join(parts, "\n\n") + "\n\n</details>"
}

// tableIn is the table of functions in so many bytes.
func tableIn(command string, all []Function, bytes int) string {
	regions := severalRegions(all)
	rows, left := upTo(len(all), maxRows, bytes, func(i int) string { return row(command, all[i], regions) })
	text := "| Function | Alias | Version | Result | Why |\n| --- | --- | --- | --- | --- |\n" + rows
	if left > 0 {
		text += fmt.Sprintf("\n\n%d more functions are left out here.", left)
	}
	return text
}

// questions are those that this program cannot answer.
func questions(r Result, all []Function) []string {
	sha := FailedCommit(r)
	commit := "the commit"
	if sha != "" {
		commit = commitLink(r.Run, sha)
	}
	asked := []string{"What in " + commit + " broke production?"}
	if SameCommit(r) {
		asked[0] = "Both versions were made from " + commit + ". What else was different: configuration, a dependency, the build?"
	}
	asked = append(asked, "Why was it not found before it was deployed?")
	for _, f := range all[:min(len(all), 1)] { // of several, the most urgent one
		asked = append(asked, affected(f, len(all) > 1))
	}
	moved := slices.ContainsFunc(all, WasMoved)
	switch {
	case r.Healthy == NotHealthy:
		asked = append(asked, "Production is not well on the earlier version either. What else has changed: a dependency, data, a secret, infrastructure?")
	case moved && r.Healthy != Healthy:
		asked = append(asked, "Did production recover? The checks did not prove it.")
	}
	return append(asked,
		"Did the deploy change what does not go back with the alias: the static site, infrastructure, a database, secrets, a configuration store?")
}

// affected asks for the users, from when to when as far as that is known.
func affected(f Function, several bool) string {
	of := ""
	if several {
		of = " by " + Code(f.Function, longestName)
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
		return "Who was affected" + of + ", from" + from + " UTC, when the version came, to " + Markdown(clock(f.MovedAt), longestName) + "?"
	}
	return "Who was affected" + of + ", up to " + Markdown(clock(f.MovedAt), longestName) + ", and since when?"
}

// nextTasks are the next steps, each as the text of a task.
func nextTasks(r Result) []string {
	var all []string
	for _, s := range nextSteps(r) {
		all = append(all, s.item())
	}
	return all
}

func tasks(all []string) string {
	lines, left := upTo(len(all), maxLines, longestBody/4, func(i int) string { return "- [ ] " + all[i] })
	return lines + leftOut(left)
}
