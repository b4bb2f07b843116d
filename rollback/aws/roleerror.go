package aws

import "fmt"

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
	Cause  RoleCause
	Role   string
	Claims TokenClaims
	Err    error
}

// Unwrap gives the error of the call.
func (e *RoleError) Unwrap() error { return e.Err }

func (e *RoleError) Error() string {
	text := fmt.Sprintf("STS did not give the role %s (%s); the job's token has sub %q and aud %q", e.Role, Brief(e.Err), e.Claims.Subject, e.Claims.Audience)
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
