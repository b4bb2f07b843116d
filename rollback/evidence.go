package rollback

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/org/lambda-rollback-action/github"
	"github.com/org/lambda-rollback-action/rollback/alias"
	"github.com/org/lambda-rollback-action/rollback/report"
)

// evidence is what GitHub says about the run that failed. It is asked for once,
// beside everything else, and whoever needs it waits.
type evidence struct {
	basic report.Run
	ask   func() (report.Run, []report.Note)

	once  sync.Once
	done  chan struct{}
	run   report.Run
	notes []report.Note
}

func newEvidence(basic report.Run, ask func() (report.Run, []report.Note)) *evidence {
	return &evidence{basic: basic, ask: ask, done: make(chan struct{})}
}

func (e *evidence) start() {
	e.once.Do(func() {
		go func() {
			e.run, e.notes = e.ask()
			close(e.done)
		}()
	})
}

// wait gives what the event told where ctx ends before GitHub has answered.
func (e *evidence) wait(ctx context.Context) (report.Run, []report.Note) {
	e.start()
	select {
	case <-e.done:
		return e.run, e.notes
	case <-ctx.Done():
		select { // what came before, or at the same moment, counts
		case <-e.done:
			return e.run, e.notes
		default:
			return e.basic, nil
		}
	}
}

// runsOf is the API as the rollback asks it, also where there is none.
func runsOf(api *github.API) alias.Runs {
	if api == nil {
		return noRuns{}
	}
	return api
}

type noRuns struct{}

var errNoAPI = errors.New("GitHub's API cannot be asked")

func (noRuns) Outcome(context.Context, int64) (report.Run, error) { return report.Run{}, errNoAPI }

func (noRuns) AtWork(context.Context, report.Run, time.Time, time.Time) ([]report.Run, error) {
	return nil, errNoAPI
}
