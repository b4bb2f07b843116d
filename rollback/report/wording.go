package report

import "strings"

// reasonText contains the texts for one reason.
type reasonText struct {
	heading string // a phrase that fits after "Rollback failed:"
	remedy  []instruction
}

// reasonTexts has an entry for every reason. A reason without a remedy here has only
// the remedy of its status.
var reasonTexts = map[Reason]reasonText{
	PreviousVersion: {heading: "back on the last good version"},
	CanaryStopped:   {heading: "canary stopped, all traffic on the stable version"},
	Snapshot:        {heading: "back on the version of the snapshot"},
	Chosen:          {heading: "moved to the chosen version"},

	BranchNotAllowed: {
		heading: "runs of this branch are not rolled back",
		remedy:  todo("No action is needed, unless {branch} deploys to {environment}: in that case, add it to the input `branch`."),
	},
	UntrustedFork: {
		heading: "the failed run belongs to a fork",
		remedy:  todo("No action is needed: a run of a fork must never move production."),
	},
	NoFailure: {
		heading: "no deploy job failed",
		remedy:  todo("No action is needed, unless a deploy did fail: in that case, list its job under `needs` of the rollback job, and in `deploy-job` if that input is set."),
	},
	EnvironmentMismatch: {
		heading: "the failed deployment was to another environment",
		remedy:  todo("No action is needed, unless that deployment was to {environment}: in that case, set the input `environment` to the name that GitHub shows for it."),
	},
	AlreadyOnTarget: {
		heading: "already on the requested version",
		remedy:  todo("No action is needed for {function}. If it is still not healthy, choose an older version with `target-version`."),
	},
	AlreadyRolledBack: {
		heading: "already rolled back",
		remedy:  todo("No action is needed for {function}: an earlier rollback moved it to {from}. If that is not healthy either, choose an older version with `target-version`."),
	},
	NotDeployed: {
		heading: "the deploy failed before it changed production",
		remedy: todo(
			"No action is needed for production: it was on {from} before the run, and still is. Fix the deploy and run it again.",
			"Only if this pipeline promotes versions that an earlier run published: set `deployed-version`, or set `only-if-deployed: false`.",
		),
	},
	Superseded: {
		heading: "a newer deploy is live",
		remedy:  todo("No action is needed if the newer deploy is healthy. If {from} is bad too, roll back that run, or choose a version with `target-version`."),
	},
	NoPreviousVersion: {
		heading: "no older version to go back to",
		remedy: todo(
			"Manual action required: fix the fault and deploy again, or publish good code as a new version and point {alias} at it. There is no older version that can run and was not rolled back before.",
		),
	},
	RolledBackByStack: {
		heading: "CloudFormation rolled the stack back",
		remedy:  todo("No action is needed for {function}: CloudFormation restored {from}. The stack's events show why its update failed."),
	},

	InvalidInput: {
		heading: "invalid input",
		remedy:  todo("Correct the inputs or settings that the message names, in the workflow file."),
	},
	NoCredentials: {
		heading: "no AWS credentials",
		remedy:  todo("Set `role-to-assume` and give the job `permissions: id-token: write`, or run `aws-actions/configure-aws-credentials` before this step. Check that the role trusts this repository and environment."),
	},
	AccessDenied: {
		heading: "AWS denied access",
		remedy:  todo("Grant the role the action that the message names, on that resource, then run the job again."),
	},
	FunctionNotFound: {
		heading: "function not found",
		remedy:  todo("Check `function-name`, `aws-region` and the account of the role: {function} is not there."),
	},
	AliasNotFound: {
		heading: "alias not found",
		remedy:  todo("Check the input `alias`: {function} has no alias {alias} in this region. This action never creates one."),
	},
	VersionNotFound: {
		heading: "version not found",
		remedy:  todo("Choose a version that exists and can serve: `aws lambda list-versions-by-function --function-name {function}`"),
	},
	AliasOnLatest: {
		heading: "the alias points at $LATEST",
		remedy:  todo("An alias on $LATEST cannot be rolled back. Let the deploy publish a version and point the alias at its number."),
	},
	AliasChanged: {
		heading: "something else keeps changing the alias",
		remedy:  todo("Find out what else moves {alias} (another deploy, CodeDeploy, Terraform), wait until it has finished, and run the job again."),
	},
	StackInProgress: {
		heading: "the stack that owns the alias is in progress",
		remedy: todo(
			"Check the stack that the message names. When it has ended, run the job again: a stack that rolls back restores the alias.",
			"To wait longer, increase `timeout`. To move the alias without waiting, set `on-stack-in-progress: go-on`.",
		),
	},
	CodeDeployInProgress: {
		heading: "CodeDeploy is moving the alias",
		remedy:  todo("Stop the deployment that the message names, have CodeDeploy roll it back, and run the job again when it has ended; `stop-codedeploy: true` does this automatically."),
	},
	Refused: {
		heading: "the promotion was refused",
		remedy:  todo("Follow the instructions in the message, then run the job again. No traffic was moved."),
	},
	RejectedBefore: {
		heading: "the version was rejected before",
		remedy:  todo("Deploy a fix. If the version did not cause the failure, run the job again with `allow-rejected: true`."),
	},
	ReasonInconclusive: {
		heading: "too little evidence",
		remedy: todo(
			"The new version was not found to be unhealthy, and is not rejected: too few calls reached it. Use a larger share of the traffic or a longer step in `steps`; the notes say what would be enough.",
			"With `on-inconclusive: wait`, the action watches for the same time again; with `continue`, it promotes without evidence.",
		),
	},
	DeploysFrozen: {
		heading: "deploys are frozen after a rollback",
		remedy: todo(
			"Revert the commit that the message names: the next check then passes.",
			"To deploy a fix on top of it, run the check with `unlock-deploys: true`.",
		),
	},
	Throttled: {
		heading: "AWS throttled the calls",
		remedy:  todo("Run the job again. If it happens again, set a longer `timeout`, or find out what else uses Lambda's control-plane quota in this account."),
	},
	Timeout: {
		heading: "the time limit was reached",
		remedy:  todo("Check which version the alias points at now, then run the job again, with a longer `timeout` if AWS was slow."),
	},
	Cancelled: {
		heading: "the run was cancelled",
		remedy:  todo("Check which version the alias points at now. If it is still the failing version, run the job again."),
	},
	Unhealthy: {
		heading: "production is not healthy",
		remedy: todo(
			"Read the checks, then the function's logs. If an older version is also bad, the cause is often outside the code: a dependency, data, a secret, infrastructure.",
			"To go further back, choose an older version with `target-version`; `on-unhealthy: step-back` does so automatically.",
			"Revert {commit} on {branch}, or fix it, before the next deploy: the alias was rolled back.",
		),
	},
	NotificationFailed: {
		heading: "a test message could not be sent",
		remedy:  todo("Correct the inputs of the channel: the checks on this page show the error from the service. A rollback would still work, but not everyone would be notified."),
	},
	NothingChanged: {
		heading: "nothing to restore",
	},
	VersioningOff: {
		heading: "bucket versioning is off",
		remedy:  todo("Turn on bucket versioning with the command in the message; it works from the next deploy on. Until then, deploy the last good state of the site again."),
	},
	BucketNotFound: {
		heading: "bucket not found",
		remedy:  todo("Check `site-bucket` and the account of the role."),
	},
	PrefixRequired: {
		heading: "the bucket also contains other objects",
		remedy:  todo("Set `site-prefix` to the folder of the site, or to `/` if the whole bucket is the site, and run the job again."),
	},
	Archived: {
		heading: "old versions are archived",
		remedy:  todo("Restore the archived versions that the message names with `aws s3api restore-object`, and run the job again: objects that are already correct are not copied again."),
	},
	PartlyRestored: {
		heading: "the site is only partly restored",
		remedy:  todo("Fix the failures in the summary, and run the job again: it continues where this run stopped."),
	},
	StateNotGiven: {
		heading: "no state to restore was given",
		remedy:  todo("Set `site-restore-to` or `site-manifest`, and run this again: `command: list` shows the times."),
	},
	AWSError: {
		heading: "AWS returned an error",
		remedy:  todo("Read the message, check the AWS Health Dashboard for {region}, and run the job again."),
	},
}

// statusTexts describe each status with a past participle.
var statusTexts = map[Status]string{
	RolledBack: "rolled back",
	Planned:    "would be rolled back",
	Skipped:    "not changed",
	Failed:     "failed",
	Ready:      "ready",
	NotReady:   "not ready",
	Taken:      "recorded",
	Listed:     "listed",
	Drilled:    "drilled",
	Promoted:   "promoted",
}

// reasonHeading returns a short text for a reason, for a table cell or a list.
func reasonHeading(reason Reason) string {
	if w, ok := reasonTexts[reason]; ok {
		return w.heading
	}
	return strings.ReplaceAll(string(reason), "-", " ")
}

// reasonHeadingFor is reasonHeading with the words of a command.
func reasonHeadingFor(command string, reason Reason) string {
	if command == "drill" && reason == Unhealthy {
		return "a check failed"
	}
	if command == "promote" {
		switch reason {
		case Unhealthy:
			return "the new version is not healthy"
		case AliasChanged:
			return "somebody else changed the alias"
		case BranchNotAllowed:
			return "runs of this branch may not promote"
		default:
		}
	}
	return reasonHeading(reason)
}

// statusTextFor is StatusText with the words of a command.
func statusTextFor(command string, status Status) string {
	if own, has := commandVerbs[command][status]; has && status == Planned {
		return own.one
	}
	return StatusText(status)
}

// StatusText returns a status as shown in a table or a list: "rolled back", "not
// changed".
func StatusText(status Status) string {
	if text, ok := statusTexts[status]; ok {
		return text
	}
	return strings.ReplaceAll(string(status), "-", " ")
}
