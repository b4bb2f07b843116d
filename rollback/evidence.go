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
	"github.com/org/lambda-rollback-action/rollback/report"
)

// evidenceLimit is how long a rollback waits for GitHub's API to report on the run.
// After that, it uses the event payload.
const evidenceLimit = 5 * time.Second

// connectGitHub creates the client for GitHub's API.
func (a *action) connectGitHub() {
	if a.outsideWorkflow() {
		a.runs = noRuns{}
		a.run = newEvidence(report.Run{}, func() (report.Run, []report.Note) { return report.Run{}, nil })
		return
	}
	client := &http.Client{Transport: timed{cleanhttp.DefaultPooledTransport(), a.deps.Clock, &a.clocks.github}}
	api, err := github.NewAPI(client, a.deps.Clock, a.workflow.APIURL, a.inputs.GitHubToken, a.workflow.Repository)
	if err != nil {
		a.note(report.Note{Warning: true, Text: fmt.Sprintf("GitHub's API is not used: %s", err)})
	}
	basic := a.result.Run
	if api == nil {
		a.runs = noRuns{}
		a.run = newEvidence(basic, func() (report.Run, []report.Note) { return basic, nil })
		return
	}
	limited := &limitedRuns{runs: api, clock: a.deps.Clock}
	a.api, a.runs = api, limited
	a.run = newEvidence(basic, func() (report.Run, []report.Note) {
		ctx, cancel := context.WithTimeout(a.lifetime.work, evidenceLimit)
		defer cancel()
		run, notes := api.Evidence(ctx, a.workflow, basic, a.event.TimesByAPI())
		if ctx.Err() != nil && a.lifetime.work.Err() == nil {
			limited.giveUp()
		}
		return run, notes
	})
}

// runEvidence is what GitHub reports about the failed run. It is requested once, in
// the background, and callers wait for it.
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

// start sends the request if it was not sent yet. It does not wait for the response.
func (e *runEvidence) start() {
	e.once.Do(func() {
		go func() {
			e.run, e.notes = e.ask()
			close(e.done)
		}()
	})
}

// wait returns the run, or what the event says about it if ctx ends before GitHub
// responds. Only the first caller gets the notes.
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
		select { // an answer that has already arrived counts
		case <-e.done:
			return e.run, true
		default:
			return e.basic, false
		}
	}
}

// noRuns is the alias.Runs without an API: every question fails.
type noRuns struct{}

var errNoAPI = errors.New("GitHub's API cannot be called")

func (noRuns) Outcome(context.Context, int64) (report.Run, error) { return report.Run{}, errNoAPI }

func (noRuns) AtWork(context.Context, report.Run, time.Time, time.Time) ([]report.Run, error) {
	return nil, errNoAPI
}
