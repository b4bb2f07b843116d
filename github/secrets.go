package github

import (
	"cmp"
	"net/url"
	"slices"
	"strings"
)

// secretVariables hold credentials of the job beside the inputs: those of AWS,
// and those that the runner gives for its own services.
var secretVariables = []string{
	"AWS_SECRET_ACCESS_KEY",
	"AWS_SESSION_TOKEN",
	"ACTIONS_ID_TOKEN_REQUEST_TOKEN",
	"ACTIONS_RUNTIME_TOKEN",
}

// SecretsFrom returns every text that must not be printed, longest first:
// secret inputs and each line of them, URLs also as Go writes them, the
// password in a health URL, and the job's credentials. It needs no valid
// inputs, because messages about wrong ones are to be redacted too.
func SecretsFrom(getenv func(string) string) []string {
	var secrets []string
	add := func(text string) {
		if text = strings.TrimSpace(text); text != "" {
			secrets = append(secrets, text)
		}
	}
	addLines := func(text string) {
		add(text)
		for line := range strings.Lines(text) {
			add(line)
		}
	}

	for _, definition := range InputDefinitions() {
		if !definition.Secret {
			continue
		}
		value := getenv(definition.Variable())
		addLines(value)
		if parsed, err := url.Parse(strings.TrimSpace(value)); err == nil {
			add(parsed.String())
			addPassword(parsed, add)
			addPieces(parsed, add)
		}
	}
	for entry := range strings.FieldsFuncSeq(getenv("INPUT_HEALTH-URL"), isSeparator) {
		if parsed, err := url.Parse(strings.TrimSpace(entry)); err == nil {
			addPassword(parsed, add)
		}
	}
	for _, variable := range secretVariables {
		addLines(getenv(variable))
	}

	slices.SortFunc(secrets, func(a, b string) int {
		return cmp.Or(cmp.Compare(len(b), len(a)), strings.Compare(a, b))
	})
	return slices.Compact(secrets)
}

const (
	shortestPath    = 16 // bytes of a path with its query that may be a key
	shortestSegment = 20 // bytes of a piece of it; Slack's key has 24
)

// addPieces adds what makes a secret address one: many a server repeats the path
// that it was asked for, without the host. What is short is not, and would blot
// out plain words.
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
