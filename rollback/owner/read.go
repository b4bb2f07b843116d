package owner

import (
	"context"
	"errors"
	"fmt"
	"strings"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/org/lambda-rollback-action/rollback/aws"
)

// Stacks is the part of the CloudFormation API that this package uses.
type Stacks interface {
	DescribeStackResources(context.Context, *cloudformation.DescribeStackResourcesInput, ...func(*cloudformation.Options)) (*cloudformation.DescribeStackResourcesOutput, error)
	DescribeStacks(context.Context, *cloudformation.DescribeStacksInput, ...func(*cloudformation.Options)) (*cloudformation.DescribeStacksOutput, error)
	DescribeStackEvents(context.Context, *cloudformation.DescribeStackEventsInput, ...func(*cloudformation.Options)) (*cloudformation.DescribeStackEventsOutput, error)
}

// Tags is the part of the AWS Lambda API that returns the tags of a function.
type Tags interface {
	ListTags(context.Context, *lambda.ListTagsInput, ...func(*lambda.Options)) (*lambda.ListTagsOutput, error)
}

// Reader reads the owners of aliases in one region.
type Reader struct {
	Stacks      Stacks
	Tags        Tags
	Deployments *DeploymentReader
	Retry       aws.Retry
}

// tries is how often a call is attempted: the result must not keep anything waiting
// for long.
const tries = 3

// describeStacks is the IAM action for reading the state of a stack.
const describeStacks = "cloudformation:DescribeStacks"

func ask[T any](ctx context.Context, r aws.Retry, call string, f func(context.Context) (T, error)) (T, error) {
	r.Tries = tries
	return aws.Do(ctx, r, call, f)
}

// Stack returns the stack that owns an alias, or nil if none could be found. unseen
// says what could not be read.
func (r Reader) Stack(ctx context.Context, aliasARN string) (found *Stack, unseen []string) {
	out, err := ask(ctx, r.Retry, "DescribeStackResources", func(ctx context.Context) (*cloudformation.DescribeStackResourcesOutput, error) {
		return r.Stacks.DescribeStackResources(ctx, &cloudformation.DescribeStackResourcesInput{PhysicalResourceId: &aliasARN})
	})
	switch {
	case err == nil && len(out.StackResources) > 0:
		return r.owning(ctx, out.StackResources)
	case err != nil && !noSuchStack(err):
		unseen = append(unseen, "whether a stack owns the alias: "+why(err, "cloudformation:DescribeStackResources"))
	}
	return nil, unseen
}

// owning returns the stack whose resources include the alias.
func (r Reader) owning(ctx context.Context, resources []types.StackResource) (*Stack, []string) {
	id := sdk.ToString(resources[0].StackId)
	s := &Stack{
		ID: id, Name: sdk.ToString(resources[0].StackName), OwnsAlias: true,
		Tool: toolOf(resources), CodeDeploy: has(resources, deploymentGroup),
	}
	if err := r.Refresh(ctx, s); err != nil {
		return s, []string{"the state of the stack " + s.Name + ": " + why(err, describeStacks)}
	}
	if s.phase() == Stuck {
		if err := r.readFailure(ctx, s, id); err != nil {
			return s, []string{"what failed in the stack " + s.Name + ": " + why(err, "cloudformation:DescribeStackEvents")}
		}
	}
	return s, nil
}

// Refresh reads the state of a stack again. For a nested stack it reads the root
// stack, which decides whether an update is rolled back.
func (r Reader) Refresh(ctx context.Context, s *Stack) error {
	now, err := r.describe(ctx, s.ID)
	if err != nil {
		return err
	}
	if root := sdk.ToString(now.RootId); root != "" && root != s.ID {
		if now, err = r.describe(ctx, root); err != nil {
			return err
		}
		s.Nested, s.ID, s.Name = s.Name, root, sdk.ToString(now.StackName)
	}
	s.Status, s.Read = now.StackStatus, r.Retry.Clock.Now()
	if now.LastUpdatedTime != nil {
		s.Updated = *now.LastUpdatedTime
	}
	return nil
}

// errNoStack is the error for a response without the requested stack.
var errNoStack = errors.New("the response contains no stack")

func (r Reader) describe(ctx context.Context, id string) (types.Stack, error) {
	out, err := ask(ctx, r.Retry, "DescribeStacks", func(ctx context.Context) (*cloudformation.DescribeStacksOutput, error) {
		return r.Stacks.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: &id})
	})
	switch {
	case err != nil:
		return types.Stack{}, err
	case len(out.Stacks) != 1:
		return types.Stack{}, errNoStack
	}
	return out.Stacks[0], nil
}

// readFailure finds the first resource that failed in the last operation. Events are
// listed newest first, and resources that failed later were only cancelled because of
// it.
func (r Reader) readFailure(ctx context.Context, s *Stack, id string) error {
	out, err := ask(ctx, r.Retry, "DescribeStackEvents", func(ctx context.Context) (*cloudformation.DescribeStackEventsOutput, error) {
		return r.Stacks.DescribeStackEvents(ctx, &cloudformation.DescribeStackEventsInput{StackName: &id})
	})
	if err != nil {
		return err
	}
	for _, e := range out.StackEvents {
		kind, status := sdk.ToString(e.ResourceType), string(e.ResourceStatus)
		if kind == "AWS::CloudFormation::Stack" && sdk.ToString(e.PhysicalResourceId) == id && strings.HasSuffix(status, "_IN_PROGRESS") && !strings.Contains(status, "CLEANUP") {
			break // the operation started here
		}
		if strings.HasSuffix(status, "_FAILED") && sdk.ToString(e.PhysicalResourceId) != id {
			s.Failed = Failure{sdk.ToString(e.LogicalResourceId), kind, sdk.ToString(e.ResourceStatusReason)}
		}
	}
	return nil
}

// StackByTags uses the tags of the function to find the stack that contains the
// function, and the tool that created the stack. That stack does not own the alias.
func (r Reader) StackByTags(ctx context.Context, aliasARN string) (*Stack, []string) {
	function := functionARN(aliasARN)
	out, err := ask(ctx, r.Retry, "ListTags", func(ctx context.Context) (*lambda.ListTagsOutput, error) {
		return r.Tags.ListTags(ctx, &lambda.ListTagsInput{Resource: &function})
	})
	if err != nil {
		return nil, []string{"whether a stack owns the function: " + why(err, "lambda:ListTags")}
	}
	name := out.Tags[tagStack]
	if name == "" {
		return nil, nil
	}
	s := &Stack{Name: name, ID: out.Tags[tagStackID], Tool: Plain}
	if out.Tags[tagCreatedBy] == createdBySAM {
		s.Tool = SAM
	}
	if s.ID == "" {
		s.ID = name
	}
	if err := r.Refresh(ctx, s); err != nil {
		return s, []string{"the state of the stack " + name + ": " + why(err, describeStacks)}
	}
	return s, nil
}

// functionARN removes the alias from the ARN of an alias.
func functionARN(aliasARN string) string {
	const parts = 7 // the number of parts in the ARN of a function
	return strings.Join(strings.SplitN(aliasARN, ":", parts+1)[:min(parts, strings.Count(aliasARN, ":")+1)], ":")
}

// noSuchStack reports whether CloudFormation found no stack for the resource. There is
// no separate error code for this, but access and throttling errors have other codes.
func noSuchStack(err error) bool { return aws.Code(err) == "ValidationError" }

// why explains, as part of a sentence, why something could not be read.
func why(err error, action string) string {
	if aws.Classify(err) == aws.Denied {
		return "AWS denied " + action
	}
	if stopped, found := errors.AsType[*aws.Stopped](err); found && stopped.Last == nil {
		return "AWS did not respond to " + action + " in time"
	}
	return fmt.Sprintf("%s: %s", action, aws.Brief(err))
}
