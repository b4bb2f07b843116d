package github

import "slices"

// The groups of inputs, in the order of action.yml.
const (
	groupWhat      = "What to do, and to which functions"
	groupWhen      = "When it may act" //nolint:gosec // a heading
	groupVersion   = "Which version"
	groupMove      = "How it moves"
	groupAccess    = "Access and time"
	groupVerify    = "Checks after the move"
	groupByHand    = "By hand and ahead of time"
	groupPromote   = "Promotions"
	groupSite      = "The static site"
	groupNotify    = "Notifications: which results notify"
	groupSlack     = "Notifications: Slack"
	groupEmail     = "Notifications: email"
	groupWebhooks  = "Notifications: Teams and webhook"
	groupFollowUps = "Follow-ups on GitHub"
)

// Forms that several inputs share.
const (
	formBoolean  = "`true` or `false`"
	formDuration = "a duration above zero, such as `90s`, `5m` or `1h30m`"
	formVersions = "the number of a published version, such as `42`; for several functions lines of `name=version`, where nothing behind `=` means not given"
	formWebhook  = "an https URL"
	formEmails   = "email addresses, comma- or newline-separated"
)

// InputDefinitions returns every input, in the order of action.yml.
func InputDefinitions() []Definition {
	return slices.Concat(behaviourDefinitions(), notificationDefinitions())
}

// behaviourDefinitions are the inputs that say what the commands do.
func behaviourDefinitions() []Definition {
	return []Definition{
		{
			Name: "command", Group: groupWhat, Essential: true, Default: "rollback",
			Description: "What to do. `rollback` moves the aliases back, `check` reports whether a rollback would work, `snapshot` records the live versions, `list` shows the versions, and `drill` rehearses a rollback and returns. `promote` gives a new version the traffic step by step and returns to the old one if it is not healthy.",
			Form:        "`rollback`, `check`, `snapshot`, `list`, `drill` or `promote`",
		},
		{
			Name: "function-name", Group: groupWhat, Essential: true, Required: true,
			Description: "The Lambda functions whose alias is moved back. The region of an ARN wins over `aws-region`.",
			Form:        "a name, `name:alias`, or a function ARN with or without an alias; several are comma- or newline-separated",
		},
		{
			Name: "alias", Group: groupWhat, Essential: true, Default: "live",
			Description: "The alias that serves production, for every entry of `function-name` that names none. A second alias, `<alias>-rollback`, stores the memory of the action.",
			Form:        "the name of an alias with at most 119 letters, digits, `-` and `_`, not a version number",
		},
		{
			Name: "environment", Group: groupWhen, Default: "production",
			Description: "The environment that was deployed to, for messages. A `deployment_status` event of another environment is skipped.",
			Form:        "a single-line string",
		},
		{
			Name: "branch", Group: groupWhen, Essential: true, Default: "main",
			Description: "The branches and tags whose failed runs may be rolled back. In a pattern `*` stands for any characters but `/` and `**` for any characters; one that begins with `refs/tags/` is of tags; `*` alone allows everything. Where a `workflow_run` or a deployment does not say whether it is of a branch, a tag or which commit, GitHub is asked, with `permissions: contents: read`.",
			Form:        "branch names or patterns such as `release/*` or `refs/tags/v*`, comma- or newline-separated",
		},
		{
			Name: "needs", Group: groupWhen, Essential: true,
			Description: "The results of the jobs that this job needs, which show whether the deploy failed.",
			Form:        "the whole context as JSON, which the expression `toJSON(needs)` gives",
		},
		{
			Name: "failed-results", Group: groupWhen, Essential: true, Default: "failure",
			Description: "The results that count as a failed deploy. A deploy that was cancelled, or cut off by its job's time limit, is `cancelled`, and can have moved the alias already.",
			Form:        "`failure`, `cancelled` or both, comma- or newline-separated",
		},
		{
			Name: "deploy-job", Group: groupWhen, Essential: true,
			Description: "The jobs whose failure counts: those of `needs`, else those of the failed run. Without it all of them count.",
			Form:        "job ids of `needs`, or without `needs` names as the run's page shows them (`deploy` is also `deploy (eu)` and `call / deploy`), comma- or newline-separated",
		},
		{
			Name: "deployed-version", Group: groupVersion, Essential: true,
			Description: "The version that this deploy moved the alias to, usually an output of the deploy job. Without it, the version is attributed to the run by time.",
			Form:        formVersions,
		},
		{
			Name: "target-version", Group: groupVersion, Essential: true,
			Description: "The version to go back to, chosen by a person. The default is the last good version: leave it empty for automatic rollbacks.",
			Form:        formVersions,
		},
		{
			Name: "only-if-deployed", Group: groupVersion, Essential: true, Default: "true",
			Description: "Roll back only if this run moved the alias to the failing version. Turn it off for pipelines that promote a version published by an earlier run without passing `deployed-version`.",
			Form:        formBoolean,
		},
		{
			Name: "reason", Group: groupVersion,
			Description: "Why a person requests the rollback, for the log and the summary. It does not affect the decision.",
			Form:        "one line of at most 300 characters",
		},
		{
			Name: "all-or-nothing", Group: groupMove, Essential: true,
			Description: "With several functions, move none unless all can move; if a move then fails, those already moved return. The default is `false`, and `true` with the command `promote`, where one function that is not healthy brings all back.",
			Form:        formBoolean,
		},
		{
			Name: "remember", Group: groupMove, Essential: true, Default: "true",
			Description: "Keep the alias `<alias>-rollback`, which remembers the rejected versions from one run to the next.",
			Form:        formBoolean,
		},
		{
			Name: "dry-run", Group: groupMove, Essential: true, Default: "false",
			Description: "Decide and report, and change nothing.",
			Form:        formBoolean,
		},
		{
			Name: "infrastructure", Group: groupMove,
			Description: "The tool that deploys the function, if AWS does not show it. CloudFormation stacks are found automatically, Terraform is not. It does not affect the decision: the summary says what the next deploy does with the alias.",
			Form:        "`terraform`",
		},
		{
			Name: "on-stack-in-progress", Group: groupMove, Default: "wait",
			Description: "What to do while the CloudFormation stack that owns the alias is in progress: `wait` until it has ended, within `timeout`, or `go-on` at once.",
			Form:        "`wait` or `go-on`",
		},
		{
			Name: "stop-codedeploy", Group: groupMove, Default: "false",
			Description: "Stop a CodeDeploy deployment that is moving the alias, with its rollback, and wait for that. Without it such a deployment is a reason not to move the alias.",
			Form:        formBoolean,
		},
		{
			Name: "aws-region", Group: groupAccess, Essential: true,
			Description: "The AWS region of functions given by name. Without it the job's environment decides (`AWS_REGION`, `AWS_DEFAULT_REGION`).",
			Form:        "a region such as `eu-west-1`",
		},
		{
			Name: "role-to-assume", Group: groupAccess, Essential: true,
			Description: "The IAM role to assume by the job's own OIDC token, with no other step. The job needs `permissions: id-token: write`. Without it the credentials of the job's environment are used.",
			Form:        "a role ARN such as `arn:aws:iam::123456789012:role/rollback`",
		},
		{
			Name: "role-session-name", Group: groupAccess, Essential: true,
			Description: "The name of the session, as CloudTrail shows it. Without it the name is `lambda-rollback-<run id>`.",
			Requires:    []string{"role-to-assume"},
			Form:        "2 to 64 letters, digits and `_+=,.@-`",
		},
		{
			Name: "audience", Group: groupAccess, Essential: true, Default: "sts.amazonaws.com",
			Description: "The audience of the OIDC token, as the role's trust policy expects it.",
			Requires:    []string{"role-to-assume"},
			Form:        "text without spaces, such as `sts.amazonaws.com.cn`",
		},
		{
			Name: "github-token", Group: groupAccess, Default: "${{ github.token }}", Secret: true,
			Description: "The token that reads the run and its jobs, with `permissions: actions: read`. Only a follow-up asks for more.",
			Form:        "a GitHub token",
		},
		{
			Name: "timeout", Group: groupAccess, Essential: true, Default: "5m",
			Description: "The time limit for everything up to the traffic having moved. Checks after the move have limits of their own.",
			Form:        formDuration,
		},
		{
			Name: "health-url", Group: groupVerify, Check: "health",
			Description: "The URLs to probe after the move. Each must become healthy. Redirects to another host are not followed, and certificates are verified.",
			Form:        "http or https URLs, comma- or newline-separated",
		},
		{
			Name: "health-status", Group: groupVerify, Check: "health", Default: "200",
			Description: "The HTTP statuses that count as healthy.",
			Requires:    []string{"health-url"},
			Form:        "status codes or classes such as `200` or `2xx`, comma- or newline-separated",
		},
		{
			Name: "health-successes", Group: groupVerify, Check: "health", Default: "3",
			Description: "How many healthy answers in a row each URL must give.",
			Requires:    []string{"health-url"},
			Form:        "a whole number from 1 to 100",
		},
		{
			Name: "health-interval", Group: groupVerify, Check: "health", Default: "2s",
			Description: "The time between two probes of a URL.",
			Requires:    []string{"health-url"},
			Form:        formDuration,
		},
		{
			Name: "health-timeout", Group: groupVerify, Check: "health", Default: "60s",
			Description: "The time in which every URL must have become healthy.",
			Requires:    []string{"health-url"},
			Form:        formDuration,
		},
		{
			Name: "health-body", Group: groupVerify, Check: "health",
			Description: "A text that the body of each answer must hold, within its first MiB.",
			Requires:    []string{"health-url"},
			Form:        "a single-line string",
		},
		{
			Name: "invoke-payload", Group: groupVerify, Check: "invoke",
			Description: "The event to invoke the alias with after the move. The target version must run it without a function error. It is a real invocation: choose an event that does no harm.",
			Form:        "JSON",
		},
		{
			Name: "alarms", Group: groupVerify, Check: "alarms",
			Description: "The CloudWatch alarms of which none may be in ALARM at the end of `observe`.",
			Form:        "names or ARNs of alarms, comma- or newline-separated",
		},
		{
			Name: "observe", Group: groupVerify, Check: "observe", Default: "0s",
			Description: "How long to watch alarms, errors and logs after the move. Calls, errors and log lines of the alias are compared with the time before the deploy. CloudWatch counts by the minute: set at least 5 minutes.",
			Form:        "a duration such as `90s`, `5m` or `1h30m`, or `0s` for not at all",
		},
		{
			Name: "observe-api", Group: groupVerify, Check: "observe",
			Description: "The APIs of API Gateway whose 5xx answers are compared with the time before the deploy, too.",
			Requires:    []string{"observe"},
			Form:        "names of REST APIs and ids of HTTP APIs, comma- or newline-separated",
		},
		{
			Name: "on-unhealthy", Group: groupVerify, Default: "fail",
			Description: "What to do when a check after the move fails: `fail` the step, or `step-back` to the next older version that is not rejected, check again, and return to the first target if none is healthy.",
			Form:        "`fail` or `step-back`",
		},
		{
			Name: "max-steps", Group: groupVerify, Default: "3",
			Description: "How many moves further back `step-back` may make after the first one.",
			Requires:    []string{"on-unhealthy: step-back"},
			Form:        "a whole number from 1 to 20",
		},
		{
			Name: "list-limit", Group: groupByHand, Default: "20",
			Description: "How many versions of each function `list` shows, and a person at a terminal may choose from, the newest first; what serves and what is proposed are always among them. The state is read of the newest 50.",
			Form:        "a whole number from 1 to 10000, or `all`",
		},
		{
			Name: "allow-production-drill", Group: groupByHand, Default: "false",
			Description: "Let `drill` move the alias of the environment `production`, too: for minutes, an older version serves there. Only with the command `drill`.",
			Form:        formBoolean,
		},
		{
			Name: "freeze-after-rollback", Group: groupByHand, Default: "false",
			Description: "Let `check` fail with `deploys-frozen` as long as the commit to be deployed contains the commit that was rolled back. A revert of that commit ends it. Only with the command `check`; needs `permissions: contents: read`.",
			Form:        formBoolean,
		},
		{
			Name: "unlock-deploys", Group: groupByHand, Default: "false",
			Description: "Let `check` pass although deploys are frozen, to deploy a fix on top of the commit that was rolled back.",
			Requires:    []string{"freeze-after-rollback"},
			Form:        formBoolean,
		},
		{
			Name: "steps", Group: groupPromote, Default: "10% 5m, 50% 5m, 100% 5m",
			Description: "The shares of the traffic that `promote` gives the new version, each with how long the version is watched. The last one is 100%, and its time is the bake. `0%, 100% 5m` invokes the version first and then gives it all of the traffic at once. Only with the command `promote`.",
			Form:        "steps such as `10% 5m`, comma- or newline-separated",
		},
		{
			Name: "on-inconclusive", Group: groupPromote, Default: "stop",
			Description: "What `promote` does below 100% if there is too little evidence: `stop` returns to the stable version, `wait` watches for as long again and then returns, `continue` goes on. Only with the command `promote`.",
			Form:        "`stop`, `wait` or `continue`",
		},
		{
			Name: "warm", Group: groupPromote, Default: "0",
			Description: "How many invocations of the new version `promote` makes at once before it has any traffic. Only with the command `promote`.",
			Requires:    []string{"invoke-payload"},
			Form:        "a whole number from 0 to 100",
		},
		{
			Name: "allow-rejected", Group: groupPromote, Default: "false",
			Description: "Let `promote` take a version that was rejected before, or has the same code and settings as one. Only with the command `promote`.",
			Form:        formBoolean,
		},
		{
			Name: "site-bucket", Group: groupSite,
			Description: "The S3 bucket with versioning whose static site is rolled back too, by its own evidence and with its own result.",
			Form:        "the name of a bucket",
		},
		{
			Name: "site-prefix", Group: groupSite,
			Description: "The prefix of the site's objects in the bucket. `/` says that the whole bucket is the site, where it also holds other things.",
			Requires:    []string{"site-bucket"},
			Form:        "the beginning of object keys, such as `www/`",
		},
		{
			Name: "site-restore-to", Group: groupSite,
			Description: "The moment whose state of the site is restored. Without it: the run's manifest, else when the run was created.",
			Requires:    []string{"site-bucket"},
			Form:        "a time in RFC 3339 such as `2026-01-31T03:04:05Z`",
		},
		{
			Name: "site-manifest", Group: groupSite,
			Description: "A manifest that lists the versions of the site's objects, as `snapshot` writes it. The run's own is found without this.",
			Requires:    []string{"site-bucket"},
			Form:        "the key of an object in the bucket",
		},
		{
			Name: "site-entry-points", Group: groupSite,
			Description: "Pages beside `*.html` that are copied after all other objects.",
			Requires:    []string{"site-bucket"},
			Form:        "patterns of keys such as `*.json`, comma- or newline-separated",
		},
		{
			Name: "site-keep-new-assets", Group: groupSite, Default: "false",
			Description: "Leave the objects that the failed deploy has added.",
			Requires:    []string{"site-bucket"},
			Form:        formBoolean,
		},
		{
			Name: "cloudfront-distribution-id", Group: groupSite,
			Description: "The CloudFront distribution whose cache is invalidated after the site is restored.",
			Requires:    []string{"site-bucket"},
			Form:        "a distribution id such as `E1ABCDEF234567`",
		},
		{
			Name: "cloudfront-origin-path", Group: groupSite,
			Description: "The origin path of the distribution, where its configuration may not be read. Without both, everything is invalidated.",
			Requires:    []string{"cloudfront-distribution-id"},
			Form:        "a path such as `/www`, or `/` for none",
		},
		{
			Name: "cloudfront-wait", Group: groupSite, Default: "false",
			Description: "Wait until the invalidation is complete.",
			Requires:    []string{"cloudfront-distribution-id"},
			Form:        formBoolean,
		},
	}
}
