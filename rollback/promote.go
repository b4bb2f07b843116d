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

// promote shifts the traffic to new versions step by step, evaluates them at each
// step, and shifts it back automatically if necessary. The input timeout applies to
// the preparation and to each move. The whole promotion takes as long as its steps
// specify.
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

// promoteOptions returns the options of the promotion that the inputs describe.
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

// promotion is one promotion in progress.
type promotion struct {
	action   *action
	plan     canary.Plan
	verifier *verify.Verifier
	all      *alias.Promotion
	together bool        // if one function returns to its stable version, all do
	session  aws.Session // of the credentials
	// unhealthyBefore is set if a health check failed before the new versions
	// received any traffic, and has not passed since.
	unhealthyBefore bool
	// ringing are the alarms that were in ALARM before the promotion began, and have
	// been since.
	ringing  []string
	watched  map[*alias.Promoting]*watched
	notifier promotionNotifier
}

// watched has the calls and errors that were counted for one function.
type watched struct {
	hour  []errorrate.Minute // of the alias, before the promotion
	known bool               // whether the hour could be read
	steps []errorrate.Step   // of both versions, by step; the last is the current one
	bake  []errorrate.Minute // of the alias, with 100% on the new version
}

// prepare checks whether the promotion may begin, and tests the new versions before
// they receive any traffic.
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
		a.note(report.Note{Warning: true, Text: "some alarms could not be read: until they can, every step is inconclusive"})
	}
	for _, name := range p.ringing {
		a.note(report.Note{Warning: true, Text: fmt.Sprintf("the %s was in ALARM before the promotion began: it is ignored until it clears", name)})
	}
	serves := func(f *alias.Promoting) bool { weight, _ := f.Weight(); return weight > 0 }
	if !slices.ContainsFunc(p.all.Going(), serves) && p.health(limited, "before any traffic").Healthy == report.NotHealthy {
		p.unhealthyBefore = true
		a.note(report.Note{Warning: true, Text: "a health check failed before the new version received any traffic: it does not count against the new version until it has passed"})
	}
	p.invoke(limited)
	p.all.Remember(limited)
}

// longSession is how long credentials of unknown duration are expected to last: a role
// session lasts an hour by default.
const longSession = 50 * time.Minute

// lastsLongEnough logs how long the promotion takes. It ends the promotion if the
// credentials expire earlier, because then the action could not shift the traffic
// back.
func (p *promotion) lastsLongEnough() bool {
	a, takes := p.action, p.plan.Takes(leastWeight(p.all.Going()))
	a.log.Infof("the promotion takes %s if nothing goes wrong: the steps, plus %s after each step until CloudWatch has its calls", report.DurationText(takes), report.DurationText(p.plan.Delay))
	const advice = "set role-to-assume, so that the action can renew the credentials, or shorten the steps"
	switch now := a.deps.Clock.Now(); {
	case p.session.Ends.IsZero() && p.session.Temporary && takes > longSession:
		a.note(report.Note{Warning: true, Text: fmt.Sprintf("the promotion takes %s, and the action cannot tell when the AWS credentials expire, usually after an hour: %s", report.DurationText(takes), advice)})
	case !p.session.Ends.IsZero() && p.session.Ends.Before(now.Add(takes+a.inputs.Timeout)):
		for _, f := range p.all.Going() {
			f.Fail(report.NoCredentials, fmt.Sprintf("the AWS credentials expire at %s UTC, but the promotion takes %s: after that, the action could not shift the traffic back; %s",
				p.session.Ends.UTC().Format("15:04"), report.DurationText(takes), advice))
		}
		return false
	}
	return true
}

// leastWeight returns the smallest share of the traffic that any of the new versions
// has. Steps below that share are done.
func leastWeight(all []*alias.Promoting) float64 {
	least := 1.0
	for _, f := range all {
		weight, _ := f.Weight()
		least = min(least, weight)
	}
	return least
}

// keptByMinute is how long metrics with a period of one minute can be read, minus one day
// for safety: CloudWatch keeps them for 15 days.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html
const keptByMinute = 14 * 24 * time.Hour

// readHour counts the calls in the last hour before the new version had traffic, and
// warns about steps that will have too few calls.
func (p *promotion) readHour(ctx context.Context, f *alias.Promoting) {
	end := awsNow(p.action).UTC()
	if made := f.Published().UTC(); f.Live && made.Before(end) && end.Sub(made) < keptByMinute {
		end = made // the deploy tool moved the alias after publishing the version
	}
	end = end.Truncate(canary.Minute)
	w := &watched{}
	p.watched[f] = w
	counts, err := p.verifier.Counts(ctx, subjectOf(f), end.Add(-time.Hour), end, "")
	if err != nil {
		f.Note(report.Note{Warning: true, Text: fmt.Sprintf("could not read the number of calls: %s", err)})
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
		text := fmt.Sprintf("the step %s will probably be inconclusive: about %d calls of the new version are expected, but about %d are needed", stepText(e.Step), e.Expected, e.Needed)
		if e.Needed == 0 {
			text = fmt.Sprintf("the step %s will be inconclusive: about %d calls of the new version are expected, and there are too few other calls to compare them with", stepText(e.Step), e.Expected)
		}
		if e.Instead.For > 0 {
			text += "; use " + stepText(e.Instead)
		}
		f.Note(report.Note{Warning: true, Text: text})
	}
}

// invoke invokes each new version by its version number.
func (p *promotion) invoke(ctx context.Context) {
	if p.action.inputs.Health.InvokePayload == nil {
		return
	}
	for _, f := range p.all.Going() {
		if !f.Going() { // returned together with another function
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

// back returns a function to its stable version, and all others as well if they are
// promoted together.
func (p *promotion) back(f *alias.Promoting, reason report.Reason, why string, rejects bool) {
	f.Back(reason, why, rejects)
	if p.together {
		p.all.BackAll(reason, fmt.Sprintf("all functions are promoted together, and %s returned to its stable version (%s)", f.Label(), reason), false)
	}
}

// subjects returns the functions whose promotion is still in progress, for the
// checks.
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
