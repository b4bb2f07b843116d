package rollback

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/org/lambda-rollback-action/github"
	"github.com/org/lambda-rollback-action/rollback/alias"
	"github.com/org/lambda-rollback-action/rollback/aws"
	"github.com/org/lambda-rollback-action/rollback/report"
)

// open finds region and credentials; where there are none, it says so in the
// result.
func (s *story) open(ctx context.Context) (*aws.Clients, error) {
	name := s.in.RoleSessionName
	if name == "" {
		name = fmt.Sprintf("lambda-rollback-%d", s.where.RunID)
	}
	clients, err := aws.Open(ctx, aws.Options{
		Region: s.in.Region, NeedRegion: s.needRegion(), Secret: func(secret string) { s.redactor.Add(secret) }, Clock: s.Clock,
		RoleARN: s.in.RoleToAssume, SessionName: name,
		Token: func(ctx context.Context) (string, error) {
			return github.IDToken(ctx, s.Getenv, s.in.Audience)
		},
	})
	switch {
	case err == nil:
		return clients, nil
	case errors.Is(err, aws.ErrNoRegion):
		s.everywhere(report.Failed, report.InvalidInput,
			"aws-region: no region is known; set the input (such as eu-west-1), or AWS_REGION, or give function ARNs")
	case ctx.Err() != nil:
		reason, what := report.Cancelled, "the run was cancelled"
		if errors.Is(context.Cause(ctx), alias.ErrTimeout) {
			reason, what = report.Timeout, "the input timeout was over"
		}
		s.everywhere(report.Failed, reason, s.inVain(fmt.Sprintf("nothing was rolled back: %s before there were AWS credentials", what)))
	case s.alone() && s.in.RoleToAssume == "":
		s.everywhere(report.Failed, report.NoCredentials, s.inVain(fmt.Sprintf(
			"nothing was rolled back: %s; log in as for the AWS CLI, such as by `aws sso login`, or choose a profile by AWS_PROFILE", err)))
	default:
		s.everywhere(report.Failed, report.NoCredentials, s.inVain(fmt.Sprintf(
			"nothing was rolled back: %s; give the job a role by role-to-assume with `permissions: id-token: write`, or run a credentials step before this one", err)))
	}
	return nil, err
}

// inVain says of the other commands what they did not do.
func (s *story) inVain(message string) string {
	if s.in.Command == "rollback" {
		return message
	}
	return strings.Replace(message, "nothing was rolled back", "nothing was done", 1)
}

// function is everything that it takes to roll one function back.
func (s *story) function(clients *aws.Clients, f github.Function) alias.Function {
	region := f.Region
	if region == "" {
		region = clients.Region()
	}
	return alias.Function{
		Name: f.Name, ARN: f.ARN, Alias: f.Alias, Region: region, Environment: s.in.Environment,
		Ask: alias.Ask{
			Target: f.Target, Seen: f.Seen, SeenBeside: f.SeenBeside, Deployed: f.Deployed, OnlyIfDeployed: s.in.OnlyIfDeployed,
			ByHand:   s.alone() || len(s.in.Needs) == 0 && (f.Target != 0 || s.byDispatch()) || !s.event.TimesByAPI(),
			Remember: s.in.Remember,
		},
		DryRun: s.in.DryRun,
		Lambda: clients.Lambda(region),
		Runs:   runsOf(s.api),
		Log:    s.logOf(f),
		Clock:  s.Clock,
		Run:    s.result.Run,
		Evidence: func(ctx context.Context) report.Run {
			run, _ := s.failed.wait(ctx)
			return run
		},
		Finish: s.finish,
	}
}

// logOf names the function on each line, where there are several.
func (s *story) logOf(f github.Function) alias.Log {
	if len(s.in.Functions) == 1 {
		return s.log
	}
	return named{s.log, f.String()}
}

type named struct {
	log  *github.Log
	name string
}

func (n named) Infof(format string, args ...any) {
	n.log.Infof("%s: %s", n.name, fmt.Sprintf(format, args...))
}

func (s *story) needRegion() bool {
	for _, f := range s.in.Functions {
		if f.Region == "" {
			return true
		}
	}
	return false
}

func (s *story) functions(clients *aws.Clients) []alias.Function {
	functions := make([]alias.Function, len(s.in.Functions))
	for i, f := range s.in.Functions {
		functions[i] = s.function(clients, f)
	}
	return functions
}
