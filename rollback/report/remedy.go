package report

import "slices"

// instruction is one thing to do. `{name}` in its text stands for a value of the
// result (see valuesOf); what is between backticks is shown as code.
type instruction struct {
	text string
	// command: the AWS CLI call that moves the alias follows the text, to be
	// copied.
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
		if f.NotRestored {
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
	if f.Status == Failed && isRollback(command) {
		all = slices.Concat(all, todoByCommand("To move the alias by hand:"))
	}
	return all
}

func rolledBackRemedy(group []Function) []instruction {
	f := group[0]
	inconclusive := slices.ContainsFunc(group, Function.isInconclusive)
	first := "Production serves {to}. Find the cause in the log of the failed job; there is no hurry."
	switch {
	case slices.ContainsFunc(group, isChangedByOthers):
		first = "Look what {alias} serves now, and whether that is well: somebody else has changed it since the rollback. " +
			"Then find the cause in the log of the failed job."
	case f.Reason == Chosen && inconclusive:
		return todo("Look now whether production is well, for a check could not tell.", afterChoice)
	case f.Reason == Chosen:
		return todo(afterChoice)
	case inconclusive:
		first = "Production serves {to}. Look now whether it is well, for a check could not tell; then find the cause in the log of the failed job."
	}
	all := todo(first, revertCommit)
	if f.Reason != Chosen && len(f.Tried) > 0 {
		all = slices.Concat(all, todo("Find out why {tried} was not well either, before it is deployed again: such a cause is often outside the code, and is not gone yet."))
	}
	return all
}

// revertCommit keeps the fault from coming back.
const revertCommit = "Revert {commit} on {branch}, or fix it, before the next deploy: deploying the same code again brings the fault back. {Bad} is not chosen again by itself."

// afterChoice is for a version that a person chose: what failed, if anything did,
// is not known.
const afterChoice = "Production serves {to}, as chosen. The next deploy moves it on: make sure that the code on {branch} is what should serve then."

// notRestoredRemedy comes first where a drill could not return.
var notRestoredRemedy = todoByCommand("Bring {function} back to what it served before the drill, {from}:")

// statusRemedies are for statuses that need the same whatever the reason.
var statusRemedies = map[Status][]instruction{
	Planned:  todo("Nothing was changed. To do it, run this again without `dry-run`."),
	NotReady: todo("Fix what the message and the notes name, before a deploy fails and it is needed."),
}

// commandRemedies are those of the commands beside `rollback`, where the failing
// version that a rollback leaves behind is none of theirs.
var commandRemedies = map[string]map[Reason][]instruction{
	"list":     nothingMoved,
	"check":    nothingMoved,
	"snapshot": nothingMoved,
	"drill": {
		Unhealthy:         todo("Read the checks on this page, then the function's logs. A rollback would end like this today: mend it before one is needed."),
		Cancelled:         todo("Run the drill again when it can run to its end."),
		Timeout:           todo("Run the drill again, with a longer `timeout` if AWS was slow."),
		AliasChanged:      todo("Look who else is moving {alias} (another deploy, CodeDeploy, Terraform), let it end, and run the drill again."),
		NoPreviousVersion: todo("There is nothing to practise with: deploy {function} to {environment} once more, and keep older versions when you clean up. A rejected version counts as good again where you move the alias to it by `target-version`."),
	},
}

var nothingMoved = map[Reason][]instruction{
	InvalidInput: todo("Correct what the message names. Nothing was moved."),
	Cancelled:    todo("Nothing was moved. Run it again."),
	Timeout:      todo("Nothing was moved. Run it again, with a longer `timeout` if AWS was slow."),
}
