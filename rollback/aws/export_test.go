package aws

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// assume is STS's answer to a call.
type assume func(context.Context, *sts.AssumeRoleWithWebIdentityInput) (*sts.AssumeRoleWithWebIdentityOutput, error)

func (f assume) AssumeRoleWithWebIdentity(ctx context.Context, in *sts.AssumeRoleWithWebIdentityInput, _ ...func(*sts.Options)) (*sts.AssumeRoleWithWebIdentityOutput, error) {
	return f(ctx, in)
}

// Issue gives the first credentials of a role.
func Issue(ctx context.Context, o Options, answer assume) (aws.Credentials, error) {
	return issued(ctx, &role{sts: answer, options: o}, o)
}

// STSRegion is the region whose STS is asked for a role.
var STSRegion = stsRegion

// Unwrapped is the client that a client of Open sends its requests with.
func Unwrapped(client aws.HTTPClient) aws.HTTPClient {
	if ours, is := client.(transport); is {
		return ours.next
	}
	return client
}
