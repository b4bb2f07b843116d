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

// openAWS resolves the region and the credentials.
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

// connectAWS calls openAWS, and sets the result if it fails.
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

// regions returns the regions of functions that are given by ARN.
func (a *action) regions() []string {
	var all []string
	for _, f := range a.inputs.Functions {
		if f.Region != "" && !slices.Contains(all, f.Region) {
			all = append(all, f.Region)
		}
	}
	return all
}

// explainNoAccess returns the reason why there is no access to AWS, and a message
// that says what to do.
func explainNoAccess(ctx context.Context, a *action, err error) (report.Reason, string) {
	undone := "nothing was done"
	if a.inputs.Command == "rollback" {
		undone = "nothing was rolled back"
	}
	switch {
	case errors.Is(err, aws.ErrNoRegion):
		return report.InvalidInput, "aws-region: no region is set; set the input (such as eu-west-1) or AWS_REGION, or use function ARNs"
	case errors.Is(err, aws.ErrConfiguration):
		return report.InvalidInput, fmt.Sprintf("%s: %s", undone, err)
	case ctx.Err() != nil && errors.Is(context.Cause(ctx), alias.ErrTimeout):
		return report.Timeout, fmt.Sprintf("%s: the input timeout expired before AWS credentials were available%s", undone, lastTry(err))
	case ctx.Err() != nil:
		return report.Cancelled, fmt.Sprintf("%s: the run was cancelled before AWS credentials were available", undone) //nolint:perfsprint // the documentation is compared with the formats
	case aws.Classify(err) == aws.Unresolved:
		return report.InvalidInput, fmt.Sprintf("%s: %s", undone, aws.Brief(err))
	case isRoleError(err):
		return report.NoCredentials, fmt.Sprintf("%s: %s", undone, err)
	case a.outsideWorkflow() && a.inputs.RoleToAssume == "":
		return report.NoCredentials, fmt.Sprintf("%s: %s; sign in as you do for the AWS CLI, for example with `aws sso login`, or select a profile with AWS_PROFILE", undone, err)
	}
	return report.NoCredentials, fmt.Sprintf("%s: %s; set role-to-assume and give the job `permissions: id-token: write`, or configure AWS credentials in an earlier step", undone, err)
}

// isRoleError reports whether the message of err already says what to do.
func isRoleError(err error) bool {
	_, found := errors.AsType[*aws.RoleError](err)
	return found
}

// lastTry returns how the last attempt before the timeout failed, for the end of a
// sentence.
func lastTry(err error) string {
	if stopped, found := errors.AsType[*aws.Stopped](err); found {
		return stopped.LastTry()
	}
	return ""
}

// functions returns an alias.Function for each function of the inputs.
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
			NotRequested: a.onlyTargets && f.Target == 0,
			Manual:       byHand(a, f),
			Attempt:      a.workflow.RunAttempt,
			Remember:     a.inputs.Remember,
		},
		DryRun: a.inputs.DryRun,
		Lambda: clients.Lambda(region),
		Runs:   a.runs,
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

// withFailure returns run with the evidence of its failure, and with the jobs that
// may have deployed: those in deploy-job, or else those in needs.
func (a *action) withFailure(run report.Run) report.Run {
	run.Counted, run.FailedBy = a.counted, a.failedBy
	run.CancelledCounts = slices.Contains(a.inputs.FailedResults, "cancelled")
	run.DeployJobs = a.inputs.DeployJobs
	if len(run.DeployJobs) == 0 && a.failedBy == report.FailedByNeeds {
		run.DeployJobs = slices.Sorted(maps.Keys(a.inputs.Needs))
	}
	return run
}

// byHand reports whether the rollback was started by hand, so that this workflow run
// is not the one that deployed.
func byHand(a *action, f github.Function) bool {
	switch {
	case a.outsideWorkflow(), !a.event.TimesByAPI():
		return true
	case f.Target == 0 && !a.event.ByDispatch():
		return false
	case a.failedBy == "", a.failedBy == report.FailedByWorkflow: // there is no evidence
		return len(a.inputs.Needs) == 0
	default:
		return a.failedBy == report.FailedByPerson
	}
}

// logOf returns a log that names the function on each line if there are several.
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
