package rollback

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/arn"

	"github.com/org/lambda-rollback-action/rollback/alias"
	"github.com/org/lambda-rollback-action/rollback/aws"
	"github.com/org/lambda-rollback-action/rollback/owner"
	"github.com/org/lambda-rollback-action/rollback/report"
)

const (
	// ownerLimit is how long a report waits for what is known of the owners, and
	// ownerLimitEach how much longer for each function, whose tags are read at
	// Lambda's pace. The moves are behind it then.
	ownerLimit     = 2 * time.Second
	ownerLimitEach = 100 * time.Millisecond
	// callsInAll is how many calls of Lambda one function takes, from the first read
	// to the memory.
	callsInAll = 7
	// lookupsAtOnce is how many calls about the owners are made at once.
	lookupsAtOnce = 4
)

// watchOwners looks for who else moves the aliases of functions, from the moment
// their ARNs are known. stop ends it.
func watchOwners(a *action, clients *aws.Clients, functions []alias.Function) (stop func()) {
	ctx, stop := context.WithCancel(a.lifetime.work)
	gate := make(chan struct{}, lookupsAtOnce)
	deployments := map[string]*owner.DeploymentReader{} // by region
	a.owners = make([]*owner.Watch, len(functions))
	for i := range functions {
		f := &functions[i]
		retry := aws.Retry{Log: f.Log, Clock: f.Clock, Gate: gate}
		if deployments[f.Region] == nil {
			client := clients.CodeDeploy(f.Region)
			deployments[f.Region] = &owner.DeploymentReader{Lister: client, Targets: client, Stopper: client, Retry: retry}
		}
		a.owners[i] = owner.NewWatch(
			owner.Alias{Function: a.inputs.Functions[i].Name, Name: f.Alias, Region: f.Region},
			owner.Reader{Stacks: clients.CloudFormation(f.Region), Tags: clients.Lambda(f.Region), Deployments: deployments[f.Region], Retry: retry},
			owner.Options{
				GoOn: a.inputs.OnStackInProgress == "go-on", StopCodeDeploy: a.inputs.StopCodeDeploy,
				Terraform: a.inputs.Infrastructure == "terraform", Rehearsal: a.inputs.Command == "drill",
			})
		f.Guard = guard{ctx, a.owners[i], len(functions)*callsInAll <= aws.Burst}
		if aliasARN := arnAhead(a, i, f); aliasARN != "" {
			a.owners[i].Look(ctx, aliasARN)
		}
	}
	return stop
}

// arnAhead is the ARN of an alias before it was read, so that its owner is looked up
// beside it: the ARN of the function has the account, and so have that of the role
// and the id of the access key. Of the latter that is not documented: an alias that
// turns out to have another ARN is looked up again. Empty: the account is not known
// yet.
func arnAhead(a *action, i int, f *alias.Function) string {
	function := a.inputs.Functions[i]
	if function.ARN != "" {
		return function.ARN + ":" + f.Alias
	}
	account, partition := aws.AccountOf(a.deps.Getenv("AWS_ACCESS_KEY_ID")), aws.PartitionOf(f.Region)
	if role, err := arn.Parse(a.inputs.RoleToAssume); err == nil {
		account, partition = role.AccountID, role.Partition
	}
	if account == "" {
		return ""
	}
	return arn.ARN{
		Partition: partition, Service: "lambda", Region: f.Region, AccountID: account,
		Resource: "function:" + function.Name + ":" + f.Alias,
	}.String()
}

// withOwners adds to results who else moves each alias that was read.
func withOwners(a *action, all []report.Function) []report.Function {
	limit := ownerLimit + time.Duration(len(all))*ownerLimitEach
	ctx, cancel := context.WithTimeout(a.lifetime.work, limit)
	defer cancel()
	for i := range all {
		if all[i].ARN != "" {
			a.owners[i].Tags(a.lifetime.work)
		}
	}
	for i := range all {
		if all[i].ARN != "" {
			all[i].Owner = a.owners[i].Told(ctx, limit)
		}
	}
	return all
}

// addOwnerChecks adds the line of the command check about who else moves the alias.
func addOwnerChecks(a *action) {
	for i := range a.result.Functions {
		if f := &a.result.Functions[i]; f.Owner != nil {
			line := f.Owner.Check()
			a.log.Infof("check %s: %s: %s", line.Name, line.Status, line.Detail)
			f.Checks = append(f.Checks, line)
			sayAhead(f, a.owners[i].Ahead(a.lifetime.work))
		}
	}
}

// sayAhead adds to a check's message what owners would do to a rollback now.
func sayAhead(f *report.Function, d owner.Decision) {
	switch {
	case f.Status != report.Ready:
	case d.Step == owner.Refuse:
		f.Status, f.Reason = report.NotReady, d.Reason
		f.Message = fmt.Sprintf("%s:%s could be rolled back, but is NOT ready: a rollback now would be refused: %s", f.Function, f.Alias, d.Text)
	case d.Step == owner.AwaitStack, d.Step == owner.AwaitRoll, d.Step == owner.Stop:
		f.Message += "; it would wait first: " + d.Text
	}
}

// guard is what the owners of an alias mean for its move.
type guard struct {
	ctx   context.Context // of what is looked up beside the move
	watch *owner.Watch
	// tags: there are so few functions that no move waits for the reading of their
	// tags.
	tags bool
}

// Look begins to find out who else moves the alias.
func (g guard) Look(aliasARN string) {
	g.watch.Look(g.ctx, aliasARN)
	if g.tags {
		g.watch.Tags(g.ctx)
	}
}

// Allow says what the owners mean for a decision.
func (g guard) Allow(ctx context.Context, p alias.Proposal) (alias.Hold, error) {
	began := p.Run.CreatedAt
	v, err := g.watch.Allow(ctx, owner.Proposal{
		Move: p.Decision.Action == alias.Move, Chosen: p.Chosen, Changed: p.Changed,
		Serves: strconv.FormatInt(p.Alias.Version, 10), Made: p.Made, Began: began,
	}, p.Alias.Weighted != 0)
	if refusal, found := errors.AsType[*owner.Refusal](err); found {
		if errors.Is(refusal.Cause, alias.ErrCancelled) {
			return alias.Hold{}, &alias.Stopped{Cause: refusal.Cause}
		}
		return alias.Hold{}, &alias.Problem{Reason: refusal.Reason, Text: refusal.Text, Err: refusal.Cause}
	}
	return alias.Hold{Again: v.Again, Skip: v.Skip, Why: v.Text}, err
}
