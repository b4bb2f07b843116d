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

// The accepted forms that several inputs share.
const (
	formBoolean  = "`true` or `false`"
	formDuration = "a duration above zero, such as `90s`, `5m` or `1h30m`"
	formVersions = "the number of a published version, such as `42`; for several functions, lines of `name=version`, where an empty version means not set"
	formWebhook  = "an https URL"
	formEmails   = "email addresses, comma- or newline-separated"
)

// InputDefinitions returns every input, in the order of action.yml.
func InputDefinitions() []Definition {
	return slices.Concat(behaviourDefinitions(), notificationDefinitions())
}

// behaviourDefinitions returns the inputs that control what the commands do.
func behaviourDefinitions() []Definition {
	return []Definition{
		{
			Name: "command", Group: groupWhat, Essential: true, Default: "rollback",
			Description: "What to do. `rollback` moves the aliases back, `check` reports whether a rollback would work, `snapshot` records the live versions, `list` shows the versions, and `drill` rehearses a rollback and moves the aliases forward again. `promote` shifts the traffic to a new version step by step, and back if it is not healthy.",
			Form:        "`rollback`, `check`, `snapshot`, `list`, `drill` or `promote`",
		},
		{
			Name: "function-name", Group: groupWhat, Essential: true, Required: true,
			Description: "The Lambda functions whose alias is moved back. The region in an ARN takes precedence over `aws-region`.",
			Form:        "a name, `name:alias`, or a function ARN with or without an alias; several are comma- or newline-separated",
		},
		{
			Name: "alias", Group: groupWhat, Essential: true, Default: "live",
			Description: "The alias that serves production, for every entry of `function-name` that does not name one. A second alias, `<alias>-rollback`, stores which versions were rejected.",
			Form:        "the name of an alias with at most 119 letters, digits, `-` and `_`, not a version number",
		},
		{
			Name: "environment", Group: groupWhen, Default: "production",
			Description: "The name of the environment, used in messages. A `deployment_status` event for another environment is skipped.",
			Form:        "a single-line string",
		},
		{
			Name: "branch", Group: groupWhen, Essential: true, Default: "main",
			Description: "The branches and tags whose failed runs may be rolled back. In a pattern, `*` matches any characters except `/`, and `**` matches any characters. A pattern that begins with `refs/tags/` matches tags, and `*` alone allows everything. If the event does not say which branch or tag a run or a deployment belongs to, the action asks GitHub, which requires `permissions: contents: read`.",
			Form:        "branch names or patterns such as `release/*` or `refs/tags/v*`, comma- or newline-separated",
		},
		{
			Name: "needs", Group: groupWhen, Essential: true,
			Description: "The results of the jobs that this job needs, which show whether the deploy failed.",
			Form:        "the whole `needs` context as JSON, from the expression `toJSON(needs)`",
		},
		{
			Name: "failed-results", Group: groupWhen, Essential: true, Default: "failure",
			Description: "The results that count as a failed deploy. A deploy that was cancelled, or stopped by the time limit of its job, has the result `cancelled`, and may already have moved the alias.",
			Form:        "`failure`, `cancelled` or both, comma- or newline-separated",
		},
		{
			Name: "deploy-job", Group: groupWhen, Essential: true,
			Description: "The jobs whose failure counts. The default is all jobs in `needs`, or all jobs of the failed run if `needs` is not set.",
			Form:        "job IDs from `needs`, or without `needs` the job names shown on the page of the run (`deploy` also matches `deploy (eu)` and `call / deploy`), comma- or newline-separated",
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
			Description: "The reason for a manual rollback, for the log and the summary. It does not affect the decision.",
			Form:        "one line of at most 300 characters",
		},
		{
			Name: "all-or-nothing", Group: groupMove, Essential: true,
			Description: "With several functions, move none unless all can move; if a move then fails, those already moved are moved back. The default is `false`, or `true` with the command `promote`: if one function is not healthy, all return to their stable versions.",
			Form:        formBoolean,
		},
		{
			Name: "remember", Group: groupMove, Essential: true, Default: "true",
			Description: "Keep the alias `<alias>-rollback`, which stores the rejected versions between runs.",
			Form:        formBoolean,
		},
		{
			Name: "dry-run", Group: groupMove, Essential: true, Default: "false",
			Description: "Decide and report, but change nothing.",
			Form:        formBoolean,
		},
		{
			Name: "infrastructure", Group: groupMove,
			Description: "The tool that deploys the function, if AWS does not show it. CloudFormation stacks are found automatically, Terraform is not. It does not affect the decision: it only makes the summary say what the next deploy does with the alias.",
			Form:        "`terraform`",
		},
		{
			Name: "on-stack-in-progress", Group: groupMove, Default: "wait",
			Description: "What to do while the CloudFormation stack that owns the alias is in progress: `wait` until it has finished, within `timeout`, or `go-on` and move the alias at once.",
			Form:        "`wait` or `go-on`",
		},
		{
			Name: "stop-codedeploy", Group: groupMove, Default: "false",
			Description: "Stop a CodeDeploy deployment that is moving the alias, and wait until CodeDeploy has rolled it back. Otherwise, the action does not move the alias while such a deployment is in progress.",
			Form:        formBoolean,
		},
		{
			Name: "aws-region", Group: groupAccess, Essential: true,
			Description: "The AWS region of functions given by name. The default comes from the environment variables `AWS_REGION` and `AWS_DEFAULT_REGION`.",
			Form:        "a region such as `eu-west-1`",
		},
		{
			Name: "role-to-assume", Group: groupAccess, Essential: true,
			Description: "The IAM role to assume with the OIDC token of the job, without another credentials step. The job needs `permissions: id-token: write`. If the role is not set, the credentials in the job's environment are used.",
			Form:        "a role ARN such as `arn:aws:iam::123456789012:role/rollback`",
		},
		{
			Name: "role-session-name", Group: groupAccess, Essential: true,
			Description: "The session name that CloudTrail shows. The default is `lambda-rollback-<run id>`.",
			Requires:    []string{"role-to-assume"},
			Form:        "2 to 64 letters, digits and `_+=,.@-`",
		},
		{
			Name: "audience", Group: groupAccess, Essential: true, Default: "sts.amazonaws.com",
			Description: "The audience of the OIDC token that the role's trust policy expects.",
			Requires:    []string{"role-to-assume"},
			Form:        "text without spaces, such as `sts.amazonaws.com.cn`",
		},
		{
			Name: "github-token", Group: groupAccess, Default: "${{ github.token }}", Secret: true,
			Description: "The token that reads the run and its jobs, with `permissions: actions: read`. Only follow-ups require more permissions.",
			Form:        "a GitHub token",
		},
		{
			Name: "timeout", Group: groupAccess, Essential: true, Default: "5m",
			Description: "The time limit for the rollback, until the traffic has moved. Checks after the move have their own limits.",
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
			Description: "How many consecutive healthy responses each URL must return.",
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
			Description: "The time limit for every URL to become healthy.",
			Requires:    []string{"health-url"},
			Form:        formDuration,
		},
		{
			Name: "health-body", Group: groupVerify, Check: "health",
			Description: "Text that the body of each response must contain, within its first MiB.",
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
			Description: "The CloudWatch alarms. None of them may be in the ALARM state at the end of `observe`.",
			Form:        "names or ARNs of alarms, comma- or newline-separated",
		},
		{
			Name: "observe", Group: groupVerify, Check: "observe", Default: "0s",
			Description: "How long to watch alarms, errors and logs after the move. Calls, errors and log lines of the alias are compared with the time before the deploy. CloudWatch counts by the minute: set at least 5 minutes.",
			Form:        "a duration such as `90s`, `5m` or `1h30m`, or `0s` to turn it off",
		},
		{
			Name: "observe-api", Group: groupVerify, Check: "observe",
			Description: "The API Gateway APIs whose 5xx responses are also compared with the time before the deploy.",
			Requires:    []string{"observe"},
			Form:        "names of REST APIs and IDs of HTTP APIs, comma- or newline-separated",
		},
		{
			Name: "on-unhealthy", Group: groupVerify, Default: "fail",
			Description: "What to do when a check after the move fails: `fail` the step, or `step-back` to the next older version that is not rejected, check again, and return to the first target if none is healthy.",
			Form:        "`fail` or `step-back`",
		},
		{
			Name: "max-steps", Group: groupVerify, Default: "3",
			Description: "How many further moves `step-back` may make after the first one.",
			Requires:    []string{"on-unhealthy: step-back"},
			Form:        "a whole number from 1 to 20",
		},
		{
			Name: "list-limit", Group: groupByHand, Default: "20",
			Description: "How many versions of each function `list` shows and the prompt at a terminal offers, newest first. The live and the proposed version are always included. Only the newest 50 show a state.",
			Form:        "a whole number from 1 to 10000, or `all`",
		},
		{
			Name: "allow-production-drill", Group: groupByHand, Default: "false",
			Description: "Allow `drill` in the environment `production`, where an older version receives the traffic during the drill. Only with the command `drill`.",
			Form:        formBoolean,
		},
		{
			Name: "freeze-after-rollback", Group: groupByHand, Default: "false",
			Description: "Make `check` fail with `deploys-frozen` while the commit to deploy contains the commit that was rolled back. Reverting that commit ends the freeze. Only with the command `check`; needs `permissions: contents: read` and `actions: read`.",
			Form:        formBoolean,
		},
		{
			Name: "unlock-deploys", Group: groupByHand, Default: "false",
			Description: "Make `check` pass even though deploys are frozen, to deploy a fix on top of the commit that was rolled back.",
			Requires:    []string{"freeze-after-rollback"},
			Form:        formBoolean,
		},
		{
			Name: "steps", Group: groupPromote, Default: "10% 5m, 50% 5m, 100% 5m",
			Description: "The steps of a promotion: the share of the traffic for the new version, and how long to watch it. The last step is 100%, and its time is the bake. `0%, 100% 5m` invokes the version first, and then shifts all of the traffic at once. Only with the commands `promote` and `check`.",
			Form:        "steps such as `10% 5m`, comma- or newline-separated",
		},
		{
			Name: "on-inconclusive", Group: groupPromote, Default: "stop",
			Description: "What `promote` does below 100% if there is too little evidence: `stop` returns to the stable version, `wait` doubles the duration of the step, and returns if there is still too little, `continue` promotes. Only with the commands `promote` and `check`.",
			Form:        "`stop`, `wait` or `continue`",
		},
		{
			Name: "warm", Group: groupPromote, Default: "0",
			Description: "How many concurrent invocations of the new version `promote` makes before the version receives any traffic. Only with the commands `promote` and `check`.",
			Requires:    []string{"invoke-payload"},
			Form:        "a whole number from 0 to 100",
		},
		{
			Name: "allow-rejected", Group: groupPromote, Default: "false",
			Description: "Allow `promote` to take a version that was rejected before, or that has the same code and settings as a rejected one. Only with the commands `promote` and `check`.",
			Form:        formBoolean,
		},
		{
			Name: "site-bucket", Group: groupSite,
			Description: "The S3 bucket of a static site to roll back together with the function. It has its own result. Versioning must be on.",
			Form:        "the name of a bucket",
		},
		{
			Name: "site-prefix", Group: groupSite,
			Description: "The prefix of the site's objects in the bucket. `/` confirms that the site is the whole bucket, including anything else in it.",
			Requires:    []string{"site-bucket"},
			Form:        "the beginning of object keys, such as `www/`",
		},
		{
			Name: "site-restore-to", Group: groupSite,
			Description: "The point in time to restore the site to. The default is the run's manifest, or without one, the time when the run was created.",
			Requires:    []string{"site-bucket"},
			Form:        "a time in RFC 3339 such as `2026-01-31T03:04:05Z`",
		},
		{
			Name: "site-manifest", Group: groupSite,
			Description: "The manifest to restore the site from, as written by `snapshot`: it lists the versions of the objects. The manifest of the run is found automatically.",
			Requires:    []string{"site-bucket"},
			Form:        "the key of an object in the bucket",
		},
		{
			Name: "site-entry-points", Group: groupSite,
			Description: "Pages other than `*.html` that are copied after all other objects.",
			Requires:    []string{"site-bucket"},
			Form:        "patterns of keys such as `*.json`, comma- or newline-separated",
		},
		{
			Name: "site-keep-new-assets", Group: groupSite, Default: "false",
			Description: "Keep the objects that the failed deploy added.",
			Requires:    []string{"site-bucket"},
			Form:        formBoolean,
		},
		{
			Name: "cloudfront-distribution-id", Group: groupSite,
			Description: "The CloudFront distribution whose cache is invalidated after the site is restored.",
			Requires:    []string{"site-bucket"},
			Form:        "a distribution ID such as `E1ABCDEF234567`",
		},
		{
			Name: "cloudfront-origin-path", Group: groupSite,
			Description: "The origin path of the distribution, if the action may not read the distribution's configuration. Without either, everything is invalidated.",
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
