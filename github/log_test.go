package github_test

import (
	"bytes"
	"errors"
	"strings"
	"sync"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/github"
)

// env is an environment of fixed variables.
func env(variables map[string]string) func(string) string {
	return func(name string) string { return variables[name] }
}

// command is a workflow command as the runner reads it.
type command struct{ name, data string }

// commandNames are what the runner has handlers for; it compares in any case.
var commandNames = []string{
	"set-output", "set-env", "add-path", "add-mask", "add-matcher", "remove-matcher", "save-state", "stop-commands",
	"echo", "debug", "notice", "warning", "error", "group", "endgroup", "internal-set-repo-path", "resume-token",
}

// runnerReads gives the commands that the runner finds in what a step printed,
// by the rules of its OutputManager and ActionCommand. The runner compares by
// culture, which skips invisible characters; so they are taken out here first.
func runnerReads(stdout string) []command {
	var found []command
	for line := range strings.Lines(strings.ReplaceAll(stdout, "\r", "\n")) {
		line = strings.Map(func(r rune) rune {
			if !unicode.IsSpace(r) && (!unicode.IsGraphic(r) || unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)) {
				return -1
			}
			return r
		}, strings.TrimSuffix(line, "\n"))
		if c, ok := readCommand(line); ok {
			found = append(found, c)
		} else if c, ok := readLegacyCommand(line); ok {
			found = append(found, c)
		}
	}
	return found
}

func readCommand(line string) (command, bool) {
	rest, ok := strings.CutPrefix(strings.TrimLeftFunc(line, unicode.IsSpace), "::")
	if !ok {
		return command{}, false
	}
	info, data, ok := strings.Cut(rest, "::")
	if !ok {
		return command{}, false
	}
	name, _, _ := strings.Cut(info, " ")
	return command{name, strings.NewReplacer("%0D", "\r", "%0A", "\n", "%25", "%").Replace(data)}, isCommand(name)
}

func readLegacyCommand(line string) (command, bool) {
	_, rest, ok := strings.Cut(line, "##[")
	if !ok {
		return command{}, false
	}
	info, data, ok := strings.Cut(rest, "]")
	if !ok {
		return command{}, false
	}
	name, _, _ := strings.Cut(info, " ")
	return command{name, data}, isCommand(name)
}

func isCommand(name string) bool {
	for _, known := range commandNames {
		if strings.EqualFold(known, name) {
			return true
		}
	}
	return false
}

func TestTheRunnersRulesAreReadRight(t *testing.T) {
	t.Parallel()
	assert.Equal(t, []command{
		{"error", "a\nb"}, {"group", "x"}, {"error", "y"}, {"set-env", "z"}, {"warning", "hidden"}, {"notice", "after CR"},
	}, runnerReads("plain ::error::no\n  ::error title=t::a%0Ab\n text ##[group]x\n\u00a0::error::y\n##[set-env name=a;]z\n\u200b:\u200b:warning::hidden\nx\r::notice::after CR\n::unknown::no\n"))
}

func TestLog(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		write func(*github.Log)
		want  string
	}{
		"a plain line":                    {func(l *github.Log) { l.Infof("api: %d → %d", 42, 41) }, "api: 42 → 41\n"},
		"a group":                         {func(l *github.Log) { l.Group("Move"); l.Infof("x"); l.EndGroup() }, "::group::Move\nx\n::endgroup::\n"},
		"a warning":                       {func(l *github.Log) { l.Warningf("100%%: %s", "slow") }, "::warning title=Lambda rollback::100%25: slow\n"},
		"an error":                        {func(l *github.Log) { l.Errorf("no") }, "::error title=Lambda rollback::no\n"},
		"a notice":                        {func(l *github.Log) { l.Noticef("done") }, "::notice title=Lambda rollback::done\n"},
		"no debug line":                   {func(l *github.Log) { l.Debugf("x") }, ""},
		"line breaks":                     {func(l *github.Log) { l.Infof("a\r\nb") }, `a\r\nb` + "\n"},
		"a command":                       {func(l *github.Log) { l.Infof("::error::x") }, `\::error::x` + "\n"},
		"a command after blanks":          {func(l *github.Log) { l.Infof(" \u00a0 ::error::x") }, " \u00a0 " + `\::error::x` + "\n"},
		"a command behind a line break":   {func(l *github.Log) { l.Infof("a\n::error::x") }, `a\n::error::x` + "\n"},
		"a command of the old kind":       {func(l *github.Log) { l.Infof("a ##[error]x") }, `a ##\[error]x` + "\n"},
		"a command behind the invisible":  {func(l *github.Log) { l.Infof("\ufe0f:\u200d:error::x") }, `\::error::x` + "\n"},
		"an old command in an annotation": {func(l *github.Log) { l.Errorf("##[group]x") }, `::error title=Lambda rollback::##\[group]x` + "\n"},
		"colours":                         {func(l *github.Log) { l.Infof("\x1b[31mred") }, `\u001b[31mred` + "\n"},
		"a secret":                        {func(l *github.Log) { l.Infof("url %s", "https://hooks/hunter22") }, "url https://hooks/***\n"},
		"a secret across the limit":       {func(l *github.Log) { l.Infof("%s", strings.Repeat("x", 4092)+"hunter22") }, strings.Repeat("x", 4092) + "***\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			c.write(github.NewLog(&out, env(nil), github.NewRedactor([]string{"hunter22"})))
			assert.Equal(t, c.want, out.String())
		})
	}
}

func TestLogWritesDebugLinesWhereTheyAreWanted(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	github.NewLog(&out, env(map[string]string{"RUNNER_DEBUG": "1"}), nil).Debugf("x %d", 1)
	assert.Equal(t, "::debug::x 1\n", out.String())
}

func TestLogLinesAreBounded(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	github.NewLog(&out, env(nil), nil).Infof("%s", strings.Repeat("##[é", 5000))
	assert.Equal(t, 4096, utf8.RuneCountInString(strings.TrimSuffix(out.String(), "\n")))
}

type closedWriter struct{}

func (closedWriter) Write([]byte) (int, error) { return 0, errors.New("closed") }

func TestAClosedLogStopsNothing(t *testing.T) {
	t.Parallel()
	log := github.NewLog(closedWriter{}, env(nil), nil)
	assert.NotPanics(t, func() { log.Group("a"); log.Infof("b"); log.Errorf("c"); log.EndGroup() })
}

func TestLogKeepsLinesWholeUnderConcurrentUse(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer // not safe by itself
	log := github.NewLog(&out, env(nil), nil)
	var group sync.WaitGroup
	for i := range 50 {
		group.Go(func() { log.Infof("line %d", i); log.Warningf("warning %d", i) })
	}
	group.Wait()
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	require.Len(t, lines, 100)
	for _, line := range lines {
		assert.Regexp(t, `^(line \d+|::warning title=Lambda rollback::warning \d+)$`, line)
	}
}

func FuzzLogLine(f *testing.F) {
	for _, seed := range []string{
		"api", "::error::x", " \t::set-env name=a::b", "a\r\n::stop-commands::x", "##[group]x", "##\u200b[group]x",
		"\ufeff::error::x", "\x00::error::x", "#\u00ad#[error]", "%0A::error::x", "\x85::error::", "##[##[error]x]", "\xff::error::",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var out bytes.Buffer
		log := github.NewLog(&out, env(map[string]string{"RUNNER_DEBUG": "1"}), nil)
		log.Infof("%s", text)
		require.Empty(t, runnerReads(out.String()), "outside text became a command")
		require.Equal(t, 1, strings.Count(out.String(), "\n"))

		out.Reset()
		log.Group(text)
		log.Warningf("%s", text)
		log.Errorf("%s", text)
		log.Noticef("%s", text)
		log.Debugf("%s", text)
		var names []string
		for _, c := range runnerReads(out.String()) {
			names = append(names, c.name)
			assert.LessOrEqual(t, utf8.RuneCountInString(c.data), 4096)
			assert.NotContains(t, c.data, "\n")
			assert.Empty(t, runnerReads(c.data), "what %s shows is a command", c.name)
		}
		require.Equal(t, []string{"group", "warning", "error", "notice", "debug"}, names)
	})
}
