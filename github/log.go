package github

import (
	"fmt"
	"io"
	"regexp"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/sethvargo/go-githubactions"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// longestLine is in characters; the runner cuts annotations there.
const longestLine = 4096

// annotationTitle stands above a warning or an error on the run's page.
const annotationTitle = "Lambda rollback"

// Log writes the step's log. Each call is one line; nothing that comes from
// outside can become a workflow command or start a second line, and no secret
// appears. It is safe for concurrent use. What cannot be written is dropped: a
// closed log must not stop a rollback.
type Log struct {
	redactor *Redactor
	debug    bool

	// plain is where lines go for a person at a terminal; nil: the step's log.
	plain io.Writer

	mu     sync.Mutex // go-githubactions does not guard its writer
	action *githubactions.Action
	titled *githubactions.Action
}

// NewLog writes to w. Debug lines are written where RUNNER_DEBUG is 1.
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

// NewPlainLog writes to w for a person at a terminal: without the runner's
// commands, and with escapes for what would act on the terminal.
func NewPlainLog(w io.Writer, redactor *Redactor) *Log {
	return &Log{redactor: redactor, plain: lossyWriter{w}}
}

// say writes a line for a person, where there is one.
func (l *Log) say(before, line string) bool {
	if l.plain == nil {
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	_, _ = fmt.Fprintf(l.plain, "%s%s\n", before, line)
	return true
}

// lossyWriter never fails, because go-githubactions panics where it does.
type lossyWriter struct{ w io.Writer }

func (l lossyWriter) Write(p []byte) (int, error) {
	_, _ = l.w.Write(p)
	return len(p), nil
}

// Group folds the lines up to EndGroup under a title. Groups do not nest.
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

// Noticef writes a line that also stands on the run's page.
func (l *Log) Noticef(format string, args ...any) {
	line := l.line(format, args...)
	if l.say("", line) {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.titled.Noticef("%s", line)
}

// Warningf writes a warning, which also stands on the run's page.
func (l *Log) Warningf(format string, args ...any) {
	line := l.line(format, args...)
	if l.say("warning: ", line) {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.titled.Warningf("%s", line)
}

// Errorf writes an error, which also stands on the run's page. It does not fail
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

// Debugf writes a line for those who have turned debug logging on.
func (l *Log) Debugf(format string, args ...any) {
	if !l.debug {
		return
	}
	line := l.line(format, args...)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.action.Debugf("%s", line)
}

// line makes the text fit for the log. Secrets go first, before anything can
// hide or cut them.
func (l *Log) line(format string, args ...any) string {
	return logLine(l.redactor.Redact(fmt.Sprintf(format, args...)))
}

// legacyCommand is how the runner's older commands begin, anywhere in a line.
var legacyCommand = regexp.MustCompile(`##\[`)

// logLine makes a single-line string that the runner takes as text. A backslash
// shows where a command was meant; it can be read, searched and copied, and it
// counts in the runner's comparison by culture, as a zero-width one would not
// (https://github.com/actions/runner/blob/main/src/Runner.Common/ActionCommand.cs).
func logLine(text string) string {
	line := report.Line(text, longestLine)
	line = legacyCommand.ReplaceAllString(line, `##\[`)
	rest := strings.TrimLeftFunc(line, unicode.IsSpace)
	if strings.HasPrefix(rest, "::") {
		line = line[:len(line)-len(rest)] + `\` + rest
	}
	if utf8.RuneCountInString(line) > longestLine {
		line = report.Cut(line, longestLine)
	}
	return line
}
