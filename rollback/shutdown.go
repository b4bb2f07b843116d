package rollback

import (
	"context"
	"os"
	"syscall"
	"time"

	"github.com/org/lambda-rollback-action/rollback/alias"
)

// How long the program may work after a signal. The runner sends SIGTERM 7.5 s after
// SIGINT, and SIGKILL 2.5 s after that. The remaining time is for writing the
// outputs and the summary.
const (
	graceAfterInterrupt = 6 * time.Second
	graceAfterTerminate = 1800 * time.Millisecond
	// graceAtATerminal applies after the first Ctrl-C, or when the terminal is
	// closed: no runner kills the program, and a drill may need that long to return.
	graceAtATerminal = 40 * time.Second
)

// Lifetime is how long the program may work.
type Lifetime struct {
	// work ends at the first signal: nothing new is started after it.
	work context.Context
	// finish ends when the work in progress must be abandoned as well.
	finish context.Context
}

// withSignals returns a Lifetime that ends with the signals. patience is how long
// finish lasts after a first signal other than SIGTERM. Call end to release the
// Lifetime.
func withSignals(parent context.Context, clock alias.Clock, signals <-chan os.Signal, patience time.Duration) (l Lifetime, end func()) {
	work, cancel := context.WithCancelCause(parent)
	finish, giveUp := context.WithCancelCause(parent)
	stopped := make(chan struct{})
	go func() {
		for {
			select {
			case <-stopped:
				return
			case s := <-signals:
				cancel(alias.ErrCancelled)
				grace := patience
				patience = graceAfterInterrupt
				if s == syscall.SIGTERM {
					grace = graceAfterTerminate
				}
				go func() {
					if clock.Sleep(finish, grace) == nil {
						giveUp(alias.ErrCancelled)
					}
				}()
			}
		}
	}()
	return Lifetime{work: work, finish: finish}, func() {
		close(stopped)
		cancel(nil)
		giveUp(nil)
	}
}
