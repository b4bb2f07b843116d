package alias_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/rollback/alias"
	"github.com/org/lambda-rollback-action/rollback/report"
)

// playPromotion sets up a promotion from version 41 to 42 that may begin, with the
// memory written.
func playPromotion(t *testing.T, act func(*testing.T, *scene, *alias.Promotion)) {
	t.Helper()
	play(t, func(t *testing.T, s *scene) {
		s.lambda.set("live", 41, nil, "serves production")
		s.function.Request.Deployed = 42
		p := alias.NewPromotion([]alias.Function{s.function}, alias.PromoteOptions{Splits: true})
		p.Prepare(s.ctx)
		require.Len(t, p.Going(), 1)
		p.Remember(s.ctx)
		require.Equal(t, "41", s.lambda.serving("live-rollback"))
		require.Contains(t, s.lambda.description("live-rollback"), "by=snapshot promotes=42")
		act(t, s, p)
	})
}

// follow takes the steps of a promotion, one after the other.
func follow(s *scene, p *alias.Promotion, weights ...float64) {
	for _, weight := range weights {
		p.Shift(s.ctx, weight)
		p.Confirm(s.ctx, time.Minute)
	}
}

func complete(p *alias.Promotion) {
	for _, f := range p.Going() {
		f.Complete(report.Healthy, "it is healthy", false)
	}
}

func how(p *alias.Promotion) string {
	r := p.Results()[0]
	return string(r.Status) + "/" + string(r.Reason)
}

func TestAPromotionGoesStepByStep(t *testing.T) {
	t.Parallel()
	playPromotion(t, func(t *testing.T, s *scene, p *alias.Promotion) {
		p.Shift(s.ctx, 0)
		assert.Equal(t, "41", s.lambda.serving("live"))
		p.Shift(s.ctx, 0.1)
		assert.Equal(t, "41+42:0.1", s.lambda.serving("live"))
		p.Shift(s.ctx, 0.5)
		assert.Equal(t, "41+42:0.5", s.lambda.serving("live"))
		p.Shift(s.ctx, 1)
		assert.Equal(t, "42", s.lambda.serving("live"))
		complete(p)
		assert.Equal(t, "promoted/", how(p))
		assert.Equal(t, 4, s.lambda.count("UpdateAlias live")-s.lambda.count("UpdateAlias live-rollback")+1, "one call a step")
	})
}

// SnapStart and images begin as Pending: the version is waited for to the end of the
// time, as there is no other to take.
func TestANewVersionIsWaitedFor(t *testing.T) {
	t.Parallel()
	for lasts, want := range map[time.Duration]string{3 * time.Minute: "/", 290 * time.Second: "/", 10 * time.Minute: "failed/timeout"} {
		t.Run(lasts.String(), func(t *testing.T) {
			t.Parallel()
			play(t, func(t *testing.T, s *scene) {
				s.lambda.set("live", 41, nil, "")
				become := func(state types.State) {
					s.lambda.mu.Lock()
					defer s.lambda.mu.Unlock()
					s.lambda.versions[42] = fakeVersion{modified: clockAt(1, 30), state: state}
				}
				become(types.StatePending)
				time.AfterFunc(lasts, func() { become(types.StateActive) })
				s.function.Request.Deployed = 42
				p := alias.NewPromotion([]alias.Function{s.function}, alias.PromoteOptions{})
				p.Prepare(s.ctx)
				assert.Equal(t, want, how(p), p.Results()[0].Message)
				assert.Equal(t, "41", s.lambda.serving("live"))
			})
		})
	}
}

// Whatever breaks at a shift or at the way back, and passes: the alias is on one of
// the two versions alone, and the result says which.
func TestAFaultInAPromotionPasses(t *testing.T) {
	t.Parallel()
	for name, broken := range passingFaults {
		for n := 1; n <= 4; n++ {
			for _, ends := range []string{"promoted/", "failed/unhealthy"} {
				t.Run(fmt.Sprintf("%s, call %d, %s", name, n, ends), func(t *testing.T) {
					t.Parallel()
					playPromotion(t, func(t *testing.T, s *scene, p *alias.Promotion) {
						s.lambda.faults = func(call string, i int) *fault {
							if call == "UpdateAlias live" && i == n {
								return &broken
							}
							return nil
						}
						follow(s, p, 0.1, 0.5, 1)
						on := "42"
						if ends == "promoted/" {
							complete(p)
						} else {
							on = "41"
							p.BackAll(report.Unhealthy, "it fails", true)
						}
						assert.Equal(t, ends, how(p), p.Results()[0].Message)
						assert.Equal(t, on, s.lambda.serving("live"))
					})
				})
			}
		}
	}
}

// outage breaks calls from the first update of the alias on, for so long.
func outage(s *scene, lasts time.Duration, first fault, calls ...string) {
	var began time.Time
	s.lambda.faults = func(call string, n int) *fault {
		if call == "UpdateAlias live" && n == 1 {
			began = time.Now()
			return &first
		}
		for _, c := range calls {
			if call == c && !began.IsZero() && time.Since(began) < lasts {
				return &fault{err: answer(503, "ServiceUnavailable", "")}
			}
		}
		return nil
	}
}

// The shift was carried out, and nobody could tell until long after the time limit.
func TestAShiftThatNobodyAnsweredIsTakenBack(t *testing.T) {
	t.Parallel()
	for name, first := range map[string]fault{"it was carried out": {hang: true, processed: true}, "it was not": {hang: true}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			playPromotion(t, func(t *testing.T, s *scene, p *alias.Promotion) {
				outage(s, 7*time.Minute, first, "UpdateAlias live", "GetAlias live")
				p.Shift(s.ctx, 0.1)
				assert.Equal(t, "41", s.lambda.serving("live"), p.Results()[0].Message)
				assert.Equal(t, "failed/timeout", how(p))
				assert.Equal(t, first.processed, p.Results()[0].MovedAt != "", "only what had traffic has come back")
				assert.False(t, p.Results()[0].NotRestored)
			})
		})
	}
}

// Where AWS does not answer at all any more, the result says what it may be.
func TestAnUnansweredShiftIsSaid(t *testing.T) {
	t.Parallel()
	playPromotion(t, func(t *testing.T, s *scene, p *alias.Promotion) {
		outage(s, time.Hour, fault{hang: true, processed: true}, "UpdateAlias live", "GetAlias live")
		p.Shift(s.ctx, 0.1)
		r := p.Results()[0]
		assert.True(t, r.NotRestored)
		assert.Contains(t, r.Message, "STILL sends 10% of the traffic to version 42")
		assert.InDelta(t, 0.1, r.Promotion.Weight, 0)
	})
}

func TestAWayBackIsTriedForMinutes(t *testing.T) {
	t.Parallel()
	playPromotion(t, func(t *testing.T, s *scene, p *alias.Promotion) {
		p.Shift(s.ctx, 0.1)
		began := time.Now()
		s.lambda.faults = func(call string, _ int) *fault {
			if call == "UpdateAlias live" && time.Since(began) < 2*time.Minute {
				return &fault{err: answer(429, "TooManyRequestsException", "Rate Exceeded.")}
			}
			return nil
		}
		p.BackAll(report.Unhealthy, "it fails", true)
		assert.Equal(t, "41", s.lambda.serving("live"))
		assert.Contains(t, s.lambda.description("live-rollback"), "rejected=42@7002")
		assert.NotContains(t, s.lambda.description("live-rollback"), "promotes")
	})
}

// A signal leaves six seconds.
func TestASignalReturnsTheTraffic(t *testing.T) {
	t.Parallel()
	for name, throttled := range map[string]time.Duration{"at once": 0, "throttled for a moment": 2 * time.Second, "throttled for longer": time.Minute} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			playPromotion(t, func(t *testing.T, s *scene, p *alias.Promotion) {
				p.Shift(s.ctx, 0.1)
				began := time.Now()
				s.lambda.faults = func(call string, _ int) *fault {
					if call == "UpdateAlias live" && time.Since(began) < throttled {
						return &fault{err: answer(429, "TooManyRequestsException", "Rate Exceeded.")}
					}
					return nil
				}
				s.cancel(alias.ErrCancelled)
				time.AfterFunc(6*time.Second, s.giveUp)
				p.BackAll(report.Cancelled, "the run was cancelled", false)
				assert.Equal(t, "failed/cancelled", how(p))
				assert.Less(t, time.Since(began), 7*time.Second)
				if r := p.Results()[0]; throttled < time.Minute {
					assert.Equal(t, "41", s.lambda.serving("live"))
				} else {
					assert.Contains(t, r.Message, "STILL sends 10%")
				}
				assert.NotContains(t, s.lambda.description("live-rollback"), "rejected=42", "it was not found bad")
			})
		})
	}
}

// What somebody else makes of the alias is left, whenever that is found out.
func TestSomebodyElsesAliasIsNeverOverwritten(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		version int64
		weights map[string]float64
	}{
		"another version":           {40, nil},
		"the stable version":        {41, nil},
		"another weight":            {41, map[string]float64{"42": 0.2}},
		"weights of another":        {41, map[string]float64{"40": 0.1}},
		"the new one, with another": {42, map[string]float64{"40": 0.1}},
	} {
		for at, act := range map[string]func(*scene, *alias.Promotion){
			"a look":   func(s *scene, p *alias.Promotion) { p.Confirm(s.ctx, time.Minute) },
			"a shift":  func(s *scene, p *alias.Promotion) { p.Shift(s.ctx, 0.5) },
			"way back": func(_ *scene, p *alias.Promotion) { p.BackAll(report.Unhealthy, "it fails", true) },
		} {
			t.Run(name+" before a "+at, func(t *testing.T) {
				t.Parallel()
				playPromotion(t, func(t *testing.T, s *scene, p *alias.Promotion) {
					p.Shift(s.ctx, 0.1)
					s.lambda.set("live", c.version, c.weights, "")
					want := s.lambda.serving("live")
					act(s, p)
					assert.Equal(t, want, s.lambda.serving("live"))
					if at == "way back" && want == "41" { // where it was to go
						assert.Equal(t, "failed/unhealthy", how(p))
						return
					}
					assert.Equal(t, "failed/alias-changed", how(p), p.Results()[0].Message)
					assert.Empty(t, p.Results()[0].MovedAt)
				})
			})
		}
	}
}

// A new Description changes the alias's revision, and nothing else.
func TestANewDescriptionIsNoOtherDeploy(t *testing.T) {
	t.Parallel()
	playPromotion(t, func(t *testing.T, s *scene, p *alias.Promotion) {
		s.lambda.set("live", 41, nil, "one")
		p.Shift(s.ctx, 0.1)
		s.lambda.set("live", 41, map[string]float64{"42": 0.1}, "two")
		follow(s, p, 0.5)
		s.lambda.set("live", 41, map[string]float64{"42": 0.5}, "three")
		p.BackAll(report.Unhealthy, "it fails", true)
		assert.Equal(t, "failed/unhealthy", how(p), p.Results()[0].Message)
		assert.Equal(t, "41", s.lambda.serving("live"))
		assert.Equal(t, "three", s.lambda.description("live"))
	})
}

// With provisioned concurrency AWS moves the traffic by weights of its own.
func TestAWSsOwnWeights(t *testing.T) {
	t.Parallel()
	awsShifts := func(s *scene) { s.lambda.set("live", 42, map[string]float64{"41": 0.4}, "") }
	t.Run("are followed", func(t *testing.T) {
		t.Parallel()
		playPromotion(t, func(t *testing.T, s *scene, p *alias.Promotion) {
			s.lambda.shifting = 30 * time.Second
			p.Shift(s.ctx, 1)
			_, first := p.Each[0].Weight()
			time.Sleep(20 * time.Second)
			p.Confirm(s.ctx, time.Minute)
			_, since := p.Each[0].Weight()
			assert.Equal(t, 20*time.Second, since.Sub(first), "the bake begins when it serves alone")
			time.Sleep(20 * time.Second)
			p.Confirm(s.ctx, time.Minute)
			complete(p)
			assert.Equal(t, "promoted/", how(p))
		})
	})
	t.Run("are no other deploy", func(t *testing.T) {
		t.Parallel()
		playPromotion(t, func(t *testing.T, s *scene, p *alias.Promotion) {
			p.Shift(s.ctx, 1)
			awsShifts(s)
			p.BackAll(report.Unhealthy, "it fails", true)
			assert.Equal(t, "failed/unhealthy", how(p), p.Results()[0].Message)
			assert.Equal(t, "41", s.lambda.serving("live"))
		})
	})
	t.Run("never end", func(t *testing.T) {
		t.Parallel()
		playPromotion(t, func(t *testing.T, s *scene, p *alias.Promotion) {
			p.Shift(s.ctx, 1)
			awsShifts(s)
			for range 7 {
				p.Confirm(s.ctx, 5*time.Minute)
				time.Sleep(time.Minute)
			}
			assert.Equal(t, "failed/timeout", how(p), p.Results()[0].Message)
			assert.Equal(t, "41", s.lambda.serving("live"))
		})
	})
}

// A reading that lags behind a write is not taken for somebody else's change.
func TestALateReadingIsNoChange(t *testing.T) {
	t.Parallel()
	playPromotion(t, func(t *testing.T, s *scene, p *alias.Promotion) {
		p.Shift(s.ctx, 0.1)
		p.Shift(s.ctx, 0.5)
		s.lambda.stale = func(int) bool { return true }
		p.Confirm(s.ctx, time.Minute)
		s.lambda.stale = nil
		follow(s, p, 1)
		complete(p)
		assert.Equal(t, "promoted/", how(p))
	})
}

// What a stopped promotion leaves, in each of its states, is what the rollback of the
// same run returns from, without any input that names a version.
func TestTheRollbackOfAStoppedPromotion(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		weights []float64
		want    string
	}{
		"before any traffic":       {nil, "skipped/not-deployed"},
		"with a share":             {[]float64{0.1}, "rolled-back/snapshot"},
		"with all of the traffic":  {[]float64{0.1, 1}, "rolled-back/snapshot"},
		"while AWS shifts":         {[]float64{1}, "rolled-back/snapshot"},
		"when it went back itself": {[]float64{0.1, 0}, "skipped/already-rolled-back"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			playPromotion(t, func(t *testing.T, s *scene, p *alias.Promotion) {
				for _, weight := range c.weights {
					if weight == 0 {
						p.BackAll(report.Unhealthy, "it fails", true)
					}
					p.Shift(s.ctx, weight)
				}
				if name == "while AWS shifts" { // and got stuck
					s.lambda.set("live", 42, map[string]float64{"41": 1}, "")
				}
				f := s.function
				f.Request.Deployed = 0
				r := rollBack(s.ctx, []alias.Function{f}, false)[0]
				assert.Equal(t, c.want, string(r.Status)+"/"+string(r.Reason), r.Message)
				assert.Equal(t, "41", s.lambda.serving("live"))
			})
		})
	}
}

// A deploy that had nothing new leaves the version that the snapshot found: if it is not
// healthy, there is nothing to take back.
func TestABakeOfAnUnchangedVersionDoesNotGoBack(t *testing.T) {
	t.Parallel()
	for memory, want := range map[string]string{
		"rejected= run=7002/1 at=2026-11-22T03:00:30Z by=snapshot": "42",
		"rejected= run=7001/1 at=2026-11-22T02:00:30Z by=snapshot": "41", // another run's says nothing
	} {
		t.Run(memory, func(t *testing.T) {
			t.Parallel()
			play(t, func(t *testing.T, s *scene) {
				s.lambda.set("live", 42, nil, "serves production")
				s.remembers(42, memory)
				s.function.Request.Deployed = 42
				p := alias.NewPromotion([]alias.Function{s.function}, alias.PromoteOptions{})
				p.Prepare(s.ctx)
				require.Len(t, p.Going(), 1)
				p.Remember(s.ctx)
				for _, f := range p.Going() {
					f.Back(report.Unhealthy, "it is not healthy", true)
				}
				assert.Equal(t, want, s.lambda.serving("live"))
				assert.Equal(t, "failed/unhealthy", how(p))
				assert.Equal(t, want == "41", strings.Contains(s.lambda.description("live-rollback"), "rejected=42"))
			})
		})
	}
}
