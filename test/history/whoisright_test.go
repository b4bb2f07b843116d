package history_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/org/lambda-rollback-action/test/history"
)

// failedRuns is how many failed runs of random histories every rule is judged
// by. Each function of a run counts by itself.
const failedRuns = 1_000

// score is how often a rule was right.
type score struct{ named, random int }

func rightInNamed(roll history.Roller) map[string]bool {
	right := map[string]bool{}
	for _, s := range history.Situations() {
		w := history.Play(s.History, history.Mended(roll))
		last := w.Judged[len(w.Judged)-1].Run
		right[s.Name] = true
		for _, v := range w.Judged {
			right[s.Name] = right[s.Name] && (v.Right || v.Run != last)
		}
	}
	return right
}

// rightInRandom plays the histories of the seeds 1, 2, 3 … What fails and
// when is planned, not chosen by the rule: all rules meet the same failed runs.
func rightInRandom(roll history.Roller) int {
	right, count := 0, 0
	for seed := uint64(1); ; seed++ {
		for _, v := range history.Play(history.Random(seed), history.Mended(roll)).Judged {
			if v.Right {
				right++
			}
			if count++; count == failedRuns {
				return right
			}
		}
	}
}

// outcome is where the aliases ended, after failed runs and after good ones whose
// rollback job runs always.
type outcome struct {
	right, judged int
	overwritten   int // somebody's work, or nothing to go back from
	bad           int // it went to a version of a failed run
	elsewhere     int // it went to another good version than the one that served
	left          int // on what failed
}

func (o *outcome) add(v history.Verdict) {
	o.judged++
	switch {
	case v.Right:
		o.right++
	case v.Truth.Stays:
		o.overwritten++
	case v.Now == v.Was:
		o.left++
	case v.Bad:
		o.bad++
	default:
		o.elsewhere++
	}
}

// amongOthers plays the histories of the seeds from 1 on in which others deploy, too.
func amongOthers(roll history.Roller) (o outcome) {
	for seed := range uint64(histories) {
		for _, v := range history.Play(history.RandomEdges(seed+1), history.Mended(roll)).Judged {
			o.add(v)
		}
	}
	return o
}

func TestWhoIsRight(t *testing.T) {
	t.Parallel()
	var table strings.Builder
	named, rules := map[string]map[string]bool{}, history.Rules()
	scores := make([]score, len(rules))
	others := make([]outcome, len(rules))
	for i, rule := range rules {
		named[rule.Name] = rightInNamed(rule.Roll)
		scores[i].random = rightInRandom(rule.Roll)
		others[i] = amongOthers(rule.Roll)
	}
	fmt.Fprintf(&table, "\n%-52s", "")
	for i := range rules {
		fmt.Fprintf(&table, " %6s", fmt.Sprintf("(%d)", i+1))
	}
	for _, s := range history.Situations() {
		fmt.Fprintf(&table, "\n%-52s", s.Name)
		for i, rule := range rules {
			mark := "–"
			if named[rule.Name][s.Name] {
				mark = "right"
				scores[i].named++
			}
			fmt.Fprintf(&table, " %6s", mark)
		}
	}
	fmt.Fprintf(&table, "\n\n%-45s %12s %22s\n", "rule", "situations", "random failed runs")
	for i, rule := range rules {
		fmt.Fprintf(&table, "(%d) %-41s %6d of %2d %14d of %d\n",
			i+1, rule.Name, scores[i].named, len(history.Situations()), scores[i].random, failedRuns)
	}
	fmt.Fprintf(&table, "\n%d histories in which others deploy, too\n%-45s %9s %8s %12s %8s %10s %8s\n",
		histories, "rule", "judged", "right", "overwritten", "bad", "elsewhere", "left")
	for i, rule := range rules {
		o := others[i]
		fmt.Fprintf(&table, "(%d) %-41s %9d %7.2f%% %12d %8d %10d %8d\n",
			i+1, rule.Name, o.judged, 100*float64(o.right)/float64(o.judged), o.overwritten, o.bad, o.elsewhere, o.left)
	}
	t.Log(table.String())

	ours := len(rules) - 1
	for name, right := range named[rules[ours].Name] {
		assert.True(t, right, name)
	}
	for i := range ours {
		assert.Greater(t, scores[ours].random, scores[i].random, "the rule %q is right more often", rules[i].Name)
		assert.Greater(t, others[ours].right, others[i].right, "the rule %q is right more often where others deploy", rules[i].Name)
	}
}

// BenchmarkNaiveRules prints, beside the time, who was right how often, in
// hundredths.
func BenchmarkNaiveRules(b *testing.B) {
	for _, rule := range history.Rules() {
		b.Run(strings.ReplaceAll(rule.Name, " ", "-"), func(b *testing.B) {
			named, random := 0, 0
			for b.Loop() {
				named = 0
				for _, right := range rightInNamed(rule.Roll) {
					if right {
						named++
					}
				}
				random = rightInRandom(rule.Roll)
			}
			b.ReportMetric(float64(named)*100/float64(len(history.Situations())), "%named")
			b.ReportMetric(float64(random)*100/failedRuns, "%random")
		})
	}
}
