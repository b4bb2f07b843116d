package report

import (
	"fmt"
	"slices"
	"strings"
)

// longestBody is how long a comment or an issue may become, in bytes. GitHub
// refuses more than 65,536 characters.
const longestBody = 60_000

// longestListed is how many functions a comment names.
const longestListed = 20

// Comment is what a pull request is told whose merge was rolled back, in
// GitHub's Markdown. Texts of r that come from outside can neither format nor
// link nor mention. Secrets must have been taken out of r before.
func Comment(r Result) string {
	all := mostUrgentFirst(r.Functions)
	return fit([]string{
		"#" + head(r, all),
		deployed(r),
		listOf(went(r, all), jobsOf(r.Run), unwellChecks(all)),
		revert(r),
		runLinks(r),
	})
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

// went lists where each alias went.
func went(r Result, all []Function) string {
	lines, left := upTo(len(all), longestListed, longestBody/4, func(i int) string {
		f := all[i]
		text := "- " + Code(f.Function, longestName)
		if f.Alias != "" {
			text += ", alias " + Code(f.Alias, longestName)
		}
		if f.Status == Skipped || !WasMoved(f) && f.Status != Failed {
			return text + ": " + Markdown(Done(f.Status), longestCell) + ", " + Markdown(Heading(f.Reason), longestCell)
		}
		if text += ": version " + way(f); !WasMoved(f) {
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

// jobsOf names the jobs that failed.
func jobsOf(run Run) string {
	failed := failedJobs(run.Jobs)
	lines := make([]string, 0, maxJobs)
	for _, job := range failed[:min(len(failed), maxJobs)] {
		lines = append(lines, "- **Failed job:** "+jobLine(job))
	}
	if more := len(failed) - maxJobs; more > 0 {
		lines = append(lines, fmt.Sprintf("- %d more jobs failed.", more))
	}
	return strings.Join(lines, "\n")
}

// unwellChecks are the checks that failed on what serves now.
func unwellChecks(all []Function) string {
	var lines []string
	for _, f := range all {
		for _, c := range f.Checks {
			if c.Status == CheckFailed && c.Version == "" && len(lines) < maxJobs {
				lines = append(lines, "- ❌ **Not well now:** "+Markdown(c.Name, longestCell)+": "+Markdown(c.Detail, longestCell))
			}
		}
	}
	return strings.Join(lines, "\n")
}

// listOf joins lists to one.
func listOf(lists ...string) string {
	return strings.Join(slices.DeleteFunc(lists, func(s string) bool { return s == "" }), "\n")
}

func jobLine(job Job) string {
	line := Link(Markdown(job.Name, longestCell), job.URL)
	if job.FailedStep != "" {
		line += ", in step “" + Markdown(job.FailedStep, longestCell) + "”"
	}
	return line
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

// runLinks leads to the runs.
func runLinks(r Result) string {
	var parts []string
	if isWebAddress(r.OwnURL) {
		name := "The run that rolled back"
		if !r.Moved() {
			name = "The run that tried to roll back"
		}
		parts = append(parts, Link(name, r.OwnURL))
	}
	if isWebAddress(r.Run.URL) && r.Run.URL != r.OwnURL {
		parts = append(parts, Link("The run that failed", r.Run.URL))
	}
	return strings.Join(parts, " · ")
}

// tooLong stands where a section was left out.
const tooLong = "This was too long for this page; the summary of the run has it."

// fit joins sections. Where they are too long together, the longest ones give
// way to a sentence, and only their headings stay.
func fit(sections []string) string {
	sections = slices.DeleteFunc(slices.Clone(sections), func(s string) bool { return s == "" })
	for range sections {
		if lengthOf(sections) <= longestBody {
			break
		}
		longest := 0
		for i, s := range sections {
			if len(s) > len(sections[longest]) {
				longest = i
			}
		}
		sections[longest] = shortened(sections[longest])
	}
	return strings.Join(sections, "\n\n") + "\n"
}

func shortened(text string) string {
	if title, _, found := strings.Cut(text, "\n"); found && strings.HasPrefix(title, "### ") {
		return title + "\n\n" + tooLong
	}
	return tooLong
}

func lengthOf(sections []string) int {
	n := 0
	for _, s := range sections {
		n += len(s) + len("\n\n")
	}
	return n
}
