package alias

import (
	"context"
	"fmt"
	"time"

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

	r     *rollback
	share share
	// following is since when AWS has been shifting the traffic after the alias
	// points at the new version; zero: it is not.
	following time.Time
	ended     bool
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

// Confirm reads the aliases whose new version has traffic. A function whose alias
// somebody else has changed is left where it is. With provisioned concurrency AWS
// shifts the traffic by weights of its own, for so long at most.
func (p *Promotion) Confirm(ctx context.Context, limit time.Duration) {
	p.each(func(f *Promoting) {
		if f.ended || f.share.weight == 0 {
			return
		}
		confirm(ctx, f)
		if !f.ended && !f.following.IsZero() && f.r.clock.Now().Sub(f.following) > limit {
			f.Back(report.Timeout, fmt.Sprintf("AWS did not give it all of the traffic within %s, as it does where its provisioned concurrency does not start", limit), false)
		}
	})
	p.backTogether()
}

// Remember writes the stable version into the memory alias of each function, before
// there is any traffic on the new one: an aliased version cannot be deleted, and the
// rollback of this run returns to it.
func (p *Promotion) Remember(ctx context.Context) {
	p.each(func(f *Promoting) {
		if !f.ended && f.Stable != 0 {
			rememberStable(ctx, f)
		}
	})
}

// Shift gives the new versions a share of the traffic. A function whose alias could
// not be changed goes back, and with it all of them where they go together.
func (p *Promotion) Shift(ctx context.Context, weight float64) {
	p.each(func(f *Promoting) {
		if !f.ended {
			shiftTo(ctx, f, weight)
		}
	})
	p.backTogether()
}

// backTogether returns all functions where one has failed, and they go together.
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

// Facts are what checks and reports need of a function as it stands.
func (f *Promoting) Facts() Moved {
	m := movedFacts(f.r)
	m.Version, m.Left, m.Split = f.Version, f.Stable, f.share.weight > 0 && f.share.weight < 1
	m.MovedAt, m.DeployedAt = f.share.since, f.share.since
	return m
}

// Weight is the new version's share of the traffic, and when it was set.
func (f *Promoting) Weight() (weight float64, since time.Time) { return f.share.weight, f.share.since }

// Timeout is how long an invocation of the new version may take; 0: not known.
func (f *Promoting) Timeout() time.Duration { return f.r.now().Versions[f.Version].Settings.Timeout }

// Label names the function and its alias.
func (f *Promoting) Label() string { return f.r.subject.label() }

// Report is what the promotion has counted so far, to be filled in.
func (f *Promoting) Report() *report.Promotion { return f.r.state.promotion }

// Message is how the promotion has ended; empty: it goes on.
func (f *Promoting) Message() string { return f.r.state.message }

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

// Published is when the new version was made; zero: not known.
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
