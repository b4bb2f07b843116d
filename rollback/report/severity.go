package report

import (
	"cmp"
	"slices"
)

// Severity says how soon somebody must look at the result. It is determined only here:
// the colors of channels, the boxes of pages, the annotations of the log, the marks
// and the order of functions are derived from it.
type Severity string

// The severities, most urgent first.
const (
	SeverityFailure   Severity = "failure"   // production is not healthy, or may not be: immediate action
	SeverityAttention Severity = "attention" // the program can do nothing else, and manual action is required
	SeverityDone      Severity = "done"      // the rollback is done, and production is healthy as far as is known
	SeverityQuiet     Severity = "quiet"     // nothing happened; for information
)

var severities = []Severity{SeverityFailure, SeverityAttention, SeverityDone, SeverityQuiet}

// rank is lower for a more urgent severity.
func (s Severity) rank() int { return slices.Index(severities, s) }

// SeverityOf returns the severity of a whole result: the severity of its most urgent
// function, or its own if that is more urgent.
func SeverityOf(r Result) Severity {
	worst := severity(r.Status, r.Healthy, needsAttention(r.Status, r.Reason) || r.isInconclusive())
	for _, f := range r.Functions {
		if own := f.severity(); own.rank() < worst.rank() {
			worst = own
		}
	}
	return worst
}

func (f Function) severity() Severity {
	return severity(f.Status, f.Healthy, f.NeedsAttention() || f.hasMovedBack() && f.isInconclusive())
}

func severity(status Status, healthy Health, attention bool) Severity {
	switch {
	case status == Failed, healthy == NotHealthy:
		return SeverityFailure
	case status == NotReady, attention:
		return SeverityAttention
	case status == RolledBack, status == Drilled, status == Ready, status == Promoted:
		return SeverityDone
	default:
		return SeverityQuiet
	}
}

// isInconclusive reports whether the alias has moved, but the checks could not show
// whether production recovered.
func (r Result) isInconclusive() bool {
	return (r.Status == RolledBack || r.Status == Drilled) && r.Healthy != Healthy &&
		slices.ContainsFunc(r.Functions, Function.wasChecked)
}

// isInconclusive reports whether the checks do not show that the function is healthy.
func (f Function) isInconclusive() bool { return f.Healthy != Healthy && f.wasChecked() }

func (f Function) hasMovedBack() bool { return f.Status == RolledBack || f.Status == Drilled }

// NeedsAttention reports whether nothing failed, but manual action is required:
// `attention` of the input `notify-on`.
func (r Result) NeedsAttention() bool {
	return needsAttention(r.Status, r.Reason) || slices.ContainsFunc(r.Functions, Function.NeedsAttention)
}

// NeedsAttention is Result.NeedsAttention for one function. It also reports true if a
// deploy failed and was not changed.
func (f Function) NeedsAttention() bool { return f.Attention || needsAttention(f.Status, f.Reason) }

func needsAttention(status Status, reason Reason) bool {
	return status == Skipped && reason == NoPreviousVersion
}

// statusMarks are the emojis for results that are not urgent.
var statusMarks = map[Status]string{
	RolledBack: "✅",
	Planned:    "🔍",
	Skipped:    "⏭️",
	Ready:      "✅",
	Taken:      "📌",
	Listed:     "📋",
	Drilled:    "✅",
	Promoted:   "✅",
}

const (
	failureMark   = "🚨"
	attentionMark = "⚠️"
)

// mark is the emoji before the headline.
func (r Result) mark() string { return mark(SeverityOf(r), r.Status) }

// mark of a function is shown next to its outcome and covers only that, because its
// checks have their own marks.
func (f Function) mark() string { return mark(severity(f.Status, "", f.NeedsAttention()), f.Status) }

func mark(s Severity, status Status) string {
	switch s {
	case SeverityFailure:
		return failureMark
	case SeverityAttention:
		return attentionMark
	case SeverityDone, SeverityQuiet:
	}
	return cmp.Or(statusMarks[status], "▪️")
}

// precedence orders the statuses: the first one that any function has is the status of
// the whole result.
var precedence = []Status{Failed, NotReady, RolledBack, Planned, Drilled, Promoted, Taken, Listed, Ready, Skipped}

func precedenceOf(status Status) int {
	if at := slices.Index(precedence, status); at >= 0 {
		return at
	}
	return len(precedence)
}

// mostUrgentFirst sorts functions by severity, then by status, and otherwise keeps
// their order.
func mostUrgentFirst(all []Function) []Function {
	return slices.SortedStableFunc(slices.Values(all), func(a, b Function) int {
		return cmp.Or(
			cmp.Compare(a.severity().rank(), b.severity().rank()),
			-cmp.Compare(promotedStill(a), promotedStill(b)),
			cmp.Compare(precedenceOf(a.Status), precedenceOf(b.Status)))
	})
}

// promotedStill returns the share of the traffic that a promotion could not return.
func promotedStill(f Function) float64 {
	if f.NotRestored && f.Promotion != nil {
		return f.Promotion.Weight
	}
	return 0
}
