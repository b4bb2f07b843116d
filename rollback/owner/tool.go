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

// samVersion matches the logical ID that SAM gives to the version of a function with
// AutoPublishAlias: the logical ID of the function, "Version", and ten digits of a
// hash.
var samVersion = regexp.MustCompile(`^.+Version[0-9a-f]{10}$`)

// toolOf recognizes the tool that created a stack by its resources.
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

// has reports whether a stack has a resource of a type.
func has(resources []types.StackResource, kind string) bool {
	for _, r := range resources {
		if aws.ToString(r.ResourceType) == kind {
			return true
		}
	}
	return false
}
