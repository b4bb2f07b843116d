package alias_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/rollback/alias"
	"github.com/org/lambda-rollback-action/rollback/report"
)

// What counts as moved by an earlier attempt, so that production is checked again.
func TestWhatAnEarlierAttemptMoved(t *testing.T) {
	t.Parallel()
	const own, others = "rejected=42@7002 run=7002/1 by=rollback", "rejected=42@7001 run=7001/1 by=rollback"
	for name, c := range map[string]struct {
		memory string
		given  func(*scene)
		reason report.Reason
		moved  bool
	}{
		"this run rolled it back": {own, func(*scene) {}, report.AlreadyRolledBack, true},
		"… and this is a dry run": {own, func(s *scene) { s.function.DryRun = true }, report.AlreadyRolledBack, false},
		"the target that was chosen is live, and this run moved it there":    {own, func(s *scene) { s.function.Request.Target = 41 }, report.AlreadyOnTarget, true},
		"the target that was chosen is live, and another run moved it there": {others, func(s *scene) { s.function.Request.Target = 41 }, report.AlreadyOnTarget, false},
		"this run rolled it back, and somebody moved it further back": {own, func(s *scene) {
			s.lambda.set("live", 40, nil, "serves production")
		}, report.NotDeployed, false},
		"another run rolled it back": {others, func(*scene) {}, report.NotDeployed, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			play(t, func(t *testing.T, s *scene) {
				s.lambda.set("live", 41, nil, "serves production")
				s.remembers(41, c.memory)
				c.given(s)
				f := alias.NewFleet([]alias.Function{s.function})
				f.RollBack(s.ctx, false)
				assert.Equal(t, c.reason, f.Results()[0].Reason, f.Results()[0].Message)
				assert.Equal(t, c.moved, f.Moved())
			})
		})
	}
}

// What the checks and the result are told of an earlier attempt's move: the version
// that it left is the highest one that it rejected above the live version.
func TestWhatIsToldOfAnEarlierMove(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		memory string
		given  func(*scene)
		left   int64
		split  bool
		from   string
	}{
		"it left 42":                                  {"rejected=42@7002,40@6999", func(*scene) {}, 42, false, "42"},
		"another run rejected a newer one":            {"rejected=43@6999,42@7002", func(*scene) {}, 42, false, "42"},
		"it rejected only the live version and below": {"rejected=41@7002,39@7002", func(*scene) {}, 0, false, "41"},
		"AWS is still shifting the traffic":           {"rejected=42@7002", func(s *scene) { s.lambda.set("live", 41, map[string]float64{"42": 0.4}, "serves production") }, 42, true, "42"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			play(t, func(t *testing.T, s *scene) {
				s.lambda.set("live", 41, nil, "serves production")
				s.remembers(41, c.memory+" run=7002/1 at=2026-11-22T03:04:00Z by=rollback")
				c.given(s)
				p := &prover{own: bad(41)}
				r := s.proven(t, p, alias.ProveOptions{StepBack: true, MaxSteps: 3})
				require.Len(t, p.asked, 1)
				told := p.asked[0][0]
				assert.Equal(t, c.left, told.Left)
				assert.Equal(t, c.split, told.Split)
				assert.Equal(t, int64(41), told.Version)
				assert.Equal(t, report.Unhealthy, r.Reason, r.Message)
				assert.Equal(t, c.from, r.From)
				assert.Equal(t, "41", r.To)
				assert.Equal(t, time.Date(2026, 11, 22, 3, 4, 0, 0, time.UTC).Format(time.RFC3339), r.MovedAt)
			})
		})
	}
}

// Where the memory is missing, a run that is started again may have rolled back before.
func TestALaterAttemptWithoutAMemoryWarns(t *testing.T) {
	t.Parallel()
	const warning = "version 42 of this run is not live, and no rollback is recorded"
	later := func(change func(*picture)) func(*picture) {
		return func(p *picture) {
			p.alias.Version, p.run.Attempt, p.request.Remember = 41, 2, false
			change(p)
		}
	}
	warned, silent := stay(report.NotDeployed), stay(report.NotDeployed)
	warned.warning, silent.notNoted = warning, "no rollback is recorded"
	remembering := stay(report.NotDeployed, 42)
	remembering.warning = warning
	recorded := stay(report.NotDeployed, 42)
	recorded.notNoted = silent.notNoted
	hold(t, map[string]situation{
		"nothing is remembered": {given: later(func(*picture) {}), want: warned},
		"it may not be read": {given: later(func(p *picture) {
			p.request.Remember, p.memory = true, alias.Memory{Unread: &alias.Problem{Reason: report.AccessDenied, Text: "denied"}}
		}), want: remembering},
		"it is not understood": {given: later(func(p *picture) {
			p.request.Remember, p.memory = true, alias.Memory{Exists: true, Version: 41, Unreadable: "odd"}
		}), want: remembering},
		"it belongs to somebody else": {given: later(func(p *picture) {
			p.request.Remember, p.memory = true, alias.Memory{Foreign: "the blue fleet"}
		}), want: remembering},
		"it could not be written": {given: later(func(p *picture) { p.request.Remember = true }), want: remembering},
		"a later run's snapshot replaced who wrote it, not what was rejected": {given: later(func(p *picture) {
			p.request.Remember = true
			p.memory = remembered("rejected=42@7002 run=7003/1 by=snapshot", 41)
		}), want: recorded},
		"this attempt published it": {given: later(func(p *picture) {
			p.request.Remember = true
			p.run.Earlier = []report.Job{jobAt("deploy", clockAt(0, 5), clockAt(0, 8), "failure")}
		}), want: recorded},
		"the first attempt":     {given: later(func(p *picture) { p.run.Attempt = 1 }), want: silent},
		"nothing was published": {given: later(func(p *picture) { delete(p.versions, 42) }), want: silent},
	})
}

// A later attempt that knows neither times nor an earlier rollback must not roll back a
// second time.
func TestALaterAttemptWithoutTimesDoesNotGoBackTwice(t *testing.T) {
	t.Parallel()
	later := func(change func(*picture)) func(*picture) {
		return func(p *picture) {
			p.alias.Version, p.run = 41, report.Run{ID: thisRun, Attempt: 2}
			change(p)
		}
	}
	uncertain := stay(report.NotDeployed)
	uncertain.look, uncertain.why = true, "version 42 is newer and not live: an earlier attempt of this run may have rolled back to version 41 already"
	hold(t, map[string]situation{
		"there is no memory":    {given: later(func(*picture) {}), want: uncertain},
		"nothing is remembered": {given: later(func(p *picture) { p.request.Remember = false }), want: uncertain},
		"it may not be read": {given: later(func(p *picture) {
			p.memory = alias.Memory{Unread: &alias.Problem{Reason: report.AccessDenied, Text: "denied"}}
		}), want: uncertain},
		"it is not understood": {given: later(func(p *picture) { p.memory = alias.Memory{Exists: true, Version: 41, Unreadable: "odd"} }), want: uncertain},
		"an old memory, not kept": {given: later(func(p *picture) {
			p.request.Remember, p.memory = false, remembered("rejected=39@7001 run=7001/1 by=rollback", 38)
		}), want: uncertain},
		"the newest version is live":      {given: later(func(p *picture) { p.alias.Version = 42 }), want: back(report.PreviousVersion, 41, 42)},
		"the versions above were deleted": {given: later(func(p *picture) { delete(p.versions, 42) }), want: back(report.PreviousVersion, 40, 41)},
		"the first attempt":               {given: later(func(p *picture) { p.run.Attempt = 1 }), want: back(report.PreviousVersion, 40, 41)},
		"the second attempt of a run that handles the first attempt of another": {
			given: later(func(p *picture) { p.run.Attempt, p.request.Attempt = 1, 2 }), want: uncertain,
		},
		"the memory is kept, and says nothing of a rollback": {given: later(func(p *picture) {
			p.memory = remembered("rejected=39@7001 run=7001/1 by=rollback", 38)
		}), want: back(report.PreviousVersion, 40, 41)},
		"deployed-version names what is live": {given: later(func(p *picture) { p.request.Deployed = 41 }), want: back(report.PreviousVersion, 40, 41)},
	})
}

// Without attribution, the memory alone says what an earlier attempt did.
func TestALaterAttemptThatNeedNotBeProvenDoesNotGoBackTwice(t *testing.T) {
	t.Parallel()
	later := func(change func(*picture)) func(*picture) {
		return func(p *picture) {
			p.alias.Version, p.run.Attempt, p.request.OnlyIfDeployed = 41, 2, false
			change(p)
		}
	}
	uncertain := stay(report.NotDeployed, 42)
	uncertain.look, uncertain.why = true, "version 42 is newer and not live"
	forgets := uncertain
	forgets.reject = nil
	hold(t, map[string]situation{
		"nothing is remembered":   {given: later(func(p *picture) { p.request.Remember = false }), want: forgets},
		"it could not be written": {given: later(func(*picture) {}), want: uncertain},
		"it may not be read": {given: later(func(p *picture) {
			p.memory = alias.Memory{Unread: &alias.Problem{Reason: report.AccessDenied, Text: "denied"}}
		}), want: uncertain},
		"the first attempt":          {given: later(func(p *picture) { p.run.Attempt = 1 }), want: back(report.PreviousVersion, 40, 41)},
		"the newest version is live": {given: later(func(p *picture) { p.alias.Version = 42 }), want: back(report.PreviousVersion, 41, 42)},
	})
}

// deployed-version is what this run deployed: neither a newer version is left for it,
// nor is it a target.
func TestANewerDeployIsKeptWithoutAttributionToo(t *testing.T) {
	t.Parallel()
	kept := stay(report.Superseded)
	kept.why = "a newer version (42) than the one this run deployed (41) is live"
	hold(t, map[string]situation{
		"only-if-deployed is false": {given: func(p *picture) { p.request.OnlyIfDeployed, p.request.Deployed = false, 41 }, want: kept},
	})
}
