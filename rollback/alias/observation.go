package alias

import (
	"strconv"
	"time"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// Request is what was asked for one function.
type Request struct {
	Target         int64 // the chosen target; 0: none
	SeenVersion    int64 // what the alias pointed at when a person chose the target; 0: nobody looked
	SeenWeighted   int64 // the version with a weight then; 0: none
	Deployed       int64 // the version this deploy put behind the alias; 0: not known
	OnlyIfDeployed bool  // act only where this run put the failing version there
	Manual         bool  // no run is known to have failed: a person asked, or a deployment from outside failed
	Remember       bool  // the rejected versions are kept in the memory alias
}

// Alias is the alias that serves production, as it was read.
type Alias struct {
	ARN        string
	RevisionID string
	Latest     bool  // it points at $LATEST
	Version    int64 // the version it points at; 0 if Latest
	Weighted   int64 // the one further version in its routing config; 0: none
	Weight     float64
}

// Serves reports whether the alias sends any traffic to version.
func (a Alias) Serves(version int64) bool {
	return version != 0 && (a.Version == version || a.Weighted == version)
}

// Only reports whether version serves alone.
func (a Alias) Only(version int64) bool {
	return a.Version == version && a.Weighted == 0
}

// primary is the version it points at, as AWS writes it; empty if it was not
// read.
func (a Alias) primary() string {
	if a.Latest {
		return "$LATEST"
	}
	return versionText(a.Version)
}

// stuck: AWS's own shift of the traffic, as with provisioned concurrency, did not even
// begin: the alias points at a newer version, and the older one has all of the traffic.
func (a Alias) stuck() bool { return a.Weighted != 0 && a.Weighted < a.Version && a.Weight >= 1 }

// newest is the highest version that serves.
func (a Alias) newest() int64 { return max(a.Version, a.Weighted) }

// other is the serving version that is not the given one; 0: there is none.
func (a Alias) other(version int64) int64 {
	if a.Version == version {
		return a.Weighted
	}
	return a.Version
}

// sameTraffic reports whether two states send the traffic to the same versions.
func (a Alias) sameTraffic(b Alias) bool {
	return a.Latest == b.Latest && a.Version == b.Version && a.Weighted == b.Weighted && a.Weight == b.Weight
}

// weights are the routing config that keeps its split; never nil.
func (a Alias) weights() map[string]float64 {
	weights := map[string]float64{}
	if a.Weighted != 0 {
		weights[versionText(a.Weighted)] = a.Weight
	}
	return weights
}

// Version is what is known of one version of the function.
type Version struct {
	Exists bool
	// Read reports whether its configuration was read, and with it its state; the
	// listing says only that it exists, and when it was last modified.
	Read         bool
	LastModified time.Time // zero: not known
	State        string    // Active, Inactive, Pending, Failed; empty: not said, which means it serves
	StateReason  string    // AWS's words
	ReasonCode   string
	Settings     Settings
}

// Observation is everything that was read about one function at one time. The
// decision is a function of it and of nothing else.
type Observation struct {
	Request Request
	Alias   Alias
	Memory  Memory
	Run     report.Run // the run that failed
	// RunAwaited: GitHub has not answered about the run yet, and Run is what the
	// event tells.
	RunAwaited bool

	// Versions holds what is known of the versions that were looked at.
	Versions map[int64]Version
	// Listed: all versions were listed. One that is not in Versions does not
	// exist.
	Listed bool
	// SearchedAbove: the versions above the serving ones were looked for.
	SearchedAbove bool
	// OtherAliases are the function's further aliases by the version that they point
	// at; nil: not known.
	OtherAliases map[int64][]string
	// Outcomes are runs that rejected versions as they stand now, with the jobs of
	// all their attempts; the zero value: that could not be found out.
	Outcomes map[int64]report.Run
	// OlderAsked: GitHub was asked for older runs, with or without an answer.
	OlderAsked bool
	// AtWorkAsked are versions for whose times all runs at work are known; 0
	// among them: GitHub was asked and did not answer.
	AtWorkAsked []int64
	// Since are the older runs that were at work since the memory was written, with
	// their jobs; SinceAsked: GitHub was asked for them, and answered if SinceKnown.
	Since                  []report.Run
	SinceAsked, SinceKnown bool
	// PendingTooLong are versions that were waited for as long as the time limit
	// allows.
	PendingTooLong map[int64]bool
	// ClockDifference is how far AWS's and GitHub's clocks are apart, where that is
	// more than a moment. Times that are closer prove nothing about each other.
	ClockDifference time.Duration
	// First is the alias as it was first read, where it was changed by
	// somebody else while this program was running; else nil.
	First *Alias
}

// Query is what a decision must know before it can be made. The zero value
// asks for nothing; else one field is set.
type Query struct {
	Run        bool      // wait for what GitHub tells about the run
	Versions   []int64   // read their configurations
	Wait       int64     // this one is Pending: wait until it is not
	Below      int64     // find out which versions exist below this one
	Above      int64     // find out which versions exist above this one
	Outcomes   []int64   // ask GitHub how these runs stand
	OlderRuns  bool      // ask GitHub which older runs were at work when this one began
	RunsAtWork int64     // ask GitHub which runs were at work when this version was made
	RunsSince  time.Time // ask GitHub which older runs were at work since then
}

func (q Query) empty() bool {
	return !q.Run && len(q.Versions) == 0 && q.Wait == 0 && q.Below == 0 && q.Above == 0 && len(q.Outcomes) == 0 && !q.OlderRuns && q.RunsAtWork == 0 && q.RunsSince.IsZero()
}

// Action is what a decision says is to be done.
type Action int

// The actions.
const (
	Skip Action = iota
	Move
	Fail
	NeedMore // answer the query, then decide again
)

// Decision is what is to be done about one function, and why.
type Decision struct {
	Action Action
	Reason report.Reason
	Target int64  // of a Move
	Why    string // half a sentence: why this target, or why none
	Proof  string // how the failing version was attributed to the run
	Notes  []report.Note
	Query  Query // of NeedMore
	// Attention: a person must look, although nothing is done.
	Attention bool
	// NoPrevious is the cause of no-previous-version, where it is known.
	NoPrevious report.NoPrevious

	Reject    []int64 // versions that join the rejected ones
	ByRun     bool    // … on behalf of the run
	Unhealthy int64   // a version that joins them because it was not healthy either; 0: none
	Unreject  int64   // the version that leaves them; 0: none
}

// versionText is a version as AWS writes it; empty for 0.
func versionText(v int64) string {
	if v == 0 {
		return ""
	}
	return strconv.FormatInt(v, 10)
}
