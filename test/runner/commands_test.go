package runner_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// command is one workflow command that the runner would carry out.
type command struct {
	name, properties, data string
}

type parsedLog struct {
	commands []command
	legacy   []string // lines with `##[`, which the runner takes for commands too
	text     []string
	lines    []string // all of them, as they came
}

// parseLog reads what a process wrote as the runner does, and is stricter: each
// line that could be taken for a command counts as one, whether or not the
// runner knows its name, and whether or not it has its end (ActionCommand.cs of
// actions/runner).
func parseLog(text string) parsedLog {
	var log parsedLog
	for line := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == '\n' || r == '\r' }) {
		log.lines = append(log.lines, line)
		seen := strings.Map(compared, line)
		if strings.Contains(seen, "##[") {
			log.legacy = append(log.legacy, seen)
		}
		rest, isCommand := strings.CutPrefix(strings.TrimSpace(seen), "::")
		if !isCommand {
			log.text = append(log.text, line)
			continue
		}
		head, data, _ := strings.Cut(rest, "::")
		name, properties, _ := strings.Cut(head, " ")
		log.commands = append(log.commands, command{name, properties, unescape.Replace(data)})
	}
	return log
}

// compared drops what the runner's comparison of texts by culture does not see,
// be it between the two characters of a command's mark.
func compared(r rune) rune {
	if unicode.In(r, unicode.Cf, unicode.Cc, unicode.Variation_Selector, unicode.Other_Default_Ignorable_Code_Point) && r != '\t' {
		return -1
	}
	return r
}

var unescape = strings.NewReplacer("%0D", "\r", "%0A", "\n", "%25", "%")

// parseOutputs reads GITHUB_OUTPUT as the runner does (FileCommandManager.cs).
// Where the runner would fail the step, so does this.
func parseOutputs(text string) (map[string]string, error) {
	outputs := map[string]string{}
	lines := strings.Split(text, "\n")
	for i := 0; i < len(lines); i++ {
		line := lines[i]
		if line == "" {
			continue
		}
		equals, here := strings.Index(line, "="), strings.Index(line, "<<")
		var name, value string
		switch {
		case equals >= 0 && (here < 0 || equals < here):
			name, value = line[:equals], line[equals+1:]
		case here >= 0:
			name = line[:here]
			delimiter := line[here+2:]
			end := slices.Index(lines[i+1:], delimiter)
			if delimiter == "" || end < 0 {
				return outputs, fmt.Errorf("matching delimiter not found %q", delimiter)
			}
			value = strings.Join(lines[i+1:i+1+end], "\n")
			i += end + 1
		default:
			return outputs, fmt.Errorf("invalid format %q", line)
		}
		if name == "" {
			return outputs, errors.New("name must not be empty")
		}
		if _, twice := outputs[name]; twice {
			return outputs, fmt.Errorf("the output %q is set twice", name)
		}
		outputs[name] = value
	}
	return outputs, nil
}

// ours are the only commands that the program gives, in their exact form.
var ours = map[string]*regexp.Regexp{
	"group":    regexp.MustCompile(`^$`),
	"endgroup": regexp.MustCompile(`^$`),
	"notice":   regexp.MustCompile(`^title=Lambda rollback$`),
	"warning":  regexp.MustCompile(`^title=Lambda rollback$`),
	"error":    regexp.MustCompile(`^title=Lambda rollback$`),
	"debug":    regexp.MustCompile(`^$`),
}

const (
	summaryLimit    = 1 << 20 // bytes; above it, GitHub drops the whole summary
	outputsLimit    = 1 << 20 // bytes of all outputs, which GitHub reckons in UTF-16
	annotationLimit = 4096    // characters
)

var jsonOutputs = []string{"results", "versions", "notifications"}

// verify is what must be true of every outcome.
func (o outcome) verify(tb testing.TB) {
	tb.Helper()
	o.verifyLog(tb)
	o.verifyOutputs(tb)
	o.verifySummary(tb)
	fails := o.status() == "failed" || o.status() == "not-ready"
	assert.Equal(tb, fails, o.code == 1, "exit code %d with status %s", o.code, o.status())
	assert.Contains(tb, []int{0, 1}, o.code)
	if tb.Failed() {
		tb.Logf("the log was:\n%s%s", o.stdout, o.stderr)
	}
}

// libraries are the lines that the program's libraries are known to write.
var libraries = regexp.MustCompile(`(?m)^(SDK \S+ \S+ WARN failed to discard remaining HTTP response body, .*|\S+ \S+ RoundTripper returned a response & error; ignoring response)\n`)

func (o outcome) verifyLog(tb testing.TB) {
	tb.Helper()
	// FAILS now and then: where a call is cancelled halfway, libraries write to
	// stderr past the program's log. The SDK's logger is aws.Config.Logger
	// (logging.Nop{} silences it), net/http's is the standard log's.
	assert.Empty(tb, libraries.ReplaceAllString(o.stderr, ""), "all is said on stdout, in one place and in order")
	log := parseLog(o.stdout + "\n" + o.stderr)
	assert.Empty(tb, log.legacy)
	open := 0
	for _, c := range log.commands {
		form, known := ours[c.name]
		if !assert.True(tb, known, "the command ::%s %s::%.200s", c.name, c.properties, c.data) {
			continue
		}
		assert.Regexp(tb, form, c.properties)
		assert.LessOrEqual(tb, utf8.RuneCountInString(c.data), annotationLimit)
		assertPlain(tb, "the log", c.data)
		switch c.name {
		case "group":
			open++
		case "endgroup":
			open--
		}
		assert.Contains(tb, []int{0, 1}, open, "groups do not nest")
	}
	assert.Zero(tb, open, "each group ends")
	for _, line := range log.text {
		assert.LessOrEqual(tb, utf8.RuneCountInString(line), annotationLimit)
	}
	for _, line := range log.lines {
		assertPlain(tb, "the log", line)
	}
}

func (o outcome) verifyOutputs(tb testing.TB) {
	tb.Helper()
	require.NoError(tb, o.outputsErr)
	assert.ElementsMatch(tb, slices.Collect(maps.Keys(manifest.Outputs)), slices.Collect(maps.Keys(o.outputs)))
	size := 0
	for name, value := range o.outputs {
		size += 2 * len(utf16.Encode([]rune(name+value)))
		if !slices.Contains(jsonOutputs, name) {
			assertPlain(tb, "the output "+name, value)
			continue
		}
		// JSON carries texts as they are, but for what would break a line.
		assert.True(tb, json.Valid([]byte(value)), "%s: %.300s", name, value)
		assert.NotRegexp(tb, `[\x00-\x1f]`, value)
	}
	assert.Less(tb, size, outputsLimit)
	assert.NotEmpty(tb, o.outputs["message"])
	assert.NotEmpty(tb, o.outputs["timestamp"])
	// An alias that moved and stays moved is told, however the rest ended.
	moved := slices.ContainsFunc(o.results(tb), func(r result) bool {
		return r.Status == "rolled-back" || r.Status == "failed" && r.MovedAt != "" || r.Site.Status == "restored"
	})
	assert.Equal(tb, strconv.FormatBool(moved), o.outputs["rolled-back"], o.ended())
}

func (o outcome) verifySummary(tb testing.TB) {
	tb.Helper()
	assert.NotEmpty(tb, o.summary)
	assert.Less(tb, len(o.summary), summaryLimit)
	for line := range strings.Lines(o.summary) {
		assertPlain(tb, "the summary", strings.TrimSuffix(line, "\n"))
	}
}

// assertPlain wants one line of visible characters: no control characters, no
// turned direction of reading, nothing broken (U+FFFD stands for what was).
func assertPlain(tb testing.TB, where, text string) {
	tb.Helper()
	assert.True(tb, utf8.ValidString(text), "%s is UTF-8: %.300q", where, text)
	for _, r := range text {
		if !unicode.IsGraphic(r) && r != '\ufe0f' {
			assert.Fail(tb, fmt.Sprintf("%s has the character %U", where, r), "%.300q", text)
			return
		}
	}
}

func TestTheParsersOfThisPackageSeeWhatTheRunnerSees(t *testing.T) {
	t.Parallel()
	log := parseLog("plain\n  ::set-output name=a::b%0Ac\rtext ::error::no\n##[error]x\nsee ##[group]y\n")
	assert.Equal(t, []command{{"set-output", "name=a", "b\nc"}}, log.commands)
	assert.Equal(t, []string{"##[error]x", "see ##[group]y"}, log.legacy)
	log = parseLog("\u2003:\ufe0f:error::hidden\n#\u034f#\u00ad[error]hidden\n::warning without an end\n")
	assert.Equal(t, []string{"error", "warning"}, []string{log.commands[0].name, log.commands[1].name})
	assert.Equal(t, []string{"##[error]hidden"}, log.legacy)

	outputs, err := parseOutputs("a=b\nc<<E\n1\nd=2\nE\n")
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"a": "b", "c": "1\nd=2"}, outputs)
	for _, broken := range []string{"a<<E\n1\n", "nonsense\n", "=b\n", "a=1\na=2\n"} {
		_, err := parseOutputs(broken)
		assert.Error(t, err, broken)
	}
}
