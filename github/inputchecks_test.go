package github

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestPartners holds each input to those that it requires.
func TestPartners(t *testing.T) {
	for name, tt := range map[string]struct {
		given map[string]string
		want  string
	}{
		"a channel without a token":     {map[string]string{"INPUT_SLACK-CHANNEL": "#deploys"}, "input slack-channel has \"#deploys\", which requires slack-bot-token: set it, or remove this input; an environment secret is empty in a job that does not set that environment"},
		"a password without a user":     {map[string]string{"INPUT_SMTP-PASSWORD": "hunter2"}, "input smtp-password has a value (not shown), which requires smtp-username: set it, or remove this input"},
		"a receiver without a server":   {map[string]string{"INPUT_EMAIL-TO": "ops@example.com"}, "input email-to has \"ops@example.com\", which requires smtp-host: set it, or remove this input; input email-to has \"ops@example.com\", which requires email-from: set it, or remove this input"},
		"a server without any address":  {map[string]string{"INPUT_SMTP-HOST": "mail.example.com"}, "input smtp-host has \"mail.example.com\", which requires email-from: set it, or remove this input; input smtp-host has \"mail.example.com\", which requires email-to: set it, or remove this input"},
		"a blank token is no token":     {map[string]string{"INPUT_SLACK-CHANNEL": "#deploys", "INPUT_SLACK-BOT-TOKEN": " "}, "input slack-channel has \"#deploys\", which requires slack-bot-token: set it, or remove this input; an environment secret is empty in a job that does not set that environment"},
		"a channel and its token":       {map[string]string{"INPUT_SLACK-CHANNEL": "#deploys", "INPUT_SLACK-BOT-TOKEN": "xoxb"}, ""},
		"a server with both addresses":  {map[string]string{"INPUT_SMTP-HOST": "m", "INPUT_EMAIL-TO": "a@b", "INPUT_EMAIL-FROM": "a@b"}, ""},
		"a password without its secret": {map[string]string{"INPUT_SMTP-USERNAME": "me"}, "input smtp-username has \"me\", which requires smtp-password: set it, or remove this input; an environment secret is empty in a job that does not set that environment"},
	} {
		t.Run(name, func(t *testing.T) {
			p := newInputParser(func(variable string) string { return tt.given[variable] })
			checkRequirements(p)
			if tt.want == "" {
				assert.NoError(t, p.err())
				return
			}
			assert.EqualError(t, p.err(), tt.want)
		})
	}
}
