package notify

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// minSecret is how long a piece of an address is that may be one, in bytes.
const minSecret = 8

// secrets are what a service must not be quoted with. Many a server repeats the
// path that it was asked for ("Cannot POST /services/…"), and the path of a
// webhook is its key. GitHub masks a secret in a log only where it stands whole.
type secrets []string

// secretsOf are the pieces of an address and the token that let somebody else post.
func secretsOf(address string, header http.Header) secrets {
	all := secrets{address}
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
	all = slices.DeleteFunc(all, func(piece string) bool { return len(piece) < minSecret })
	// The longest first: a piece of it would leave the rest standing.
	slices.SortFunc(all, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	return slices.Compact(all)
}

// line makes one line of a service's words, without the secrets.
func (s secrets) line(words string) string {
	for _, secret := range s {
		words = strings.ReplaceAll(words, secret, "***")
	}
	return report.Line(strings.TrimSpace(words), maxQuote)
}
