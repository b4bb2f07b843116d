package promotions_test

import (
	"flag"
	"fmt"
	"math"
	mathrand "math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/rollback/canary"
	"github.com/org/lambda-rollback-action/rollback/errorrate"
)

var (
	simulated = flag.Int("promotions", 20, "simulated promotions of each line of the table; 250 make 10,000 in all")
	update    = flag.Bool("update", false, "write the table into the decision record")
)

// traffic is one line of the simulation: how often a function is called, and how it
// fails.
type traffic struct {
	perSecond float64
	base      float64 // the share of calls that fail usually
	worse     float64 // what the new version adds to that
	burst     int     // errors come in rows of so many
	incident  bool    // for three minutes both versions fail five times as often
}

// rules are what decides: this action's, an alarm on one error in a minute as
// CodeDeploy has them, and a fixed threshold.
const (
	ours = iota
	alarmOnOne
	threshold
	rules
)

// outcome is what became of the promotions by one rule.
type outcome struct {
	back, inconclusive, second, done int
	failed                           float64 // calls that failed because of the new version
}

// simulate plays promotions of the default steps.
func simulate(random *mathrand.Rand, t traffic, n int) (all [rules]outcome) {
	plan := canary.Plan{
		Steps: []canary.Step{{Weight: 0.1, For: 5 * time.Minute}, {Weight: 0.5, For: 5 * time.Minute}, {Weight: 1, For: 5 * time.Minute}},
		Delay: canary.DelayOf(3 * time.Second),
	}
	for range n {
		seed := random.Uint64()
		for rule := range rules {
			one := playOne(mathrand.New(mathrand.NewPCG(seed, 7)), plan, t, rule)
			all[rule].back += one.back
			all[rule].inconclusive += one.inconclusive
			all[rule].second += one.second
			all[rule].done += one.done
			all[rule].failed += one.failed
		}
	}
	return all
}

func playOne(random *mathrand.Rand, plan canary.Plan, t traffic, rule int) (o outcome) {
	start := time.Unix(0, 0).UTC()
	hour := make([]errorrate.Minute, 60)
	for i := range hour {
		hour[i] = t.minute(random, start.Add(time.Duration(i-60)*time.Minute), 1, t.base)
	}
	incidentAt := 2 + random.IntN(10)
	now, minute := start, 0
	var steps []errorrate.Step
	for i, step := range plan.Steps {
		shifted := now
		if i == 1 {
			o.second++
		}
		if step.Split() {
			steps = append(steps, errorrate.Step{})
		}
		var tested, other []errorrate.Minute
		for {
			base := t.base
			if t.incident && minute >= incidentAt && minute < incidentAt+3 {
				base = math.Min(5*math.Max(base, 0.01), 1)
			}
			m := t.minute(random, now, step.Weight, base+t.worse)
			tested = append(tested, m)
			o.failed += float64(m.Errors) * t.worse / math.Max(base+t.worse, 1e-9)
			s := t.minute(random, now, 1-step.Weight, base)
			other = append(other, s)
			now, minute = now.Add(time.Minute), minute+1
			if rule != ours {
				if step.Weight > 0 && alarms(rule, m, s) {
					o.back++
					return o
				}
				if now.Sub(shifted) >= step.For {
					break
				}
				continue
			}
			from, to := plan.Counted(shifted, now)
			look := canary.Look{Step: i, Elapsed: now.Sub(shifted), Counts: steps}
			if step.Split() {
				steps[len(steps)-1] = errorrate.Step{Tested: within(tested, from, to), Other: within(other, from, to)}
			} else {
				look.Bake = errorrate.Step{Tested: within(tested, from, to), Other: hour}
			}
			switch d := plan.Judge(look); {
			case d.Unhealthy():
				o.back++
				return o
			case d.Next == canary.Back:
				o.inconclusive++
				return o
			case d.Next == canary.Done:
				o.done++
				return o
			case d.Next == canary.Advance:
			default:
				continue
			}
			break
		}
	}
	o.done++
	return o
}

// alarms reports whether a rule that knows one minute of the alias, or of the new
// version, goes back.
func alarms(rule int, tested, other errorrate.Minute) bool {
	if rule == alarmOnOne {
		return tested.Errors+other.Errors >= 1
	}
	return tested.Calls > 0 && float64(tested.Errors) >= 0.05*float64(tested.Calls)
}

func within(all []errorrate.Minute, from, to time.Time) []errorrate.Minute {
	var out []errorrate.Minute
	for _, m := range all {
		if !m.Start.Before(from) && m.Start.Before(to) && m.Calls > 0 {
			out = append(out, m)
		}
	}
	return out
}

// minute is a minute of a version with a share of the traffic.
func (t traffic) minute(random *mathrand.Rand, at time.Time, share, rate float64) errorrate.Minute {
	calls := poisson(random, t.perSecond*60*share)
	var failed int
	if t.burst > 1 {
		failed = t.burst * poisson(random, float64(calls)*rate/float64(t.burst))
	} else {
		failed = poisson(random, float64(calls)*rate)
	}
	return errorrate.Minute{Start: at, Calls: calls, Errors: min(failed, calls)}
}

// poisson draws a count with a mean; a large one by the normal distribution.
func poisson(random *mathrand.Rand, mean float64) int {
	switch {
	case mean <= 0:
		return 0
	case mean > 50:
		return max(0, int(math.Round(mean+math.Sqrt(mean)*random.NormFloat64())))
	}
	n, p, limit := 0, random.Float64(), math.Exp(-mean)
	for p > limit {
		n++
		p *= random.Float64()
	}
	return n
}

// lines are those of the table in the decision record.
func lines() []traffic {
	var all []traffic
	for _, perSecond := range []float64{0.1, 1, 10, 100, 1000} {
		for _, base := range []float64{0, 0.001, 0.01, 0.03} {
			all = append(all, traffic{perSecond: perSecond, base: base})
		}
		all = append(all,
			traffic{perSecond: perSecond, base: 0.01, burst: 3},
			traffic{perSecond: perSecond, base: 0.01, incident: true},
			traffic{perSecond: perSecond, base: 0.01, worse: 0.05},
			traffic{perSecond: perSecond, base: 0.01, worse: 0.2},
		)
	}
	return all
}

func (t traffic) String() string {
	text := fmt.Sprintf("%g a second, %g%%", t.perSecond, 100*t.base)
	switch {
	case t.burst > 1:
		text += fmt.Sprintf(" in rows of %d", t.burst)
	case t.incident:
		text += ", an incident hits both"
	case t.worse > 0:
		text += fmt.Sprintf(", new: %g points more", 100*t.worse)
	}
	return text
}

const record = "../../docs/decisions/0018-promote.md"

// TestThePromotionsOfTheRecord: what the record says of false alarms and misses is
// what the rule does.
func TestThePromotionsOfTheRecord(t *testing.T) {
	t.Parallel()
	random := mathrand.New(mathrand.NewPCG(18, 18))
	var table strings.Builder
	table.WriteString("| Calls and errors | This: back | too few | reached 50% | promoted | Alarm on one error: back | Threshold of 5%: back |\n| --- | --: | --: | --: | --: | --: | --: |\n")
	healthy, alarmed := 0, 0
	for _, line := range lines() {
		all := simulate(random, line, *simulated)
		share := func(n int) string { return fmt.Sprintf("%.1f%%", 100*float64(n)/float64(*simulated)) }
		o := all[ours]
		fmt.Fprintf(&table, "| %s | %s | %s | %s | %s | %s | %s |\n", line, share(o.back), share(o.inconclusive), share(o.second), share(o.done), share(all[alarmOnOne].back), share(all[threshold].back))
		if line.worse == 0 && line.burst == 0 {
			healthy, alarmed = healthy+*simulated, alarmed+o.back
		}
		if line.worse == 0.2 && line.perSecond >= 10 {
			assert.Zero(t, o.second, "a fault of 20 points reached the second step: %s", line)
			assert.Equal(t, *simulated, o.back, line)
		}
		if line.perSecond == 0.1 {
			assert.Equal(t, *simulated, o.inconclusive+o.back, "too few calls: %s", line)
		}
	}
	assert.LessOrEqual(t, float64(alarmed), 0.01*float64(healthy)+3*math.Sqrt(0.01*float64(healthy)), "false alarms: %d of %d", alarmed, healthy)
	t.Logf("false alarms: %d of %d promotions of a healthy version\n%s", alarmed, healthy, table.String())
	if *update {
		text, err := os.ReadFile(filepath.Clean(record))
		require.NoError(t, err)
		before, rest, found := strings.Cut(string(text), "<!-- simulation:begin -->\n")
		require.True(t, found)
		_, after, found := strings.Cut(rest, "<!-- simulation:end -->")
		require.True(t, found)
		written := fmt.Sprintf("%s<!-- simulation:begin -->\n\n%d promotions, %d of each line. Of %d promotions of a version that is no worse, with independent errors or an incident that hits both, %d (%.2f%%) went back.\n\n%s\n<!-- simulation:end -->%s",
			before, *simulated*len(lines()), *simulated, healthy, alarmed, 100*float64(alarmed)/float64(healthy), table.String(), after)
		require.NoError(t, os.WriteFile(record, []byte(written), 0o600))
	}
}

// What a canary saves: calls that fail because of the new version, at 10 calls a
// second of which it fails 20 in 100.
func TestWhatACanarySaves(t *testing.T) {
	t.Parallel()
	line := traffic{perSecond: 10, base: 0.001, worse: 0.2}
	all := simulate(mathrand.New(mathrand.NewPCG(3, 4)), line, 100)
	with := all[ours].failed / 100
	// Without a canary all calls meet it until somebody is woken and rolls back: five
	// minutes are quick.
	without := 10 * 60 * 5 * 0.2
	t.Logf("failed calls: %.0f with a canary, %.0f without in five minutes", with, without)
	assert.Less(t, with, without/5)
}
