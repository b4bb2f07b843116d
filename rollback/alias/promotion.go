package alias

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/org/lambda-rollback-action/rollback/aws"
	"github.com/org/lambda-rollback-action/rollback/report"
)

// Promotion moves the traffic of functions to a new version step by step, and back
// where that is asked for. It decides nothing about the health of a version. Its
// methods are to be called one after the other.
type Promotion struct {
	Each []*Promoting // in the order of the functions

	options PromoteOptions
}

// Promoting is the promotion of one function.
type Promoting struct {
	// Stable and Version are the two versions; Stable is 0 where none is known to
	// return to.
	Stable, Version int64
	// Live: the alias points at the new version alone since before the promotion, so
	// that only the bake is left.
	Live bool
	// Resumed is the weight that an earlier attempt of this run has left.
	Resumed float64

	r       *rollback
	weight  float64
	shifted time.Time
	ended   bool
}

// NewPromotion makes a promotion of functions, none of which is touched yet.
func NewPromotion(functions []Function, options PromoteOptions) *Promotion {
	p := &Promotion{options: options}
	for _, f := range functions {
		f.Request.Target = 0
		p.Each = append(p.Each, &Promoting{Version: f.Request.Deployed, r: newRollback(f)})
	}
	return p
}

// Prepare finds out of each function whether its new version may be promoted, and
// waits until it can serve. Where several go together, one that may not keeps the
// others back. It changes nothing.
func (p *Promotion) Prepare(ctx context.Context) {
	p.each(func(f *Promoting) { f.prepare(ctx, p.options) })
	if !p.options.Together {
		return
	}
	for _, bad := range p.Each {
		if bad.r.state.status != report.Failed {
			continue
		}
		for _, f := range p.Going() {
			s := &bad.r.state
			f.end(report.Failed, s.reason, fmt.Sprintf("%s was left on %s: all functions are promoted together, and %s cannot be (%s)",
				f.r.subject.place(), serving(f.r.now().Alias), bad.r.subject.label(), s.reason))
		}
		return
	}
}

func (p *Promotion) each(act func(*Promoting)) {
	of, all := map[*rollback]*Promoting{}, []*rollback{}
	for _, f := range p.Each {
		of[f.r], all = f, append(all, f.r)
	}
	each(all, func(r *rollback) { act(of[r]) })
}

// Going are the functions whose promotion goes on.
func (p *Promotion) Going() []*Promoting {
	var out []*Promoting
	for _, f := range p.Each {
		if !f.ended {
			out = append(out, f)
		}
	}
	return out
}

// Remember writes the stable version into the memory alias of each function, before
// there is any traffic on the new one: an aliased version cannot be deleted, and the
// rollback of this run returns to it.
func (p *Promotion) Remember(ctx context.Context) {
	p.each(func(f *Promoting) {
		if !f.ended && f.Stable != 0 {
			f.remember(ctx)
		}
	})
}

// Shift gives the new versions a share of the traffic. A function whose alias could
// not be changed goes back, and with it all of them where they go together.
func (p *Promotion) Shift(ctx context.Context, weight float64) {
	p.each(func(f *Promoting) {
		if !f.ended {
			f.shift(ctx, weight)
		}
	})
	if !p.options.Together {
		return
	}
	for _, bad := range p.Each {
		if s := bad.r.state; s.status == report.Failed {
			p.BackAll(s.reason, fmt.Sprintf("all functions are promoted together, and %s failed (%s)", bad.r.subject.label(), s.reason), false)
			return
		}
	}
}

// BackAll returns every function whose promotion goes on to its stable version.
// rejects: the new versions are never selected automatically again.
func (p *Promotion) BackAll(reason report.Reason, why string, rejects bool) {
	p.each(func(f *Promoting) { f.Back(reason, why, rejects) })
}

// Results are those of the functions, in their order.
func (p *Promotion) Results() []report.Function {
	out := make([]report.Function, len(p.Each))
	for i, f := range p.Each {
		out[i] = f.r.result()
	}
	return out
}

func (f *Promoting) prepare(ctx context.Context, options PromoteOptions) {
	const nothing = "nothing was promoted for"
	r := f.r
	if err := r.observer.readAliases(ctx); err != nil {
		f.ended = true
		r.failDoing(nothing, err)
		return
	}
	r.keepObserved()
	d, err := r.observer.decide(ctx, func(o Observation) Decision { return decidePromotion(o, options) })
	if err != nil {
		f.ended = true
		r.failDoing(nothing, err)
		return
	}
	r.state.decision = d
	switch d.Action {
	case Fail:
		f.end(report.Failed, d.Reason, fmt.Sprintf("%s was NOT promoted to version %d, and is on %s: %s", r.subject.place(), f.Version, serving(r.now().Alias), d.Why))
		return
	case Skip:
		f.Live, f.weight, f.shifted = true, 1, r.clock.Now()
		findWayBack(ctx, f)
	case Move, NeedMore:
		f.Stable = r.now().Alias.Version
		if now := r.now().Alias; now.Weighted == f.Version {
			f.Resumed, f.weight, f.shifted = now.Weight, now.Weight, r.clock.Now()
			r.log.Infof("%s: this run gave version %d %.4g%% of the traffic before; it goes on from there", r.subject.label(), f.Version, 100*now.Weight)
		}
		r.compare(f.Stable, f.Version)
	}
	r.state.promotion = &report.Promotion{Version: versionText(f.Version), Stable: versionText(f.Stable)}
	r.takeLogGroup(f.Version)
	if options.Splits && !f.Live {
		refuseProvisioned(ctx, f)
	}
	if !f.ended {
		f.awaitOthers(ctx)
	}
	if !f.ended && r.dryRun {
		f.end(report.Planned, "", fmt.Sprintf("dry run: %s would be promoted from version %d to version %d; nothing was changed", r.subject.place(), f.Stable, f.Version))
		r.state.to = f.Version
	}
}

// findWayBack finds the version to return to from one that is live already.
func findWayBack(ctx context.Context, f *Promoting) {
	d, err := f.r.observer.decide(ctx, func(o Observation) Decision { return wayBackFrom(o, f.Version) })
	if err == nil && d.Action == Move {
		f.Stable = d.Target
		f.r.log.Infof("%s is on version %d already; if it is not healthy, the way back is version %d, because %s", f.r.subject.label(), f.Version, d.Target, d.Why)
		return
	}
	why := d.Why
	if err != nil {
		_, why = reasonOfProblem(err)
	}
	f.r.notes.warnf("there is no version to return to from version %d: %s", f.Version, why)
}

// refuseProvisioned refuses to share the traffic of an alias with provisioned
// concurrency, which Lambda refuses, too.
func refuseProvisioned(ctx context.Context, f *Promoting) {
	inspector, can := f.r.client.lambda.(Inspector)
	if !can {
		return
	}
	c := f.r.client
	_, err := do(ctx, c.caller, "GetProvisionedConcurrencyConfig", func(ctx context.Context) (*lambda.GetProvisionedConcurrencyConfigOutput, error) {
		return inspector.GetProvisionedConcurrencyConfig(ctx, &lambda.GetProvisionedConcurrencyConfigInput{FunctionName: &c.function, Qualifier: &c.alias}, unretried)
	})
	switch {
	case err == nil:
		f.end(report.Failed, report.Refused, fmt.Sprintf(
			"%s was NOT promoted to version %d: the alias has provisioned concurrency, and Lambda lets no two versions share its traffic; use steps: 0%%, 100%% 5m", f.r.subject.place(), f.Version))
	case aws.Code(err) != noProvisioned:
		f.r.log.Infof("whether the alias has provisioned concurrency is not known: %s", explain(err, "GetProvisionedConcurrencyConfig", c.resource(f.r.now().Alias)).Text)
	}
}

// awaitOthers waits for who else moves the alias.
func (f *Promoting) awaitOthers(ctx context.Context) {
	r := f.r
	for r.guard != nil && !f.Live {
		p := proposal(r)
		p.Decision, p.Chosen = Decision{Action: Move, Target: f.Version}, true
		var hold Hold
		var err error
		aside(r, func() { hold, err = r.guard.Allow(ctx, p) })
		if err != nil {
			f.ended = true
			r.failDoing("nothing was promoted for", err)
			return
		}
		if !hold.Again {
			return
		}
		before := r.now().Alias
		if err := r.observer.readAliases(ctx); err != nil {
			f.ended = true
			r.failDoing("nothing was promoted for", err)
			return
		}
		if now := r.now().Alias; !now.sameTraffic(before) {
			f.end(report.Failed, report.AliasChanged, fmt.Sprintf("%s was NOT promoted to version %d: it serves %s since what was waited for has ended; run this again", r.subject.place(), f.Version, serving(now)))
			return
		}
	}
}

// remember writes the stable version. Without it the promotion is not begun.
func (f *Promoting) remember(ctx context.Context) {
	r := f.r
	if r.now().Memory.Foreign != "" || !r.now().Request.Remember {
		return
	}
	o := *r.now()
	_, stored, err := r.memory.save(ctx, o.Memory, func(old Memory) Memory {
		m := old
		m.Unread = nil
		m.Version, m.By, m.Run, m.Attempt, m.At = f.Stable, BySnapshot, o.Run.ID, o.Run.Attempt, r.stamp()
		if old.writtenBy(BySnapshot, o.Run) && old.Version == f.Stable {
			m.At, m.Attempt = old.At, old.Attempt
		}
		m.Rejected = old.Rejected.Remove(f.Stable)
		return m
	})
	if err != nil {
		reason, text := reasonOfProblem(err)
		f.end(report.Failed, reason, fmt.Sprintf("%s was NOT promoted to version %d: the stable version %d could not be recorded in the alias %s, by which a rollback finds it: %s",
			r.subject.place(), f.Version, f.Stable, r.client.memoryAlias(), text))
		return
	}
	r.now().Memory = stored
}

// Facts are what checks and reports need of a function as it stands.
func (f *Promoting) Facts() Moved {
	m := movedFacts(f.r)
	m.Version, m.Left, m.Split = f.Version, f.Stable, f.weight > 0 && f.weight < 1
	m.MovedAt, m.DeployedAt = f.shifted, f.shifted
	return m
}

// Weight is the new version's share of the traffic, and when it was set.
func (f *Promoting) Weight() (weight float64, since time.Time) { return f.weight, f.shifted }

// Timeout is how long an invocation of the new version may take; 0: not known.
func (f *Promoting) Timeout() time.Duration { return f.r.now().Versions[f.Version].Settings.Timeout }

// Label names the function and its alias.
func (f *Promoting) Label() string { return f.r.subject.label() }

// Report is what the promotion has counted so far, to be filled in.
func (f *Promoting) Report() *report.Promotion { return f.r.state.promotion }

// Note keeps a note.
func (f *Promoting) Note(note report.Note) { f.r.notes.add(note) }

// Add keeps checks that were made.
func (f *Promoting) Add(v report.Verdict) {
	s := &f.r.state
	s.checks = append(s.checks, v.Checks...)
	s.found = append(s.found, v.Notes...)
	if v.LogTail != "" {
		s.logTail = v.LogTail
	}
}

// Happened adds to the timeline.
func (f *Promoting) Happened(event report.Event, at time.Time, detail string) {
	f.r.state.happened(event, at, detail)
}

// Going reports whether the promotion goes on.
func (f *Promoting) Going() bool { return !f.ended }

// Fail ends the promotion of a function before it has any traffic.
func (f *Promoting) Fail(reason report.Reason, why string) {
	f.end(report.Failed, reason, fmt.Sprintf("%s was NOT promoted to version %d, and is on %s: %s", f.r.subject.place(), f.Version, serving(f.r.now().Alias), why))
	if reason == report.Unhealthy {
		f.r.state.healthy = report.NotHealthy
	}
}

func (f *Promoting) end(status report.Status, reason report.Reason, message string) {
	f.ended = true
	f.r.log.Infof("%s", message)
	f.r.state.end(status, reason, message)
	if f.r.state.promotion != nil {
		f.r.state.promotion.Weight = f.weight
	}
}

// shift gives the new version a share of the traffic; all of it by pointing the
// alias at it.
func (f *Promoting) shift(ctx context.Context, weight float64) {
	r := f.r
	if weight <= f.weight { // also what an earlier attempt has left, whose clock begins anew
		return
	}
	from := r.now().Alias
	c := change{from: from, version: versionText(f.Stable), weights: map[string]float64{versionText(f.Version): weight}}
	if weight >= 1 {
		c.version, c.weights = versionText(f.Version), nil
	}
	r.log.Infof("UpdateAlias: %s gives %.4g%% of the traffic to version %d (revision %s)", r.subject.label(), 100*weight, f.Version, from.RevisionID)
	now, err := r.mover.update(ctx, c)
	switch {
	case errors.Is(err, errChanged):
		f.changedByOthers(now)
	case err != nil:
		reason, text := reasonOfProblem(err)
		f.Back(reason, fmt.Sprintf("the traffic could not be shifted to %.4g%%: %s", 100*weight, text), false)
	default:
		r.now().Alias = now
		f.weight, f.shifted = weight, r.clock.Now()
		r.state.happened(report.TrafficShifted, f.shifted, fmt.Sprintf("%.4g%% to version %d", 100*weight, f.Version))
	}
}

// changedByOthers ends the promotion of an alias that somebody else has changed. It
// is left as it is.
func (f *Promoting) changedByOthers(now Alias) {
	f.r.state.changedByOthers = true
	f.r.state.position = position{kind: changedByOthers, alias: now}
	f.weight = 0
	f.end(report.Failed, report.AliasChanged, fmt.Sprintf("the promotion of %s to version %d ended: somebody else changed the alias, which serves %s now, and it is left there", f.r.subject.place(), f.Version, serving(now)))
}

// Back returns all traffic to the stable version, also where the time limit is over
// or the run was cancelled. rejects: the new version is never selected automatically
// again.
func (f *Promoting) Back(reason report.Reason, why string, rejects bool) {
	if f.ended {
		return
	}
	r, s := f.r, &f.r.state
	if rejects {
		s.healthy = report.NotHealthy
	}
	if f.weight == 0 { // it never had any traffic
		f.Fail(reason, why)
		if rejects {
			f.reject()
		}
		return
	}
	if f.Stable == 0 {
		s.notRestored = true
		f.end(report.Failed, reason, fmt.Sprintf("%s stays on version %d, because there is no version to return to: %s", r.subject.place(), f.Version, why))
		return
	}
	ctx, cancel := context.WithTimeoutCause(r.mover.finish, backLimit, ErrTimeout)
	defer cancel()
	from := r.now().Alias
	r.log.Infof("UpdateAlias: %s returns to version %d, because %s (revision %s)", r.subject.label(), f.Stable, why, from.RevisionID)
	now, err := r.mover.update(ctx, change{from: from, version: versionText(f.Stable)})
	switch {
	case errors.Is(err, errChanged):
		f.changedByOthers(now)
		return
	case err != nil:
		_, text := reasonOfProblem(err)
		s.notRestored = true
		f.end(report.Failed, reason, fmt.Sprintf("%s STILL sends %.4g%% of the traffic to version %d: %s; it could not be returned to version %d: %s",
			r.subject.place(), 100*f.weight, f.Version, why, f.Stable, text))
		return
	}
	weight := f.weight
	r.now().Alias, f.weight = now, 0
	s.move(now, f.Stable, r.clock.Now(), fmt.Sprintf("back to version %d, from %.4g%% on version %d", f.Stable, 100*weight, f.Version))
	s.left, s.weightsCleared = f.Version, weight < 1
	f.end(report.Failed, reason, fmt.Sprintf("%s is on version %d again: the promotion to version %d was stopped at %.4g%% of the traffic, because %s",
		r.subject.place(), f.Stable, f.Version, 100*weight, why))
	if rejects {
		f.reject()
	}
}

// reject remembers the new version as a bad one, by this run.
func (f *Promoting) reject() {
	r := f.r
	if !r.now().Request.Remember || f.Stable == 0 {
		return
	}
	r.state.decision = Decision{Action: Move, Target: f.Stable, Reject: []int64{f.Version}, ByRun: true, Notes: r.state.decision.Notes}
	r.remember(r.mover.finish)()
}

// Complete ends a promotion whose new version has all of the traffic. healthy says
// what is known of it, and why as half a sentence; attention: a person must look.
func (f *Promoting) Complete(healthy report.Health, why string, attention bool) {
	r, s := f.r, &f.r.state
	s.healthy, s.to, s.target = healthy, f.Version, f.Version
	from := fmt.Sprintf("from version %d", f.Stable)
	if f.Live || f.Stable == 0 {
		from = "which it was on already"
	}
	f.end(report.Promoted, "", fmt.Sprintf("%s is on version %d, %s; %s", r.subject.place(), f.Version, from, why))
	s.decision.Attention = attention
}
