package history

import (
	"math/rand/v2"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

// Situation is a named history; it is judged by its last step.
type Situation struct {
	History

	Name string
}

// Situations are those in which tools like this one are known to go wrong, and
// the plain ones beside them.
func Situations() []Situation {
	one := func(name string, plans ...Plan) Situation {
		plans = append([]Plan{run(Succeeds), run(Succeeds)}, plans...)
		return Situation{Name: name, History: History{Functions: 1, Plans: plans}}
	}
	two := func(name string, plans ...Plan) Situation {
		s := one(name, plans...)
		s.Functions = 2
		return s
	}
	skewed := func(by time.Duration, name string, plans ...Plan) Situation {
		s := one(name, plans...)
		s.Skew = by
		return s
	}
	return []Situation{
		one("a bad deploy", run(FailsSmoke)),
		one("a second bad deploy in a row", run(FailsSmoke), run(FailsSmoke)),
		one("a third bad deploy in a row", run(FailsSmoke), run(FailsSmoke), run(FailsSmoke)),
		one("a good deploy between two bad ones", run(FailsSmoke), run(Succeeds), run(FailsSmoke)),
		one("the deploy job fails after it moved the alias", run(FailsAfterMoving)),
		one("unit tests fail", run(FailsTests)),
		one("unit tests fail after a bad deploy", run(FailsSmoke), run(FailsTests)),
		one("the deploy fails before it published", run(FailsBeforePublishing)),
		one("the code was changed, but not published", run(FailsBeforePublishing, uploads)),
		one("published, but the alias was never moved", run(FailsAfterPublishing)),
		one("a bad deploy after one that only published", run(FailsAfterPublishing), run(FailsSmoke)),
		one("a canary in flight", run(FailsMidCanary)),
		one("a canary in flight, the new version first", run(FailsMidCanary, newFirst)),
		one("a canary in flight after a bad deploy", run(FailsSmoke), run(FailsMidCanary)),
		one("a canary that failed in the smoke test", run(FailsSmoke, oldFirst)),
		one("the rollback's step runs twice", run(FailsSmoke, twice(SameAttempt))),
		one("the rollback's job is re-run", run(FailsSmoke, twice(NextAttempt))),
		one("the whole run is re-run, and fails again", run(FailsSmoke, rerun(FailsSmoke))),
		one("a bad deploy after a re-run that succeeded", run(FailsSmoke, rerun(Succeeds)), run(FailsSmoke)),
		one("the next lower versions were deleted", run(FailsSmoke), run(FailsSmoke), run(FailsSmoke, deletes(2))),
		one("the last version's image was deleted", run(FailsSmoke, spoils(types.StateInactive, types.StateReasonCodeImageDeleted))),
		one("the last version cannot serve", run(FailsSmoke, spoils(types.StateFailed, ""))),
		one("the last version is still being made ready", run(FailsSmoke, spoils(types.StatePending, ""))),
		one("nothing new to publish", run(FailsSmoke, redeploys)),
		one("a promotion of an older version, after a snapshot", run(Succeeds), run(FailsSmoke, promotes, snapshots)),
		one("a newer run has deployed since", run(FailsSmoke, slowSmoke), run(Succeeds, overlaps(20*time.Second))),
		one("a newer run's canary is in flight", run(FailsSmoke, slowSmoke), run(Succeeds, overlaps(20*time.Second), oldFirst, slowDeploy)),
		one("AWS throttles, and answers are lost", run(FailsSmoke, faulty)),
		two("two functions, both deployed", run(FailsSmoke)),

		// Somebody else deploys.
		one("a hotfix by hand before the deploy was approved", run(FailsBeforePublishing, names(NeedsDeploy), approved, fixed(10*time.Minute))),
		one("a hotfix while an unrelated job went on", run(FailsSmoke, names(DeployJob), lint(0, 10*time.Minute, false), fixed(5*time.Minute))),
		one("a hotfix between two attempts, days apart", run(FailsSmoke, names(NeedsDeploy), days(FailsTests), fixed(24*time.Hour))),
		one("a hotfix while the tests ran that failed", run(FailsTests, names(NeedsAll), fixed(20*time.Second))),
		one("a hotfix during the smoke test", run(FailsSmoke, names(NeedsAll), slowSmoke, fixed(90*time.Second))),
		one("a hotfix, and then a bad deploy", run(FailsSmoke, names(NeedsDeploy), approved, fixed(10*time.Minute))),
		// A red mark is not a failed deploy.
		one("a tolerated lint failed before a good deploy", run(Succeeds, always(NeedsNone), lint(0, 20*time.Second, true))),
		one("a tolerated lint failed beside a good deploy", run(Succeeds, always(NeedsNone), lint(30*time.Second, 50*time.Second, true))),
		one("a tolerated lint failed, and needs lists it not", run(Succeeds, always(NeedsDeploy), lint(0, 20*time.Second, true))),
		one("a tolerated lint failed, and so did the deploy", run(FailsAfterMoving, names(NeedsNone), lint(0, 20*time.Second, true))),
		one("a green job went on beside a deploy that failed", run(FailsSmoke, names(NeedsNone), lint(0, 3*time.Minute, false))),
		// A dispatch.
		one("a dispatch that deploys well", run(Succeeds, always(NeedsNone), byHand)),
		one("a dispatch whose deploy fails", run(FailsSmoke, names(NeedsNone), byHand)),
		// What was rejected.
		one("the code of a rejected version deployed again", run(FailsSmoke, names(NeedsAll)), run(FailsSmoke, names(NeedsAll), redeploys)),
		one("a tool restored a rejected version, and tests fail", run(FailsSmoke, names(NeedsAll)), run(FailsTests, names(NeedsAll), restored)),
		one("only the failed tests were run again, and passed", run(FailsSmoke, names(NeedsAll), retested), run(FailsSmoke, names(NeedsAll))),
		one("a second attempt publishes, and never moves the alias", run(FailsSmoke, names(NeedsAll), days(FailsAfterPublishing), fixed(24*time.Hour)), run(FailsSmoke, names(NeedsAll))),
		// Other aliases, and clocks.
		one("a version of staging lies between", run(Succeeds, stages), run(FailsSmoke, names(NeedsAll))),
		one("a deploy to staging fails", run(FailsSmoke, stages, names(NeedsAll))),
		skewed(5*time.Second, "AWS's clock is ahead", run(FailsSmoke, names(NeedsAll), slowDeploy)),
		skewed(-5*time.Second, "AWS's clock is behind", run(FailsSmoke, names(NeedsAll), slowDeploy)),
		skewed(90*time.Second, "AWS's clock is far ahead, and tests fail", run(FailsTests, names(NeedsAll))),
		skewed(-90*time.Second, "AWS's clock is far behind, and tests fail", run(FailsTests, names(NeedsAll))),

		two("two functions, the second not reached", run(FailsAfterMoving, func(p *Plan) { p.FirstOnly = true })),
	}
}

// run is a plain run with something particular about it.
func run(end End, particular ...func(*Plan)) Plan {
	p := Plan{
		After: 10 * time.Minute, Ends: end,
		Test: 30 * time.Second, Deploy: 20 * time.Second, Smoke: 15 * time.Second,
	}
	for _, change := range particular {
		change(&p)
	}
	return p
}

func uploads(p *Plan)    { p.Uploads = true }
func oldFirst(p *Plan)   { p.Canary = OldFirst }
func newFirst(p *Plan)   { p.Canary = NewFirst }
func redeploys(p *Plan)  { p.Does = Redeploys }
func promotes(p *Plan)   { p.Does, p.Back = Promotes, 1 }
func snapshots(p *Plan)  { p.Snapshot = true }
func slowSmoke(p *Plan)  { p.Smoke = 2 * time.Minute }
func slowDeploy(p *Plan) { p.Deploy = 150 * time.Second }
func faulty(p *Plan)     { p.Faults = 20 }

func approved(p *Plan) { p.Approval = 30 * time.Minute }
func byHand(p *Plan)   { p.Dispatch = true }
func stages(p *Plan)   { p.Does = Stages }
func restored(p *Plan) { p.Hotfix = &Hotfix{After: 5 * time.Second, Restores: true} }
func retested(p *Plan) { p.Rerun = &Rerun{After: time.Hour, FailedOnly: true} }

func names(n Naming) func(*Plan)  { return func(p *Plan) { p.Naming = n } }
func always(n Naming) func(*Plan) { return func(p *Plan) { p.Naming, p.Always = n, true } }
func fixed(after time.Duration) func(*Plan) {
	return func(p *Plan) { p.Hotfix = &Hotfix{After: after} }
}
func days(end End) func(*Plan) {
	return func(p *Plan) { p.Rerun = &Rerun{After: 48 * time.Hour, Ends: end} }
}
func lint(after, takes time.Duration, fails bool) func(*Plan) {
	return func(p *Plan) { p.Lint = &Lint{After: after, Takes: takes, Fails: fails} }
}
func twice(how Twice) func(*Plan) { return func(p *Plan) { p.Twice = how } }
func deletes(n int) func(*Plan)   { return func(p *Plan) { p.Delete = n } }
func overlaps(after time.Duration) func(*Plan) {
	return func(p *Plan) { p.Overlaps, p.After = true, after }
}
func rerun(end End) func(*Plan) {
	return func(p *Plan) { p.Rerun = &Rerun{After: time.Minute, Ends: end} }
}
func spoils(state types.State, reason types.StateReasonCode) func(*Plan) {
	return func(p *Plan) { p.Spoil, p.State, p.Reason = 1, state, reason }
}

// Random gives a history that a seed decides: the runs of a few weeks, one
// after the other but for a few that overlap, of which half fail.
func Random(seed uint64) History {
	dice := rand.New(rand.NewPCG(seed, 7))
	span := func(from, to int) time.Duration {
		return time.Duration(from+dice.IntN(to-from)) * time.Second
	}
	seldom := func() bool { return dice.IntN(6) == 0 }
	h := History{Functions: 1 + dice.IntN(2)}
	for range 12 {
		p := Plan{
			After: span(60, 3600), Test: span(5, 90), Deploy: span(10, 120), Smoke: span(5, 90),
			Canary: Canary(max(0, dice.IntN(5)-2)), FirstOnly: seldom(), Uploads: seldom(), Snapshot: seldom(),
		}
		if dice.IntN(2) == 0 {
			p.Ends = End(1 + dice.IntN(int(FailsSmoke)))
		}
		switch dice.IntN(10) {
		case 0:
			p.Does = Redeploys
		case 1:
			p.Does, p.Back, p.Snapshot = Promotes, 1+dice.IntN(2), true
		}
		if seldom() {
			p.Overlaps, p.After = true, span(10, 120)
		}
		if seldom() {
			p.Faults = dice.Uint64()
		}
		if seldom() {
			p.Twice = Twice(1 + dice.IntN(2))
		}
		if seldom() {
			p.Delete = 1 + dice.IntN(3)
		}
		if seldom() && p.Ends != Succeeds {
			p.Rerun = &Rerun{After: span(30, 600), FailedOnly: dice.IntN(2) == 0, Ends: End(dice.IntN(int(FailsSmoke) + 1))}
		}
		if dice.IntN(12) == 0 {
			p.Spoil, p.State = 1, types.StateFailed
		}
		h.Plans = append(h.Plans, p)
	}
	return h
}

// RandomEdges is Random with what others do, and with jobs that prove nothing.
func RandomEdges(seed uint64) History {
	h := Random(seed)
	dice := rand.New(rand.NewPCG(seed, 11))
	span := func(from, to int) time.Duration { return time.Duration(from+dice.IntN(to-from)) * time.Second }
	seldom := func() bool { return dice.IntN(6) == 0 }
	if seldom() {
		h.Skew = span(-10, 10)
	}
	for i := range h.Plans {
		p := &h.Plans[i]
		p.Naming = []Naming{NeedsAll, NeedsDeploy, NeedsNone, DeployJob}[dice.IntN(4)]
		p.Always, p.Dispatch = dice.IntN(2) == 0, seldom()
		if seldom() && p.Does == Deploys {
			p.Does = Stages
		}
		if seldom() {
			p.Approval = span(60, 7200)
		}
		if dice.IntN(4) == 0 {
			p.Lint = &Lint{After: span(0, 120), Takes: span(5, 600), Fails: dice.IntN(2) == 0}
		}
		if dice.IntN(4) == 0 {
			p.Hotfix = &Hotfix{After: span(1, 900), Restores: dice.IntN(3) == 0}
		}
		if p.Rerun != nil && dice.IntN(2) == 0 {
			p.Rerun.After += 48 * time.Hour
			if p.Hotfix != nil {
				p.Hotfix.After += span(1, 40*3600)
			}
		}
	}
	return h
}
