package report

import "slices"

// NextSteps returns what to do about the whole result, most urgent first, as plain
// text. Functions with the same outcome share their steps.
func NextSteps(r Result) []string {
	texts := []string{}
	for _, s := range nextSteps(r) {
		texts = append(texts, s.plain())
	}
	return texts
}

// maxOutcomes limits how many different outcomes have their own steps.
const maxOutcomes = 6

// maxCommands limits how many functions with the same outcome get a command.
const maxCommands = 5

func nextSteps(r Result) []step {
	var all []step
	if r.Site != nil {
		for _, i := range siteRemedy(r) {
			all = append(all, step{i, valuesOf(r, r.Functions)})
		}
	}
	if len(r.Functions) == 0 {
		return append(all, stepsFor(r, []Function{{Status: r.Status, Reason: r.Reason}})...)
	}
	groups := groupByOutcome(r.Functions)
	for _, group := range groups[:min(len(groups), maxOutcomes)] {
		more := stepsFor(r, group)
		if len(groups) > 1 && len(more) > 0 {
			at := max(0, slices.IndexFunc(more, func(s step) bool { return !s.do.command }))
			more[at].do.text = "{function}: " + more[at].do.text
		}
		all = append(all, more...)
	}
	return all
}

// stepsFor fills in the remedy for functions with the same outcome.
func stepsFor(r Result, group []Function) []step {
	values := valuesOf(r, group)
	var all []step
	for _, i := range remedy(r.Command, group) {
		if !i.command {
			all = append(all, step{i, values})
			continue
		}
		for _, f := range group[:min(len(group), maxCommands)] {
			if moveCommand(f) != "" {
				all = append(all, step{i, valuesOf(r, []Function{f})})
			}
		}
	}
	return all
}

// isRollback distinguishes the command itself from the other commands (`check`, `list`
// and so on).
func isRollback(command string) bool {
	return command == "" || command == "rollback"
}

// groupByOutcome groups functions with the same outcome, most urgent first and
// otherwise in the given order.
func groupByOutcome(functions []Function) [][]Function {
	type outcome struct {
		status      Status
		reason      Reason
		notRestored bool
		noPrevious  NoPrevious
	}
	index := map[outcome]int{}
	var groups [][]Function
	for _, f := range mostUrgentFirst(functions) {
		key := outcome{f.Status, f.Reason, f.NotRestored, f.NoPrevious.deployedWith(f.Owner)}
		at, ok := index[key]
		if !ok {
			at = len(groups)
			index[key] = at
			groups = append(groups, nil)
		}
		groups[at] = append(groups[at], f)
	}
	return groups
}
