package history

import (
	"slices"
	"time"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// Names of the workflow's jobs.
const (
	testJob     = "test"
	deployJob   = "deploy"
	smokeJob    = "smoke"
	lintJob     = "lint"
	rollbackJob = "rollback"
)

// Run is one run of the workflow.
type Run struct {
	Plan

	ID       int64
	Number   int
	Created  time.Time
	Attempts []*Attempt

	conclusion string
	failed     bool // the last attempt that is over and deployed failed
	everFailed bool
	found      map[*Lambda]int64          // what served when only its tests were run again, and succeeded
	misled     map[*Lambda]bool           // when it failed, what an older run published while it was running served
	left       map[*Lambda]map[int64]bool // versions that its rollback left
}

// Attempt is one attempt of a run.
type Attempt struct {
	Number int
	Begun  time.Time
	Ends   End
	Jobs   []*Job
	put    map[*Lambda]int64 // what its deploy published, or found published
	kept   bool              // its deploy is that of an earlier attempt
}

// Job is one job of an attempt, in whole seconds, as GitHub tells times.
type Job struct {
	Name       string
	Start, End time.Time
	Conclusion string
}

// enter begins a run.
func (w *World) enter(p Plan, created time.Time) {
	r := &Run{
		Plan: p, ID: int64(1000 + len(w.runs) + 1), Number: len(w.runs) + 1, Created: created,
		left: map[*Lambda]map[int64]bool{}, misled: map[*Lambda]bool{}, found: map[*Lambda]int64{},
	}
	for _, l := range w.functions {
		r.left[l] = map[int64]bool{}
	}
	w.runs = append(w.runs, r)
	w.at(created, func() {
		for _, l := range w.functions {
			w.clean(l, p.Delete)
		}
	})
	if fix := p.Hotfix; fix != nil {
		for _, l := range w.functions {
			w.at(created.Add(fix.After), func() { w.hotfix(l, fix) })
		}
	}
	over := w.attempt(r, created, p.Ends, nil)
	if again := p.Rerun; again != nil && p.Ends != Succeeds {
		kept := r.Attempts[0]
		if !again.FailedOnly {
			kept = nil
		}
		w.attempt(r, over.Add(again.After+15*time.Second).Truncate(time.Second), again.Ends, kept)
	}
}

// attempt plans what one attempt does, and gives the time when it is over.
// What succeeded in the kept attempt is taken over from it.
func (w *World) attempt(r *Run, begun time.Time, ends End, kept *Attempt) time.Time {
	a := &Attempt{Number: len(r.Attempts) + 1, Begun: begun, Ends: ends, put: map[*Lambda]int64{}}
	if kept != nil && ends != Succeeds && (kept.Ends == FailsSmoke || ends == FailsTests) {
		a.Ends = kept.Ends // what is kept cannot fail again
	}
	r.Attempts = append(r.Attempts, a)
	w.at(begun, func() { r.conclusion = "" })

	at := begun.Add(2 * time.Second)
	broken := false
	job := func(name string, takes time.Duration, fails bool) *Job {
		j := &Job{Name: name, Start: at, End: at.Add(takes.Truncate(time.Second)), Conclusion: "success"}
		switch {
		case broken:
			j.End, j.Conclusion = at, "skipped"
		case kept != nil && kept.job(name).Conclusion == "success":
			*j = *kept.job(name)
		default:
			at = j.End.Add(time.Second)
		}
		if fails && !broken {
			j.Conclusion = "failure"
			broken = true
		}
		a.Jobs = append(a.Jobs, j)
		return j
	}
	if lint := r.Lint; lint != nil && kept == nil {
		j := &Job{Name: lintJob, Start: at.Add(lint.After.Truncate(time.Second)), Conclusion: "success"}
		j.End = j.Start.Add(lint.Takes.Truncate(time.Second))
		if lint.Fails {
			j.Conclusion = "failure"
		}
		a.Jobs = append(a.Jobs, j)
	}
	job(testJob, r.Test, a.Ends == FailsTests)
	if kept == nil || kept.job(deployJob).Conclusion != "success" {
		at = at.Add(r.Approval.Truncate(time.Second))
	}
	// A deploy that fails ends when it does.
	share := map[End]int{FailsBeforePublishing: 3, FailsAfterPublishing: 5, FailsMidCanary: 7, FailsAfterMoving: 9}[a.Ends]
	takes := r.Deploy
	if share > 0 {
		takes = tenths(r.Deploy, share)
	}
	deploy := job(deployJob, takes, share > 0)
	switch {
	case deploy.Conclusion == "skipped":
	case kept != nil && kept.job(deployJob).Conclusion == "success":
		a.put, a.kept = kept.put, true
	default:
		w.steps(r, a, deploy.Start)
	}
	w.at(deploy.End, func() {
		for _, l := range w.functions {
			if r.Spoil > 0 {
				w.spoil(l, r.Spoil, r.State, r.Reason)
			}
		}
	})
	job(smokeJob, r.Smoke, a.Ends == FailsSmoke)

	succeed := func() {
		r.conclusion = "success"
		if !a.kept {
			r.failed = false
			return
		}
		// What its tests found good serves, or else they found nothing.
		for _, l := range w.functions {
			r.found[l] = l.serving().Version
		}
	}
	if a.Ends == Succeeds && !r.Always {
		a.Jobs = append(a.Jobs, &Job{Name: rollbackJob, Start: at, End: at, Conclusion: "skipped"})
		w.at(at, succeed)
		return at
	}
	if lint := a.job(lintJob); (r.Naming == NeedsNone || r.Naming == DeployJob) && lint.End.After(at) {
		at = lint.End // without needs it is a step after all jobs have ended
	}
	rollback := &Job{Name: rollbackJob, Start: at.Add(2 * time.Second), End: at.Add(8 * time.Second), Conclusion: "success"}
	a.Jobs = append(a.Jobs, rollback)
	w.events = append(w.events, event{at: rollback.Start.Add(2 * time.Second), step: true, do: func() {
		if a.Ends == Succeeds {
			w.roll(w, r, a)
			succeed()
			return
		}
		r.failed, r.everFailed = true, true
		clear(r.found)
		w.roll(w, r, a)
		r.conclusion = "failure"
	}})
	return rollback.End
}

// steps are those of the deploy job. Each time is a share of how long a whole
// deploy takes, with parts of a second, as Lambda tells times.
func (w *World) steps(r *Run, a *Attempt, start time.Time) {
	reached := func(last ...End) bool {
		return !slices.Contains(last, a.Ends)
	}
	for i, l := range w.functions {
		if i > 0 && r.FirstOnly && a.Ends != Succeeds && a.Ends != FailsSmoke {
			continue
		}
		step := func(share int, do func()) {
			w.at(start.Add(tenths(r.Deploy, share)+time.Duration(123+50*i)*time.Millisecond), do)
		}
		step(0, func() {
			l.tag = l.serving().Version
			if r.Snapshot {
				w.snapshot(l, r, a.Number)
			}
		})
		if r.Uploads || reached(FailsBeforePublishing) {
			step(2, func() {
				if r.Does == Deploys || r.Does == Stages {
					l.update(1000+r.Number, w.now)
				}
				if reached(FailsBeforePublishing) {
					w.publish(r, a, l)
				}
			})
		}
		if !reached(FailsBeforePublishing, FailsAfterPublishing) {
			continue
		}
		if r.Does == Stages {
			step(6, func() { l.aliases[staging] = &lambdaAlias{Serving: Serving{Version: a.put[l]}, revision: 1} })
			continue
		}
		if r.Canary != AtOnce || a.Ends == FailsMidCanary {
			step(6, func() {
				from, to := l.serving().Version, a.put[l]
				switch {
				case to == 0 || from == to:
				case r.Canary == NewFirst:
					w.deploy(l, r, Serving{Version: to, Weighted: from})
				default:
					w.deploy(l, r, Serving{Version: from, Weighted: to})
				}
			})
		}
		if reached(FailsMidCanary) {
			step(8, func() {
				if a.put[l] != 0 {
					w.deploy(l, r, Serving{Version: a.put[l]})
				}
			})
		}
	}
}

// tenths is a share of a time.
func tenths(whole time.Duration, share int) time.Duration { return whole / 10 * time.Duration(share) }

// publish finds or makes the version that the run deploys.
func (w *World) publish(r *Run, a *Attempt, l *Lambda) {
	switch r.Does {
	case Redeploys:
		l.update(l.versions[l.last].content, w.now)
		a.put[l] = l.publish(r)
	case Promotes:
		for v, n := l.serving().Version, max(1, r.Back); n > 0; n-- {
			v = l.below(v, func(v *version) bool { return v.usable() && !w.bad(l, v.number) })
			if v == 0 {
				break
			}
			a.put[l] = v
		}
	default:
		a.put[l] = l.publish(r)
	}
}

func (r *Run) event() string {
	if r.Dispatch {
		return "workflow_dispatch"
	}
	return "push"
}

// hotfix is what somebody else does.
func (w *World) hotfix(l *Lambda, fix *Hotfix) {
	if !fix.Restores {
		l.update(5000+int(l.last), w.now)
		v := l.publish(nil)
		l.versions[v].hotfix = true
		w.deploy(l, nil, Serving{Version: v})
		return
	}
	if l.left != 0 {
		w.deploy(l, nil, Serving{Version: l.left})
	}
}

func (a *Attempt) job(name string) *Job {
	for _, j := range a.Jobs {
		if j.Name == name {
			return j
		}
	}
	return &Job{}
}

// updated is when a run was last heard of: now, while an attempt is at work.
func (r *Run) updated(now time.Time) time.Time {
	last := r.Created
	for _, a := range r.Attempts {
		if a.Begun.After(now) {
			continue
		}
		if end := a.Jobs[len(a.Jobs)-1].End; end.Before(now) {
			last = end
		} else {
			last = now
		}
	}
	return last
}

// seen is what GitHub shows of a run at a time: the jobs of one attempt, or, of
// attempt 0, of all.
func (r *Run) seen(now time.Time, attempt int) report.Run {
	run := report.Run{
		ID: r.ID, Number: r.Number, WorkflowID: 7, Workflow: "deploy", Branch: "main",
		CreatedAt: r.Created, Conclusion: r.conclusion, Jobs: []report.Job{}, Event: r.event(),
	}
	for _, a := range r.Attempts {
		if a.Begun.After(now) || (attempt != 0 && a.Number != attempt) {
			continue
		}
		run.Attempt = a.Number
		for _, j := range a.Jobs {
			shown := report.Job{Name: j.Name, Status: "queued"}
			if !j.Start.After(now) {
				shown.Status, shown.StartedAt = "in_progress", j.Start
			}
			if !j.End.After(now) && !j.Start.After(now) {
				shown.Status, shown.CompletedAt, shown.Conclusion = "completed", j.End, j.Conclusion
			}
			shown.Own = attempt != 0 && j.Name == rollbackJob && shown.Status == "in_progress"
			run.Jobs = append(run.Jobs, shown)
		}
	}
	return run
}

// deploying counts the runs that were in their deploy job at a time.
func (w *World) deploying(at time.Time) int {
	at = at.Truncate(time.Second)
	count := 0
	for _, r := range w.runs {
		busy := false
		for _, a := range r.Attempts {
			j := a.job(deployJob)
			busy = busy || (j.Conclusion != "skipped" && !at.Before(j.Start) && !at.After(j.End))
		}
		if busy {
			count++
		}
	}
	return count
}

// alone tells whether no other run was running between a run's beginning and
// now, with a moment to spare.
func (w *World) alone(r *Run) bool { return w.others(r) == 0 }

// entangled tells whether a run was running at the same time as another one.
func (w *World) entangled(r *Run) bool { return r != nil && w.others(r) > 0 }

// others counts the runs that were at work while a run was.
func (w *World) others(r *Run) int {
	const moment = 3 * time.Second
	count := 0
	for _, other := range w.runs {
		if other == r || other.Created.After(w.now) {
			continue
		}
		apart := other.updated(w.now).Before(r.Created.Add(-moment)) || r.updated(w.now).Before(other.Created.Add(-moment))
		if !apart {
			count++
		}
	}
	return count
}

// overtaken tells whether a newer run had begun to deploy by a time, or, where
// an earlier attempt published or evidence is withheld, whether it had begun at
// all: nothing tells then which job it is that publishes.
func (w *World) overtaken(r *Run, attempt *Attempt, by time.Time) bool {
	for _, newer := range w.runs {
		for _, a := range newer.Attempts {
			j := a.job(deployJob)
			began := j.Conclusion != "skipped" && !j.Start.After(by)
			if by.Before(attempt.Begun) || r.Evidence != Everything {
				began = !a.Begun.After(by)
			}
			if newer.Number > r.Number && began {
				return true
			}
		}
	}
	return false
}
