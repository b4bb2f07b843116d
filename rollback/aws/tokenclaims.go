package aws

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"sync"
)

// TokenClaims are the subject and the audience of the job's OIDC token, which a trust
// policy compares. They are empty if the token could not be read.
type TokenClaims struct{ Subject, Audience string }

// SubjectForm is how the subject of a token names the repository.
type SubjectForm int

// The forms. GitHub documents them under "Immutable subject claims":
// https://docs.github.com/en/actions/reference/security/oidc
const (
	SubjectOther SubjectForm = iota // a customized subject without the repository
	SubjectNames                    // repo:ORG/REPO:…
	SubjectIDs                      // repo:ORG@ID/REPO@ID:…
)

// GitHub writes %3A for a colon inside a value, and names cannot contain @.
var (
	subjectNames = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^repo:[^/@:]+/[^/@:]+(?::|$)`) })
	subjectIDs   = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^repo:[^/@:]+@\d+/[^/@:]+@\d+(?::|$)`) })
)

// Form returns the form of the subject.
func (c TokenClaims) Form() SubjectForm {
	switch {
	case subjectNames().MatchString(c.Subject):
		return SubjectNames
	case subjectIDs().MatchString(c.Subject):
		return SubjectIDs
	}
	return SubjectOther
}

// longestClaim is the maximum length of a claim in a message, in characters.
const longestClaim = 300

// ReadClaims reads a token. It does not verify the signature, which AWS does.
func ReadClaims(token string) TokenClaims {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return TokenClaims{}
	}
	payload, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[1], "="))
	if err != nil {
		return TokenClaims{}
	}
	var read struct {
		Sub string `json:"sub"`
		Aud any    `json:"aud"`
	}
	if json.Unmarshal(payload, &read) != nil {
		return TokenClaims{}
	}
	audience := ""
	switch aud := read.Aud.(type) {
	case string:
		audience = aud
	case []any:
		var all []string
		for _, a := range aud {
			all = append(all, fmt.Sprint(a))
		}
		audience = strings.Join(all, ", ")
	}
	return TokenClaims{Subject: cut(read.Sub), Audience: cut(audience)}
}

func cut(text string) string {
	if r := []rune(text); len(r) > longestClaim {
		return string(r[:longestClaim]) + "…"
	}
	return text
}
