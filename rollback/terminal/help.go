package terminal

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/charmbracelet/x/ansi"
)

const (
	helpWidth  = 80
	helpIndent = 6
)

// Manual is the content of the help.
type Manual struct {
	Program, Purpose string
	Commands         []Command
	Flags            []Flag
	Common           []string // the names of the flags in the short help
}

// Help writes the help on a topic: a command, "all" for every flag, or "" for the
// short help.
func (m Manual) Help(w io.Writer, topic string) {
	say := func(format string, args ...any) { _, _ = fmt.Fprintf(w, format+"\n", args...) }
	for _, c := range m.Commands {
		if c.Name == topic {
			m.command(say, c)
			return
		}
	}
	if topic == helpAll {
		m.all(say)
		return
	}
	m.screen(say)
}

// screen writes the short help, of at most 24 lines.
func (m Manual) screen(say func(string, ...any)) {
	say("%s", wrap(m.Purpose, 0))
	say("Usage: %s <command> --function-name <name> [--flag value]...", m.Program)
	say("\nCommands:")
	for _, c := range m.Commands {
		say("  %-10s%s", c.Name, c.Short)
	}
	say("\nCommon flags:")
	m.shortFlags(say, m.Common)
	say("\n`help COMMAND` shows the flags of a command, `help all` shows every flag.")
}

// command writes the help on a command, in fewer than 40 lines.
func (m Manual) command(say func(string, ...any), c Command) {
	say("%s", wrap(c.Help, 0))
	say("\nUsage: %s %s --function-name <name> [--flag value]...", m.Program, c.Name)
	say("\nFlags:")
	m.shortFlags(say, c.Flags)
	say("\n%s", wrap("`help all` explains each flag, and the flags for other checks and notifications. AWS credentials and the region come from the same sources as for the AWS CLI.", 0))
}

func (m Manual) shortFlags(say func(string, ...any), names []string) {
	all := slices.Concat(m.Flags, TerminalFlags)
	for _, name := range names {
		for _, f := range all {
			if f.Name == name {
				say("  --%-25s%s", f.Name+placeholder(f), f.Short)
			}
		}
	}
}

func placeholder(f Flag) string {
	if f.Boolean {
		return ""
	}
	return " <value>"
}

func (m Manual) all(say func(string, ...any)) {
	say("%s", wrap(m.Purpose, 0))
	say("\nUsage:\n  %s <command> --function-name <name> [--flag value]...", m.Program)
	say("\n%s", wrap("A flag without <value> means true; write --name=false for false, such as --remember=false. Separate the entries of a list with commas, or repeat the flag.", 0))
	say("\nCommands:")
	for _, c := range m.Commands {
		say("  %s\n%s", c.Name, wrap(c.Help, helpIndent))
	}
	say("\nOnly on the command line:")
	for _, f := range TerminalFlags {
		writeFlag(say, f)
	}
	group := ""
	for _, f := range m.Flags {
		if f.Group != group {
			group = f.Group
			say("\n%s:", group)
		}
		writeFlag(say, f)
	}
	say("\n%s", wrap("Each flag is an input of the GitHub Action with the same name. If a flag is not set, the environment variable of the input is used, such as INPUT_FUNCTION-NAME. "+
		"AWS credentials and the region come from the same sources as for the AWS CLI. Exit code 0: success, or nothing to do; 1: failure, or a check is not ready; 2: invalid arguments.", 0))
}

func writeFlag(say func(string, ...any), f Flag) {
	text := f.Help
	if f.Secret {
		text += " Other users of this machine can see arguments: prefer the variable " + f.Variable + "."
	}
	say("  --%s%s\n%s", f.Name, placeholder(f), wrap(text, helpIndent))
}

// wrap breaks text into lines of helpWidth columns.
func wrap(text string, indent int) string { return wrapTo(helpWidth, text, indent) }

// Wrap breaks text into lines for a terminal of the given width; 0: not known.
func Wrap(text string, width int) string {
	if width <= 0 {
		width = helpWidth
	}
	return wrapTo(width, text, 0)
}

func wrapTo(width int, text string, indent int) string {
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(text) {
		switch {
		case line == "":
			line = word
		case indent+ansi.StringWidth(line)+1+ansi.StringWidth(word) > width:
			lines = append(lines, strings.Repeat(" ", indent)+line)
			line = word
		default:
			line += " " + word
		}
	}
	return strings.Join(append(lines, strings.Repeat(" ", indent)+line), "\n")
}
