package rollback

import (
	"context"
	"slices"

	"github.com/org/lambda-rollback-action/rollback/alias"
	"github.com/org/lambda-rollback-action/rollback/canary"
	"github.com/org/lambda-rollback-action/rollback/errorrate"
	"github.com/org/lambda-rollback-action/rollback/report"
	"github.com/org/lambda-rollback-action/rollback/verify"
)

// run carries out the steps.
func (p *promotion) run(ctx context.Context) {
	for i, step := range p.plan.Steps {
		if !slices.ContainsFunc(p.all.Going(), func(f *alias.Promoting) bool { weight, _ := f.Weight(); return weight <= step.Weight }) {
			continue // done by an earlier attempt, or every promotion has ended
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

// step shifts the traffic of a step to the new versions, and evaluates them every
// minute until the step is complete. It does not change a function that already has
// a larger share.
func (p *promotion) step(ctx context.Context, i int) {
	a, step := p.action, p.plan.Steps[i]
	limited, cancel := context.WithTimeoutCause(ctx, a.inputs.Timeout, alias.ErrTimeout)
	p.all.Shift(limited, step.Weight)
	cancel()
	if step.Split() {
		for _, f := range p.watching(step) {
			p.watched[f].steps = append(p.watched[f].steps, errorrate.Step{})
		}
	}
	health := p.probe(ctx, step)
	extended := map[*alias.Promoting]bool{}
	for first := true; ctx.Err() == nil; first = false {
		signals := health
		if !first {
			p.all.Confirm(ctx, a.inputs.Timeout)
			p.rings(ctx, &signals)
		}
		var all []looked
		for _, f := range p.watching(step) {
			_, since := f.Weight()
			l := canary.Look{Step: i, Elapsed: awsNow(a).Sub(since), Extended: extended[f], Signals: signals}
			d := p.look(ctx, f, l)
			if ctx.Err() != nil {
				return
			}
			extended[f] = extended[f] || d.Next == canary.Extend
			all = append(all, looked{f, d})
		}
		again := p.follow(all, signals)
		p.notifier.step(i, all, again)
		if !again || a.deps.Clock.Sleep(ctx, canary.Minute) != nil {
			return
		}
	}
}

// watching returns the functions that take part in a step.
func (p *promotion) watching(step canary.Step) []*alias.Promoting {
	return slices.DeleteFunc(p.all.Going(), func(f *alias.Promoting) bool { weight, _ := f.Weight(); return weight > step.Weight })
}

// looked is the evaluation of one function.
type looked struct {
	f        *alias.Promoting
	decision canary.Decision
}

// follow carries out the decisions of one minute, and reports whether to look again.
// It begins with the functions that return to the stable version, because all others
// may have to return with them.
func (p *promotion) follow(all []looked, signals canary.Signals) (again bool) {
	for _, l := range all {
		if l.decision.Next == canary.Back {
			reason := report.ReasonInconclusive
			if l.decision.Unhealthy() {
				reason = report.Unhealthy
			}
			p.back(l.f, reason, causeText(l.decision, l.f.Report()), l.decision.Unhealthy())
		}
	}
	for _, l := range all {
		again = again || l.f.Going() && (l.decision.Next == canary.Keep || l.decision.Next == canary.Extend)
	}
	for _, l := range all {
		if l.decision.Next == canary.Done && l.f.Going() && (!again || !p.together) {
			p.complete(l.f, l.decision, signals)
		}
	}
	return again
}

// probe runs the health checks once per step. Below 100%, either version may answer,
// so the checks test both together. A check that failed before the new version
// received any traffic does not count against that version until it has passed, and
// neither does a URL to which no probe could connect.
func (p *promotion) probe(ctx context.Context, step canary.Step) (signals canary.Signals) {
	if step.Weight <= 0 {
		return signals
	}
	switch verdict := p.health(ctx, stepShare(step)); verdict.Healthy {
	case report.NotHealthy:
		excused := p.unhealthyBefore || report.OnlyUnreached(verdict.Checks)
		return canary.Signals{Unhealthy: !excused, Unsure: excused && step.Whole()}
	case report.HealthUnknown:
		return canary.Signals{Unsure: true}
	case report.Healthy:
		p.unhealthyBefore = false
	}
	return signals
}

// health runs the health checks. Without any, the verdict is Healthy.
func (p *promotion) health(ctx context.Context, when string) report.Verdict {
	going := p.all.Going()
	if len(p.verifier.Options.Health.URLs) == 0 || len(going) == 0 {
		return report.Verdict{Healthy: report.Healthy}
	}
	probes := *p.verifier
	probes.Options = verify.Options{Health: p.verifier.Options.Health}
	verdict, _ := probes.Verify(ctx, p.subjects())
	for i := range verdict.Checks {
		verdict.Checks[i].Name = when + ": " + verdict.Checks[i].Name
	}
	for _, f := range going {
		f.Add(verdict)
	}
	return verdict
}

// rings checks for alarms that have gone into ALARM since the promotion began.
func (p *promotion) rings(ctx context.Context, signals *canary.Signals) {
	now, known := p.verifier.Ringing(ctx, p.subjects())
	if known {
		p.ringing = slices.DeleteFunc(p.ringing, func(name string) bool { return !slices.Contains(now, name) })
	} else {
		signals.Unsure = true
	}
	for _, name := range now {
		if !slices.Contains(p.ringing, name) {
			p.action.log.Infof("the %s went into ALARM", name)
			signals.Alarm = true
		}
	}
}
