package github

// OutputDefinition describes one output.
type OutputDefinition struct {
	Name        string
	Description string // whole sentences, including the format of the value
}

// OutputDefinitions returns every output, in the order of action.yml.
func OutputDefinitions() []OutputDefinition {
	return []OutputDefinition{
		{"status", "How it ended: `rolled-back`, `planned` (dry run), `skipped` or `failed`; `ready` or `not-ready` for `check`, `taken` for `snapshot`, `listed` for `list`, `drilled` for `drill`, `promoted` for `promote`. With several functions, it is `failed` if any failed, otherwise `rolled-back` if any was rolled back, otherwise `skipped`."},
		{"reason", "Why, as a code such as `previous-version`, `no-failure` or `access-denied`."},
		{"message", "What happened, in one sentence that you can forward unchanged."},
		{"rolled-back", "Whether an alias was moved back: `true` or `false`. It is also `true` if `status` is `failed` because production is not healthy after the move, or because another function failed."},
		{"function-name", "The function. Empty for several functions."},
		{"alias", "The alias. Empty for several functions."},
		{"environment", "The value of the input `environment`."},
		{"from-version", "The version that the alias pointed at before. Empty for several functions."},
		{"to-version", "The version that the alias was moved to. In a dry run and with `check`, the version that it would be moved to. Empty for several functions, and if nothing moved."},
		{"timestamp", "When it ended, as RFC 3339 in UTC."},
		{"healthy", "What the checks after the move found: `true`, `false`, or `unknown` if no check ran, or if none failed and at least one was inconclusive."},
		{"notifications", "A JSON object that maps each notified channel to `sent` or to the error."},
		{"results", "A JSON array with one object per function: its versions, reason, proof, checks, timeline, and what changed between the versions."},
		{"versions", "A JSON array of the versions, for the command `list`; an empty array for every other command."},
		{"canary-weight", "The new version's share of the traffic at the end of `promote`, in percent. Empty for every other command and for several functions."},
		{"canary-calls", "How many calls of the new version `promote` counted. Empty in the same cases as `canary-weight`."},
		{"canary-errors", "How many of those calls failed. Empty in the same cases as `canary-weight`."},
		{"stable-calls", "How many calls of the stable version `promote` counted at the same time. Empty in the same cases as `canary-weight`."},
		{"stable-errors", "How many of those calls failed. Empty in the same cases as `canary-weight`."},
		{"run-url", "The page of the workflow run that failed."},
	}
}
