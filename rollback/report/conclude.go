package report

import (
	"fmt"
	"slices"
	"strings"
)

const (
	maxNames       = 10    // functions named in one list of a sentence
	longestMessage = 1_000 // characters of the output `message`
)

// Conclude sets the status, reason, message and health of the whole result from those
// of its functions. The status is `failed` if any failed, otherwise `rolled-back` if
// any was rolled back, otherwise `planned`, otherwise `skipped`; the reason is that of
// the first function with this status. A result without functions keeps its values;
// its health is unknown unless it is already set.
func Conclude(r *Result) {
	defer concludeSite(r)
	if len(r.Functions) == 0 {
		if r.Healthy == "" {
			r.Healthy = HealthUnknown
		}
		return
	}
	first := r.Functions[0]
	for _, f := range r.Functions[1:] {
		if precedenceOf(f.Status) < precedenceOf(first.Status) {
			first = f
		}
	}
	r.Status, r.Reason = first.Status, first.Reason
	r.Healthy = healthOf(r.Functions)
	r.Message = messageOf(r.Command, r.Functions, r.Environment)
}

// concludeSite includes the site: the whole result has failed if the site has, and
// something was rolled back if only the site was.
func concludeSite(r *Result) {
	if r.Site == nil {
		return
	}
	switch site := *r.Site; {
	case r.Status == Failed:
	case site.Status == Failed, site.Status == NotReady:
		r.Status, r.Reason = site.Status, site.Reason
	case r.Status == Skipped && site.Status == Restored:
		r.Status, r.Reason = RolledBack, site.reasonToRestore()
	case r.Status == Skipped && site.Status == Planned && isRollback(r.Command):
		r.Status, r.Reason = Planned, site.reasonToRestore()
	}
	about := capitalized(oneLine(r.Site.Message, longestText))
	if isRollback(r.Command) && r.Site.Status == Failed && r.Site.Reason != PartlyRestored {
		about = "The static site was NOT restored: " + about
	}
	r.Message = Cut(joinParts(". ", strings.TrimSuffix(r.Message, "."), about), longestMessage)
}

// reasonToRestore returns the reason for the restored state of the site.
func (s Site) reasonToRestore() Reason {
	if s.Evidence == ByManifest {
		return Snapshot
	}
	return PreviousVersion
}

// healthOf is not healthy if any function is not healthy, and healthy only if every
// function that was not skipped is healthy.
func healthOf(all []Function) Health {
	verdict := HealthUnknown
	unknown := false
	for _, f := range all {
		switch {
		case f.Healthy == NotHealthy:
			return NotHealthy
		case f.Healthy == Healthy:
			verdict = Healthy
		case f.Status != Skipped:
			unknown = true
		}
	}
	if unknown {
		return HealthUnknown
	}
	return verdict
}

// messageOf returns what happened to the functions in one sentence that can be
// forwarded unchanged: the message of a single function, or "2 of 3 functions in
// production were rolled back: api 42 → 41, worker 7 → 6; billing was not changed
// (not-deployed)". It has at most 1,000 characters.
func messageOf(command string, all []Function, environment string) string {
	switch len(all) {
	case 0:
		return ""
	case 1:
		if all[0].Message != "" {
			return oneLine(all[0].Message, longestMessage)
		}
		return Headline(Result{Command: command, Status: all[0].Status, Reason: all[0].Reason, Functions: all})
	}
	groups := byStatus(all)
	first := ""
	switch command {
	case "drill":
		first = drillOutcome(all)
	case "promote":
		first = promotionOutcome(all)
	}
	where := ""
	if environment != "" {
		where = " in " + Line(environment, longestName)
	}
	parts := make([]string, 0, len(groups))
	for i, group := range groups {
		verb := verbs[group[0].Status]
		if own, has := commandVerbs[command][group[0].Status]; has {
			verb = own
		}
		if movedButUnhealthy(group[0]) && isRollback(command) {
			verb = verbUnhealthy
		}
		if i == 0 {
			parts = append(parts, fmt.Sprintf("%s%s %s: %s",
				outOf(len(group), len(all)), where, verb.conjugate(len(group)), namesAndMoves(group)))
			continue
		}
		parts = append(parts, laterClause(group, verb))
	}
	if found := checksSummary(command, all); found != "" {
		parts = append(parts, found)
	}
	return Cut(first+strings.Join(parts, "; "), longestMessage)
}

// promotionOutcome lists the functions whose traffic a promotion could not return.
func promotionOutcome(all []Function) string {
	still := slices.DeleteFunc(slices.Clone(all), func(f Function) bool { return !f.NotRestored })
	if len(still) == 0 {
		return ""
	}
	return "traffic of " + functionNames(still) + " STILL goes to the new version; "
}

// drillOutcome says which versions the aliases are on after a drill of several
// functions, or returns an empty string if no drill was started.
func drillOutcome(all []Function) string {
	only := func(is func(Function) bool) []Function {
		return slices.DeleteFunc(slices.Clone(all), func(f Function) bool { return !is(f) })
	}
	notRestored := only(isNotRestored)
	changedByOthers := only(isChangedByOthers)
	begun := only(func(f Function) bool { return f.Status == Drilled || f.Status == Failed && f.From != "" })
	switch {
	case len(notRestored) > 0:
		return "NOT returned after the drill: " + joinFunctions(notRestored, func(f Function) string {
			return fmt.Sprintf("%s (served version %s)", Line(f.Function, longestName), versionOrUnknown(f.From))
		}) + "; "
	case len(changedByOthers) > 0:
		return fmt.Sprintf("somebody else changed %s during the drill; the others are on the same version as before; ", functionNames(changedByOthers))
	case len(begun) > 0:
		return "every alias is on the same version as before; "
	}
	return ""
}

// checksSummary returns what the checks of several functions found, as part of a
// sentence.
func checksSummary(command string, all []Function) string {
	verdict := healthOf(all)
	first := func(status CheckStatus) string {
		for _, f := range all {
			for _, c := range f.Checks {
				if c.Status == status && f.Healthy == verdict {
					return oneLine(c.Title()+": "+c.Detail, longestCell)
				}
			}
		}
		return ""
	}
	switch {
	case !isRollback(command) || !slices.ContainsFunc(all, checkedAfterMove):
		return ""
	case verdict == Healthy:
		return "all checks passed"
	case verdict == NotHealthy:
		return first(CheckFailed)
	case first(CheckInconclusive) == "":
		return "production recovered where it was checked, but not everything was checked"
	}
	return "could not confirm that production recovered (" + first(CheckInconclusive) + ")"
}

func checkedAfterMove(f Function) bool { return f.MovedAt != "" && f.wasChecked() }

// verb is the verb for functions with one status.
type verb struct{ one, many string }

func (v verb) conjugate(n int) string {
	if n == 1 {
		return v.one
	}
	return v.many
}

var verbs = map[Status]verb{
	RolledBack: {"was rolled back", "were rolled back"},
	Planned:    {"would be rolled back", "would be rolled back"},
	Skipped:    {"was not changed", "were not changed"},
	Failed:     {"could not be rolled back", "could not be rolled back"},
	Ready:      {"is ready", "are ready"},
	NotReady:   {"is not ready", "are not ready"},
	Taken:      {"was recorded", "were recorded"},
	Listed:     {"was listed", "were listed"},
	Drilled:    {"was drilled", "were drilled"},
	Promoted:   {"was promoted", "were promoted"},
}

// commandVerbs are the verbs of commands that describe a status in other words.
var commandVerbs = map[string]map[Status]verb{
	"check":    {Failed: {"could not be checked", "could not be checked"}},
	"snapshot": {Failed: {"could not be recorded", "could not be recorded"}, Planned: {"would be recorded", "would be recorded"}},
	"list":     {Failed: {"could not be listed", "could not be listed"}},
	"promote":  {Failed: {"was not promoted", "were not promoted"}, Planned: {"would be promoted", "would be promoted"}},
	"drill":    {Failed: {"failed the drill", "failed the drill"}, Planned: {"would be drilled", "would be drilled"}},
}

// verbUnhealthy is the verb for functions that were moved, but did not recover.
var verbUnhealthy = verb{"was rolled back but is not healthy", "were rolled back but are not healthy"}

// movedUnhealthy reports whether the rollback worked, but production is still
// unhealthy.
func movedButUnhealthy(f Function) bool {
	return f.Status == Failed && f.Reason == Unhealthy && f.To != "" && f.Promotion == nil
}

// laterClause returns a later part of the sentence: "api 42 → 41 was rolled back",
// "billing was not changed (not-deployed)".
func laterClause(group []Function, v verb) string {
	if group[0].To != "" && group[0].Promotion == nil || group[0].Status != Skipped && group[0].Status != Failed {
		return namesAndMoves(group) + " " + v.conjugate(len(group))
	}
	byReason := make([]string, 0, len(group))
	for _, same := range groupByOutcome(group) {
		byReason = append(byReason, fmt.Sprintf("%s %s (%s)",
			functionNames(same), v.conjugate(len(same)), Line(string(same[0].Reason), longestName)))
	}
	return strings.Join(byReason, ", ")
}

// namesAndMoves lists functions with their moves: "api 42 → 41", "billing
// (throttled)".
func namesAndMoves(group []Function) string {
	return joinFunctions(group, func(f Function) string {
		switch {
		case !movedButUnhealthy(f) && (f.Status == Failed || f.Status == Skipped):
			return fmt.Sprintf("%s (%s)", Line(f.Function, longestName), Line(string(f.Reason), longestName))
		case f.To != "":
			return Line(f.Function, longestName) + " " + FromTo(f.From, f.To)
		default:
			return Line(f.Function, longestName)
		}
	})
}

// functionNames lists functions: "api", "api and worker", "api, worker and 3 more".
func functionNames(group []Function) string {
	return joinFunctions(group, func(f Function) string { return Line(f.Function, longestName) })
}

func joinFunctions(group []Function, say func(Function) string) string {
	words := make([]string, 0, maxNames)
	for _, f := range group[:min(len(group), maxNames)] {
		words = append(words, say(f))
	}
	if more := len(group) - len(words); more > 0 {
		return strings.Join(words, ", ") + fmt.Sprintf(" and %d more", more)
	}
	return strings.Join(words, ", ")
}

// byStatus groups functions by status, the status of the whole result first. Of the
// failed functions, those that were not moved come before those that were.
func byStatus(all []Function) [][]Function {
	var groups [][]Function
	for _, status := range precedence {
		for _, moved := range []bool{false, true} {
			var group []Function
			for _, f := range all {
				if f.Status == status && movedButUnhealthy(f) == moved {
					group = append(group, f)
				}
			}
			if len(group) > 0 {
				groups = append(groups, group)
			}
		}
	}
	if len(groups) == 0 { // an unknown status
		groups = append(groups, all)
	}
	return groups
}
