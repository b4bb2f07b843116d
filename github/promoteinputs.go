package github

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// PromoteStep is a share of the traffic for the new version, and how long the version
// is observed with it.
type PromoteStep struct {
	Percent float64
	For     time.Duration
}

// Promote configures how a new version is promoted.
type Promote struct {
	Steps          []PromoteStep
	OnInconclusive string // stop, wait or continue
	Warm           int    // concurrent invocations before there is any traffic
	AllowRejected  bool
	// Asked reports that an input that only promotions use was given with a value
	// other than its default. `check` then says whether a promotion could begin.
	Asked bool
}

// promotionAsked reports whether the inputs configure a promotion.
func promotionAsked(p *inputParser) bool {
	return slices.ContainsFunc([]string{"steps", "on-inconclusive", "warm", "allow-rejected"}, p.differs)
}

// longestStep is the maximum duration of a step: a job ends after six hours.
const longestStep = 6 * time.Hour

// parseSteps reads `steps`.
func parseSteps(p *inputParser) []PromoteStep {
	var steps []PromoteStep
	for _, entry := range p.list("steps") {
		step, problem := parseStep(entry)
		if problem == "" && len(steps) > 0 && step.Percent <= steps[len(steps)-1].Percent {
			problem = "does not give the new version more traffic than the step before it"
		}
		if problem != "" {
			p.fail("steps", fmt.Sprintf("has %s, which %s", p.cite("steps", entry), problem))
			continue
		}
		steps = append(steps, step)
	}
	if !p.failed("steps") && (len(steps) == 0 || steps[len(steps)-1].Percent != 100) {
		p.fail("steps", "does not end with 100%")
	}
	return steps
}

func parseStep(text string) (step PromoteStep, problem string) {
	const form = "is not a step such as 10% 5m"
	fields := strings.Fields(text)
	if len(fields) == 0 || len(fields) > 2 {
		return step, form
	}
	number, is := strings.CutSuffix(fields[0], "%")
	percent, err := strconv.ParseFloat(number, 64)
	if !is || err != nil || !(percent >= 0 && percent <= 100) {
		return step, form
	}
	step.Percent = percent
	if len(fields) == 2 {
		if step.For, err = time.ParseDuration(fields[1]); err != nil || step.For < 0 || step.For > longestStep {
			return step, "has a time outside 0s to 6h"
		}
	}
	switch {
	case percent == 0 && step.For > 0:
		return step, "watches a version that has no traffic: write 0% without a time"
	case percent > 0 && percent < 100 && step.For > 0 && step.For < 2*time.Minute:
		return step, "is shorter than two minutes: CloudWatch counts by the minute, and the first minute is shared by both versions"
	case percent == 100 && step.For > 0 && step.For < time.Minute:
		return step, "is shorter than a minute: CloudWatch counts by the minute"
	}
	return step, ""
}

// parseAllOrNothing reads `all-or-nothing`, whose default depends on the command:
// promoting only some of the functions is rarely intended.
func parseAllOrNothing(p *inputParser) bool {
	if p.given("all-or-nothing") == "" {
		return p.text("command") == "promote"
	}
	return p.boolean("all-or-nothing")
}

// parseNotifyOn reads `notify-on`, whose default depends on the command: whoever
// configures a channel for a promotion wants to follow it.
func parseNotifyOn(p *inputParser) []string {
	on := p.choices("notify-on", "rolled-back", "failed", "attention", "promoted", "skipped", "planned", "always")
	if p.text("command") == "promote" && !p.differs("notify-on") {
		on = append(on, "promoted")
	}
	return on
}

// checkPromote checks that the inputs have what a promotion requires.
func checkPromote(p *inputParser, in Inputs) {
	if in.Command != "promote" {
		return
	}
	for _, f := range in.Functions {
		if f.Deployed == 0 && !p.failed("function-name") {
			p.refuse("deployed-version", fmt.Sprintf("has no version of %s to promote: set it to the version that this deploy published, usually an output of its step", quoteValue(f.Name)))
		}
	}
	if p.given("target-version") != "" {
		p.refuse("target-version", "applies only to rollbacks: promote moves the alias to deployed-version")
	}
	if in.Promote.Warm > 0 && in.Health.InvokePayload == nil && !p.failed("invoke-payload") {
		p.refuse("warm", "requires an event to invoke the version with: set invoke-payload")
	}
}
