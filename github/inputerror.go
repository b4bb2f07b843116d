package github

import (
	"slices"
	"strings"
)

// InputError says what is wrong with one input. It never holds the value of a
// secret input.
type InputError struct {
	Input   string // its name
	Problem string // to stand behind the name: begins with a verb
	Form    string // what the input accepts; empty where that is not the point
	// Essential and Check are those of the input's Definition.
	Essential bool
	Check     string
	Site      bool // it is one of the static site
}

// Error is one line.
func (e InputError) Error() string { return e.about("input " + e.Input) }

// AtTerminal is the error for a person who writes flags.
func (e InputError) AtTerminal() string { return e.about("--" + e.Input) }

func (e InputError) about(what string) string {
	text := what + " " + e.Problem
	if e.Form != "" {
		text += " (it takes " + e.Form + ")"
	}
	return text
}

// InputErrors is every problem of the inputs, in the order of action.yml.
type InputErrors []InputError

// StopMoves reports whether one of the problems is in what decides or makes a move.
func (e InputErrors) StopMoves() bool {
	return slices.ContainsFunc(e, func(problem InputError) bool { return problem.Essential })
}

// Error joins the problems to one line.
func (e InputErrors) Error() string {
	lines := make([]string, len(e))
	for i, problem := range e {
		lines[i] = problem.Error()
	}
	return strings.Join(lines, "; ")
}
