package rollback

import (
	"strings"

	"github.com/org/lambda-rollback-action/github"
	"github.com/org/lambda-rollback-action/rollback/terminal"
)

// commonFlags are the flags in the short help.
var commonFlags = []string{
	"function-name", "alias", "aws-region", "target-version", "reason",
	"dry-run", "health-url", "observe", "yes", "json",
}

// shortCommands has, for each command, a description of a few words and the flags in
// the help on the command.
var shortCommands = map[string]terminal.Command{
	"rollback": {
		Short: "move the alias back to the last good version",
		Flags: []string{
			"function-name", "alias", "aws-region", "target-version", "reason", "dry-run", "all-or-nothing", "timeout",
			"health-url", "invoke-payload", "alarms", "observe", "on-unhealthy", "yes", "json", "accessible",
		},
	},
	"list": {
		Short: "show the versions and which one a rollback would choose",
		Flags: []string{"function-name", "alias", "aws-region", "list-limit", "json"},
	},
	"check": {
		Short: "report whether a rollback would work now",
		Flags: []string{"function-name", "alias", "aws-region", "health-url", "invoke-payload", "alarms", "observe", "notify-on", "json"},
	},
	"snapshot": {
		Short: "before a deploy, record the version that is live",
		Flags: []string{"function-name", "alias", "aws-region", "dry-run", "json"},
	},
	"promote": {
		Short: "shift traffic to a new version, and back if it is unhealthy",
		Flags: []string{
			"function-name", "alias", "aws-region", "deployed-version", "steps", "on-inconclusive", "warm", "allow-rejected",
			"health-url", "invoke-payload", "alarms", "dry-run", "json",
		},
	},
	"drill": {
		Short: "rehearse a rollback and return to the live version",
		Flags: []string{
			"function-name", "alias", "aws-region", "environment", "allow-production-drill", "dry-run",
			"health-url", "invoke-payload", "alarms", "observe", "yes", "json",
		},
	},
}

// shortFlags has a description of a few words for each flag that the help on a
// command shows.
var shortFlags = map[string]string{
	"function-name":          "function, name:alias or ARN; required",
	"alias":                  "alias that receives traffic; default live",
	"aws-region":             "AWS region",
	"target-version":         "version to go to; default: the last good one",
	"reason":                 "why, for the log and the summary",
	"dry-run":                "show what would happen, change nothing",
	"all-or-nothing":         "move no function unless all can move",
	"timeout":                "time limit for the move; default 5m",
	"health-url":             "URL that must return 200",
	"invoke-payload":         "event to invoke the function with, as a check",
	"alarms":                 "CloudWatch alarms that must be OK",
	"observe":                "how long to watch errors and logs, such as 5m",
	"on-unhealthy":           "fail, or step-back to an older version",
	"list-limit":             "how many versions to show; default 20",
	"notify-on":              "always: send a test message",
	"deployed-version":       "version to promote; required",
	"steps":                  "shares and times; default 10% 5m, 50% 5m, 100% 5m",
	"on-inconclusive":        "stop, wait or continue",
	"warm":                   "concurrent invocations before any traffic",
	"allow-rejected":         "promote a version that was rejected",
	"environment":            "environment that the alias serves",
	"allow-production-drill": "allow a drill in production",
}

// manual returns the manual of the command line, which is generated from the
// definitions of the inputs.
func manual() terminal.Manual {
	m := terminal.Manual{Program: programName, Purpose: programPurpose, Common: commonFlags}
	for _, c := range github.CommandDefinitions() {
		command := shortCommands[c.Name]
		command.Name, command.Help = c.Name, c.Description
		m.Commands = append(m.Commands, command)
	}
	for _, d := range github.InputDefinitions() {
		if d.Name == "command" {
			continue
		}
		m.Flags = append(m.Flags, terminal.Flag{
			Name: d.Name, Group: d.Group, Help: strings.ReplaceAll(d.Text(), "`", ""), Short: shortFlags[d.Name],
			Boolean: d.Boolean(), Secret: d.Secret, Variable: d.Variable(),
		})
	}
	return m
}
