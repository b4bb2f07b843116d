package alias_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/rollback/alias"
	"github.com/org/lambda-rollback-action/rollback/report"
)

// picture is the whole truth about a function and the runs around it. The
// decision asks for parts of it.
type picture struct {
	request   alias.Request
	alias     alias.Alias
	first     *alias.Alias // as it was before somebody else moved it
	memory    alias.Memory
	run       report.Run
	versions  map[int64]alias.Version
	ready     map[int64]string // states that Pending versions come to
	concluded map[int64]string
	rerun     []report.Job // jobs of those runs, in all of their attempts
	older     []report.Run
	since     []report.Run           // older runs that were running since the memory was written
	atWork    map[int64][]report.Run // by the version that was made then
	others    map[int64][]string     // further aliases, by version
	silent    bool                   // GitHub does not answer about older runs
}

// expected is what the contract says of a picture.
type expected struct {
	action   alias.Action
	reason   report.Reason
	target   int64
	reject   []int64
	byHand   bool // what is rejected is not put down to a run
	unreject int64
	why      string // part of it
	proof    string // part of it
	notProof string // not part of it
	note     string // part of one of them
	notNoted string // part of none of them
	warning  string // part of one that is a warning
	look     bool   // a person must look
	asked    string // part of a question that must have come up
	notAsked string // part of a question that must not have come up
}

type situation struct {
	given func(*picture)
	want  expected
}

// The run in every picture, unless a line says otherwise: created at 3:00, it
// tests, deploys version 42 and finds it broken in a smoke test.
const (
	thisRun  = 7002
	newerRun = 7003
	olderRun = 7001
)

func clockAt(minute, second int) time.Time {
	return time.Date(2026, 11, 22, 3, minute, second, 0, time.UTC)
}

func jobAt(name string, from, to time.Time, conclusion string) report.Job {
	return report.Job{Name: name, Status: "completed", Conclusion: conclusion, StartedAt: from, CompletedAt: to}
}

func ownJob(from time.Time) report.Job {
	return report.Job{Name: "rollback", Status: "in_progress", StartedAt: from, Own: true}
}

func failedRun() report.Run {
	return report.Run{
		ID: thisRun, Attempt: 1, CreatedAt: clockAt(0, 0), NewerKnown: true,
		Jobs: []report.Job{
			jobAt("test", clockAt(0, 10), clockAt(1, 0), "success"),
			jobAt("deploy", clockAt(1, 10), clockAt(2, 0), "success"),
			jobAt("smoke test", clockAt(2, 10), clockAt(3, 0), "failure"),
			ownJob(clockAt(3, 10)),
		},
	}
}

func active(modified time.Time) alias.Version {
	return alias.Version{Exists: true, Read: true, LastModified: modified, State: "Active"}
}

func (p *picture) state(version int64, state, reason string) {
	v := p.versions[version]
	v.State, v.ReasonCode = state, reason
	p.versions[version] = v
}

// plainPicture: 42 serves, made by the run's deploy; 38 to 41 are older.
func plainPicture() picture {
	p := picture{
		request: alias.Request{OnlyIfDeployed: true, Remember: true},
		alias:   alias.Alias{RevisionID: "revision-1", Version: 42},
		run:     failedRun(),
		rerun: []report.Job{
			jobAt("deploy", clockAt(0, 0).AddDate(0, 0, -2), clockAt(1, 0).AddDate(0, 0, -2), "failure"),
			jobAt("deploy", clockAt(5, 0).AddDate(0, 0, -2), clockAt(6, 0).AddDate(0, 0, -2), "success"),
		},
		versions: map[int64]alias.Version{
			42: active(clockAt(1, 30).Add(678 * time.Millisecond)),
		},
	}
	for v := int64(38); v < 42; v++ {
		p.versions[v] = active(clockAt(0, 0).AddDate(0, 0, int(v)-45))
	}
	return p
}

func remembered(text string, version int64) alias.Memory {
	m, err := alias.ParseDescription(text)
	if err != nil {
		panic(err)
	}
	m.Exists, m.RevisionID, m.Version = true, "revision-9", version
	return m
}

// observation is the picture as far as it is known at the start: the serving
// and the named versions and the two numbers below, or everything.
func (p *picture) observation(everything bool) alias.Observation {
	o := alias.Observation{
		Request: p.request, Alias: p.alias, Memory: p.memory, Run: p.run, First: p.first, OtherAliases: p.others,
		Versions: map[int64]alias.Version{},
	}
	if everything {
		o.Versions, o.Listed, o.SearchedAbove = maps.Clone(p.versions), true, true
		return o
	}
	for _, v := range []int64{p.alias.Version, p.alias.Weighted, p.request.Target, p.memory.Version, p.alias.Version - 1, p.alias.Version - 2} {
		if v > 0 {
			o.Versions[v] = p.versions[v]
		}
	}
	return o
}

// decide answers what the decision asks until it is made. The same question
// twice would go on for ever.
func (p *picture) decide(t *testing.T, o alias.Observation) (alias.Decision, string) {
	t.Helper()
	var asked []string
	for {
		d := alias.Decide(o)
		if d.Action != alias.NeedMore {
			return d, strings.Join(asked, "\n")
		}
		question := fmt.Sprintf("%+v", d.Query)
		require.NotContains(t, asked, question, "the same question twice")
		asked = append(asked, question)
		p.answer(&o, d.Query)
	}
}

func (p *picture) answer(o *alias.Observation, want alias.Query) {
	for _, v := range want.Versions {
		o.Versions[v] = p.versions[v]
	}
	if want.Wait != 0 {
		v := o.Versions[want.Wait]
		if v.State = p.ready[want.Wait]; v.State == "" {
			v.State = "Active"
		}
		o.Versions[want.Wait] = v
	}
	for v, known := range p.versions {
		switch _, seen := o.Versions[v]; {
		case want.Above != 0 && v > want.Above:
			o.Versions[v] = known
		case want.Below != 0 && !seen:
			o.Versions[v] = alias.Version{Exists: true, LastModified: known.LastModified} // as the listing tells it
		}
	}
	o.Listed = o.Listed || want.Below != 0
	o.SearchedAbove = o.SearchedAbove || want.Above != 0
	for _, run := range want.Outcomes {
		if o.Outcomes == nil {
			o.Outcomes = map[int64]report.Run{}
		}
		o.Outcomes[run] = report.Run{}
		if conclusion, answered := p.concluded[run]; answered {
			o.Outcomes[run] = report.Run{ID: run, Conclusion: conclusion, Jobs: p.rerun}
		}
	}
	if want.RunsAtWork != 0 {
		o.AtWorkAsked = append(o.AtWorkAsked, want.RunsAtWork)
		o.Run.Older = slices.Concat(o.Run.Older, p.atWork[want.RunsAtWork])
	}
	if !want.RunsSince.IsZero() {
		o.SinceAsked = true
		if !p.silent {
			o.Since, o.SinceKnown = p.since, true
		}
	}
	if want.OlderRuns {
		o.OlderAsked = true
		if !p.silent {
			o.Run.Older, o.Run.OlderKnown = p.older, true
		}
	}
}

// hold runs a table: each line with little known at the start, and with
// everything; the decision must be the same.
func hold(t *testing.T, lines map[string]situation) {
	t.Helper()
	for name, line := range lines {
		for _, everything := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/everything known=%t", name, everything), func(t *testing.T) {
				t.Parallel()
				p := plainPicture()
				line.given(&p)
				d, asked := p.decide(t, p.observation(everything))
				line.want.check(t, d)
				if !everything {
					assert.Contains(t, asked, line.want.asked)
				}
				if line.want.notAsked != "" {
					assert.NotContains(t, asked, line.want.notAsked)
				}
			})
		}
	}
}

func (e expected) check(t *testing.T, d alias.Decision) {
	t.Helper()
	type outcome struct {
		Action   alias.Action
		Reason   report.Reason
		Target   int64
		Reject   []int64
		Unreject int64
	}
	reject := slices.Sorted(slices.Values(d.Reject))
	unreject := d.Unreject
	if d.Action == alias.Move && unreject == d.Target && e.unreject == 0 {
		unreject = 0 // taking out what is not in says nothing
	}
	assert.Equal(t,
		outcome{e.action, e.reason, e.target, slices.Sorted(slices.Values(e.reject)), e.unreject},
		outcome{d.Action, d.Reason, d.Target, reject, unreject}, "why: %s; proof: %s", d.Why, d.Proof)
	if len(e.reject) > 0 {
		assert.Equal(t, !e.byHand, d.ByRun, "rejected on behalf of the run")
	}
	assert.Equal(t, e.look, d.Attention, "a person must look; proof: %s", d.Proof)
	assert.NotEmpty(t, d.Why)
	assert.Contains(t, d.Why, e.why)
	assert.Contains(t, d.Proof, e.proof)
	if e.notProof != "" {
		assert.NotContains(t, d.Proof, e.notProof)
	}
	var notes, warnings []string
	for _, n := range d.Notes {
		notes = append(notes, n.Text)
		if n.Warning {
			warnings = append(warnings, n.Text)
		}
	}
	assert.Contains(t, strings.Join(notes, "\n"), e.note)
	if e.notNoted != "" {
		assert.NotContains(t, strings.Join(notes, "\n"), e.notNoted)
	}
	assert.Contains(t, strings.Join(warnings, "\n"), e.warning)
}

// back and stay are the two usual outcomes.
func back(reason report.Reason, target int64, reject ...int64) expected {
	return expected{action: alias.Move, reason: reason, target: target, reject: reject}
}

func stay(reason report.Reason, reject ...int64) expected {
	return expected{action: alias.Skip, reason: reason, reject: reject}
}

func TestDecideChosenTarget(t *testing.T) {
	t.Parallel()
	byHand := func(e expected) expected { e.byHand = true; return e }
	choose := func(target int64) func(*picture) {
		return func(p *picture) { p.request.Target, p.request.Manual = target, true }
	}
	hold(t, map[string]situation{
		"a person chooses an older version":  {given: choose(39), want: byHand(back(report.Chosen, 39, 42))},
		"a failed run's workflow chooses it": {given: func(p *picture) { p.request.Target = 39 }, want: back(report.Chosen, 39, 42)},
		"it does not exist":                  {given: choose(37), want: expected{action: alias.Fail, reason: report.VersionNotFound}},
		"it is above all that exist":         {given: choose(99), want: expected{action: alias.Fail, reason: report.VersionNotFound}},
		"it serves alone":                    {given: choose(42), want: stay(report.AlreadyOnTarget)},
		"choosing beats the memory: this run rolled back to 41 already": {given: func(p *picture) {
			choose(40)(p)
			p.alias.Version = 41
			p.memory = remembered("rejected=42@7002 run=7002/1 by=rollback", 41)
		}, want: byHand(back(report.Chosen, 40, 41))},
		"choosing beats attribution: the serving version is not this run's": {given: func(p *picture) {
			choose(40)(p)
			p.alias.Version = 41
		}, want: byHand(back(report.Chosen, 40, 41))},
		"it serves, beside a canary: the weight goes": {given: func(p *picture) {
			choose(41)(p)
			p.alias.Version, p.alias.Weighted, p.alias.Weight = 41, 42, 0.1
		}, want: byHand(back(report.Chosen, 41, 42))},
		"it is the canary's small half": {given: func(p *picture) {
			choose(41)(p)
			p.alias.Weighted, p.alias.Weight = 41, 0.1
		}, want: byHand(back(report.Chosen, 41, 42))},
		"it is neither half of a canary": {given: func(p *picture) {
			choose(39)(p)
			p.alias.Version, p.alias.Weighted, p.alias.Weight = 41, 42, 0.1
		}, want: byHand(back(report.Chosen, 39, 41, 42))},
		"forward again, onto a version that was rejected: it no longer is": {given: func(p *picture) {
			choose(42)(p)
			p.alias.Version = 41
			p.memory = remembered("rejected=42@7001 run=7001/1 by=rollback", 41)
		}, want: expected{action: alias.Move, reason: report.Chosen, target: 42, unreject: 42, warning: "42"}},
		"back onto a version out of a joined row: it no longer is rejected": {given: func(p *picture) {
			choose(40)(p)
			p.memory = remembered("rejected=38-41 run=7001/1 by=rollback", 38)
		}, want: expected{action: alias.Move, reason: report.Chosen, target: 40, reject: []int64{42}, byHand: true, unreject: 40}},
		"it failed to start":     {given: func(p *picture) { choose(40)(p); p.state(40, "Failed", "InvalidImage") }, want: expected{action: alias.Fail, reason: report.VersionNotFound}},
		"its image was deleted":  {given: func(p *picture) { choose(40)(p); p.state(40, "Inactive", "ImageDeleted") }, want: expected{action: alias.Fail, reason: report.VersionNotFound}},
		"it sleeps":              {given: func(p *picture) { choose(40)(p); p.state(40, "Inactive", "Idle") }, want: expected{action: alias.Move, reason: report.Chosen, target: 40, reject: []int64{42}, byHand: true, note: "first calls may be slow or fail"}},
		"it is still being made": {given: func(p *picture) { choose(40)(p); p.state(40, "Pending", "Creating") }, want: expected{action: alias.Move, reason: report.Chosen, target: 40, reject: []int64{42}, byHand: true, asked: "Wait:40"}},
		"it is made, and fails": {given: func(p *picture) {
			choose(40)(p)
			p.state(40, "Pending", "Creating")
			p.ready = map[int64]string{40: "Failed"}
		}, want: expected{action: alias.Fail, reason: report.VersionNotFound}},
		"the alias is on $LATEST, and a person points it at a version": {given: func(p *picture) { choose(40)(p); p.alias.Version, p.alias.Latest = 0, true },
			want: expected{action: alias.Move, reason: report.Chosen, target: 40, warning: "does not reach callers"}},
		"the alias is on $LATEST, and the version does not exist": {given: func(p *picture) { choose(37)(p); p.alias.Version, p.alias.Latest = 0, true },
			want: expected{action: alias.Fail, reason: report.VersionNotFound}},
		"of other functions only": {given: func(p *picture) { p.request.NotRequested = true }, want: stay(report.NoFailure)},
		"of other functions only, and this alias is on $LATEST": {given: func(p *picture) {
			p.request.NotRequested, p.alias.Version, p.alias.Latest = true, 0, true
		}, want: stay(report.NoFailure)},
		"nothing is asked of GitHub": {given: func(p *picture) { choose(41)(p); p.memory = remembered("rejected=41@6000", 40) },
			want: expected{action: alias.Move, reason: report.Chosen, target: 41, reject: []int64{42}, byHand: true, unreject: 41, notAsked: "Outcomes:[6000]"}},
	})
}

func TestDecideByMemory(t *testing.T) {
	t.Parallel()
	rolledBack := func(p *picture, attempt int) {
		p.alias.Version = 41
		p.memory = remembered(fmt.Sprintf("rejected=42@7002 run=7002/%d by=rollback", attempt), 41)
	}
	snapshot := func(version int64) func(*picture) {
		return func(p *picture) { p.memory = remembered("rejected= run=7002/1 by=snapshot", version) }
	}
	hold(t, map[string]situation{
		"this run rolled back already": {given: func(p *picture) { rolledBack(p, 1) }, want: stay(report.AlreadyRolledBack)},
		"an earlier attempt of this run did": {given: func(p *picture) {
			rolledBack(p, 1)
			p.run.Attempt = 2
		}, want: stay(report.AlreadyRolledBack)},
		"even where only-if-deployed is false": {given: func(p *picture) {
			rolledBack(p, 1)
			p.request.OnlyIfDeployed = false
		}, want: stay(report.AlreadyRolledBack)},
		"even where deployed-version names the version now left": {given: func(p *picture) {
			rolledBack(p, 1)
			p.request.Deployed = 42
		}, want: stay(report.AlreadyRolledBack)},
		"provisioned concurrency still shifts the traffic of this attempt's move": {given: func(p *picture) {
			rolledBack(p, 1)
			p.alias.Weighted, p.alias.Weight = 42, 0.6
		}, want: stay(report.AlreadyRolledBack)},
		"a re-run began a new canary": {given: func(p *picture) {
			rolledBack(p, 1)
			p.run.Attempt = 2
			p.versions[43] = active(clockAt(1, 40))
			p.alias.Weighted, p.alias.Weight = 43, 0.1
		}, want: back(report.CanaryStopped, 41, 43)},
		"a re-run began the same canary again": {given: func(p *picture) {
			rolledBack(p, 1)
			p.run.Attempt = 2
			p.alias.Weighted, p.alias.Weight = 42, 0.1
		}, want: back(report.CanaryStopped, 41, 42)},
		"a re-run deployed anew after the rollback": {given: func(p *picture) {
			rolledBack(p, 1)
			p.run.Attempt = 2
			p.alias.Version = 43
			p.versions[43] = active(clockAt(1, 45))
		}, want: back(report.PreviousVersion, 41, 43)},
		"another run's rollback says nothing about this one": {given: func(p *picture) {
			p.memory = remembered("rejected=40@7001 run=7001/1 by=rollback", 41)
		}, want: back(report.PreviousVersion, 41, 42)},

		"the snapshot is the target":      {given: snapshot(39), want: back(report.Snapshot, 39, 42)},
		"nothing came after the snapshot": {given: func(p *picture) { snapshot(42)(p) }, want: stay(report.NotDeployed)},
		"nothing came behind the alias after the snapshot, but this run published": {given: func(p *picture) {
			snapshot(41)(p)
			p.alias.Version = 41
		}, want: stay(report.NotDeployed, 42)},
		"nothing came after the snapshot, but deployed-version was published": {given: func(p *picture) {
			snapshot(41)(p)
			p.alias.Version, p.request.Deployed = 41, 42
		}, want: stay(report.NotDeployed, 42)},
		"a canary began after the snapshot": {given: func(p *picture) {
			snapshot(41)(p)
			p.alias.Version, p.alias.Weighted, p.alias.Weight = 41, 42, 0.1
		}, want: back(report.Snapshot, 41, 42)},
		"a canary the other way round began after the snapshot": {given: func(p *picture) {
			snapshot(41)(p)
			p.alias.Weighted, p.alias.Weight = 41, 0.9
		}, want: back(report.Snapshot, 41, 42)},
		"a promoted version, older than the run, came after the snapshot": {given: func(p *picture) {
			snapshot(41)(p)
			p.alias.Version = 39
		}, want: back(report.Snapshot, 41, 39)},
		"the snapshot beats the number: it served a promoted version": {given: snapshot(38), want: back(report.Snapshot, 38, 42)},
		"another run's snapshot is not used": {given: func(p *picture) {
			p.memory = remembered("rejected= run=7001/1 by=snapshot", 38)
		}, want: back(report.PreviousVersion, 41, 42)},
		"the snapshot was superseded, by time": {given: func(p *picture) {
			snapshot(41)(p)
			p.alias.Version = 43
			p.versions[43] = active(clockAt(3, 1))
		}, want: stay(report.Superseded, 42)},
		"the snapshot was superseded, by deployed-version": {given: func(p *picture) {
			snapshot(41)(p)
			p.request.Deployed, p.alias.Version = 42, 43
			p.versions[43] = active(clockAt(2, 30))
		}, want: stay(report.Superseded, 42)},
		"the snapshot was superseded, by a newer run": {given: func(p *picture) {
			snapshot(41)(p)
			p.overtaken(43)
		}, want: stay(report.Superseded, 42)},
		"a newer run began its canary on top of what this run deployed": {given: func(p *picture) {
			snapshot(41)(p)
			p.overtaken(43)
			p.alias.Version, p.alias.Weighted, p.alias.Weight = 42, 43, 0.1
		}, want: stay(report.Superseded, 42)},
		"somebody deployed meanwhile, and no times are known": {given: func(p *picture) {
			snapshot(41)(p)
			p.run.Jobs, p.run.NewerKnown = nil, false
			p.first = &alias.Alias{RevisionID: "revision-0", Version: 42}
			p.alias.Version = 43
			p.versions[43] = active(time.Time{})
		}, want: stay(report.Superseded, 42)},
		"the snapshot's version cannot serve any more: the next below": {given: func(p *picture) {
			snapshot(41)(p)
			p.state(41, "Failed", "")
		}, want: expected{action: alias.Move, reason: report.PreviousVersion, target: 40, reject: []int64{42}, warning: "41"}},
		"the snapshot's version is gone: the next below": {given: func(p *picture) {
			snapshot(41)(p)
			delete(p.versions, 41)
		}, want: back(report.PreviousVersion, 40, 42)},
		"the snapshot's version sleeps": {given: func(p *picture) {
			snapshot(41)(p)
			p.state(41, "Inactive", "Idle")
		}, want: expected{action: alias.Move, reason: report.Snapshot, target: 41, reject: []int64{42}, note: "first calls may be slow or fail"}},
		"an unreadable memory counts as none": {given: func(p *picture) {
			p.memory = alias.Memory{Exists: true, RevisionID: "revision-9", Version: 38, Unreadable: "it has no rejected="}
		}, want: back(report.PreviousVersion, 41, 42)},
	})
}

// overtaken: a newer run deployed version while this run's smoke test ran.
func (p *picture) overtaken(version int64) {
	p.alias.Version = version
	p.versions[version] = active(clockAt(2, 40))
	p.run.Newer = []report.Run{{
		ID: newerRun, CreatedAt: clockAt(2, 5), Jobs: []report.Job{
			jobAt("test", clockAt(2, 6), clockAt(2, 20), "success"),
			{Name: "deploy", Status: "in_progress", StartedAt: clockAt(2, 25)},
		},
	}}
}

func TestDecideCanary(t *testing.T) {
	t.Parallel()
	split := func(primary, weighted int64) func(*picture) {
		return func(p *picture) { p.alias.Version, p.alias.Weighted, p.alias.Weight = primary, weighted, 0.1 }
	}
	with := func(a func(*picture), more func(*picture)) func(*picture) {
		return func(p *picture) { a(p); more(p) }
	}
	hold(t, map[string]situation{
		"the old version is the primary": {given: split(41, 42), want: back(report.CanaryStopped, 41, 42)},
		"the new version is the primary": {given: split(42, 41), want: back(report.CanaryStopped, 41, 42)},
		"the halves are not neighbours":  {given: split(38, 42), want: back(report.CanaryStopped, 38, 42)},
		"9 and 10 compare as numbers": {given: func(p *picture) {
			split(9, 10)(p)
			p.versions[9], p.versions[10] = p.versions[41], p.versions[42]
		}, want: back(report.CanaryStopped, 9, 10)},
		"deployed-version names the weighted": {given: with(split(41, 42), func(p *picture) { p.request.Deployed = 42 }), want: back(report.CanaryStopped, 41, 42)},
		"deployed-version names the primary":  {given: with(split(42, 41), func(p *picture) { p.request.Deployed = 42 }), want: back(report.CanaryStopped, 41, 42)},
		"deployed-version names the older: a promotion": {given: with(split(41, 39), func(p *picture) { p.request.Deployed = 39 }),
			want: back(report.CanaryStopped, 41, 39)},
		"the weighted one is older than the run":   {given: with(split(40, 41), func(p *picture) { delete(p.versions, 42) }), want: stay(report.NotDeployed)},
		"the weighted one was made after this run": {given: with(split(41, 42), func(p *picture) { p.versions[42] = active(clockAt(3, 5)) }), want: stay(report.Superseded)},
		"a newer run's canary":                     {given: func(p *picture) { p.overtaken(43); split(42, 43)(p) }, want: stay(report.Superseded, 42)},
		"only-if-deployed is false":                {given: with(split(40, 41), func(p *picture) { p.request.OnlyIfDeployed = false }), want: back(report.CanaryStopped, 40, 41)},
		"the other half was rejected: the next below": {given: with(split(41, 42), func(p *picture) {
			p.memory = remembered("rejected=41@7001 run=7001/1 by=rollback", 40)
		}), want: expected{action: alias.Move, reason: report.PreviousVersion, target: 40, reject: []int64{42}, note: "41"}},
		"the other half was rejected, but its run has succeeded since": {given: with(split(41, 42), func(p *picture) {
			p.memory = remembered("rejected=41@7001 run=7001/1 by=rollback", 40)
			p.concluded = map[int64]string{7001: "success"}
		}), want: back(report.CanaryStopped, 41, 42)},
		"the other half lies in a joined row": {given: with(split(41, 42), func(p *picture) {
			p.memory = remembered("rejected=40-41", 39)
		}), want: back(report.PreviousVersion, 39, 42)},
		"the other half failed: the next below": {given: with(split(41, 42), func(p *picture) { p.state(41, "Failed", "") }), want: back(report.PreviousVersion, 40, 42)},
		"the other half's image was deleted":    {given: with(split(41, 42), func(p *picture) { p.state(41, "Failed", "ImageDeleted") }), want: back(report.PreviousVersion, 40, 42)},
		"the other half sleeps": {given: with(split(41, 42), func(p *picture) { p.state(41, "Inactive", "Idle") }),
			want: expected{action: alias.Move, reason: report.CanaryStopped, target: 41, reject: []int64{42}, note: "first calls may be slow or fail"}},
		"somebody began a canary between read and move, and nothing is known": {given: with(split(42, 43), func(p *picture) {
			p.versions[43] = active(time.Time{})
			p.first = &alias.Alias{RevisionID: "revision-0", Version: 42}
			p.run.CreatedAt, p.run.Jobs, p.run.NewerKnown = time.Time{}, nil, false
		}), want: stay(report.Superseded, 42)},
	})
}

func TestDecideTarget(t *testing.T) {
	t.Parallel()
	hold(t, map[string]situation{
		"the next below": {given: func(*picture) {}, want: back(report.PreviousVersion, 41, 42)},
		"over a gap":     {given: func(p *picture) { delete(p.versions, 41); delete(p.versions, 40); delete(p.versions, 39) }, want: back(report.PreviousVersion, 38, 42)},
		"one was rejected": {given: func(p *picture) {
			p.memory = remembered("rejected=41@7001 run=7001/1 by=rollback", 40)
		}, want: expected{action: alias.Move, reason: report.PreviousVersion, target: 40, reject: []int64{42}, asked: "Outcomes:[7001]", note: "41"}},
		"one was rejected, and its run has succeeded since": {given: func(p *picture) {
			p.memory = remembered("rejected=41@7001 run=7001/1 by=rollback", 40)
			p.concluded = map[int64]string{7001: "success"}
		}, want: expected{action: alias.Move, reason: report.PreviousVersion, target: 41, reject: []int64{42}, unreject: 41}},
		"one was rejected, and its run failed for good": {given: func(p *picture) {
			p.memory = remembered("rejected=41@7001 run=7001/1 by=rollback", 40)
			p.concluded = map[int64]string{7001: "failure"}
		}, want: back(report.PreviousVersion, 40, 42)},
		"one was rejected by hand: nobody is asked": {given: func(p *picture) {
			p.memory = remembered("rejected=41", 40)
		}, want: expected{action: alias.Move, reason: report.PreviousVersion, target: 40, reject: []int64{42}, notAsked: "Outcomes:[7001]"}},
		"one was rejected by this very run: nobody is asked": {given: func(p *picture) {
			p.memory = remembered("rejected=41@7002", 40)
			p.concluded = map[int64]string{7002: "success"}
		}, want: expected{action: alias.Move, reason: report.PreviousVersion, target: 40, reject: []int64{42}, notAsked: "Outcomes:[7002]"}},
		"a rejected one that could not serve: nobody is asked": {given: func(p *picture) {
			p.memory = remembered("rejected=41@7001", 40)
			p.state(41, "Failed", "")
		}, want: expected{action: alias.Move, reason: report.PreviousVersion, target: 40, reject: []int64{42}, notAsked: "Outcomes:[7001]"}},
		"a rejected one below the target: nobody is asked": {given: func(p *picture) {
			p.memory = remembered("rejected=40@7001", 39)
		}, want: expected{action: alias.Move, reason: report.PreviousVersion, target: 41, reject: []int64{42}, notAsked: "Outcomes:[7001]"}},
		"a rejected one that is still being made is not waited for": {given: func(p *picture) {
			p.memory = remembered("rejected=41@7002", 40)
			p.state(41, "Pending", "Creating")
		}, want: expected{action: alias.Move, reason: report.PreviousVersion, target: 40, reject: []int64{42}, notAsked: "Wait:41"}},
		"a joined row was rejected": {given: func(p *picture) {
			p.memory = remembered("rejected=39-41", 38)
		}, want: back(report.PreviousVersion, 38, 42)},
		"two in a row were rejected, the lower absolved": {given: func(p *picture) {
			p.memory = remembered("rejected=41@6002,40@6001", 39)
			p.concluded = map[int64]string{6001: "success", 6002: "cancelled"}
		}, want: expected{action: alias.Move, reason: report.PreviousVersion, target: 40, reject: []int64{42}, unreject: 40}},
		"it sleeps":                            {given: func(p *picture) { p.state(41, "Inactive", "Idle") }, want: expected{action: alias.Move, reason: report.PreviousVersion, target: 41, reject: []int64{42}, note: "first calls may be slow or fail"}},
		"it is still being made":               {given: func(p *picture) { p.state(41, "Pending", "Creating") }, want: expected{action: alias.Move, reason: report.PreviousVersion, target: 41, reject: []int64{42}, asked: "Wait:41"}},
		"it is made, and fails":                {given: func(p *picture) { p.state(41, "Pending", "Creating"); p.ready = map[int64]string{41: "Failed"} }, want: back(report.PreviousVersion, 40, 42)},
		"it failed to start":                   {given: func(p *picture) { p.state(41, "Failed", "InvalidConfiguration") }, want: expected{action: alias.Move, reason: report.PreviousVersion, target: 40, reject: []int64{42}, note: "41"}},
		"its image was deleted while it slept": {given: func(p *picture) { p.state(41, "Inactive", "ImageDeleted") }, want: back(report.PreviousVersion, 40, 42)},
		"its image was deleted and it failed":  {given: func(p *picture) { p.state(41, "Failed", "ImageDeleted") }, want: back(report.PreviousVersion, 40, 42)},
		"none exists below":                    {given: func(p *picture) { p.versions = map[int64]alias.Version{42: p.versions[42]} }, want: stay(report.NoPreviousVersion, 42)},
		"all below were rejected": {given: func(p *picture) {
			p.memory = remembered("rejected=38-41", 38)
		}, want: stay(report.NoPreviousVersion, 42)},
		"none below can serve": {given: func(p *picture) {
			for v := int64(38); v < 42; v++ {
				p.state(v, "Failed", "")
			}
		}, want: stay(report.NoPreviousVersion, 42)},
		"the very first version": {given: func(p *picture) {
			p.alias.Version = 1
			p.versions = map[int64]alias.Version{1: p.versions[42]}
		}, want: stay(report.NoPreviousVersion, 1)},
		"a target above is never taken": {given: func(p *picture) {
			p.versions = map[int64]alias.Version{42: p.versions[42], 43: active(clockAt(0, 0).AddDate(0, 0, -1))}
		}, want: stay(report.NoPreviousVersion, 42)},
		"10 goes back to 9": {given: func(p *picture) {
			p.alias.Version = 10
			p.versions = map[int64]alias.Version{10: p.versions[42], 9: p.versions[41], 1: p.versions[40]}
		}, want: back(report.PreviousVersion, 9, 10)},
		"100 goes back to 99": {given: func(p *picture) {
			p.alias.Version = 100
			p.versions = map[int64]alias.Version{100: p.versions[42], 99: p.versions[41], 11: p.versions[40]}
		}, want: back(report.PreviousVersion, 99, 100)},
		"the alias is on $LATEST": {given: func(p *picture) { p.alias.Version, p.alias.Latest = 0, true }, want: expected{action: alias.Fail, reason: report.AliasOnLatest}},
		"a person asked, without a run that failed: what is rejected is no run's": {given: func(p *picture) {
			p.request.Manual, p.request.OnlyIfDeployed = true, false
		}, want: expected{action: alias.Move, reason: report.PreviousVersion, target: 41, reject: []int64{42}, byHand: true}},
	})
}
