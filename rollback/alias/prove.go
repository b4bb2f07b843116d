package alias

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// Moved is a function whose alias was moved, as plain facts for what proves it.
type Moved struct {
	Name          string // of the function, for people
	ARN           string // of the function; empty: it was not given
	Alias, Region string
	Version       int64 // what the alias points at now
	Split         bool  // another version gets a share of the traffic, as it did before a drill
	Left          int64 // the version that was left
	LogGroup      string
	ServedBefore  bool // the version had a share of the traffic before the move, too
	MovedAt       time.Time
	DeployedAt    time.Time     // when the version that was left came; zero: not known
	Timeout       time.Duration // how long an invocation may take; 0: not known
}

// Prover checks functions that were moved, all at once, and gives one verdict for
// each, in their order.
type Prover func(ctx context.Context, moved []Moved) []report.Verdict

// ProveOptions say what follows from a verdict.
type ProveOptions struct {
	StepBack bool          // go on to older versions until production is healthy
	MaxSteps int           // moves further back that may be made
	Timeout  time.Duration // for the moves of one step
	Observed bool          // alarms were watched for a time, and not only looked at
	Log      Log           // takes what concerns the whole fleet
}

// Moved reports whether there is anything to prove: a function that was rolled back,
// now or by an earlier attempt, and that nobody else has moved since.
func (f *Fleet) Moved() bool { return len(f.moved()) > 0 }

func (f *Fleet) moved() (moved []*rollback) {
	for _, r := range f.all {
		if s := r.state; s.moved != nil && !s.changedByOthers || movedBefore(r) {
			moved = append(moved, r)
		}
	}
	return moved
}

// Prove checks the functions that were moved. Where that is asked for, those that
// are not healthy go further back, until production is, or nothing is left to
// try: then what is not healthy returns to where the first move had brought it.
// What was found is in the results.
func (f *Fleet) Prove(ctx context.Context, prove Prover, o ProveOptions) {
	p := &proof{fleet: f, prove: prove, options: o, found: map[*rollback]*finding{}}
	for _, r := range f.moved() {
		p.moved = append(p.moved, r)
		p.found[r] = &finding{}
	}
	if len(p.moved) == 0 {
		return
	}
	p.verify(ctx)
	if o.StepBack {
		p.stepBack(ctx)
	}
	for _, r := range p.moved {
		p.conclude(r)
	}
}

// proof is the way from the moved aliases to a verdict on production.
type proof struct {
	fleet   *Fleet
	prove   Prover
	options ProveOptions
	moved   []*rollback
	found   map[*rollback]*finding
}

// finding is what was found out about one function.
type finding struct {
	last  report.Verdict
	first report.Verdict // on the target of the first move
	// returned: it is back on the target of the first move, and what was found
	// there is what counts.
	returned bool

	steps   int            // moves further back that had been made when the last verdict was given
	earlier []report.Check // of the versions that were left since
	moments []report.Moment
}

// leave keeps the checks of the last verdict as those of a version that was left.
func (f *finding) leave(tried []int64) {
	if len(tried) == f.steps {
		return
	}
	for _, c := range f.last.Checks {
		c.Version = versionText(tried[f.steps])
		f.earlier = append(f.earlier, c)
	}
	f.last.Checks, f.steps = nil, len(tried)
}

// verify runs all checks on every moved function: a URL is served by all of them
// together. Each alias is read once more after that.
func (p *proof) verify(ctx context.Context) {
	moved := make([]Moved, len(p.moved))
	for i, r := range p.moved {
		if moved[i] = movedFacts(r); movedBefore(r) {
			moved[i] = factsOfEarlier(r)
		}
	}
	verdicts := p.prove(ctx, moved)
	each(p.moved, func(r *rollback) { stepper{r}.confirm(ctx) })
	for i, r := range p.moved {
		f, v, on := p.found[r], flagUnconfirmed(verdicts[i], r.state), versionText(moved[i].Version)
		f.leave(r.state.tried)
		f.last = v
		if f.first.Ended.IsZero() {
			f.first = v
		}
		f.moments = append(f.moments, report.Moment{
			Event: report.Verified, At: v.Ended, Detail: fmt.Sprintf("version %s: %s", on, v.Healthy.Recovery()),
		})
		p.options.Log.Infof("%s on version %s: %s", r.client.resource(Alias{}), on, v.Healthy.Recovery())
	}
}

func movedFacts(r *rollback) Moved {
	s := r.state
	return Moved{
		Name: r.subject.name, ARN: r.subject.arn, Alias: r.subject.alias, Region: r.subject.region,
		Version: s.to, Left: s.left, LogGroup: s.logGroup, ServedBefore: s.servedBefore,
		MovedAt: s.movedAt, DeployedAt: s.deployedAt, Timeout: r.now().Versions[s.to].Settings.Timeout,
	}
}

// flagUnconfirmed adds to what was found that it may not be the target that was
// checked: what passed proves nothing about it then.
func flagUnconfirmed(v report.Verdict, s state) report.Verdict {
	if s.position.kind == onTarget {
		return v
	}
	line := report.Check{Name: "alias", Status: report.CheckInconclusive, Detail: fmt.Sprintf("the checks may not have met version %d: %s", s.to, s.position)}
	v.Checks = slices.Concat([]report.Check{line}, v.Checks)
	if v.Healthy == report.Healthy {
		v.Healthy = report.HealthUnknown
	}
	return v
}

// unhealthy are the functions to move on. Where a function's own checks fail, it
// is that one; where only what all serve together fails, it can be any of them.
func (p *proof) unhealthy() []*rollback {
	var own, all []*rollback
	for _, r := range p.moved {
		// It is somebody else's now, was not judged alone, or was left there by an
		// earlier attempt, which had gone as far as it could.
		if r.state.position.kind != onTarget || r.state.moved == nil {
			continue
		}
		v := p.found[r].last
		if v.Own == report.NotHealthy {
			own = append(own, r)
		}
		if v.Healthy == report.NotHealthy && !p.onlyOldAlarms(v.Checks) {
			all = append(all, r)
		}
	}
	if len(own) > 0 {
		return own
	}
	return all
}

// onlyOldAlarms: nothing failed but alarms, and they were not watched. The failed
// version may have set them off, and in an instant every older version would be
// left for it.
func (p *proof) onlyOldAlarms(checks []report.Check) bool {
	return !p.options.Observed && !slices.ContainsFunc(checks, func(c report.Check) bool {
		return c.Status == report.CheckFailed && c.Kind != report.CheckAlarm
	})
}

func (p *proof) stepBack(ctx context.Context) {
	for step := 1; ; step++ {
		unhealthy := p.unhealthy()
		if len(unhealthy) == 0 || ctx.Err() != nil {
			return
		}
		var stepped []*rollback
		if step <= p.options.MaxSteps {
			stepped = p.step(ctx, unhealthy)
		} else {
			p.options.Log.Infof("max-steps allows %d moves further back, and production is not healthy after them", p.options.MaxSteps)
		}
		if len(stepped) == 0 {
			p.giveUp(ctx, unhealthy)
			return
		}
		p.verify(ctx)
	}
}

// step moves what is not healthy further back, within the time that the first
// move had; with all-or-nothing all that was moved.
func (p *proof) step(ctx context.Context, unhealthy []*rollback) []*rollback {
	ctx, cancel := context.WithTimeoutCause(ctx, p.options.Timeout, ErrTimeout)
	defer cancel()
	if p.fleet.allOrNothing {
		return stepBackTogether(ctx, p.fleet.all)
	}
	return stepBack(ctx, unhealthy)
}

// giveUp returns what is not healthy to the target of its first move; with
// all-or-nothing all that went further.
func (p *proof) giveUp(ctx context.Context, unhealthy []*rollback) {
	ctx, cancel := context.WithTimeoutCause(ctx, p.options.Timeout, ErrTimeout)
	defer cancel()
	if p.fleet.allOrNothing {
		unhealthy = p.fleet.all
	}
	for _, r := range toFirstTargets(ctx, unhealthy) {
		if f, found := p.found[r]; found {
			f.returned = true
		}
	}
}

// conclude keeps what was found in the state.
func (p *proof) conclude(r *rollback) {
	f, s := p.found[r], &r.state
	decisive, healthy := f.last.Checks, f.last.Healthy
	if f.returned {
		decisive, healthy = f.first.Checks, f.first.Healthy
	}
	f.leave(s.tried)
	s.checks, s.healthy = slices.Concat(f.earlier, f.last.Checks), healthy
	s.found, s.watched, s.logTail = f.last.Notes, f.last.Watched, f.last.LogTail
	s.timeline = slices.Concat(s.timeline, f.moments)
	slices.SortStableFunc(s.timeline, func(a, b report.Moment) int { return a.At.Compare(b.At) })
	switch healthy {
	case report.Healthy:
		s.message += "; " + report.AllPassed(decisive)
	case report.NotHealthy:
		if s.moved == nil {
			adoptEarlier(r)
		}
		s.end(report.Failed, report.Unhealthy, s.message+fmt.Sprintf("; production is NOT healthy (%s); %s",
			report.FirstThat(decisive, report.CheckFailed), cmp.Or(s.position.String(), fmt.Sprintf("the alias stays on version %d", s.to))))
	default:
		s.message += fmt.Sprintf("; it is not known whether production recovered (%s)", report.FirstThat(decisive, report.CheckInconclusive))
	}
}
