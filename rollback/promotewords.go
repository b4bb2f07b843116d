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

// complete ends a promotion whose new version has all of the traffic.
func (p *promotion) complete(f *alias.Promoting, d canary.Decision, signals canary.Signals) {
	last := p.plan.Steps[len(p.plan.Steps)-1]
	switch {
	case last.For <= 0 && signals.Unsure:
		f.Complete(report.HealthUnknown, "a health check gave no result", true)
	case last.For <= 0:
		f.Complete(report.HealthUnknown, "it was not watched with all of the traffic", false)
	case d.Cause == canary.Inconclusive:
		f.Complete(report.HealthUnknown, "it is not known whether it is healthy there: "+causeText(d, f.Report()), true)
	default:
		f.Complete(report.Healthy, fmt.Sprintf("it was watched for %s there and is healthy: %s", shortDuration(last.For), d.Verdict.Why()), false)
	}
}

// tell says what a look found, in the log, in the timeline and on the page.
func (p *promotion) tell(f *alias.Promoting, step canary.Step, l canary.Look, d canary.Decision) {
	now := p.action.deps.Clock.Now()
	text := fmt.Sprintf("%s after %s: %s", stepShare(step), l.Elapsed.Round(time.Second), lookText(l, step.Whole(), d, f.Report()))
	p.action.log.Infof("%s: %s", f.Label(), text)
	r := f.Report()
	r.Looks = append(r.Looks, report.PromotionLook{At: now, Weight: step.Weight, Verdict: lookText(l, step.Whole(), d, r), Passed: d.Next == canary.Advance && d.Cause == canary.NoCause})
	f.Happened(report.Looked, now, text)
}

// lookText is what a look found, and what comes after it.
func lookText(l canary.Look, whole bool, d canary.Decision, r *report.Promotion) string {
	var parts []string
	switch {
	case l.Unknown:
		parts = append(parts, "what was counted could not be read")
	case len(r.Minutes) == 0:
		parts = append(parts, "no minute is counted yet")
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
	canary.Extend:  "watching for as long again",
	canary.Back:    "going back",
	canary.Done:    "done",
}

// countsText is what was counted of both versions, or with all of the traffic.
func countsText(r *report.Promotion, whole bool) string {
	if whole {
		return fmt.Sprintf("version %s had %s in %d calls with all of the traffic", r.Version, errorsText(r.BakeErrors), r.BakeCalls)
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

// causeText is why it goes back, as half a sentence.
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

// stepShare is a step's share of the traffic.
func stepShare(s canary.Step) string { return fmt.Sprintf("%.4g%%", 100*s.Weight) }

// stepText is a step as the input has it.
func stepText(s canary.Step) string {
	if s.For <= 0 {
		return stepShare(s)
	}
	return stepShare(s) + " " + shortDuration(s.For)
}

// shortDuration is a duration without zeros at its end: 5m, 1h30m.
func shortDuration(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	return strings.TrimSuffix(strings.Replace(text, "h0m", "h", 1), "h0")
}
