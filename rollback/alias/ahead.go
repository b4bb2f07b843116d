package alias

import (
	"fmt"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// ahead is what a rollback would do if what serves now had to be left: for
// checks, drills and choices, where no run has failed. Nothing is rejected by it.
func ahead(o Observation) Decision {
	if d, matches := onLatest(o); matches {
		return d
	}
	d := leaveWhatServes(o)
	d.Reject, d.Unreject, d.Proof = nil, 0, ""
	return d
}

func leaveWhatServes(o Observation) Decision {
	failing := o.Alias.newest()
	switch {
	case o.Ask.Target != 0:
		d, _ := chosen(o)
		return d
	case o.Alias.Weighted == 0:
		return o.below(failing, true)
	}
	target := o.Alias.other(failing)
	u := o.usable(target)
	if !u.want.nothing() {
		return learn(u.want)
	}
	if _, rejected := o.Memory.Rejected.Find(target); rejected || !u.ok {
		return o.below(failing, true)
	}
	return Decision{
		Action: Move, Reason: report.CanaryStopped, Target: target, Notes: u.notes,
		Why: fmt.Sprintf("it serves beside version %d, which is being rolled out", failing),
	}
}
