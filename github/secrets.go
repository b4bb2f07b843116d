package github

import (
	"net/url"
	"strings"
)

// secretVariables hold credentials of the job beside the inputs: those of AWS,
// and those that the runner gives for its own services.
var secretVariables = []string{
	"AWS_SECRET_ACCESS_KEY",
	"AWS_SESSION_TOKEN",
	"ACTIONS_ID_TOKEN_REQUEST_TOKEN",
	"ACTIONS_RUNTIME_TOKEN",
	"GITHUB_TOKEN",
}

// RedactorFor takes out every secret that the environment holds: secret inputs,
// URLs also as Go writes them, the password in a health URL, and the job's
// credentials. It needs no valid inputs, because messages about wrong ones are
// redacted too.
func RedactorFor(getenv func(string) string) *Redactor {
	var secrets []string
	add := func(text string) { secrets = append(secrets, text) }
	for _, definition := range InputDefinitions() {
		if !definition.Secret {
			continue
		}
		value := getenv(definition.Variable())
		add(value)
		if parsed, err := url.Parse(strings.TrimSpace(value)); err == nil {
			add(parsed.String())
			addPassword(parsed, add)
			addPieces(parsed, add)
		}
	}
	for _, entry := range splitBefore(beforeURL, getenv("INPUT_HEALTH-URL")) {
		if parsed, err := url.Parse(entry); err == nil {
			addPassword(parsed, add)
		}
	}
	for _, variable := range secretVariables {
		add(getenv(variable))
	}
	return NewRedactor(secrets)
}

const (
	shortestPath    = 16 // bytes of a path with its query that can hold a key
	shortestSegment = 20 // bytes of one segment or query value; Slack's key has 24
)

// addPieces adds the parts of a secret URL that hold its key, because servers
// often repeat the requested path without the host. Short parts are left out:
// they would hide plain words.
func addPieces(parsed *url.URL, add func(string)) {
	if parsed.Host == "" {
		return
	}
	for _, path := range []string{parsed.RequestURI(), parsed.EscapedPath(), parsed.Path, parsed.RawQuery} {
		if len(path) >= shortestPath {
			add(path)
		}
	}
	segments := strings.Split(parsed.Path, "/")
	for _, values := range parsed.Query() {
		segments = append(segments, values...)
	}
	for _, segment := range segments {
		if len(segment) >= shortestSegment {
			add(segment)
		}
	}
}

// addPassword adds the password of a URL as it stands there and decoded.
func addPassword(parsed *url.URL, add func(string)) {
	if password, ok := parsed.User.Password(); ok {
		add(password)
		_, written, _ := strings.Cut(parsed.User.String(), ":")
		add(written)
	}
}
