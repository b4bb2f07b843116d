package alias

import (
	"strconv"
	"time"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// Ask is what was asked for one function.
type Ask struct {
	Target         int64 // the chosen target; 0: none
	Seen           int64 // what the alias pointed at when a person chose it; 0: nobody looked
	SeenBeside     int64 // the version with a weight then; 0: none
	Deployed       int64 // the version this deploy put behind the alias; 0: not known
	OnlyIfDeployed bool  // act only where this run put the failing version there
	ByHand         bool  // no run is known to have failed: a person asked, or a deployment from outside failed
	Remember       bool  // what is rejected will be kept
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

// Serves tells whether the alias sends any traffic to version.
func (a Alias) Serves(version int64) bool {
	return version != 0 && (a.Version == version || a.Weighted == version)
}

// Only tells whether version serves alone.
func (a Alias) Only(version int64) bool {
	return a.Version == version && a.Weighted == 0
}

// primary is the version it points at, as AWS writes it.
func (a Alias) primary() string {
	if a.Latest {
		return "$LATEST"
	}
	return number(a.Version)
}

// newest is the highest version that serves.
func (a Alias) newest() int64 { return max(a.Version, a.Weighted) }

// other is the serving version that is not the given one; 0: there is none.
func (a Alias) other(version int64) int64 {
	if a.Version == version {
		return a.Weighted
	}
	return a.Version
}

// Version is what is known of one version of the function.
type Version struct {
	Exists bool
	// Read tells that its configuration was read, and with it its state; the
	// listing tells only that it exists, and when it was last modified.
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
	Ask    Ask
	Alias  Alias
	Memory Memory
	Run    report.Run // the run that failed

	// Versions holds what is known of the versions that were looked at.
	Versions map[int64]Version
	// Listed: all versions were listed. One that is not in Versions does not
	// exist.
	Listed bool
	// LookedAbove: the versions above the serving ones were looked for.
	LookedAbove bool
	// Concluded tells how runs that rejected versions have ended since;
	// empty: that could not be found out.
	Concluded map[int64]string
	// OlderAsked: GitHub was asked for older runs, with or without an answer.
	OlderAsked bool
	// AtWorkAsked are versions for whose times all runs at work are known.
	AtWorkAsked []int64
	// First is the alias as it was first read, where it was changed by
	// somebody else while this program was at work; else nil.
	First *Alias
}

// Want is what a decision must know before it can be made. The zero value
// wants nothing.
type Want struct {
	Versions    []int64 // read their configurations
	Wait        int64   // this one is Pending: wait until it is not
	Below       int64   // find out which versions exist below this one
	Above       int64   // find out which versions exist above this one
	Conclusions []int64 // ask GitHub how these runs ended
	Older       bool    // ask GitHub which older runs were at work when this one began
	AtWorkOn    int64   // ask GitHub which runs were at work when this version was made
}

func (w Want) nothing() bool {
	return len(w.Versions) == 0 && w.Wait == 0 && w.Below == 0 && w.Above == 0 && len(w.Conclusions) == 0 && !w.Older && w.AtWorkOn == 0
}

// Action is what a decision says is to be done.
type Action int

// The actions.
const (
	Skip Action = iota
	Move
	Fail
	Learn // know more, then decide again
)

// Decision is what is to be done about one function, and why.
type Decision struct {
	Action Action
	Reason report.Reason
	Target int64  // of a Move
	Why    string // half a sentence: why this target, or why none
	Proof  string // how the failing version was attributed to the run
	Notes  []report.Note
	Want   Want // of a Learn

	Reject   []int64 // versions that join the rejected ones
	ByRun    bool    // … on behalf of the run
	Unwell   int64   // a version that joins them because it was not healthy either; 0: none
	Unreject int64   // the version that leaves them; 0: none
}

func number(v int64) string { return strconv.FormatInt(v, 10) }
