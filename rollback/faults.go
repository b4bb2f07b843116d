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

// An input is often read for the first time when production is down. A fault in
// one that neither decides nor makes the move is told wherever somebody looks, and
// the alias moves all the same.

// takeFaults keeps the problems of the inputs that the command can go on with. It
// gives the error where it must not go on.
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

// faultText names the input, its value, and what mends it.
func faultText(a *action, problem github.InputError) string {
	if a.person != nil {
		return problem.AtTerminal()
	}
	return problem.Error()
}

// faultyChecks are checks after the move that cannot be made, or not as they were
// meant: what passed beside them does not show that production is well.
func faultyChecks(a *action) []report.Check {
	var checks []report.Check
	for _, problem := range a.faults {
		if problem.Check != "" {
			checks = append(checks, report.Check{Name: problem.Check, Status: report.CheckInconclusive, Detail: faultText(a, problem)})
		}
	}
	return checks
}

// withFaulty adds the checks that could not be made to what a prover finds.
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

// addFaults adds to the results of the functions what is wrong with the inputs, as
// far as it does not stand there, and neither a channel's answer nor the site has it.
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
				addPreflight(f, []verify.Preflight{{Check: c, Reason: report.InvalidInput}}, "an input is wrong")
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

// notificationOf is the key under which the output `notifications` tells of an
// input's fault: the channel or follow-up that it configures; empty: none.
func notificationOf(input string) string {
	switch input {
	case "notify-on":
		return input // it is about every channel
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

// faultySite is the result of a site that is not touched, because an input of it is
// wrong; nil: there is none.
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

// channelFaults are what is wrong with the inputs of channels and follow-ups, by
// their names in the output `notifications`.
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
