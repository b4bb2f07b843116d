// Package report is the ground floor of the program: the plain result of a
// command and the words for it. It knows neither AWS nor GitHub, and imports
// nothing of ours.
package report

import (
	"slices"
	"time"
)

// Status says in one word how a command, or one function of it, ended.
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

// Reason is the code of the output `reason`.
type Reason string

// Reasons of what was rolled back or planned.
const (
	PreviousVersion Reason = "previous-version"
	CanaryStopped   Reason = "canary-stopped"
	Snapshot        Reason = "snapshot"
	Chosen          Reason = "chosen"
)

// Reasons of what was skipped.
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

// Reasons of what failed.
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

	DeploysFrozen Reason = "deploys-frozen" // of a check

	// Of a promotion that ended on the stable version.
	Refused            Reason = "refused"
	RejectedBefore     Reason = "rejected-before"
	ReasonInconclusive Reason = "inconclusive"
)

// NotificationFailed is the reason of a check that is not ready because a
// channel that it tried out did not take the message.
const NotificationFailed Reason = "notification-failed"

// Health is the verdict on production after the move.
type Health string

// The values of the output `healthy`.
const (
	Healthy       Health = "true"
	NotHealthy    Health = "false"
	HealthUnknown Health = "unknown"
)

// Function is the result for one function. Published is what workflows see of it.
// Versions are decimal numbers as text, empty where there is none.
type Function struct {
	Function       string
	ARN            string // of the alias, as AWS gave it; empty if it was not read
	Region         string
	Alias          string
	Status         Status
	Reason         Reason
	Message        string
	From           string // what the alias pointed at before it was moved, or when it was last read
	To             string // where it was moved, or would be in a dry run; else empty
	WeightsCleared bool
	Rejected       []string // versions that are never chosen by themselves, newest first
	Proof          string
	Healthy        Health
	Checks         []Check
	Changes        []Change
	MovedAt        string // RFC 3339 in UTC; empty if not moved
	DurationMS     int64
	Timeline       []Moment
	// RecoveryMS is the time from the failed job to production being proven
	// well; absent where it was not, or where one of the two is not known.
	RecoveryMS *int64

	// RolledBackBy is the run whose failure moved the alias to where it still points;
	// 0: none, or it was moved since.
	RolledBackBy int64
	// Target is the version that was decided on, also where it was not reached;
	// Why is half a sentence that says why that one.
	Target string
	Why    string
	// Cause says, as half a sentence, why it was not moved; empty: Message has it.
	Cause string
	// NoPrevious says why there is no version to go back to; empty: there is one, or
	// it is not known.
	NoPrevious NoPrevious
	// Notes are facts worth a line in the log and the summary, in the order
	// in which they came up.
	Notes []Note
	// LogGroup is the CloudWatch log group, where the configuration names it.
	LogGroup string
	// CanaryVersion is the further version that served when the alias was first read, as
	// in a canary, and CanaryWeight its share of the traffic, from 0 to 1.
	CanaryVersion string
	CanaryWeight  float64
	// Left is the version that was left; a canary's alias pointed elsewhere.
	Left string
	// DeployedAt is when that version came behind the alias, as near as it is
	// known; zero: it is not.
	DeployedAt time.Time
	// Tried are the versions that were left because they were not healthy
	// either, the newest first.
	Tried []string
	// HadCanary: two versions served before a drill, and do so after it.
	HadCanary bool
	// NotRestored: a drill or a promotion could not bring the alias back, or does not
	// know.
	NotRestored bool
	// ChangedByOthers: somebody else moved the alias after the rollback, or in a drill.
	// AliasState says, as half a sentence, where it stands if not on To alone, as far
	// as is known.
	ChangedByOthers bool
	AliasState      string
	// Watched is what CloudWatch measured; nil: nothing was read.
	Watched *Watched
	// Attention is true for what was skipped where a person must look all the same:
	// a deploy failed, and it stays.
	Attention bool
	// LogTail is the end of the test invocation's log.
	LogTail string
	// Published gives when the versions were made that stand in this result, by
	// their number; Commits from which commit. What is not known is missing.
	Published map[string]time.Time
	Commits   map[string]string
	// Promotion is what a promotion counted; nil: there was none.
	Promotion *Promotion
	// Owner tells who else moves the alias; nil: nothing is known.
	Owner *Owner
	// Versions are those of the command list, the newest first; VersionsInAll
	// is how many the function has.
	Versions      []Version
	VersionsInAll int
}

// CheckStatus says how a check ended.
type CheckStatus string

// The statuses of a check.
const (
	CheckPassed       CheckStatus = "passed"
	CheckFailed       CheckStatus = "failed"
	CheckInconclusive CheckStatus = "inconclusive" // it saw nothing that tells; never taken for healthy
)

// CheckKind says what a check looked at.
type CheckKind int

// The kinds that something is decided by.
const (
	CheckOther CheckKind = iota
	CheckAlarm
	CheckInput // an input that says nothing about production is wrong
)

// Check is one verification after the move, or one line of the command check.
type Check struct {
	Name   string
	Status CheckStatus
	Detail string
	Kind   CheckKind
	// Version is the version it was made on, where that one was left since; empty:
	// what serves.
	Version string
}

// Title is the name with the version it was made on, where that was left since.
func (c Check) Title() string {
	if c.Version == "" {
		return c.Name
	}
	return "on version " + c.Version + ": " + c.Name
}

// Change is one difference between the configurations of two versions. It
// never holds the value of an environment variable.
type Change struct {
	Kind ChangeKind
	What string
	From string
	To   string
}

// ChangeKind says what a change is about.
type ChangeKind int

// The kinds that are distinguished.
const (
	ChangeOther ChangeKind = iota
	ChangeCode             // of the code: What names its hash
)

// Note is one sentence for the log and the summary.
type Note struct {
	Warning bool
	Error   bool // the log has it as an error; Warning is set, too
	Text    string
	// InMessage: the message of the result has it, too.
	InMessage bool
}

// Result is the whole outcome of one command.
type Result struct {
	Command       string
	Environment   string
	DryRun        bool
	Declined      bool   // a person looked, and left all as it is
	RequestReason string // why a person asked for it; empty: nobody said
	Status        Status
	Reason        Reason
	Message       string // one sentence that can be forwarded as it is
	Healthy       Health
	Functions     []Function
	Site          *Site  // nil: none was asked for
	Run           Run    // the run that failed
	OwnURL        string // page of the run this action works in
	Notes         []Note
	Started       time.Time
	Timestamp     time.Time
	// Notifications has for each channel `sent`, or its error.
	Notifications map[string]string
}

// wasChecked reports whether anything was to show that production is well.
func (f Function) wasChecked() bool {
	return slices.ContainsFunc(f.Checks, func(c Check) bool { return c.Kind != CheckInput })
}

// RolledBack reports whether an alias was moved back, or the site restored, and
// stayed so: the output `rolled-back`.
func (r Result) RolledBack() bool { return r.Moved() || isRollback(r.Command) && r.Site.Written() }

// Moved reports whether an alias was moved back and stayed so, also where the
// result is a failure: production may not be well there, or another function
// could not be moved.
func (r Result) Moved() bool {
	return slices.ContainsFunc(r.Functions, func(f Function) bool {
		return f.Status == RolledBack || f.Status == Failed && f.MovedAt != ""
	})
}

// ExitCode is 1 where the step must fail, else 0.
func (r Result) ExitCode() int {
	if r.Status == Failed || r.Status == NotReady {
		return 1
	}
	return 0
}
