package owner_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	deploytypes "github.com/aws/aws-sdk-go-v2/service/codedeploy/types"
	"github.com/stretchr/testify/assert"

	"github.com/org/lambda-rollback-action/rollback/owner"
	"github.com/org/lambda-rollback-action/rollback/report"
)

func TestEveryStatusOfAStackHasItsPhase(t *testing.T) {
	t.Parallel()
	want := map[string]owner.Phase{
		"CREATE_IN_PROGRESS": owner.Working, "CREATE_FAILED": owner.Quiet, "CREATE_COMPLETE": owner.Quiet,
		"ROLLBACK_IN_PROGRESS": owner.Working, "ROLLBACK_FAILED": owner.Quiet, "ROLLBACK_COMPLETE": owner.Quiet,
		"DELETE_IN_PROGRESS": owner.Deleting, "DELETE_FAILED": owner.Deleting, "DELETE_COMPLETE": owner.Deleting,
		"UPDATE_IN_PROGRESS": owner.Working, "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS": owner.Cleaning,
		"UPDATE_COMPLETE": owner.Quiet, "UPDATE_FAILED": owner.Stuck,
		"UPDATE_ROLLBACK_IN_PROGRESS": owner.Working, "UPDATE_ROLLBACK_FAILED": owner.Stuck,
		"UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS": owner.RolledBack, "UPDATE_ROLLBACK_COMPLETE": owner.RolledBack,
		"REVIEW_IN_PROGRESS": owner.Quiet,
		"IMPORT_IN_PROGRESS": owner.Working, "IMPORT_COMPLETE": owner.Quiet,
		"IMPORT_ROLLBACK_IN_PROGRESS": owner.Working, "IMPORT_ROLLBACK_FAILED": owner.Quiet, "IMPORT_ROLLBACK_COMPLETE": owner.Quiet,
	}
	for _, status := range types.StackStatus("").Values() {
		phase, told := want[string(status)]
		assert.True(t, told, "%s is new: say here what it means", status)
		assert.Equal(t, phase, owner.PhaseOf(status), status)
	}
	assert.Equal(t, owner.Working, owner.PhaseOf("REFACTOR_IN_PROGRESS"), "a status of the future")
	assert.Equal(t, owner.Quiet, owner.PhaseOf("REFACTOR_COMPLETE"))
}

var (
	began   = time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC)
	before  = began.Add(-24 * time.Hour)
	after   = began.Add(2 * time.Minute)
	oldMove = owner.Proposal{Move: true, Serves: "5", Made: before, Began: began}
	newMove = owner.Proposal{Move: true, Serves: "6", Made: after, Began: began}
	noMove  = owner.Proposal{Serves: "5", Made: before, Began: began}
)

func with(p owner.Proposal, change func(*owner.Proposal)) owner.Proposal {
	change(&p)
	return p
}

func stack(status types.StackStatus, updated time.Time) owner.Facts {
	return owner.Facts{Stack: &owner.Stack{Name: "checkout", Status: status, Updated: updated, OwnsAlias: true}}
}

func TestWhatComesBeforeAMove(t *testing.T) {
	t.Parallel()
	flight := owner.Facts{Deployment: &owner.Deployment{ID: "d-1", Status: deploytypes.DeploymentStatusInProgress}}
	rolling := owner.Facts{Deployment: &owner.Deployment{ID: "d-2", Status: deploytypes.DeploymentStatusInProgress, Rollback: true}}
	both := stack(types.StackStatusUpdateInProgress, after)
	both.Deployment = flight.Deployment
	functionOnly := stack(types.StackStatusUpdateInProgress, after)
	functionOnly.Stack.OwnsAlias = false
	for name, c := range map[string]struct {
		facts    owner.Facts
		proposal owner.Proposal
		options  owner.Options
		want     owner.Step
		reason   report.Reason
	}{
		"nothing is known":                         {facts: owner.Facts{}, proposal: newMove},
		"a quiet stack":                            {facts: stack(types.StackStatusUpdateComplete, after), proposal: newMove},
		"a stack that cleans up":                   {facts: stack(types.StackStatusUpdateCompleteCleanupInProgress, after), proposal: newMove},
		"an update in progress":                    {facts: stack(types.StackStatusUpdateInProgress, after), proposal: newMove, want: owner.AwaitStack, reason: report.StackInProgress},
		"an update in progress, not yet at ours":   {facts: stack(types.StackStatusUpdateInProgress, after), proposal: noMove, want: owner.AwaitStack, reason: report.StackInProgress},
		"a rollback in progress":                   {facts: stack(types.StackStatusUpdateRollbackInProgress, after), proposal: newMove, want: owner.AwaitStack, reason: report.StackInProgress},
		"an import in progress":                    {facts: stack(types.StackStatusImportInProgress, after), proposal: newMove, want: owner.AwaitStack, reason: report.StackInProgress},
		"in progress, and go on":                   {facts: stack(types.StackStatusUpdateInProgress, after), proposal: newMove, options: owner.Options{GoOn: true}},
		"the stack of the function alone":          {facts: functionOnly, proposal: newMove},
		"rolled back, the alias is back":           {facts: stack(types.StackStatusUpdateRollbackComplete, after), proposal: oldMove, want: owner.Skip, reason: report.RolledBackByStack},
		"rolled back, and cleaning up":             {facts: stack(types.StackStatusUpdateRollbackCompleteCleanupInProgress, after), proposal: oldMove, want: owner.Skip, reason: report.RolledBackByStack},
		"rolled back, not deployed":                {facts: stack(types.StackStatusUpdateRollbackComplete, after), proposal: noMove, want: owner.Skip, reason: report.RolledBackByStack},
		"rolled back days ago":                     {facts: stack(types.StackStatusUpdateRollbackComplete, before), proposal: oldMove},
		"rolled back days ago, not deployed":       {facts: stack(types.StackStatusUpdateRollbackComplete, before), proposal: noMove},
		"rolled back to what the run itself made":  {facts: stack(types.StackStatusUpdateRollbackComplete, after), proposal: newMove, want: owner.Reread},
		"rolled back, it is not known when made":   {facts: stack(types.StackStatusUpdateRollbackComplete, after), proposal: with(oldMove, func(p *owner.Proposal) { p.Made = time.Time{} }), want: owner.Reread},
		"rolled back, and no run is known":         {facts: stack(types.StackStatusUpdateRollbackComplete, after), proposal: with(oldMove, func(p *owner.Proposal) { p.Began = time.Time{} })},
		"rolled back while it was looked at":       {facts: stack(types.StackStatusUpdateRollbackComplete, after), proposal: with(oldMove, func(p *owner.Proposal) { p.Began, p.Changed = time.Time{}, true }), want: owner.Skip, reason: report.RolledBackByStack},
		"rolled back to it, and read again":        {facts: stack(types.StackStatusUpdateRollbackComplete, after), proposal: with(newMove, func(p *owner.Proposal) { p.ReadAgain = true })},
		"rolled back, and a person chose a target": {facts: stack(types.StackStatusUpdateRollbackComplete, after), proposal: with(oldMove, func(p *owner.Proposal) { p.Chosen = true })},
		"the rollback failed":                      {facts: stack(types.StackStatusUpdateRollbackFailed, after), proposal: newMove},
		"the update failed":                        {facts: stack(types.StackStatusUpdateFailed, after), proposal: newMove},
		"being deleted":                            {facts: stack(types.StackStatusDeleteInProgress, after), proposal: newMove, want: owner.Refuse, reason: report.StackInProgress},
		"could not be deleted":                     {facts: stack(types.StackStatusDeleteFailed, after), proposal: newMove, want: owner.Refuse, reason: report.StackInProgress},
		"being deleted, and nothing is to be done": {facts: stack(types.StackStatusDeleteInProgress, after), proposal: noMove},
		"CodeDeploy in flight":                     {facts: flight, proposal: newMove, want: owner.Refuse, reason: report.CodeDeployInProgress},
		"CodeDeploy in flight, nothing to move":    {facts: flight, proposal: noMove},
		"CodeDeploy in flight, to be stopped":      {facts: flight, proposal: newMove, options: owner.Options{StopCodeDeploy: true}, want: owner.Stop, reason: report.CodeDeployInProgress},
		"CodeDeploy is rolling back":               {facts: rolling, proposal: newMove, want: owner.AwaitRoll, reason: report.CodeDeployInProgress},
		"CodeDeploy for a stack in progress":       {facts: both, proposal: newMove, options: owner.Options{StopCodeDeploy: true}, want: owner.Stop, reason: report.CodeDeployInProgress},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := owner.Decide(c.facts, c.proposal, c.options)
			assert.Equal(t, c.want, d.Step)
			assert.Equal(t, c.reason, d.Reason)
			assert.Equal(t, c.reason == "", d.Text == "")
		})
	}
}

// The command that a refusal names must roll back: without that the weights stay.
func TestTheRefusalNamesTheCommand(t *testing.T) {
	t.Parallel()
	f := owner.Facts{Deployment: &owner.Deployment{ID: "d-1;rm -rf /", Status: "InProgress"}}
	d := owner.Decide(f, newMove, owner.Options{})
	assert.Contains(t, d.Text, "aws deploy stop-deployment --deployment-id d-1rm-rf --auto-rollback-enabled")
}

func TestWhatIsToldOfEachOwner(t *testing.T) {
	t.Parallel()
	of := func(tool owner.Tool) owner.Facts {
		f := stack(types.StackStatusUpdateComplete, before)
		f.Stack.Tool = tool
		return f
	}
	shifted := of(owner.SAM)
	shifted.Stack.CodeDeploy = true
	failed := stack(types.StackStatusUpdateRollbackFailed, before)
	failed.Stack.Failed = owner.Failure{Resource: "LiveAlias", Type: "AWS::Lambda::Alias", Reason: "Function not found"}
	halted := stack(types.StackStatusUpdateFailed, before)
	cleaning := stack(types.StackStatusUpdateCompleteCleanupInProgress, before)
	for name, c := range map[string]struct {
		facts   owner.Facts
		options owner.Options
		tool    string
		holds   []string // in what is told
		deleted bool
	}{
		"CDK":                    {facts: of(owner.CDK), tool: "AWS CDK", holds: []string{"moves the alias to it", "stays on the old version", "RemovalPolicy.RETAIN", "snapshot"}, deleted: true},
		"plain CloudFormation":   {facts: of(owner.Plain), tool: "CloudFormation", holds: []string{"moves the alias to it", "DeletionPolicy: Retain"}, deleted: true},
		"SAM":                    {facts: of(owner.SAM), tool: "AWS SAM", holds: []string{"moves the alias to it", "keeps old versions unless"}},
		"SAM with CodeDeploy":    {facts: shifted, tool: "AWS SAM", holds: []string{"the next deploy may fail"}},
		"Serverless":             {facts: of(owner.Serverless), tool: "Serverless Framework", holds: []string{"prune"}},
		"Terraform":              {options: owner.Options{Terraform: true}, tool: "Terraform", holds: []string{"the next apply moves the alias", "ignore_changes"}},
		"a rollback failed":      {facts: failed, holds: []string{"LiveAlias (AWS::Lambda::Alias) failed: Function not found", "aws cloudformation continue-update-rollback --stack-name checkout --region eu-west-1"}},
		"an update failed":       {facts: halted, holds: []string{"aws cloudformation rollback-stack --stack-name checkout"}},
		"old versions are going": {facts: cleaning, holds: []string{"a version that an alias points at cannot be deleted"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			told := owner.Tell(c.facts, c.options, "eu-west-1")
			if !assert.NotNil(t, told) {
				return
			}
			assert.Equal(t, c.tool, told.Tool)
			assert.Equal(t, c.deleted, told.TargetDeleted)
			for _, text := range c.holds {
				assert.Contains(t, told.State+told.Command+told.Next+told.Keep, text)
			}
		})
	}
	assert.Nil(t, owner.Tell(owner.Facts{}, owner.Options{}, "eu-west-1"), "nothing is known, and nothing is missing")
}
