package report

import (
	"cmp"
	"fmt"
	"strings"
)

// Headline returns a short description of what happened, as plain text without a mark:
// "Rolled back: api is on version 41 again".
func Headline(r Result) string { return plainText.headline(r) }

func (m medium) headline(r Result) string {
	if text := m.siteHeadline(r); text != "" {
		return text
	}
	if r.Command == "promote" {
		return m.promotionHeadline(r)
	}
	if len(r.Functions) == 1 {
		return m.functionHeadline(r, r.Functions[0])
	}
	what := m.text(reasonHeadingFor(r.Command, r.Reason), longestCell)
	all := len(r.Functions)
	n := count(r.Functions, hasStatus(r.Status))
	switch r.Status {
	case RolledBack:
		if changed := count(r.Functions, isChangedByOthers); changed > 0 {
			return fmt.Sprintf("Rolled back: %s, of which somebody else changed %d afterwards", outOf(n, all), changed)
		}
		return fmt.Sprintf("Rolled back: %s on an earlier version again", outOfWithVerb(n, all))
	case Planned:
		return fmt.Sprintf("Dry run: %s %s", functionCount(n), statusTextFor(r.Command, Planned))
	case Failed:
		if all == 0 {
			return commandNoun(r.Command) + " failed: " + what
		}
		if r.Command == "drill" {
			return drillsHeadline(r.Functions, n)
		}
		text := fmt.Sprintf("%s failed for %s", commandNoun(r.Command), outOf(n, all))
		if count(r.Functions, movedButUnhealthy) == n {
			text = m.where(r) + " is NOT healthy after the rollback of " + outOf(n, all)
		} else if still := count(r.Functions, func(f Function) bool { return m.standsOn(r, f) != "" && f.Status == Failed }); still > 0 {
			text = fmt.Sprintf("%s is NOT rolled back for %s", m.where(r), outOf(still, all))
		}
		if moved := count(r.Functions, hasStatus(RolledBack)); moved > 0 {
			text += fmt.Sprintf("; %d rolled back", moved)
		}
		return text
	case Skipped:
		if !isRollback(r.Command) {
			return fmt.Sprintf("%s not changed: %s", functionCount(all), what)
		}
		if all > 0 {
			return fmt.Sprintf("Nothing rolled back: %s not changed", functionCount(all))
		}
		return "Nothing rolled back: " + what
	default:
		return otherHeadline(r.Status)
	}
}

// siteHeadline returns the headline if only the site determines the result, or an
// empty string if the functions do.
func (m medium) siteHeadline(r Result) string {
	if r.Site == nil || !isRollback(r.Command) || count(r.Functions, hasStatus(Failed)) > 0 {
		return ""
	}
	moved := count(r.Functions, hasStatus(RolledBack))
	failed := "the static site was NOT restored: " + m.text(reasonHeading(r.Site.Reason), longestCell)
	if r.Site.Reason == PartlyRestored {
		failed = "the static site was NOT restored completely"
	}
	switch {
	case r.Site.Status == Failed && moved > 1:
		return "The aliases were moved back, but " + failed
	case r.Site.Status == Failed && moved == 1:
		return "The alias was moved back, but " + failed
	case r.Site.Status == Failed:
		return capitalized(failed)
	case r.Site.Status == Planned && count(r.Functions, hasStatus(Planned)) == 0:
		return "Dry run: the static site would be restored"
	case r.Site.Status == Restored && moved == 0:
		return "Rolled back: the static site is as it was before the deploy"
	}
	return ""
}

func (m medium) functionHeadline(r Result, f Function) string {
	name := orFunction(m.name(f.Function, longestName))
	why := m.text(reasonHeadingFor(r.Command, f.Reason), longestCell)
	to := m.text(versionOrUnknown(f.To), longestName)
	switch r.Status {
	case RolledBack:
		if f.ChangedByOthers {
			return fmt.Sprintf("Rolled back: %s moved to version %s, and somebody else changed it afterwards", name, to)
		}
		if f.Reason == CanaryStopped {
			return fmt.Sprintf("Canary stopped: all of %s is on version %s", name, to)
		}
		if Forward(f) {
			return fmt.Sprintf("Moved: %s is on version %s, as chosen", name, to)
		}
		if f.Reason == Chosen {
			return fmt.Sprintf("Rolled back: %s is on version %s, as chosen", name, to)
		}
		return fmt.Sprintf("Rolled back: %s is on version %s again", name, to)
	case Planned:
		switch r.Command {
		case "snapshot":
			return fmt.Sprintf("Dry run: the live version of %s would be recorded", name)
		case "drill":
			return fmt.Sprintf("Dry run: %s would go to version %s, and return", name, to)
		}
		return fmt.Sprintf("Dry run: %s would go back to version %s", name, to)
	case Failed:
		if text := m.drillHeadline(r, f, name, why); text != "" {
			return text
		}
		if movedButUnhealthy(f) {
			return fmt.Sprintf("%s is NOT healthy: %s was rolled back to version %s", m.where(r), name, to)
		}
		if f.MovedAt != "" && f.To != "" {
			return fmt.Sprintf("%s is on version %s, but %s", name, to, why)
		}
		failed := fmt.Sprintf("%s of %s failed: %s", commandNoun(r.Command), name, why)
		if stands := m.standsOn(r, f); stands != "" {
			return stands + ". " + failed
		}
		return failed
	case Skipped:
		if !isRollback(r.Command) {
			return fmt.Sprintf("%s was not changed: %s", name, why)
		}
		if stands := m.standsOn(r, f); stands != "" && f.NeedsAttention() {
			return fmt.Sprintf("%s. %s was not rolled back: %s", stands, name, why)
		}
		return fmt.Sprintf("%s was not rolled back: %s", name, why)
	default:
		return otherHeadline(r.Status)
	}
}

// where returns the environment as the start of a sentence.
func (m medium) where(r Result) string {
	if r.Environment == "" {
		return "Production"
	}
	return capitalized(m.text(r.Environment, longestName))
}

// standsOn returns which version production is still on after a rollback that was not
// made: somebody who was woken up must know that first. It is empty if that is not
// known.
func (m medium) standsOn(r Result, f Function) string {
	if !isRollback(r.Command) || f.From == "" || f.MovedAt != "" {
		return ""
	}
	version, failing := cmp.Or(f.CanaryVersion, f.From), ""
	if isFailed(r.Run) {
		failing = "failing "
	}
	switch f.Reason { //nolint:exhaustive // every other reason leaves the alias where it was read
	case Timeout, Cancelled, AWSError, AliasChanged, Throttled: // a move without a response may have been made
		return fmt.Sprintf("%s was on %sversion %s when last read", m.where(r), failing, m.text(version, longestName))
	case AliasOnLatest:
		return m.where(r) + " is STILL on $LATEST"
	case VersionNotFound: // the version is only bad in the opinion of the person who chose another one
		failing = ""
	}
	if f.CanaryVersion != "" {
		return fmt.Sprintf("%s STILL sends %g%% of traffic to %sversion %s", m.where(r), 100*f.CanaryWeight, failing, m.text(version, longestName))
	}
	return fmt.Sprintf("%s is STILL on %sversion %s", m.where(r), failing, m.text(version, longestName))
}

// drillHeadline returns where the alias points after a failed drill, before anything
// else, or an empty string if the alias was not moved.
func (m medium) drillHeadline(r Result, f Function, name, why string) string {
	switch {
	case r.Command != "drill" || f.From == "":
		return ""
	case f.NotRestored:
		return fmt.Sprintf("%s was NOT returned to version %s after the drill", name, m.text(versionOrUnknown(f.From), longestName))
	case f.ChangedByOthers:
		return ""
	}
	return fmt.Sprintf("%s serves version %s, as before; the drill failed: %s", name, m.text(versionOrUnknown(f.From), longestName), why)
}

// drillsHeadline is drillHeadline for several functions, of which n failed.
func drillsHeadline(all []Function, n int) string {
	failed := "the drill failed for " + outOf(n, len(all))
	notRestored := count(all, isNotRestored)
	switch {
	case notRestored > 0:
		return outOf(notRestored, len(all)) + " NOT returned after the drill"
	case count(all, isChangedByOthers) > 0:
		return capitalized(failed)
	}
	return "Every alias is on the same version as before; " + failed
}

// otherHeadline returns the headline for the commands other than `rollback`.
func otherHeadline(status Status) string {
	switch status {
	case Ready:
		return "Ready: a rollback would work"
	case NotReady:
		return "Not ready: a rollback would not work"
	case Taken:
		return "Recorded the live version for a rollback"
	case Listed:
		return "Versions"
	case Promoted:
		return "Promoted: the new version has all of the traffic"
	case Drilled:
		return "Drill passed: a rollback works"
	default:
		return "Done"
	}
}

// commandNoun returns the name of a command for the start of a sentence.
func commandNoun(command string) string {
	if isRollback(command) {
		return "Rollback"
	}
	return strings.ToUpper(command[:1]) + command[1:]
}

// versionOrUnknown replaces an unknown version in a sentence.
func versionOrUnknown(version string) string {
	if version == "" {
		return "?"
	}
	return Line(version, longestName)
}

func count(all []Function, is func(Function) bool) int {
	n := 0
	for _, f := range all {
		if is(f) {
			n++
		}
	}
	return n
}

func hasStatus(status Status) func(Function) bool {
	return func(f Function) bool { return f.Status == status }
}

func isChangedByOthers(f Function) bool { return f.ChangedByOthers }

func isNotRestored(f Function) bool { return f.NotRestored }

func functionCount(n int) string {
	if n == 1 {
		return "1 function"
	}
	return fmt.Sprintf("%d functions", n)
}

// outOf is "2 of 3 functions", or "3 functions" if it is all of them.
func outOf(n, all int) string {
	if n == all {
		return functionCount(n)
	}
	return fmt.Sprintf("%d of %s", n, functionCount(all))
}

// outOfWithVerb is outOf with its verb.
func outOfWithVerb(n, all int) string {
	if n == 1 {
		return outOf(n, all) + " is"
	}
	return outOf(n, all) + " are"
}
