package alias

import (
	"fmt"
	"slices"
	"time"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// state is the progress of the work on one function. Later decisions depend on it, and
// result converts it to what is published.
type state struct {
	status  report.Status // empty while the work continues
	reason  report.Reason
	message string
	cause   string // the cause of a failure, as part of a sentence; empty if the message contains it

	arn      string // the ARN of the alias
	from     Alias  // the alias before it was moved, or when it was last read
	first    Alias  // the alias when it was first read
	rejected Rejections
	proof    string

	decision Decision
	target   int64 // the chosen version, even if the alias was not moved to it; 0 if none
	why      string
	changes  []report.Change
	logGroup string

	// The known facts about the last move. moved is the alias in AWS's response; it is
	// nil if the alias was not moved, or was moved back.
	moved          *Alias
	to             int64 // where the alias was moved, or would be in a dry run; 0 if nowhere
	movedAt        time.Time
	weightsCleared bool
	servedBefore   bool
	left           int64 // the version that the first move replaced
	deployedAt     time.Time
	firstTarget    int64   // the target of the first move, if there were further moves; otherwise 0
	tried          []int64 // targets that were replaced because they were not healthy either, in order

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

// end sets the result.
func (s *state) end(status report.Status, reason report.Reason, message string) {
	s.status, s.reason, s.message = status, reason, message
}

// happened adds to the timeline.
func (s *state) happened(event report.Event, at time.Time, detail string) {
	s.timeline = append(slices.Clip(s.timeline), report.Moment{Event: event, At: at, Detail: detail})
}

// move records that the alias was moved.
func (s *state) move(now Alias, target int64, at time.Time, detail string) {
	s.moved, s.to, s.movedAt = &now, target, at
	s.happened(report.AliasMoved, at, detail)
}

// setChangedByOthers records what the alias serves since somebody else changed it.
func (s *state) setChangedByOthers(now Alias) {
	s.changedByOthers, s.position = true, position{kind: changedByOthers, alias: now}
}

// clearMove removes a move that did not persist.
func (s *state) clearMove() {
	s.moved, s.to, s.movedAt, s.weightsCleared = nil, 0, time.Time{}, false
	s.left, s.deployedAt, s.servedBefore = 0, time.Time{}, false
	s.timeline = nil
}

// movePending reports whether a move still has to be made.
func (s *state) movePending() bool { return s.status == "" && s.decision.Action == Move }

// blocks reports whether a function that should move cannot. A function that is
// already where it should be does not block others.
func (s *state) blocks() bool {
	return s.status == report.Failed || s.reason == report.NoPreviousVersion || s.reason == report.Superseded
}

// position is the current state of an alias that was moved.
type position struct {
	kind  positionKind
	alias Alias // the alias as it was read
	on    int64 // for unknown: the version that the alias may still point at
}

type positionKind int

const (
	onTarget        positionKind = iota // on its target only, as far as is known
	shifting                            // AWS is still shifting its traffic
	changedByOthers                     // somebody else has moved it again
	unknown                             // it is not known whether AWS moved it
)

// String returns part of a sentence, or an empty string for onTarget.
func (p position) String() string {
	switch p.kind {
	case shifting:
		return fmt.Sprintf("version %d still gets %.3g%% of its traffic", p.alias.Weighted, 100*p.alias.Weight)
	case changedByOthers:
		return fmt.Sprintf("somebody else has changed the alias since, and it serves %s now", serving(p.alias))
	case unknown:
		return fmt.Sprintf("could not determine whether the alias left version %d: check where it points", p.on)
	case onTarget:
	}
	return ""
}

// notes are the notes of the work, in order.
type notes struct{ all []report.Note }

// add adds a note only once, because each further step back produces it again.
func (n *notes) add(note report.Note) {
	if !slices.Contains(n.all, note) {
		n.all = append(n.all, note)
	}
}

func (n *notes) warnf(format string, args ...any) {
	n.add(report.Note{Warning: true, Text: fmt.Sprintf(format, args...)})
}
