package alias

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

// imageDeleted: a version without its container image never serves again, whatever
// its state says.
const imageDeleted = string(types.StateReasonCodeImageDeleted)

// returning are the reasons with which an Inactive version serves again on its own:
// Lambda reclaims what an idle version used, and makes it ready at the next call.
// With any other reason, Lambda tried and could not: the role, the key, the network,
// the file system, the image or the code is in the way, and calls fail until that is
// mended. The reasons are those of the Lambda API, data type FunctionConfiguration,
// StateReasonCode:
// https://docs.aws.amazon.com/lambda/latest/api/API_GetFunctionConfiguration.html
// https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html
var returning = []types.StateReasonCode{
	"",
	types.StateReasonCodeIdle,
	types.StateReasonCodeCreating,
	types.StateReasonCodeRestoring,
}

// returns reports whether an Inactive version serves again on its own.
func returns(code string) bool { return slices.Contains(returning, types.StateReasonCode(code)) }
