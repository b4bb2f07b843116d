package report

import (
	"fmt"
	"slices"
	"strconv"
	"time"
)

// Event is a kind of event between the failed run and the recovery.
type Event string

// The events, in the order in which they occur.
const (
	RunCreated   Event = "run-created"
	DeployFailed Event = "deploy-failed"
	Started      Event = "started"
	AliasMoved   Event = "alias-moved"
	TrafficMoved Event = "traffic-moved"
	Verified     Event = "verified"
	Returned     Event = "returned" // in a drill

	TrafficShifted Event = "traffic-shifted" // in a promotion
	Looked         Event = "looked"          // in a promotion
	Notified       Event = "told"
)

// Moment is an entry of the timeline.
type Moment struct {
	Event  Event
	At     time.Time
	Detail string // plain text, partly from outside
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

// timelineWithRun puts what is known about the run before the moments of a function.
// Each function has the whole timeline, because it is read separately.
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

// CompleteTimeline completes a function's timeline and its time to recovery. A skipped
// function has none.
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

// failedAt returns when the first job failed, as far as that is known. If some jobs
// were counted, and their names are known, it is the first of those: another job can
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

// recoveryTime returns the time from the failure to the last occurrence of an event,
// or false if one of the two times is not known.
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
	return d, d >= 0 // the clocks of GitHub and AWS differ
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

// momentTable is a table of moments, with the time since the deploy failed.
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
			return fmt.Sprintf("| | | %d more are not shown here | |", left)
		}
		return fmt.Sprintf("| %s | %s | %s | %s |", m.At.UTC().Format("15:04:05"), offsetText(base, m.At), eventTexts[m.Event], orDash(escapeMarkdown(m.Detail, longestCell)))
	})
	return "| UTC | | What | |\n| --- | --: | --- | --- |\n" + rows + leftOut(more)
}

// firstMoments is how many first moments are always kept: the failure and the first
// move.
const firstMoments = 8

// firstAndLast keeps the first and the last moments if there are too many, with an
// empty one in place of the others, because the end matters most.
func firstAndLast(all []Moment, most int) (kept []Moment, left int) {
	if len(all) <= most {
		return all, 0
	}
	last := all[len(all)-(most-firstMoments-1):]
	left = len(all) - firstMoments - len(last)
	return slices.Concat(all[:firstMoments], []Moment{{}}, last), left
}

// recoveryLine is a sentence with the time to recovery, which teams measure.
func recoveryLine(f Function) string {
	if d, known := recoveryTime(f.Timeline, Verified); known && f.Healthy == Healthy {
		return "**Time to recovery: " + DurationText(d.Round(time.Second)) + "**, from the failed job to the confirmed recovery."
	}
	if d, known := recoveryTime(f.Timeline, AliasMoved); known && f.Healthy != NotHealthy && f.MovedAt != "" {
		return "Back on the earlier version **" + DurationText(d.Round(time.Second)) + "** after the deploy failed; the recovery of production is not confirmed."
	}
	return ""
}

// offsetText returns how long before or after the failure something happened.
func offsetText(base, at time.Time) string {
	switch d := at.Sub(base).Round(time.Second); {
	case d == 0:
		return "0 s"
	case d < 0:
		return "−" + DurationText(-d)
	default:
		return "+" + DurationText(d)
	}
}

// DurationText formats a duration for a sentence: 250 ms, 1.28 s, 48 s, 3 min 20 s, 2
// h 5 min.
func DurationText(d time.Duration) string {
	switch {
	case d == 0:
		return "0 s"
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < 10*time.Second:
		return strconv.FormatFloat(d.Round(10*time.Millisecond).Seconds(), 'f', -1, 64) + " s"
	}
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
