package github_test

import (
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/org/lambda-rollback-action/github"
)

func TestRedactorFor(t *testing.T) {
	given := values{
		"function-name":                  "a b", // wrong: secrets are wanted all the same
		"github-token":                   " ghs_token\n",
		"smtp-password":                  "first line\r\n\r\nsecond line",
		"webhook-url":                    "https://example.com/a b",
		"webhook-secret":                 "",
		"health-url":                     "https://me:p%40ss@example.com, https://example.com",
		"AWS_SESSION_TOKEN":              "aws-session",
		"ACTIONS_ID_TOKEN_REQUEST_TOKEN": "oidc",
		"AWS_ACCESS_KEY_ID":              "AKIA",
		"GITHUB_TOKEN":                   "ghs_other",
	}
	redactor := github.RedactorFor(given.getenv)
	for _, secret := range []string{
		"first line\r\n\r\nsecond line", "first line", "second line", "https://example.com/a b", "https://example.com/a%20b",
		"aws-session", "ghs_token", "p%40ss", "p@ss", "oidc", "ghs_other",
	} {
		assert.Equal(t, "<***>", redactor.Redact("<"+secret+">"), secret)
	}
	assert.Equal(t, "AKIA me example.com", redactor.Redact("AKIA me example.com"), "a key's id and a user are no secrets")
}

// Whoever knows the address of a webhook can post to it, as with a token or a password.
func TestInputsThatHoldASecretSayThatTheyDo(t *testing.T) {
	t.Parallel()
	named := regexp.MustCompile(`-(webhook-url|token|password|secret)$`)
	for _, d := range github.InputDefinitions() {
		if d.Form == "an https URL" || named.MatchString(d.Name) {
			assert.True(t, d.Secret, "set Secret of %s in github/definitions.go: its value is not to be printed", d.Name)
		}
	}
}

// An error may have the path without the host, or the key alone.
func TestThePiecesOfASecretAddressAreSecrets(t *testing.T) {
	t.Parallel()
	given := values{
		"slack-webhook-url": "https://hooks.slack.com/services/T0123/B0123/aVeryLongKeyOfSlack24chr",
		"teams-webhook-url": "https://x.logic.azure.com/workflows/abc/run?sig=aVeryLongSignature%2Bof+Teams",
		"webhook-url":       "https://example.com/hook",
	}
	redactor := github.RedactorFor(given.getenv)
	for text, want := range map[string]string{
		"Cannot POST /services/T0123/B0123/aVeryLongKeyOfSlack24chr": "Cannot POST ***",
		"the key aVeryLongKeyOfSlack24chr is bad":                    "the key *** is bad",
		"sig=aVeryLongSignature%2Bof+Teams":                          "***",
		"aVeryLongSignature+of Teams":                                "***",
		"there is no /hook":                                          "there is no /hook",
	} {
		assert.Equal(t, want, redactor.Redact(text))
	}
}
