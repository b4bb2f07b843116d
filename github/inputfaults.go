package github

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// LongestReason is the maximum length of the input `reason`, in characters.
const LongestReason = 300

// parseReason reads `reason`, and truncates it if it is too long.
func parseReason(p *inputParser) string {
	reason := p.line("reason")
	if length := utf8.RuneCountInString(reason); length > LongestReason {
		p.fail("reason", fmt.Sprintf("has %d characters", length))
		return string([]rune(reason)[:LongestReason])
	}
	return reason
}

// parseEnvironment reads `environment`. If it is invalid, messages contain the part
// of it that can be printed.
func parseEnvironment(p *inputParser) string {
	if environment := p.line("environment"); environment != "" {
		return environment
	}
	return strings.Join(strings.FieldsFunc(p.text("environment"), func(char rune) bool {
		return unicode.IsControl(char) || unicode.IsSpace(char)
	}), " ")
}

// leaveOutFaulty leaves out what invalid inputs were meant to configure: checks that
// cannot be made as intended, and channels that cannot be reached as intended. The
// valid entries of a list are kept. The results report each invalid input.
func leaveOutFaulty(p *inputParser, in *Inputs) {
	in.FaultyEnvironment = p.failed("environment")
	if anyFailed(p, "health-status", "health-successes", "health-interval", "health-timeout", "health-body") {
		in.Health.URLs = nil
	}
	// Right after a move, an alarm can be in ALARM because of the version that was
	// replaced.
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
