package alias_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/org/lambda-rollback-action/rollback/alias"
	"github.com/org/lambda-rollback-action/rollback/report"
)

// What reviewers found that drove the program without having read it.
func TestDecideWhatReviewersFound(t *testing.T) {
	t.Parallel()
	byHand := func(e expected) expected { e.byHand = true; return e }
	hold(t, map[string]situation{
		"two jobs of this run publish: neither version is a target": {given: func(p *picture) {
			p.run.Jobs = []report.Job{
				jobAt("deploy code", clockAt(0, 10), clockAt(1, 0), "success"),
				jobAt("deploy settings", clockAt(1, 10), clockAt(2, 0), "failure"),
				ownJob(clockAt(3, 10)),
			}
			p.run.OlderKnown = true
			p.versions[41] = active(clockAt(0, 40))
		}, want: back(report.PreviousVersion, 40, 41, 42)},
		"the other half of the canary is this run's own too": {given: func(p *picture) {
			p.alias.Version, p.alias.Weighted, p.alias.Weight = 41, 42, 0.1
			p.versions[41] = active(clockAt(1, 20))
			p.run.OlderKnown = true
		}, want: back(report.PreviousVersion, 40, 41, 42)},
		"the event tells that what failed had ended before this version was made": {given: func(p *picture) {
			p.run = report.Run{ID: thisRun, Attempt: 1, CreatedAt: clockAt(0, 0), EndedBy: clockAt(1, 0)}
		}, want: stay(report.Superseded)},
		"a deployment from outside failed: no run is to blame": {given: func(p *picture) {
			p.run = report.Run{ID: thisRun, Attempt: 1, CreatedAt: clockAt(0, 0), CreatedBound: true, EndedBy: clockAt(2, 0)}
			p.request.Manual = true
		}, want: byHand(back(report.PreviousVersion, 41, 42))},
	})
}

// AWS says yes and nothing happens, or somebody moves it right back.
func TestAMoveThatIsNotThereWhenReadBackIsNoRollback(t *testing.T) {
	t.Parallel()
	play(t, func(t *testing.T, s *scene) {
		s.lambda.after = func(call string, n int) {
			if call == "UpdateAlias live" && n == 1 {
				s.move("42", 42)
			}
		}
		r := s.run(t)
		assert.Equal(t, report.Failed, r.Status, r.Message)
		assert.Equal(t, report.AliasChanged, r.Reason)
		assert.Empty(t, r.To)
	})
}

func TestAllOrNothingReturnsTheMovedOnesAfterATimeout(t *testing.T) {
	t.Parallel()
	playFleet(t, []string{"api", "worker"}, func(t *testing.T, f *fleet) {
		f.lambdas["worker"].faults = always("UpdateAlias live", fault{err: answer(500, "ServiceException", "")})
		ctx, cancel := context.WithTimeoutCause(f.ctx, 20*time.Second, alias.ErrTimeout)
		defer cancel()
		f.ctx = ctx
		r := f.run(t, true)
		assert.Equal(t, report.Failed, r["worker"].Status)
		assert.Equal(t, report.Failed, r["api"].Status, r["api"].Message)
		assert.Equal(t, "42", f.lambdas["api"].serving("live"))
	})
}
