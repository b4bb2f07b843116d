package github

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/sethvargo/go-githubactions"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// longestLine is the maximum length of a line, in characters. The runner truncates
// annotations at this length.
const longestLine = 4096

// annotationTitle is the title of a warning or an error on the page of the run.
const annotationTitle = "Lambda rollback"

// Log writes the log of the step. Each call writes one line. Nothing that comes from
// outside can become a workflow command or start a second line, and no secret
// appears. A Log is safe for concurrent use. It ignores write errors: a closed log
// must not stop a rollback.
type Log struct {
	redactor *Redactor
	debug    bool

	// plain is the output for a person at a terminal; nil: the log of the step.
	plain io.Writer

	mu     sync.Mutex // go-githubactions does not lock its writer
	action *githubactions.Action
	titled *githubactions.Action
}

// NewLog returns a Log that writes to w. It writes debug lines if RUNNER_DEBUG is 1.
func NewLog(w io.Writer, getenv func(string) string, redactor *Redactor) *Log {
	action := githubactions.New(
		githubactions.WithWriter(lossyWriter{w}),
		githubactions.WithGetenv(getenv),
	)
	return &Log{
		redactor: redactor,
		debug:    getenv("RUNNER_DEBUG") == "1",
		action:   action,
		titled:   action.WithFieldsMap(map[string]string{"title": annotationTitle}),
	}
}

// NewPlainLog returns a Log that writes to w for a person at a terminal: without
// workflow commands, and with escapes for characters that a terminal would interpret.
func NewPlainLog(w io.Writer, redactor *Redactor) *Log {
	return &Log{redactor: redactor, plain: lossyWriter{w}}
}

// say writes a line for a person at a terminal, and reports whether there is one.
func (l *Log) say(before, line string) bool {
	if l.plain == nil {
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	_, _ = fmt.Fprintf(l.plain, "%s%s\n", before, line)
	return true
}

// lossyWriter ignores write errors, because go-githubactions panics on them.
type lossyWriter struct{ w io.Writer }

func (l lossyWriter) Write(p []byte) (int, error) {
	_, _ = l.w.Write(p)
	return len(p), nil
}

// Group starts a group: the lines up to EndGroup are folded under a title. Groups do
// not nest.
func (l *Log) Group(title string) {
	line := l.line("%s", title)
	if l.say("", line) {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.action.Group(line)
}

// EndGroup ends the group.
func (l *Log) EndGroup() {
	if l.plain != nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.action.EndGroup()
}

// Infof writes a plain line.
func (l *Log) Infof(format string, args ...any) {
	line := l.line(format, args...)
	if l.say("  ", line) {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.action.Infof("%s", line)
}

// Noticef writes a line that also appears on the page of the run.
func (l *Log) Noticef(format string, args ...any) {
	line := l.line(format, args...)
	if l.say("", line) {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.titled.Noticef("%s", line)
}

// Warningf writes a warning, which also appears on the page of the run.
func (l *Log) Warningf(format string, args ...any) {
	line := l.line(format, args...)
	if l.say("warning: ", line) {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.titled.Warningf("%s", line)
}

// Errorf writes an error, which also appears on the page of the run. It does not fail
// the step: the exit code does.
func (l *Log) Errorf(format string, args ...any) {
	line := l.line(format, args...)
	if l.say("error: ", line) {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.titled.Errorf("%s", line)
}

// Debugf writes a line if debug logging is on.
func (l *Log) Debugf(format string, args ...any) {
	if !l.debug {
		return
	}
	line := l.line(format, args...)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.action.Debugf("%s", line)
}

// line formats a line for the log. It removes secrets first, before anything can hide
// or truncate them.
func (l *Log) line(format string, args ...any) string {
	return logLine(l.redactor.Redact(fmt.Sprintf(format, args...)))
}

// legacyCommand matches the beginning of the runner's older commands, anywhere in a
// line.
var legacyCommand = newPattern(`##\[`)

// logLine returns text as a single line that the runner does not take as a command. A
// backslash marks what would have been a command. It can be read, searched and
// copied, and it counts in the culture-sensitive comparison of the runner, unlike a
// zero-width character
// (https://github.com/actions/runner/blob/main/src/Runner.Common/ActionCommand.cs).
func logLine(text string) string {
	line := report.Line(text, longestLine)
	line = legacyCommand().ReplaceAllString(line, `##\[`)
	rest := strings.TrimLeftFunc(line, unicode.IsSpace)
	if strings.HasPrefix(rest, "::") {
		line = line[:len(line)-len(rest)] + `\` + rest
	}
	if utf8.RuneCountInString(line) > longestLine {
		line = report.Cut(line, longestLine)
	}
	return line
}
