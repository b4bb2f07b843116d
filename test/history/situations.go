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
