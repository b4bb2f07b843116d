package promotions_test

import (
	"fmt"
	mathrand "math/rand/v2"
	"strconv"
	"strings"
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
	w.t.Cleanup(func() { close(release) })
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

// interrupted is a promotion of a random history that was killed.
type interrupted struct {
	*world

	seed              uint64
	stable, published int64
	inputs            map[string]string
	left              string // where the alias pointed then
}

// on reports whether the alias serves a version alone.
func (i interrupted) on(version int64) bool {
	return serving(i.Functions[0]) == strconv.FormatInt(version, 10)
}

// eachInterrupted tries a hundred random histories, and most of them are killed.
func eachInterrupted(t *testing.T, stream uint64, try func(interrupted)) {
	t.Helper()
	killed, bad := 0, 0
	for seed := range uint64(100) {
		random := mathrand.New(mathrand.NewPCG(seed, stream))
		i := interrupted{world: newWorld(t, 600), seed: seed}
		i.stable, i.published, i.inputs = i.history(random)
		if !i.killedAt(1+random.IntN(28), random.IntN(2) == 0, i.inputs) {
			continue
		}
		killed++
		if i.Errors[i.published] > 0 {
			bad++
		}
		i.left = serving(i.Functions[0])
		try(i)
	}
	t.Logf("killed %d of 100, %d of them with a bad version", killed, bad)
	assert.Greater(t, killed, 60)
}

// Killed at any call: the rollback job of the run returns all of the traffic to the
// version that served before.
func TestRandomHistoriesKilledAtAnyCall(t *testing.T) {
	eachInterrupted(t, 16, func(i interrupted) {
		moves := !i.on(i.stable)
		e := i.rollBack("cancelled")
		what := fmt.Sprintf("seed %d: killed at %s, then %s on %s: %s", i.seed, i.left, e.How(), serving(i.Functions[0]), e.Outputs["message"])
		assert.True(t, i.on(i.stable), what)
		assert.Equal(t, moves, e.Outputs["status"] == "rolled-back", what)
	})
}

// Killed, and the same run promotes again: the alias ends on the new version alone or
// on the stable one alone, as the report says, and never on one that is bad.
func TestRandomHistoriesPromotedAgainAfterAKill(t *testing.T) {
	eachInterrupted(t, 17, func(i interrupted) {
		e := i.step(i.inputs)
		on := serving(i.Functions[0])
		what := fmt.Sprintf("seed %d: killed at %s, then %s on %s: %s", i.seed, i.left, e.How(), on, e.Outputs["message"])
		switch {
		case e.Outputs["status"] == "promoted":
			assert.True(t, i.on(i.published), what)
			assert.Zero(t, i.Errors[i.published], what)
		case strings.Contains(on, "+"):
			assert.Contains(t, e.Outputs["message"], "NOT", what)
		default:
			assert.True(t, i.on(i.stable), what)
		}
	})
}
