package rollback

import (
	"context"
	"slices"
	"strconv"

	"github.com/org/lambda-rollback-action/github"
	"github.com/org/lambda-rollback-action/rollback/alias"
	"github.com/org/lambda-rollback-action/rollback/aws"
	"github.com/org/lambda-rollback-action/rollback/report"
	"github.com/org/lambda-rollback-action/rollback/verify"
)

// prove checks the functions that were moved, where checks were asked for, and
// gives the results with what was found.
func (s *story) prove(clients *aws.Cloud, fleet *alias.Fleet) []report.Function {
	if fleet.Moved() && s.in.AsksForChecks() {
		s.log.Group("Checking whether production recovered")
		defer s.log.EndGroup()
		watch := s.in.Watch
		fleet.Prove(s.work, proverOf(s.verifier(clients)), alias.ProveOptions{
			StepBack: watch.OnUnhealthy == "step-back", MaxSteps: watch.MaxSteps, Timeout: s.in.Timeout,
			Observed: watch.Observe > 0, Log: s.log,
		})
	}
	return fleet.Results()
}

// proverOf makes the checks of v the proof of moved aliases.
func proverOf(v *verify.Verifier) alias.Prover {
	return func(ctx context.Context, moved []alias.Moved) []report.Verdict {
		checks := *v
		if slices.ContainsFunc(moved, func(m alias.Moved) bool { return m.Split }) {
			checks.InvokePayload = nil // either of two versions may answer
		}
		subjects := make([]verify.Subject, len(moved))
		for i, m := range moved {
			subjects[i] = verify.Subject{
				Function: m.Name, ARN: m.ARN, Alias: m.Alias, Region: m.Region,
				Version: strconv.FormatInt(m.Version, 10), FailedVersion: strconv.FormatInt(m.Left, 10),
				ServedBefore: m.ServedBefore, LogGroup: m.LogGroup, MovedAt: m.MovedAt, DeployedAt: m.DeployedAt,
			}
		}
		_, each := checks.Verify(ctx, subjects)
		return each
	}
}

// verifier has the checks that were asked for.
func (s *story) verifier(clients *aws.Cloud) *verify.Verifier {
	health := s.in.Health
	return &verify.Verifier{
		Options: verify.Options{
			Health: verify.Health{
				URLs: health.URLs, Body: health.Body,
				Statuses:   func(code int) bool { return github.AnyHolds(health.Statuses, code) },
				StatusText: github.StatusText(health.Statuses),
				Successes:  health.Successes, Interval: health.Interval, Timeout: health.Timeout,
			},
			InvokePayload: health.InvokePayload,
			Alarms:        s.in.Watch.Alarms, Observe: s.in.Watch.Observe, APIs: s.in.Watch.APIs,
		},
		HTTP: s.HTTP,
		AWS: func(region string) verify.Clients {
			metrics := clients.CloudWatch(region)
			return verify.Clients{Lambda: clients.Lambda(region), Alarms: metrics, Metrics: metrics, Logs: clients.Logs(region)}
		},
		Clock: s.Clock, Log: s.log, Redact: s.redactor.Redact,
	}
}
