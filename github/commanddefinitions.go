package github

// CommandDefinition describes one value of the input `command`.
type CommandDefinition struct {
	Name        string
	Description string // whole sentences
}

// CommandDefinitions returns every command, the default one first.
func CommandDefinitions() []CommandDefinition {
	return []CommandDefinition{
		{"rollback", "Move the alias of each function back to the last good version, check that production recovered, and notify."},
		{"list", "Show the versions of each function, the newest first, and which one a rollback would choose. Changes nothing."},
		{"check", "Check whether a rollback would work now: credentials, permissions, alias, target version, memory alias. Changes nothing."},
		{"snapshot", "Before a deploy, record the live version for the rollback of the same workflow run. Writes only the memory alias."},
		{"promote", "Shift the traffic step by step to the version that this deploy published, check it at each step, and return to the stable version if it is not healthy."},
		{"drill", "Rehearse a rollback in staging: roll back, check, return to the live version, check again, and report the times."},
	}
}
