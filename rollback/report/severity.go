package report

import (
	"cmp"
	"slices"
)

// Severity says how soon a person must look. It is worked out here alone: the
// colours of channels, the boxes of pages, the annotations of the log, the marks
// and the order of functions all derive from it.
type Severity string

// The severities, the most urgent first.
const (
	SeverityFailure   Severity = "failure"   // production is not well, or may not be: now
	SeverityAttention Severity = "attention" // nothing is left to do for the program, and a person must look
	SeverityDone      Severity = "done"      // it is done, and well as far as is known
	SeverityQuiet     Severity = "quiet"     // nothing happened; for the record
)

var severities = []Severity{SeverityFailure, SeverityAttention, SeverityDone, SeverityQuiet}

// rank is lower the more urgent a severity is.
func (s Severity) rank() int { return slices.Index(severities, s) }

// SeverityOf is the severity of a whole result: that of its most urgent function,
// or its own where that is more urgent.
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

// isInconclusive: the alias has moved, and the checks could not show whether
// production recovered.
func (r Result) isInconclusive() bool {
	return (r.Status == RolledBack || r.Status == Drilled) && r.Healthy != Healthy &&
		slices.ContainsFunc(r.Functions, Function.wasChecked)
}

// isInconclusive: what was checked does not show that the function is well.
func (f Function) isInconclusive() bool { return f.Healthy != Healthy && f.wasChecked() }

func (f Function) hasMovedBack() bool { return f.Status == RolledBack || f.Status == Drilled }

// NeedsAttention is true where nothing failed and manual action is required all the
// same: the `attention` of the input `notify-on`.
func (r Result) NeedsAttention() bool {
	return needsAttention(r.Status, r.Reason) || slices.ContainsFunc(r.Functions, Function.NeedsAttention)
}

// NeedsAttention is that of Result for one function: true also where a deploy
// failed that was left as it is.
func (f Function) NeedsAttention() bool { return f.Attention || needsAttention(f.Status, f.Reason) }

func needsAttention(status Status, reason Reason) bool {
	return status == Skipped && reason == NoPreviousVersion
}

// statusMarks are the emojis of results that nobody must hurry for.
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

// mark stands before the headline.
func (r Result) mark() string { return mark(SeverityOf(r), r.Status) }

// mark of a function stands beside what was done with it, and is about that alone:
// its checks have marks of their own.
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

// precedence orders the statuses: the first one that a function has is the
// status of the whole.
var precedence = []Status{Failed, NotReady, RolledBack, Planned, Drilled, Promoted, Taken, Listed, Ready, Skipped}

func precedenceOf(status Status) int {
	if at := slices.Index(precedence, status); at >= 0 {
		return at
	}
	return len(precedence)
}

// mostUrgentFirst sorts functions by severity, then by status, and otherwise
// leaves them in the order given.
func mostUrgentFirst(all []Function) []Function {
	return slices.SortedStableFunc(slices.Values(all), func(a, b Function) int {
		return cmp.Or(
			cmp.Compare(a.severity().rank(), b.severity().rank()),
			-cmp.Compare(promotedStill(a), promotedStill(b)),
			cmp.Compare(precedenceOf(a.Status), precedenceOf(b.Status)))
	})
}

// promotedStill is the share of the traffic that a promotion could not return.
func promotedStill(f Function) float64 {
	if f.NotRestored && f.Promotion != nil {
		return f.Promotion.Weight
	}
	return 0
}
