package notify

import (
	"context"
	"net/url"
	"strings"

	"github.com/org/lambda-rollback-action/rollback/report"
)

var slackWebhookDefinition = Definition{
	Name:     "slack-webhook",
	Required: []string{"slack-webhook-url"},
	Limit:    slackLimit,
	open: func(c Config, d Deps) Channel {
		if c.SlackWebhook.URL == "" {
			return nil
		}
		return NewSlackWebhook(c.SlackWebhook, d)
	},
}

// SlackWebhookConfig configures a SlackWebhook.
type SlackWebhookConfig struct {
	URL string // is the secret
}

// SlackWebhook posts to the one channel that an incoming webhook is for:
// https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
type SlackWebhook struct {
	config SlackWebhookConfig
	poster poster
}

// NewSlackWebhook makes the channel.
func NewSlackWebhook(c SlackWebhookConfig, d Deps) *SlackWebhook {
	return &SlackWebhook{config: c, poster: newPoster(d)}
}

// Name is the channel's key in the output `notifications`.
func (*SlackWebhook) Name() string { return slackWebhookDefinition.Name }

// Send posts the alert. If Slack refuses the layout, it posts the text alone.
func (s *SlackWebhook) Send(ctx context.Context, n Notification) error {
	got, err := s.poster.postJSON(ctx, s.config.URL, newSlackMessage(n.Alert))
	if err == nil && slackLayoutErrors[slackErrorCode(got)] {
		got, err = s.poster.postJSON(ctx, s.config.URL, newSlackText(n.Alert))
	}
	switch {
	case err != nil:
		return err
	case slackErrorCode(got) != "ok" && isSlackWorkflow(s.config.URL):
		return withRemedy("Slack answered "+got.text(), "the URL is that of a Slack workflow, which does not accept these messages; "+newSlackWebhook)
	case !got.ok():
		return withRemedy("Slack answered "+got.text(), slackWebhookRemedies[slackErrorCode(got)])
	case slackErrorCode(got) != "ok":
		// A proxy that says yes to everything, or an address that is not Slack's.
		return got.unconfirmed("Slack's `ok`")
	default:
		return nil
	}
}

// slackErrorCode is what an incoming webhook answers: one word of plain text, `ok`
// or what is wrong.
func slackErrorCode(a response) string { return report.Line(strings.TrimSpace(a.body), maxQuote) }

// isSlackWorkflow knows the addresses of Slack's workflows, which stand beside
// those of incoming webhooks and take fields of their own:
// https://slack.com/help/articles/360041352714
func isSlackWorkflow(address string) bool {
	u, err := url.Parse(address)
	return err == nil && (strings.HasPrefix(u.Path, "/triggers/") || strings.HasPrefix(u.Path, "/workflows/"))
}
