package rollback

import (
	"errors"
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

// runArguments runs the program by its arguments: it does the same as a step, and
// answers a person or a program. It gives the exit code.
func runArguments(args []string, l Lifetime, d Deps) int {
	commands, flags := manual()
	given, err := terminal.Parse(args, commands, flags)
	switch {
	case err != nil:
		_, _ = fmt.Fprintf(d.Stderr, "%s: %s\n", programName, report.Line(err.Error(), longestProblems))
		if errors.Is(err, terminal.ErrNoCommand) {
			terminal.ShortHelp(d.Stderr, programName, commands)
		}
		return exitUsage
	case given.Version:
		_, _ = fmt.Fprintf(d.Stdout, "%s %s\n", programName, d.programVersion())
		return 0
	case given.Help:
		terminal.Help(d.Stdout, programName, programPurpose, commands, flags)
		return 0
	}
	d.Getenv = withFlags(d.Getenv, given, flags)
	redactor := github.RedactorFor(d.Getenv)
	say, progress := func(text string) string { return text }, d.Stderr
	if github.ReadContext(d.Getenv).RunID == 0 { // no workflow is behind it
		say, progress = sayByHand, byHandWriter{d.Stderr}
	}
	log := github.NewPlainLog(progress, redactor)
	a := newAction(l, d, log, redactor)
	a.person = &person{
		screen: terminal.Screen{
			In: d.Stdin, Out: d.Stderr, Width: d.Terminal.Width, Height: d.Terminal.Height,
			Accessible: given.Accessible || !d.Terminal.drawable(d.Getenv("TERM")),
		},
		interactive: d.Terminal.Interactive, confirmed: given.Yes,
	}
	a.execute()

	result := redactor.Result(a.result)
	if given.JSON {
		_, _ = fmt.Fprintln(d.Stdout, github.WholeJSON(result))
	} else {
		_, _ = fmt.Fprint(d.Stdout, "\n"+say(report.Text(result)))
	}
	if files := a.files(); files.Output != "" || files.Summary != "" {
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
