package rollback

import (
	"context"
	"os"
	"syscall"
	"time"

	"github.com/org/lambda-rollback-action/rollback/alias"
)

// What the runner leaves after a signal: it sends SIGTERM 7.5 s after SIGINT,
// and kills 2.5 s after that. The rest of each time is for writing outputs and
// summary.
const (
	graceAfterInterrupt = 6 * time.Second
	graceAfterTerminate = 1800 * time.Millisecond
	// graceAtATerminal is after the first Ctrl-C, or where the terminal is gone:
	// nobody kills the program then, and a drill may take that long to return.
	graceAtATerminal = 40 * time.Second
)

// Lifetime is how long the program may work.
type Lifetime struct {
	// work ends at the first signal: nothing new is begun after it.
	work context.Context
	// finish ends when what was under way then must be given up, too.
	finish context.Context
}

// withSignals makes a Lifetime that the signals end; patience is what the first of them
// leaves where it is not SIGTERM. end frees it.
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
