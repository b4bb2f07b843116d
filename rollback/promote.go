package rollback

import (
	"context"
	"errors"
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
	options := promoteOptions(a.inputs)
	p := &promotion{
		action: a, plan: planOf(a.inputs.Promote), verifier: verifier(a, clients), session: clients.Session(ctx), watched: map[*alias.Promoting]*watched{},
		together: options.Together, all: alias.NewPromotion(functions, *options),
	}
	p.notifier.promotion = p
	p.prepare(ctx)
	if len(p.all.Going()) > 0 {
		p.notifier.begun()
		p.run(ctx)
	}
	a.awaitRun(ctx)
	a.result.Functions = withOwners(a, p.all.Results())
	completeTimelines(a)
}

// promoteOptions say how the promotion of the inputs may be made.
func promoteOptions(in github.Inputs) *alias.PromoteOptions {
	return &alias.PromoteOptions{
		Splits:        slices.ContainsFunc(planOf(in.Promote).Steps, canary.Step.Split),
		AllowRejected: in.Promote.AllowRejected, Together: in.AllOrNothing && len(in.Functions) > 1,
	}
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
	together bool        // where one function goes back, all do
	session  aws.Session // of the credentials
	// unwell: a health check failed before there was any traffic on the new versions,
	// and has not passed since.
	unwell bool
	// ringing are alarms that were in ALARM before it began, and have been since.
	ringing  []string
	watched  map[*alias.Promoting]*watched
	notifier promotionNotifier
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
	if !p.lastsLongEnough() {
		return
	}
	for _, f := range p.all.Going() {
		p.readHour(limited, f)
	}
	ringing, known := p.verifier.Ringing(limited, p.subjects())
	if p.ringing = ringing; !known {
		a.note(report.Note{Warning: true, Text: "not every alarm could be read: as long as that is so, a step is inconclusive"})
	}
	for _, name := range p.ringing {
		a.note(report.Note{Warning: true, Text: fmt.Sprintf("the %s was in ALARM before the promotion began: it is ignored until it clears", name)})
	}
	serves := func(f *alias.Promoting) bool { weight, _ := f.Weight(); return weight > 0 }
	if !slices.ContainsFunc(p.all.Going(), serves) && p.health(limited, "before any traffic") == report.NotHealthy {
		p.unwell = true
		a.note(report.Note{Warning: true, Text: "a health check failed before the new version had any traffic: it says nothing of the new version until it passes"})
	}
	p.invoke(limited)
	p.all.Remember(limited)
}

// longSession is how long credentials of a workflow last that nothing is known of:
// AWS gives a role an hour unless told otherwise.
const longSession = 50 * time.Minute

// lastsLongEnough says how long the promotion takes, and ends it where the credentials
// end before: nobody could return the traffic then.
func (p *promotion) lastsLongEnough() bool {
	a, takes := p.action, p.plan.Takes(leastWeight(p.all.Going()))
	a.log.Infof("the promotion takes %s if nothing goes wrong: its steps, and %s after each until its calls are counted", shortDuration(takes), p.plan.Delay)
	const mend = "give the job a role by role-to-assume, which is assumed again when it ends, or shorten the steps"
	switch now := a.deps.Clock.Now(); {
	case p.session.Ends.IsZero() && p.session.Temporary && takes > longSession:
		a.note(report.Note{Warning: true, Text: fmt.Sprintf("the promotion takes %s, and the action cannot see when the AWS credentials end, usually after an hour: %s", shortDuration(takes), mend)})
	case !p.session.Ends.IsZero() && p.session.Ends.Before(now.Add(takes+a.inputs.Timeout)):
		for _, f := range p.all.Going() {
			f.Fail(report.NoCredentials, fmt.Sprintf("the AWS credentials end at %s UTC, and the promotion takes %s: nothing could return the traffic after that; %s",
				p.session.Ends.UTC().Format("15:04"), shortDuration(takes), mend))
		}
		return false
	}
	return true
}

// leastWeight is the share of the traffic from which the steps are still to be gone.
func leastWeight(all []*alias.Promoting) float64 {
	least := 1.0
	for _, f := range all {
		weight, _ := f.Weight()
		least = min(least, weight)
	}
	return least
}

// keptByMinute is how long CloudWatch keeps what it counted by the minute: 15 days.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html
const keptByMinute = 14 * 24 * time.Hour

// readHour counts the calls of the last hour before the new version had traffic, and
// says whether the steps can say anything.
func (p *promotion) readHour(ctx context.Context, f *alias.Promoting) {
	end := p.action.deps.Clock.Now().UTC()
	if made := f.Published().UTC(); f.Live && made.Before(end) && end.Sub(made) < keptByMinute {
		end = made // the deploy tool has moved the alias after that
	}
	end = end.Truncate(canary.Minute)
	w := &watched{}
	p.watched[f] = w
	counts, err := p.verifier.Counts(ctx, subjectOf(f), end.Add(-time.Hour), end, "")
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
		if !f.Going() { // another one took it back
			continue
		}
		verdict := p.verifier.InvokeVersion(ctx, subjectOf(f), p.action.inputs.Promote.Warm)
		f.Add(verdict)
		switch {
		case verdict.Healthy == report.NotHealthy:
			p.back(f, report.Unhealthy, report.FirstThat(verdict.Checks, report.CheckFailed), true)
		case errors.Is(context.Cause(ctx), alias.ErrCancelled):
			p.all.BackAll(report.Cancelled, alias.ErrCancelled.Error(), false)
		case verdict.Healthy != report.Healthy:
			p.back(f, report.ReasonInconclusive, report.FirstThat(verdict.Checks, report.CheckInconclusive), false)
		}
	}
}

// back returns a function to its stable version, and all others where they are
// promoted together.
func (p *promotion) back(f *alias.Promoting, reason report.Reason, why string, rejects bool) {
	f.Back(reason, why, rejects)
	if p.together {
		p.all.BackAll(reason, fmt.Sprintf("all functions are promoted together, and %s went back (%s)", f.Label(), reason), false)
	}
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
