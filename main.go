// Lambda-rollback-action moves an AWS Lambda alias back to the last good version
// after a deploy failed. It is the program of the GitHub Action of that name.
package main

import (
	"context"
	"crypto/rand"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/org/lambda-rollback-action/github"
)

func main() {
	os.Exit(realMain())
}

func realMain() int {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	life, end := newLife(context.Background(), signals)
	defer end()
	return run(life, world{
		getenv:   os.Getenv,
		readFile: os.ReadFile,
		append:   github.AppendFile,
		random:   rand.Reader,
		stdout:   os.Stdout,
		clock:    wallClock{},
	})
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
