package report

import "strings"

// words are what a person is told about one way in which things can end.
//
// The remedy has one step a line. `{name}` stands for a value of vars.go, what
// is between backticks is shown as code.
type words struct {
	heading string // a phrase that fits behind "Rollback failed:"
	remedy  string
}

// wordings has an entry for every reason. Those without a remedy here ask for
// nothing but what the status asks for.
var wordings = map[Reason]words{
	PreviousVersion: {heading: "back on the last good version"},
	CanaryStopped:   {heading: "canary stopped, all traffic on the stable version"},
	Snapshot:        {heading: "back on the version noted before the deploy"},
	Chosen:          {heading: "moved to the version a person chose"},

	BranchNotAllowed: {
		heading: "runs of this branch are not rolled back",
		remedy:  "Nothing to do, unless {branch} deploys to {environment}: then add it to the input `branch`.",
	},
	UntrustedFork: {
		heading: "the failed run belongs to a fork",
		remedy:  "Nothing to do: a fork's run must never move production.",
	},
	NoFailure: {
		heading: "no job that counts has failed",
		remedy:  "Nothing to do, unless a deploy did fail: then name its job under `needs` of the rollback job, and in `deploy-job` where that is set.",
	},
	EnvironmentMismatch: {
		heading: "the failed deployment went to another environment",
		remedy:  "Nothing to do, unless that deployment was to {environment}: then set the input `environment` to the name that GitHub shows for it.",
	},
	AlreadyOnTarget: {
		heading: "already on the version asked for",
		remedy:  "Nothing to do for {function}. If it is still not well, choose an older version with `target-version`.",
	},
	AlreadyRolledBack: {
		heading: "already rolled back",
		remedy:  "Nothing to do for {function}: {from} serves since an earlier rollback. If that is not well either, choose an older version with `target-version`.",
	},
	NotDeployed: {
		heading: "the deploy failed before it changed production",
		remedy: "Nothing to do for production: {from} served before the run, and serves now. Fix the deploy and run it again.\n" +
			"Only if this pipeline promotes versions that an earlier run published: say which in `deployed-version`, or set `only-if-deployed: false`.",
	},
	Superseded: {
		heading: "a newer deploy serves",
		remedy:  "Nothing to do if the newer deploy is well. If {from} is bad too, roll back that run, or choose a version with `target-version`.",
	},
	NoPreviousVersion: {
		heading: "no older version to go back to",
		remedy: "A person must act: {from} still serves, and there is no older version that exists, can serve and was not rolled back before.\n" +
			"Fix the fault and deploy again, or publish good code as a new version and point the alias at it: `{command}`",
	},

	InvalidInput: {
		heading: "an input is wrong",
		remedy:  "Correct the inputs named in the message, in the workflow file. AWS was not called: nothing has changed.",
	},
	NoCredentials: {
		heading: "no AWS credentials",
		remedy:  "Set `role-to-assume` and give the job `permissions: id-token: write`, or run `aws-actions/configure-aws-credentials` before this step. Check that the role trusts this repository and environment.",
	},
	AccessDenied: {
		heading: "AWS denied access",
		remedy:  "Add the action that the message names to the role's IAM policy, for that resource, and run the job again.",
	},
	FunctionNotFound: {
		heading: "function not found",
		remedy:  "Check `function-name`, `aws-region` and the account of the role: {function} is not there.",
	},
	AliasNotFound: {
		heading: "alias not found",
		remedy:  "Check the input `alias`: {function} has no alias {alias} in this region. This action never creates one.",
	},
	VersionNotFound: {
		heading: "version not found",
		remedy:  "Choose a version that exists and can serve: `aws lambda list-versions-by-function --function-name {function}`",
	},
	AliasOnLatest: {
		heading: "the alias points at $LATEST",
		remedy:  "There is no version to go back from: let the deploy publish a version and point the alias at its number.",
	},
	AliasChanged: {
		heading: "somebody else keeps changing the alias",
		remedy:  "Look who else is moving {alias} (another deploy, CodeDeploy, Terraform), let it end, and run the job again.",
	},
	Throttled: {
		heading: "AWS is throttling the calls",
		remedy:  "Run the job again. If it happens again, give it a longer `timeout`, or look for who uses up Lambda's control-plane calls in this account.",
	},
	Timeout: {
		heading: "the time limit was reached",
		remedy:  "Look where the alias stands now, then run the job again, with a longer `timeout` if AWS was slow.",
	},
	Cancelled: {
		heading: "the run was cancelled",
		remedy:  "Look where the alias stands now. If it is still on the failing version, run the job again.",
	},
	Unhealthy: {
		heading: "production is not healthy",
		remedy: "Read the checks, then the function's logs. Where an older version is bad too, the cause is often outside the code: a dependency, data, a secret, infrastructure.\n" +
			"To go further back, choose an older version with `target-version`; `on-unhealthy: step-back` does so by itself.\n" +
			"Revert {commit} on {branch}, or fix it, before the next deploy: the alias was rolled back all the same.",
	},
	NotificationFailed: {
		heading: "a channel did not take the test message",
		remedy:  "Correct the channel's inputs: the checks on this page have the service's own words. A rollback would work all the same, but not everybody would hear of it.",
	},
	AWSError: {
		heading: "AWS answered with an error",
		remedy:  "Read the message, look at the AWS Health Dashboard for {region}, and run the job again.",
	},
}

// afterwards has what to do for statuses that need the same whatever the reason.
var afterwards = map[Status]string{
	RolledBack: "Production serves {to}. Find the cause in the log of the failed job; there is no hurry.\n" + afterMove,
	Planned:    "Nothing was changed. To do it, run this again without `dry-run`.",
	NotReady:   "Fix what the message and the notes name, before a deploy fails and it is needed.",
}

// afterMove keeps the fault from coming back.
const afterMove = "Revert {commit} on {branch}, or fix it, before the next deploy: deploying the same code again brings the fault back. {Bad} is not chosen again by itself."

// afterDoubt has what to do where the alias has moved and the checks could not
// tell whether that was enough.
const afterDoubt = "Production serves {to}. Look now whether it is well, for a check could not tell; then find the cause in the log of the failed job.\n" + afterMove

// afterElsewhere has what to do where somebody else has moved the alias on.
const afterElsewhere = "Look what {alias} serves now, and whether that is well: somebody else has changed it since the rollback. " +
	"Then find the cause in the log of the failed job.\n" + afterMove

// ownRemedies are those of the commands beside `rollback`, where the failing
// version that a rollback leaves behind is none of theirs.
var ownRemedies = map[string]map[Reason]string{
	"list":     nothingMoved,
	"check":    nothingMoved,
	"snapshot": nothingMoved,
	"drill": {
		Unhealthy:         "Read the checks on this page, then the function's logs. A rollback would end like this today: mend it before one is needed.",
		Cancelled:         "Run the drill again when it can run to its end.",
		Timeout:           "Run the drill again, with a longer `timeout` if AWS was slow.",
		AliasChanged:      "Look who else is moving {alias} (another deploy, CodeDeploy, Terraform), let it end, and run the drill again.",
		NoPreviousVersion: "There is nothing to practise with: deploy {function} to {environment} once more, and keep older versions when you clean up. A rejected version counts as good again where you move the alias to it by `target-version`.",
	},
}

var nothingMoved = map[Reason]string{
	Cancelled: "Nothing was moved. Run it again.",
	Timeout:   "Nothing was moved. Run it again, with a longer `timeout` if AWS was slow.",
}

// goHome is what to do first where a drill could not return.
const goHome = "Bring {function} back to what it served before the drill, {from}: `{command}`"

// afterSteps has what to do, too, where an older version was not healthy either.
const afterSteps = "Find out why {tried} was not well either, before it is deployed again: such a cause is often outside the code, and is not gone yet."

// afterChoice has what to do after a person chose the version: what failed, if
// anything did, is not known.
const afterChoice = "Production serves {to}, as chosen. The next deploy moves it on: make sure that the code on {branch} is what should serve then."

// chosenInDoubt comes before it where the checks could not tell.
const chosenInDoubt = "Look now whether production is well, for a check could not tell."

// byHand ends the remedies of a rollback that failed: the way that is left.
const byHand = "To move the alias by hand: `{command}`"

// done says each status as a past participle.
var done = map[Status]string{
	RolledBack: "rolled back",
	Planned:    "would be rolled back",
	Skipped:    "left alone",
	Failed:     "failed",
	Ready:      "ready",
	NotReady:   "not ready",
	Taken:      "noted",
	Listed:     "listed",
	Drilled:    "drilled",
}

// Heading says a reason in a few words, for a table's cell or a list.
func Heading(reason Reason) string {
	if w, ok := wordings[reason]; ok {
		return w.heading
	}
	return strings.ReplaceAll(string(reason), "-", " ")
}

// headingFor is Heading in the words of a command.
func headingFor(command string, reason Reason) string {
	if command == "drill" && reason == Unhealthy {
		return "a check failed"
	}
	return Heading(reason)
}

// doneFor is Done in the words of a command.
func doneFor(command string, status Status) string {
	if own, has := ownVerbs[command][status]; has && status == Planned {
		return own.one
	}
	return Done(status)
}

// Done says a status as a table or a list does: "rolled back", "left alone".
func Done(status Status) string {
	if text, ok := done[status]; ok {
		return text
	}
	return strings.ReplaceAll(string(status), "-", " ")
}
