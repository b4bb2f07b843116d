package report

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// siteSection is the section about the static site in the summary: what was done with
// it, its current state, and what is not restored.
func siteSection(r Result) section {
	s := r.Site
	if s == nil {
		return section{}
	}
	text := s.mark() + " " + inlineCode(s.place(), longestName) + " " + escapeMarkdown(s.statusText(), longestCell)
	if s.Message != "" {
		text += ": " + escapeMarkdown(s.Message, longestText)
	}
	rows := make([]string, 0, len(s.counts()))
	for _, c := range s.counts() {
		rows = append(rows, "| "+c.name+" | "+escapeMarkdown(c.value, longestCell)+" |")
	}
	table := ""
	if len(rows) > 0 {
		table = "| | |\n| --- | --- |\n" + strings.Join(rows, "\n")
	}
	keys, left := upTo(len(s.Keys), maxLines, sectionBytes, func(i int) string {
		k := s.Keys[i]
		line := "- " + escapeMarkdown(string(k.Action), longestName) + " " + inlineCode(k.Key, longestCell)
		if k.Detail != "" {
			line += ": " + escapeMarkdown(k.Detail, longestCell)
		}
		return line
	})
	return section{title: "The static site", body: joinParts("\n\n", text, table, keys+leftOut(left), noteList(s.Notes))}
}

// siteText is the same for a terminal.
func siteText(r Result) string {
	s := r.Site
	if s == nil {
		return ""
	}
	lines := []string{s.mark() + " site " + oneLine(s.place(), longestName) + " " + s.statusText()}
	for _, c := range s.counts() {
		lines = append(lines, "   "+c.name+": "+oneLine(c.value, longestCell))
	}
	for _, m := range s.Moments {
		lines = append(lines, fmt.Sprintf("   --site-restore-to %s (%d versions, %d delete markers)", oneLine(m.At, longestName), m.Versions, m.Removed))
	}
	for _, n := range s.Notes {
		lines = append(lines, noteText(n))
	}
	return strings.Join(lines, "\n")
}

// siteFact is the line about the site in a message, or empty if there is no site.
func siteFact(s *Site) string {
	if s == nil {
		return ""
	}
	text := oneLine(s.place(), longestName) + " " + s.statusText()
	switch {
	case s.Status == Planned:
		text += fmt.Sprintf(" (%d objects would be restored, %d removed)", s.Restored, s.Removed)
	case s.Restored+s.Removed+s.Failed > 0:
		text += fmt.Sprintf(" (%d objects restored, %d removed, %d failed)", s.Restored, s.Removed, s.Failed)
	}
	return text
}

// siteRemedies are for reasons whose general remedies are about an alias.
var siteRemedies = map[Reason]string{
	InvalidInput: "Correct the input that the message names, and run the job again.",
	Cancelled:    "Run the job again: it continues where this run stopped.",
	Timeout:      "Run the job again: it continues where this run stopped. Give it a longer `timeout` if S3 was slow.",
	Throttled:    "Run the job again in some minutes: it continues where this run stopped.",
	Superseded:   "No action is needed if the newer deploy is healthy. Otherwise roll back that run, or set the state to restore with `site-restore-to`.",
}

// siteRemedy returns what to do about the site.
func siteRemedy(r Result) []instruction {
	s := r.Site
	var all []instruction
	switch own, has := siteRemedies[s.Reason]; {
	case s.Status == Planned && count(r.Functions, hasStatus(Planned)) == 0:
		return statusRemedies[Planned]
	case s.Status != Failed && s.Status != NotReady && s.Status != Skipped:
		return nil
	case has:
		all = todo(own)
	default:
		all = slices.Clone(reasonTexts[s.Reason].remedy)
	}
	for i := range all {
		all[i].text = "The static site: " + all[i].text
	}
	return all
}

func (s *Site) mark() string {
	return mark(severity(s.Status, "", s.Status == Skipped && s.Reason == Superseded), s.Status)
}

func (s *Site) place() string {
	if s.Bucket == "" { // the input for it is invalid
		return "the site"
	}
	return "s3://" + s.Bucket + "/" + strings.TrimPrefix(s.Prefix, "/")
}

// statusText returns the outcome of the site, with the reason if it is not the
// requested one.
func (s *Site) statusText() string {
	text := strings.ReplaceAll(string(s.Status), "-", " ")
	if s.Reason != "" && (s.Status == Failed || s.Status == Skipped || s.Status == NotReady) {
		text += " (" + reasonHeading(s.Reason) + ")"
	}
	return text
}

// siteCount is one line about a site.
type siteCount struct{ name, value string }

func (s *Site) counts() []siteCount {
	var out []siteCount
	add := func(name, value string) {
		if value != "" && value != "0" {
			out = append(out, siteCount{name, value})
		}
	}
	if s.Cut != "" {
		add("State of", s.Cut+", by "+string(s.Evidence))
	}
	restored, removed := "Restored", "Removed"
	if s.Status == Planned {
		restored, removed = "Would be restored", "Would be removed"
	}
	add(restored, strconv.Itoa(s.Restored))
	add(removed, strconv.Itoa(s.Removed))
	add("Unchanged", strconv.Itoa(s.Unchanged))
	add("Written by a newer deploy", strconv.Itoa(s.Superseded))
	add("Failed", strconv.Itoa(s.Failed))
	add("Bytes copied", strconv.FormatInt(s.Bytes, 10))
	if s.Status == Planned {
		add("Estimated requests", strconv.Itoa(s.Requests))
	}
	if i := s.Invalidation; i != nil {
		add("CloudFront", joinParts(" ", i.DistributionID, i.ID, i.Status, i.Message))
	}
	return out
}

// leftByDeploy lists what a rollback does not restore.
func leftByDeploy(withSite bool) string {
	const always = "infrastructure, databases and their migrations, secrets or configuration stores"
	if withSite {
		return always
	}
	return "the static site, " + always
}

// NotRolledBack says so in a sentence.
func NotRolledBack(withSite bool) string {
	if withSite {
		return "This action rolls back the alias and the site only, not " + leftByDeploy(true) + "."
	}
	return "This action rolls back the alias only, not " + leftByDeploy(false) + "."
}

func notRolledBackSection(r Result) section {
	switch {
	case !isRollback(r.Command) || r.Status == Skipped || len(r.Functions) == 0:
		return section{}
	case r.Site != nil:
		return section{title: "Not rolled back", body: NotRolledBack(true)}
	}
	return section{title: "Not rolled back", body: NotRolledBack(false)}
}
