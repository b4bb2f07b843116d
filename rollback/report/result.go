// Package report contains the plain result of a command, and the texts for it. It does
// not depend on AWS or GitHub, and imports no other package of this program.
package report

import (
	"slices"
	"time"
)

// Status is the outcome of a command, or of one function of it.
type Status string

// The statuses of the output `status`.
const (
	RolledBack Status = "rolled-back"
	Planned    Status = "planned"
	Skipped    Status = "skipped"
	Failed     Status = "failed"
	Ready      Status = "ready"
	NotReady   Status = "not-ready"
	Taken      Status = "taken"
	Listed     Status = "listed"
	Drilled    Status = "drilled"
	Promoted   Status = "promoted"
)

// Reason is the code in the output `reason`.
type Reason string

// Reasons for what was rolled back or planned.
const (
	PreviousVersion Reason = "previous-version"
	CanaryStopped   Reason = "canary-stopped"
	Snapshot        Reason = "snapshot"
	Chosen          Reason = "chosen"
)

// Reasons for what was skipped.
const (
	BranchNotAllowed    Reason = "branch-not-allowed"
	UntrustedFork       Reason = "untrusted-fork"
	NoFailure           Reason = "no-failure"
	EnvironmentMismatch Reason = "environment-mismatch"
	AlreadyOnTarget     Reason = "already-on-target"
	AlreadyRolledBack   Reason = "already-rolled-back"
	NotDeployed         Reason = "not-deployed"
	Superseded          Reason = "superseded"
	NoPreviousVersion   Reason = "no-previous-version"
	RolledBackByStack   Reason = "rolled-back-by-stack"
)

// Reasons for what failed.
const (
	InvalidInput     Reason = "invalid-input"
	NoCredentials    Reason = "no-credentials"
	AccessDenied     Reason = "access-denied"
	FunctionNotFound Reason = "function-not-found"
	AliasNotFound    Reason = "alias-not-found"
	VersionNotFound  Reason = "version-not-found"
	AliasOnLatest    Reason = "alias-on-latest"
	AliasChanged     Reason = "alias-changed"
	Throttled        Reason = "throttled"
	Timeout          Reason = "timeout"
	Cancelled        Reason = "cancelled"
	Unhealthy        Reason = "unhealthy"
	AWSError         Reason = "aws-error"

	StackInProgress      Reason = "stack-in-progress"
	CodeDeployInProgress Reason = "codedeploy-in-progress"

	DeploysFrozen Reason = "deploys-frozen" // for a check

	// For a promotion that ended on the stable version.
	Refused            Reason = "refused"
	RejectedBefore     Reason = "rejected-before"
	ReasonInconclusive Reason = "inconclusive"
)

// NotificationFailed is the reason of a check that is not ready because a channel did
// not accept its test message.
const NotificationFailed Reason = "notification-failed"

// Health is the verdict on production after the move.
type Health string

// The values of the output `healthy`.
const (
	Healthy       Health = "true"
	NotHealthy    Health = "false"
	HealthUnknown Health = "unknown"
)

// Function is the result for one function. Published is the part that workflows see.
// Versions are decimal numbers as text, or empty if there is none.
type Function struct {
	Function       string
	ARN            string // the ARN of the alias from AWS; empty if it was not read
	Region         string
	Alias          string
	Status         Status
	Reason         Reason
	Message        string
	From           string // the version that the alias pointed at before it was moved, or when it was last read
	To             string // the version that it was moved to, or would be in a dry run; otherwise empty
	WeightsCleared bool
	Rejected       []string // versions that are never selected automatically, newest first
	Proof          string
	Healthy        Health
	Checks         []Check
	Changes        []Change
	MovedAt        string // RFC 3339 in UTC; empty if not moved
	DurationMS     int64
	Timeline       []Moment
	// RecoveryMS is the time from the failed job to the confirmed recovery of
	// production. It is absent if production did not recover, or if one of the times
	// is not known.
	RecoveryMS *int64

	// RolledBackBy is the run whose failure moved the alias to the version that it
	// still points at; 0 if there is none, or if the alias was moved since.
	RolledBackBy int64
	// Target is the selected version, even if the alias was not moved to it. Why is
	// the reason, as part of a sentence.
	Target string
	Why    string
	// Cause is the reason why the alias was not moved, as part of a sentence; empty if
	// Message contains it.
	Cause string
	// NoPrevious says why there is no version to go back to; empty if there is one, or
	// if the reason is not known.
	NoPrevious NoPrevious
	// Notes are facts for the log and the summary, in the order in which they
	// occurred.
	Notes []Note
	// LogGroup is the CloudWatch log group, if the configuration names it.
	LogGroup string
	// CanaryVersion is the additional version that was live when the alias was first
	// read, as in a canary, and CanaryWeight is its share of the traffic, from 0 to 1.
	CanaryVersion string
	CanaryWeight  float64
	// Left is the version that was replaced; in a canary, the alias pointed at another
	// one.
	Left string
	// DeployedAt is when the alias was moved to that version, as accurately as it is
	// known; zero if it is not.
	DeployedAt time.Time
	// Tried are the versions that were replaced because they were not healthy either,
	// newest first.
	Tried []string
	// HadCanary reports that two versions were live before a drill, and are again
	// after it.
	HadCanary bool
	// NotRestored reports that a drill or a promotion could not return the alias, or
	// does not know whether it did.
	NotRestored bool
	// ChangedByOthers reports that somebody else moved the alias after the rollback or
	// during a drill. AliasState says, as part of a sentence, where it points if that
	// is not only To, as far as is known.
	ChangedByOthers bool
	AliasState      string
	// Watched contains the CloudWatch metrics; nil if none were read.
	Watched *Watched
	// Attention reports that somebody must check a skipped function: a deploy failed,
	// and it stays live.
	Attention bool
	// LogTail is the end of the log of the test invocation.
	LogTail string
	// Published contains when the versions in this result were made, by their number,
	// and Commits from which commit. Unknown values are absent.
	Published map[string]time.Time
	Commits   map[string]string
	// Promotion contains the counts of a promotion; nil if there was none.
	Promotion *Promotion
	// Owner describes what else moves the alias; nil if that is not known.
	Owner *Owner
	// Versions are the versions for the command list, newest first; VersionsInAll is
	// how many the function has.
	Versions      []Version
	VersionsInAll int
}

// CheckStatus is the result of a check.
type CheckStatus string

// The statuses of a check.
const (
	CheckPassed       CheckStatus = "passed"
	CheckFailed       CheckStatus = "failed"
	CheckInconclusive CheckStatus = "inconclusive" // the check is inconclusive; it never counts as healthy
)

// CheckKind is what a check looked at.
type CheckKind int

// The kinds that affect a decision.
const (
	CheckOther     CheckKind = iota
	CheckOldAlarm            // an alarm whose state may still be that of the time before the move
	CheckInput               // an input that is not about production is invalid
	CheckUnreached           // no connection to a URL was made, so no version received the requests
)

// Check is one check after the move, or one line of the command check.
type Check struct {
	Name   string
	Status CheckStatus
	Detail string
	Kind   CheckKind
	// Version is the checked version, if it was replaced since; empty for the live
	// version.
	Version string
}

// OnlyUnreached reports whether checks failed, and all of them are of URLs to which
// there was no connection.
func OnlyUnreached(checks []Check) bool {
	failed := slices.DeleteFunc(slices.Clone(checks), func(c Check) bool { return c.Status != CheckFailed })
	return len(failed) > 0 && !slices.ContainsFunc(failed, func(c Check) bool { return c.Kind != CheckUnreached })
}

// Title is the name, with the checked version if that was replaced since.
func (c Check) Title() string {
	if c.Version == "" {
		return c.Name
	}
	return "on version " + c.Version + ": " + c.Name
}

// Change is one difference between the configurations of two versions. It never
// contains the value of an environment variable.
type Change struct {
	Kind ChangeKind
	What string
	From string
	To   string
}

// ChangeKind is what a change is about.
type ChangeKind int

// The kinds that are distinguished.
const (
	ChangeOther ChangeKind = iota
	ChangeCode             // for the code, What names its hash
)

// Note is one sentence for the log and the summary.
type Note struct {
	Warning bool
	Error   bool // the log shows it as an error; Warning is also set
	Text    string
	// InMessage reports that the message of the result contains it as well.
	InMessage bool
}

// Result is the whole outcome of one command.
type Result struct {
	Command       string
	Environment   string
	DryRun        bool
	Declined      bool   // a person looked at the result, and changed nothing
	RequestReason string // the reason given for a manual rollback; empty if none was given
	Status        Status
	Reason        Reason
	Message       string // one sentence that can be forwarded unchanged
	Healthy       Health
	Functions     []Function
	Site          *Site  // nil if no site was requested
	Run           Run    // the failed run
	OwnURL        string // the page of the run in which this action runs
	Notes         []Note
	Started       time.Time
	Timestamp     time.Time
	// Notifications maps each channel to `sent`, or to its error.
	Notifications map[string]string
}

// wasChecked reports whether any check was meant to show that production is healthy.
func (f Function) wasChecked() bool {
	return slices.ContainsFunc(f.Checks, func(c Check) bool { return c.Kind != CheckInput })
}

// RolledBack reports whether an alias was moved back, or the site restored, and stayed
// so: the output `rolled-back`.
func (r Result) RolledBack() bool { return r.Moved() || isRollback(r.Command) && r.Site.Written() }

// Moved reports whether an alias was moved back and stayed so, even if the result is a
// failure because production is not healthy there, or because another function could
// not be moved.
func (r Result) Moved() bool {
	return slices.ContainsFunc(r.Functions, func(f Function) bool {
		return f.Status == RolledBack || f.Status == Failed && f.MovedAt != ""
	})
}

// ExitCode is 1 if the step must fail, otherwise 0.
func (r Result) ExitCode() int {
	if r.Status == Failed || r.Status == NotReady {
		return 1
	}
	return 0
}
