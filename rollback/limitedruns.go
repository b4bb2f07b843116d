package rollback

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/org/lambda-rollback-action/rollback/alias"
	"github.com/org/lambda-rollback-action/rollback/report"
)

// limitedRuns bounds the time that decisions wait for GitHub, for all functions
// together. It asks how runs ended only until the answers have taken evidenceLimit in
// all: a decision asks once for each rejected version, one after the other.
type limitedRuns struct {
	runs  alias.Runs
	clock alias.Clock

	mu      sync.Mutex
	waiting int           // requests without an answer
	since   time.Time     // when there was no other one
	spent   time.Duration // before since
	over    bool          // nothing more is asked

	silent atomic.Bool // AtWork had no answer in time
}

// Outcome returns an error that says so if the limit is over, and after that
// [alias.ErrNotAsked].
func (l *limitedRuns) Outcome(ctx context.Context, runID int64) (report.Run, error) {
	left := l.begin()
	limited, cancel := context.WithTimeout(ctx, left)
	defer cancel()
	var run report.Run
	err := limited.Err() // at once if nothing is left
	if err == nil {
		run, err = l.runs.Outcome(limited, runID)
	}
	return run, l.end(err, err != nil && limited.Err() != nil && ctx.Err() == nil)
}

// atWorkLimit is how long one request for the runs that were in progress may take.
const atWorkLimit = 4 * time.Second

// AtWork asks nothing more after one request has taken atWorkLimit: a decision can ask
// several times in a row, and each function asks for itself.
func (l *limitedRuns) AtWork(ctx context.Context, run report.Run, from, to time.Time) ([]report.Run, error) {
	if l.silent.Load() {
		return nil, errors.New("GitHub's API did not respond to an earlier request in time, so it is not called again")
	}
	limited, cancel := context.WithTimeout(ctx, atWorkLimit)
	defer cancel()
	runs, err := l.runs.AtWork(limited, run, from, to)
	if err != nil && limited.Err() != nil && ctx.Err() == nil {
		l.silent.Store(true)
		return nil, fmt.Errorf("GitHub's API did not respond within %s", atWorkLimit)
	}
	return runs, err
}

// giveUp ends all further requests: GitHub has already used up evidenceLimit.
func (l *limitedRuns) giveUp() {
	l.silent.Store(true)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.over = true
}

// begin returns how much of the limit is left.
func (l *limitedRuns) begin() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.clock.Now()
	if l.waiting == 0 {
		l.since = now
	}
	l.waiting++
	if l.over {
		return 0
	}
	return evidenceLimit - l.spent - now.Sub(l.since)
}

// end returns the error of a request, which was late if the limit ended it.
func (l *limitedRuns) end(err error, late bool) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.waiting--; l.waiting == 0 {
		l.spent += l.clock.Now().Sub(l.since)
	}
	switch {
	case !late:
		return err
	case l.over:
		return alias.ErrNotAsked
	}
	l.over = true
	return fmt.Errorf("GitHub's API did not respond to these requests within %s in total, so it is not called again, and the versions that other runs rejected stay rejected", evidenceLimit)
}
