package owner

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
)

// Phase is what the state of a stack means for an alias that is about to be moved.
type Phase int

// The phases.
const (
	Quiet      Phase = iota // no operation is in progress
	Working                 // the stack may move the alias at any time
	Cleaning                // the stack has finished with the alias, and deletes what it replaced
	RolledBack              // the last update was rolled back, including its change to the alias
	Stuck                   // the last update failed, and was not rolled back
	Deleting                // the stack is being deleted, or a deletion was started
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
	types.StackStatusReviewInProgress:       Quiet, // a change set exists, but no stack yet
	types.StackStatusUpdateComplete:         Quiet,
	types.StackStatusImportComplete:         Quiet,
	types.StackStatusImportRollbackComplete: Quiet,
	types.StackStatusImportRollbackFailed:   Quiet,
}

// PhaseOf returns the phase of a status. A status that CloudFormation added later is
// classified by its suffix.
func PhaseOf(status types.StackStatus) Phase {
	if phase, known := phases[status]; known {
		return phase
	}
	if strings.HasSuffix(string(status), "_IN_PROGRESS") && !strings.Contains(string(status), "CLEANUP") {
		return Working
	}
	return Quiet
}

// phase returns the phase of the stack, or Quiet if there is none.
func (s *Stack) phase() Phase {
	if s == nil {
		return Quiet
	}
	return PhaseOf(s.Status)
}
