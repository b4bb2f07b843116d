package github

import (
	"fmt"
	"maps"
	"strings"
	"time"
)

// requirePartners reports inputs that are of use only together, where one is
// missing. Inputs that have a problem of their own are left out of it.
func (p *inputParser) requirePartners() {
	wrong := maps.Clone(p.count)
	for _, pair := range []struct{ input, partner string }{
		{"slack-bot-token", "slack-channel"},
		{"slack-channel", "slack-bot-token"},
		{"smtp-host", "email-from"},
		{"smtp-host", "email-to"},
		{"smtp-username", "smtp-password"},
		{"smtp-password", "smtp-username"},
		{"email-from", "smtp-host"},
		{"email-to", "smtp-host"},
	} {
		alone := p.given(pair.input) != "" && p.given(pair.partner) == ""
		if alone && wrong[pair.input] == 0 {
			p.refuse(pair.input, fmt.Sprintf("is of use only together with %s: give that too, or remove it", pair.partner))
		}
	}
}

// refuseCommand reports what the command cannot do as it is asked for.
func (p *inputParser) refuseCommand(in Inputs) {
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

// warnings tells which inputs have no effect as given, a sentence each.
func (p *inputParser) warnings(in Inputs) []string {
	var warnings []string
	for _, dependent := range []struct{ input, main string }{
		{"role-session-name", "role-to-assume"},
		{"audience", "role-to-assume"},
		{"health-status", "health-url"},
		{"health-successes", "health-url"},
		{"health-interval", "health-url"},
		{"health-timeout", "health-url"},
		{"health-body", "health-url"},
		{"site-prefix", "site-bucket"},
		{"site-restore-to", "site-bucket"},
		{"site-manifest", "site-bucket"},
		{"cloudfront-distribution-id", "site-bucket"},
		{"smtp-port", "smtp-host"},
		{"smtp-username", "smtp-host"},
		{"smtp-password", "smtp-host"},
		{"smtp-tls", "smtp-host"},
		{"email-cc", "smtp-host"},
		{"webhook-secret", "webhook-url"},
	} {
		if p.differs(dependent.input) && p.given(dependent.main) == "" {
			warnings = append(warnings, noEffect(dependent.input, "without "+dependent.main))
		}
	}

	health, channels := in.Health, []string{"slack-webhook-url", "slack-bot-token", "smtp-host", "teams-webhook-url", "webhook-url"}
	unused := func(condition bool, input, why string) {
		if condition && !p.failed(input) {
			warnings = append(warnings, noEffect(input, why))
		}
	}
	unused(p.differs("alias") && len(in.Functions) > 0 && !usesAliasInput(in.Functions),
		"alias", "because every entry of function-name names its own")
	unused(in.AllOrNothing && len(in.Functions) == 1, "all-or-nothing", "with a single function")
	unused(len(in.Watch.APIs) > 0 && in.Watch.Observe == 0, "observe-api", "without observe")
	unused(p.differs("list-limit") && (in.Command == "check" || in.Command == "snapshot"), "list-limit", "with the command "+in.Command)
	unused(in.AllowProductionDrill && in.Command != "drill", "allow-production-drill", "without the command drill")
	unused(p.differs("max-steps") && in.Watch.OnUnhealthy == "fail", "max-steps", "without on-unhealthy: step-back")
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

// usesAliasInput tells whether an entry took its alias from the input `alias`.
func usesAliasInput(functions []Function) bool {
	for _, function := range functions {
		if function.Given != function.String() {
			return true
		}
	}
	return false
}
