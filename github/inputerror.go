package github

import "strings"

// InputError says what is wrong with one input. It never holds the value of a
// secret input.
type InputError struct {
	Input   string // its name
	Problem string // to stand behind the name: begins with a verb
	Form    string // what the input accepts; empty where that is not the point
}

// Error is one line.
func (e InputError) Error() string {
	text := "input " + e.Input + " " + e.Problem
	if e.Form != "" {
		text += " (it takes " + e.Form + ")"
	}
	return text
}

// InputErrors is every problem of the inputs, in the order of action.yml.
type InputErrors []InputError

// Error joins the problems to one line.
func (e InputErrors) Error() string {
	lines := make([]string, len(e))
	for i, problem := range e {
		lines[i] = problem.Error()
	}
	return strings.Join(lines, "; ")
}
