package notify

import "errors"

// Remedies for what Slack says most often. The words are from
// https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks#handling_errors
// and https://docs.slack.dev/reference/methods/chat.postMessage#errors
var (
	slackWebhookRemedies = map[string]string{
		"no_service":                        newSlackWebhook,
		"no_service_id":                     newSlackWebhook,
		"no_active_hooks":                   newSlackWebhook,
		"no_team":                           newSlackWebhook,
		"team_disabled":                     newSlackWebhook,
		"invalid_token":                     newSlackWebhook,
		"user_not_found":                    newSlackWebhook,
		"channel_not_found":                 "the webhook's channel is gone: " + newSlackWebhook,
		"channel_is_archived":               "unarchive the webhook's channel, or make a webhook for another",
		"action_prohibited":                 "an administrator of the workspace does not let this webhook post: ask one, or choose another channel",
		"posting_to_general_channel_denied": "an administrator allows few to post to the general channel: make a webhook for another",
	}

	slackBotRemedies = map[string]string{ //nolint:gosec // words about tokens, not one
		"channel_not_found":       "give `slack-channel` the channel's id (C…), and invite the app to it if it is private: /invite @app",
		"not_in_channel":          "invite the app to the channel (/invite @app), or give it the scope chat:write.public",
		"is_archived":             "unarchive the channel, or choose another in `slack-channel`",
		"missing_scope":           "give the app the bot scope chat:write and install it again",
		"invalid_auth":            newSlackToken,
		"not_authed":              newSlackToken,
		"account_inactive":        newSlackToken,
		"token_revoked":           newSlackToken,
		"token_expired":           newSlackToken,
		"not_allowed_token_type":  "`slack-bot-token` takes a bot token, which begins with xoxb-",
		"access_denied":           "an administrator of the workspace does not let this app post: ask one",
		"restricted_action":       "an administrator of the workspace does not let this app post there: ask one, or choose another channel",
		"team_access_not_granted": "an administrator must let the app into this workspace",
	}
)

const (
	newSlackWebhook = "make a new webhook in the app's settings, under Incoming Webhooks, and put it into the secret behind `slack-webhook-url`"
	newSlackToken   = "install the app again and put its bot token (xoxb-…) into the secret behind `slack-bot-token`"
)

// slackLayoutErrors are the words by which Slack refuses how a message is made, not
// that it is sent. Text alone may still pass.
var slackLayoutErrors = map[string]bool{
	"invalid_blocks": true, "invalid_blocks_format": true, "invalid_attachments": true, "invalid_payload": true,
	"msg_blocks_too_long": true, "msg_too_long": true, "too_many_attachments": true, "attachment_payload_limit_exceeded": true,
	"invalid_arguments": true,
}

// slackTransientErrors are the words for faults of Slack's own that may pass. Its API
// says them with status 200, so they are not among the tries of the poster.
var slackTransientErrors = map[string]bool{
	"internal_error": true, "fatal_error": true, "service_unavailable": true, "request_timeout": true, "ratelimited": true, "rate_limited": true,
}

// withRemedy is what went wrong and what to do about it; remedy may be empty.
func withRemedy(wrong, remedy string) error {
	if remedy == "" {
		return errors.New(wrong)
	}
	return errors.New(wrong + ": " + remedy)
}
