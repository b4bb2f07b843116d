package github

// notificationDefinitions returns the inputs that control who is notified of a
// result, and which follow-ups are made on GitHub.
func notificationDefinitions() []Definition {
	return []Definition{
		{
			Name: "notify-on", Group: groupNotify, Default: "rolled-back,failed,attention",
			Description: "Which results notify. `attention` is a skipped rollback that needs manual action. `promoted` covers a promotion from start to end; the command `promote` adds it to the default.",
			Form:        "any of `rolled-back`, `failed`, `attention`, `promoted`, `skipped`, `planned` and `always`, comma- or newline-separated",
		},
		{
			Name: "slack-webhook-url", Group: groupSlack, Secret: true,
			Description: "The Slack incoming webhook to notify.",
			Form:        formWebhook,
		},
		{
			Name: "slack-bot-token", Group: groupSlack, Secret: true,
			Description: "The token of the Slack app that posts the messages.",
			Requires:    []string{"slack-channel"},
			Form:        "a bot token with the scope `chat:write`",
		},
		{
			Name: "slack-channel", Group: groupSlack,
			Description: "The Slack channels to post to. Each gets its own thread.",
			Requires:    []string{"slack-bot-token"},
			Form:        "IDs or names of channels, such as `C0123456789` or `#deploys`, comma- or newline-separated",
		},
		{
			Name: "smtp-host", Group: groupEmail,
			Description: "SMTP server.",
			Requires:    []string{"email-from", "email-to"},
			Form:        "a host name or an IP address, without a port",
		},
		{
			Name: "smtp-port", Group: groupEmail, Default: "587",
			Description: "SMTP port.",
			Requires:    []string{"smtp-host"},
			Form:        "a whole number from 1 to 65535",
		},
		{
			Name: "smtp-username", Group: groupEmail,
			Description: "SMTP username.",
			Requires:    []string{"smtp-host", "smtp-password"},
			Form:        "a single-line string",
		},
		{
			Name: "smtp-password", Group: groupEmail, Secret: true,
			Description: "SMTP password.",
			Requires:    []string{"smtp-username"},
			Form:        "a single-line string",
		},
		{
			Name: "smtp-tls", Group: groupEmail, Default: "auto",
			Description: "How the connection is encrypted: `auto` uses implicit TLS on port 465, and requires STARTTLS on any other port.",
			Requires:    []string{"smtp-host"},
			Form:        "`auto`, `implicit`, `starttls` or `none`",
		},
		{
			Name: "email-from", Group: groupEmail,
			Description: "Sender.",
			Requires:    []string{"smtp-host", "email-to"},
			Form:        "one email address",
		},
		{
			Name: "email-to", Group: groupEmail,
			Description: "Recipients.",
			Requires:    []string{"smtp-host", "email-from"},
			Form:        formEmails,
		},
		{
			Name: "email-cc", Group: groupEmail,
			Description: "CC recipients.",
			Requires:    []string{"smtp-host"},
			Form:        formEmails,
		},
		{
			Name: "teams-webhook-url", Group: groupWebhooks, Secret: true,
			Description: "The webhook of a Teams workflow, which receives an Adaptive Card.",
			Form:        formWebhook,
		},
		{
			Name: "webhook-url", Group: groupWebhooks, Secret: true,
			Description: "The webhook that receives the result as JSON.",
			Form:        formWebhook,
		},
		{
			Name: "webhook-secret", Group: groupWebhooks, Secret: true,
			Description: "The key for the HMAC-SHA256 signature in `X-Signature-256`, in the same format as the signatures of GitHub's webhooks.",
			Requires:    []string{"webhook-url"},
			Form:        "text",
		},
		{
			Name: "record-deployment", Group: groupFollowUps, Default: "false",
			Description: "Record the rollback as a deployment on GitHub. Needs `permissions: deployments: write`.",
			Form:        formBoolean,
		},
		{
			Name: "comment-on-pull-request", Group: groupFollowUps, Default: "false",
			Description: "Comment on the pull request that introduced the failed commit. Needs `permissions: pull-requests: write`.",
			Form:        formBoolean,
		},
		{
			Name: "open-issue", Group: groupFollowUps, Default: "false",
			Description: "Open an issue about the rollback. Needs `permissions: issues: write`.",
			Form:        formBoolean,
		},
	}
}
