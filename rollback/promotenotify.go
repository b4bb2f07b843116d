package rollback

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/org/lambda-rollback-action/github"
	"github.com/org/lambda-rollback-action/notify"
	"github.com/org/lambda-rollback-action/rollback/alias"
	"github.com/org/lambda-rollback-action/rollback/canary"
	"github.com/org/lambda-rollback-action/rollback/report"
)

// promotionNotifier sends updates on a promotion to the channels that support
// updates. The promotion does not wait for them.
type promotionNotifier struct {
	promotion *promotion
	ended     map[*alias.Promoting]bool // functions whose end was announced, or needs no announcement
}

// begun announces that the new versions are about to receive traffic.
func (n *promotionNotifier) begun() {
	p := n.promotion
	a, going := p.action, p.all.Going()
	from := leastWeight(going)
	var steps []string
	for _, s := range p.plan.Steps {
		if s.Weight >= from {
			steps = append(steps, stepText(s))
		}
	}
	takes := report.DurationText(p.plan.Takes(from))
	var sentences []string
	for _, f := range going {
		switch weight, _ := f.Weight(); {
		case f.Live:
			sentences = append(sentences, fmt.Sprintf("%s is already on version %d, which is now watched.", f.Label(), f.Version))
		case weight > 0:
			sentences = append(sentences, fmt.Sprintf("%s continues from version %d to version %d, which has %s of the traffic.", f.Label(), f.Stable, f.Version, stepShare(canary.Step{Weight: weight})))
		default:
			sentences = append(sentences, fmt.Sprintf("%s moves from version %d to version %d.", f.Label(), f.Stable, f.Version))
		}
	}
	n.ended = map[*alias.Promoting]bool{}
	for _, f := range p.all.Each {
		n.ended[f] = !f.Going()
	}
	a.notifier = newNotifier(a)
	n.send(a.notifier.dispatcher.Begin, report.PromotionStage{
		Headline: "Promotion started", Message: strings.Join(sentences, " "),
		Next: fmt.Sprintf("Steps: %s. It takes %s if nothing goes wrong.", strings.Join(steps, ", "), takes),
	}, going)
}

// step announces the result of a step, and the functions whose promotion has ended
// while others continue. If all have ended, step sends nothing, because the final
// notification says so.
func (n *promotionNotifier) step(i int, all []looked, again bool) {
	p := n.promotion
	step := p.plan.Steps[i]
	if len(p.all.Going()) == 0 {
		return
	}
	var about []*alias.Promoting
	var sentences []string
	stage := report.PromotionStage{}
	for _, f := range p.all.Each {
		if !f.Going() && !n.ended[f] {
			n.ended[f] = true
			about, sentences, stage.Doubt = append(about, f), append(sentences, f.Message()+"."), true
			stage.Headline = "Promotion ended for some functions"
		}
	}
	if !again && step.For > 0 && step.Weight > 0 && i+1 < len(p.plan.Steps) {
		stage.Headline, stage.Next = stepShare(step)+" step done", "Next: "+stepText(p.plan.Steps[i+1])+"."
		for _, l := range all {
			if l.f.Going() {
				about, sentences = append(about, l.f), append(sentences, stepFound(l, step))
				stage.Doubt = stage.Doubt || l.decision.Cause != canary.NoCause
			}
		}
	}
	if len(about) > 0 {
		stage.Message = strings.Join(sentences, " ")
		n.send(p.action.notifier.dispatcher.Continue, stage, about)
	}
}

// stepFound returns what a completed step showed about a function.
func stepFound(l looked, step canary.Step) string {
	text := causeText(l.decision, l.f.Report())
	if text == "" {
		text = countsText(l.f.Report(), step.Whole()) + ": " + l.decision.Verdict.Why()
	}
	return l.f.Label() + ": " + text + "."
}

// send sends a stage of the promotion, if the input notify-on includes promotions.
func (n *promotionNotifier) send(send func(context.Context, notify.Notification), stage report.PromotionStage, about []*alias.Promoting) {
	p, a := n.promotion, n.promotion.action
	if !notify.ShouldNotify(a.inputs.NotifyOn, report.Result{Command: a.inputs.Command, Status: report.Promoted}) {
		return
	}
	r := a.result
	r.Functions, r.Timestamp = nil, a.deps.Clock.Now()
	for i, f := range p.all.Results() {
		if slices.Contains(about, p.all.Each[i]) {
			r.Functions = append(r.Functions, f)
		}
	}
	r = a.redactor.Result(r)
	send(a.lifetime.finish, notify.Notification{Alert: report.NewPromotionAlert(r, stage), Result: []byte(github.ResultJSON(r, a.log))})
}
