package report

import (
	"fmt"
	"slices"
	"time"
)

// Event names a moment of the way from the failed run to the recovery.
type Event string

// The events, in the order in which they come.
const (
	RunCreated   Event = "run-created"
	DeployFailed Event = "deploy-failed"
	Started      Event = "started"
	AliasMoved   Event = "alias-moved"
	TrafficMoved Event = "traffic-moved"
	Verified     Event = "verified"
	Returned     Event = "returned" // of a drill

	TrafficShifted Event = "traffic-shifted" // of a promotion
	Looked         Event = "looked"          // of a promotion
	Notified       Event = "told"
)

// Moment is when something happened, an entry of the timeline.
type Moment struct {
	Event  Event
	At     time.Time
	Detail string // plain text, from outside in parts
}

// eventTexts are the events in words.
var eventTexts = map[Event]string{
	RunCreated:   "Run created",
	DeployFailed: "Deploy failed",
	Started:      "This action started",
	AliasMoved:   "Alias moved",
	TrafficMoved: "Traffic moved",
	Verified:     "Verified",
	Returned:     "Alias returned",

	TrafficShifted: "Traffic shifted",
	Looked:         "Checked",
	Notified:       "Told",
}

// timelineWithRun puts what is known of the run before the moments of a function.
// Each function has the whole of it, for it is read alone.
func timelineWithRun(run Run, started time.Time, own []Moment) []Moment {
	before := []Moment{}
	if !run.CreatedAt.IsZero() && !run.CreatedBound {
		before = append(before, Moment{Event: RunCreated, At: run.CreatedAt, Detail: plainText.runName(run)})
	}
	if failed, detail := failedAt(run); !failed.IsZero() {
		before = append(before, Moment{Event: DeployFailed, At: failed, Detail: detail})
	}
	if !started.IsZero() {
		before = append(before, Moment{Event: Started, At: started})
	}
	return append(before, own...)
}

// CompleteTimeline fills in a function's timeline and its time to recovery. What
// was left alone has none.
func CompleteTimeline(f *Function, run Run, started time.Time) {
	if f.Status != RolledBack && f.Status != Failed && f.Status != Drilled && f.Status != Promoted {
		return
	}
	f.Timeline = timelineWithRun(run, started, f.Timeline)
	if d, known := recoveryTime(f.Timeline, Verified); known && f.Healthy == Healthy {
		ms := d.Milliseconds()
		f.RecoveryMS = &ms
	}
}

// failedAt is when the first job failed that is known to have. Where some jobs
// were counted, and are known by name, it is the first of them: another job can
// have failed long before the deploy.
func failedAt(run Run) (at time.Time, detail string) {
	failed := failedJobs(run.Jobs)
	counted := slices.DeleteFunc(slices.Clone(failed), func(j Job) bool { return !j.counts(run.Counted) })
	if len(counted) > 0 {
		failed = counted
	}
	for _, job := range failed {
		if !job.CompletedAt.IsZero() && (at.IsZero() || job.CompletedAt.Before(at)) {
			at, detail = job.CompletedAt, "job “"+Line(job.Name, longestName)+"”"
			if job.FailedStep != "" {
				detail += ", step “" + Line(job.FailedStep, longestName) + "”"
			}
		}
	}
	return at, detail
}

// recoveryTime is the time from the failure to a moment that is named by an event,
// the last one of it; false: one of the two is not known.
func recoveryTime(all []Moment, until Event) (time.Duration, bool) {
	first := slices.IndexFunc(all, func(m Moment) bool { return m.Event == DeployFailed })
	last := -1
	for i, m := range all {
		if m.Event == until {
			last = i
		}
	}
	if first < 0 || last < 0 {
		return 0, false
	}
	d := all[last].At.Sub(all[first].At)
	return d, d >= 0 // GitHub's clock and this machine's differ
}

// timelineTable is the section of the summary.
func timelineTable(f Function) string {
	if !slices.ContainsFunc(f.Timeline, func(m Moment) bool { return m.Event == AliasMoved || m.Event == TrafficShifted }) {
		return ""
	}
	text := momentTable(f.Timeline)
	if line := recoveryLine(f); line != "" {
		text = line + "\n\n" + text
	}
	return text
}

// momentTable is a table of them, with the time since the deploy failed.
func momentTable(timeline []Moment) string {
	base := timeline[0].At
	for _, m := range timeline {
		if m.Event == DeployFailed {
			base = m.At
		}
	}
	all, left := firstAndLast(timeline, maxLines)
	rows, more := upTo(len(all), maxLines, sectionBytes, func(i int) string {
		m := all[i]
		if m.Event == "" {
			return fmt.Sprintf("| | | %d more are left out here | |", left)
		}
		return fmt.Sprintf("| %s | %s | %s | %s |", m.At.UTC().Format("15:04:05"), offsetText(base, m.At), eventTexts[m.Event], orDash(escapeMarkdown(m.Detail, longestCell)))
	})
	return "| UTC | | What | |\n| --- | --: | --- | --- |\n" + rows + leftOut(more)
}

// firstMoments are kept where moments are left out: the failure and the first move.
const firstMoments = 8

// firstAndLast keeps the first and the last moments where there are too many,
// with an empty one in place of the others: how it ended is what is asked for.
func firstAndLast(all []Moment, most int) (kept []Moment, left int) {
	if len(all) <= most {
		return all, 0
	}
	last := all[len(all)-(most-firstMoments-1):]
	left = len(all) - firstMoments - len(last)
	return slices.Concat(all[:firstMoments], []Moment{{}}, last), left
}

// recoveryLine is the number that teams are measured by, in a sentence.
func recoveryLine(f Function) string {
	if d, known := recoveryTime(f.Timeline, Verified); known && f.Healthy == Healthy {
		return "**Time to recovery: " + durationText(d) + "**, from the failed job to the confirmed recovery."
	}
	if d, known := recoveryTime(f.Timeline, AliasMoved); known && f.Healthy != NotHealthy && f.MovedAt != "" {
		return "Back on the earlier version **" + durationText(d) + "** after the deploy had failed; that production recovered was not proven."
	}
	return ""
}

// offsetText says how long before or after the failure something was.
func offsetText(base, at time.Time) string {
	switch d := at.Sub(base).Round(time.Second); {
	case d == 0:
		return "0 s"
	case d < 0:
		return "−" + durationText(-d)
	default:
		return "+" + durationText(d)
	}
}

// durationText writes a time as people say it: 48 s, 3 min 20 s, 2 h 5 min.
func durationText(d time.Duration) string {
	d = d.Round(time.Second)
	h, m, s := int(d/time.Hour), int(d/time.Minute)%60, int(d/time.Second)%60
	switch {
	case h > 0 && m > 0:
		return fmt.Sprintf("%d h %d min", h, m)
	case h > 0:
		return fmt.Sprintf("%d h", h)
	case m > 0 && s > 0:
		return fmt.Sprintf("%d min %d s", m, s)
	case m > 0:
		return fmt.Sprintf("%d min", m)
	default:
		return fmt.Sprintf("%d s", s)
	}
}
