package report

import (
	"strings"
)

// longestListed is how many functions a comment names.
const longestListed = 20

// Comment is what a pull request is told whose merge was rolled back, in
// GitHub's Markdown. Texts of r that come from outside can neither format nor
// link nor mention. Secrets must have been taken out of r before.
func Comment(r Result) string {
	all := mostUrgentFirst(r.Functions)
	return shortPage(
		smallHead(r, all),
		section{body: deployed(r)},
		section{body: joinParts("\n", moves(r, all), jobList(r.Run), unwellChecks(all))},
		section{body: revert(r)},
		section{body: runLinks(r)},
	)
}

// smallHead is the head of what is one of several on a page.
func smallHead(r Result, all []Function) section {
	s := head(r, all)
	s.level = sectionLevel
	return s
}

// deployed is the sentence that tells why this pull request is written to.
func deployed(r Result) string {
	text := "The merge of this pull request"
	if sha := FailedCommit(r); sha != "" {
		text += " (" + Code(ShortSHA(sha), longestName) + ")"
	}
	text += " was deployed"
	if r.Environment != "" {
		text += " to " + Code(r.Environment, longestName)
	}
	switch {
	case askedFor(r):
		return text + ", and a person has rolled it back."
	case isWebAddress(r.Run.URL):
		return text + ", and " + Link("its run", r.Run.URL) + " failed."
	default:
		return text + ", and its run failed."
	}
}

// moves lists where each alias went.
func moves(r Result, all []Function) string {
	lines, left := upTo(len(all), longestListed, longestBody/4, func(i int) string {
		f := all[i]
		text := "- " + Code(f.Function, longestName)
		if f.Alias != "" {
			text += ", alias " + Code(f.Alias, longestName)
		}
		if f.Status == Skipped || !WasMoved(f) && f.Status != Failed {
			return text + ": " + Markdown(Done(f.Status), longestCell) + ", " + Markdown(Heading(f.Reason), longestCell)
		}
		if text += ": version " + orDash(gitHub.move(f, nil)); !WasMoved(f) {
			return text + ", " + Markdown(Heading(f.Reason), longestCell)
		}
		if sha := f.Commits[f.To]; sha != "" {
			text += " (" + commitLink(r.Run, sha) + ")"
		}
		if f.MovedAt != "" {
			text += " at " + Markdown(clock(f.MovedAt), longestName)
		}
		return text
	})
	return lines + leftOut(left)
}

// unwellChecks are the checks that failed on what serves now.
func unwellChecks(all []Function) string {
	var lines []string
	for _, f := range all {
		for _, c := range f.Checks {
			if c.Status == CheckFailed && !strings.HasPrefix(c.Name, LeftBehind) && len(lines) < maxJobs {
				lines = append(lines, "- ❌ **Not well now:** "+Markdown(c.Name, longestCell)+": "+Markdown(c.Detail, longestCell))
			}
		}
	}
	return strings.Join(lines, "\n")
}

// revert is the one thing to do on a pull request. Where production is not well
// there is more to do, and the head has it.
func revert(r Result) string {
	on := ""
	if r.Run.Branch != "" {
		on = " on " + Code(r.Run.Branch, longestName)
	}
	return "**Before the next deploy:** revert this pull request" + on +
		", or fix it. Deploying the same code again brings the fault back."
}

// runLinks leads to the runs, the own one first.
func runLinks(r Result) string {
	own, failed := "", ""
	for _, l := range linksOf(r) {
		switch l.to {
		case linkToOwnRun:
			own = l.url
		case linkToRun:
			failed = l.url
		case linkToAlias, linkToLogs:
		}
	}
	if r.OwnURL == r.Run.URL { // then only what it did counts
		own, failed = failed, ""
	}
	var parts []string
	if own != "" {
		name := "The run that rolled back"
		if !r.Moved() {
			name = "The run that tried to roll back"
		}
		parts = append(parts, Link(name, own))
	}
	if failed != "" {
		parts = append(parts, Link("The run that failed", failed))
	}
	return strings.Join(parts, linkGap)
}
