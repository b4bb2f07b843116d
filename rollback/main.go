// Package rollback is the program. It combines what GitHub knows about the workflow
// run with the state on AWS, and has one file for each command.
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

// Deps are the program's dependencies on the outside world.
type Deps struct {
	Getenv   func(string) string
	Setenv   func(name, value string) error // the AWS SDK reads the environment
	ReadFile func(string) ([]byte, error)
	Append   func(path string, data []byte) error
	Random   io.Reader
	Stdin    io.Reader
	Stdout   io.Writer
	Stderr   io.Writer
	Terminal Terminal
	Clock    alias.Clock
	HTTP     *http.Client // for health checks and notification channels
	Signals  <-chan os.Signal
	// Version and Revision identify the release; empty: a local build.
	Version, Revision string
}

// Terminal is the terminal on the standard streams. The zero value means none.
type Terminal struct {
	Interactive bool // prompts can be answered
	// Width and Height are in cells; 0: not known.
	Width, Height int
}

// drawable reports whether prompts can be drawn. They would not be visible if the
// size of the terminal is not known.
func (t Terminal) drawable(kind string) bool {
	return kind != "dumb" && t.Width >= leastWidth && t.Height >= leastHeight
}

// Main runs the program and returns its exit code. Without arguments, it runs as a
// step of a workflow; outside a workflow, it prints the help instead.
func Main(ctx context.Context, args []string, d Deps) int {
	grace := graceAfterInterrupt
	if d.Terminal.Interactive {
		grace = graceAtATerminal
	}
	lifetime, end := withSignals(ctx, d.Clock, d.Signals, grace)
	defer end()
	outsideWorkflow := d.Getenv("GITHUB_ACTIONS") == "" && !hasFunctionName(d) &&
		(d.Terminal.Interactive || d.Getenv("GITHUB_RUN_ID") == "")
	if len(args) > 0 || outsideWorkflow {
		return runArguments(args, lifetime, d)
	}
	return runStep(lifetime, d)
}

// runStep runs a step of a workflow: the inputs come from the environment, and the
// result goes to the outputs, the summary and the log.
func runStep(l Lifetime, d Deps) int {
	redactor := github.RedactorFor(d.Getenv)
	stdout := newOutput(d.Stdout)
	defer stdout.close()
	log := github.NewLog(stdout, d.Getenv, redactor)
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
