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

// addPassword adds the password of a URL as it stands there and decoded.
func addPassword(parsed *url.URL, add func(string)) {
	if password, ok := parsed.User.Password(); ok {
		add(password)
		_, written, _ := strings.Cut(parsed.User.String(), ":")
		add(written)
	}
}
