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
	// ownerLimit is how long the report waits for the owners of the aliases, and
	// ownerLimitEach how much longer for each function, because Lambda limits the
	// rate at which tags can be read. The moves are done by then.
	ownerLimit     = 2 * time.Second
	ownerLimitEach = 100 * time.Millisecond
	// callsInAll is how many calls to Lambda one function takes in total, from the
	// first read to the write of the memory alias.
	callsInAll = 7
	// lookupsAtOnce is how many calls about owners run concurrently.
	lookupsAtOnce = 4
)

// watchOwners starts to look up what else moves the aliases of the functions. For
// each alias, it starts as soon as the ARN is known. stop ends the lookups.
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
				Unhurried: a.inputs.Command != "rollback",
			})
		f.Guard = guard{ctx, a.owners[i], len(functions)*callsInAll <= aws.Burst}
		if aliasARN := arnAhead(a, i, f); aliasARN != "" {
			a.owners[i].Look(ctx, aliasARN)
		}
	}
	return stop
}

// arnAhead predicts the ARN of an alias before the alias is read, so that its owner
// can be looked up at the same time. The account comes from the ARN of the function,
// the ARN of the role, or the access key ID. AWS does not document the account in an
// access key ID, so an alias with a different ARN is looked up again. Empty: the
// account is not known yet.
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

// withOwners adds to the results what else moves each alias. It skips aliases that
// were not read.
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

// addOwnerChecks adds a check that says what else moves each alias, for the command
// check.
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

// sayAhead adds to the message of a check what the owners would mean for a rollback
// now.
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

// guard is an alias.Guard that decides by the owners of the alias.
type guard struct {
	ctx   context.Context // of lookups that run concurrently with the move
	watch *owner.Watch
	// tags is set if the tags of the function can be read early, because there are
	// so few functions that this delays no move.
	tags bool
}

// Look starts to look up what else moves the alias.
func (g guard) Look(aliasARN string) {
	g.watch.Look(g.ctx, aliasARN)
	if g.tags {
		g.watch.Tags(g.ctx)
	}
}

// Allow decides whether the owners of the alias allow the proposed move.
func (g guard) Allow(ctx context.Context, p alias.Proposal) (alias.Hold, error) {
	began := p.Run.CreatedAt
	v, err := g.watch.Allow(ctx, owner.Proposal{
		Move: p.Decision.Action == alias.Move, Chosen: p.Chosen, Changed: p.Changed,
		Serves: strconv.FormatInt(p.Alias.Version, 10), Made: p.Made, Began: began,
	}, p.Shared)
	if refusal, found := errors.AsType[*owner.Refusal](err); found {
		if errors.Is(refusal.Cause, alias.ErrCancelled) {
			return alias.Hold{}, &alias.Stopped{Cause: refusal.Cause}
		}
		return alias.Hold{}, &alias.Problem{Reason: refusal.Reason, Text: refusal.Text, Err: refusal.Cause}
	}
	return alias.Hold{Again: v.Again, Skip: v.Skip, Why: v.Text}, err
}
