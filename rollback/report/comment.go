package report

import (
	"strings"
)

// longestListed is how many functions a comment lists.
const longestListed = 20

// Comment returns the comment on a pull request whose merge was rolled back, in
// GitHub's Markdown. Outside texts in r cannot format, link or mention. Secrets must
// be removed from r before.
func Comment(r Result) string {
	all := mostUrgentFirst(r.Functions)
	return shortPage(
		sectionHead(r, all),
		section{body: whyCommented(r)},
		section{body: joinParts("\n", moveList(r, all), jobList(r.Run), failedChecks(all))},
		section{body: revertSentence(r)},
		section{body: runLinks(r)},
	)
}

// sectionHead returns the head of a section that is one of several on a page.
func sectionHead(r Result, all []Function) section {
	first := ""
	if steps := nextSteps(r); len(steps) > 0 {
		first = steps[0].markdown()
	}
	s := pageHead(r, all, first)
	s.level = sectionLevel
	return s
}

// whyCommented returns the sentence that explains the comment on this pull request.
func whyCommented(r Result) string {
	text := "The merge of this pull request"
	if sha := FailedCommit(r); sha != "" {
		text += " (" + inlineCode(ShortSHA(sha), longestName) + ")"
	}
	text += " was deployed"
	if r.Environment != "" {
		text += " to " + inlineCode(r.Environment, longestName)
	}
	switch {
	case requestedByPerson(r):
		return text + ", and it was rolled back manually."
	case isWebAddress(r.Run.URL):
		return text + ", and " + markdownLink("its run", r.Run.URL) + " failed."
	default:
		return text + ", and its run failed."
	}
}

// moveList lists where each alias was moved.
func moveList(r Result, all []Function) string {
	lines, left := upTo(len(all), longestListed, longestBody/4, func(i int) string {
		f := all[i]
		text := "- " + inlineCode(f.Function, longestName)
		if f.Alias != "" {
			text += ", alias " + inlineCode(f.Alias, longestName)
		}
		if f.Status == Skipped || !WasMoved(f) && f.Status != Failed {
			return text + ": " + escapeMarkdown(StatusText(f.Status), longestCell) + ", " + escapeMarkdown(reasonHeading(f.Reason), longestCell)
		}
		if text += ": version " + orDash(gitHub.move(f, nil)); !WasMoved(f) {
			return text + ", " + escapeMarkdown(reasonHeading(f.Reason), longestCell)
		}
		if sha := f.Commits[f.To]; sha != "" {
			text += " (" + commitLink(r.Run, sha) + ")"
		}
		if f.MovedAt != "" {
			text += " at " + escapeMarkdown(timeOfDay(f.MovedAt), longestName)
		}
		return text
	})
	return lines + leftOut(left)
}

// failedChecks returns the checks that failed on the live version.
func failedChecks(all []Function) string {
	var lines []string
	for _, f := range all {
		for _, c := range f.Checks {
			if c.Status == CheckFailed && c.Version == "" && len(lines) < maxJobs {
				lines = append(lines, "- ❌ **Not healthy now:** "+escapeMarkdown(c.Name, longestCell)+": "+escapeMarkdown(c.Detail, longestCell))
			}
		}
	}
	return strings.Join(lines, "\n")
}

// revertSentence returns the one thing to do on a pull request. If production is not
// healthy, there is more to do, which is in the head.
func revertSentence(r Result) string {
	on := ""
	if r.Run.Branch != "" {
		on = " on " + inlineCode(r.Run.Branch, longestName)
	}
	return "**Before the next deploy:** revert this pull request" + on +
		", or fix it. Deploying the same code again would bring the problem back."
}

// runLinks returns links to the runs, first to the run that did the rollback.
func runLinks(r Result) string {
	var parts []string
	if isWebAddress(r.OwnURL) {
		name := "The run that rolled back"
		if !r.Moved() {
			name = "The run that tried to roll back"
		}
		parts = append(parts, markdownLink(name, r.OwnURL))
	}
	if isWebAddress(r.Run.URL) && r.Run.URL != r.OwnURL {
		parts = append(parts, markdownLink("The run that failed", r.Run.URL))
	}
	return strings.Join(parts, linkGap)
}
