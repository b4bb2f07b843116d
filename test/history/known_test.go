package history_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/test/history"
)

// mistake is a history in which the program once ended wrong, as random histories
// brought it up, with the run whose rollback shows it.
type mistake struct {
	name string
	run  int   // its number, from 1
	want int64 // where it belongs; 0: by the truth
	h    []history.Plan
	// still says why it ends wrong to this day; empty: it ends right.
	still string
}

func plan(end history.End, change ...func(*history.Plan)) history.Plan {
	p := history.Plan{After: 10 * time.Minute, Ends: end, Test: 10 * time.Second, Deploy: 20 * time.Second, Smoke: 10 * time.Second}
	for _, c := range change {
		c(&p)
	}
	return p
}

func overlaps(after int) func(*history.Plan) {
	return func(p *history.Plan) { p.Overlaps, p.After = true, time.Duration(after)*time.Second }
}

func takes(test, deploy, smoke int) func(*history.Plan) {
	return func(p *history.Plan) {
		p.Test, p.Deploy, p.Smoke = time.Duration(test)*time.Second, time.Duration(deploy)*time.Second, time.Duration(smoke)*time.Second
	}
}

func does(what history.What) func(*history.Plan) {
	return func(p *history.Plan) { p.Does, p.Back = what, 1 }
}

func again(ends history.End) func(*history.Plan) {
	return func(p *history.Plan) { p.Rerun = &history.Rerun{After: 10 * time.Second, Ends: ends} }
}

func evidence(e history.Evidence) func(*history.Plan) {
	return func(p *history.Plan) { p.Evidence = e }
}

func naming(n history.Naming) func(*history.Plan) {
	return func(p *history.Plan) { p.Naming = n }
}

func fixed(after int) func(*history.Plan) {
	return func(p *history.Plan) { p.Hotfix = &history.Hotfix{After: time.Duration(after) * time.Second} }
}

func linted(takes int) func(*history.Plan) {
	return func(p *history.Plan) { p.Lint = &history.Lint{Takes: time.Duration(takes) * time.Second} }
}

func snapshot(p *history.Plan) { p.Snapshot = true }
func tells(p *history.Plan)    { p.Tells = true }

// mistakes are the counterexamples that the random histories have brought up.
func mistakes() []mistake {
	good, bad := history.Succeeds, history.FailsSmoke
	return []mistake{
		// A newer deploy is overwritten.
		{"a newer run deploys during the smoke test of a run with a snapshot", 2, 0, []history.Plan{
			plan(good), plan(bad, snapshot, takes(10, 20, 90)), plan(good, overlaps(20)),
		}, ""},
		{"a newer run deploys during the smoke test of a run that had nothing new to publish", 2, 0, []history.Plan{
			plan(good), plan(bad, does(history.Redeploys), takes(10, 20, 90)), plan(good, overlaps(20)),
		}, ""},
		{"a newer run deploys during the smoke test of a second attempt that had nothing new to publish", 1, 0, []history.Plan{
			plan(bad, again(bad), takes(10, 20, 60)), plan(good, overlaps(150)),
		}, ""},
		{"a newer run deploys during the smoke test, and an older run's smoke test goes on", 2, 0, []history.Plan{
			plan(good, does(history.Redeploys), takes(5, 10, 120)), plan(bad, overlaps(2), takes(20, 20, 60)), plan(good, overlaps(2), takes(50, 20, 10)),
		}, "three runs at once, and either job may have published: use a concurrency group, or deployed-version"},
		{"a newer run deploys during the smoke test, and GitHub does not tell of older runs", 2, 0, []history.Plan{
			plan(good, takes(3, 10, 3)), plan(bad, overlaps(1), takes(6, 10, 40), evidence(history.NoAnswers)), plan(good, overlaps(20), takes(3, 10, 10)),
		}, ""},
		{"a newer run promotes an older version during the smoke test of a run with a snapshot", 3, 0, []history.Plan{
			plan(good), plan(good), plan(bad, snapshot, takes(10, 20, 90)), plan(good, overlaps(20), does(history.Promotes), func(p *history.Plan) { p.Back = 2 }),
		}, "no time tells when an older version was promoted: use a concurrency group, or deployed-version"},
		// An older run's deploy is taken for this run's.
		{"unit tests fail while an older run deploys", 2, 0, []history.Plan{
			plan(good), plan(history.FailsTests, overlaps(8), takes(20, 20, 10)),
		}, ""},
		{"unit tests fail while an older run has published and not yet moved the alias", 3, 0, []history.Plan{
			plan(good, takes(10, 40, 10)), plan(history.FailsTests, overlaps(10), takes(15, 20, 10)), plan(history.FailsMidCanary),
		}, ""},
		// The alias stays on what failed.
		{"a slow older run fails after a newer run has deployed", 1, 0, []history.Plan{
			plan(history.FailsMidCanary, takes(60, 40, 10)), plan(good, overlaps(1), takes(3, 10, 3)),
		}, ""},
		{"a second attempt fails with the first one's version, and a newer run has only tested", 1, 0, []history.Plan{
			plan(history.FailsAfterPublishing, takes(3, 10, 3), again(bad)), plan(history.FailsTests, overlaps(1), takes(3, 10, 3)),
		}, ""},
		{"nothing was known of a failed run, and there was nothing below to go back to", 2, 0, []history.Plan{
			plan(history.FailsTests, evidence(history.Nothing)), plan(bad),
		}, ""},
		{"a promotion failed before it moved the alias to the only older version", 3, 0, []history.Plan{
			plan(good), plan(history.FailsAfterPublishing, does(history.Promotes), tells),
			plan(bad, func(p *history.Plan) { p.Spoil, p.State = 1, types.StateFailed }),
		}, ""},
		// The alias goes to a version of a failed run.
		{"a run with a snapshot fails after publishing, and the next run fails", 2, 0, []history.Plan{
			plan(history.FailsAfterPublishing, snapshot), plan(bad),
		}, ""},
		{"four deleted numbers lie below a version that was published and never served", 7, 0, []history.Plan{
			plan(bad), plan(bad), plan(bad), plan(bad), plan(bad),
			plan(history.FailsAfterPublishing, func(p *history.Plan) { p.Delete = 9 }), plan(bad),
		}, ""},
		{"a run's version is the old half of a newer run's canary when both fail", 2, 0, []history.Plan{
			plan(bad, takes(5, 10, 60)), plan(history.FailsMidCanary, overlaps(20), takes(5, 90, 5)),
		}, ""},
		{"a snapshot was taken of what an older run then failed with", 2, 0, []history.Plan{
			plan(bad, takes(5, 10, 40)), plan(bad, overlaps(20), snapshot, takes(5, 10, 60)),
		}, ""},
		// A good version is passed over.
		{"a failed build succeeded when a later commit deployed it unchanged", 3, 2, []history.Plan{
			plan(bad), plan(good, does(history.Redeploys)), plan(bad),
		}, "the contract asks only the run that rejected it"},
		{"a snapshot was taken before an older run moved the alias, and the canary after it fails", 2, 2, []history.Plan{
			plan(good, takes(3, 40, 3)), plan(history.FailsMidCanary, overlaps(1), snapshot, takes(3, 60, 3)),
		}, "the contract has a snapshot restored exactly"},
		// Others deploy, and jobs prove nothing.
		{"a hotfix while the deploy job itself was running", 2, 0, []history.Plan{
			plan(good), plan(bad, naming(history.NeedsAll), takes(10, 100, 10), fixed(100)),
		}, "nothing tells the two apart: use deployed-version"},
		{"a hotfix while the tests ran, and then the deploy fails before it publishes", 3, 0, []history.Plan{
			plan(good), plan(good), plan(history.FailsBeforePublishing, naming(history.NeedsAll), takes(60, 20, 10), fixed(20)),
		}, ""},
		{"a hotfix while the tests ran, and no earlier run shows which job deploys", 1, 0, []history.Plan{
			plan(history.FailsTests, naming(history.NeedsAll), takes(60, 20, 10), fixed(20)),
		}, "nothing is known of an earlier deploy: name the deploy job alone"},
		{"needs names the smoke test alone, and the deploy fails", 2, 0, []history.Plan{
			plan(good), plan(history.FailsAfterMoving, naming(history.NeedsSmoke)),
		}, "no named job failed: name the deploy job, too"},
		{"a job went on beside a deploy that failed, the first of all", 1, 0, []history.Plan{
			plan(history.FailsAfterMoving, naming(history.NeedsNone), linted(300)),
		}, "nothing says which of the two jobs deploys: it is left, with attention"},
		{"a job went on beside a deploy that failed, and earlier ones show which job deploys", 2, 0, []history.Plan{
			plan(good), plan(history.FailsAfterMoving, naming(history.NeedsNone), linted(300)),
		}, ""},
	}
}

// Each of these has been mended, but for those that say why not.
func TestKnownMistakes(t *testing.T) {
	t.Parallel()
	for _, m := range mistakes() {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			w := history.Play(history.History{Functions: 1, Plans: m.h}, history.Ours)
			shown, wrong := false, ""
			for _, v := range w.Judged {
				if v.Run != m.run {
					continue
				}
				shown = true
				if !v.Right || (m.want != 0 && v.Now != history.Serving{Version: m.want}) {
					wrong = fmt.Sprintf("%s became %s, but belongs on %v (stays: %t; wanted: %d)", v.Was, v.Now, v.Truth.Accept, v.Truth.Stays, m.want)
				}
			}
			require.True(t, shown, "the rollback of run %d did not run", m.run)
			if m.still != "" {
				require.NotEmpty(t, wrong, "it is mended: no longer still")
				t.Skip(m.still + " (" + wrong + ")")
			}
			assert.Empty(t, wrong)
		})
	}
}
