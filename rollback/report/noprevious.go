package report

// NoPrevious says why there is no version to go back to, as far as the version numbers
// and the owner of the function show it: Lambda never uses a number twice.
type NoPrevious string

// The causes. If older versions exist but cannot be used, the notes say why.
const (
	NeverPublished  NoPrevious = "never-published"  // the failing version is the first version of the function
	VersionsDeleted NoPrevious = "versions-deleted" // lower numbers existed, but no longer do
	// The same as VersionsDeleted, by the tool that deploys the function.
	DeletedByCDK            NoPrevious = "deleted-by-cdk"
	DeletedByCloudFormation NoPrevious = "deleted-by-cloudformation"
	DeletedBesideSAM        NoPrevious = "deleted-beside-sam"
	DeletedBesideServerless NoPrevious = "deleted-beside-serverless"
	DeletedBesideTerraform  NoPrevious = "deleted-beside-terraform"
)

// deployedWith maps a cause to the tool that deploys the function.
func (n NoPrevious) deployedWith(o *Owner) NoPrevious {
	if n != VersionsDeleted || o == nil || o.Deletes == "" {
		return n
	}
	return o.Deletes
}

// Clause returns the cause as the end of a sentence, or an empty string if it is not
// known.
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

const (
	protectBySnapshot = "Run this action with `command: snapshot` before each deploy: the memory alias then points at the live version, and Lambda does not delete a version that an alias points at."
	findWhoDeleted    = "AWS CloudTrail shows who deleted the versions: look for `DeleteFunction20150331` events of {function}."
	retainInTemplate  = "`DeletionPolicy: Retain` and `UpdateReplacePolicy: Retain` on each `AWS::Lambda::Version`."
	retainInCDK       = "`currentVersionOptions: { removalPolicy: RemovalPolicy.RETAIN }`"
)

// noPreviousRemedies prevent this in the future.
var noPreviousRemedies = map[NoPrevious][]instruction{
	NeverPublished: todo("Let each deploy publish a version and move {alias} to it: from the second version on, there is a version to go back to."),
	VersionsDeleted: todo(
		protectBySnapshot,
		"Configure your deploy tool to keep old versions. AWS CDK: "+retainInCDK+" (by default, CDK deletes the previous version). "+
			"CloudFormation: "+retainInTemplate+" serverless-prune-plugin: increase `number` under `custom.prune`.",
		findWhoDeleted,
	),
	DeletedByCDK: todo(
		"AWS CDK deploys {function}, and by default it deletes the previous version on each deploy. Set "+retainInCDK+" on the function.",
		protectBySnapshot,
	),
	DeletedByCloudFormation: todo(
		"CloudFormation deploys {function}, and it deletes a version that is no longer in the template. Set "+retainInTemplate,
		protectBySnapshot,
	),
	DeletedBesideSAM: todo(
		"AWS SAM deploys {function}, and keeps old versions unless `VersionDeletionPolicy: Delete` or `DeletionPolicy: Delete` is set on the function. Remove that setting.",
		findWhoDeleted, protectBySnapshot,
	),
	DeletedBesideServerless: todo(
		"The Serverless Framework deploys {function}, and keeps old versions unless a plugin prunes them. serverless-prune-plugin: increase `number` under `custom.prune`.",
		findWhoDeleted, protectBySnapshot,
	),
	DeletedBesideTerraform: todo(
		"Terraform deploys {function}, and keeps old versions: something else deletes them.",
		findWhoDeleted, protectBySnapshot,
	),
}
