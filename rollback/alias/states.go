package alias

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

// imageDeleted is the reason of a version whose container image was deleted: it can
// never serve traffic again, whatever its state is.
const imageDeleted = string(types.StateReasonCodeImageDeleted)

// returning are the reasons for which an Inactive version becomes ready without
// intervention: Lambda reclaims the resources of an idle version, and restores them at
// the next call. With any other reason, Lambda tried and failed: because of the role,
// the key, the network, the file system, the image or the code, and calls fail until
// that is fixed. The reasons are listed in the Lambda API, data type
// FunctionConfiguration, StateReasonCode:
// https://docs.aws.amazon.com/lambda/latest/api/API_GetFunctionConfiguration.html
// https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html
var returning = []types.StateReasonCode{
	"",
	types.StateReasonCodeIdle,
	types.StateReasonCodeCreating,
	types.StateReasonCodeRestoring,
}

// returns reports whether an Inactive version becomes ready without intervention.
func returns(code string) bool { return slices.Contains(returning, types.StateReasonCode(code)) }
