package github

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// LongestReason is how many characters the input `reason` may have.
const LongestReason = 300

// parseReason reads `reason`. One that is too long is cut.
func parseReason(p *inputParser) string {
	reason := p.line("reason")
	if length := utf8.RuneCountInString(reason); length > LongestReason {
		p.fail("reason", fmt.Sprintf("has %d characters", length))
		return string([]rune(reason)[:LongestReason])
	}
	return reason
}

// parseEnvironment reads `environment`. Where it is faulty, what can be printed of
// it stands in every message.
func parseEnvironment(p *inputParser) string {
	if environment := p.line("environment"); environment != "" {
		return environment
	}
	return strings.Join(strings.FieldsFunc(p.text("environment"), func(char rune) bool {
		return unicode.IsControl(char) || unicode.IsSpace(char)
	}), " ")
}

// leaveOutFaulty leaves out what faulty inputs were to configure: a check that
// cannot be made as it was meant, a channel that cannot be reached as it was meant.
// Of a list the right entries stay. The results tell of each fault.
func leaveOutFaulty(p *inputParser, in *Inputs) {
	if anyFailed(p, "health-status", "health-successes", "health-interval", "health-timeout", "health-body") {
		in.Health.URLs = nil
	}
	// Right after a move an alarm can be in ALARM for what was left.
	if p.failed("observe") {
		in.Watch.Alarms, in.Watch.APIs, in.Watch.Observe = nil, nil, 0
	}
	if anyFailed(p, "on-unhealthy", "max-steps") {
		in.Watch.OnUnhealthy = p.fallback("on-unhealthy")
	}
	if anyFailed(p, "slack-webhook-url") {
		in.Slack.WebhookURL = nil
	}
	if anyFailed(p, "slack-bot-token") {
		in.Slack.BotToken = ""
	}
	if anyFailed(p, "smtp-host", "smtp-port", "smtp-username", "smtp-password", "smtp-tls", "email-from") {
		in.SMTP.Host = ""
	}
	if anyFailed(p, "teams-webhook-url") {
		in.Teams.WebhookURL = nil
	}
	if anyFailed(p, "webhook-url") {
		in.Webhook.URL = nil
	}
	if p.failed("notify-on") && len(in.NotifyOn) == 0 {
		in.NotifyOn = strings.Split(p.fallback("notify-on"), ",")
	}
	in.Site.Faulty = p.given("site-bucket") != "" && slices.ContainsFunc(p.problems, func(e InputError) bool { return e.Site })
}

func anyFailed(p *inputParser, inputs ...string) bool {
	return slices.ContainsFunc(inputs, p.failed)
}
