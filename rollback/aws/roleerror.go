package aws

import "fmt"

// RoleCause is why STS did not issue credentials for a role.
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

// RoleError is the refusal of STS to issue credentials for a role. It contains the
// claims of the job's token, and never the token.
type RoleError struct {
	Cause  RoleCause
	Role   string
	Claims TokenClaims
	Err    error
}

// Unwrap returns the error of the call.
func (e *RoleError) Unwrap() error { return e.Err }

func (e *RoleError) Error() string {
	text := fmt.Sprintf("could not assume the role %s (%s); the job's token has sub %q and aud %q", e.Role, Brief(e.Err), e.Claims.Subject, e.Claims.Audience)
	switch e.Cause {
	case RoleDenied:
		return text + ". Check that the role exists in that account, and that its trust policy allows sts:AssumeRoleWithWebIdentity for exactly this sub and aud: " +
			"a job with an environment has repo:ORG/REPO:environment:NAME and no branch; a pattern with * needs StringLike; the comparison is case-sensitive;  " +
			"and a subject contains either names only (repo:ORG/REPO:…) or names with IDs (repo:ORG@ID/REPO@ID:…), and the policy must allow the form above"
	case TokenNotAccepted:
		return text + ". Check that the account has an identity provider for token.actions.githubusercontent.com whose audiences include this aud, " +
			"and that the input audience is correct (sts.amazonaws.com; in China often sts.amazonaws.com.cn)"
	case RoleOther:
		if !ByAWS(e.Err) {
			return text
		}
	}
	return text + ". Check that role-to-assume is the complete ARN of a role"
}
