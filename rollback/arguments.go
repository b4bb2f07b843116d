package rollback

import (
	"errors"
	"fmt"

	"github.com/org/lambda-rollback-action/github"
	"github.com/org/lambda-rollback-action/rollback/report"
	"github.com/org/lambda-rollback-action/rollback/terminal"
)

const (
	programName    = "lambda-rollback-action"
	programPurpose = "Moves an AWS Lambda alias back to the last good version."
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
	manual := manual()
	flags := manual.Flags
	given, err := terminal.Parse(args, manual.Commands, flags)
	switch {
	case errors.Is(err, terminal.ErrNoCommand):
		manual.Help(d.Stderr, "")
		_, _ = fmt.Fprintf(d.Stderr, "%s: %s\n", programName, err)
		return exitUsage
	case err != nil:
		_, _ = fmt.Fprintf(d.Stderr, "%s: %s\n", programName, report.Line(err.Error(), longestProblems))
		return exitUsage
	case given.Version:
		_, _ = fmt.Fprintf(d.Stdout, "%s %s\n", programName, d.programVersion())
		return 0
	case given.Help:
		manual.Help(d.Stdout, given.Topic)
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
