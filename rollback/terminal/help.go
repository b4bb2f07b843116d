package terminal

import (
	"fmt"
	"io"
	"strings"

	"github.com/charmbracelet/x/ansi"
)

const (
	helpWidth  = 80
	helpIndent = 6
)

// Help writes the manual page.
func Help(w io.Writer, program, purpose string, commands []Command, flags []Flag) {
	say := func(format string, args ...any) { _, _ = fmt.Fprintf(w, format+"\n", args...) }
	say("%s", wrap(purpose, 0))
	say("\nUsage:\n  %s <command> --function-name <name> [--flag value]...", program)
	say("\n%s", wrap("A flag without <value> stands for true; write --name=false for false, such as --remember=false. A list is written with commas, or with the flag several times.", 0))
	say("\nCommands:")
	for _, c := range commands {
		say("  %s\n%s", c.Name, wrap(c.Help, helpIndent))
	}
	say("\nAt a terminal:")
	for _, f := range TerminalFlags {
		writeFlag(say, f)
	}
	group := ""
	for _, f := range flags {
		if f.Group != group {
			group = f.Group
			say("\n%s:", group)
		}
		writeFlag(say, f)
	}
	say("\n%s", wrap("Each flag is an input of the GitHub Action of the same name. Where a flag is not given, the environment variable of the input is read, such as INPUT_FUNCTION-NAME. "+
		"AWS credentials and region come from where the AWS CLI has them. Exit code 0: done, or nothing to do; 1: it failed, or a check says not ready; 2: it was called wrongly.", 0))
}

// ShortHelp writes what the program can do, for who has not said what it is to do.
func ShortHelp(w io.Writer, program string, commands []Command) {
	say := func(format string, args ...any) { _, _ = fmt.Fprintf(w, format+"\n", args...) }
	say("\nUsage:\n  %s <command> --function-name <name> [--flag value]...\n\nCommands:", program)
	for _, c := range commands {
		first, _, _ := strings.Cut(c.Help, ". ")
		say("  %s\n%s", c.Name, wrap(strings.TrimSuffix(first, ".")+".", helpIndent))
	}
	say("\n%s --help shows every flag.", program)
}

func writeFlag(say func(string, ...any), f Flag) {
	form := " <value>"
	if f.Boolean {
		form = ""
	}
	text := f.Help
	if f.Secret {
		text += " Other users of this machine can see arguments: prefer the variable " + f.Variable + "."
	}
	say("  --%s%s\n%s", f.Name, form, wrap(text, helpIndent))
}

// wrap breaks text into lines of helpWidth columns.
func wrap(text string, indent int) string {
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(text) {
		switch {
		case line == "":
			line = word
		case indent+ansi.StringWidth(line)+1+ansi.StringWidth(word) > helpWidth:
			lines = append(lines, strings.Repeat(" ", indent)+line)
			line = word
		default:
			line += " " + word
		}
	}
	return strings.Join(append(lines, strings.Repeat(" ", indent)+line), "\n")
}
