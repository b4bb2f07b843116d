package report

import "slices"

// NextSteps says what to do about the whole result, the most urgent first, as
// plain text. Functions that ended the same way share their steps.
func NextSteps(r Result) []string {
	texts := []string{}
	for _, s := range nextSteps(r) {
		texts = append(texts, s.plain())
	}
	return texts
}

// maxOutcomes bounds how many different ways to end are given steps of their own.
const maxOutcomes = 6

// maxCommands bounds how many functions with the same outcome get a command.
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

// stepsFor fills in the remedy for functions that ended the same way.
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

// isRollback tells the command itself from its companions (`check`, `list` …).
func isRollback(command string) bool {
	return command == "" || command == "rollback"
}

// groupByOutcome puts functions together that ended the same way, the most urgent
// first and otherwise in the order given.
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
		key := outcome{f.Status, f.Reason, f.NotRestored, f.NoPrevious}
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
