package report

import "slices"

// instruction is one thing to do. `{name}` in its text stands for a value of the
// result (see valuesOf); what is between backticks is shown as code.
type instruction struct {
	text string
	// command: the AWS CLI call that moves the alias follows the text, to be
	// copied. Where it cannot be written out whole, the instruction is left out.
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

// remedy says what to do about functions that ended the same way.
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
		if own, has := commandRemedies[command][f.Reason]; has {
			all = slices.Concat(all, own)
		} else {
			all = slices.Concat(all, reasonTexts[f.Reason].remedy)
		}
	case RolledBack:
		all = rolledBackRemedy(group)
	default:
		all = statusRemedies[f.Status]
	}
	all = slices.Concat(all, noPreviousRemedies[f.NoPrevious])
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

// revertCommit keeps the fault from coming back.
const revertCommit = "Revert {commit} on {branch}, or fix it, before the next deploy: deploying the same code again brings the fault back. {Bad} will not be selected automatically again."

// afterChoice is for a version that a person chose: what failed, if anything did,
// is not known.
const afterChoice = "Production is on {to}, as chosen. The next deploy changes that: make sure that {branch} has the code you want in production."

// notRestoredRemedy comes first where a drill could not return.
var notRestoredRemedy = todoByCommand("Move {function} back to {from}, where it was before the drill:")

// stillPromotedRemedy is all that counts where a promotion could not return the
// traffic.
var stillPromotedRemedy = slices.Concat(
	todoByCommand("The new version still has traffic. Give all of it to the stable version now:"),
	todo("Or run the rollback job of this run: it returns to the stable version, too."),
)

// statusRemedies are for statuses that need the same whatever the reason.
var statusRemedies = map[Status][]instruction{
	Planned:  todo("Nothing was changed. To apply it, run this again without `dry-run`."),
	NotReady: todo("Fix what the message and the notes name before a rollback is needed."),
}

// commandRemedies are those of the commands beside `rollback`, where the failing
// version that a rollback leaves behind is none of theirs.
var commandRemedies = map[string]map[Reason][]instruction{
	"list":     nothingMoved,
	"check":    nothingMoved,
	"snapshot": nothingMoved,
	"promote": {
		NoCredentials: todo("Do what the message says, then run the job again. No traffic was moved."),
		Unhealthy: todo(
			"Read what was counted and checked on this page, then the logs of the new version.",
			"Revert {commit} on {branch}, or fix it, before the next deploy. {Bad} will not be selected automatically again.",
		),
		Cancelled:    todo("All traffic is on the stable version. Run the job again: the promotion begins anew."),
		Timeout:      todo("Run the job again, with a longer `timeout` if AWS was slow."),
		AliasChanged: todo("Find out what else moves {alias} (another deploy, CodeDeploy, Terraform), wait until it is done, and run the job again."),
	},
	"drill": {
		Unhealthy:            todo("Read the checks on this page, then the function's logs. A rollback would end like this today: fix it before one is needed."),
		Cancelled:            todo("Run the drill again, and let it finish."),
		CodeDeployInProgress: todo("Run the drill again when the deployment that the message names has ended."),
		Timeout:              todo("Run the drill again, with a longer `timeout` if AWS was slow."),
		AliasChanged:         todo("Find out what else moves {alias} (another deploy, CodeDeploy, Terraform), wait until it is done, and run the drill again."),
		NoPreviousVersion:    todo("There is no version to practise with: deploy {function} to {environment} once more, and keep older versions when you clean up. To accept a rejected version again, move the alias to it with `target-version`."),
	},
}

var nothingMoved = map[Reason][]instruction{
	InvalidInput: todo("Correct what the message names. Nothing was moved."),
	Cancelled:    todo("Nothing was moved. Run it again."),
	Timeout:      todo("Nothing was moved. Run it again, with a longer `timeout` if AWS was slow."),
}
