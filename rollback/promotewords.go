package rollback

import (
	"fmt"
	"strings"
	"time"

	"github.com/org/lambda-rollback-action/rollback/alias"
	"github.com/org/lambda-rollback-action/rollback/canary"
	"github.com/org/lambda-rollback-action/rollback/errorrate"
	"github.com/org/lambda-rollback-action/rollback/report"
)

// complete ends a promotion whose new version has 100% of the traffic.
func (p *promotion) complete(f *alias.Promoting, d canary.Decision, signals canary.Signals) {
	last := p.plan.Steps[len(p.plan.Steps)-1]
	switch {
	case last.For <= 0 && signals.Unsure:
		f.Complete(report.HealthUnknown, "a health check gave no result", true)
	case last.For <= 0:
		f.Complete(report.HealthUnknown, "it was not watched with 100% of the traffic", false)
	case d.Cause == canary.Inconclusive:
		f.Complete(report.HealthUnknown, "could not confirm that it is healthy: "+causeText(d, f.Report()), true)
	default:
		f.Complete(report.Healthy, fmt.Sprintf("it was watched for %s with 100%% of the traffic and is healthy: %s", report.DurationText(last.For), d.Verdict.Why()), false)
	}
}

// tell reports the result of a look in the log, the timeline and the summary.
func (p *promotion) tell(f *alias.Promoting, step canary.Step, l canary.Look, d canary.Decision) {
	now := awsNow(p.action)
	text := fmt.Sprintf("%s after %s: %s", stepShare(step), report.DurationText(l.Elapsed.Round(time.Second)), lookText(l, step.Whole(), d, f.Report()))
	p.action.log.Infof("%s: %s", f.Label(), text)
	r := f.Report()
	r.Looks = append(r.Looks, report.PromotionLook{At: now, Weight: step.Weight, Verdict: lookText(l, step.Whole(), d, r), Passed: d.Next == canary.Advance && d.Cause == canary.NoCause})
	f.Happened(report.Looked, now, text)
}

// lookText returns what a look found, and what happens next.
func lookText(l canary.Look, whole bool, d canary.Decision, r *report.Promotion) string {
	var parts []string
	switch {
	case l.Unknown:
		parts = append(parts, "the number of calls could not be read")
	case len(r.Minutes) == 0:
		parts = append(parts, "no minute has been counted yet")
	default:
		parts = append(parts, countsText(r, whole))
		if d.Next != canary.Keep || d.Verdict.Rose() {
			parts = append(parts, d.Verdict.Why())
		}
	}
	parts = append(parts, nextTexts[d.Next])
	return strings.Join(parts, "; ")
}

var nextTexts = map[canary.Next]string{
	canary.Keep:    "watching",
	canary.Advance: "step done",
	canary.Extend:  "extended once, by its own duration",
	canary.Back:    "returning to the stable version",
	canary.Done:    "done",
}

// countsText returns how many calls and errors each version had.
func countsText(r *report.Promotion, whole bool) string {
	if whole {
		return fmt.Sprintf("version %s had %s in %d calls with 100%% of the traffic", r.Version, errorsText(r.BakeErrors), r.BakeCalls)
	}
	text := fmt.Sprintf("version %s had %s in %d calls", r.Version, errorsText(r.Errors), r.Calls)
	if r.StableCalls > 0 {
		text += fmt.Sprintf(", version %s had %d in %d", r.Stable, r.StableErrors, r.StableCalls)
	}
	return text
}

func errorsText(n int) string {
	switch n {
	case 0:
		return "no errors"
	case 1:
		return "1 error"
	}
	return fmt.Sprintf("%d errors", n)
}

// causeText returns why a promotion returns to the stable version, as part of a
// sentence.
func causeText(d canary.Decision, r *report.Promotion) string {
	switch d.Cause {
	case canary.Alarm:
		return "an alarm went into ALARM"
	case canary.HealthCheck:
		return "a health check failed"
	case canary.Errors, canary.Inconclusive:
		return countsText(r, d.Verdict.Against == errorrate.Before) + ": " + d.Verdict.Why()
	case canary.NoCause:
	}
	return ""
}

// stepShare formats a step's share of the traffic.
func stepShare(s canary.Step) string { return fmt.Sprintf("%.4g%%", 100*s.Weight) }

// stepText formats a step in the syntax of the input `steps`.
func stepText(s canary.Step) string {
	if s.For <= 0 {
		return stepShare(s)
	}
	return stepShare(s) + " " + inputDuration(s.For)
}

// inputDuration formats a duration as the input `steps` takes it: 5m, 1h30m.
func inputDuration(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	return strings.TrimSuffix(strings.Replace(text, "h0m", "h", 1), "h0")
}
