package aws

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
)

// RoleCause says why STS did not give a role.
type RoleCause int

// The causes.
const (
	RoleOther        RoleCause = iota
	RoleDenied                 // the trust policy does not allow it, or there is no such role
	TokenNotAccepted           // the account does not take such tokens, or not for this audience
)

func causeOf(err error) RoleCause {
	switch Code(err) {
	case "AccessDenied", "AccessDeniedException":
		return RoleDenied
	case "InvalidIdentityToken", "IDPRejectedClaim", "ExpiredTokenException":
		return TokenNotAccepted
	}
	return RoleOther
}

// RoleError is STS's refusal to give a role. It has what the job's token says of the
// job, and never the token.
type RoleError struct {
	Cause             RoleCause
	Role              string
	Subject, Audience string // empty: the token could not be read
	Err               error
}

// Unwrap gives the error of the call.
func (e *RoleError) Unwrap() error { return e.Err }

func (e *RoleError) Error() string {
	text := fmt.Sprintf("STS did not give the role %s (%s); the job's token has sub %q and aud %q", e.Role, Brief(e.Err), e.Subject, e.Audience)
	switch e.Cause {
	case RoleDenied:
		return text + ". Look whether the role exists in that account, and whether its trust policy allows sts:AssumeRoleWithWebIdentity for exactly this sub and aud: " +
			"a job with an environment has repo:ORG/REPO:environment:NAME and no branch; a pattern with * needs StringLike; upper and lower case count; " +
			"and a subject has either names alone (repo:ORG/REPO:…) or names with numbers (repo:ORG@ID/REPO@ID:…), of which the policy must allow the form above"
	case TokenNotAccepted:
		return text + ". Look whether that account has an identity provider for token.actions.githubusercontent.com whose audiences have this aud, " +
			"and whether the input audience is right (sts.amazonaws.com; in China often sts.amazonaws.com.cn)"
	case RoleOther:
	}
	return text + ". Look whether role-to-assume is the whole ARN of a role"
}

// longestClaim bounds what is repeated of a token's claim, in characters.
const longestClaim = 300

// claims reads from a token whom it is about and whom it is for.
func claims(token string) (subject, audience string) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return "", ""
	}
	payload, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[1], "="))
	if err != nil {
		return "", ""
	}
	var read struct {
		Sub string `json:"sub"`
		Aud any    `json:"aud"`
	}
	if json.Unmarshal(payload, &read) != nil {
		return "", ""
	}
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
	return cut(read.Sub), cut(audience)
}

func cut(text string) string {
	if r := []rune(text); len(r) > longestClaim {
		return string(r[:longestClaim]) + "…"
	}
	return text
}
