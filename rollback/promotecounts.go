package rollback

import (
	"context"
	"slices"
	"strconv"

	"github.com/org/lambda-rollback-action/rollback/alias"
	"github.com/org/lambda-rollback-action/rollback/canary"
	"github.com/org/lambda-rollback-action/rollback/errorrate"
	"github.com/org/lambda-rollback-action/rollback/report"
)

// look evaluates one function.
func (p *promotion) look(ctx context.Context, f *alias.Promoting, l canary.Look) canary.Decision {
	step := p.plan.Steps[l.Step]
	if step.For > 0 && step.Weight > 0 {
		l.Unknown = p.count(ctx, f, step) != nil
	}
	w := p.watched[f]
	l.Counts, l.Bake = w.steps, errorrate.Step{Tested: w.bake, Other: w.hour}
	d := p.plan.Judge(l)
	if step.For > 0 && step.Weight > 0 && (d.Next != canary.Keep || l.Unknown || p.counted(f, step)) {
		p.tell(f, step, l, d)
	}
	return d
}

// counted reports whether at least one minute of the step was counted.
func (p *promotion) counted(f *alias.Promoting, step canary.Step) bool {
	w := p.watched[f]
	return step.Whole() && len(w.bake) > 0 || step.Split() && len(w.steps[len(w.steps)-1].Tested) > 0
}

// count reads the calls and errors of a step since its share of the traffic was set.
func (p *promotion) count(ctx context.Context, f *alias.Promoting, step canary.Step) error {
	w := p.watched[f]
	weight, since := f.Weight()
	from, to := p.plan.Counted(since.UTC(), awsNow(p.action).UTC())
	versions := []string{strconv.FormatInt(f.Version, 10), strconv.FormatInt(f.Stable, 10)}
	if weight >= 1 {
		versions = []string{""}
	}
	counts, err := p.verifier.Counts(ctx, subjectOf(f), from, to, versions...)
	if err != nil {
		p.action.log.Infof("%s at %s: %s", f.Label(), stepShare(step), err)
		return err
	}
	if weight >= 1 {
		w.bake = counts[0]
	} else {
		w.steps[len(w.steps)-1] = errorrate.Step{Tested: counts[0], Other: counts[1]}
	}
	w.report(f.Report())
	return nil
}

// report writes the counts to r: those of the time when both versions had traffic,
// and those of the bake (100% on the new version).
func (w *watched) report(r *report.Promotion) {
	r.Calls, r.Errors, r.StableCalls, r.StableErrors, r.Minutes = 0, 0, 0, 0, nil
	for _, s := range w.steps {
		tested, other := sum(s.Tested), sum(s.Other)
		r.Calls, r.Errors = r.Calls+tested.Calls, r.Errors+tested.Errors
		r.StableCalls, r.StableErrors = r.StableCalls+other.Calls, r.StableErrors+other.Errors
		r.Minutes = append(r.Minutes, minutesOf(s.Tested, s.Other)...)
	}
	bake := sum(w.bake)
	r.BakeCalls, r.BakeErrors = bake.Calls, bake.Errors
	r.Minutes = append(r.Minutes, minutesOf(w.bake, nil)...)
}

// minutesOf merges the minutes of both versions.
func minutesOf(tested, stable []errorrate.Minute) []report.PromotionMinute {
	byStart := map[int64]report.PromotionMinute{}
	for _, m := range tested {
		at := byStart[m.Start.Unix()]
		at.At, at.Calls, at.Errors = m.Start, m.Calls, m.Errors
		byStart[m.Start.Unix()] = at
	}
	for _, m := range stable {
		at := byStart[m.Start.Unix()]
		at.At, at.StableCalls, at.StableErrors = m.Start, m.Calls, m.Errors
		byStart[m.Start.Unix()] = at
	}
	out := make([]report.PromotionMinute, 0, len(byStart))
	for _, m := range byStart {
		out = append(out, m)
	}
	slices.SortFunc(out, func(a, b report.PromotionMinute) int { return a.At.Compare(b.At) })
	return out
}

func sum(minutes []errorrate.Minute) (c errorrate.Count) {
	for _, m := range minutes {
		c.Calls, c.Errors, c.Throttles = c.Calls+m.Calls, c.Errors+m.Errors, c.Throttles+m.Throttles
	}
	return c
}
