package rollback

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/org/lambda-rollback-action/github"
	"github.com/org/lambda-rollback-action/rollback/alias"
	"github.com/org/lambda-rollback-action/rollback/aws"
	"github.com/org/lambda-rollback-action/rollback/report"
)

// openAWS finds region and credentials.
func openAWS(ctx context.Context, a *action) (*aws.Clients, error) {
	session := a.inputs.RoleSessionName
	if session == "" {
		session = fmt.Sprintf("lambda-rollback-%d", a.workflow.RunID)
	}
	return aws.Open(ctx, aws.Options{
		Region:     a.inputs.Region,
		NeedRegion: slices.ContainsFunc(a.inputs.Functions, func(f github.Function) bool { return f.Region == "" }),
		Regions:    a.regions(),
		Secret:     func(secret string) { a.redactor.Add(secret) },
		Clock:      a.deps.Clock, Log: a.log,
		Environment: aws.Environment{Get: a.deps.Getenv, Set: a.deps.Setenv, Note: func(text string) {
			a.note(report.Note{Warning: true, Text: text})
		}},
		Answered: func(date string, took time.Duration) { a.clocks.aws.note(date, a.deps.Clock.Now(), took) },
		RoleARN:  a.inputs.RoleToAssume, SessionName: session,
		Token: func(ctx context.Context) (string, error) {
			token, err := github.IDToken(ctx, a.deps.Getenv, a.inputs.Audience)
			if err == nil {
				claims := aws.ReadClaims(token)
				a.claims.Store(&claims)
			}
			return token, err
		},
	})
}

// connectAWS is openAWS; where there are no credentials, the result says so.
func (a *action) connectAWS(ctx context.Context) (*aws.Clients, bool) {
	clients, err := openAWS(ctx, a)
	if err == nil {
		return clients, true
	}
	reason, message := explainNoAccess(ctx, a, err)
	a.setAll(report.Failed, reason, message)
	if a.inputs.Command == "check" && !errors.Is(err, aws.ErrNoRegion) {
		notReady(a)
	}
	return nil, false
}

// regions are those that the functions name.
func (a *action) regions() []string {
	var all []string
	for _, f := range a.inputs.Functions {
		if f.Region != "" && !slices.Contains(all, f.Region) {
			all = append(all, f.Region)
		}
	}
	return all
}

// explainNoAccess words why there is no access to AWS, and what to do.
func explainNoAccess(ctx context.Context, a *action, err error) (report.Reason, string) {
	undone := "nothing was done"
	if a.inputs.Command == "rollback" {
		undone = "nothing was rolled back"
	}
	switch {
	case errors.Is(err, aws.ErrNoRegion):
		return report.InvalidInput, "aws-region: no region is known; set the input (such as eu-west-1), or AWS_REGION, or give function ARNs"
	case errors.Is(err, aws.ErrConfiguration):
		return report.InvalidInput, fmt.Sprintf("%s: %s", undone, err)
	case ctx.Err() != nil && errors.Is(context.Cause(ctx), alias.ErrTimeout):
		return report.Timeout, fmt.Sprintf("%s: the input timeout was over before there were AWS credentials%s", undone, lastTry(err))
	case ctx.Err() != nil:
		return report.Cancelled, fmt.Sprintf("%s: the run was cancelled before there were AWS credentials", undone) //nolint:perfsprint // the documentation is compared with the formats
	case aws.Classify(err) == aws.Unresolved:
		return report.InvalidInput, fmt.Sprintf("%s: %s", undone, aws.Brief(err))
	case isRoleError(err):
		return report.NoCredentials, fmt.Sprintf("%s: %s", undone, err)
	case a.alone() && a.inputs.RoleToAssume == "":
		return report.NoCredentials, fmt.Sprintf("%s: %s; log in as for the AWS CLI, such as by `aws sso login`, or choose a profile by AWS_PROFILE", undone, err)
	}
	return report.NoCredentials, fmt.Sprintf("%s: %s; give the job a role by role-to-assume with `permissions: id-token: write`, or run a credentials step before this one", undone, err)
}

// isRoleError: the message says already what to do.
func isRoleError(err error) bool {
	_, found := errors.AsType[*aws.RoleError](err)
	return found
}

// lastTry is how the last try ended before the time was over, as the end of a
// sentence.
func lastTry(err error) string {
	stopped, found := errors.AsType[*aws.Stopped](err)
	switch {
	case !found || stopped.Last == nil:
		return ""
	case stopped.Before != nil && aws.Status(stopped.Last) == 0: // the end of the time has cut the last one off
		return fmt.Sprintf(" (the last try had ended with: %s)", aws.Brief(stopped.Before))
	}
	return fmt.Sprintf(" (the last try had ended with: %s)", aws.Brief(stopped.Last))
}

// functions are those of the inputs, with everything that it takes to work on
// them.
func (a *action) functions(clients *aws.Clients) []alias.Function {
	functions := make([]alias.Function, len(a.inputs.Functions))
	for i, f := range a.inputs.Functions {
		functions[i] = a.function(clients, f)
	}
	return functions
}

func (a *action) function(clients *aws.Clients, f github.Function) alias.Function {
	region := f.Region
	if region == "" {
		region = clients.Region()
	}
	return alias.Function{
		Name: f.Name, ARN: f.ARN, Alias: f.Alias, Region: region, Environment: a.inputs.Environment,
		Request: alias.Request{
			Target: f.Target, SeenVersion: f.Seen, SeenWeighted: f.SeenBeside, Deployed: f.Deployed, OnlyIfDeployed: a.inputs.OnlyIfDeployed,
			Manual:   byHand(a, f),
			Remember: a.inputs.Remember,
		},
		DryRun: a.inputs.DryRun,
		Lambda: clients.Lambda(region),
		Runs:   runsOf(a.api),
		Log:    logOf(a, f),
		Clock:  a.deps.Clock,
		Run:    a.withFailure(a.result.Run),
		Evidence: func(ctx context.Context) report.Run {
			run, _ := a.run.known(ctx)
			return a.withFailure(run)
		},
		ClockDifference: a.clocks.difference, Ahead: a.clocks.awsAhead,
		Finish: a.lifetime.finish,
	}
}

// withFailure adds to a run what showed its failure, and which jobs can have
// deployed: those that deploy-job names, else those that needs has.
func (a *action) withFailure(run report.Run) report.Run {
	run.Counted, run.FailedBy = a.counted, a.failedBy
	run.CancelledCounts = slices.Contains(a.inputs.FailedResults, "cancelled")
	run.DeployJobs = a.inputs.DeployJobs
	if len(run.DeployJobs) == 0 && a.failedBy == report.FailedByNeeds {
		run.DeployJobs = slices.Sorted(maps.Keys(a.inputs.Needs))
	}
	return run
}

// byHand: a person asks, so that the own run is not the one that deployed.
func byHand(a *action, f github.Function) bool {
	switch {
	case a.alone(), !a.event.TimesByAPI():
		return true
	case f.Target == 0 && !a.event.ByDispatch():
		return false
	case a.failedBy == "", a.failedBy == report.FailedByWorkflow: // nothing tells
		return len(a.inputs.Needs) == 0
	default:
		return a.failedBy == report.FailedByPerson
	}
}

// logOf names the function on each line, where there are several.
func logOf(a *action, f github.Function) alias.Log {
	if len(a.inputs.Functions) == 1 {
		return a.log
	}
	return prefixedLog{a.log, f.String()}
}

type prefixedLog struct {
	log  *github.Log
	name string
}

func (l prefixedLog) Infof(format string, args ...any) {
	l.log.Infof("%s: %s", l.name, fmt.Sprintf(format, args...))
}
