package owner

import (
	"context"
	"errors"
	"sync"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy"
	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"

	"github.com/org/lambda-rollback-action/rollback/aws"
)

// Lister is the part of the CodeDeploy API that lists deployments.
type Lister interface {
	ListDeployments(context.Context, *codedeploy.ListDeploymentsInput, ...func(*codedeploy.Options)) (*codedeploy.ListDeploymentsOutput, error)
	BatchGetDeployments(context.Context, *codedeploy.BatchGetDeploymentsInput, ...func(*codedeploy.Options)) (*codedeploy.BatchGetDeploymentsOutput, error)
}

// Targets is the part of the CodeDeploy API that returns what a deployment deploys to.
type Targets interface {
	ListDeploymentTargets(context.Context, *codedeploy.ListDeploymentTargetsInput, ...func(*codedeploy.Options)) (*codedeploy.ListDeploymentTargetsOutput, error)
	BatchGetDeploymentTargets(context.Context, *codedeploy.BatchGetDeploymentTargetsInput, ...func(*codedeploy.Options)) (*codedeploy.BatchGetDeploymentTargetsOutput, error)
}

// Stopper is the part of the CodeDeploy API that stops a deployment.
type Stopper interface {
	StopDeployment(context.Context, *codedeploy.StopDeploymentInput, ...func(*codedeploy.Options)) (*codedeploy.StopDeploymentOutput, error)
}

// inFlight are the statuses of a deployment that has not ended.
var inFlight = []types.DeploymentStatus{
	types.DeploymentStatusCreated, types.DeploymentStatusQueued, types.DeploymentStatusInProgress, types.DeploymentStatusReady,
}

// maxDeployments is how many deployments in progress are read, on any compute
// platform: as many as CodeDeploy describes in one call.
const maxDeployments = 25

// DeploymentReader reads the deployments in progress in one region, once for all
// functions, because CodeDeploy lists them for the whole account.
type DeploymentReader struct {
	Lister  Lister
	Targets Targets
	Stopper Stopper
	Retry   aws.Retry

	once   sync.Once
	all    map[string]Deployment // by function and alias: "api:live"
	unseen []string
}

// On returns the deployment that is in progress on an alias, or nil if none could be
// found.
func (r *DeploymentReader) On(ctx context.Context, function, alias string) (*Deployment, []string) {
	r.once.Do(func() { r.all, r.unseen = r.read(ctx) })
	if d, found := r.all[function+":"+alias]; found {
		return &d, r.unseen
	}
	return nil, r.unseen
}

func (r *DeploymentReader) read(ctx context.Context) (all map[string]Deployment, unseen []string) {
	const what = "whether CodeDeploy is moving the alias: "
	listed, err := ask(ctx, r.Retry, "ListDeployments", func(ctx context.Context) (*codedeploy.ListDeploymentsOutput, error) {
		return r.Lister.ListDeployments(ctx, &codedeploy.ListDeploymentsInput{IncludeOnlyStatuses: inFlight})
	})
	if err != nil {
		return nil, []string{what + why(err, "codedeploy:ListDeployments")}
	}
	ids := listed.Deployments
	if len(ids) > maxDeployments || listed.NextToken != nil {
		unseen = append(unseen, what+"this account and region have more deployments in progress than this action reads")
		ids = ids[:min(len(ids), maxDeployments)]
	}
	if len(ids) == 0 {
		return nil, unseen
	}
	described, err := ask(ctx, r.Retry, "BatchGetDeployments", func(ctx context.Context) (*codedeploy.BatchGetDeploymentsOutput, error) {
		return r.Lister.BatchGetDeployments(ctx, &codedeploy.BatchGetDeploymentsInput{DeploymentIds: ids})
	})
	if err != nil {
		return nil, append(unseen, what+why(err, "codedeploy:BatchGetDeployments"))
	}
	all = map[string]Deployment{}
	for _, info := range described.DeploymentsInfo {
		if info.ComputePlatform != types.ComputePlatformLambda {
			continue
		}
		action, err := r.readTargets(ctx, info, all)
		if err != nil {
			unseen = append(unseen, what+why(err, action))
			if kind := aws.Classify(err); kind == aws.Denied || kind == aws.GivenUp {
				return all, unseen // for the others as well
			}
		}
	}
	return all, unseen
}

// readTargets adds what a deployment deploys to. It also returns the name of the
// action that failed.
func (r *DeploymentReader) readTargets(ctx context.Context, info types.DeploymentInfo, all map[string]Deployment) (action string, err error) {
	listed, err := ask(ctx, r.Retry, "ListDeploymentTargets", func(ctx context.Context) (*codedeploy.ListDeploymentTargetsOutput, error) {
		return r.Targets.ListDeploymentTargets(ctx, &codedeploy.ListDeploymentTargetsInput{DeploymentId: info.DeploymentId})
	})
	if err != nil {
		return "codedeploy:ListDeploymentTargets", err
	}
	if len(listed.TargetIds) == 0 {
		return "", nil
	}
	described, err := ask(ctx, r.Retry, "BatchGetDeploymentTargets", func(ctx context.Context) (*codedeploy.BatchGetDeploymentTargetsOutput, error) {
		return r.Targets.BatchGetDeploymentTargets(ctx, &codedeploy.BatchGetDeploymentTargetsInput{DeploymentId: info.DeploymentId, TargetIds: listed.TargetIds})
	})
	if err != nil {
		return "codedeploy:BatchGetDeploymentTargets", err
	}
	for _, target := range described.DeploymentTargets {
		if target.LambdaTarget == nil || target.LambdaTarget.LambdaFunctionInfo == nil {
			continue
		}
		l := target.LambdaTarget.LambdaFunctionInfo
		all[sdk.ToString(l.FunctionName)+":"+sdk.ToString(l.FunctionAlias)] = Deployment{
			ID: sdk.ToString(info.DeploymentId), Application: sdk.ToString(info.ApplicationName), Group: sdk.ToString(info.DeploymentGroupName),
			Status: info.Status, Rollback: rollsBack(info.Creator), Version: sdk.ToString(l.TargetVersion),
		}
	}
	return "", nil
}

// Stop stops a deployment and has CodeDeploy roll it back. Without a rollback, the
// weights would stay on the alias, and later deploys would fail.
func (r *DeploymentReader) Stop(ctx context.Context, id string) error {
	_, err := ask(ctx, r.Retry, "StopDeployment", func(ctx context.Context) (*codedeploy.StopDeploymentOutput, error) {
		return r.Stopper.StopDeployment(ctx, &codedeploy.StopDeploymentInput{DeploymentId: &id, AutoRollbackEnabled: sdk.Bool(true)})
	})
	if aws.Code(err) == "DeploymentAlreadyCompletedException" {
		return nil
	}
	return err
}

// state reads a deployment again. It returns its status and the ID of the deployment
// that rolls it back, or an empty ID if there is none.
func (r *DeploymentReader) state(ctx context.Context, id string) (status types.DeploymentStatus, rollback string, err error) {
	out, err := ask(ctx, r.Retry, "BatchGetDeployments", func(ctx context.Context) (*codedeploy.BatchGetDeploymentsOutput, error) {
		return r.Lister.BatchGetDeployments(ctx, &codedeploy.BatchGetDeploymentsInput{DeploymentIds: []string{id}})
	})
	if err != nil {
		return "", "", err
	}
	if len(out.DeploymentsInfo) == 0 {
		return "", "", errNoDeployment
	}
	info := out.DeploymentsInfo[0]
	if info.RollbackInfo != nil {
		rollback = sdk.ToString(info.RollbackInfo.RollbackDeploymentId)
	}
	return info.Status, rollback, nil
}

// rollsBack reports whether CodeDeploy created the deployment to roll another one
// back.
func rollsBack(creator types.DeploymentCreator) bool {
	return creator == types.DeploymentCreatorCodeDeployRollback || creator == types.DeploymentCreatorCloudFormationRollback
}

// errNoDeployment is the error for a response without the requested deployment.
var errNoDeployment = errors.New("the response contains no deployment")

// ended reports whether a deployment has ended.
func ended(status types.DeploymentStatus) bool {
	return status == types.DeploymentStatusSucceeded || status == types.DeploymentStatusFailed || status == types.DeploymentStatusStopped
}
