package github

// OutputDefinition describes one output.
type OutputDefinition struct {
	Name        string
	Description string // whole sentences, with the form
}

// OutputDefinitions returns every output, in the order of action.yml.
func OutputDefinitions() []OutputDefinition {
	return []OutputDefinition{
		{"status", "How it ended: `rolled-back`, `planned` (dry run), `skipped` or `failed`; `ready` or `not-ready` for `check`, `taken` for `snapshot`, `listed` for `list`, `drilled` for `drill`, `promoted` for `promote`. With several functions it is `failed` if any failed, else `rolled-back` if any was, else `skipped`."},
		{"reason", "Why, as a code such as `previous-version`, `no-failure` or `access-denied`."},
		{"message", "What happened, in one sentence that can be forwarded as it is."},
		{"rolled-back", "Whether an alias was moved back: `true` or `false`. It is `true` also where `status` is `failed` because production is not healthy there, or because another function failed."},
		{"function-name", "The function. Empty for several functions."},
		{"alias", "The alias. Empty for several functions."},
		{"environment", "The environment, as the input gave it."},
		{"from-version", "The version that the alias served before. Empty for several functions."},
		{"to-version", "The version that the alias was moved to, or would be in a dry run or, with `check`, by a rollback now. Empty for several functions, and where nothing moved."},
		{"timestamp", "When it ended, as RFC 3339 in UTC."},
		{"healthy", "What the checks after the move found: `true`, `false`, or `unknown` where none ran or none could tell."},
		{"notifications", "A JSON object from each channel that was notified to `sent` or to the error."},
		{"results", "A JSON array with one object a function: its versions, reason, proof, checks, timeline, and what changed between the versions."},
		{"versions", "A JSON array of the versions, for the command `list`; an empty array for every other command."},
		{"canary-weight", "The new version's share of the traffic at the end of `promote`, in percent. Empty for every other command and for several functions."},
		{"canary-calls", "How many calls of the new version `promote` counted. Empty as `canary-weight`."},
		{"canary-errors", "How many of them failed. Empty as `canary-weight`."},
		{"stable-calls", "How many calls of the stable version `promote` counted at the same time. Empty as `canary-weight`."},
		{"stable-errors", "How many of them failed. Empty as `canary-weight`."},
		{"run-url", "The page of the workflow run that failed."},
	}
}
