package rollback

import (
	"context"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/rollback/alias"
	"github.com/org/lambda-rollback-action/rollback/report"
)

func TestASignalEndsWorkAtOnceAndTheRestInTime(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		signals []os.Signal // a second apart
		grace   time.Duration
	}{
		"interrupt":                  {[]os.Signal{syscall.SIGINT}, graceAfterInterrupt},
		"terminate":                  {[]os.Signal{syscall.SIGTERM}, graceAfterTerminate},
		"interrupt, then terminate":  {[]os.Signal{syscall.SIGINT, syscall.SIGTERM}, time.Second + graceAfterTerminate},
		"terminate, then interrupt":  {[]os.Signal{syscall.SIGTERM, syscall.SIGINT}, graceAfterTerminate},
		"interrupt from two persons": {[]os.Signal{syscall.SIGINT, syscall.SIGINT}, graceAfterInterrupt},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				signals := make(chan os.Signal)
				l, end := withSignals(context.Background(), bubbleClock{}, signals, graceAfterInterrupt)
				defer end()
				began := time.Now()
				for i, s := range test.signals {
					if i > 0 {
						time.Sleep(time.Second)
					}
					signals <- s
					synctest.Wait()
					require.ErrorIs(t, context.Cause(l.work), alias.ErrCancelled)
				}
				<-l.finish.Done()
				assert.Equal(t, test.grace, time.Since(began))
			})
		})
	}
}

// At a terminal the first Ctrl-C leaves time to return; the second one does not.
func TestPatienceAtATerminal(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		signals []os.Signal // a second apart
		grace   time.Duration
	}{
		"Ctrl-C":                  {[]os.Signal{syscall.SIGINT}, graceAtATerminal},
		"the terminal is gone":    {[]os.Signal{syscall.SIGHUP}, graceAtATerminal},
		"Ctrl-C twice":            {[]os.Signal{syscall.SIGINT, syscall.SIGINT}, time.Second + graceAfterInterrupt},
		"terminate":               {[]os.Signal{syscall.SIGTERM}, graceAfterTerminate},
		"Ctrl-C, then terminated": {[]os.Signal{syscall.SIGINT, syscall.SIGTERM}, time.Second + graceAfterTerminate},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				signals := make(chan os.Signal)
				l, end := withSignals(context.Background(), bubbleClock{}, signals, graceAtATerminal)
				defer end()
				began := time.Now()
				for i, s := range test.signals {
					if i > 0 {
						time.Sleep(time.Second)
					}
					signals <- s
				}
				<-l.finish.Done()
				assert.Equal(t, test.grace, time.Since(began))
			})
		})
	}
}

func TestEvidenceIsAskedForOnceAndNotWaitedForTooLong(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		e := newEvidence(report.Run{ID: 7}, func() (report.Run, []report.Note) {
			asked++
			time.Sleep(time.Second)
			return report.Run{ID: 7, Number: 12}, []report.Note{{Text: "once"}}
		})
		short, cancel := context.WithTimeout(context.Background(), time.Millisecond)
		defer cancel()
		run, notes := e.wait(short)
		assert.Equal(t, report.Run{ID: 7}, run, "what the event told")
		assert.Empty(t, notes)

		run, notes = e.wait(context.Background())
		assert.Equal(t, 12, run.Number)
		assert.Len(t, notes, 1)
		assert.Equal(t, 1, asked)
	})
}

// bubbleClock is the time of a synctest bubble.
type bubbleClock struct{}

func (bubbleClock) Now() time.Time { return time.Now() }

func (bubbleClock) Sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
