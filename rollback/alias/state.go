package alias

import (
	"fmt"
	"slices"
	"time"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// state is what has come of the work on one function so far. What is decided
// later stands on it; what is published is made of it, by result.
type state struct {
	status  report.Status // empty: it goes on
	reason  report.Reason
	message string
	cause   string // of a failure, as half a sentence; empty: the message has it

	arn      string // of the alias
	from     Alias  // what the alias was before it was moved, or when it was last read
	first    Alias  // what it was when it was first read
	rejected Rejections
	proof    string

	decision Decision
	target   int64 // decided on, also where it was not reached; 0: none
	why      string
	changes  []report.Change
	logGroup string

	// What is known of the last move. moved is the alias as AWS answered it, and
	// nil where it was not moved or was moved back.
	moved          *Alias
	to             int64 // where it was moved, or would be in a dry run; 0: nowhere
	movedAt        time.Time
	weightsCleared bool
	servedBefore   bool
	left           int64 // the version that the first move left
	deployedAt     time.Time
	firstTarget    int64   // of the first move, where there were further ones; else 0
	tried          []int64 // targets that were left because they were not healthy either, in order

	changedByOthers bool
	position        position
	timeline        []report.Moment

	healthy report.Health
	checks  []report.Check
	found   []report.Note // by the checks
	watched *report.Watched
	logTail string

	hadCanary   bool // before a drill
	notRestored bool // after a drill

	promotion *report.Promotion

	versions      []report.Version
	versionsInAll int
}

// end gives the work its result.
func (s *state) end(status report.Status, reason report.Reason, message string) {
	s.status, s.reason, s.message = status, reason, message
}

// happened adds to the timeline.
func (s *state) happened(event report.Event, at time.Time, detail string) {
	s.timeline = append(slices.Clip(s.timeline), report.Moment{Event: event, At: at, Detail: detail})
}

// move keeps that the alias was moved.
func (s *state) move(now Alias, target int64, at time.Time, detail string) {
	s.moved, s.to, s.movedAt = &now, target, at
	s.happened(report.AliasMoved, at, detail)
}

// clearMove takes a move that does not hold out again.
func (s *state) clearMove() {
	s.moved, s.to, s.movedAt, s.weightsCleared = nil, 0, time.Time{}, false
	s.left, s.deployedAt, s.servedBefore = 0, time.Time{}, false
	s.timeline = nil
}

// movePending reports whether there is still a move to make.
func (s *state) movePending() bool { return s.status == "" && s.decision.Action == Move }

// blocks reports whether a function that should move cannot. One that is where it
// should be does not stand in the way of others.
func (s *state) blocks() bool {
	return s.status == report.Failed || s.reason == report.NoPreviousVersion || s.reason == report.Superseded
}

// position is where an alias stands that was moved.
type position struct {
	kind  positionKind
	alias Alias // as it was read
	on    int64 // of unknown: the version that it may still be on
}

type positionKind int

const (
	onTarget        positionKind = iota // on its target alone, as far as is known
	shifting                            // its traffic still follows
	changedByOthers                     // somebody else has moved it on
	unknown                             // AWS did not tell whether it moved
)

// String is half a sentence; empty for onTarget.
func (p position) String() string {
	switch p.kind {
	case shifting:
		return fmt.Sprintf("version %d still gets %.3g%% of its traffic", p.alias.Weighted, 100*p.alias.Weight)
	case changedByOthers:
		return fmt.Sprintf("somebody else has changed the alias since, and it serves %s now", serving(p.alias))
	case unknown:
		return fmt.Sprintf("whether the alias left version %d is not known: look where it points", p.on)
	case onTarget:
	}
	return ""
}

// notes are what came up on the way, in that order.
type notes struct{ all []report.Note }

// add keeps a note, once: each step further back finds it again.
func (n *notes) add(note report.Note) {
	if !slices.Contains(n.all, note) {
		n.all = append(n.all, note)
	}
}

func (n *notes) warnf(format string, args ...any) {
	n.add(report.Note{Warning: true, Text: fmt.Sprintf(format, args...)})
}
