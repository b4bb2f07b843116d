package history

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// World is where a history happens.
type World struct {
	now       time.Time
	functions []*Lambda
	runs      []*Run
	events    []event
	stacks    map[*Lambda][]entry
	together  bool // all-or-nothing
	roll      Roller

	// Judged has one verdict for each function each time a rollback's step ran.
	Judged []Verdict
	// Wrong are the properties that did not hold.
	Wrong []string
}

// Roller is a rule of rolling back: it moves the aliases, or not, after an
// attempt of a run has failed.
type Roller func(w *World, r *Run, a *Attempt)

// event is something that happens at a time; the step of a rollback cannot
// happen within another one.
type event struct {
	at   time.Time
	step bool
	do   func()
}

// entry is one state that the alias was brought into, and by whom. What a
// rollback takes back leaves the stack, so that its top tells who is
// answerable for what serves, and the next one down what served before.
type entry struct {
	Serving

	by *Run // nil: nobody's deploy
}

// Play plays a history under a rule to its end.
func Play(h History, roll Roller) *World {
	w := &World{
		now:    time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC),
		stacks: map[*Lambda][]entry{}, together: h.AllOrNothing, roll: roll,
	}
	for i := range max(1, h.Functions) {
		l := newLambda([]string{"api", "worker"}[i], w.now)
		l.skew = h.Skew
		w.functions = append(w.functions, l)
		w.stacks[l] = []entry{{Serving: l.serving()}}
	}
	created := w.now
	for i, p := range h.Plans {
		if !p.Overlaps || i == 0 {
			w.until(time.Time{})
			created = w.now
		}
		created = created.Add(p.After + time.Second).Truncate(time.Second)
		w.enter(p, created)
	}
	w.until(time.Time{})
	return w
}

func (w *World) at(t time.Time, do func()) { w.events = append(w.events, event{at: t, do: do}) }

// until lets happen what is due until a time, in order, without any rollback's
// step; the zero time stands for the end, steps included.
func (w *World) until(end time.Time) {
	for {
		next := -1
		for i, e := range w.events {
			if !end.IsZero() && (e.step || e.at.After(end)) {
				continue
			}
			if next < 0 || e.at.Before(w.events[next].at) {
				next = i
			}
		}
		if next < 0 {
			break
		}
		e := w.events[next]
		w.events = slices.Delete(w.events, next, next+1)
		if e.at.After(w.now) {
			w.now = e.at
		}
		e.do()
	}
	if end.After(w.now) {
		w.now = end
	}
}

func (w *World) top(l *Lambda) entry {
	stack := w.stacks[l]
	return stack[len(stack)-1]
}

// deploy moves the alias for a run, unless the version was deleted meanwhile.
func (w *World) deploy(l *Lambda, r *Run, to Serving) {
	if l.versions[to.Version] == nil || (to.Weighted != 0 && l.versions[to.Weighted] == nil) {
		return // AWS refuses
	}
	changed := l.serving() != to
	l.point(to)
	if changed {
		w.stacks[l] = append(w.stacks[l], entry{to, r})
	}
}

// settle brings the stack up to date after a rollback's step of a run.
func (w *World) settle(l *Lambda, r *Run) {
	now := l.serving()
	top := w.top(l)
	if now == top.Serving {
		return
	}
	if top.by == r && r != nil {
		w.stacks[l] = w.without(l, r)
	}
	if w.top(l).Serving != now {
		w.stacks[l] = append(w.stacks[l], entry{Serving: now})
	}
}

// without is the stack below the topmost entries of a run. What served at the
// very beginning always remains.
func (w *World) without(l *Lambda, r *Run) []entry {
	stack := slices.Clone(w.stacks[l])
	for len(stack) > 1 && stack[len(stack)-1].by == r {
		stack = stack[:len(stack)-1]
	}
	return stack
}

// bad tells whether a version must not be chosen: a run that failed, and has
// not succeeded since, published it or was taken back from it.
func (w *World) bad(l *Lambda, v int64) bool {
	for _, r := range w.runs {
		if r.failed && (l.versions[v].publisher == r || r.left[l][v]) && r.found[l] != v {
			return true
		}
	}
	return false
}

// praised tells whether a run that succeeded has deployed a version, whoever
// had published it.
func (w *World) praised(l *Lambda, v int64) bool {
	for _, r := range w.runs {
		if last := r.Attempts[len(r.Attempts)-1]; r.conclusion == "success" && !last.kept && last.put[l] == v {
			return true
		}
	}
	return false
}

// everBad is bad without forgiveness.
func (w *World) everBad(l *Lambda, v int64) bool {
	for _, r := range w.runs {
		if r.everFailed && (l.versions[v].publisher == r || r.left[l][v]) {
			return true
		}
	}
	return false
}

// clean deletes the oldest versions that no alias holds, that never
// served and whose run is over.
func (w *World) clean(l *Lambda, count int) {
	served := func(v int64) bool {
		return slices.ContainsFunc(w.stacks[l], func(e entry) bool { return e.has(v) })
	}
	for _, v := range l.numbers() {
		p := l.versions[v].publisher
		if count > 0 && v != l.last && !l.aliased(v) && !served(v) && (p == nil || p.conclusion != "") {
			delete(l.versions, v)
			count--
		}
	}
}

// spoil gives the nth version below the serving one another state.
func (w *World) spoil(l *Lambda, n int, state types.State, reason types.StateReasonCode) {
	for v := l.serving().Version - 1; v > 0; v-- {
		if found, ok := l.versions[v]; ok {
			if n--; n == 0 {
				found.state, found.reason, found.pending = state, reason, 0
				if state == types.StatePending {
					found.pending = 3
				}
				return
			}
		}
	}
}

// snapshot is what the command of that name does, by the contract's words:
// the memory alias points at what serves, and its Description keeps what was
// rejected.
func (w *World) snapshot(l *Lambda, r *Run, attempt int) {
	a, ok := l.aliases[memory]
	if !ok {
		a = &lambdaAlias{description: "rejected="}
		l.aliases[memory] = a
	}
	rejected := rejectedField.FindString(a.description)
	a.Serving = Serving{Version: l.serving().Version}
	a.description = fmt.Sprintf("%s run=%d/%d at=%s by=snapshot", rejected, r.ID, attempt, w.now.Format(time.RFC3339))
	a.revision++
}

var (
	rejectedField = regexp.MustCompile(`rejected=[^ ]*`)
	wellFormed    = regexp.MustCompile(`^rejected=(\d+(-\d+)?(@\d+)?(,\d+(-\d+)?(@\d+)?)*)?( run=\d+/\d+)?( at=\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)?( by=(rollback|snapshot))?$`)
)

// snapshotOf is what the memory says served before this run; 0: the memory is
// not this run's snapshot.
func (l *Lambda) snapshotOf(r *Run) int64 {
	a, ok := l.aliases[memory]
	if !ok || !strings.Contains(a.description, fmt.Sprintf(" run=%d/", r.ID)) || !strings.HasSuffix(a.description, " by=snapshot") {
		return 0
	}
	return a.Version
}

// clock stands still but for the history's own events: pauses cost nothing.
type clock struct{ w *World }

func (c clock) Now() time.Time { return c.w.now }

func (clock) Sleep(ctx context.Context, _ time.Duration) error { return ctx.Err() }

// hub is GitHub as one step of a rollback asks it.
type hub struct {
	w        *World
	evidence Evidence
}

var errNoAnswer = errors.New("GitHub's API answered 503")

func (h hub) Outcome(_ context.Context, id int64) (report.Run, error) {
	if h.evidence != Everything {
		return report.Run{}, errNoAnswer
	}
	for _, r := range h.w.runs {
		if r.ID == id {
			return r.seen(h.w.now, 0), nil
		}
	}
	return report.Run{}, errors.New("GitHub's API answered 404")
}

func (h hub) AtWork(_ context.Context, run report.Run, from, to time.Time) ([]report.Run, error) {
	if h.evidence != Everything {
		return nil, errNoAnswer
	}
	var older []report.Run
	for _, r := range h.w.runs {
		if r.Number < run.Number && !r.Created.After(to) && !r.updated(h.w.now).Before(from.Truncate(time.Second)) {
			older = append(older, r.seen(h.w.now, 0))
		}
	}
	return older, nil
}

// evidenceOf is what GitHub says about the failed run at this moment.
func (w *World) evidenceOf(r *Run, a *Attempt) report.Run {
	if r.Evidence == Nothing {
		return report.Run{ID: r.ID, Attempt: a.Number}
	}
	run := r.seen(w.now, a.Number)
	for _, before := range r.Attempts {
		if before.Number < a.Number {
			run.Earlier = append(run.Earlier, r.seen(w.now, before.Number).Jobs...)
		}
	}
	switch r.Evidence {
	case Nothing, NoNewer:
	case CreatedOnly, BoundOnly:
		run.Jobs, run.Earlier = nil, nil
		if r.Evidence == BoundOnly {
			run.CreatedAt, run.CreatedBound = run.CreatedAt.Add(-2*time.Second), true
		}
	case Everything, NoAnswers:
		run.NewerKnown = true
		for _, newer := range w.runs {
			if newer.Number > r.Number && !newer.Created.After(w.now) && len(run.Newer) < 10 {
				run.Newer = append(run.Newer, newer.seen(w.now, 0))
			}
		}
	}
	return run
}
