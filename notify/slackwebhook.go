package notify

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// SlackWebhook posts to the one channel that an incoming webhook is for:
// https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
type SlackWebhook struct {
	address string
	poster  poster
}

// NewSlackWebhook makes the channel. The address is the secret; client may be nil.
func NewSlackWebhook(client *http.Client, address string) *SlackWebhook {
	return &SlackWebhook{address: address, poster: newPoster(client)}
}

// Name is the channel's key in the output `notifications`.
func (*SlackWebhook) Name() string { return "slack-webhook" }

// Send posts the alert. Where Slack does not like how the message is made, it
// gets the text alone.
func (s *SlackWebhook) Send(ctx context.Context, n Notification) error {
	got, err := s.post(ctx, newSlackMessage(n.Alert))
	if err == nil && slackLayoutErrors[slackErrorCode(got)] {
		got, err = s.post(ctx, newSlackText(n.Alert))
	}
	switch {
	case err != nil:
		return err
	case slackErrorCode(got) != "ok" && isSlackWorkflow(s.address):
		return withRemedy("Slack answered "+got.text(), "the address is that of a Slack workflow, which takes no messages; "+newSlackWebhook)
	case !got.ok():
		return withRemedy("Slack answered "+got.text(), slackWebhookRemedies[slackErrorCode(got)])
	case slackErrorCode(got) != "ok":
		// A proxy that says yes to everything, or an address that is not Slack's.
		return got.unconfirmed("Slack's `ok`")
	default:
		return nil
	}
}

func (s *SlackWebhook) post(ctx context.Context, m slackMessage) (response, error) {
	body, err := m.json()
	if err != nil {
		return response{}, err
	}
	return s.poster.post(ctx, s.address, http.Header{"Content-Type": {"application/json; charset=utf-8"}}, body)
}

// slackErrorCode is what an incoming webhook says: one word of plain text.
func slackErrorCode(a response) string { return report.Line(strings.TrimSpace(a.body), maxQuote) }

// isSlackWorkflow knows the addresses of Slack's workflows, which stand beside
// those of incoming webhooks and take fields of their own:
// https://slack.com/help/articles/360041352714
func isSlackWorkflow(address string) bool {
	u, err := url.Parse(address)
	return err == nil && (strings.HasPrefix(u.Path, "/triggers/") || strings.HasPrefix(u.Path, "/workflows/"))
}
