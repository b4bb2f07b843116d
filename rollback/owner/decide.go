package owner

import (
	"fmt"
	"time"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// Proposal is what is about to happen to an alias.
type Proposal struct {
	Move   bool // the alias is to be moved; otherwise it was not deployed, and stays as it is
	Chosen bool // the target was chosen manually
	// ReadAgain reports whether the alias was read again after the state of the stack.
	ReadAgain bool
	// Changed reports whether somebody else has changed the alias since it was first
	// read.
	Changed bool
	Serves  string    // the live version
	Made    time.Time // when the live version was published; zero if unknown
	Began   time.Time // when the failed run started; zero if unknown
}

// Options are the settings from the inputs.
type Options struct {
	GoOn           bool   // do not wait for a stack in progress
	StopCodeDeploy bool   // stop a CodeDeploy deployment and roll it back
	Terraform      bool   // the inputs say that Terraform deploys the function
	Region         string // the region of the alias, for commands to copy
	Rehearsal      bool   // for a drill, which does not stop deployments
	Unhurried      bool   // production is not down, so there is time to wait for the first look
}

// Step is what has to happen before a proposal is carried out.
type Step int

// The steps.
const (
	GoOn       Step = iota
	Reread          // read the alias again: it may have been read before the stack had finished with it
	AwaitStack      // wait until the operation of the stack has ended, then look again
	Stop            // stop the CodeDeploy deployment and roll it back
	AwaitRoll       // wait until CodeDeploy has finished its rollback
	Skip            // do not move the alias
	Refuse          // do not move the alias, and fail
)

// Decision is a step, and the reason for it.
type Decision struct {
	Step   Step
	Reason report.Reason // of Skip and Refuse
	Text   string        // the explanation, as part of a sentence
}

// Decide returns the step before a proposal, based on what is known about the owners.
// It uses no clock and does no I/O.
func Decide(f Facts, p Proposal, o Options) Decision {
	if d := f.Deployment; d != nil && p.Move {
		return decideDeployment(*d, o)
	}
	s := f.Stack
	if s == nil || !s.OwnsAlias {
		return Decision{}
	}
	switch s.phase() {
	case Deleting:
		if p.Move {
			return Decision{Refuse, report.StackInProgress, fmt.Sprintf(
				"the stack %s that owns the alias is %s: CloudFormation is deleting the alias and its versions, or tried to; check the stack first", s.Name, s.Status)}
		}
	case Working:
		if !o.GoOn {
			return Decision{AwaitStack, report.StackInProgress, fmt.Sprintf("the stack %s that owns the alias is %s", s.Name, s.Status)}
		}
	case RolledBack:
		switch {
		case s.broughtBack(p):
			return Decision{Skip, report.RolledBackByStack, fmt.Sprintf(
				"the stack %s rolled back its update (%s) and restored the alias: version %s is live, as before the deploy", s.Name, s.Status, p.Serves)}
		case p.Move && !p.Chosen && !p.ReadAgain && s.updatedSince(p.Began):
			return Decision{Step: Reread}
		}
	case Quiet, Cleaning, Stuck:
	}
	return Decision{}
}

// broughtBack reports whether the stack, which rolled back its last update, has
// restored the alias to its state before the failed run. A version that was published
// after the run started did not exist before it, so the stack cannot have restored
// that.
func (s *Stack) broughtBack(p Proposal) bool {
	switch {
	case p.Chosen:
		return false
	case p.Began.IsZero(): // no time shows whether the update belongs to this run
		return p.Changed && !p.Made.IsZero()
	case !s.updatedSince(p.Began):
		return false
	}
	return !p.Move || !p.Made.IsZero() && p.Made.Before(p.Began)
}

// updatedSince reports whether the last update of the stack started after a run did,
// as far as both times are known.
func (s *Stack) updatedSince(began time.Time) bool {
	return !began.IsZero() && !s.Updated.Before(began)
}

func decideDeployment(d Deployment, o Options) Decision {
	what := fmt.Sprintf("the CodeDeploy deployment %s (%s) is moving the alias", d.ID, d.Status)
	switch {
	case d.Rollback:
		return Decision{AwaitRoll, report.CodeDeployInProgress, fmt.Sprintf("CodeDeploy is rolling back: its deployment %s is %s", d.ID, d.Status)}
	case o.Rehearsal:
		return Decision{Refuse, report.CodeDeployInProgress, what + "; a drill does not stop deployments: run it again when the deployment has ended"}
	case o.StopCodeDeploy:
		return Decision{Stop, report.CodeDeployInProgress, what}
	}
	return Decision{Refuse, report.CodeDeployInProgress, fmt.Sprintf(
		"%s; to stop it and roll it back, run: %s; stop-codedeploy: true does this automatically", what, stopCommand(d.ID, o.Region))}
}
