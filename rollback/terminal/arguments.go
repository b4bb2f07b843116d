// Package terminal is the command-line interface: arguments and flags, help, and
// prompts at a terminal. It knows nothing about AWS or GitHub.
package terminal

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Flag is one command-line flag.
type Flag struct {
	Name    string
	Group   string // heading in the help
	Help    string // whole sentences
	Short   string // a few words, for one line of the help
	Boolean bool   // the flag without a value means true
	Secret  bool
	// Variable is the environment variable that is read if the flag is not set.
	Variable string
}

// Command is one command of the program.
type Command struct {
	Name, Help string
	Short      string   // a few words, for one line of the help
	Flags      []string // the names of the flags in the help on the command
}

// Arguments are the parsed arguments of the command line.
type Arguments struct {
	Command string
	Topic   string // the topic of the requested help: a command, "all", or ""
	// Values are the values of the flags that are set, by name. A flag that is
	// set several times has one line for each value.
	Values map[string]string

	Help       bool
	Version    bool
	JSON       bool // the result as JSON, for programs
	Yes        bool // do not ask
	Accessible bool // ask line by line, for screen readers
}

// TerminalFlags are the flags that are not inputs of the action.
var TerminalFlags = []Flag{
	{Name: "yes", Boolean: true, Help: "Do not ask for confirmation. Without --target-version, use the proposed version.", Short: "do not ask for confirmation"},
	{Name: "json", Boolean: true, Help: "Print the result as one JSON object, with the outputs of the action as its fields. Progress goes to standard error.", Short: "print the result as JSON"},
	{Name: "accessible", Boolean: true, Help: "Ask line by line, without drawing on the screen: for screen readers and plain terminals.", Short: "ask line by line, for screen readers"},
	{Name: "help", Boolean: true, Help: "Show this help."},
	{Name: "version", Boolean: true, Help: "Show the version of this program."},
}

// value collects the values of a flag.
type value struct {
	given   []string
	boolean bool
}

func (v *value) String() string { return strings.Join(v.given, "\n") }

func (v *value) Set(text string) error {
	if v.boolean {
		v.given = nil
	}
	v.given = append(v.given, text)
	return nil
}

// IsBoolFlag allows a boolean flag without a value; see [flag.Value].
func (v *value) IsBoolFlag() bool { return v.boolean }

var (
	// ErrUsage marks every error of [Parse].
	ErrUsage = errors.New("invalid arguments")
	// ErrNoCommand is the ErrUsage for arguments without a command.
	ErrNoCommand = fmt.Errorf("%w: the command is missing", ErrUsage)
)

// Parse parses the arguments: the command first, then flags, as --name value or
// --name=value. The error says what to write instead.
func Parse(args []string, commands []Command, flags []Flag) (Arguments, error) {
	a := Arguments{Values: map[string]string{}}
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		a.Command, args = args[0], args[1:]
	}
	values := map[string]*value{}
	set := flag.NewFlagSet("", flag.ContinueOnError)
	set.SetOutput(io.Discard)
	for _, f := range slices.Concat(flags, TerminalFlags) {
		values[f.Name] = &value{boolean: f.Boolean}
		set.Var(values[f.Name], f.Name, f.Help)
	}
	err := set.Parse(args)
	for _, own := range []struct {
		name string
		to   *bool
	}{{"help", &a.Help}, {"version", &a.Version}, {"json", &a.JSON}, {"yes", &a.Yes}, {"accessible", &a.Accessible}} {
		is, wrong := parseBool(own.name, values[own.name].String())
		*own.to = is
		err = cmp.Or(err, wrong)
	}
	for _, f := range flags {
		if v := values[f.Name]; v.given != nil {
			a.Values[f.Name] = v.String()
		}
	}
	switch {
	case a.Command == "help":
		a.Command, a.Topic = "", set.Arg(0)
		return asksForHelp(a, commands)
	case errors.Is(err, flag.ErrHelp) || err == nil && a.Help:
		a.Topic = a.Command
		return asksForHelp(a, commands)
	case err != nil:
		return a, fmt.Errorf("%w: %s; `help all` lists the flags", ErrUsage, plain(err))
	case set.NArg() > 0:
		return a, fmt.Errorf("%w: unexpected argument %q: write the command first, then flags as --name value", ErrUsage, set.Arg(0))
	case a.Version:
		return a, nil
	case a.Command == "":
		return a, ErrNoCommand
	case !isCommand(commands, a.Command):
		return a, unknownCommand(a.Command, commands)
	}
	return a, nil
}

// helpAll is the topic of the help with every flag.
const helpAll = "all"

func asksForHelp(a Arguments, commands []Command) (Arguments, error) {
	a.Help = true
	if a.Topic != "" && a.Topic != helpAll && !isCommand(commands, a.Topic) {
		return a, unknownCommand(a.Topic, commands)
	}
	return a, nil
}

func isCommand(commands []Command, name string) bool {
	return slices.ContainsFunc(commands, func(c Command) bool { return c.Name == name })
}

func unknownCommand(name string, commands []Command) error {
	return fmt.Errorf("%w: %q is not a command; the commands are %s", ErrUsage, name, commandNames(commands))
}

// parseBool parses one of TerminalFlags. It accepts only true and false: an
// ambiguous --yes must not move production.
func parseBool(name, text string) (bool, error) {
	switch strings.ToLower(text) {
	case "true":
		return true, nil
	case "", "false":
		return false, nil
	}
	return false, fmt.Errorf("--%s must be true or false, not %q", name, text)
}

// plain rewords an error of the package flag.
func plain(err error) string {
	text := err.Error()
	if name, found := strings.CutPrefix(text, "flag provided but not defined: -"); found {
		return "unknown flag --" + name
	}
	if name, found := strings.CutPrefix(text, "flag needs an argument: -"); found {
		return "--" + name + " needs a value"
	}
	return text
}

func commandNames(commands []Command) string {
	all := make([]string, len(commands))
	for i, c := range commands {
		all[i] = c.Name
	}
	return strings.Join(all, ", ")
}
