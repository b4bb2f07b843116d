package owner

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
)

// Phase is what the state of a stack means for an alias that is to be moved.
type Phase int

// The phases.
const (
	Quiet      Phase = iota // nothing is under way
	Working                 // the stack may move the alias at any time
	Cleaning                // it is done with the alias, and deletes what it replaced
	RolledBack              // its last update was undone, and with it what that did to the alias
	Stuck                   // its last update failed, and was not undone
	Deleting                // it is being deleted, or was
)

// phases has every status of the SDK's enum.
var phases = map[types.StackStatus]Phase{
	types.StackStatusCreateInProgress:         Working,
	types.StackStatusUpdateInProgress:         Working,
	types.StackStatusUpdateRollbackInProgress: Working,
	types.StackStatusRollbackInProgress:       Working,
	types.StackStatusImportInProgress:         Working,
	types.StackStatusImportRollbackInProgress: Working,

	types.StackStatusUpdateCompleteCleanupInProgress: Cleaning,

	types.StackStatusUpdateRollbackComplete:                  RolledBack,
	types.StackStatusUpdateRollbackCompleteCleanupInProgress: RolledBack,

	types.StackStatusUpdateFailed:         Stuck,
	types.StackStatusUpdateRollbackFailed: Stuck,

	types.StackStatusDeleteInProgress: Deleting,
	types.StackStatusDeleteFailed:     Deleting,
	types.StackStatusDeleteComplete:   Deleting,

	types.StackStatusCreateComplete:         Quiet,
	types.StackStatusCreateFailed:           Quiet,
	types.StackStatusRollbackComplete:       Quiet,
	types.StackStatusRollbackFailed:         Quiet,
	types.StackStatusReviewInProgress:       Quiet, // a change set exists, and no stack yet
	types.StackStatusUpdateComplete:         Quiet,
	types.StackStatusImportComplete:         Quiet,
	types.StackStatusImportRollbackComplete: Quiet,
	types.StackStatusImportRollbackFailed:   Quiet,
}

// PhaseOf gives the phase of a status. A status that CloudFormation got since is
// taken by its ending.
func PhaseOf(status types.StackStatus) Phase {
	if phase, known := phases[status]; known {
		return phase
	}
	if strings.HasSuffix(string(status), "_IN_PROGRESS") && !strings.Contains(string(status), "CLEANUP") {
		return Working
	}
	return Quiet
}

// phase is that of the stack; Quiet where there is none.
func (s *Stack) phase() Phase {
	if s == nil {
		return Quiet
	}
	return PhaseOf(s.Status)
}
