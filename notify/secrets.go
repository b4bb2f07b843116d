package notify

import (
	"cmp"
	"encoding/base64"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/org/lambda-rollback-action/rollback/report"
)

const (
	// minSecret is how long a piece of an address is that may be a secret, in bytes.
	minSecret = 8
	maxQuote  = 200 // characters of a service's own words that are repeated
	redacted  = "***"
)

// secrets are removed from the response of a service before it is shown. Many servers
// quote the requested path ("Cannot POST /services/…"), and the path of a webhook is a
// secret; a mail server may quote the credentials as they were sent. GitHub masks a
// secret in a log only if it appears in full.
type secrets []string

// newSecrets has the longest first: replacing a part of it would leave the rest.
func newSecrets(all ...string) secrets {
	all = slices.DeleteFunc(all, func(secret string) bool { return secret == "" })
	slices.SortFunc(all, func(a, b string) int { return cmp.Or(cmp.Compare(len(b), len(a)), cmp.Compare(a, b)) })
	return slices.Compact(all)
}

// requestSecrets are the parts of a URL and the token that would allow somebody else to
// post.
func requestSecrets(address string, header http.Header) secrets {
	all := []string{address}
	if u, err := url.Parse(address); err == nil {
		all = append(all, u.RequestURI(), u.Path, u.EscapedPath(), u.RawQuery)
		all = append(all, strings.Split(u.Path, "/")...)
		for _, values := range u.Query() {
			all = append(all, values...)
		}
		if password, given := u.User.Password(); given {
			all = append(all, password)
		}
	}
	for _, value := range header.Values("Authorization") {
		_, token, _ := strings.Cut(value, " ")
		all = append(all, token)
	}
	return newSecrets(slices.DeleteFunc(all, func(piece string) bool { return len(piece) < minSecret })...)
}

// quote is the text of a service on one line, without the secrets.
func (s secrets) quote(text string) string {
	return report.Line(strings.TrimSpace(s.redact(text)), maxQuote)
}

// base64Like finds what may be base64.
var base64Like = regexp.MustCompile(`[A-Za-z0-9+/_-]{4,}={0,2}`)

// redact removes the secrets from a text, in plaintext or in base64.
func (s secrets) redact(text string) string {
	text = base64Like.ReplaceAllStringFunc(text, func(word string) string {
		if s.isEncodedIn(word) {
			return redacted
		}
		return word
	})
	for _, secret := range s {
		text = strings.ReplaceAll(text, secret, redacted)
	}
	return text
}

// isEncodedIn reports whether a word is base64 of a text that holds a secret.
func (s secrets) isEncodedIn(word string) bool {
	const group = 4 // characters of base64 that are decoded together
	word = strings.TrimRight(word, "=")
	for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		// The text may have been cut, or have begun within the word.
		for skip := range min(group, len(word)) {
			plain, _ := encoding.DecodeString(word[skip:])
			if slices.ContainsFunc(s, func(secret string) bool { return strings.Contains(string(plain), secret) }) {
				return true
			}
		}
	}
	return false
}
