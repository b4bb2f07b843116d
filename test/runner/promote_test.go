package runner_test

import (
	"encoding/json"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/test/emulator"
)

// promotable is a function whose version 2 is live, and whose version 3 this run has
// just published.
func (s *scene) promotable(name string) *emulator.Function {
	s.tb.Helper()
	f := s.function(name, 3)
	require.NoError(s.tb, f.SetAlias("live", 2, nil))
	return f
}

// promote is a step that promotes version 3, all at once and unwatched unless told
// otherwise: the shortest watch takes minutes of real time.
func (s *scene) promote(inputs map[string]string) *step {
	return s.step().inputs(map[string]string{
		"command": "promote", "deployed-version": "3", "needs": "", "steps": "0%, 100%",
	}).inputs(inputs)
}

func shares(version string, weights map[string]float64) func(*scene, *emulator.Function) {
	return func(s *scene, f *emulator.Function) {
		number := map[string]int64{"1": 1, "2": 2, "3": 3}[version]
		require.NoError(s.tb, f.SetAlias("live", number, weights))
	}
}

func TestPromote(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		scene  func(*scene, *emulator.Function)
		inputs map[string]string
		want   string // status/reason
		serves string
		says   string
	}{
		"all at once":                       {want: "promoted/", serves: "3", says: "is on version 3, from version 2; it was not watched"},
		"invoked by its number":             {inputs: map[string]string{"invoke-payload": "{}", "warm": "3"}, want: "promoted/", serves: "3"},
		"it is live already":                {scene: shares("3", nil), want: "promoted/", serves: "3", says: "which it was already on"},
		"a dry run":                         {inputs: map[string]string{"dry-run": "true"}, want: "planned/", serves: "2", says: "would be promoted from version 2 to version 3"},
		"the alias is on a newer version":   {inputs: map[string]string{"deployed-version": "1"}, want: "failed/refused", serves: "2", says: "use the command rollback"},
		"no version":                        {inputs: map[string]string{"deployed-version": ""}, want: "failed/invalid-input", serves: "2", says: "to promote: set it to the version that this deploy published"},
		"steps that do not end":             {inputs: map[string]string{"steps": "10% 5m"}, want: "failed/invalid-input", serves: "2", says: "does not end with 100%"},
		"a step of seconds":                 {inputs: map[string]string{"steps": "10% 30s, 100%"}, want: "failed/invalid-input", serves: "2", says: "shorter than two minutes"},
		"a channel that is wrong":           {inputs: map[string]string{"slack-webhook-url": "no"}, want: "failed/invalid-input", serves: "2"},
		"somebody else's weights":           {scene: shares("2", map[string]float64{"1": 0.1}), want: "failed/refused", serves: "2", says: "something else is shifting the traffic"},
		"AWS's weights, which are stuck":    {scene: shares("3", map[string]float64{"2": 1}), want: "failed/refused", serves: "3", says: "AWS has not shifted the traffic"},
		"the branch does not deploy":        {inputs: map[string]string{"branch": "release"}, want: "skipped/branch-not-allowed", serves: "2"},
		"the memory may not be written":     {scene: func(s *scene, _ *emulator.Function) { s.Fault(on("CreateAlias", ""), emulator.Deny()) }, want: "failed/access-denied", serves: "2", says: "could not be recorded in the alias live-rollback"},
		"the alias may not be moved":        {scene: func(s *scene, _ *emulator.Function) { s.Fault(on("UpdateAlias", "live"), emulator.Deny()) }, want: "failed/access-denied", serves: "2", says: "lambda:UpdateAlias"},
		"it may not be invoked":             {scene: func(s *scene, _ *emulator.Function) { s.Fault(on("Invoke", ""), emulator.Deny()) }, inputs: map[string]string{"invoke-payload": "{}"}, want: "failed/inconclusive", serves: "2", says: "lambda:InvokeFunction"},
		"it equals a version that was left": {scene: func(s *scene, f *emulator.Function) { rejects(s, f, "rejected=3@6000") }, want: "failed/rejected-before", serves: "2", says: "after run 6000 failed"},
		"which is allowed":                  {scene: func(s *scene, f *emulator.Function) { rejects(s, f, "rejected=3@6000") }, inputs: map[string]string{"allow-rejected": "true"}, want: "promoted/", serves: "3"},
		"a deploy gets in between": {scene: func(s *scene, f *emulator.Function) {
			s.Fault(on("UpdateAlias", "live"), emulator.Before(func(emulator.Call) { _ = f.SetAlias("live", 1, nil) }).Times(1))
		}, want: "failed/alias-changed", serves: "1", says: "was not moved"},
		"the answer is lost": {scene: func(s *scene, _ *emulator.Function) {
			s.Fault(on("UpdateAlias", "live"), emulator.LostAnswer().Times(1))
		}, want: "promoted/", serves: "3"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			f := s.promotable("api")
			if c.scene != nil {
				c.scene(s, f)
			}
			o := s.promote(c.inputs).run()
			assert.Equal(t, c.want, o.ended(), o.outputs["message"])
			assert.Equal(t, c.serves, f.Serving("live"))
			assert.Contains(t, o.outputs["message"], c.says)
		})
	}
}

// A health check tells of the new version only where it passed before.
func TestHealthChecksOfAPromotion(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		well []int64
		live bool
		want string // status/reason healthy, and where the alias is then
	}{
		"both versions are well":        {[]int64{2, 3}, false, "promoted/ unknown 3"},
		"the new one is not":            {[]int64{2}, false, "failed/unhealthy false 2"},
		"only the new one is: a fix":    {[]int64{3}, false, "promoted/ unknown 3"},
		"neither is":                    {nil, false, "promoted/ unknown 3"},
		"the new one is live, and bad":  {[]int64{2}, true, "failed/unhealthy false 2"},
		"the new one is live, and well": {[]int64{3}, true, "promoted/ unknown 3"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			f := s.promotable("api")
			if c.live {
				shares("3", nil)(s, f)
			}
			o := s.promote(map[string]string{"health-url": s.by(c.well...)}).quick().run()
			assert.Equal(t, c.want, o.ended()+" "+o.outputs["healthy"]+" "+f.Serving("live"), o.outputs["message"])
		})
	}
}

// The memory is written before any traffic, and names what is promoted.
func TestTheMemoryComesBeforeTheTraffic(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	f := s.promotable("api")
	o := s.promote(map[string]string{"invoke-payload": "{}"}).run()
	require.Equal(t, "promoted/", o.ended(), o.outputs["message"])
	assert.Equal(t, []string{"CreateAlias live-rollback", "UpdateAlias live"}, s.mutations())
	memory, _ := f.Alias("live-rollback")
	assert.Equal(t, "2", memory.Version)
	assert.Contains(t, memory.Description, "run=7001/1")
	assert.Contains(t, memory.Description, "by=snapshot promotes=3")
	// The rollback job of the same run needs no input that names a version.
	o = s.step().run()
	assert.Equal(t, "rolled-back/snapshot", o.ended(), o.outputs["message"])
	assert.Equal(t, "2", f.Serving("live"))
}

// With provisioned concurrency Lambda lets no two versions share the traffic.
func TestProvisionedConcurrencyAllowsOnlyOneMove(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.promotable("api")
	s.provision("api", 5)
	o := s.promote(map[string]string{"steps": "10% 5m, 100% 5m"}).run()
	assert.Equal(t, "failed/refused", o.ended(), o.outputs["message"])
	assert.Contains(t, o.outputs["message"], "use steps: 0%, 100% 5m")
	o = s.promote(nil).run()
	assert.Equal(t, "promoted/", o.ended(), o.outputs["message"])
}

// A signal in the middle of a step: one call returns the traffic, in the time that the
// runner leaves, and the rollback job of the same run has nothing left to do.
func TestASignalInAStep(t *testing.T) {
	t.Parallel()
	for sig, limit := range map[syscall.Signal]time.Duration{syscall.SIGINT: afterInterrupt, syscall.SIGTERM: afterTerminate} {
		for name, fault := range map[string]*emulator.Effect{
			"":                          nil,
			", and the answer is late":  new(emulator.LateAnswer(500 * time.Millisecond).Nth(2)),
			", and AWS throttles once":  new(emulator.Throttle(0).Nth(2)),
			", and the answer is lost":  new(emulator.LostAnswer().Nth(2)),
			", and the shift is slow":   new(emulator.LateAnswer(300 * time.Millisecond).Nth(1)),
			", and AWS refuses at once": new(emulator.Deny().Skip(1)),
		} {
			t.Run(sig.String()+name, func(t *testing.T) {
				t.Parallel()
				s := newScene(t)
				f := s.promotable("api")
				if fault != nil {
					s.Fault(on("UpdateAlias", "live"), *fault)
				}
				p := s.promote(map[string]string{"steps": "10% 5m, 100%"}).start()
				s.await(on("UpdateAlias", "live"))
				o, after := p.stop(sig)
				assert.Less(t, after, limit)
				assert.Equal(t, "failed/cancelled", o.ended(), o.outputs["message"])
				alias, _ := f.Alias("live")
				assert.Equal(t, "2", alias.Version)
				if name == ", and AWS refuses at once" {
					assert.Len(t, alias.Weights, 1)
					assert.Contains(t, o.outputs["message"], "STILL sends 10% of the traffic to version 3")
					assert.Equal(t, "false 10", o.outputs["rolled-back"]+" "+o.outputs["canary-weight"])
					return
				}
				assert.Empty(t, alias.Weights, o.outputs["message"])
				o = s.step().inputs(map[string]string{"needs": `{"deploy":{"result":"cancelled","outputs":{}}}`, "failed-results": "failure,cancelled"}).run()
				assert.Equal(t, "skipped/not-deployed", o.ended(), o.outputs["message"])
			})
		}
	}
}

// After a kill the weight stays. The rollback job returns it, another run's promotion
// is refused, and the same run goes on.
func TestAPromotionThatWasKilled(t *testing.T) {
	t.Parallel()
	killed := func(t *testing.T) (*scene, *emulator.Function) {
		t.Helper()
		s := newScene(t)
		f := s.promotable("api")
		p := s.promote(map[string]string{"steps": "10% 5m, 100%"}).start()
		require.Eventually(t, func() bool { alias, _ := f.Alias("live"); return len(alias.Weights) == 1 }, 20*time.Second, 5*time.Millisecond)
		p.signal(syscall.SIGKILL)
		require.True(t, p.wait().signalled)
		return s, f
	}
	t.Run("is rolled back by the same run", func(t *testing.T) {
		t.Parallel()
		s, f := killed(t)
		o := s.step().run()
		assert.Equal(t, "rolled-back/snapshot", o.ended(), o.outputs["message"])
		alias, _ := f.Alias("live")
		assert.Equal(t, "2", alias.Version)
		assert.Empty(t, alias.Weights)
		memory, _ := f.Alias("live-rollback")
		assert.Contains(t, memory.Description, "rejected=3@7001")
	})
	t.Run("is named by a check and keeps other runs out", func(t *testing.T) {
		t.Parallel()
		s, _ := killed(t)
		o := s.step().input("command", "check").run()
		assert.Contains(t, o.stdout, "run 7001 is promoting version 3, or was stopped while it did")
		o = s.promote(nil).set("GITHUB_RUN_ID", "7009").run()
		assert.Equal(t, "failed/refused", o.ended(), o.outputs["message"])
		assert.Contains(t, o.outputs["message"], "run 7001 is promoting version 3, or was stopped while it did")
	})
	t.Run("goes on in the same run", func(t *testing.T) {
		t.Parallel()
		s, f := killed(t)
		o := s.promote(nil).set("GITHUB_RUN_ATTEMPT", "2").run()
		assert.Equal(t, "promoted/", o.ended(), o.outputs["message"])
		assert.Contains(t, o.stdout, "continuing from there")
		assert.Equal(t, "3", f.Serving("live"))
	})
}

// Credentials that end before the promotion does are refused before any traffic.
func TestCredentialsThatEndTooEarly(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		ends time.Duration
		want string
	}{"too early": {20 * time.Minute, "failed/no-credentials"}, "late enough": {2 * time.Hour, "failed/cancelled"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			f := s.promotable("api")
			p := s.promote(map[string]string{"steps": "10% 10m, 100% 10m"}).set("AWS_SESSION_TOKEN", "session").
				set("AWS_CREDENTIAL_EXPIRATION", time.Now().Add(c.ends).UTC().Format(time.RFC3339)).start()
			if c.want == "failed/cancelled" {
				s.await(on("UpdateAlias", "live"))
				o, _ := p.stop(syscall.SIGINT)
				assert.Equal(t, c.want, o.ended(), o.outputs["message"])
				return
			}
			o := p.wait()
			assert.Equal(t, c.want, o.ended(), o.outputs["message"])
			assert.Contains(t, o.outputs["message"], "role-to-assume")
			assert.Len(t, f.History("live"), 2, "as it was set up")
			assert.Empty(t, s.mutations())
		})
	}
}

// A check with an input of a promotion says whether one would begin.
func TestCheckOfAPromotionToCome(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		scene  func(*scene, *emulator.Function)
		inputs map[string]string
		want   string
		says   string // in the log
	}{
		"it would":                {want: "ready/", says: "check promotion: passed: a newer version than 2 could be promoted"},
		"the version is known":    {inputs: map[string]string{"deployed-version": "3"}, want: "ready/", says: "check promotion: passed: version 3 was published by this deploy"},
		"it was rejected":         {scene: func(s *scene, f *emulator.Function) { rejects(s, f, "rejected=3@6000") }, inputs: map[string]string{"deployed-version": "3"}, want: "not-ready/rejected-before", says: "it would be refused"},
		"provisioned concurrency": {scene: func(s *scene, _ *emulator.Function) { s.provision("api", 5) }, want: "not-ready/refused", says: "use steps: 0%, 100% 5m"},
		"metrics may not be read": {scene: func(s *scene, _ *emulator.Function) {
			s.Fault(emulator.Match{Operation: "GetMetricData"}, emulator.Deny())
		}, want: "not-ready/access-denied", says: "check promotion: metrics: failed"},
		"it may be invoked":            {inputs: map[string]string{"invoke-payload": "{}"}, want: "ready/", says: "check promotion: invoke by number: passed"},
		"it may not be invoked so":     {scene: func(s *scene, _ *emulator.Function) { s.Fault(on("Invoke", "2"), emulator.Deny()) }, inputs: map[string]string{"invoke-payload": "{}"}, want: "not-ready/access-denied", says: "check promotion: invoke by number: failed"},
		"somebody shifts the traffic":  {scene: shares("2", map[string]float64{"1": 0.1}), want: "not-ready/refused", says: "something else is shifting"},
		"AWS's own shift did not work": {scene: shares("3", map[string]float64{"2": 1}), want: "not-ready/refused", says: "a rollback now would clear the weight"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			f := s.promotable("api")
			if c.scene != nil {
				c.scene(s, f)
			}
			same := s.unchanged(t, f)
			o := s.step().inputs(map[string]string{"command": "check", "steps": "20% 5m, 100% 5m"}).inputs(c.inputs).run()
			assert.Equal(t, c.want, o.ended(), o.outputs["message"])
			assert.Contains(t, o.stdout, c.says)
			same()
		})
	}
}

// What AWS's own shift left is cleared by a rollback.
func TestARollbackClearsAStuckShift(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	f := s.promotable("api")
	shares("3", map[string]float64{"2": 1})(s, f)
	o := s.step().run()
	assert.Equal(t, "rolled-back/canary-stopped", o.ended(), o.outputs["message"])
	alias, _ := f.Alias("live")
	assert.Equal(t, "2", alias.Version)
	assert.Empty(t, alias.Weights)
}

func TestSeveralArePromotedTogether(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		inputs map[string]string
		want   []string // status/reason of each
	}{
		"one is refused":                 {nil, []string{"failed/refused", "failed/refused"}},
		"one is refused, each by itself": {map[string]string{"all-or-nothing": "false"}, []string{"promoted/", "failed/refused"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			s.promotable("api")
			worker := s.promotable("worker")
			shares("2", map[string]float64{"1": 0.5})(s, worker)
			o := s.promote(map[string]string{"function-name": "api,worker", "deployed-version": "api=3\nworker=3"}).inputs(c.inputs).run()
			var results []struct{ Status, Reason string }
			require.NoError(t, json.Unmarshal([]byte(o.outputs["results"]), &results))
			var got []string
			for _, r := range results {
				got = append(got, r.Status+"/"+r.Reason)
			}
			assert.Equal(t, c.want, got, o.outputs["message"])
		})
	}
}

// What a promotion calls is in the policy and in the statements that the page names
// for it.
func TestThePolicyOfAPromotionIsWhatItCalls(t *testing.T) {
	t.Parallel()
	policies := documented(t)
	s := newScene(t)
	f := s.promotable("api")
	s.CloudWatch(region).SetAlarm("errors", emulator.AlarmOK)
	p := s.promote(map[string]string{"steps": "10% 5m, 100% 5m", "invoke-payload": "{}", "warm": "2", "alarms": "errors"}).start()
	require.Eventually(t, func() bool { alias, _ := f.Alias("live"); return len(alias.Weights) == 1 }, 20*time.Second, 5*time.Millisecond)
	o, _ := p.stop(syscall.SIGINT)
	require.Equal(t, "failed/cancelled", o.ended(), o.outputs["message"])
	allowed := slices.Concat(policies[""], aboutOwners(policies), policies["ReadMoreWhereAllowed"])
	own := slices.Concat(policies["InvokeByNumber"], policies["ReadMetrics"], policies["ReadAlarms"])
	assert.Subset(t, slices.Concat(allowed, own), s.called(), "a call without its permission")
	assert.Subset(t, s.called(), own, "more than it takes")
	for _, c := range s.Calls(emulator.Match{Operation: "Invoke"}) {
		assert.Equal(t, "3", c.Qualifier)
	}
}
