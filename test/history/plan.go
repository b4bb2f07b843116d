// Package history plays random histories of deploys against the rollback, in
// memory, and judges each rollback by what really happened: the model knows who
// published and who moved what, the program has to find it out.
package history

import (
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

// History is everything that will happen, as plain data.
type History struct {
	Functions    int // 1 or 2
	AllOrNothing bool
	// Skew is how far AWS's clock is ahead of GitHub's.
	Skew  time.Duration
	Plans []Plan
}

// Plan is one run of the workflow, and what happens around it.
type Plan struct {
	// After is how long after the run before was created this one is, where it
	// overlaps that one; else how long after everything had ended.
	After    time.Duration
	Overlaps bool

	Does   What
	Back   int // of a promotion: how many existing versions below the serving one
	Canary Canary
	Ends   End
	// FirstOnly: of several functions only the first was reached when the
	// deploy failed.
	FirstOnly bool
	// Uploads: the code was changed before a deploy failed before publishing.
	Uploads bool

	Test, Deploy, Smoke time.Duration

	Snapshot bool // the run notes what serves before it deploys
	Tells    bool // the run says which version it deployed

	Evidence  Evidence
	Faults    uint64        // seed; 0: none
	Twice     Twice         // whether the rollback's step is run again at once
	Interrupt time.Duration // so much of the future happens between the rollback's look and its move

	Rerun *Rerun

	Naming   Naming        // what the rollback job is told of the other jobs
	Always   bool          // the rollback job runs after a run that succeeded, too
	Dispatch bool          // somebody started the run by hand, to deploy
	Approval time.Duration // the deploy job waits so long for it
	Lint     *Lint
	Hotfix   *Hotfix

	Delete int // old versions, never an aliased one, deleted before it begins
	Spoil  int // the version so many below the serving one gets this state when its deploy is over
	State  types.State
	Reason types.StateReasonCode
}

// Rerun is a second attempt.
type Rerun struct {
	After      time.Duration // after the first has ended
	FailedOnly bool          // "re-run failed jobs": what had succeeded is kept
	Ends       End
}

// Lint is a job beside the others, which may fail without the run failing.
type Lint struct {
	After, Takes time.Duration // after the run has begun
	Fails        bool
}

// Hotfix is what somebody else does, of whom GitHub's runs of this workflow show
// nothing: a person, another workflow, a tool.
type Hotfix struct {
	After time.Duration // after the run was created
	// Restores: nothing is published, and the alias is put where it was before the
	// last rollback.
	Restores bool
}

// Naming is what the rollback job's inputs say of the other jobs.
type Naming int

// Namings.
const (
	NotJudged   Naming = iota // that a deploy failed is given, and nothing else
	NeedsAll                  // needs: tests, deploy and smoke test
	NeedsDeploy               // needs: deploy and smoke test
	NeedsSmoke                // needs: smoke test
	NeedsNone                 // no needs: the jobs by the API
	DeployJob                 // no needs, and deploy-job names the deploy and the smoke test
)

// What a run does.
type What int

// What runs do.
const (
	Deploys   What = iota // builds something new
	Redeploys             // builds what was published last, once more: nothing new to publish
	Promotes              // publishes nothing, and moves the alias to an older version
	Stages                // builds something new for the alias staging alone
)

// Canary is how the new version comes behind the alias.
type Canary int

// Canaries.
const (
	AtOnce   Canary = iota
	OldFirst        // the old version serves, the new one has a weight
	NewFirst        // the new version serves, the old one has a weight
)

// End is how a run ends.
type End int

// Ends.
const (
	Succeeds End = iota
	FailsTests
	FailsBeforePublishing
	FailsAfterPublishing
	FailsMidCanary
	FailsAfterMoving
	FailsSmoke
)

// Evidence is what GitHub tells.
type Evidence int

// Levels of evidence.
const (
	Everything  Evidence = iota
	NoAnswers            // everything about the run, but no answers to later questions
	NoNewer              // the run and its jobs
	CreatedOnly          // created_at alone
	BoundOnly            // a push's time, which is not after it
	Nothing
)

// Twice is whether and how the rollback's step is run again.
type Twice int

// Ways to run a step again.
const (
	Once Twice = iota
	SameAttempt
	NextAttempt // "re-run this job": the other jobs are kept
)

func (w What) String() string { return [...]string{"deploys", "redeploys", "promotes", "stages"}[w] }
func (e End) String() string {
	return [...]string{"succeeds", "fails tests", "fails before publishing", "fails after publishing", "fails mid-canary", "fails after moving", "fails smoke"}[e]
}
func (e Evidence) String() string {
	return [...]string{"everything", "no answers", "no newer runs", "created only", "bound only", "nothing"}[e]
}

// String tells a history in one line a run, for counterexamples.
func (h History) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d functions, all-or-nothing %t, AWS's clock is %s ahead\n", h.Functions, h.AllOrNothing, h.Skew)
	for i, p := range h.Plans {
		fmt.Fprintf(&b, "  run %d: +%s", i+1, p.After)
		if p.Overlaps {
			b.WriteString(" overlapping")
		}
		fmt.Fprintf(&b, " %s, %s (test %s, deploy %s, smoke %s; evidence: %s", p.Does, p.Ends, p.Test, p.Deploy, p.Smoke, p.Evidence)
		say := func(given bool, format string, args ...any) {
			if given {
				fmt.Fprintf(&b, "; "+format, args...)
			}
		}
		say(p.Back > 0, "back %d", p.Back)
		say(p.Canary != AtOnce, "canary %d", p.Canary)
		say(p.FirstOnly, "first function only")
		say(p.Snapshot, "snapshot")
		say(p.Tells, "deployed-version")
		say(p.Faults != 0, "faults %d", p.Faults)
		say(p.Twice != Once, "step twice (%d)", p.Twice)
		say(p.Interrupt != 0, "interrupted for %s", p.Interrupt)
		say(p.Naming != NotJudged, "naming %d", p.Naming)
		say(p.Always, "rollback always runs")
		say(p.Dispatch, "dispatched")
		say(p.Approval != 0, "approved after %s", p.Approval)
		if p.Lint != nil {
			say(true, "lint after %s for %s, fails %t", p.Lint.After, p.Lint.Takes, p.Lint.Fails)
		}
		if p.Hotfix != nil {
			say(true, "hotfix after %s, restores %t", p.Hotfix.After, p.Hotfix.Restores)
		}
		say(p.Delete != 0, "%d deleted before", p.Delete)
		say(p.Spoil != 0, "%d below is %s %s", p.Spoil, p.State, p.Reason)
		if r := p.Rerun; r != nil {
			say(true, "re-run after %s, failed jobs only %t: %s", r.After, r.FailedOnly, r.Ends)
		}
		b.WriteString(")\n")
	}
	return b.String()
}
