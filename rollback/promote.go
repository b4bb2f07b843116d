package rollback

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/org/lambda-rollback-action/github"
	"github.com/org/lambda-rollback-action/rollback/alias"
	"github.com/org/lambda-rollback-action/rollback/aws"
	"github.com/org/lambda-rollback-action/rollback/canary"
	"github.com/org/lambda-rollback-action/rollback/errorrate"
	"github.com/org/lambda-rollback-action/rollback/report"
	"github.com/org/lambda-rollback-action/rollback/verify"
)

// promote gives new versions the traffic step by step, judges them at each step, and
// goes back by itself. The input timeout is for the preparation and for each move:
// the whole takes as long as its steps say.
func promote(_ context.Context, a *action, clients *aws.Clients, functions []alias.Function) {
	ctx := a.lifetime.work
	defer watchOwners(a, clients, functions)()
	plan := planOf(a.inputs.Promote)
	p := &promotion{
		action: a, plan: plan, verifier: verifier(a, clients), watched: map[*alias.Promoting]*watched{},
		all: alias.NewPromotion(functions, alias.PromoteOptions{
			Splits:        slices.ContainsFunc(plan.Steps, canary.Step.Split),
			AllowRejected: a.inputs.Promote.AllowRejected, Together: a.inputs.AllOrNothing && len(functions) > 1,
		}),
	}
	p.prepare(ctx)
	p.run(ctx)
	a.awaitRun(ctx)
	a.result.Functions = withOwners(a, p.all.Results())
	completeTimelines(a)
}

func planOf(in github.Promote) canary.Plan {
	policies := map[string]canary.Policy{"stop": canary.Stop, "wait": canary.Wait, "continue": canary.Continue}
	plan := canary.Plan{Inconclusive: policies[in.OnInconclusive], Delay: canary.DelayOf(0)}
	for _, s := range in.Steps {
		plan.Steps = append(plan.Steps, canary.Step{Weight: s.Percent / 100, For: s.For})
	}
	return plan
}

// promotion is one promotion under way.
type promotion struct {
	action   *action
	plan     canary.Plan
	verifier *verify.Verifier
	all      *alias.Promotion
	// ringing are alarms that were in ALARM before it began, and have been since.
	ringing []string
	watched map[*alias.Promoting]*watched
}

// watched is what was counted of one function.
type watched struct {
	hour  []errorrate.Minute // of the alias, before the promotion
	known bool               // the hour could be read
	steps []errorrate.Step   // of both versions, by step; the last one is the current
	bake  []errorrate.Minute // of the alias on the new version alone
}

// prepare finds out whether the promotion may begin, and proves the new versions
// before they have any traffic.
func (p *promotion) prepare(ctx context.Context) {
	a := p.action
	a.log.Group("Preparing the promotion")
	defer a.log.EndGroup()
	limited, cancel := context.WithTimeoutCause(ctx, a.inputs.Timeout, alias.ErrTimeout)
	defer cancel()
	p.all.Prepare(limited)
	for _, f := range p.all.Going() {
		p.plan.Delay = max(p.plan.Delay, canary.DelayOf(f.Timeout()))
	}
	if len(p.all.Going()) == 0 {
		return
	}
	a.log.Infof("the promotion takes %s if nothing goes wrong: its steps, and %s after each until its calls are counted", p.plan.Takes(), p.plan.Delay)
	for _, f := range p.all.Going() {
		p.readHour(limited, f)
	}
	p.ringing, _ = p.verifier.Ringing(limited, p.subjects())
	for _, name := range p.ringing {
		a.note(report.Note{Warning: true, Text: fmt.Sprintf("the %s was in ALARM before the promotion began: it is ignored until it clears", name)})
	}
	p.invoke(limited)
	p.all.Remember(limited)
}

// readHour counts the calls of the last hour, and says whether the steps can say
// anything.
func (p *promotion) readHour(ctx context.Context, f *alias.Promoting) {
	now := p.action.deps.Clock.Now().UTC().Truncate(canary.Minute)
	w := &watched{}
	p.watched[f] = w
	counts, err := p.verifier.Counts(ctx, subjectOf(f), now.Add(-time.Hour), now, "")
	if err != nil {
		f.Note(report.Note{Warning: true, Text: fmt.Sprintf("how many calls there are is not known: %s", err)})
		return
	}
	w.hour, w.known = counts[0], true
	hour := sum(w.hour)
	p.action.log.Infof("%s: %d calls in the last hour, of which %d failed", f.Label(), hour.Calls, hour.Errors)
	if f.Live {
		return
	}
	for _, e := range p.plan.Expect(hour) {
		if e.Enough {
			continue
		}
		text := fmt.Sprintf("the step %s can say little: about %d calls of the new version are expected, and about %d are needed", stepText(e.Step), e.Expected, e.Needed)
		if e.Needed == 0 {
			text = fmt.Sprintf("the step %s can say nothing: about %d calls of the new version are expected, and there are too few to compare them with", stepText(e.Step), e.Expected)
		}
		if e.Instead.For > 0 {
			text += "; use " + stepText(e.Instead)
		}
		f.Note(report.Note{Warning: true, Text: text})
	}
}

// invoke runs each new version by its own number.
func (p *promotion) invoke(ctx context.Context) {
	if p.action.inputs.Health.InvokePayload == nil {
		return
	}
	for _, f := range p.all.Going() {
		verdict := p.verifier.InvokeVersion(ctx, subjectOf(f), p.action.inputs.Promote.Warm)
		f.Add(verdict)
		switch verdict.Healthy {
		case report.NotHealthy:
			p.back(f, report.Unhealthy, report.FirstThat(verdict.Checks, report.CheckFailed), true)
		case report.HealthUnknown:
			p.back(f, report.ReasonInconclusive, report.FirstThat(verdict.Checks, report.CheckInconclusive), false)
		case report.Healthy:
		}
	}
}

// back returns a function to its stable version, and all others where they are
// promoted together.
func (p *promotion) back(f *alias.Promoting, reason report.Reason, why string, rejects bool) {
	f.Back(reason, why, rejects)
	if p.action.inputs.AllOrNothing && len(p.all.Each) > 1 {
		p.all.BackAll(reason, fmt.Sprintf("all functions are promoted together, and %s went back (%s)", f.Label(), reason), false)
	}
}

// run goes through the steps.
func (p *promotion) run(ctx context.Context) {
	for i, step := range p.plan.Steps {
		going := p.all.Going()
		if len(going) == 0 {
			return
		}
		if !slices.ContainsFunc(going, func(f *alias.Promoting) bool { weight, _ := f.Weight(); return weight <= step.Weight }) {
			continue // an earlier attempt was further
		}
		p.action.log.Group("Promoting: " + stepText(step))
		p.step(ctx, i)
		p.action.log.EndGroup()
		if ctx.Err() != nil {
			p.all.BackAll(report.Cancelled, alias.ErrCancelled.Error(), false)
			return
		}
	}
}

// step gives the new versions the traffic of a step, and looks every minute until it
// is over.
func (p *promotion) step(ctx context.Context, i int) {
	a, step := p.action, p.plan.Steps[i]
	limited, cancel := context.WithTimeoutCause(ctx, a.inputs.Timeout, alias.ErrTimeout)
	p.all.Shift(limited, step.Weight)
	cancel()
	began := a.deps.Clock.Now()
	for _, f := range p.all.Going() {
		p.watched[f].steps = append(p.watched[f].steps, errorrate.Step{})
	}
	signals := p.probe(ctx, step)
	extended := map[*alias.Promoting]bool{}
	for ctx.Err() == nil {
		elapsed := a.deps.Clock.Now().Sub(began)
		if elapsed > 0 {
			p.rings(ctx, &signals)
		}
		waits := false
		for _, f := range p.all.Going() {
			d := p.look(ctx, f, i, canary.Look{Step: i, Elapsed: elapsed, Extended: extended[f], Signals: signals})
			waits = waits || d.Next == canary.Keep || d.Next == canary.Extend
			if ctx.Err() != nil {
				return
			}
			extended[f] = extended[f] || d.Next == canary.Extend
			p.follow(f, d, signals)
		}
		if !waits || len(p.all.Going()) == 0 || a.deps.Clock.Sleep(ctx, canary.Minute) != nil {
			return
		}
	}
}

// probe asks the health checks once in a step: below 100 % either version can
// answer, so that they are a check of the whole.
func (p *promotion) probe(ctx context.Context, step canary.Step) (signals canary.Signals) {
	going := p.all.Going()
	if len(p.verifier.Options.Health.URLs) == 0 || step.Weight <= 0 || len(going) == 0 {
		return signals
	}
	probes := *p.verifier
	probes.Options = verify.Options{Health: p.verifier.Options.Health}
	verdict, _ := probes.Verify(ctx, p.subjects())
	for i := range verdict.Checks {
		verdict.Checks[i].Name = stepShare(step) + ": " + verdict.Checks[i].Name
	}
	for _, f := range going {
		f.Add(verdict)
	}
	return canary.Signals{Unhealthy: verdict.Healthy == report.NotHealthy, Unsure: verdict.Healthy == report.HealthUnknown}
}

// rings takes the alarms that went off since the promotion began.
func (p *promotion) rings(ctx context.Context, signals *canary.Signals) {
	now, known := p.verifier.Ringing(ctx, p.subjects())
	if !known {
		signals.Unsure = true
		return
	}
	p.ringing = slices.DeleteFunc(p.ringing, func(name string) bool { return !slices.Contains(now, name) })
	for _, name := range now {
		if !slices.Contains(p.ringing, name) {
			p.action.log.Infof("the %s went into ALARM", name)
			signals.Alarm = true
		}
	}
}

// look judges one function.
func (p *promotion) look(ctx context.Context, f *alias.Promoting, i int, l canary.Look) canary.Decision {
	step := p.plan.Steps[i]
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

// counted reports whether a minute of the step was counted.
func (p *promotion) counted(f *alias.Promoting, step canary.Step) bool {
	w := p.watched[f]
	return step.Whole() && len(w.bake) > 0 || step.Split() && len(w.steps[len(w.steps)-1].Tested) > 0
}

// count reads what was counted in a step since its share of the traffic was set.
func (p *promotion) count(ctx context.Context, f *alias.Promoting, step canary.Step) error {
	w := p.watched[f]
	weight, since := f.Weight()
	from, to := p.plan.Counted(since.UTC(), p.action.deps.Clock.Now().UTC())
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

// report fills in what was counted: of the time in which both versions had traffic,
// else of the bake.
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

// minutesOf joins the minutes of both versions.
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

// subjects are the functions whose promotion goes on, as the checks take them.
func (p *promotion) subjects() []verify.Subject {
	var out []verify.Subject
	for _, f := range p.all.Going() {
		out = append(out, subjectOf(f))
	}
	return out
}

func subjectOf(f *alias.Promoting) verify.Subject {
	m := f.Facts()
	return verify.Subject{
		Function: m.Name, ARN: m.ARN, Alias: m.Alias, Region: m.Region,
		Version: strconv.FormatInt(m.Version, 10), FailedVersion: leftVersion(m), LogGroup: m.LogGroup, MovedAt: m.MovedAt,
	}
}
