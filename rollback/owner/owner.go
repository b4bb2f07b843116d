// Package owner tells who else moves the alias of a Lambda function: the
// CloudFormation stack that it belongs to and CodeDeploy. It reads their state,
// decides whether the alias may be moved now, waits where it may not yet, and says
// what the next deploy will do. Nothing here is needed for a move: what cannot be
// read is told, and does not stop it.
package owner

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	deploytypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
)

// Tool is what deploys the function.
type Tool int

// The tools. Plain is CloudFormation with a template of one's own.
const (
	NoTool Tool = iota // not known
	Plain
	CDK
	SAM
	Serverless
	Terraform
)

// String is the tool's name for people; empty: not known.
func (t Tool) String() string {
	switch t {
	case Plain:
		return "CloudFormation"
	case CDK:
		return "AWS CDK"
	case SAM:
		return "AWS SAM"
	case Serverless:
		return "Serverless Framework"
	case Terraform:
		return "Terraform"
	case NoTool:
	}
	return ""
}

// Stack is the CloudFormation stack that owns an alias, or only its function.
type Stack struct {
	// ID and Name are those of the root stack, which is the one that is updated
	// and rolled back, and Status and Updated are its state. Nested is the name of
	// the stack within it that has the alias; empty: the root has it.
	ID, Name, Nested string
	Status           types.StackStatus
	Updated          time.Time // when its last update began; zero: never
	Tool             Tool
	CodeDeploy       bool // it has a CodeDeploy deployment group
	// OwnsAlias: the alias is its resource, and not only the function.
	OwnsAlias bool
	// Failed is what made the last operation fail; empty: not known.
	Failed Failure
}

// Failure is a resource that failed, and why, in AWS's words.
type Failure struct{ Resource, Type, Reason string }

// Deployment is a deployment of CodeDeploy in flight.
type Deployment struct {
	ID, Application, Group string
	Status                 deploytypes.DeploymentStatus
	Rollback               bool // CodeDeploy made it to roll another one back
	Version                string
}

// Facts are what is known about the owners of one alias.
type Facts struct {
	Stack      *Stack      // nil: none, or not known
	Deployment *Deployment // nil: none is in flight, or not known
	Unseen     []string    // what could not be seen, and why; half sentences
}
