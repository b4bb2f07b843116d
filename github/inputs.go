package github

import (
	"encoding/json"
	"net/mail"
	"net/url"
	"slices"
	"time"
)

// Inputs has everything that the user of the action requested, validated.
type Inputs struct {
	Command   string
	Functions []Function
	Alias     string // for entries without one; Functions already have it

	Environment string
	// FaultyEnvironment reports that the input is not valid.
	FaultyEnvironment bool
	Branches          []string // patterns for MatchRef
	Needs             Needs
	// FailedResults are failure, cancelled or both.
	FailedResults []string
	DeployJobs    []string // IDs in Needs, or without it the names of jobs; empty: all

	OnlyIfDeployed bool
	AllOrNothing   bool
	Remember       bool
	DryRun         bool
	Reason         string // why a person requests it; empty: not given

	// Infrastructure is terraform, or empty: the tool is then known only from a
	// stack.
	Infrastructure    string
	OnStackInProgress string // wait or go-on
	StopCodeDeploy    bool

	ListLimit            int // versions of a function that list shows; 0: all
	AllowProductionDrill bool
	Promote              Promote
	FreezeAfterRollback  bool
	UnlockDeploys        bool

	Region          string // empty: from the environment
	RoleToAssume    string // ARN; empty: the credentials in the environment
	RoleSessionName string // empty: lambda-rollback-<run id>
	Audience        string
	GitHubToken     string        // empty: none
	Timeout         time.Duration // until the traffic has moved

	Health    Health
	Watch     Watch
	Site      Site
	Slack     Slack
	SMTP      SMTP
	Teams     Teams
	Webhook   Webhook
	NotifyOn  []string // any of rolled-back, failed, attention, promoted, skipped, planned, always
	FollowUps FollowUps

	// Warnings are about inputs that have no effect, or not the intended one.
	Warnings []string
}

// Health configures the checks right after the move.
type Health struct {
	URLs          []*url.URL
	Statuses      []StatusRange   // that count as healthy
	Successes     int             // consecutive healthy responses of each URL
	Interval      time.Duration   // between two probes of a URL
	Timeout       time.Duration   // for each URL to become healthy
	Body          string          // text that the body of each response must contain; empty: any
	InvokePayload json.RawMessage // nil: do not invoke
}

// Watch configures what is observed after the move, and what to do if a check fails.
type Watch struct {
	Alarms      []Alarm
	Observe     time.Duration
	APIs        []string // names of REST APIs and IDs of HTTP APIs
	OnUnhealthy string   // fail or step-back
	MaxSteps    int      // further moves that step-back may make
}

// Alarm is a CloudWatch alarm.
type Alarm struct {
	Name   string
	Region string // from its ARN; empty: that of each function
}

// Site is the static site to roll back.
type Site struct {
	Bucket         string // empty: there is none
	Prefix         string
	RestoreTo      time.Time // zero: not given
	Manifest       string
	EntryPoints    []string
	KeepNewAssets  bool
	DistributionID string
	OriginPath     string // empty: not given; `/`: there is none
	CloudFrontWait bool
	// Faulty reports that one of its inputs is invalid, so it must not be restored.
	Faulty bool
}

// Slack has one or both ways to post to Slack.
type Slack struct {
	WebhookURL *url.URL // nil: not given
	BotToken   string   // together with Channels, or both are empty
	Channels   []string // names or IDs
}

// SMTP has the mail server and the addresses. If Host is empty, no email is sent.
type SMTP struct {
	Host     string
	Port     int
	Username string // together with Password, or both are empty
	Password string
	TLS      string // auto, implicit, starttls or none
	From     *mail.Address
	To       []*mail.Address
	Cc       []*mail.Address
}

// Teams is the webhook of a Teams workflow.
type Teams struct {
	WebhookURL *url.URL // nil: not given
}

// Webhook receives the result as JSON.
type Webhook struct {
	URL    *url.URL // nil: not given
	Secret string   // empty: unsigned
}

// FollowUps says which follow-ups to make on GitHub.
type FollowUps struct {
	RecordDeployment     bool
	CommentOnPullRequest bool
	OpenIssue            bool
}

// AsksForChecks reports whether any check after the move is requested.
func (in Inputs) AsksForChecks() bool {
	return len(in.Health.URLs) > 0 || in.Health.InvokePayload != nil || len(in.Watch.Alarms) > 0 || in.Watch.Observe > 0
}

// ParseInputs parses the inputs as the runner passes them. An empty or blank input
// means its default. The error is InputErrors, with all problems at once. Valid
// inputs are filled in even then: a message can name the function, and if no problem
// stops the move, it is made without what the invalid inputs were meant to configure.
func ParseInputs(getenv func(string) string) (Inputs, error) {
	p := newInputParser(getenv)
	in := Inputs{
		Command:        p.choice("command", "rollback", "check", "snapshot", "list", "drill", "promote"),
		Alias:          parseAlias(p),
		Environment:    parseEnvironment(p),
		Branches:       parseBranches(p),
		Needs:          parseNeedsInput(p),
		FailedResults:  p.choices("failed-results", resultFailure, resultCancelled),
		DeployJobs:     p.set("deploy-job"),
		OnlyIfDeployed: p.boolean("only-if-deployed"),
		AllOrNothing:   parseAllOrNothing(p),
		Remember:       p.boolean("remember"),
		DryRun:         p.boolean("dry-run"),
		Reason:         parseReason(p),

		Infrastructure:    p.choice("infrastructure", "", "terraform"),
		OnStackInProgress: p.choice("on-stack-in-progress", "wait", "go-on"),
		StopCodeDeploy:    p.boolean("stop-codedeploy"),

		ListLimit:            parseLimit(p, "list-limit", 1, 10_000),
		AllowProductionDrill: p.boolean("allow-production-drill"),
		Promote: Promote{
			Steps:          parseSteps(p),
			OnInconclusive: p.choice("on-inconclusive", "stop", "wait", "continue"),
			Warm:           p.integer("warm", 0, 100),
			AllowRejected:  p.boolean("allow-rejected"),
			Asked:          promotionAsked(p),
		},
		FreezeAfterRollback: p.boolean("freeze-after-rollback"),
		UnlockDeploys:       p.boolean("unlock-deploys"),

		Region:          p.matching("aws-region", regionPattern),
		RoleToAssume:    p.matching("role-to-assume", rolePattern),
		RoleSessionName: p.matching("role-session-name", sessionNamePattern),
		Audience:        p.matching("audience", wordPattern),
		GitHubToken:     p.text("github-token"),
		Timeout:         parseDuration(p, "timeout"),

		Health: Health{
			URLs:          parseHealthURLs(p),
			Statuses:      parseStatuses(p, "health-status"),
			Successes:     p.integer("health-successes", 1, 100),
			Interval:      parseDuration(p, "health-interval"),
			Timeout:       parseDuration(p, "health-timeout"),
			Body:          p.line("health-body"),
			InvokePayload: parseJSON(p, "invoke-payload"),
		},
		Watch: Watch{
			Alarms:      parseAlarms(p),
			Observe:     parseDurationOrZero(p, "observe"),
			APIs:        p.set("observe-api"),
			OnUnhealthy: p.choice("on-unhealthy", "fail", "step-back"),
			MaxSteps:    p.integer("max-steps", 1, 20),
		},
		Site: Site{
			Bucket:         p.matching("site-bucket", bucketPattern),
			Prefix:         p.line("site-prefix"),
			RestoreTo:      parseTime(p, "site-restore-to"),
			Manifest:       p.line("site-manifest"),
			EntryPoints:    p.set("site-entry-points"),
			KeepNewAssets:  p.boolean("site-keep-new-assets"),
			DistributionID: p.matching("cloudfront-distribution-id", distributionPattern),
			OriginPath:     p.matching("cloudfront-origin-path", originPathPattern),
			CloudFrontWait: p.boolean("cloudfront-wait"),
		},
		Slack: Slack{
			WebhookURL: parseWebhook(p, "slack-webhook-url"),
			BotToken:   p.matching("slack-bot-token", wordPattern),
			Channels:   parseMatching(p, "slack-channel", wordPattern),
		},
		SMTP: SMTP{
			Host:     parseHost(p, "smtp-host"),
			Port:     p.integer("smtp-port", 1, 65535),
			Username: p.line("smtp-username"),
			Password: p.line("smtp-password"),
			TLS:      p.choice("smtp-tls", "auto", "implicit", "starttls", "none"),
			From:     parseAddress(p, "email-from"),
			To:       parseAddresses(p, "email-to"),
			Cc:       parseAddresses(p, "email-cc"),
		},
		Teams:    Teams{WebhookURL: parseWebhook(p, "teams-webhook-url")},
		Webhook:  Webhook{URL: parseWebhook(p, "webhook-url"), Secret: p.text("webhook-secret")},
		NotifyOn: parseNotifyOn(p),
		FollowUps: FollowUps{
			RecordDeployment:     p.boolean("record-deployment"),
			CommentOnPullRequest: p.boolean("comment-on-pull-request"),
			OpenIssue:            p.boolean("open-issue"),
		},
	}
	in.Functions = parseFunctions(p, in.Alias)
	parseVersions(p, in.Functions)

	checkDeployJobs(p, in)
	checkCommand(p, in)
	checkPromote(p, in)
	in.Warnings = slices.Concat(p.warnings, inputWarnings(p, in))
	leaveOutFaulty(p, &in)
	return in, p.err()
}
