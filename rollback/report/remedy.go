package report

import "slices"

// instruction is one thing to do. `{name}` in its text is replaced with a value of the
// result (see valuesOf); text between backticks is shown as code.
type instruction struct {
	text string
	// command reports whether the AWS CLI command that moves the alias follows the
	// text, to be copied. If the command cannot be written completely, the instruction
	// is left out.
	command bool
}

func todo(texts ...string) []instruction {
	all := make([]instruction, 0, len(texts))
	for _, text := range texts {
		all = append(all, instruction{text: text})
	}
	return all
}

func todoByCommand(text string) []instruction { return []instruction{{text, true}} }

// remedy returns what to do about functions with the same outcome.
func remedy(command string, group []Function) []instruction {
	f := group[0]
	var all []instruction
	switch f.Status {
	case Failed, Skipped:
		switch {
		case f.NotRestored && f.Promotion != nil:
			return stillPromotedRemedy
		case f.NotRestored:
			all = notRestoredRemedy
		}
		own, has := commandRemedies[command][f.Reason]
		switch {
		case has:
			all = slices.Concat(all, own)
		case movedButUnhealthy(f) && OnlyUnreached(f.Checks):
			all = slices.Concat(all, unreachedRemedy)
		default:
			all = slices.Concat(all, reasonTexts[f.Reason].remedy)
		}
	case RolledBack:
		all = rolledBackRemedy(group)
	default:
		all = statusRemedies[f.Status]
	}
	all = slices.Concat(all, noPreviousRemedies[f.NoPrevious.deployedWith(f.Owner)])
	if f.Status == Failed && isRollback(command) {
		all = slices.Concat(todoByCommand("Move {alias} of {function} to {target} now:"), all)
	}
	return all
}

func rolledBackRemedy(group []Function) []instruction {
	f := group[0]
	inconclusive := slices.ContainsFunc(group, Function.isInconclusive)
	first := "Production is on {to}. Find the cause in the log of the failed job. This is not urgent."
	switch {
	case slices.ContainsFunc(group, isChangedByOthers):
		first = "Check which version {alias} points at now, and whether it is healthy: somebody else changed it after the rollback. " +
			"Then find the cause in the log of the failed job."
	case f.Reason == Chosen && inconclusive:
		return todo("Check now whether production is healthy: a check was inconclusive.", afterChoice)
	case f.Reason == Chosen:
		return todo(afterChoice)
	case inconclusive:
		first = "Production is on {to}. Check now whether it is healthy: a check was inconclusive. Then find the cause in the log of the failed job."
	}
	all := todo(first, revertCommit)
	if f.Reason != Chosen && len(f.Tried) > 0 {
		all = slices.Concat(all, todo("Find out why {tried} was not healthy either before it is deployed again. The cause is often outside the code, and may still be there."))
	}
	return all
}

// unreachedRemedy is used if no version can be the cause of the failed check.
var unreachedRemedy = todo(
	"Check now whether users can reach production. No probe could connect to the health URL: if users can, let the runner connect to it (DNS, firewall, proxy, certificate), or change `health-url`. An older version would not help.",
	"Revert {commit} on {branch}, or fix it, before the next deploy: the alias was rolled back.",
)

// revertCommit prevents the same failure in the next deploy.
const revertCommit = "Revert {commit} on {branch}, or fix it, before the next deploy: deploying the same code again would bring the problem back. {Bad} will not be selected automatically again."

// afterChoice is used for a version that was chosen manually: what failed, if
// anything, is not known.
const afterChoice = "Production is on {to}, as chosen. The next deploy moves the alias again: make sure that {branch} contains the code that you want in production."

// notRestoredRemedy comes first if a drill could not return the alias.
var notRestoredRemedy = todoByCommand("Move {function} back to {from}, where it was before the drill:")

// stillPromotedRemedy is the only remedy if a promotion could not return the traffic.
var stillPromotedRemedy = slices.Concat(
	todoByCommand("The new version still has traffic. Give all of it to the stable version now:"),
	todo("Or run the rollback job of this run: it also returns to the stable version."),
)

// statusRemedies are used for statuses with the same remedy for every reason.
var statusRemedies = map[Status][]instruction{
	Planned:  todo("Nothing was changed. To apply it, run this again without `dry-run`."),
	NotReady: todo("Fix the problems in the message and the notes before you need a rollback."),
}

// commandRemedies are used for the commands other than `rollback`, which do not leave
// a failing version behind.
var commandRemedies = map[string]map[Reason][]instruction{
	"list":     nothingMoved,
	"check":    nothingMoved,
	"snapshot": nothingMoved,
	"promote": {
		NoCredentials: todo("Follow the instructions in the message, then run the job again. No traffic was moved."),
		Unhealthy: todo(
			"Read the counts and checks on this page, then the logs of the new version.",
			"Revert {commit} on {branch}, or fix it, before the next deploy. {Bad} will not be selected automatically again.",
		),
		Cancelled:    todo("All traffic is on the stable version. Run the job again: the promotion starts from the beginning."),
		Timeout:      todo("Run the job again, with a longer `timeout` if AWS was slow."),
		AliasChanged: todo("Find out what else moves {alias} (another deploy, CodeDeploy, Terraform), wait until it has finished, and run the job again."),
	},
	"drill": {
		Unhealthy:            todo("Read the checks on this page, then the function's logs. A rollback would end the same way now: fix the problem before you need one."),
		Cancelled:            todo("Run the drill again, and let it finish."),
		CodeDeployInProgress: todo("Run the drill again when the deployment that the message names has ended."),
		Timeout:              todo("Run the drill again, with a longer `timeout` if AWS was slow."),
		AliasChanged:         todo("Find out what else moves {alias} (another deploy, CodeDeploy, Terraform), wait until it has finished, and run the drill again."),
		NoPreviousVersion:    todo("There is no version to use for the drill: deploy {function} to {environment} once more, and keep older versions when you clean up. To accept a rejected version again, move the alias to it with `target-version`."),
	},
}

var nothingMoved = map[Reason][]instruction{
	InvalidInput: todo("Correct the problem in the message. Nothing was moved."),
	Cancelled:    todo("Nothing was moved. Run it again."),
	Timeout:      todo("Nothing was moved. Run it again, with a longer `timeout` if AWS was slow."),
}
