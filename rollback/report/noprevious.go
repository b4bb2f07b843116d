package report

// NoPrevious says why there is no version to go back to, as far as the numbers of
// the versions tell: Lambda never gives a number out twice.
type NoPrevious string

// The causes. Where older versions exist and cannot be taken, the notes say why.
const (
	NeverPublished  NoPrevious = "never-published"  // the failing version is the function's first
	VersionsDeleted NoPrevious = "versions-deleted" // there were lower numbers, and none exists
)

// Clause is the cause as the end of a sentence; empty where it is not known.
func (n NoPrevious) Clause() string {
	switch n {
	case NeverPublished:
		return ": it is the function's first version"
	case VersionsDeleted:
		return ": the earlier versions were deleted, for example by a stack that replaces its version or by a tool that prunes old versions"
	default:
		return ""
	}
}

// noPreviousRemedies keep it from happening again.
var noPreviousRemedies = map[NoPrevious][]instruction{
	NeverPublished: todo("Let each deploy publish a version and move {alias} to it: from the second one on there is a version to go back to."),
	VersionsDeleted: todo(
		"Run this action with `command: snapshot` before each deploy: the memory alias then points at the live version, and Lambda does not delete a version that an alias points at.",
		"Configure your deploy tool to keep old versions. AWS CDK: `currentVersionOptions: { removalPolicy: RemovalPolicy.RETAIN }` (by default, CDK deletes the previous version). "+
			"CloudFormation and SAM: `DeletionPolicy: Retain` and `UpdateReplacePolicy: Retain` on each `AWS::Lambda::Version`. serverless-prune-plugin: raise `number` under `custom.prune`.",
	),
}
