package alias

import (
	"strconv"
	"time"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// Request is what is requested for one function.
type Request struct {
	Target         int64 // the chosen target; 0 if none
	SeenVersion    int64 // the version that the alias pointed at when the target was chosen manually; 0 if unknown
	SeenWeighted   int64 // the version with a weight at that time; 0 if none
	Deployed       int64 // the version that this deploy moved the alias to; 0 if unknown
	OnlyIfDeployed bool  // act only if this run deployed the failing version
	NotRequested   bool  // nobody requested this function, and no deploy is known to have failed
	Manual         bool  // no run is known to have failed: it was started manually, or an external deployment failed
	Attempt        int   // of the run of this rollback, which can be another one than the failed run; 0 if none
	Remember       bool  // the rejected versions are stored in the memory alias
}

// Alias is the alias that serves production, as it was read.
type Alias struct {
	ARN        string
	RevisionID string
	Latest     bool  // it points at $LATEST
	Version    int64 // the version that it points at; 0 if Latest
	Weighted   int64 // the additional version in its routing config; 0 if none
	Weight     float64
}

// Serves reports whether the alias sends any traffic to version.
func (a Alias) Serves(version int64) bool {
	return version != 0 && (a.Version == version || a.Weighted == version)
}

// Only reports whether 100% of traffic is on version.
func (a Alias) Only(version int64) bool {
	return a.Version == version && a.Weighted == 0
}

// primary returns the version that the alias points at, as AWS writes it, or an empty
// string if the alias was not read.
func (a Alias) primary() string {
	if a.Latest {
		return "$LATEST"
	}
	return versionText(a.Version)
}

// stuck reports whether AWS has not even started to shift the traffic, as with
// provisioned concurrency: the alias points at a newer version, and the older one has
// all of the traffic.
func (a Alias) stuck() bool { return a.Weighted != 0 && a.Weighted < a.Version && a.Weight >= 1 }

// newest returns the highest live version.
func (a Alias) newest() int64 { return max(a.Version, a.Weighted) }

// other returns the live version that is not the given one, or 0 if there is none.
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

// weights returns the routing config that keeps the split; it is never nil.
func (a Alias) weights() map[string]float64 {
	weights := map[string]float64{}
	if a.Weighted != 0 {
		weights[versionText(a.Weighted)] = a.Weight
	}
	return weights
}

// Version is what is known about one version of the function.
type Version struct {
	Exists bool
	// Read reports whether the configuration of the version was read, which includes
	// its state. A list shows only that the version exists, and when it was last
	// modified.
	Read         bool
	LastModified time.Time // zero if unknown
	State        string    // Active, Inactive, Pending or Failed; empty if AWS does not say, which means that it can serve
	StateReason  string    // AWS's explanation
	ReasonCode   string
	Settings     Settings
}

// Observation is everything that was read about one function at one time. The decision
// depends on it and on nothing else.
type Observation struct {
	Request Request
	Alias   Alias
	Memory  Memory
	Run     report.Run // the failed run
	// RunAwaited reports that GitHub has not responded about the run yet, and that Run
	// is what the event contains.
	RunAwaited bool

	// Versions contains what is known about the versions that were read.
	Versions map[int64]Version
	// Listed reports that all versions were listed. A version that is not in Versions
	// does not exist.
	Listed bool
	// SearchedAbove reports that the versions above the live ones were searched for.
	SearchedAbove bool
	// OtherAliases are the other aliases of the function, by the version that they
	// point at; nil if unknown.
	OtherAliases map[int64][]string
	// Outcomes contains the current state of runs that rejected versions, with the
	// jobs of all their attempts. A zero value means that it could not be read.
	Outcomes map[int64]report.Run
	// OlderAsked reports that older runs were requested from GitHub, with or without a
	// response.
	OlderAsked bool
	// AtWorkAsked are the versions for whose times all runs in progress are known. It
	// contains 0 if GitHub did not respond to a request.
	AtWorkAsked []int64
	// Since are the older runs that were in progress after the memory was written,
	// with their jobs. SinceAsked reports that they were requested from GitHub, and
	// SinceKnown that GitHub responded.
	Since                  []report.Run
	SinceAsked, SinceKnown bool
	// PendingTooLong are versions that were waited for as long as the time limit
	// allows.
	PendingTooLong map[int64]bool
	// ClockDifference is the difference between the clocks of AWS and GitHub, if it is
	// more than a moment. Times that are closer together prove nothing about their
	// order.
	ClockDifference time.Duration
	// First is the alias as it was first read, if somebody else changed it while this
	// program was running; otherwise nil.
	First *Alias
}

// Query is what must be known before a decision can be made. The zero value requests
// nothing; otherwise one field is set.
type Query struct {
	Run        bool      // wait for what GitHub says about the run
	Versions   []int64   // read the configurations of these versions
	Wait       int64     // wait until this version is not Pending any more
	Below      int64     // find out which versions exist below this one
	Above      int64     // find out which versions exist above this one
	Outcomes   []int64   // read the current state of these runs from GitHub
	OlderRuns  bool      // read from GitHub which older runs were in progress when this one started
	RunsAtWork int64     // read from GitHub which runs were in progress when this version was made
	RunsSince  time.Time // read from GitHub which older runs were in progress since then
}

func (q Query) empty() bool {
	return !q.Run && len(q.Versions) == 0 && q.Wait == 0 && q.Below == 0 && q.Above == 0 && len(q.Outcomes) == 0 && !q.OlderRuns && q.RunsAtWork == 0 && q.RunsSince.IsZero()
}

// Action is what a decision requires.
type Action int

// The actions.
const (
	Skip Action = iota
	Move
	Fail
	NeedMore // resolve the query, then decide again
)

// Decision is what to do with one function, and the reason.
type Decision struct {
	Action Action
	Reason report.Reason
	Target int64  // of a Move
	Why    string // why this target, or why none, as part of a sentence
	Proof  string // how the failing version was attributed to the run
	Notes  []report.Note
	Query  Query // of NeedMore
	// Attention reports that somebody must check the function, although nothing is
	// done.
	Attention bool
	// NoPrevious is the cause of no-previous-version, if it is known.
	NoPrevious report.NoPrevious

	Reject    []int64 // versions to add to the rejected ones
	ByRun     bool    // the run for which they are rejected
	Unhealthy int64   // a version to add because it was not healthy either; 0 if none
	Unreject  int64   // the version to remove from the rejected ones; 0 if none
}

// versionText returns a version as AWS writes it, or an empty string for 0.
func versionText(v int64) string {
	if v == 0 {
		return ""
	}
	return strconv.FormatInt(v, 10)
}
