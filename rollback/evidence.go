package rollback

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/hashicorp/go-cleanhttp"

	"github.com/org/lambda-rollback-action/github"
	"github.com/org/lambda-rollback-action/rollback/alias"
	"github.com/org/lambda-rollback-action/rollback/report"
)

// evidenceLimit is how long GitHub's API may take to answer about the run. A
// rollback does not wait longer for it: what the event says is used then.
const evidenceLimit = 5 * time.Second

// connectGitHub makes ready what GitHub's API can be asked.
func (a *action) connectGitHub() {
	if a.alone() {
		a.run = newEvidence(report.Run{}, func() (report.Run, []report.Note) { return report.Run{}, nil })
		return
	}
	client := &http.Client{Transport: timed{cleanhttp.DefaultPooledTransport(), a.deps.Clock, &a.clocks.github}}
	api, err := github.NewAPI(client, a.deps.Clock, a.workflow.APIURL, a.inputs.GitHubToken, a.workflow.Repository)
	if err != nil {
		a.note(report.Note{Warning: true, Text: fmt.Sprintf("GitHub's API is not asked: %s", err)})
	}
	a.api = api
	basic := a.result.Run
	a.run = newEvidence(basic, func() (report.Run, []report.Note) {
		if api == nil {
			return basic, nil
		}
		ctx, cancel := context.WithTimeout(a.lifetime.work, evidenceLimit)
		defer cancel()
		return api.Evidence(ctx, a.workflow, basic, a.event.TimesByAPI())
	})
}

// runEvidence is what GitHub says about the run that failed. It is asked for once,
// beside everything else, and callers that need it wait.
type runEvidence struct {
	basic report.Run
	ask   func() (report.Run, []report.Note)

	once  sync.Once
	done  chan struct{}
	run   report.Run
	notes []report.Note

	noting sync.Once
}

func newEvidence(basic report.Run, ask func() (report.Run, []report.Note)) *runEvidence {
	return &runEvidence{basic: basic, ask: ask, done: make(chan struct{})}
}

// start begins to ask. It does not wait.
func (e *runEvidence) start() {
	e.once.Do(func() {
		go func() {
			e.run, e.notes = e.ask()
			close(e.done)
		}()
	})
}

// wait gives the run, and the notes to the first who asks for them; what the
// event says where ctx ends before GitHub has answered.
func (e *runEvidence) wait(ctx context.Context) (run report.Run, notes []report.Note) {
	run, answered := e.known(ctx)
	if answered {
		e.noting.Do(func() { notes = e.notes })
	}
	return run, notes
}

func (e *runEvidence) known(ctx context.Context) (run report.Run, answered bool) {
	e.start()
	select {
	case <-e.done:
		return e.run, true
	case <-ctx.Done():
		select { // what came before, or at the same moment, counts
		case <-e.done:
			return e.run, true
		default:
			return e.basic, false
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
