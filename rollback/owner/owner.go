// Package owner finds out what else moves the alias of a Lambda function: the
// CloudFormation stack that owns it, or CodeDeploy. It reads their state, decides
// whether the alias may be moved now, waits if necessary, and describes what the next
// deploy will do. A move does not depend on it: if something cannot be read, the
// result says so, and the move continues.
package owner

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	deploytypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
)

// Tool is the tool that deploys the function.
type Tool int

// The tools. Plain is CloudFormation with a template that no other tool generated.
const (
	NoTool Tool = iota // not known
	Plain
	CDK
	SAM
	Serverless
	Terraform
)

// String returns the display name of the tool, or an empty string if the tool is not
// known.
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
	// ID and Name identify the root stack, which is the one that is updated and rolled
	// back. Status and Updated are its state. Nested is the name of the nested stack
	// that contains the alias; it is empty if the root stack contains it.
	ID, Name, Nested string
	Status           types.StackStatus
	Read             time.Time // when Status was read; zero if it could not be read
	Updated          time.Time // when its last update started; zero if never
	Tool             Tool
	CodeDeploy       bool // it has a CodeDeploy deployment group
	// OwnsAlias reports whether the alias is a resource of the stack, and not only the
	// function.
	OwnsAlias bool
	// Failed is the resource that made the last operation fail; empty if unknown.
	Failed Failure
}

// Failure is a resource that failed, and the reason in AWS's words.
type Failure struct{ Resource, Type, Reason string }

// Deployment is a CodeDeploy deployment in progress.
type Deployment struct {
	ID, Application, Group string
	Status                 deploytypes.DeploymentStatus
	Rollback               bool // CodeDeploy created it to roll another one back
	Version                string
}

// Facts are what is known about the owners of one alias.
type Facts struct {
	Stack      *Stack      // nil if there is none, or it is not known
	Deployment *Deployment // nil if none is in progress, or it is not known
	Unseen     []string    // what could not be read, and why; parts of sentences
}
