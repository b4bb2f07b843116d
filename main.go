// Lambda-rollback-action moves an AWS Lambda alias back to the last good version
// after a failed deploy. It is the program of the GitHub Action of the same name.
package main

import (
	"context"
	"crypto/rand"
	"io"
	"log"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/term"

	"github.com/org/lambda-rollback-action/github"
	"github.com/org/lambda-rollback-action/rollback"
)

// Set by the linker for a release; see the Dockerfile.
var version, revision string

func main() {
	// A closed log must not stop a rollback.
	signal.Ignore(syscall.SIGPIPE)
	// Libraries may write to the standard logger, and its output is not escaped for
	// the log of the step.
	log.SetOutput(io.Discard)

	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT)
	os.Exit(rollback.Main(context.Background(), os.Args[1:], rollback.Deps{
		Getenv:   os.Getenv,
		Setenv:   os.Setenv,
		ReadFile: github.ReadFile,
		Append:   github.AppendFile,
		Random:   rand.Reader,
		Stdin:    os.Stdin,
		Stdout:   os.Stdout,
		Stderr:   os.Stderr,
		Terminal: terminalOf(os.Stdin, os.Stderr),
		Clock:    wallClock{},
		HTTP:     &http.Client{},
		Signals:  signals,
		Version:  version,
		Revision: revision,
	}))
}

// terminalOf returns the terminal on the standard streams: whether prompts can be
// answered, and its size.
func terminalOf(in, errors *os.File) rollback.Terminal {
	var t rollback.Terminal
	if term.IsTerminal(int(errors.Fd())) {
		t.Interactive = term.IsTerminal(int(in.Fd()))
		t.Width, t.Height = sizeOf(errors)
	}
	return t
}

// sizeOf returns the size of a terminal in cells; 0: not known. It waits a moment,
// because Docker sets the size shortly after it has started the program.
func sizeOf(terminal *os.File) (width, height int) {
	const pause, tries = 10 * time.Millisecond, 50
	for range tries {
		width, height, err := term.GetSize(int(terminal.Fd()))
		if err != nil || width > 0 {
			return width, height
		}
		time.Sleep(pause)
	}
	return 0, 0
}

// wallClock is the system clock.
type wallClock struct{}

func (wallClock) Now() time.Time { return time.Now() }

func (wallClock) Sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
