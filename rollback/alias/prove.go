package alias

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// Moved contains the facts about a function whose alias was moved, for the checks.
type Moved struct {
	Name          string // the display name of the function
	ARN           string // the region of the function; empty if not set
	Alias, Region string
	Version       int64 // the version that the alias points at now
	Split         bool  // another version has a share of the traffic, as before a drill
	Left          int64 // the version that the alias was moved away from
	LogGroup      string
	ServedBefore  bool // Version already had a share of the traffic before the move
	MovedAt       time.Time
	DeployedAt    time.Time     // when that version was deployed; zero if unknown
	Timeout       time.Duration // how long an invocation may take; 0 if unknown
}

// Prover checks functions that were moved, all together, and returns one verdict for
// each, in their order.
type Prover func(ctx context.Context, moved []Moved) []report.Verdict

// ProveOptions say how to react to a verdict.
type ProveOptions struct {
	StepBack bool          // step back to older versions until production is healthy
	MaxSteps int           // how many further moves back are allowed
	Timeout  time.Duration // the time limit for the moves of one step
	Log      Log           // receives what concerns the whole fleet
}

// Moved reports whether there is anything to check: a function that was rolled back,
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

// Prove checks the functions that were moved. If the options allow it, functions that
// are not healthy move further back, until production is healthy, or nothing else can
// be tried: then functions that are not healthy return to the target of their first
// move. The findings are in the results.
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

// proof is the process from the moved aliases to a verdict on production.
type proof struct {
	fleet   *Fleet
	prove   Prover
	options ProveOptions
	moved   []*rollback
	found   map[*rollback]*finding
}

// finding is what was found about one function.
type finding struct {
	last  report.Verdict
	first report.Verdict // about the target of the first move
	// returned reports that the function is back on the target of its first move, and
	// that the findings about that version count.
	returned bool

	steps   int            // further moves back that had been made at the time of the last verdict
	earlier []report.Check // about the versions that were replaced since
	moments []report.Moment
}

// leave stores the checks of the last verdict, as those of a version that was
// replaced.
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

// verify runs all checks on every moved function: all of them together serve a URL.
// Afterwards, each alias is read again.
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

// flagUnconfirmed adds a note if the checks may not have reached the target: passed
// checks then prove nothing about it.
func flagUnconfirmed(v report.Verdict, s state) report.Verdict {
	if s.position.kind == onTarget {
		return v
	}
	line := report.Check{Name: "alias", Status: report.CheckInconclusive, Detail: fmt.Sprintf("the checks may not have reached version %d: %s", s.to, s.position)}
	v.Checks = slices.Concat([]report.Check{line}, v.Checks)
	if v.Healthy == report.Healthy {
		v.Healthy = report.HealthUnknown
	}
	return v
}

// unhealthy returns the functions to move further back. If the function's own checks
// fail, it is that function; if only checks of all functions together fail, it can be
// any of them.
func (p *proof) unhealthy() []*rollback {
	var own, all []*rollback
	for _, r := range p.moved {
		// These are excluded: a function that somebody else has moved, that has no
		// verdict of its own, or that an earlier attempt could not move any further.
		if r.state.position.kind != onTarget || r.state.moved == nil {
			continue
		}
		v := p.found[r].last
		if v.Own == report.NotHealthy {
			own = append(own, r)
		}
		if v.Healthy == report.NotHealthy && mayBeTheVersion(v.Checks) {
			all = append(all, r)
		}
	}
	if len(own) > 0 {
		return own
	}
	return all
}

// mayBeTheVersion reports whether a check failed that another version can pass. The
// failed version may have triggered an alarm that is still in the state of the time
// before the move, and a URL without a connection has received no request: every older
// version would be rejected for the same reason.
func mayBeTheVersion(checks []report.Check) bool {
	return slices.ContainsFunc(checks, func(c report.Check) bool {
		return c.Status == report.CheckFailed && c.Kind != report.CheckOldAlarm && c.Kind != report.CheckUnreached
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

// step moves functions that are not healthy further back, within the time limit of the
// first move; with all-or-nothing, it moves all functions.
func (p *proof) step(ctx context.Context, unhealthy []*rollback) []*rollback {
	ctx, cancel := context.WithTimeoutCause(ctx, p.options.Timeout, ErrTimeout)
	defer cancel()
	if p.fleet.allOrNothing {
		return stepBackTogether(ctx, p.fleet.all)
	}
	return stepBack(ctx, unhealthy)
}

// giveUp returns functions that are not healthy to the target of their first move;
// with all-or-nothing, all functions that moved further.
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

// conclude stores the findings in the state.
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
		s.message += fmt.Sprintf("; could not confirm that production recovered (%s)", report.FirstThat(decisive, report.CheckInconclusive))
	}
}
