package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// facts are the lines with names, those about production first.
func facts(r Result, all []Function) []Fact {
	var out []Fact
	add := func(name, text, url string) {
		if text != "" {
			out = append(out, Fact{name, text, webAddress(url)})
		}
	}
	add("Environment", Line(r.Environment, longestName), "")
	if len(all) == 1 {
		f := all[0]
		add("Function", strings.TrimSuffix(Line(f.Function, longestName)+":"+Line(f.Alias, longestName), ":"), AliasURL(f))
		add("Version", wayText(f, bare), "")
		now, name := servesNow(f)
		if old := cmp.Or(failing(f), f.From); f.To != "" && old != now {
			what := "Failing version"
			if Forward(f) {
				what = "Served before"
			}
			add(what, dated(f, old), "")
		}
		if now != "" {
			add(name, dated(f, now), "")
		}
	}
	if isRollback(r.Command) {
		out = append(out, runFacts(r)...)
	}
	add("Reason given", oneLine(r.RequestReason, longestCell), "")
	if !r.Timestamp.IsZero() {
		add("Time", r.Timestamp.UTC().Format("2006-01-02 15:04:05")+" UTC", "")
	}
	return out
}

// runFacts tell what failed, what was in it, and who brought it.
func runFacts(r Result) []Fact {
	run, by := r.Run, "By"
	if askedFor(r) && !isFailed(run) { // its commit is nobody's fault
		run.SHA, by = "", "Asked for by"
	}
	var out []Fact
	jobs := failedJobs(run.Jobs)
	for _, job := range jobs[:min(len(jobs), maxJobs)] {
		text := oneLine(job.Name, longestCell)
		if job.FailedStep != "" {
			text += ", in step “" + oneLine(job.FailedStep, longestCell) + "”"
		}
		out = append(out, Fact{"Failed job", text, webAddress(job.URL)})
	}
	if run.SHA != "" {
		first, _, _ := strings.Cut(run.Commit, "\n")
		out = append(out, Fact{"Commit", strings.TrimSpace(ShortSHA(run.SHA) + " " + oneLine(first, longestCell)), webAddress(CommitURL(run))})
	}
	if run.Actor != "" {
		out = append(out, Fact{by, Line(run.Actor, longestName), ""})
	}
	if words := runWords(run); words != "" {
		if run.Attempt > 1 {
			words += fmt.Sprintf(", attempt %d", run.Attempt)
		}
		if run.Branch != "" {
			words += ", on " + Line(run.Branch, longestName)
		}
		out = append(out, Fact{"Run", words, webAddress(run.URL)})
	}
	return out
}

// servesNow is the version that a function's alias is on, and how sure that is;
// empty: not known.
func servesNow(f Function) (version, name string) {
	switch {
	case f.ChangedByOthers && isMoved(f):
		return f.To, "Rolled back to"
	case isMoved(f):
		return f.To, "Serves now"
	case f.Status == Failed: // a move whose answer was lost may have been made
		return f.From, "Served when last read"
	default:
		return f.From, "Serves now"
	}
}

func isMoved(f Function) bool { return f.To != "" && (f.Status == RolledBack || f.MovedAt != "") }

// dated is a version with when it was published and from which commit.
func dated(f Function, version string) string {
	text := versionOr(version)
	if at, known := f.Published[version]; known {
		text += ", published " + at.UTC().Format("2006-01-02 15:04") + " UTC"
	}
	if sha := f.Commits[version]; sha != "" {
		text += ", commit " + ShortSHA(sha)
	}
	return text
}

// wayText is where the alias went, as plain text: "42 → 41". say words a version.
func wayText(f Function, say func(version string) string) string {
	from, to := say(versionOr(f.From)), Line(f.To, longestName)
	switch {
	case f.From == "" && f.To == "":
		return ""
	case f.Status == Drilled:
		return from + " → " + say(versionOr(f.Target)) + " → " + from
	case f.Status == Ready && f.Target != "":
		return from + " (a rollback goes to " + Line(f.Target, longestName) + ")"
	case f.To == "":
		return from
	case f.From == f.To && f.WeightsCleared:
		return to + ", without the canary"
	case f.Status == RolledBack || f.MovedAt != "":
		return from + " → " + say(to)
	case f.Status == Planned:
		return from + " → " + say(to) + " (not done)"
	default:
		return from + " (" + to + " not reached)"
	}
}

// whyOf says why this version, and whose the failing one was.
func whyOf(f Function) []string {
	var out []string
	if f.Why != "" && f.Target != "" && f.Status != Skipped {
		out = append(out, fmt.Sprintf("Version %s %s because %s", Line(f.Target, longestName), taken(f), sentence(oneLine(f.Why, longestText))))
	}
	if f.Proof != "" {
		out = append(out, capital(sentence(oneLine(f.Proof, longestText))))
	}
	return out
}

// maxCauses is how many of several functions say in full why they were not
// moved. The message of the whole has only their reasons.
const maxCauses = 5

// causeOf is why a function was not moved, without what stands beside it; empty:
// that needs no words of its own.
func causeOf(f Function) string {
	if f.Status != Failed && !f.NeedsAttention() || movedUnwell(f) {
		return ""
	}
	text := f.Message
	if _, cause, found := strings.Cut(text, " was NOT rolled back: "); found {
		text = cause
	}
	return oneLine(text, longestCell)
}

// maxDated is how many functions there may be for each to have the dates and
// commits of its versions: beyond that nobody finds the versions among them.
const maxDated = 10

// inShort says a version with its date and commit as briefly as a row wants it:
// "41 (2026-03-06 01:14, 0f9e8d7)".
func (f Function) inShort(version string) string {
	var more []string
	if at, known := f.Published[version]; known {
		more = append(more, at.UTC().Format("2006-01-02 15:04"))
	}
	if sha := f.Commits[version]; sha != "" {
		more = append(more, ShortSHA(sha))
	}
	if len(more) == 0 {
		return version
	}
	return version + " (" + strings.Join(more, ", ") + ")"
}

func bare(version string) string { return version }

func alertRows(all []Function) (rows []AlertRow, left int) {
	regions := len(all) > 0 && severalRegions(all)
	causes := map[string]bool{}
	for _, f := range all[:min(len(all), maxAlertRows)] {
		name := strings.TrimSuffix(Line(f.Function, longestName)+":"+Line(f.Alias, longestName), ":")
		if regions {
			name += " in " + Line(f.Region, longestName)
		}
		result := Line(Done(f.Status), longestName)
		cause := causeOf(f)
		switch {
		case cause != "" && !causes[cause] && len(causes) < maxCauses:
			causes[cause] = true
			result += ": " + cause
		case f.ChangedByOthers && f.Status == RolledBack:
			result += ", and changed by somebody else since"
		case f.Healthy == Healthy:
			result += ", healthy"
		case f.Healthy == NotHealthy:
			result += ", NOT healthy"
		case f.Status == Failed, f.Status == Skipped:
			result += ": " + Line(Heading(f.Reason), longestName)
		}
		say := bare
		if len(all) <= maxDated {
			say = f.inShort
		}
		rows = append(rows, AlertRow{f.mark(), name, wayText(f, say), result, webAddress(AliasURL(f))})
	}
	return rows, len(all) - len(rows)
}

// webAddress is the URL where it is one to follow, else empty.
func webAddress(url string) string {
	if !isWebAddress(url) {
		return ""
	}
	return url
}

// pages are the links, the run first. Only web addresses are among them.
func pages(r Result, all []Function) []Page {
	var out []Page
	add := func(name, url string) {
		if isWebAddress(url) && !slices.ContainsFunc(out, func(p Page) bool { return p.URL == url }) {
			out = append(out, Page{name, url})
		}
	}
	name := "Run"
	if isFailed(r.Run) && isRollback(r.Command) {
		name = "Failed run"
	}
	add(name, r.Run.URL)
	add("This run", r.OwnURL)
	if len(all) == 1 {
		add("Alias", AliasURL(all[0]))
		add("Logs", LogsURL(all[0]))
	}
	return out
}
