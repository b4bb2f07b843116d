// Lambda-rollback-action moves an AWS Lambda alias back to the last good version
// after a deploy failed. It is the program of the GitHub Action of that name.
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
	// What libraries write to the standard logger would reach the log unescaped.
	log.SetOutput(io.Discard)

	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	os.Exit(rollback.Main(context.Background(), os.Args[1:], rollback.Deps{
		Getenv:   os.Getenv,
		Setenv:   os.Setenv,
		ReadFile: readFile,
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

// terminalOf reports whether a person can be asked, and how much room there is.
func terminalOf(in, errors *os.File) rollback.Terminal {
	var t rollback.Terminal
	if term.IsTerminal(int(errors.Fd())) {
		t.Interactive = term.IsTerminal(int(in.Fd()))
		t.Width, t.Height = sizeOf(errors)
	}
	return t
}

// sizeOf is the size of a terminal in cells, 0 where it has none. Docker sets it
// a moment after it has started the program.
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

// maxFile is above the size of the largest event that GitHub sends, in bytes.
const maxFile = 32 << 20

// readFile reads at most one byte above maxFile, so that the reader can tell that
// a file is too large.
func readFile(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	return io.ReadAll(io.LimitReader(file, maxFile+1))
}

// wallClock is the machine's clock.
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
