package alias_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/org/lambda-rollback-action/rollback/alias"
	"github.com/org/lambda-rollback-action/rollback/report"
)

// Which decisions need what GitHub tells about the run: alias live serves 42 on
// top of 41 and 40.
func TestWhatIsDecidedBeforeGitHubHasAnswered(t *testing.T) {
	t.Parallel()
	old := clockAt(0, 0).AddDate(0, 0, -4)
	read := func(made time.Time) alias.Version {
		return alias.Version{Exists: true, Read: true, State: "Active", LastModified: made}
	}
	for name, c := range map[string]struct {
		change func(*alias.Observation)
		needs  bool
		target int64
	}{
		"deployed-version serves, the target is older than the bound": {func(*alias.Observation) {}, false, 41},
		"no bound is known":                   {func(o *alias.Observation) { o.Run.NotBefore = time.Time{} }, true, 0},
		"the target may be this run's":        {func(o *alias.Observation) { o.Versions[41] = read(clockAt(1, 0)) }, true, 0},
		"when the target was made is unknown": {func(o *alias.Observation) { o.Versions[41] = read(time.Time{}) }, false, 41},
		"nobody named the version":            {func(o *alias.Observation) { o.Request.Deployed = 0 }, true, 0},
		"another version serves":              {func(o *alias.Observation) { o.Request.Deployed = 43 }, true, 0},
		"whose it is is not asked": {func(o *alias.Observation) {
			o.Request.Deployed, o.Request.OnlyIfDeployed = 0, false
		}, false, 41},
		"the target was rejected by a run": {func(o *alias.Observation) {
			o.Memory = alias.Memory{Exists: true, Rejected: alias.Rejections{{First: 41, Last: 41, Run: 7}}}
		}, true, 0},
		"the target was rejected for good": {func(o *alias.Observation) {
			o.Memory = alias.Memory{Exists: true, Rejected: alias.Rejections{{First: 41, Last: 41}}}
		}, false, 40},
		"a canary stopped": {func(o *alias.Observation) { o.Alias.Version, o.Alias.Weighted = 41, 42 }, false, 41},
		"a snapshot of this run": {func(o *alias.Observation) {
			o.Memory = alias.Memory{Exists: true, By: alias.BySnapshot, Run: o.Run.ID, Version: 40}
		}, false, 40},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := alias.Observation{
				Request:    alias.Request{Deployed: 42, OnlyIfDeployed: true, Remember: true},
				Alias:      alias.Alias{RevisionID: "r", Version: 42},
				Run:        report.Run{ID: thisRun, Attempt: 1, NotBefore: clockAt(0, 30)},
				RunAwaited: true,
				Versions:   map[int64]alias.Version{42: read(clockAt(1, 30)), 41: read(old), 40: read(old)},
			}
			c.change(&o)
			d := alias.Decide(o)
			if c.needs {
				assert.Equal(t, alias.NeedMore, d.Action)
				assert.True(t, d.Query.Run)
				return
			}
			assert.Equal(t, alias.Move, d.Action, d.Why)
			assert.Equal(t, c.target, d.Target)
		})
	}
}

// A later attempt finds the alias where an earlier one left it. What its deploy has
// published since never served, and must be rejected: only the jobs of the run tell.
func TestALaterAttemptWaitsForGitHubToRejectWhatItPublished(t *testing.T) {
	t.Parallel()
	p := plainPicture()
	delete(p.versions, 42) // nothing above the alias was read
	d := alias.Decide(alias.Observation{
		Request: p.request, Alias: alias.Alias{RevisionID: "r", Version: 41}, Versions: p.versions,
		Run: report.Run{ID: thisRun, Attempt: 2, NotBefore: clockAt(0, 0)}, RunAwaited: true,
		Memory: remembered("rejected=42@7002 run=7002/1 at=2026-11-22T03:04:00Z by=rollback", 41),
	})
	assert.Equal(t, alias.NeedMore, d.Action, d.Why)
	assert.True(t, d.Query.Run)
}
