package rollback

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/rollback/alias"
	"github.com/org/lambda-rollback-action/rollback/report"
)

// slowRuns is GitHub, where each answer about runs takes some time.
type slowRuns struct {
	takes  time.Duration
	asked  []int64
	atWork int // requests
}

func (r *slowRuns) Outcome(ctx context.Context, id int64) (report.Run, error) {
	r.asked = append(r.asked, id)
	select {
	case <-time.After(r.takes):
		return report.Run{ID: id, Conclusion: "success"}, nil
	case <-ctx.Done():
		return report.Run{}, ctx.Err()
	}
}

func (r *slowRuns) AtWork(ctx context.Context, _ report.Run, _, _ time.Time) ([]report.Run, error) {
	r.atWork++
	select {
	case <-time.After(r.takes):
		return []report.Run{{ID: 7}}, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// A GitHub that is slow is asked as often as needed; one that hangs, once.
func TestGitHubIsNotAskedAgainForRunsInProgress(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		takes, waited time.Duration
		asked         int // of three
	}{
		"quick": {0, 0, 3},
		"slow":  {3 * time.Second, 9 * time.Second, 3},
		"hangs": {time.Hour, 4 * time.Second, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				github, began := &slowRuns{takes: c.takes}, time.Now()
				runs := &limitedRuns{runs: github, clock: bubbleClock{}}
				for range 3 {
					found, err := runs.AtWork(t.Context(), report.Run{}, time.Time{}, time.Time{})
					if c.asked == 3 {
						require.NoError(t, err)
						assert.Len(t, found, 1)
					} else {
						require.ErrorContains(t, err, "GitHub's API did not respond")
					}
				}
				assert.Equal(t, c.waited, time.Since(began))
				assert.Equal(t, c.asked, github.atWork)
			})
		})
	}
}

// Where the evidence about the run has used up the limit, nothing more is asked.
func TestNothingIsAskedAfterTheEvidenceWasLate(t *testing.T) {
	t.Parallel()
	github := &slowRuns{}
	runs := &limitedRuns{runs: github, clock: bubbleClock{}}
	runs.giveUp()
	_, err := runs.Outcome(t.Context(), 1)
	require.ErrorIs(t, err, alias.ErrNotAsked)
	_, err = runs.AtWork(t.Context(), report.Run{}, time.Time{}, time.Time{})
	require.ErrorContains(t, err, "it is not called again")
	assert.Empty(t, github.asked)
	assert.Zero(t, github.atWork)
}

// A signal is not GitHub's fault, and closes nothing.
func TestASignalDuringARequestForRunsInProgress(t *testing.T) {
	t.Parallel()
	runs := &limitedRuns{runs: &slowRuns{takes: time.Hour}, clock: bubbleClock{}}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := runs.AtWork(ctx, report.Run{}, time.Time{}, time.Time{})
	require.ErrorIs(t, err, context.Canceled)
	assert.False(t, runs.silent.Load())
}

func TestGitHubIsAskedHowRunsEndedForFiveSeconds(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		takes    time.Duration
		asked    []int64 // of six
		answered int
	}{
		"quick":                  {0, []int64{1, 2, 3, 4, 5, 6}, 6},
		"slow, within the limit": {800 * time.Millisecond, []int64{1, 2, 3, 4, 5, 6}, 6},
		"slow in all":            {1700 * time.Millisecond, []int64{1, 2, 3}, 2},
		"hangs":                  {time.Hour, []int64{1}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				github := &slowRuns{takes: tt.takes}
				runs := &limitedRuns{runs: github, clock: bubbleClock{}}
				var answered, said, silent int
				for id := range int64(6) {
					run, err := runs.Outcome(t.Context(), id+1)
					time.Sleep(time.Minute) // what is not spent on GitHub does not count
					switch {
					case err == nil:
						answered++
						assert.Equal(t, "success", run.Conclusion)
					case errors.Is(err, alias.ErrNotAsked):
						silent++
					default:
						said++
						require.ErrorContains(t, err, "GitHub's API did not respond to these requests within 5s in total")
					}
				}
				assert.Equal(t, tt.answered, answered)
				assert.Equal(t, min(1, 6-answered), said, "one warning")
				assert.Equal(t, 6-answered-said, silent)
				assert.Equal(t, tt.asked, github.asked)
			})
		})
	}
}

// Functions that wait at the same time use the limit once.
func TestWaitingForGitHubAtTheSameTimeCountsOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var all sync.WaitGroup
		runs := &limitedRuns{clock: bubbleClock{}}
		for range 8 {
			all.Go(func() {
				assert.Equal(t, evidenceLimit, runs.begin())
				time.Sleep(2 * time.Second)
				assert.NoError(t, runs.end(nil, false))
			})
		}
		all.Wait()
		assert.Equal(t, 2*time.Second, runs.spent)
	})
}

// The end of the input timeout, or a signal, is not GitHub's fault.
func TestTheEndOfTheWorkIsNoSlowAnswer(t *testing.T) {
	t.Parallel()
	github := &slowRuns{takes: time.Hour}
	runs := &limitedRuns{runs: github, clock: bubbleClock{}}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	_, err := runs.Outcome(ctx, 1)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	assert.NotContains(t, err.Error(), "GitHub")
	assert.False(t, runs.over)
}
