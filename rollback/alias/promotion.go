package alias

import (
	"context"
	"fmt"
	"time"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// Promotion shifts the traffic of functions to a new version step by step, and back on
// request. It does not decide whether a version is healthy. Its methods must be called
// one after the other.
type Promotion struct {
	Each []*Promoting // in the order of the functions

	options PromoteOptions
}

// Promoting is the promotion of one function.
type Promoting struct {
	// Stable and Version are the two versions. Stable is 0 if there is no known
	// version to return to.
	Stable, Version int64
	// Live reports that the alias pointed at only the new version before the
	// promotion, so that only the bake remains.
	Live bool

	r     *rollback
	share share
	// following is the time since which AWS has been shifting the traffic after the
	// alias was pointed at the new version; zero if it is not shifting.
	following time.Time
	ended     bool
}

// NewPromotion returns a promotion of functions. It does not change any of them yet.
func NewPromotion(functions []Function, options PromoteOptions) *Promotion {
	p := &Promotion{options: options}
	for _, f := range functions {
		f.Request.Target = 0
		p.Each = append(p.Each, &Promoting{Version: f.Request.Deployed, r: newRollback(f)})
	}
	return p
}

// Prepare finds out for each function whether its new version may be promoted, and
// waits until the version can serve traffic. If the functions are promoted together, a
// refused one prevents the others. Prepare changes nothing.
func (p *Promotion) Prepare(ctx context.Context) {
	p.each(func(f *Promoting) { preparePromotion(ctx, f, p.options) })
	if !p.options.Together {
		return
	}
	for _, bad := range p.Each {
		if bad.r.state.status != report.Failed {
			continue
		}
		for _, f := range p.Going() {
			s := &bad.r.state
			f.end(report.Failed, s.reason, fmt.Sprintf("%s was left on %s: all functions are promoted together, and %s cannot be promoted (%s)",
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

// Going returns the functions whose promotion continues.
func (p *Promotion) Going() []*Promoting {
	var out []*Promoting
	for _, f := range p.Each {
		if !f.ended {
			out = append(out, f)
		}
	}
	return out
}

// Confirm reads the aliases whose new version has traffic. If somebody else has
// changed the alias of a function, it stays as it is. With provisioned concurrency,
// AWS shifts the traffic with its own weights; limit is how long that may take.
func (p *Promotion) Confirm(ctx context.Context, limit time.Duration) {
	p.each(func(f *Promoting) {
		if f.ended || f.share.weight == 0 {
			return
		}
		confirm(ctx, f)
		if !f.ended && !f.following.IsZero() && f.r.clock.Now().Sub(f.following) > limit {
			f.Back(report.Timeout, fmt.Sprintf("AWS did not shift all of the traffic to it within %s, as happens if its provisioned concurrency does not start", report.DurationText(limit)), false)
		}
	})
	p.backTogether()
}

// Remember writes the stable version into the memory alias of each function before the
// new version has any traffic: a version with an alias cannot be deleted, and the
// rollback of this run returns to it.
func (p *Promotion) Remember(ctx context.Context) {
	p.each(func(f *Promoting) {
		if !f.ended && f.Stable != 0 {
			rememberStable(ctx, f)
		}
	})
}

// Shift gives the new versions a share of the traffic. A function whose alias could
// not be changed goes back, together with all others if they are promoted together.
func (p *Promotion) Shift(ctx context.Context, weight float64) {
	p.each(func(f *Promoting) {
		if !f.ended {
			shiftTo(ctx, f, weight)
		}
	})
	p.backTogether()
}

// backTogether returns all functions if one has failed and they are promoted together.
func (p *Promotion) backTogether() {
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

// BackAll returns every function whose promotion continues to its stable version. If
// rejects is set, the new versions are never selected automatically again.
func (p *Promotion) BackAll(reason report.Reason, why string, rejects bool) {
	p.each(func(f *Promoting) { f.Back(reason, why, rejects) })
}

// Results returns the results of the functions, in their order.
func (p *Promotion) Results() []report.Function {
	out := make([]report.Function, len(p.Each))
	for i, f := range p.Each {
		out[i] = f.r.result()
	}
	return out
}

// Facts returns what checks and reports need about the current state of a function.
func (f *Promoting) Facts() Moved {
	m := movedFacts(f.r)
	m.Version, m.Left, m.Split = f.Version, f.Stable, f.share.weight > 0 && f.share.weight < 1
	m.MovedAt, m.DeployedAt = f.share.since, f.share.since
	return m
}

// Weight returns the new version's share of the traffic, and when it was set.
func (f *Promoting) Weight() (weight float64, since time.Time) { return f.share.weight, f.share.since }

// Timeout returns how long an invocation of the new version may take, or 0 if that is
// not known.
func (f *Promoting) Timeout() time.Duration { return f.r.now().Versions[f.Version].Settings.Timeout }

// Label returns the function and its alias, as a display name.
func (f *Promoting) Label() string { return f.r.subject.label() }

// Report returns the counts of the promotion, for the caller to fill in.
func (f *Promoting) Report() *report.Promotion { return f.r.state.promotion }

// Message returns how the promotion has ended, or an empty string if it continues.
func (f *Promoting) Message() string { return f.r.state.message }

// Note adds a note.
func (f *Promoting) Note(note report.Note) { f.r.notes.add(note) }

// Add adds the results of checks.
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

// Going reports whether the promotion continues.
func (f *Promoting) Going() bool { return !f.ended }

// Published returns when the new version was made, or zero if that is not known.
func (f *Promoting) Published() time.Time { return f.r.now().Versions[f.Version].LastModified }

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
		f.r.state.promotion.Weight = f.share.weight
	}
}

// Complete ends a promotion whose new version has all of the traffic. healthy is the
// verdict on it, and why explains it, as part of a sentence. attention reports that
// somebody must check it.
func (f *Promoting) Complete(healthy report.Health, why string, attention bool) {
	r, s := f.r, &f.r.state
	s.healthy, s.to, s.target = healthy, f.Version, f.Version
	from := fmt.Sprintf("from version %d", f.Stable)
	if f.Live || f.Stable == 0 {
		from = "which it was already on"
	}
	f.end(report.Promoted, "", fmt.Sprintf("%s is on version %d, %s; %s", r.subject.place(), f.Version, from, why))
	s.decision.Attention = attention
}
