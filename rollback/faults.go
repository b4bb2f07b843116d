package rollback

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/org/lambda-rollback-action/github"
	"github.com/org/lambda-rollback-action/notify"
	"github.com/org/lambda-rollback-action/rollback/alias"
	"github.com/org/lambda-rollback-action/rollback/report"
	"github.com/org/lambda-rollback-action/rollback/verify"
)

// Inputs are often read for the first time when production is down. An invalid input
// that affects neither the decision nor the move does not stop the move. The log,
// the summary and the results report it.

// takeFaults keeps the problems of inputs that the command can do without. It returns
// the error if the command must stop.
func takeFaults(a *action, err error) error {
	problems, are := errors.AsType[github.InputErrors](err)
	if !are || problems.StopMoves() || a.inputs.Command == "drill" || a.inputs.Command == "promote" {
		return err
	}
	a.faults = problems
	for _, problem := range problems {
		a.note(report.Note{Warning: true, Error: true, Text: faultText(a, problem)})
	}
	return nil
}

// faultText returns a text that names the input, its value, and how to fix it.
func faultText(a *action, problem github.InputError) string {
	if a.person != nil {
		return problem.AtTerminal()
	}
	return problem.Error()
}

// faultyChecks returns the checks after the move that cannot run as configured. The
// other checks alone do not prove that production is healthy.
func faultyChecks(a *action) []report.Check {
	var checks []report.Check
	for _, problem := range a.faults {
		if problem.Check != "" {
			checks = append(checks, report.Check{Name: problem.Check, Status: report.CheckInconclusive, Detail: faultText(a, problem)})
		}
	}
	return checks
}

// withFaulty returns a prover that adds the checks that could not run to the
// verdicts of prove.
func withFaulty(prove alias.Prover, faulty []report.Check) alias.Prover {
	if len(faulty) == 0 {
		return prove
	}
	return func(ctx context.Context, moved []alias.Moved) []report.Verdict {
		verdicts := prove(ctx, moved)
		for i := range verdicts {
			v := &verdicts[i]
			v.Checks = slices.Concat(v.Checks, faulty)
			if v.Healthy == report.Healthy {
				v.Healthy = report.HealthUnknown
			}
		}
		return verdicts
	}
}

// addFaults adds the problems of the inputs to the results of the functions, unless
// they are already there, or are in the result of a channel or of the site.
func addFaults(a *action) {
	for _, problem := range a.faults {
		elsewhere := notificationOf(problem.Input) != "" || problem.Site && a.result.Site != nil
		if elsewhere && a.inputs.Command != "check" {
			continue
		}
		text := faultText(a, problem)
		for i := range a.result.Functions {
			f := &a.result.Functions[i]
			switch {
			case a.inputs.Command == "check":
				c := report.Check{Name: "input " + problem.Input, Status: report.CheckFailed, Detail: text}
				addPreflight(f, []verify.Preflight{{Check: c, Reason: report.InvalidInput}}, "an input is invalid")
			case slices.ContainsFunc(f.Checks, func(c report.Check) bool { return c.Detail == text }):
			case problem.Check != "":
				f.Checks = append(f.Checks, report.Check{Name: problem.Check, Status: report.CheckInconclusive, Detail: text})
			default:
				f.Checks = append(f.Checks, report.Check{
					Name: "input " + problem.Input, Status: report.CheckInconclusive, Detail: text, Kind: report.CheckInput,
				})
			}
		}
	}
}

// notificationOf returns the key in the output `notifications` for a problem of an
// input: the name of the channel or follow-up that the input configures; empty:
// none.
func notificationOf(input string) string {
	switch input {
	case "notify-on":
		return input // it applies to every channel
	case "record-deployment":
		return github.FollowUpDeployment
	case "comment-on-pull-request":
		return github.FollowUpComment
	case "open-issue":
		return github.FollowUpIssue
	}
	for _, channel := range notify.Registry() {
		if slices.Contains(channel.Required, input) || slices.Contains(channel.Optional, input) {
			return channel.Name
		}
	}
	return ""
}

// faultySite returns the result for a site that is not restored because one of its
// inputs is invalid; nil: its inputs are valid.
func faultySite(a *action) *report.Site {
	in := a.inputs.Site
	if !in.Faulty {
		return nil
	}
	result := &report.Site{
		Bucket: in.Bucket, Prefix: in.Prefix, Status: report.Failed, Reason: report.InvalidInput, Keys: []report.SiteKey{},
	}
	var faults []string
	for _, problem := range a.faults {
		if problem.Site {
			faults = append(faults, faultText(a, problem))
		}
	}
	result.Message = "the site was NOT restored: " + strings.Join(faults, "; ")
	return result
}

// channelFaults returns the problems of the inputs for channels and follow-ups, by
// key in the output `notifications`.
func channelFaults(a *action) map[string]string {
	faults := map[string]string{}
	for _, problem := range a.faults {
		name := notificationOf(problem.Input)
		switch before := faults[name]; {
		case name == "":
		case before == "":
			faults[name] = faultText(a, problem)
		default:
			faults[name] = before + "; " + faultText(a, problem)
		}
	}
	return faults
}
