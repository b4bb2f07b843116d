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
	Plans        []Plan
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

// What a run does.
type What int

// What runs do.
const (
	Deploys   What = iota // builds something new
	Redeploys             // builds what was published last, once more: nothing new to publish
	Promotes              // publishes nothing, and moves the alias to an older version
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

func (w What) String() string { return [...]string{"deploys", "redeploys", "promotes"}[w] }
func (e End) String() string {
	return [...]string{"succeeds", "fails tests", "fails before publishing", "fails after publishing", "fails mid-canary", "fails after moving", "fails smoke"}[e]
}
func (e Evidence) String() string {
	return [...]string{"everything", "no answers", "no newer runs", "created only", "bound only", "nothing"}[e]
}

// String tells a history in one line a run, for counterexamples.
func (h History) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d functions, all-or-nothing %t\n", h.Functions, h.AllOrNothing)
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
		say(p.Delete != 0, "%d deleted before", p.Delete)
		say(p.Spoil != 0, "%d below is %s %s", p.Spoil, p.State, p.Reason)
		if r := p.Rerun; r != nil {
			say(true, "re-run after %s, failed jobs only %t: %s", r.After, r.FailedOnly, r.Ends)
		}
		b.WriteString(")\n")
	}
	return b.String()
}
