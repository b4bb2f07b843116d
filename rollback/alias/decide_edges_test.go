package alias_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/rollback/alias"
	"github.com/org/lambda-rollback-action/rollback/report"
)

// The lines here are those that .ci/mutation found missing in the tables.

func TestDecideChosenFromWhatAPersonSaw(t *testing.T) {
	t.Parallel()
	saw := func(version, beside int64) func(*picture) {
		return func(p *picture) {
			p.request.Target, p.request.Manual = 39, true
			p.request.SeenVersion, p.request.SeenWeighted = version, beside
		}
	}
	hold(t, map[string]situation{
		"it still serves": {given: saw(42, 0), want: expected{
			action: alias.Move, reason: report.Chosen, target: 39, reject: []int64{42}, byHand: true,
		}},
		"another version serves now": {given: saw(41, 0), want: stay(report.Superseded)},
		"a canary has begun since": {given: func(p *picture) {
			saw(42, 0)(p)
			p.alias.Weighted, p.alias.Weight = 41, 0.1
		}, want: stay(report.Superseded)},
		"the canary has ended since": {given: saw(42, 41), want: stay(report.Superseded)},
		"the canary is another one": {given: func(p *picture) {
			saw(42, 41)(p)
			p.alias.Weighted, p.alias.Weight = 40, 0.1
		}, want: stay(report.Superseded)},
		"the canary goes on, with another weight": {given: func(p *picture) {
			saw(42, 41)(p)
			p.alias.Weighted, p.alias.Weight = 41, 0.5
		}, want: expected{action: alias.Move, reason: report.Chosen, target: 39, reject: []int64{42, 41}, byHand: true}},
	})
}

// A warning says which run rejected the chosen version, and when, where the
// memory still knows both.
func TestDecideTellsWhoRejectedTheChosenVersion(t *testing.T) {
	t.Parallel()
	const chosen = "; a manual rollback to it removes the rejection"
	hold(t, map[string]situation{
		"a run, with its time": {given: func(p *picture) {
			p.request.Target, p.request.Manual = 41, true
			p.memory = remembered("rejected=41@7001 run=7001/1 at=2026-11-20T08:32:47Z by=rollback", 40)
		}, want: expected{
			action: alias.Move, reason: report.Chosen, target: 41, reject: []int64{42}, byHand: true, unreject: 41,
			warning: "version 41 was rejected after run 7001 failed (2026-11-20 08:32 UTC)" + chosen,
		}},
		"an earlier run than the one that wrote last": {given: func(p *picture) {
			p.request.Target, p.request.Manual = 41, true
			p.memory = remembered("rejected=41@6000 run=7001/1 at=2026-11-20T08:32:47Z by=rollback", 40)
		}, want: expected{
			action: alias.Move, reason: report.Chosen, target: 41, reject: []int64{42}, byHand: true, unreject: 41,
			warning: "version 41 was rejected after run 6000 failed" + chosen,
		}},
		"a snapshot has written since": {given: func(p *picture) {
			p.request.Target, p.request.Manual = 41, true
			p.memory = remembered("rejected=41@7001 run=7001/2 at=2026-11-20T08:32:47Z by=snapshot", 40)
		}, want: expected{
			action: alias.Move, reason: report.Chosen, target: 41, reject: []int64{42}, byHand: true, unreject: 41,
			warning: "version 41 was rejected after run 7001 failed" + chosen,
		}},
		"no run is known": {given: func(p *picture) {
			p.request.Target, p.request.Manual = 41, true
			p.memory = remembered("rejected=41 run=7001/1 at=2026-11-20T08:32:47Z by=rollback", 40)
		}, want: expected{
			action: alias.Move, reason: report.Chosen, target: 41, reject: []int64{42}, byHand: true, unreject: 41,
			warning: "version 41 was rejected" + chosen,
		}},
		"by hand, as the last writing was": {given: func(p *picture) {
			p.request.Target, p.request.Manual = 41, true
			p.memory = remembered("rejected=41 at=2026-11-20T08:32:47Z by=rollback", 40)
		}, want: expected{
			action: alias.Move, reason: report.Chosen, target: 41, reject: []int64{42}, byHand: true, unreject: 41,
			warning: "version 41 was rejected (2026-11-20 08:32 UTC, or before that)" + chosen,
		}},
	})
}

func TestDecideBySnapshotBesideOtherVersions(t *testing.T) {
	t.Parallel()
	hold(t, map[string]situation{
		"an older version came beside the recorded one": {given: func(p *picture) {
			p.memory = remembered("rejected= run=7002/1 by=snapshot", 42)
			p.versions[42] = active(clockAt(0, 0).AddDate(0, 0, -1))
			p.alias.Weighted, p.alias.Weight = 40, 0.1
		}, want: back(report.Snapshot, 42, 40)},
		"the recorded one was deployed by an older run that failed later": {given: func(p *picture) {
			p.memory = remembered("rejected=41@7001 run=7002/1 by=snapshot", 41)
			p.older = []report.Run{{ID: olderRun}}
			p.concluded = map[int64]string{olderRun: "failure"}
		}, want: expected{
			action: alias.Move, reason: report.PreviousVersion, target: 40, reject: []int64{42},
			asked: "OlderRuns:true", warning: "version 41, which this run's snapshot recorded, was rejected after run 7001 failed",
		}},
		"the recorded one was rejected by nobody's run": {given: func(p *picture) {
			p.memory = remembered("rejected=41 run=7002/1 by=snapshot", 41)
		}, want: expected{action: alias.Move, reason: report.Snapshot, target: 41, reject: []int64{42}, notAsked: "OlderRuns:true"}},
		"a newer run's version serves, and its canary began between two looks": {given: func(p *picture) {
			p.memory = remembered("rejected= run=7002/1 by=snapshot", 41)
			p.overtaken(43)
			p.first = &alias.Alias{RevisionID: "revision-0", Version: 42, Weighted: 43, Weight: 0.1}
		}, want: stay(report.Superseded, 42)},
	})
}

// What this run deployed serves beside a newer run's version: that one is not
// what the traffic goes back to.
func TestDecideCanaryBesideANewerRunsVersion(t *testing.T) {
	t.Parallel()
	hold(t, map[string]situation{
		"deployed-version names the older": {given: func(p *picture) {
			p.request.Deployed = 42
			p.overtaken(43)
			p.alias.Version, p.alias.Weighted, p.alias.Weight = 42, 43, 0.1
		}, want: stay(report.Superseded, 42)},
	})
}

func TestRejectedAgain(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		before       alias.Rejections
		version, run int64
		want         alias.Rejections
	}{
		"by another run: the newer one is kept": {
			alias.Rejections{{First: 41, Last: 41, Run: 7001}}, 41, 7002, alias.Rejections{{First: 41, Last: 41, Run: 7002}},
		},
		"by hand: the run is kept": {
			alias.Rejections{{First: 41, Last: 41, Run: 7001}}, 41, 0, alias.Rejections{{First: 41, Last: 41, Run: 7001}},
		},
		"by a run, after it was by hand": {
			alias.Rejections{{First: 41, Last: 41}}, 41, 7002, alias.Rejections{{First: 41, Last: 41, Run: 7002}},
		},
		"within a joined row: the row stays": {
			alias.Rejections{{First: 41, Last: 38}}, 40, 7002, alias.Rejections{{First: 41, Last: 38}},
		},
		"the highest of a joined row": {
			alias.Rejections{{First: 41, Last: 38}}, 41, 7002, alias.Rejections{{First: 41, Last: 38}},
		},
		"the lowest of a joined row": {
			alias.Rejections{{First: 41, Last: 38}}, 38, 7002, alias.Rejections{{First: 41, Last: 38}},
		},
		"just above a joined row": {
			alias.Rejections{{First: 41, Last: 38}}, 42, 7002, alias.Rejections{{First: 42, Last: 42, Run: 7002}, {First: 41, Last: 38}},
		},
		"just below a joined row": {
			alias.Rejections{{First: 41, Last: 38}}, 37, 7002, alias.Rejections{{First: 41, Last: 38}, {First: 37, Last: 37, Run: 7002}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, c.want, c.before.Add(c.version, c.run))
		})
	}
}

// A Description of exactly as many characters as Lambda takes loses nothing.
func TestTheMemoryFillsItsDescription(t *testing.T) {
	t.Parallel()
	const limit = 256
	m := alias.Memory{Run: 7002, Attempt: 1, At: clockAt(1, 0), By: alias.ByRollback}
	for v := int64(101); ; v += 2 { // no neighbours, which could be joined
		fuller := m
		fuller.Rejected = slices.Clone(m.Rejected).Add(v, 1)
		if len(fuller.Description()) > limit-15 {
			break
		}
		m = fuller
	}
	for range limit - len(m.Description()) {
		m.Rejected[0].Run *= 10
	}
	require.Len(t, m.Description(), limit)

	read, err := alias.ParseDescription(m.Description())

	require.NoError(t, err)
	assert.Equal(t, m.Rejected, read.Rejected)
}
