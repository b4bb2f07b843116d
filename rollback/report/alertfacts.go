package report

import (
	"cmp"
	"strings"
)

// alertFacts returns the lines with names, those about production first.
func alertFacts(r Result, all []Function) []Fact {
	var out []Fact
	add := func(name, text, url string) {
		if text != "" {
			out = append(out, Fact{name, text, webAddress(url)})
		}
	}
	add("Environment", Line(r.Environment, longestName), "")
	if len(all) == 1 {
		f := all[0]
		add("Function", strings.TrimSuffix(Line(f.Function, longestName)+":"+Line(f.Alias, longestName), ":"), aliasURL(f))
		add("Version", plainText.move(f, nil), "")
		now, name := servingFact(f)
		if old := cmp.Or(failedVersion(f), f.From); f.To != "" && old != now {
			what := "Failing version"
			if Forward(f) || f.Status == Promoted {
				what = "Previous version"
			}
			add(what, versionInFull(f, old), "")
		}
		if now != "" {
			add(name, versionInFull(f, now), "")
		}
		for _, fact := range ownerFacts(f) {
			add(fact.Name, fact.Text, "")
		}
	}
	add("Static site", siteFact(r.Site), "")
	if isRollback(r.Command) {
		out = append(out, alertRunFacts(r)...)
	}
	add("Reason given", oneLine(r.RequestReason, longestCell), "")
	if !r.Timestamp.IsZero() {
		add("Time", r.Timestamp.UTC().Format("2006-01-02 15:04:05")+" UTC", "")
	}
	return out
}

// alertRunFacts returns what failed, what it contained, and who started it.
func alertRunFacts(r Result) []Fact {
	run, by := r.Run, "By"
	if requestedByPerson(r) && !isFailed(run) { // its commit did not cause the failure
		run.SHA, by = "", "Requested by"
	}
	var out []Fact
	for _, f := range append(plainText.jobFacts(run), plainText.runFacts(run, by)...) {
		out = append(out, Fact{f.name, f.linked + f.rest, webAddress(f.url)})
	}
	return out
}

// servingFact returns the version that the alias of a function is on, and how certain
// that is, or an empty fact if it is not known.
func servingFact(f Function) (version, name string) {
	switch {
	case f.ChangedByOthers && WasMoved(f):
		return f.To, "Rolled back to"
	case WasMoved(f), f.Status == Promoted && f.To != "":
		return f.To, "Live version"
	case f.Status == Failed: // a move without a response may have been made
		return f.From, "Live when last read"
	default:
		return f.From, "Live version"
	}
}

// versionInFull returns a version with its publication time and its commit.
func versionInFull(f Function, version string) string {
	text := versionOrUnknown(version)
	if at, known := f.Published[version]; known {
		text += ", published " + at.UTC().Format("2006-01-02 15:04") + " UTC"
	}
	if sha := f.Commits[version]; sha != "" {
		text += ", commit " + ShortSHA(sha)
	}
	return text
}

// maxCauses is for how many functions the full reason is shown why they were not
// moved. The message of the whole result contains only the codes.
const maxCauses = 5

// causeOf returns why a function was not moved, without what is shown next to it, or
// an empty string if no explanation is needed.
func causeOf(command string, f Function) string {
	if f.Status != Failed && !f.NeedsAttention() || movedButUnhealthy(f) {
		return ""
	}
	if isRollback(command) && f.Cause != "" {
		return oneLine(f.Cause, longestCell)
	}
	return oneLine(f.Message, longestCell)
}

// maxDated is up to how many functions the dates and commits of their versions are
// shown: with more functions, the versions would be hard to find among them.
const maxDated = 10

// versionInShort returns a version with its date and commit in short form, for a table
// row: "41 (2026-03-06 01:14, 0f9e8d7)".
func (f Function) versionInShort(version string) string {
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

func alertRows(command string, all []Function) (rows []AlertRow, left int) {
	regions := len(all) > 0 && severalRegions(all)
	causes := map[string]bool{}
	for _, f := range all[:min(len(all), maxAlertRows)] {
		name := strings.TrimSuffix(Line(f.Function, longestName)+":"+Line(f.Alias, longestName), ":")
		if regions {
			name += " in " + Line(f.Region, longestName)
		}
		result := Line(StatusText(f.Status), longestName)
		cause := causeOf(command, f)
		switch {
		case cause != "" && !causes[cause] && len(causes) < maxCauses:
			causes[cause] = true
			result += ": " + cause
		case f.ChangedByOthers && f.Status == RolledBack:
			result += ", then changed by somebody else"
		case f.Healthy == Healthy:
			result += ", healthy"
		case f.Healthy == NotHealthy:
			result += ", NOT healthy"
		case f.Status == Failed, f.Status == Skipped:
			result += ": " + Line(reasonHeading(f.Reason), longestName)
		}
		var about func(string) string
		if len(all) <= maxDated {
			about = f.versionInShort
		}
		rows = append(rows, AlertRow{f.mark(), name, plainText.move(f, about), result, webAddress(aliasURL(f))})
	}
	return rows, len(all) - len(rows)
}

// webAddress returns the URL if it is a web address, otherwise an empty string.
func webAddress(url string) string {
	if !isWebAddress(url) {
		return ""
	}
	return url
}

// alertLinks returns the useful pages, the page of the run first.
func alertLinks(r Result) []Page {
	names := map[linkKind]string{linkToRun: r.runLinkName("Run"), linkToOwnRun: "This run", linkToAlias: "Alias", linkToLogs: "Logs"}
	var out []Page
	for _, l := range linksOf(r) {
		out = append(out, Page{names[l.to], l.url})
	}
	return out
}
