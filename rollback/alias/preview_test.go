package alias_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/rollback/alias"
	"github.com/org/lambda-rollback-action/rollback/report"
)

// histories is how many of them a property is tried on; each has its own seed,
// which a failure names.
const histories = 400

// chance makes random choices that come out alike for the same seed, as long as
// they are asked for in the same order.
type chance struct {
	mu *sync.Mutex // calls go out side by side
	r  *rand.Rand
}

func newChance(seed int) chance {
	return chance{&sync.Mutex{}, rand.New(rand.NewPCG(uint64(seed), 0))}
}

func (c chance) IntN(n int) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.r.IntN(n)
}

func (c chance) of(percent int) bool { return c.IntN(100) < percent }

func (c chance) pick(all []int64) int64 { return all[c.IntN(len(all))] }

// past makes versions with gaps, some of which cannot serve, an alias on one
// that can, now and then as a canary, and perhaps a memory. It gives the versions
// that can serve.
func (c chance) past(l *fakeLambda) (good []int64) {
	l.versions = map[int64]fakeVersion{}
	for v := int64(1); v <= int64(3+c.IntN(12)); v++ {
		if c.of(20) {
			continue // deleted
		}
		state := types.StateActive
		if c.of(10) {
			state = types.StateFailed
		} else {
			good = append(good, v)
		}
		l.versions[v] = fakeVersion{modified: clockAt(0, 0).AddDate(0, 0, int(v)-60), state: state}
	}
	if len(good) == 0 {
		l.versions[1], good = fakeVersion{modified: clockAt(0, 0).AddDate(0, 0, -59), state: types.StateActive}, []int64{1}
	}
	c.point(l, good)
	if c.of(60) {
		l.set("live-rollback", c.pick(good), nil, c.memory(good))
	}
	return good
}

// point puts the alias somewhere.
func (c chance) point(l *fakeLambda, versions []int64) {
	at, weights := c.pick(versions), map[string]float64(nil)
	if other := c.pick(versions); other != at && c.of(25) {
		weights = map[string]float64{strconv.FormatInt(other, 10): 0.1}
	}
	l.set("live", at, weights, "serves production")
}

func (c chance) memory(good []int64) string {
	switch c.IntN(4) {
	case 0:
		return "rejected=damaged"
	case 1:
		return fmt.Sprintf("rejected=%d@77 run=77/1 at=2026-01-01T00:00:00Z by=rollback", c.pick(good))
	case 2:
		return fmt.Sprintf("rejected=%d run=78/1 at=2026-01-01T00:00:00Z by=snapshot", c.pick(good))
	}
	return ""
}

// deploys lets the run publish and point the alias, in any order.
func (c chance) deploys(l *fakeLambda) {
	all := []int64{}
	next := int64(1)
	for v, is := range l.versions {
		next = max(next, v+1)
		if is.state == types.StateActive {
			all = append(all, v)
		}
	}
	for range c.IntN(5) {
		if c.of(50) {
			l.versions[next] = fakeVersion{modified: clockAt(1, 30), state: types.StateActive}
			all = append(all, next)
			next++
			continue
		}
		c.point(l, all)
	}
}

// TestSnapshotDeployRollbackGivesBackTheAlias: whatever served before, and
// whatever the run has done since, the rollback of the same run restores exactly
// the version that its snapshot saw, with all of the traffic.
func TestSnapshotDeployRollbackGivesBackTheAlias(t *testing.T) {
	t.Parallel()
	moved := 0
	for seed := range histories {
		play(t, func(t *testing.T, s *scene) {
			c := newChance(seed)
			c.past(s.lambda)
			was := s.lambda.serving("live")
			version, _, _ := strings.Cut(was, "+")

			taken := alias.Snapshot(s.ctx, []alias.Function{s.function})[0]
			require.Equal(t, report.Taken, taken.Status, "seed %d: %s", seed, taken.Message)
			require.Equal(t, was, s.lambda.serving("live"), "seed %d: a snapshot moves nothing", seed)
			c.deploys(s.lambda)
			now := s.lambda.serving("live")

			r := rollBack(s.ctx, []alias.Function{s.function}, false)[0]
			about := fmt.Sprintf("seed %d: %s, then %s: %s %s", seed, was, now, r.Reason, r.Message)
			require.Equal(t, version, s.lambda.serving("live"), about)
			if now == version {
				require.Equal(t, report.NotDeployed, r.Reason, about)
				return
			}
			require.Equal(t, report.Snapshot, r.Reason, about)
			moved++
		})
	}
	assert.Greater(t, moved, histories/4)
}

// TestLookingChangesNothing: check and list, in any state, with any faults.
func TestLookingChangesNothing(t *testing.T) {
	t.Parallel()
	for name, look := range map[string]func(context.Context, []alias.Function) []report.Function{
		"check": func(ctx context.Context, all []alias.Function) []report.Function {
			return alias.Check(ctx, all, &alias.PromoteOptions{Splits: true})
		},
		"list": func(ctx context.Context, all []alias.Function) []report.Function {
			return alias.List(ctx, all, 5)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for seed := range histories {
				play(t, func(t *testing.T, s *scene) {
					c := newChance(seed)
					c.past(s.lambda)
					if c.of(10) {
						s.lambda.remove("live")
					}
					before := s.lambda.state()
					s.lambda.faults = func(string, int) *fault {
						if c.of(20) {
							return &fault{err: answer(500, "ServiceException", "x")}
						}
						return nil
					}
					r := look(s.ctx, []alias.Function{s.function})[0]
					require.NotEmpty(t, r.Status, "seed %d", seed)
					require.NotEmpty(t, r.Message, "seed %d", seed)
					require.Equal(t, before, s.lambda.state(), "seed %d: %s", seed, r.Message)
				})
			}
		})
	}
}

// state is everything that a command could have changed.
func (l *fakeLambda) state() map[string]string {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := map[string]string{}
	for name, a := range l.aliases {
		all[name] = fmt.Sprint(a.version, a.weights, a.description, a.revision)
	}
	return all
}

// TestADrillEndsWhereItBegan: in any state, with every call failing now and then,
// and with a signal at any moment, as long as the process may live.
func TestADrillEndsWhereItBegan(t *testing.T) {
	t.Parallel()
	drilled := 0
	for seed := range histories {
		play(t, func(t *testing.T, s *scene) {
			c := newChance(seed)
			c.past(s.lambda)
			was := s.lambda.serving("live")
			remembered := s.lambda.description("live-rollback")
			s.lambda.faults = func(string, int) *fault {
				if !c.of(15) {
					return nil
				}
				return &fault{err: answer(500, "ServiceException", "x"), processed: c.of(50)}
			}
			var signal atomic.Int64
			if c.of(30) {
				signal.Store(int64(c.IntN(12)))
			}
			s.lambda.before = func(string, int) {
				if signal.Add(-1) == 0 {
					s.cancel(alias.ErrCancelled)
				}
			}
			r := drill(s)
			about := fmt.Sprintf("seed %d: %s %s: %s", seed, r.Status, r.Reason, r.Message)
			require.Equal(t, was, s.lambda.serving("live"), about)
			require.Equal(t, remembered, s.lambda.description("live-rollback"), about)
			if r.Status == report.Drilled {
				drilled++
			}
		})
	}
	assert.Greater(t, drilled, histories/4)
}

// TestAnAliasOfADrillThatSomebodyMovedStays: a deploy at any call.
func TestAnAliasOfADrillThatSomebodyMovedStays(t *testing.T) {
	t.Parallel()
	for call := 1; call < 16; call++ {
		play(t, func(t *testing.T, s *scene) {
			s.lambda.versions[43] = fakeVersion{modified: time.Now(), state: types.StateActive}
			var n atomic.Int64
			s.lambda.after = func(string, int) {
				if n.Add(1) == int64(call) {
					s.lambda.set("live", 43, nil, "serves production")
				}
			}
			r := drill(s)
			want := "42"
			if n.Load() >= int64(call) {
				want = "43"
			}
			require.Equal(t, want, s.lambda.serving("live"), "a deploy at call %d: %s", call, r.Message)
		})
	}
}

// drill goes there and back, without any checks.
func drill(s *scene) report.Function {
	d := alias.NewDrill([]alias.Function{s.function})
	d.Move(s.ctx)
	d.Restore()
	return d.Results(s.ctx)[0]
}
