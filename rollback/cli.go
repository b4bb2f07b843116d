package rollback

import (
	"fmt"
	"strings"

	"github.com/org/lambda-rollback-action/github"
	"github.com/org/lambda-rollback-action/rollback/report"
	"github.com/org/lambda-rollback-action/rollback/terminal"
)

const (
	programName    = "lambda-rollback-action"
	programPurpose = "Moves the alias of AWS Lambda functions back to the last good version, and shows why that one. At a terminal it lets you choose."
)

// exitUsage is the exit code of a call that could not be understood.
const exitUsage = 2

// Below this size a question and what it is about have no room, in cells.
const (
	leastWidth  = 30
	leastHeight = 12
)

// runArguments is the way in by arguments: the same story as a step's, told to a
// person or a program. It returns the exit code.
func runArguments(args []string, l Lifetime, w Deps) int {
	commands, flags := manual()
	a, err := terminal.Parse(args, commands, flags)
	switch {
	case err != nil:
		_, _ = fmt.Fprintf(w.Stderr, "%s: %s\n", programName, report.Line(err.Error(), longestProblems))
		return exitUsage
	case a.Version:
		_, _ = fmt.Fprintf(w.Stdout, "%s %s\n", programName, w.programVersion())
		return 0
	case a.Help:
		terminal.Help(w.Stdout, programName, programPurpose, commands, flags)
		return 0
	}
	w.Getenv = withFlags(w.Getenv, a, flags)
	redactor := redactorOf(w.Getenv)
	log := github.NewPlainLog(w.Stderr, redactor)
	s := newStory(l, w, log, redactor)
	s.person = &person{
		Screen: terminal.Screen{
			In: w.Stdin, Out: w.Stderr, Width: w.Terminal.Width, Height: w.Terminal.Height,
			Accessible: a.Accessible || !w.Terminal.drawable(w.Getenv("TERM")),
		},
		asks: w.Terminal.Interactive, yes: a.Yes,
	}
	s.tell()
	s.result.Timestamp = w.Clock.Now()
	s.tellPeople()

	result := redactor.Result(s.result)
	if a.JSON {
		_, _ = fmt.Fprintln(w.Stdout, github.WholeJSON(result))
	} else {
		_, _ = fmt.Fprint(w.Stdout, "\n"+report.Text(result))
	}
	if files := s.files(); files.Output != "" || files.Summary != "" {
		github.WriteFiles(result, log, files)
	}
	return result.ExitCode()
}

// manual is what can be written on the command line, from the definitions that
// the action's inputs have.
func manual() ([]terminal.Command, []terminal.Flag) {
	var commands []terminal.Command
	for _, c := range github.CommandDefinitions() {
		commands = append(commands, terminal.Command{Name: c.Name, Help: c.Description})
	}
	var flags []terminal.Flag
	for _, d := range github.InputDefinitions() {
		if d.Name == "command" {
			continue
		}
		flags = append(flags, terminal.Flag{
			Name: d.Name, Group: d.Group, Help: strings.ReplaceAll(d.Text(), "`", ""),
			Boolean: d.Boolean(), Secret: d.Secret, Variable: d.Variable(),
		})
	}
	return commands, flags
}

// withFlags lets flags stand before the variables of the inputs.
func withFlags(getenv func(string) string, a terminal.Arguments, flags []terminal.Flag) func(string) string {
	given := map[string]string{github.Definition{Name: "command"}.Variable(): a.Command}
	for _, f := range flags {
		if value, has := a.Values[f.Name]; has {
			given[f.Variable] = value
		}
	}
	return func(name string) string {
		if value, has := given[name]; has {
			return value
		}
		return getenv(name)
	}
}
