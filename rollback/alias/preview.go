package alias

import (
	"fmt"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// decidePreview returns what a rollback would do if the live version had to be
// replaced: for checks, drills and choices, without a failed run. It rejects no
// version.
func decidePreview(o Observation) Decision {
	o.RunAwaited = false
	return decideWith(o, func(f *facts) Decision {
		d, onLatest := aliasOnLatest(f)
		if !onLatest || f.o.Request.Target != 0 {
			d = leaveWhatServes(f)
		}
		d.Reject, d.Unreject, d.Proof = nil, 0, ""
		return d
	})
}

func leaveWhatServes(f *facts) Decision {
	now := f.o.Alias
	failing := now.newest()
	if d, chosen := chosenTarget(f); chosen {
		return d
	}
	if now.Weighted == 0 {
		return below(f, failing, true)
	}
	target := now.other(failing)
	u := f.usable(target)
	if _, rejected := f.o.Memory.Rejected.Find(target); rejected || !u.ok {
		return below(f, failing, true)
	}
	return Decision{
		Action: Move, Reason: report.CanaryStopped, Target: target, Notes: u.notes,
		Why: fmt.Sprintf("it shares the traffic with version %d, which is being rolled out", failing),
	}
}
