// Package rollback is the program: it joins what is known of the workflow run
// with what AWS says, and has a file for each command.
package rollback

import (
	"context"
	"io"
	"net/http"
	"os"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/org/lambda-rollback-action/github"
	"github.com/org/lambda-rollback-action/rollback/alias"
)

// Deps is everything outside the program.
type Deps struct {
	Getenv   func(string) string
	Setenv   func(name, value string) error // of the environment that the AWS SDK reads
	ReadFile func(string) ([]byte, error)
	Append   func(path string, data []byte) error
	Random   io.Reader
	Stdin    io.Reader
	Stdout   io.Writer
	Stderr   io.Writer
	Terminal Terminal
	Clock    alias.Clock
	HTTP     *http.Client // of the health checks and the channels
	Signals  <-chan os.Signal
	// Version and Revision are those of a release; empty: of a build of one's own.
	Version, Revision string
}

// Terminal is the terminal on the standard streams. The zero value is none.
type Terminal struct {
	Interactive bool // a person can answer questions
	// Width and Height are in cells; 0: not known.
	Width, Height int
}

// drawable reports whether questions can be drawn: on a terminal of a size that is
// not known, nothing would be seen of them.
func (t Terminal) drawable(kind string) bool {
	return kind != "dumb" && t.Width >= leastWidth && t.Height >= leastHeight
}

// Main runs the program and gives its exit code. Without arguments it is a step
// of a workflow, unless a person started it at a terminal.
func Main(ctx context.Context, args []string, d Deps) int {
	grace := graceAfterInterrupt
	if d.Terminal.Interactive {
		grace = graceAtATerminal
	}
	lifetime, end := withSignals(ctx, d.Clock, d.Signals, grace)
	defer end()
	byHand := d.Terminal.Interactive && d.Getenv("GITHUB_ACTIONS") == "" &&
		d.Getenv(github.Definition{Name: "function-name"}.Variable()) == ""
	if len(args) > 0 || byHand {
		return runArguments(args, lifetime, d)
	}
	return runStep(lifetime, d)
}

// runStep is a step of a workflow: inputs from the environment, the result in the
// outputs, the summary and the log.
func runStep(l Lifetime, d Deps) int {
	redactor := github.RedactorFor(d.Getenv)
	log := github.NewLog(d.Stdout, d.Getenv, redactor)
	a := newAction(l, d, log, redactor)
	a.execute()
	github.Publish(a.result, log, a.files())
	return a.result.ExitCode()
}

func (d Deps) programVersion() string {
	if d.Version != "" {
		return strings.TrimSpace(d.Version + " " + d.Revision)
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
