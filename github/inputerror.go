package github

import (
	"slices"
	"strings"
)

// InputError says what is wrong with one input. It never contains the value of a
// secret input.
type InputError struct {
	Input   string // its name
	Problem string // follows the name in the message, so it begins with a verb
	Form    string // what the input accepts; empty if the form is not the problem
	// Essential and Check are from the input's Definition.
	Essential bool
	Check     string
	Site      bool // the input is one of the static site
}

// Error returns the error as one line.
func (e InputError) Error() string { return e.about("input " + e.Input) }

// AtTerminal returns the error for a person who uses flags.
func (e InputError) AtTerminal() string { return e.about("--" + e.Input) }

func (e InputError) about(what string) string {
	text := what + " " + e.Problem
	if e.Form != "" {
		text += " (it takes " + e.Form + ")"
	}
	return text
}

// InputErrors has all problems of the inputs, in the order of action.yml.
type InputErrors []InputError

// StopMoves reports whether one of the problems is in an input that the decision or
// the move depends on.
func (e InputErrors) StopMoves() bool {
	return slices.ContainsFunc(e, func(problem InputError) bool { return problem.Essential })
}

// Error returns all problems as one line.
func (e InputErrors) Error() string {
	lines := make([]string, len(e))
	for i, problem := range e {
		lines[i] = problem.Error()
	}
	return strings.Join(lines, "; ")
}
