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
	programPurpose = "Moves an AWS Lambda alias back to the last good version."
)

// exitUsage is the exit code for invalid arguments.
const exitUsage = 2

// The smallest size of a terminal, in cells, on which the prompts can be drawn.
const (
	leastWidth  = 30
	leastHeight = 12
)

// runArguments runs the program with command-line arguments. It does the same as a
// step of a workflow, but prints the result. It returns the exit code.
func runArguments(args []string, l Lifetime, d Deps) int {
	manual := manual()
	flags := manual.Flags
	given, err := terminal.Parse(args, manual.Commands, flags)
	switch {
	case errors.Is(err, terminal.ErrNoCommand):
		manual.Help(d.Stderr, "")
		_, _ = fmt.Fprintln(d.Stderr)
		return usageError(d, err.Error())
	case err != nil:
		return usageError(d, err.Error())
	case given.Version:
		_, _ = fmt.Fprintf(d.Stdout, "%s %s\n", programName, d.programVersion())
		return 0
	case given.Help:
		manual.Help(d.Stdout, given.Topic)
		return 0
	}
	d.Getenv = withFlags(d.Getenv, given, flags)
	inWorkflow := github.ReadContext(d.Getenv).RunID != 0
	if !inWorkflow && !given.JSON && !hasFunctionName(d) {
		manual.Help(d.Stderr, given.Command)
		_, _ = fmt.Fprintln(d.Stderr)
		return usageError(d, fmt.Sprintf("--function-name is missing, for example: %s %s --function-name my-function", programName, given.Command))
	}
	redactor := github.RedactorFor(d.Getenv)
	say, progress := func(text string) string { return text }, d.Stderr
	if !inWorkflow {
		say, progress = rewordForTerminal, terminalWriter{d.Stderr}
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
		if result.Reason == report.InvalidInput && a.outsideWorkflow() {
			_, _ = fmt.Fprintf(d.Stdout, "\nFor the flags and their values, run: %s help %s\n", programName, result.Command)
		}
	}
	if files := a.files(); files.Output != "" || files.Summary != "" {
		github.WriteFiles(result, log, files)
	}
	return result.ExitCode()
}

// hasFunctionName reports whether the input function-name is set.
func hasFunctionName(d Deps) bool {
	return strings.TrimSpace(d.Getenv(github.Definition{Name: "function-name"}.Variable())) != ""
}

// usageError prints an error in the arguments, and returns the exit code.
func usageError(d Deps, text string) int {
	_, _ = fmt.Fprintln(d.Stderr, terminal.Wrap(programName+": "+report.Line(strings.TrimPrefix(text, terminal.ErrUsage.Error()+": "), longestProblems), d.Terminal.Width))
	return exitUsage
}

// withFlags returns a getenv in which flags take precedence over the environment
// variables of the inputs.
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
