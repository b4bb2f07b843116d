package promotions_test

import (
	"fmt"
	mathrand "math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/test/emulator"
)

// history is a random past of the function and a promotion of its newest version.
func (w *world) history(random *mathrand.Rand) (stable, published int64, inputs map[string]string) {
	f := w.Functions[0]
	for range random.IntN(3) {
		f.Publish(w.Now())
	}
	published = int64(len(f.Versions()))
	stable = 1 + random.Int64N(2) // the others are of this run
	require.NoError(w.t, f.SetAlias("live", stable, nil))
	if random.IntN(2) == 0 { // an earlier rollback
		on := 1 + random.Int64N(published-1)
		require.NoError(w.t, f.SetAlias("live-rollback", on, nil))
		rejected := 3 - stable // the other one of before this run
		require.NoError(w.t, f.DescribeAlias("live-rollback", fmt.Sprintf("rejected=%d@6999 run=6999/1 at=2026-01-02T03:04:05Z by=rollback", rejected)))
	}
	if random.IntN(2) == 0 {
		w.Errors[published] = 0.3
	}
	steps := []string{"10% 5m, 50% 5m, 100% 5m", "0%, 100% 5m", "25% 3m, 100%", "1% 2m, 10% 5m, 100% 3m"}[random.IntN(4)]
	return stable, published, map[string]string{
		"command": "promote", "deployed-version": strconv.FormatInt(published, 10), "steps": steps, "on-inconclusive": []string{"stop", "wait", "continue"}[random.IntN(3)],
	}
}

// killedAt promotes and is killed at the nth call of AWS, before AWS gets it or after
// it was carried out, unless it ends before that.
func (w *world) killedAt(n int, carriedOut bool, inputs map[string]string) (killed bool) {
	w.t.Helper()
	release, at := make(chan struct{}), make(chan struct{})
	w.t.Cleanup(sync.OnceFunc(func() { close(release) }))
	stop := func(emulator.Call) {
		w.Kill()
		close(at)
		<-release
	}
	effect := emulator.Before(stop)
	if carriedOut {
		effect = emulator.After(stop)
	}
	fault := w.Fault(emulator.Match{}, effect.Nth(n))
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = w.Step(inputs)
	}()
	select {
	case <-at:
		fault.Remove()
		return true
	case <-ended:
		fault.Remove()
		return false
	}
}

// A promotion of a random history, killed at any call: the rollback job of the run
// returns all of the traffic to the version that served before.
func TestRandomHistoriesKilledAtAnyCall(t *testing.T) {
	killed, bad := 0, 0
	for seed := range uint64(100) {
		random := mathrand.New(mathrand.NewPCG(seed, 16))
		w := newWorld(t, 600)
		stable, published, inputs := w.history(random)
		if !w.killedAt(1+random.IntN(28), random.IntN(2) == 0, inputs) {
			continue
		}
		killed++
		left := serving(w.Functions[0])
		if w.Errors[published] > 0 {
			bad++
		}
		e := w.rollBack("cancelled")
		if on := serving(w.Functions[0]); on != strconv.FormatInt(stable, 10) {
			t.Errorf("seed %d: killed at %s, %s: the alias is on %s and not on %d: %s", seed, left, e.How(), on, stable, e.Outputs["message"])
		}
		assert.Equal(t, left != strconv.FormatInt(stable, 10), e.Outputs["status"] == "rolled-back", "seed %d: %s from %s: %s", seed, e.How(), left, e.Outputs["message"])
	}
	t.Logf("killed %d of 100, %d of them with a bad version", killed, bad)
	assert.Greater(t, killed, 60)
}

// Killed, and the same run promotes again: the alias ends on the new version alone or
// on the stable one alone, as the report says, and never on one that is bad.
func TestRandomHistoriesPromotedAgainAfterAKill(t *testing.T) {
	killed := 0
	for seed := range uint64(100) {
		random := mathrand.New(mathrand.NewPCG(seed, 17))
		w := newWorld(t, 600)
		stable, published, inputs := w.history(random)
		if !w.killedAt(1+random.IntN(28), random.IntN(2) == 0, inputs) {
			continue
		}
		killed++
		left := serving(w.Functions[0])
		e := w.step(inputs)
		on := serving(w.Functions[0])
		what := fmt.Sprintf("seed %d: killed at %s, then %s on %s: %s", seed, left, e.How(), on, e.Outputs["message"])
		switch {
		case e.Outputs["status"] == "promoted":
			assert.Equal(t, strconv.FormatInt(published, 10), on, what)
			assert.Zero(t, w.Errors[published], what)
		case strings.Contains(on, "+"):
			assert.Contains(t, e.Outputs["message"], "NOT", what)
		default:
			assert.Equal(t, strconv.FormatInt(stable, 10), on, what)
		}
	}
	assert.Greater(t, killed, 60)
}
