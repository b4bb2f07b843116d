package history

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/org/lambda-rollback-action/github"
	"github.com/org/lambda-rollback-action/rollback/alias"
	"github.com/org/lambda-rollback-action/rollback/report"
)

// Ours is the program under test.
func Ours(w *World, r *Run, a *Attempt) {
	run, acts := w.judged(r, w.evidenceOf(r, a))
	if !acts {
		for _, l := range w.functions {
			truth, right := w.note(l, r, a, l.snapshotOf(r))
			if !right && (!Lenient || !r.namesTooLittle(a)) {
				w.Wrong = append(w.Wrong, fmt.Sprintf("a: run %d attempt %d, %s: the trigger refused, and the alias belongs on %v", r.Number, a.Number, l.name, truth.Accept))
			}
		}
		return
	}
	w.step(r, a, run, false)
	switch r.Twice {
	case Once:
	case NextAttempt:
		// Only this job runs again; GitHub lists the others as they were.
		again := *a
		again.Number = len(r.Attempts) + 1
		run, _ := w.judged(r, w.evidenceOf(r, a))
		run.Attempt = again.Number
		w.step(r, &again, run, true)
	case SameAttempt:
		run, _ := w.judged(r, w.evidenceOf(r, a))
		w.step(r, a, run, true)
	}
}

// pushed and dispatched are the events that start a run.
var pushed, dispatched = eventOf("push"), eventOf("workflow_dispatch")

func eventOf(name string) github.Event {
	e, err := github.ReadEvent(name, "event.json", func(string) ([]byte, error) { return []byte("{}"), nil })
	if err != nil {
		panic(err)
	}
	return e
}

// judged asks the trigger whether to act, and adds to a run what the command adds
// to it: what told of the failure, and which jobs can have deployed.
func (w *World) judged(r *Run, run report.Run) (report.Run, bool) {
	if r.Naming == NotJudged {
		return run, true
	}
	t := github.Trigger{
		Command: "rollback", Branches: []string{"main"}, Environment: "production", Event: pushed,
		Context: github.Context{Repository: "octo-org/octo-repo", Ref: "refs/heads/main", RunID: r.ID, Job: rollbackJob},
		Jobs:    run.Jobs, JobsAsked: true,
	}
	if r.Dispatch {
		t.Event = dispatched
	}
	var named []string
	switch r.Naming {
	case NeedsAll:
		named = []string{testJob, deployJob, smokeJob}
	case NeedsDeploy:
		named = []string{deployJob, smokeJob}
	case NeedsSmoke:
		named = []string{smokeJob}
	case DeployJob:
		run.DeployJobs = []string{deployJob, smokeJob}
		t.DeployJobs = run.DeployJobs
	case NotJudged, NeedsNone:
	}
	if len(named) > 0 {
		t.Needs = github.Needs{}
		last := r.Attempts[max(0, run.Attempt-1)]
		for _, name := range named {
			t.Needs[name] = github.NeedsJob{Result: last.job(name).Conclusion}
		}
	}
	verdict := t.Judge()
	run.Counted, run.FailedBy = verdict.FailedJobs, verdict.FailedBy
	if verdict.FailedBy == report.FailedByNeeds {
		run.DeployJobs = slices.Sorted(slices.Values(named))
	}
	return run, verdict.Act
}

// step is one run of the rollback's step, and its judgement.
func (w *World) step(r *Run, a *Attempt, run report.Run, again bool) {
	fns := make([]alias.Function, len(w.functions))
	before := make([]witness, len(w.functions))
	for i, l := range w.functions {
		l.faults, l.tries = r.Faults, map[string]int{}
		l.before = nil
		if r.Interrupt > 0 && len(w.functions) == 1 && !again {
			until := w.now.Add(r.Interrupt)
			l.before = func() { w.until(until) }
		}
		before[i] = w.witness(l, r)
		deployed := int64(0)
		if r.Tells {
			deployed = a.put[l]
		}
		fns[i] = alias.Function{
			Name: l.name, Alias: live, Region: "eu-west-1", Environment: "production",
			Request: alias.Request{Deployed: deployed, OnlyIfDeployed: true, Remember: true},
			Lambda:  l, Runs: hub{w, r.Evidence}, Log: silent{}, Clock: clock{w},
			Run:             report.Run{ID: run.ID, Attempt: run.Attempt},
			Evidence:        func(context.Context) report.Run { return run },
			ClockDifference: func() time.Duration { return l.skew.Abs() },
			Finish:          context.Background(),
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	fleet := alias.NewFleet(fns)
	fleet.RollBack(ctx, w.together)
	results := fleet.Results()
	for i, l := range w.functions {
		l.before = nil
		w.judge(trial{r: r, a: a, l: l, was: before[i], result: &results[i], again: again, blocked: blocked(w, results)})
	}
	for i, l := range w.functions {
		if w.entangled(r) { // which of the runs it is that deployed is then often mistaken
			for _, v := range []int64{w.top(l).Version, w.top(l).Weighted, l.serving().Version} {
				l.doubted[v] = true
			}
		}
		w.depart(l, r)
		if now := l.serving().Version; now == before[i].snapshot && results[i].Status == report.RolledBack {
			l.pardoned[now] = true
		}
		// What this run is answerable for, and still serves, is not rejected.
		for _, v := range []int64{l.serving().Version, l.serving().Weighted} {
			found := l.versions[v]
			if found != nil && results[i].Status == report.Skipped && (found.publisher == r || w.top(l).by == r) {
				l.pardoned[v] = true
			}
		}
		// What was taken for this run's, with nothing below to go back to, is
		// rejected from now on although it serves; so is an older version
		// whose promotion failed before it moved the alias.
		if results[i].Reason == report.NoPreviousVersion {
			l.doubted[l.serving().Version], l.doubted[l.serving().Weighted] = true, true
		}
		if v := a.put[l]; r.Tells && v != 0 && !l.serving().has(v) {
			l.doubted[v] = true
		}
	}
}

// blocked tells whether all-or-nothing had a reason to hold everything.
func blocked(w *World, results []report.Function) bool {
	for _, f := range results {
		if w.together && (f.Reason == report.Superseded || f.Reason == report.NoPreviousVersion) {
			return true
		}
	}
	return false
}

// depart notes what the step has changed: what does not serve any more was
// left on behalf of the run.
func (w *World) depart(l *Lambda, r *Run) {
	top, now := w.top(l), l.serving()
	if now != top.Serving {
		l.left = top.Version
	}
	for _, v := range []int64{top.Version, top.Weighted} {
		if v != 0 && now != top.Serving && !now.has(v) {
			r.left[l][v] = true
		}
	}
	w.settle(l, r)
}

type silent struct{}

func (silent) Infof(string, ...any) {}

// remembered is the Description of the memory alias, empty without one.
func (l *Lambda) remembered() string {
	if a, ok := l.aliases[memory]; ok {
		return strings.TrimSpace(a.description)
	}
	return ""
}
