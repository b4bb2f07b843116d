package main

import (
	"fmt"
	"io"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/org/lambda-rollback-action/github"
	"github.com/org/lambda-rollback-action/report"
	"github.com/org/lambda-rollback-action/terminal"
)

const (
	programName    = "lambda-rollback-action"
	programPurpose = "Moves the alias of AWS Lambda functions back to the last good version, and shows why that one. At a terminal it lets you choose."
)

// exitUsage is the exit code of a call that could not be understood.
const exitUsage = 2

// streams are those of a terminal.
type streams struct {
	in       io.Reader
	out, err io.Writer
	// asks: a person sits at in and err, and can answer questions.
	asks bool
	// width and height are those of the terminal, in cells; 0: not known.
	width, height int
}

// Below this size a question and what it is about have no room, in cells.
const (
	leastWidth  = 30
	leastHeight = 12
)

// drawable tells whether questions can be drawn: on a terminal of a size that is
// not known, nothing would be seen of them.
func (s streams) drawable(kind string) bool {
	return kind != "dumb" && s.width >= leastWidth && s.height >= leastHeight
}

// runCommand is the way in by arguments: the same story as a step's, told to a
// person or a program. It returns the exit code.
func runCommand(args []string, std streams, l life, w world) int {
	commands, flags := manual()
	a, err := terminal.Parse(args, commands, flags)
	switch {
	case err != nil:
		_, _ = fmt.Fprintf(std.err, "%s: %s\n", programName, report.Line(err.Error(), longestProblems))
		return exitUsage
	case a.Version:
		_, _ = fmt.Fprintf(std.out, "%s %s\n", programName, programVersion())
		return 0
	case a.Help:
		terminal.Help(std.out, programName, programPurpose, commands, flags)
		return 0
	}
	w.getenv = withFlags(w.getenv, a, flags)
	redactor := redactorOf(w.getenv)
	log := github.NewPlainLog(std.err, redactor)
	s := newStory(l, w, log, redactor)
	s.person = &person{
		Screen: terminal.Screen{
			In: std.in, Out: std.err, Width: std.width, Height: std.height,
			Accessible: a.Accessible || !std.drawable(w.getenv("TERM")),
		},
		asks: std.asks, yes: a.Yes,
	}
	s.tell()
	s.result.Timestamp = w.clock.Now()
	s.tellPeople()

	result := redactor.Result(s.result)
	if a.JSON {
		_, _ = fmt.Fprintln(std.out, github.WholeJSON(result))
	} else {
		_, _ = fmt.Fprint(std.out, "\n"+report.Text(result))
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

// Given by the linker for a release; see the Dockerfile.
var version, revision string

func programVersion() string {
	if version != "" {
		return strings.TrimSpace(version + " " + revision)
	}
	info, found := debug.ReadBuildInfo()
	if !found {
		return "(unknown version)"
	}
	text := info.Main.Version
	at := slices.IndexFunc(info.Settings, func(s debug.BuildSetting) bool { return s.Key == "vcs.revision" })
	if at >= 0 {
		text += " " + info.Settings[at].Value
	}
	return text
}
