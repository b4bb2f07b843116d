package report

import (
	"slices"
	"strings"
)

// Remedy says what to do about the result for one function, one step an
// element, as plain text. It is empty where nothing is to be done.
func Remedy(r Result, f Function) []string {
	return plainSteps(steps(r, []Function{f}))
}

// NextSteps says what to do about the whole result, the most urgent first, as
// plain text. Functions that ended the same way share their steps.
func NextSteps(r Result) []string {
	return plainSteps(nextSteps(r))
}

// maxWays bounds how many different ways to end are given steps of their own.
const maxWays = 6

func nextSteps(r Result) []step {
	if len(r.Functions) == 0 {
		return steps(r, []Function{{Status: r.Status, Reason: r.Reason}})
	}
	groups := alike(r.Functions)
	var all []step
	for _, group := range groups[:min(len(groups), maxWays)] {
		more := steps(r, group)
		if len(groups) > 1 && len(more) > 0 {
			more[0].template = "{function}: " + more[0].template
		}
		all = append(all, more...)
	}
	return all
}

// steps fills in the remedy for functions that ended the same way.
func steps(r Result, group []Function) []step {
	f := group[0]
	var templates []string
	add := func(text string) {
		if text != "" {
			templates = append(templates, strings.Split(text, "\n")...)
		}
	}
	switch f.Status {
	case Failed, Skipped:
		if f.NotRestored {
			add(goHome)
		}
		if own, has := ownRemedies[r.Command][f.Reason]; has {
			add(own)
		} else {
			add(wordings[f.Reason].remedy)
		}
	case RolledBack:
		doubt := slices.ContainsFunc(group, Function.isInconclusive)
		switch {
		case slices.ContainsFunc(group, func(f Function) bool { return f.ChangedByOthers }):
			add(afterElsewhere)
		case f.Reason == Chosen && doubt:
			add(chosenInDoubt + "\n" + afterChoice)
		case f.Reason == Chosen:
			add(afterChoice)
		case doubt:
			add(afterDoubt)
		default:
			add(afterwards[f.Status])
		}
		if f.Reason == Chosen {
			break
		}
		if len(f.Tried) > 0 {
			add(afterSteps)
		}
	default:
		add(afterwards[f.Status])
	}
	if f.Status == Failed && isRollback(r.Command) {
		add(byHand)
	}
	values := valuesOf(r, group)
	all := make([]step, 0, len(templates))
	for _, template := range templates {
		all = append(all, step{template: template, values: values})
	}
	return all
}

// isRollback tells the command itself from its companions (`check`, `list` …).
func isRollback(command string) bool {
	return command == "" || command == "rollback"
}

// alike puts functions together that ended the same way, the most urgent first
// and otherwise in the order given.
func alike(functions []Function) [][]Function {
	type end struct {
		status   Status
		reason   Reason
		stranded bool
	}
	index := map[end]int{}
	var groups [][]Function
	for _, f := range mostUrgentFirst(functions) {
		key := end{f.Status, f.Reason, f.NotRestored}
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
