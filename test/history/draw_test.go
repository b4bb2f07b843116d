package history_test

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"pgregory.net/rapid"

	"github.com/org/lambda-rollback-action/test/history"
)

// limits are what a drawn history may contain.
type limits struct {
	runs     int
	overlaps bool
	withheld bool // evidence
	edges    bool // of the evidence: others who deploy, jobs that prove nothing
}

// draw gives a random history. The simple choices come first everywhere, so
// that rapid shrinks towards them.
func draw(t *rapid.T, within limits) history.History {
	h := history.History{
		Functions:    rapid.IntRange(1, 2).Draw(t, "functions"),
		AllOrNothing: rare(t, "all-or-nothing"),
	}
	if within.edges && rare(t, "clocks differ") {
		h.Skew = time.Duration(rapid.IntRange(-20, 20).Draw(t, "skew")) * time.Second
	}
	for range rapid.IntRange(1, within.runs).Draw(t, "runs") {
		h.Plans = append(h.Plans, drawPlan(t, within))
	}
	return h
}

func drawPlan(t *rapid.T, within limits) history.Plan {
	p := history.Plan{
		After:     seconds(t, "after", 5, 600),
		Does:      rapid.SampledFrom([]history.What{history.Deploys, history.Deploys, history.Deploys, history.Deploys, history.Redeploys, history.Promotes}).Draw(t, "does"),
		Canary:    rapid.SampledFrom([]history.Canary{history.AtOnce, history.AtOnce, history.OldFirst, history.NewFirst}).Draw(t, "canary"),
		Ends:      drawEnd(t),
		FirstOnly: rare(t, "first function only"),
		Uploads:   rare(t, "uploads"),
		Test:      seconds(t, "test", 3, 90),
		Deploy:    seconds(t, "deploy", 10, 120),
		Smoke:     seconds(t, "smoke", 3, 90),
		Snapshot:  rare(t, "snapshot"),
		Tells:     rare(t, "tells"),
		Twice:     rapid.SampledFrom([]history.Twice{history.Once, history.SameAttempt, history.NextAttempt}).Draw(t, "twice"),
	}
	if within.overlaps && rapid.Bool().Draw(t, "overlaps") {
		p.Overlaps = true
		p.After = seconds(t, "after", 1, 150)
		if rare(t, "interrupted") {
			p.Interrupt = seconds(t, "interrupt", 1, 120)
		}
	}
	if p.Does == history.Promotes {
		p.Back = rapid.IntRange(1, 3).Draw(t, "back")
		p.Snapshot = rapid.Bool().Draw(t, "snapshot of a promotion")
		p.Tells = p.Tells || !p.Snapshot
	}
	// A redeploy that finds nothing new to publish looks the same as a
	// promotion of what serves already; the contract believes
	// deployed-version, and has the snapshot to tell them apart.
	if p.Does == history.Redeploys && p.Tells {
		p.Snapshot = true
	}
	if within.withheld {
		p.Evidence = history.Evidence(rapid.IntRange(0, int(history.Nothing)).Draw(t, "evidence"))
	}
	if rare(t, "faults") {
		p.Faults = rapid.Uint64Range(1, 1_000_000).Draw(t, "seed")
	}
	if rare(t, "deletes") {
		p.Delete = rapid.IntRange(1, 5).Draw(t, "deleted")
	}
	if rare(t, "spoils") {
		p.Spoil = rapid.IntRange(1, 2).Draw(t, "spoiled")
		p.State = rapid.SampledFrom([]types.State{types.StateInactive, types.StatePending, types.StateFailed}).Draw(t, "state")
		if p.State == types.StateInactive && rapid.Bool().Draw(t, "image deleted") {
			p.Reason = types.StateReasonCodeImageDeleted
		}
	}
	if p.Ends != history.Succeeds && rare(t, "re-run") {
		p.Rerun = &history.Rerun{
			After:      seconds(t, "re-run after", 1, 300),
			FailedOnly: rapid.Bool().Draw(t, "failed only"),
			Ends:       drawEnd(t),
		}
		p.Interrupt = 0 // or the next attempt could begin within this one
	}
	if within.edges {
		drawEdges(t, &p)
	}
	return p
}

// drawEdges adds what others do, and what the jobs do not tell.
func drawEdges(t *rapid.T, p *history.Plan) {
	p.Naming = history.Naming(rapid.IntRange(int(history.NeedsAll), int(history.DeployJob)).Draw(t, "naming"))
	p.Always = rapid.Bool().Draw(t, "always")
	p.Dispatch = rare(t, "dispatch")
	if rare(t, "stages") {
		p.Does = history.Stages
	}
	if rare(t, "approval") {
		p.Approval = seconds(t, "approved after", 60, 7200)
	}
	if rare(t, "lint") {
		p.Lint = &history.Lint{After: seconds(t, "lint after", 0, 120), Takes: seconds(t, "lint takes", 5, 600), Fails: rapid.Bool().Draw(t, "lint fails")}
	}
	if rare(t, "hotfix") {
		p.Hotfix = &history.Hotfix{After: seconds(t, "hotfix after", 1, 900), Restores: rapid.Bool().Draw(t, "restores")}
	}
	if p.Rerun != nil && rapid.Bool().Draw(t, "days apart") {
		p.Rerun.After += 48 * time.Hour
		if p.Hotfix != nil {
			p.Hotfix.After += seconds(t, "between the attempts", 0, 40*3600)
		}
	}
}

func drawEnd(t *rapid.T) history.End {
	return history.End(rapid.IntRange(0, int(history.FailsSmoke)).Draw(t, "ends"))
}

func rare(t *rapid.T, label string) bool { return rapid.IntRange(0, 3).Draw(t, label) == 3 }

func seconds(t *rapid.T, label string, from, to int) time.Duration {
	return time.Duration(rapid.IntRange(from, to).Draw(t, label)) * time.Second
}
