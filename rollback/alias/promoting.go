package alias

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/org/lambda-rollback-action/rollback/aws"
	"github.com/org/lambda-rollback-action/rollback/report"
)

func preparePromotion(ctx context.Context, f *Promoting, options PromoteOptions) {
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
		f.Live, f.share.weight = true, 1
		findWayBack(ctx, f)
	case Move, NeedMore:
		f.Stable = r.now().Alias.Version
		if now := r.now().Alias; now.Weighted == f.Version {
			f.share.weight = now.Weight
			r.log.Infof("%s: this run gave version %d %.4g%% of the traffic before; continuing from there", r.subject.label(), f.Version, 100*now.Weight)
		}
		r.compare(f.Stable, f.Version)
	}
	f.share.asked, f.share.since = f.share.weight, r.stamp()
	f.keep(r.now().Alias)
	r.state.promotion = &report.Promotion{Version: versionText(f.Version), Stable: versionText(f.Stable)}
	r.takeLogGroup(f.Version)
	if options.Splits && !f.Live {
		refuseProvisioned(ctx, f)
	}
	if !f.ended {
		awaitOthers(ctx, f)
	}
	if !f.ended && r.dryRun {
		would := fmt.Sprintf("would be promoted from version %d to version %d", f.Stable, f.Version)
		if f.Live {
			would = fmt.Sprintf("is already on version %d, and would be watched there", f.Version)
		}
		f.end(report.Planned, "", fmt.Sprintf("dry run: %s %s; nothing was changed", r.subject.place(), would))
		r.state.to = f.Version
	}
}

// findWayBack finds the version to return to from one that is already live.
func findWayBack(ctx context.Context, f *Promoting) {
	d, err := f.r.observer.decide(ctx, func(o Observation) Decision { return wayBackFrom(o, f.Version) })
	if err == nil && d.Action == Move {
		f.Stable = d.Target
		f.r.log.Infof("%s is already on version %d; if it is not healthy, the version to return to is %d, because %s", f.r.subject.label(), f.Version, d.Target, d.Why)
		return
	}
	why := d.Why
	if err != nil {
		_, why = reasonOfProblem(err)
	}
	f.r.notes.warnf("there is no version to return to from version %d: %s", f.Version, why)
}

// refuseProvisioned refuses to split the traffic of an alias with provisioned
// concurrency, because Lambda does not allow that.
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
		f.Fail(report.Refused, provisionedWhy)
	case aws.Code(err) != noProvisioned:
		f.r.log.Infof("could not determine whether the alias has provisioned concurrency: %s", explain(err, "GetProvisionedConcurrencyConfig", c.resource(f.r.now().Alias)).Text)
	}
}

// awaitOthers waits for whatever else moves the alias.
func awaitOthers(ctx context.Context, f *Promoting) {
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
		f.keep(r.now().Alias)
		if now := r.now().Alias; !now.sameTraffic(before) {
			f.end(report.Failed, report.AliasChanged, fmt.Sprintf("%s was NOT promoted to version %d: it serves %s since the wait ended; run this again", r.subject.place(), f.Version, serving(now)))
			return
		}
	}
}

// rememberStable stores the stable version. If that fails, the promotion does not
// start.
func rememberStable(ctx context.Context, f *Promoting) {
	r := f.r
	if r.now().Memory.Foreign != "" || !r.now().Request.Remember {
		return
	}
	o := *r.now()
	_, stored, err := r.memory.save(ctx, o.Memory, func(old Memory) Memory {
		m := old
		m.Unread = nil
		m.Version, m.By, m.Run, m.Attempt, m.At = f.Stable, BySnapshot, o.Run.ID, o.Run.Attempt, r.stamp()
		m.Promotes = f.Version
		if old.writtenBy(BySnapshot, o.Run) && old.Version == f.Stable {
			m.At, m.Attempt = old.At, old.Attempt
		}
		m.Rejected = old.Rejected.Remove(f.Stable)
		return m
	})
	if err != nil {
		reason, text := reasonOfProblem(err)
		f.end(report.Failed, reason, fmt.Sprintf("%s was NOT promoted to version %d: the stable version %d could not be recorded in the alias %s, where a rollback looks for it: %s",
			r.subject.place(), f.Version, f.Stable, r.client.memoryAlias(), text))
		return
	}
	r.now().Memory = stored
}
