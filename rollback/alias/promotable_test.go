package alias_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/org/lambda-rollback-action/rollback/alias"
	"github.com/org/lambda-rollback-action/rollback/report"
)

// promotable is an observation in which this run may promote version 43 over 42.
func promotable() alias.Observation {
	version := func(sha string) alias.Version {
		return alias.Version{Exists: true, Read: true, State: "Active", Settings: alias.SharedSettings(sha, "role", "queue")}
	}
	return alias.Observation{
		Request: alias.Request{Deployed: 43, Remember: true},
		Alias:   alias.Alias{Version: 42, RevisionID: "r1"},
		Run:     report.Run{ID: thisRun, Attempt: 1},
		Versions: map[int64]alias.Version{
			39: version("39"), 40: version("40"), 41: version("41"), 42: version("42"), 43: version("43"), 44: version("44"),
		},
	}
}

// promoting is the memory as a run's promotion of a version writes it.
func promoting(run, version int64) alias.Memory {
	return alias.Memory{Exists: true, Version: 42, By: alias.BySnapshot, Run: run, Attempt: 1, Promotes: version}
}

func TestMayAVersionBePromoted(t *testing.T) {
	t.Parallel()
	splits := alias.PromoteOptions{Splits: true}
	change := func(o *alias.Observation, version int64, what func(*alias.Version)) {
		v := o.Versions[version]
		what(&v)
		o.Versions[version] = v
	}
	for name, c := range map[string]struct {
		given   func(*alias.Observation)
		options alias.PromoteOptions
		action  alias.Action
		reason  report.Reason
		says    string
	}{
		"a new version": {func(*alias.Observation) {}, splits, alias.Move, "", "published by this deploy"},
		"it has all of the traffic already": {func(o *alias.Observation) { o.Alias.Version = 43 }, splits,
			alias.Skip, "", "already has all of the traffic"},
		"the alias is on $LATEST": {func(o *alias.Observation) { o.Alias = alias.Alias{Latest: true} }, splits,
			alias.Fail, report.Refused, "$LATEST"},
		"it is older than what is live": {func(o *alias.Observation) { o.Alias.Version = 44 }, splits,
			alias.Fail, report.Refused, "use the command rollback"},
		"it does not exist": {func(o *alias.Observation) { change(o, 43, func(v *alias.Version) { *v = alias.Version{} }) }, splits,
			alias.Fail, report.VersionNotFound, "does not exist"},
		"it failed": {func(o *alias.Observation) { change(o, 43, func(v *alias.Version) { v.State = "Failed" }) }, splits,
			alias.Fail, report.VersionNotFound, "version 43"},
		"it is not ready": {func(o *alias.Observation) { change(o, 43, func(v *alias.Version) { v.State = "Pending" }) }, splits,
			alias.NeedMore, "", ""},
		"its configuration is not known": {func(o *alias.Observation) { delete(o.Versions, 43) }, splits,
			alias.NeedMore, "", ""},
		"another role": {func(o *alias.Observation) {
			change(o, 43, func(v *alias.Version) { v.Settings = alias.SharedSettings("43", "other", "queue") })
		}, splits, alias.Fail, report.Refused, "differ in their role"},
		"another dead letter queue": {func(o *alias.Observation) {
			change(o, 43, func(v *alias.Version) { v.Settings = alias.SharedSettings("43", "role", "") })
		}, splits, alias.Fail, report.Refused, "differ in their dead letter queue"},
		"another role, and no traffic is shared": {func(o *alias.Observation) {
			change(o, 43, func(v *alias.Version) { v.Settings = alias.SharedSettings("43", "other", "queue") })
		}, alias.PromoteOptions{}, alias.Move, "", ""},
		"this run's own weight": {func(o *alias.Observation) {
			o.Alias.Weighted, o.Alias.Weight, o.Memory = 43, 0.1, promoting(thisRun, 43)
		}, splits, alias.Move, "", ""},
		"this run's own weight, of another version": {func(o *alias.Observation) {
			o.Alias.Weighted, o.Alias.Weight, o.Memory = 44, 0.1, promoting(thisRun, 44)
		}, splits, alias.Fail, report.Refused, "is promoting version 44"},
		"another run's promotion": {func(o *alias.Observation) {
			o.Alias.Weighted, o.Alias.Weight, o.Memory = 43, 0.1, promoting(olderRun, 43)
		}, splits, alias.Fail, report.Refused, "run 7001 is promoting version 43"},
		"weights beside a plain snapshot of this run": {func(o *alias.Observation) {
			o.Alias.Weighted, o.Alias.Weight, o.Memory = 43, 0.1, promoting(thisRun, 0)
		}, splits, alias.Fail, report.Refused, "something else is shifting"},
		"somebody else's weights": {func(o *alias.Observation) { o.Alias.Weighted, o.Alias.Weight = 44, 0.1 }, splits,
			alias.Fail, report.Refused, "something else is shifting"},
		"weights beside a promotion of another version": {func(o *alias.Observation) {
			o.Alias.Weighted, o.Alias.Weight, o.Memory = 44, 0.1, promoting(thisRun, 43)
		}, splits, alias.Fail, report.Refused, "something else is shifting"},
		"weights beside the memory of a rollback": {func(o *alias.Observation) {
			o.Alias.Weighted, o.Alias.Weight, o.Memory = 43, 0.1, promoting(thisRun, 43)
			o.Memory.By = alias.ByRollback
		}, splits, alias.Fail, report.Refused, "something else is shifting"},
		"weights beside a snapshot that names no run": {func(o *alias.Observation) {
			o.Alias.Weighted, o.Alias.Weight, o.Memory = 43, 0.1, promoting(0, 43)
		}, splits, alias.Fail, report.Refused, "something else is shifting"},
		"an older version has little of the traffic": {func(o *alias.Observation) {
			o.Alias = alias.Alias{Version: 42, Weighted: 41, Weight: 0.1}
		}, splits, alias.Fail, report.Refused, "something else is shifting"},
		"a newer version has all of the traffic by its weight": {func(o *alias.Observation) {
			o.Alias = alias.Alias{Version: 42, Weighted: 44, Weight: 1}
		}, splits, alias.Fail, report.Refused, "something else is shifting"},
		"AWS's own weights are stuck": {func(o *alias.Observation) {
			o.Alias = alias.Alias{Version: 43, Weighted: 42, Weight: 1}
		}, splits, alias.Fail, report.Refused, "AWS has not shifted the traffic since the alias was moved to version 43"},
		"it was rejected": {func(o *alias.Observation) {
			o.Memory = alias.Memory{Exists: true, Rejected: alias.Rejections{{First: 43, Last: 43, Run: olderRun}}}
		}, splits, alias.Fail, report.RejectedBefore, "after run 7001 failed"},
		"it was rejected, and that is allowed": {func(o *alias.Observation) {
			o.Memory = alias.Memory{Exists: true, Rejected: alias.Rejections{{First: 43, Last: 43, Run: olderRun}}}
		}, alias.PromoteOptions{Splits: true, AllowRejected: true}, alias.Move, "", ""},
		"it equals a rejected one": {func(o *alias.Observation) {
			o.Memory = alias.Memory{Exists: true, Rejected: alias.Rejections{{First: 41, Last: 39}}}
			change(o, 43, func(v *alias.Version) { v.Settings = o.Versions[40].Settings })
		}, splits, alias.Fail, report.RejectedBefore, "the same code and settings as version 40"},
		"a rejected one was deleted": {func(o *alias.Observation) {
			o.Memory = alias.Memory{Exists: true, Rejected: alias.Rejections{{First: 41, Last: 41}}}
			change(o, 41, func(v *alias.Version) { *v = alias.Version{} })
		}, splits, alias.Move, "", ""},
		"a rejected one was not read": {func(o *alias.Observation) {
			o.Memory = alias.Memory{Exists: true, Rejected: alias.Rejections{{First: 41, Last: 41}}}
			delete(o.Versions, 41)
		}, splits, alias.NeedMore, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := promotable()
			c.given(&o)
			d := alias.DecidePromotion(o, c.options)
			assert.Equal(t, c.action, d.Action, d.Why)
			assert.Equal(t, c.reason, d.Reason, d.Why)
			assert.Contains(t, d.Why, c.says)
		})
	}
}

// A version that changes nothing is promoted, and that is said.
func TestPromotingTheSameCodeIsSaid(t *testing.T) {
	t.Parallel()
	o := promotable()
	v := o.Versions[43]
	v.Settings = o.Versions[42].Settings
	o.Versions[43] = v
	d := alias.DecidePromotion(o, alias.PromoteOptions{})
	assert.Equal(t, alias.Move, d.Action)
	assert.Contains(t, d.Notes[0].Text, "the promotion changes nothing")
}
