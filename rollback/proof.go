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

// prove runs the checks, if there are any, on the functions that were moved, and
// returns the results with the verdicts.
func prove(a *action, clients *aws.Clients, fleet *alias.Fleet) []report.Function {
	faulty := faultyChecks(a)
	if fleet.Moved() && (a.inputs.AsksForChecks() || len(faulty) > 0) {
		a.log.Group("Checking whether production recovered")
		defer a.log.EndGroup()
		watch := a.inputs.Watch
		fleet.Prove(a.lifetime.work, withFaulty(proverOf(verifier(a, clients)), faulty), alias.ProveOptions{
			StepBack: watch.OnUnhealthy == "step-back", MaxSteps: watch.MaxSteps, Timeout: a.inputs.Timeout,
			Log: a.log,
		})
	}
	return fleet.Results()
}

// proverOf returns a prover that runs the checks of v on the moved aliases.
func proverOf(v *verify.Verifier) alias.Prover {
	return func(ctx context.Context, moved []alias.Moved) []report.Verdict {
		checks := *v
		if slices.ContainsFunc(moved, func(m alias.Moved) bool { return m.Split }) {
			checks.Options.InvokePayload = nil // either of two versions may answer
		}
		subjects := make([]verify.Subject, len(moved))
		for i, m := range moved {
			subjects[i] = verify.Subject{
				Function: m.Name, ARN: m.ARN, Alias: m.Alias, Region: m.Region,
				Version: strconv.FormatInt(m.Version, 10), FailedVersion: leftVersion(m),
				ServedBefore: m.ServedBefore, LogGroup: m.LogGroup, MovedAt: m.MovedAt, DeployedAt: m.DeployedAt, Timeout: m.Timeout,
			}
		}
		_, each := checks.Verify(ctx, subjects)
		return each
	}
}

// verifier returns a verifier with the checks that the inputs configure.
func verifier(a *action, clients *aws.Clients) *verify.Verifier {
	health := a.inputs.Health
	return &verify.Verifier{
		Options: verify.Options{
			Health: verify.Health{
				URLs: health.URLs, Body: health.Body,
				Statuses:   func(code int) bool { return github.AnyHolds(health.Statuses, code) },
				StatusText: github.StatusText(health.Statuses),
				Successes:  health.Successes, Interval: health.Interval, Timeout: health.Timeout,
			},
			InvokePayload: health.InvokePayload,
			Alarms:        alarmsOf(a.inputs.Watch.Alarms), Observe: a.inputs.Watch.Observe, APIs: a.inputs.Watch.APIs,
		},
		HTTP: a.deps.HTTP,
		AWS: func(region string) verify.Clients {
			metrics := clients.CloudWatch(region)
			return verify.Clients{Lambda: clients.Lambda(region), Alarms: metrics, Metrics: metrics, Logs: clients.Logs(region)}
		},
		Clock: awsClock(a), Log: a.log, Redact: a.redactor.Redact,
	}
}

func alarmsOf(given []github.Alarm) []verify.Alarm {
	alarms := make([]verify.Alarm, len(given))
	for i, a := range given {
		alarms[i] = verify.Alarm{Name: a.Name, Region: a.Region}
	}
	return alarms
}

// leftVersion returns the version that the alias left; empty: not known.
func leftVersion(m alias.Moved) string {
	if m.Left == 0 {
		return ""
	}
	return strconv.FormatInt(m.Left, 10)
}
