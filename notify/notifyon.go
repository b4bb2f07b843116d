package notify

import (
	"slices"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// Always is the entry of `notify-on` that matches every result.
const Always = "always"

// Promoted is the entry for promotions: that one has begun, each of its steps, and
// its end, whatever that is.
const Promoted = "promoted"

// ShouldNotify reports whether a result matches the input `notify-on`. A result may be
// of several kinds: one that failed because production is not healthy was rolled
// back, too.
func ShouldNotify(on []string, r report.Result) bool {
	if r.Declined { // a person looked, and left all as it is
		return false
	}
	kinds := append(kindsOf(r), Always)
	return slices.ContainsFunc(on, func(entry string) bool { return slices.Contains(kinds, entry) })
}

func kindsOf(r report.Result) []string {
	var kinds []string
	add := func(is bool, kind string) {
		if is {
			kinds = append(kinds, kind)
		}
	}
	is := func(status report.Status) bool {
		return r.Status == status || slices.ContainsFunc(r.Functions, func(f report.Function) bool { return f.Status == status })
	}
	rollback := r.Command == "" || r.Command == "rollback"
	add(is(report.RolledBack) || rollback && r.RolledBack(), "rolled-back")
	add(is(report.Failed) || is(report.NotReady), "failed")
	add(r.Command == "promote" && (r.Status == report.Promoted || r.Status == report.Failed), Promoted)
	add(r.NeedsAttention(), "attention")
	add(r.Status == report.Skipped, "skipped")
	add(r.Status == report.Planned, "planned")
	return kinds
}

// IsTest reports whether a test message is to be sent: the command `check` with
// `notify-on: always`.
func IsTest(on []string, r report.Result) bool {
	return r.Command == "check" && slices.Contains(on, Always)
}
