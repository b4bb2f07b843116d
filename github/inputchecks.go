package github

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// checkRequirements checks that each given input has the inputs that it requires. If
// two inputs require each other, both must be given. Any other input without what it
// requires has no effect, which is a warning. A missing input is reported once.
func checkRequirements(p *inputParser) (warnings []string) {
	wrong, missing := maps.Clone(p.count), map[string]bool{}
	for _, definition := range InputDefinitions() {
		input := definition.Name
		for _, required := range definition.Requires {
			switch {
			case p.isMet(required):
			case slices.Contains(p.definitions[required].Requires, input):
				if p.given(input) != "" && wrong[input] == 0 && !missing[required] {
					p.refuse(input, fmt.Sprintf("has %s, which requires %s: set it, or remove this input%s",
						p.cite(input, p.given(input)), required, whyEmpty(p, required)))
					missing[required] = true
				}
			case p.differs(input):
				warnings = append(warnings, noEffect(input, "without "+required))
			}
		}
	}
	return warnings
}

// whyEmpty returns how a secret input can be empty although it was meant to be given.
// It returns nothing for other inputs.
func whyEmpty(p *inputParser, input string) string {
	if !p.definitions[input].Secret {
		return ""
	}
	return "; an environment secret is empty in a job that does not set that environment"
}

// isMet reports whether a required input is given, and with the required value if
// there is one. A duration of zero counts as not given.
func (p *inputParser) isMet(required string) bool {
	input, value, _ := strings.Cut(required, ": ")
	if value != "" {
		return p.text(input) == value || p.failed(input)
	}
	duration, err := time.ParseDuration(p.given(input))
	return p.given(input) != "" && (err != nil || duration != 0)
}

// checkCommand reports what the command cannot do with these inputs.
func checkCommand(p *inputParser, in Inputs) {
	switch in.Command {
	case "drill":
		if strings.EqualFold(in.Environment, "production") && !in.AllowProductionDrill {
			p.refuse("command", "requests a drill in production, where users would get an older version during the drill: "+
				"set environment to another environment, or set allow-production-drill: true")
		}
	case "snapshot":
		if !in.Remember {
			p.refuse("remember", "is false, but a snapshot is stored in the memory alias: set it to true, or do not use the command snapshot")
		}
	}
}

// inputWarnings returns warnings about inputs that have no effect, or not the
// intended one.
func inputWarnings(p *inputParser, in Inputs) []string {
	warnings := checkRequirements(p)
	health, channels := in.Health, []string{"slack-webhook-url", "slack-bot-token", "smtp-host", "teams-webhook-url", "webhook-url"}
	unused := func(condition bool, input, why string) {
		if condition && !p.failed(input) {
			warnings = append(warnings, noEffect(input, why))
		}
	}
	unused(p.differs("alias") && len(in.Functions) > 0 && !usesAliasInput(in.Functions),
		"alias", "because every entry of function-name names its own")
	unused(in.AllOrNothing && p.given("all-or-nothing") != "" && len(in.Functions) == 1, "all-or-nothing", "with a single function")
	unused(p.differs("list-limit") && (in.Command == "check" || in.Command == "snapshot"), "list-limit", "with the command "+in.Command)
	unused(in.AllowProductionDrill && in.Command != "drill", "allow-production-drill", "without the command drill")
	unused(in.FreezeAfterRollback && in.Command != "check", "freeze-after-rollback", "without the command check")
	unused(in.Watch.OnUnhealthy == "step-back" && !in.AsksForChecks(),
		"on-unhealthy", "without a check: health-url, invoke-payload, alarms or observe")
	unused(p.differs("notify-on") && !p.anyGiven(channels), "notify-on", "without a channel: "+strings.Join(channels, ", "))
	if least := health.Interval * time.Duration(health.Successes-1); len(health.URLs) > 0 && least >= health.Timeout && health.Timeout > 0 {
		warnings = append(warnings, fmt.Sprintf(
			"The health check cannot pass: %d responses %s apart take %s, but health-timeout is %s. Increase health-timeout.",
			health.Successes, report.DurationText(health.Interval), report.DurationText(least), report.DurationText(health.Timeout)))
	}
	if len(in.Watch.Alarms) > 0 && in.Watch.Observe == 0 {
		warnings = append(warnings, "Without the input observe, the alarms are checked only once, right after the move: "+
			"an alarm that the failed version triggered is still in ALARM then, so it does not cause a step back. Set observe to at least one period of the alarm.")
	}
	return warnings
}

func noEffect(input, why string) string {
	return fmt.Sprintf("The input %s has no effect %s.", input, why)
}

func (p *inputParser) anyGiven(inputs []string) bool {
	for _, input := range inputs {
		if p.given(input) != "" {
			return true
		}
	}
	return false
}

// usesAliasInput reports whether any entry takes its alias from the input `alias`.
func usesAliasInput(functions []Function) bool {
	for _, function := range functions {
		if function.Given != function.String() {
			return true
		}
	}
	return false
}
