package terminal_test

import (
	"bytes"
	"context"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/rollback/terminal"
)

var (
	commands = []terminal.Command{{Name: "rollback", Help: "Goes back to what was.", Short: "go back", Flags: []string{"dry-run", "yes"}}, {Name: "list", Help: "Shows what there is.", Short: "show"}}
	flags    = []terminal.Flag{
		{Name: "function-name", Group: "What", Help: "The functions.", Short: "functions"},
		{Name: "dry-run", Group: "How", Help: "Changes nothing.", Short: "change nothing", Boolean: true},
		{Name: "smtp-password", Group: "How", Help: "The password.", Secret: true, Variable: "INPUT_SMTP-PASSWORD"},
	}
)

func TestParse(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		args string
		want terminal.Arguments
	}{
		"a command alone":            {"list", terminal.Arguments{Command: "list"}},
		"a value behind":             {"list --function-name api", terminal.Arguments{Command: "list", Values: values("function-name", "api")}},
		"a value with a sign":        {"list --function-name=api", terminal.Arguments{Command: "list", Values: values("function-name", "api")}},
		"a single dash":              {"list -function-name api", terminal.Arguments{Command: "list", Values: values("function-name", "api")}},
		"one flag several times":     {"list --function-name a --function-name b", terminal.Arguments{Command: "list", Values: values("function-name", "a\nb")}},
		"an empty value":             {"list --function-name=", terminal.Arguments{Command: "list", Values: values("function-name", "")}},
		"a boolean alone":            {"rollback --dry-run", terminal.Arguments{Command: "rollback", Values: values("dry-run", "true")}},
		"a boolean turned off":       {"rollback --dry-run=false", terminal.Arguments{Command: "rollback", Values: values("dry-run", "false")}},
		"a boolean, the last word":   {"rollback --dry-run --dry-run=no", terminal.Arguments{Command: "rollback", Values: values("dry-run", "no")}},
		"the flags of a terminal":    {"rollback --yes --json --accessible", terminal.Arguments{Command: "rollback", Yes: true, JSON: true, Accessible: true}},
		"yes taken back":             {"rollback --yes=false", terminal.Arguments{Command: "rollback"}},
		"yes taken back, in letters": {"rollback --yes --yes=False --json=TRUE", terminal.Arguments{Command: "rollback", JSON: true}},
		"help of a command":          {"rollback --help", terminal.Arguments{Command: "rollback", Topic: "rollback", Help: true}},
		"help of a command, before":  {"help rollback", terminal.Arguments{Topic: "rollback", Help: true}},
		"every flag":                 {"help all", terminal.Arguments{Topic: "all", Help: true}},
		"help alone":                 {"--help", terminal.Arguments{Help: true}},
		"help as a command":          {"help", terminal.Arguments{Help: true}},
		"the version of the program": {"--version", terminal.Arguments{Version: true}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := terminal.Parse(strings.Fields(c.args), commands, flags)
			require.NoError(t, err)
			if c.want.Values == nil {
				c.want.Values = map[string]string{}
			}
			assert.Equal(t, c.want, got)
		})
	}
}

func values(name, value string) map[string]string { return map[string]string{name: value} }

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for args, says := range map[string]string{
		"":                              "the command is missing",
		"undo":                          `"undo" is not a command; the commands are rollback, list`,
		"help undo":                     `"undo" is not a command`,
		"list --functon-name api":       "unknown flag --functon-name; `help all` lists the flags",
		"list --jsn":                    "unknown flag --jsn; `help all` lists the flags",
		"list --something-else-by-far":  "unknown flag --something-else-by-far; `help all`",
		"list --function-name":          "--function-name needs a value",
		"rollback --yes=no":             `--yes must be true or false, not "no"`,
		"rollback --yes=0":              `--yes must be true or false, not "0"`,
		"rollback --yes --accessible=x": `--accessible must be true or false, not "x"`,
		"list api":                      `unexpected argument "api"`,
		"list --function-name api more": `unexpected argument "more"`,
	} {
		_, err := terminal.Parse(strings.Fields(args), commands, flags)
		require.ErrorIs(t, err, terminal.ErrUsage, args)
		assert.ErrorContains(t, err, says, args)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("list --function-name api --dry-run")
	f.Fuzz(func(t *testing.T, line string) {
		a, err := terminal.Parse(strings.Split(line, " "), commands, flags)
		if err == nil && !a.Help && !a.Version && a.Command != "rollback" && a.Command != "list" {
			t.Fatalf("the command %q", a.Command)
		}
	})
}

func TestHelp(t *testing.T) {
	t.Parallel()
	help := func(topic string) string {
		var page bytes.Buffer
		terminal.Manual{Program: "program", Purpose: "Does something.", Commands: commands, Flags: flags, Common: []string{"function-name"}}.Help(&page, topic)
		return page.String()
	}
	screen := help("")
	assert.Contains(t, screen, "Usage: program <command> --function-name <name>")
	assert.Contains(t, screen, "  rollback  go back\n")
	assert.Contains(t, screen, "  --function-name <value>    functions\n")
	assert.NotContains(t, screen, "--dry-run")

	command := help("rollback")
	assert.Contains(t, command, "Goes back to what was.\n\nUsage: program rollback --function-name <name>")
	assert.Contains(t, command, "  --dry-run                  change nothing\n  --yes                      do not ask")
	assert.NotContains(t, command, "--function-name <value>")

	all := help("all")
	assert.Contains(t, all, "  rollback\n      Goes back to what was.\n")
	assert.Contains(t, all, "What:\n  --function-name <value>\n      The functions.\n")
	assert.Contains(t, all, "  --dry-run\n      Changes nothing.\n")
	assert.Contains(t, all, "prefer the\n      variable INPUT_SMTP-PASSWORD.")
	assert.Equal(t, 1, strings.Count(all, "\nHow:\n"), "a heading once")
}

// page is a question of each kind.
func questions() (choice *terminal.Choice, line *terminal.Input, sure *terminal.Confirm, pages []terminal.Page) {
	choice = &terminal.Choice{Value: "b", Options: []terminal.Option{{Label: "first", Value: "a"}, {Label: "second", Value: "b"}}}
	line, sure = &terminal.Input{Limit: 10}, &terminal.Confirm{Yes: "yes", No: "no"}
	title := func(text string) func() string { return func() string { return text } }
	return choice, line, sure, []terminal.Page{
		{Title: title("Which?"), Choice: choice},
		{Title: title("Why?"), Input: line},
		{Title: title("Sure?"), Confirm: sure, Description: func() string { return "goes to " + choice.Value }},
	}
}

func TestAskInLines(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		typed  string
		choice string
		line   string
		sure   bool
		left   bool
	}{
		"everything answered":         {"1\nbecause\ny\n", "a", "because", true, false},
		"enter takes what is offered": {"\n\n\n", "b", "", false, false},
		"no":                          {"1\n\nn\n", "a", "", false, false},
		"nonsense is asked again":     {"7\nx\n1\n\nmaybe\ny\n", "a", "", true, false},
		"the input ends at once":      {"", "b", "", false, true},
		"it ends before the last":     {"1\nbecause\n", "a", "because", false, true},
		"it ends within an answer":    {"1\nbecause\ny", "a", "because", true, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			choice, line, sure, pages := questions()
			var out bytes.Buffer
			err := terminal.Screen{In: strings.NewReader(c.typed), Out: &out, Accessible: true}.Ask(t.Context(), pages)
			if c.left {
				require.ErrorIs(t, err, terminal.ErrAborted)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, c.choice, choice.Value)
			assert.Equal(t, c.line, line.Value)
			assert.Equal(t, c.sure, sure.Value)
			assert.Contains(t, out.String(), "goes to "+c.choice)
		})
	}
}

// The context's end is an answer, also while nobody types.
func TestAskEndsWithItsContext(t *testing.T) {
	t.Parallel()
	never, _ := io.Pipe()
	ctx, cancel := context.WithCancel(t.Context())
	_, _, sure, pages := questions()
	done := make(chan error)
	go func() { done <- terminal.Screen{In: never, Out: io.Discard, Accessible: true}.Ask(ctx, pages) }()
	cancel()
	require.ErrorIs(t, <-done, terminal.ErrAborted)
	assert.False(t, sure.Value)
}

func TestWrap(t *testing.T) {
	t.Parallel()
	assert.Equal(t, "one two\nthree", terminal.Wrap("one two three", 8))
	assert.Equal(t, "one two three", terminal.Wrap("one two three", 0), "an unknown width is 80")
}
