package owner

import (
	"fmt"
	"strings"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// Tell describes what is known about the owners; it returns nil if nothing is known.
// region is the region of the function.
func Tell(f Facts, o Options, region string) *report.Owner {
	told := report.Owner{Unseen: f.Unseen}
	tool := NoTool
	if o.Terraform {
		tool = Terraform
	}
	if s := f.Stack; s != nil {
		if s.Tool != NoTool {
			tool = s.Tool
		}
		told.Name = "the stack " + s.Name
		if s.Nested != "" {
			told.Name += " (nested stack " + s.Nested + ")"
		}
		told.OnlyFunction = !s.OwnsAlias
		told.State, told.Command = stateOf(*s, region)
	}
	if d := f.Deployment; d != nil {
		told.Deployment = fmt.Sprintf("the CodeDeploy deployment %s (%s %s) is %s", d.ID, d.Application, d.Group, d.Status)
	}
	told.Tool = tool.String()
	told.Next, told.Keep = nextDeploy(tool, f.Stack)
	told.TargetDeleted = tool == CDK || tool == Plain
	told.Deletes = deletes[tool]
	if told.Tool == "" && told.Name == "" && told.Deployment == "" && len(told.Unseen) == 0 {
		return nil
	}
	return &told
}

// deletes maps a tool to the reason why old versions are missing.
var deletes = map[Tool]report.NoPrevious{
	CDK: report.DeletedByCDK, Plain: report.DeletedByCloudFormation, SAM: report.DeletedBesideSAM,
	Serverless: report.DeletedBesideServerless, Terraform: report.DeletedBesideTerraform,
}

// stateOf describes what the stack is doing, as part of a sentence, and returns the
// command that recovers it from a state that it cannot leave otherwise.
func stateOf(s Stack, region string) (state, command string) {
	if s.Status == "" { // the state could not be read
		return "", ""
	}
	state = "it is " + string(s.Status)
	switch s.phase() {
	case Cleaning:
		state += ": it is deleting resources that the update replaced, including old versions; a version that an alias points at cannot be deleted"
	case Stuck:
		if f := s.Failed; f.Resource != "" {
			state += fmt.Sprintf(": %s (%s) failed: %s", f.Resource, f.Type, f.Reason)
		}
		state += "; recover it before the next deploy"
		verb := "rollback-stack"
		if s.Status == "UPDATE_ROLLBACK_FAILED" {
			verb = "continue-update-rollback"
		}
		command = fmt.Sprintf("aws cloudformation %s --stack-name %s --region %s", verb, s.Name, region)
	case Quiet, Working, RolledBack, Deleting:
	}
	return state, command
}

// These texts describe what the next deploy does with an alias that was moved outside
// of the tool. docs/owners.md lists the source of each claim.
const (
	nextOfStack = "a deploy with new code publishes a new version and moves the alias to it; " +
		"deploying the same template again succeeds and changes nothing, so the alias stays on the old version; " +
		"a drift-aware change set moves it to the failing version again"
	nextOfCodeDeploy = "; CodeDeploy shifts this alias, so the next deploy may fail if the alias is not on the version that CodeDeploy expects"
	nextOfTerraform  = "the next apply moves the alias to the version in its configuration, even if no code changed, unless ignore_changes lists function_version"

	keepOfCDK        = "by default CDK deletes the previous version on each deploy: set currentVersionOptions: { removalPolicy: RemovalPolicy.RETAIN } on the function, or run the command snapshot before each deploy"
	keepOfPlain      = "CloudFormation deletes an AWS::Lambda::Version that is removed from the template: set DeletionPolicy: Retain and UpdateReplacePolicy: Retain, or run the command snapshot before each deploy"
	keepOfSAM        = "SAM keeps old versions unless the function has VersionDeletionPolicy: Delete or DeletionPolicy: Delete"
	keepOfServerless = "Serverless keeps old versions unless a plugin prunes them: keep at least the last two"
	keepOfTerraform  = "Terraform keeps old versions"
)

// nextDeploy describes what the next deploy does with the alias, and whether it keeps
// old versions. Both are empty if the tool is not known.
func nextDeploy(tool Tool, s *Stack) (next, keep string) {
	next = nextOfStack
	switch tool {
	case CDK:
		keep = keepOfCDK
	case SAM:
		keep = keepOfSAM
	case Plain:
		keep = keepOfPlain
	case Serverless:
		keep = keepOfServerless
	case Terraform:
		return nextOfTerraform, keepOfTerraform
	case NoTool:
		return "", ""
	}
	if s != nil && !s.OwnsAlias {
		return "", keep // it is not known what moves the alias
	}
	if s != nil && s.CodeDeploy {
		next += nextOfCodeDeploy
	}
	return next, keep
}

// stopCommand returns the command that stops a CodeDeploy deployment and rolls it
// back. Without the rollback, the weights would stay on the alias.
func stopCommand(id, region string) string {
	id = strings.Map(func(r rune) rune {
		if strings.ContainsRune("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-", r) {
			return r
		}
		return -1
	}, id)
	command := "aws deploy stop-deployment --deployment-id " + id + " --auto-rollback-enabled"
	if region != "" {
		command += " --region " + region
	}
	return command
}
