package aws

import (
	"context"
	"time"
)

// Session is how long the credentials are valid.
type Session struct {
	// Temporary credentials end at some time, and nothing renews them.
	Temporary bool
	Ends      time.Time // zero: not known, or never
}

// expirationVariable is where the AWS CLI (`aws configure export-credentials`) and
// tools like it write when the credentials of the environment end.
// https://docs.aws.amazon.com/cli/latest/reference/configure/export-credentials.html
const expirationVariable = "AWS_CREDENTIAL_EXPIRATION"

// Session describes the credentials in use. A role that this program assumed and
// credentials that the SDK fetches from a service are renewed.
func (c *Clients) Session(ctx context.Context) Session {
	if !c.assumed.IsZero() || c.config.Credentials == nil {
		return Session{}
	}
	now, err := c.config.Credentials.Retrieve(ctx)
	if err != nil || now.SessionToken == "" || now.CanExpire {
		return Session{}
	}
	ends, err := time.Parse(time.RFC3339, c.expiration)
	if err != nil {
		return Session{Temporary: true}
	}
	return Session{Temporary: true, Ends: ends}
}
