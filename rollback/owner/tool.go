package owner

import (
	"regexp"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
)

// The traces that tools leave in a stack and on a function.
const (
	cdkMetadata      = "AWS::CDK::Metadata"
	serverlessBucket = "ServerlessDeploymentBucket"
	deploymentGroup  = "AWS::CodeDeploy::DeploymentGroup"
	aliasType        = "AWS::Lambda::Alias"

	tagStack     = "aws:cloudformation:stack-name"
	tagStackID   = "aws:cloudformation:stack-id"
	tagCreatedBy = "lambda:createdBy"
	tagCDK       = "aws-cdk:"
	createdBySAM = "SAM"
)

// samVersion is the logical id that SAM gives the version of a function with
// AutoPublishAlias: the function's, "Version", and ten digits of a hash.
var samVersion = regexp.MustCompile(`^.+Version[0-9a-f]{10}$`)

// toolOf tells which tool made a stack by its resources.
func toolOf(resources []types.StackResource) Tool {
	tool := Plain
	for _, r := range resources {
		id, kind := aws.ToString(r.LogicalResourceId), aws.ToString(r.ResourceType)
		switch {
		case kind == cdkMetadata:
			return CDK
		case id == serverlessBucket:
			return Serverless
		case kind == "AWS::Lambda::Version" && samVersion.MatchString(id):
			tool = SAM
		}
	}
	return tool
}

// has tells whether a stack has a resource of a type.
func has(resources []types.StackResource, kind string) bool {
	for _, r := range resources {
		if aws.ToString(r.ResourceType) == kind {
			return true
		}
	}
	return false
}
