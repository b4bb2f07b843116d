package notify

import "errors"

// Remedies for the most frequent Slack errors. The codes are from
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
		"channel_not_found":                 "the webhook's channel no longer exists: " + newSlackWebhook,
		"channel_is_archived":               "unarchive the webhook's channel, or create a webhook for another channel",
		"action_prohibited":                 "an administrator of the workspace does not allow this webhook to post: ask an administrator, or choose another channel",
		"posting_to_general_channel_denied": "an administrator restricts who can post to the general channel: create a webhook for another channel",
	}

	slackBotRemedies = map[string]string{ //nolint:gosec // words about tokens, not one
		"channel_not_found":       "set `slack-channel` to the channel ID (C…), and invite the app to the channel if it is private: /invite @app",
		"not_in_channel":          "invite the app to the channel (/invite @app), or give it the scope chat:write.public",
		"is_archived":             "unarchive the channel, or set another channel in `slack-channel`",
		"missing_scope":           "give the app the bot scope chat:write and reinstall it",
		"invalid_auth":            newSlackToken,
		"not_authed":              newSlackToken,
		"account_inactive":        newSlackToken,
		"token_revoked":           newSlackToken,
		"token_expired":           newSlackToken,
		"not_allowed_token_type":  "`slack-bot-token` takes a bot token, which begins with xoxb-",
		"access_denied":           "an administrator of the workspace does not allow this app to post: ask an administrator",
		"restricted_action":       "an administrator of the workspace does not allow this app to post there: ask an administrator, or choose another channel",
		"team_access_not_granted": "an administrator must allow the app in this workspace",
	}
)

const (
	newSlackWebhook = "create a new webhook in the app's settings, under Incoming Webhooks, and store its URL in the secret for `slack-webhook-url`"
	newSlackToken   = "reinstall the app and store its bot token (xoxb-…) in the secret for `slack-bot-token`"
)

// slackLayoutErrors are the codes with which Slack rejects the layout of a message, not
// the message. Text alone may still be accepted.
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
