package github

// CommandDefinition describes one value of the input `command`.
type CommandDefinition struct {
	Name        string
	Description string // whole sentences
}

// CommandDefinitions returns every command, the usual one first.
func CommandDefinitions() []CommandDefinition {
	return []CommandDefinition{
		{"rollback", "Move the alias of each function back to the last good version, check that production recovered, and notify."},
		{"list", "Show the versions of each function, the newest first, and where a rollback would go. Changes nothing."},
		{"check", "Check whether a rollback would work now: credentials, permissions, alias, target version, memory alias. Changes nothing."},
		{"snapshot", "Before a deploy, record the live version for the rollback of the same workflow run. Writes only the memory alias."},
		{"promote", "Give the version that this deploy published the traffic step by step, check it at each step, and return to the stable version if it is not healthy."},
		{"drill", "Practise in staging: roll back, check, return to the live version, check again, and report the times."},
	}
}
