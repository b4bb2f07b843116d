package github_test

import (
	"regexp"
	"strings"
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

// The proxy and AWS's endpoints may be reached by a user and a password.
func TestTheUserInfoOfAURLIsSecret(t *testing.T) {
	t.Parallel()
	for _, name := range []string{
		"AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_LAMBDA", "AWS_ENDPOINT_URL_STS", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL_CLOUDWATCH_LOGS",
		"AWS_CONTAINER_CREDENTIALS_FULL_URI", "HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy",
	} {
		for value, secrets := range map[string][]string{
			"https://robot:s3cretpw@proxy.example:99999": {"robot", "s3cretpw"},
			"http://robot:s3cret%40pw@proxy.example":     {"robot", "s3cret%40pw", "s3cret@pw"},
			"http://robot:s3cret%zzpw@proxy.example":     {"robot", "s3cret%zzpw"},
			"http://robot:s3cret/p@ss?w@proxy.example/x": {"robot", "s3cret/p@ss?w"},
			"http://robot:s3cretpw@[::1":                 {"robot", "s3cretpw"},
			"robot:s3cretpw@proxy.example:1":             {"robot", "s3cretpw"},
			"\thttp://s3crettoken@proxy.example\n":       {"s3crettoken"},
		} {
			redactor := github.RedactorFor(func(asked string) string { return map[string]string{name: value}[asked] })
			for _, secret := range secrets {
				assert.Equal(t, "<***>", redactor.Redact("<"+secret+">"), "%s=%s", name, value)
			}
			assert.Equal(t, "proxy.example", redactor.Redact("proxy.example"), "%s=%s", name, value)
		}
	}
}

func TestAnAtInAPathIsNoUser(t *testing.T) {
	t.Parallel()
	redactor := github.RedactorFor(func(name string) string {
		return map[string]string{"AWS_ENDPOINT_URL": "http://localhost:4566/p@th"}[name]
	})
	assert.Equal(t, "localhost:4566/p@th", redactor.Redact("localhost:4566/p@th"))
}

// A name that many accounts share gives nothing away, and its letters are plain words.
func TestAUserThatIsAPlainWord(t *testing.T) {
	t.Parallel()
	redactor := github.RedactorFor(func(name string) string {
		return map[string]string{"HTTPS_PROXY": "http://proxy:s3cretpw@proxy.example"}[name]
	})
	assert.Equal(t, "the proxy of proxy:***", redactor.Redact("the proxy of proxy:s3cretpw"))
}

// Somebody may have put the password alone into the variable.
func TestAProxyThatIsNoAddress(t *testing.T) {
	t.Parallel()
	for value, secret := range map[string]bool{
		"s3cretpw": true, "robot:s3cretpw": true, "http://robot:99887766": true, "http://pro xy:3128": true, "s3cret pw.x": true, "http://": true,
		"squid:3128": false, "http://squid": false, "proxy.example.com": false, "localhost": false, "10.0.0.1:3128": false,
		"http://[::1]:3128": false, "[::1]:3128": false,
	} {
		redactor := github.RedactorFor(func(name string) string { return map[string]string{"HTTPS_PROXY": value}[name] })
		want := value
		if secret {
			want = "***"
		}
		assert.Equal(t, want, redactor.Redact(value))
		assert.Equal(t, "port 3128", redactor.Redact("port 3128"))
		if _, port, found := strings.Cut(value, "robot:"); found {
			assert.Equal(t, "port ***", redactor.Redact("port "+port))
		}
	}
}
