package github

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// checkRequirements holds each given input to those that its definition requires.
// Where two inputs require each other, both must be given; any other that lacks
// what it requires has no effect, which is a warning. A missing input is reported
// once.
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

// whyEmpty says how an input can be empty that was meant to be given.
func whyEmpty(p *inputParser, input string) string {
	if !p.definitions[input].Secret {
		return ""
	}
	return "; the secret of an environment is empty in a job that does not name the environment"
}

// isMet reports whether an input that another one requires is given, with the value
// that is required. A duration of zero is as good as none.
func (p *inputParser) isMet(required string) bool {
	input, value, _ := strings.Cut(required, ": ")
	if value != "" {
		return p.text(input) == value || p.failed(input)
	}
	duration, err := time.ParseDuration(p.given(input))
	return p.given(input) != "" && (err != nil || duration != 0)
}

// checkCommand reports what the command cannot do as it is asked for.
func checkCommand(p *inputParser, in Inputs) {
	switch in.Command {
	case "drill":
		if strings.EqualFold(in.Environment, "production") && !in.AllowProductionDrill {
			p.refuse("command", "asks for a drill in production, where users would be served an older version meanwhile: "+
				"set environment to the one to practise in, or allow-production-drill: true")
		}
	case "snapshot":
		if !in.Remember {
			p.refuse("remember", "is false, and a snapshot is kept in what it turns off: remove one of the two")
		}
	}
}

// inputWarnings says which inputs have no effect as given, a sentence each.
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
			"The health check cannot pass: %d answers %s apart take %s, and health-timeout is %s. Make it longer.",
			health.Successes, health.Interval, least, health.Timeout))
	}
	if len(in.Watch.Alarms) > 0 && in.Watch.Observe == 0 {
		warnings = append(warnings, "The input alarms without observe looks at the alarms once, right after the move: "+
			"an alarm that the failed version set off is still in ALARM then, so that no step back is made for it. Give observe at least one of the alarm's periods.")
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

// usesAliasInput reports whether an entry took its alias from the input `alias`.
func usesAliasInput(functions []Function) bool {
	for _, function := range functions {
		if function.Given != function.String() {
			return true
		}
	}
	return false
}
