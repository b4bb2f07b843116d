package owner

import (
	"fmt"
	"time"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// Proposal is what is about to be done with an alias.
type Proposal struct {
	Move   bool // it is to be moved; else it was not deployed, and is to be left alone
	Chosen bool // a person chose the target
	// ReadAgain: the alias was read again after the stack's state.
	ReadAgain bool
	// Changed: it serves something else than when it was first read, and somebody
	// else did that.
	Changed bool
	Serves  string    // the version that it serves
	Made    time.Time // when that version was made; zero: not known
	Began   time.Time // when the failed run began; zero: none is known
}

// Options say what the inputs ask for.
type Options struct {
	GoOn           bool   // do not wait for a stack in progress
	StopCodeDeploy bool   // stop a deployment of CodeDeploy, with its rollback
	Terraform      bool   // the inputs say that Terraform deploys the function
	Region         string // of the alias, for commands to copy
	Rehearsal      bool   // for a drill, which stops nothing
}

// Step is what comes before the proposal.
type Step int

// The steps.
const (
	GoOn       Step = iota
	Reread          // read the alias again: it may have been read before the stack was done with it
	AwaitStack      // wait until the stack's operation has ended, then look anew
	Stop            // stop the deployment of CodeDeploy with its rollback
	AwaitRoll       // wait for a rollback that CodeDeploy makes
	Skip            // leave it alone
	Refuse          // do nothing, and fail
)

// Decision is a step, and why.
type Decision struct {
	Step   Step
	Reason report.Reason // of Skip and Refuse
	Text   string        // half a sentence
}

// Decide says what comes before a proposal, from what is known of the owners. It
// has no clock and does no I/O.
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

// broughtBack tells whether the stack, which rolled its last update back, has
// brought the alias back to what it was before the failed run. What was made
// since the run began was not there before it, so that the stack cannot have
// brought that back.
func (s *Stack) broughtBack(p Proposal) bool {
	switch {
	case p.Chosen:
		return false
	case p.Changed && !p.Made.IsZero() && (p.Began.IsZero() || p.Made.Before(p.Began)):
		return true
	case !s.updatedSince(p.Began):
		return false // that update was not this run's
	case !p.Move:
		return true
	}
	return !p.Made.IsZero() && p.Made.Before(p.Began)
}

// updatedSince: its last update began after a run did, as far as that is known.
func (s *Stack) updatedSince(began time.Time) bool {
	return !began.IsZero() && !s.Updated.Before(began)
}

func decideDeployment(d Deployment, o Options) Decision {
	what := fmt.Sprintf("the CodeDeploy deployment %s (%s) is moving the alias", d.ID, d.Status)
	switch {
	case d.Rollback:
		return Decision{AwaitRoll, report.CodeDeployInProgress, fmt.Sprintf("CodeDeploy is rolling back: its deployment %s is %s", d.ID, d.Status)}
	case o.Rehearsal:
		return Decision{Refuse, report.CodeDeployInProgress, what + "; a drill stops no deployment: run it again when that has ended"}
	case o.StopCodeDeploy:
		return Decision{Stop, report.CodeDeployInProgress, what}
	}
	return Decision{Refuse, report.CodeDeployInProgress, fmt.Sprintf(
		"%s; to stop it and roll it back, run: %s; stop-codedeploy: true does this automatically", what, stopCommand(d.ID, o.Region))}
}
