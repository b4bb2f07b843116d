package alias_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/org/lambda-rollback-action/rollback/alias"
	"github.com/org/lambda-rollback-action/rollback/report"
)

// A person who asks twice means one rollback.
func TestAskingTwiceByHand(t *testing.T) {
	t.Parallel()
	const at = " at=2026-11-22T03:10:00Z by=rollback"
	again := expected{action: alias.Skip, reason: report.AlreadyRolledBack}
	for name, c := range map[string]situation{
		"the last rollback was by hand": {func(p *picture) { p.memory = remembered("rejected=42"+at, 41) }, again},
		"the last rollback was a run's": {func(p *picture) { p.memory = remembered("rejected=42@7001 run=7001/1"+at, 41) }, again},
		"what was left has been deleted since": {func(p *picture) {
			p.memory = remembered("rejected=42"+at, 41)
			delete(p.versions, 42)
		}, again},
		"the rejected ones are far above": {func(p *picture) {
			p.memory = remembered("rejected=60,42"+at, 41)
			p.versions[60] = active(clockAt(5, 0))
		}, again},
		"a version far below was chosen": {func(p *picture) {
			p.memory, p.alias.Version = remembered("rejected=42"+at, 39), 39
		}, again},
		"one that was published before lies above": {func(p *picture) {
			p.memory = remembered("rejected=42"+at, 41)
			p.versions[43] = active(clockAt(3, 9))
		}, again},
		"the time of one above is not known": {func(p *picture) {
			p.memory = remembered("rejected=42"+at, 41)
			p.versions[43] = alias.Version{Exists: true, Read: true, State: "Active"}
		}, expected{action: alias.Move, reason: report.PreviousVersion, target: 40, reject: []int64{41}, byHand: true}},
		"the version is named": {func(p *picture) {
			p.memory, p.request.Target = remembered("rejected=42"+at, 41), 40
		}, expected{action: alias.Move, reason: report.Chosen, target: 40, reject: []int64{41}, unreject: 40, byHand: true}},
		"a newer version was deployed since": {func(p *picture) {
			p.memory, p.alias.Version = remembered("rejected=42"+at, 41), 43
			p.versions[43] = active(clockAt(20, 0))
		}, expected{action: alias.Move, reason: report.PreviousVersion, target: 41, reject: []int64{43}, byHand: true}},
		"a newer version was published since": {func(p *picture) {
			p.memory = remembered("rejected=42"+at, 41)
			p.versions[43] = active(clockAt(20, 0))
		}, expected{action: alias.Move, reason: report.PreviousVersion, target: 40, reject: []int64{41}, byHand: true}},
		"an older version was put there since": {func(p *picture) {
			p.memory, p.alias.Version = remembered("rejected=42"+at, 41), 40
		}, expected{action: alias.Move, reason: report.PreviousVersion, target: 39, reject: []int64{40}, byHand: true}},
		"a canary goes on": {func(p *picture) {
			p.memory, p.alias.Weighted, p.alias.Weight = remembered("rejected=42"+at, 41), 42, 0.1
		}, expected{action: alias.Move, reason: report.CanaryStopped, target: 41, reject: []int64{42}, byHand: true}},
		"the memory is a snapshot's": {func(p *picture) {
			p.memory = remembered("run=7001/1 at=2026-11-22T03:10:00Z by=snapshot", 41)
		}, expected{action: alias.Move, reason: report.PreviousVersion, target: 40, reject: []int64{41}, byHand: true}},
		"the memory is a snapshot's, and nothing newer exists": {func(p *picture) {
			p.memory = remembered("run=7001/1 at=2026-11-22T03:10:00Z by=snapshot", 41)
			delete(p.versions, 42)
		}, expected{action: alias.Move, reason: report.PreviousVersion, target: 40, reject: []int64{41}, byHand: true}},
		"a later run took a snapshot": {func(p *picture) {
			p.memory = remembered("rejected=42@7001 run=7002/1 at=2026-11-22T04:10:00Z by=snapshot", 41)
		}, again},
		"a later run took a snapshot, and something above is not rejected": {func(p *picture) {
			p.memory = remembered("rejected=42@7001 run=7002/1 at=2026-11-22T04:10:00Z by=snapshot", 41)
			p.versions[43] = active(clockAt(3, 9))
		}, expected{action: alias.Move, reason: report.PreviousVersion, target: 40, reject: []int64{41}, byHand: true}},
		"a later run took a snapshot of a version above": {func(p *picture) {
			p.memory, p.alias.Version = remembered("rejected=42@7001 run=7002/1 at=2026-11-22T04:10:00Z by=snapshot", 43), 43
			p.versions[43] = active(clockAt(20, 0))
		}, expected{action: alias.Move, reason: report.PreviousVersion, target: 41, reject: []int64{43}, byHand: true}},
		"nothing is remembered": {func(*picture) {}, expected{action: alias.Move, reason: report.PreviousVersion, target: 40, reject: []int64{41}, byHand: true}},
		"the deployed version is told": {func(p *picture) {
			p.memory, p.request.Deployed = remembered("rejected=42"+at, 41), 41
		}, expected{action: alias.Move, reason: report.PreviousVersion, target: 40, reject: []int64{41}, byHand: true}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, everything := range []bool{false, true} {
				p := plainPicture()
				p.alias.Version, p.run = 41, report.Run{}
				p.request = alias.Request{Manual: true, Remember: true}
				c.given(&p)
				d, _ := p.decide(t, p.observation(everything))
				assert.Equal(t, c.want.action, d.Action, d.Why)
				assert.Equal(t, c.want.reason, d.Reason, d.Why)
				assert.Equal(t, c.want.target, d.Target)
				assert.Equal(t, c.want.reject, d.Reject)
				assert.Equal(t, c.want.unreject, d.Unreject)
				if d.Reason == report.AlreadyRolledBack {
					when := " (2026-11-22 03:10 UTC)"
					if p.memory.By == alias.BySnapshot {
						when = ""
					}
					assert.Equal(t, fmt.Sprintf("the last rollback"+when+" left it on version %d, and nothing has been deployed since; to go further back, set target-version", p.alias.Version), d.Why)
				}
			}
		})
	}
}

// Without a record of rollbacks, a version above the live one may be what the last one
// left: a second request does not go further back.
func TestASecondRollbackByHandWithoutARecord(t *testing.T) {
	t.Parallel()
	denied := alias.Memory{Unread: &alias.Problem{Reason: report.AccessDenied, Text: "denied"}}
	asked := stay(report.AlreadyRolledBack)
	asked.look, asked.why = true, "version 42 is newer and not live, and there is no record of earlier rollbacks: one of them may have left it on version 41; to go further back, set target-version"
	by := func(e expected) expected {
		e.byHand = true
		return e
	}
	further := by(back(report.PreviousVersion, 40, 41))
	given := func(change func(*picture)) func(*picture) {
		return func(p *picture) {
			p.alias.Version, p.run, p.memory = 41, report.Run{}, denied
			p.request = alias.Request{Manual: true, Remember: true}
			change(p)
		}
	}
	hold(t, map[string]situation{
		"the memory may not be read":               {given: given(func(*picture) {}), want: asked},
		"it is not understood":                     {given: given(func(p *picture) { p.memory = alias.Memory{Exists: true, Version: 41, Unreadable: "odd"} }), want: asked},
		"it is somebody else's":                    {given: given(func(p *picture) { p.memory = alias.Memory{Exists: true, Version: 41, Foreign: "mine"} }), want: asked},
		"nothing is remembered":                    {given: given(func(p *picture) { p.memory, p.request.Remember = alias.Memory{}, false }), want: asked},
		"a second attempt, and there is no memory": {given: given(func(p *picture) { p.memory, p.request.Attempt = alias.Memory{}, 2 }), want: asked},
		"there is no memory":                       {given: given(func(p *picture) { p.memory, p.request.Attempt = alias.Memory{}, 1 }), want: further},
		"the newest is live":                       {given: given(func(p *picture) { p.alias.Version = 42 }), want: by(back(report.PreviousVersion, 41, 42))},
		"a canary goes on":                         {given: given(func(p *picture) { p.alias.Weighted, p.alias.Weight = 42, 0.1 }), want: by(back(report.CanaryStopped, 41, 42))},
		"the failing version is named":             {given: given(func(p *picture) { p.request.Deployed = 41 }), want: further},
	})
}

func TestWhyThereIsNoVersionToGoBackTo(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		given func(*picture)
		want  report.NoPrevious
	}{
		"the first version ever": {func(p *picture) {
			p.alias.Version, p.versions = 1, map[int64]alias.Version{1: p.versions[42]}
		}, report.NeverPublished},
		"all before were deleted": {func(p *picture) { p.versions = map[int64]alias.Version{42: p.versions[42]} }, report.VersionsDeleted},
		"all before were deleted, a newer one is there": {func(p *picture) {
			p.versions = map[int64]alias.Version{42: p.versions[42], 43: active(clockAt(0, 0).AddDate(0, 0, -1))}
		}, report.VersionsDeleted},
		"the second version, whose first was deleted": {func(p *picture) {
			p.alias.Version, p.versions = 2, map[int64]alias.Version{2: p.versions[42]}
		}, report.VersionsDeleted},
		"those before were rejected": {func(p *picture) { p.memory = remembered("rejected=38-41", 38) }, ""},
		"those before cannot serve": {func(p *picture) {
			for v := int64(38); v < 42; v++ {
				p.state(v, "Failed", "")
			}
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := plainPicture()
			c.given(&p)
			d, _ := p.decide(t, p.observation(false))
			assert.Equal(t, report.NoPreviousVersion, d.Reason)
			assert.Equal(t, c.want, d.NoPrevious)
			assert.Contains(t, d.Why, c.want.Clause())
		})
	}
}
