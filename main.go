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
)

func main() {
	os.Exit(realMain())
}

func realMain() int {
	// A log that nobody reads must not stop a rollback.
	signal.Ignore(syscall.SIGPIPE)
	// What libraries have to say would go past our log, unescaped.
	log.SetOutput(io.Discard)

	std := terminalOf(os.Stdin, os.Stdout, os.Stderr)
	patience := graceAfterInterrupt
	if std.asks {
		patience = graceAtATerminal
	}
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	life, end := newLife(context.Background(), signals, patience)
	defer end()
	w := world{
		getenv:   os.Getenv,
		readFile: readFile,
		append:   github.AppendFile,
		random:   rand.Reader,
		stdout:   os.Stdout,
		clock:    wallClock{},
		http:     &http.Client{},
	}
	if len(os.Args) > 1 { // a step of a workflow has no arguments
		return runCommand(os.Args[1:], std, life, w)
	}
	if std.asks && w.getenv("GITHUB_ACTIONS") == "" && w.getenv(github.Definition{Name: "function-name"}.Variable()) == "" {
		return runCommand(nil, std, life, w) // a person who does not know the commands
	}
	return run(life, w)
}

// terminalOf tells whether a person sits at the streams.
func terminalOf(in, out, errors *os.File) streams {
	std := streams{in: in, out: out, err: errors}
	std.asks = term.IsTerminal(int(in.Fd())) && term.IsTerminal(int(errors.Fd()))
	if term.IsTerminal(int(errors.Fd())) {
		std.width, std.height = sizeOf(errors)
	}
	return std
}

// sizeOf is the size of a terminal, in cells; 0: it has none. Docker gives a
// terminal its size a moment after it has started the program.
func sizeOf(terminal *os.File) (width, height int) {
	const moment, most = 10 * time.Millisecond, 50
	for range most {
		width, height, err := term.GetSize(int(terminal.Fd()))
		if err != nil || width > 0 {
			return width, height
		}
		time.Sleep(moment)
	}
	return 0, 0
}

// mostRead is above the largest event that GitHub sends, in bytes.
const mostRead = 32 << 20

// readFile reads no more than one byte above mostRead: enough to see that it is
// too much.
func readFile(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	return io.ReadAll(io.LimitReader(file, mostRead+1))
}

// wallClock is the time as the machine has it.
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
