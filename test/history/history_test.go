package history_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/org/lambda-rollback-action/test/history"
)

// hold plays one history and holds every rollback in it to the properties:
//
//	a) the alias ends on what served before the failed run, alone, or on the
//	   highest good version below where that cannot be gone back to; it stays
//	   where this run had not moved it;
//	b) never on a version of a failed run that has not succeeded since;
//	c) never over a newer run's deploy;
//	d) the same step again writes nothing;
//	e) the result says what the alias serves;
//	f) the memory alias is well formed, and the live alias keeps its Description.
//
// d, e and f hold whatever GitHub tells. Of a, b and c hold
//   - with everything told, and with no answers to later questions: all, but a
//     version that only an older run's evidence shows as bad may be chosen;
//   - without newer runs, without jobs, or with a bound alone: all, where no
//     other run was running;
//   - with nothing told: a and b, where no other run was running and this one
//     did move the alias.
//
// Where two runs were in their deploy job when what serves was published,
// nothing tells whose it is: to leave it alone is right, too.
func hold(t *rapid.T, h history.History) {
	w := history.Play(h, history.Ours)
	if len(w.Wrong) > 0 {
		t.Fatalf("%s\n%s", strings.Join(w.Wrong, "\n"), h)
	}
}

func TestRunsOneAfterTheOther(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) { hold(t, draw(t, limits{runs: 25})) })
}

func TestRunsOneAfterTheOtherWithEvidenceWithheld(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) { hold(t, draw(t, limits{runs: 25, withheld: true})) })
}

// At the edges of the evidence: others who publish and deploy, jobs that prove
// nothing, clocks that differ.
func TestEdgesOfTheEvidence(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) { hold(t, draw(t, limits{runs: 12, edges: true})) })
}

func TestOverlappingRuns(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) { hold(t, draw(t, limits{runs: 25, overlaps: true})) })
}

func TestOverlappingRunsWithEvidenceWithheld(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) { hold(t, draw(t, limits{runs: 25, overlaps: true, withheld: true})) })
}
