package rollback

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/org/lambda-rollback-action/github"
	"github.com/org/lambda-rollback-action/rollback/alias"
	"github.com/org/lambda-rollback-action/rollback/aws"
	"github.com/org/lambda-rollback-action/rollback/report"
	"github.com/org/lambda-rollback-action/rollback/verify"
)

// snapshot notes what serves, for the rollback of this run.
func (s *story) snapshot(ctx context.Context, functions []alias.Function) {
	if s.where.RunID == 0 {
		s.everywhere(report.Failed, report.InvalidInput,
			"a snapshot is for the rollback of the same workflow run, and GITHUB_RUN_ID tells of none: take it in a job of the workflow that deploys")
		return
	}
	s.log.Group("Noting what serves")
	s.result.Functions = alias.Snapshot(ctx, functions)
	s.log.EndGroup()
	s.tellRun(ctx)
}

// list shows the versions, in the log too.
func (s *story) list(ctx context.Context, functions []alias.Function) {
	s.result.Functions = alias.List(ctx, functions, s.in.ListLimit)
	if s.person != nil {
		return // the result has the table
	}
	for _, f := range s.result.Functions {
		s.log.Group("Versions of " + f.Function)
		for line := range strings.Lines(report.VersionsText(s.redactor.Function(f), s.Clock.Now(), 0)) {
			s.log.Infof("%s", strings.TrimRight(line, "\n"))
		}
		s.log.EndGroup()
	}
}

// notReady turns a failure to get as far as AWS into the answer of a check.
func (s *story) notReady() {
	if s.result.Reason == report.InvalidInput {
		return
	}
	s.result.Status = report.NotReady
	for i := range s.result.Functions {
		f := &s.result.Functions[i]
		f.Status = report.NotReady
		f.Checks = append(f.Checks, report.Check{Name: "credentials", Status: report.CheckFailed, Detail: f.Message})
	}
}

// check tells whether a rollback would work now, with every check after it.
func (s *story) check(ctx context.Context, clients *aws.Clients, functions []alias.Function) {
	s.log.Group("Checking whether a rollback would work")
	defer s.log.EndGroup()
	s.result.Functions = alias.Check(ctx, functions)
	s.checkProof(ctx, clients)
	common := s.checkGitHub(ctx)
	for i := range s.result.Functions {
		f := &s.result.Functions[i]
		f.Checks = append(f.Checks, common...)
	}
}

// checkProof tells whether the checks after a move could be made.
func (s *story) checkProof(ctx context.Context, clients *aws.Clients) {
	if !s.in.AsksForChecks() {
		return
	}
	subjects := make([]verify.Subject, len(s.result.Functions))
	for i, f := range s.result.Functions {
		subjects[i] = verify.Subject{
			Function: f.Function, ARN: s.in.Functions[i].ARN, Alias: f.Alias, Region: f.Region,
			Version: f.From, LogGroup: f.LogGroup,
		}
	}
	common, own := s.verifier(clients).Preflight(ctx, subjects)
	for i := range s.result.Functions {
		all := slices.Concat(common, own[i])
		for _, o := range all {
			s.log.Infof("check %s: %s: %s", o.Check.Name, o.Check.Status, o.Check.Detail)
		}
		addPreflight(&s.result.Functions[i], all, "what is to prove the recovery could not")
	}
}

// addPreflight adds preflights to what was found about a function; but says what would
// go wrong although it could be rolled back.
func addPreflight(f *report.Function, all []verify.Preflight, but string) {
	var wrong []string
	for _, o := range all {
		f.Checks = append(f.Checks, o.Check)
		if o.Check.Status != report.CheckFailed {
			continue
		}
		wrong = append(wrong, o.Check.Name+": "+o.Check.Detail)
		if f.Status == report.Ready {
			f.Status, f.Reason = report.NotReady, o.Reason
			f.Message = fmt.Sprintf("%s:%s could be rolled back, but is NOT ready: %s", f.Function, f.Alias, but)
		}
	}
	if len(wrong) > 0 {
		f.Message += ": " + strings.Join(wrong, "; ")
	}
}

// checkGitHub tells what the workflow lets a rollback know and do. None of it
// can stop one that a person starts.
func (s *story) checkGitHub(ctx context.Context) []report.Check {
	var checks []report.Check
	add := func(name string, status report.CheckStatus, detail string) {
		checks = append(checks, report.Check{Name: name, Status: status, Detail: detail})
		s.log.Infof("check %s: %s: %s", name, status, detail)
	}
	if s.where.RunID == 0 {
		return nil
	}
	_, notes := s.failed.wait(ctx)
	status, detail := report.CheckPassed, "the run and its jobs can be read"
	for _, n := range notes {
		if n.Warning {
			status, detail = report.CheckInconclusive, n.Text
			break
		}
	}
	add("permissions actions: read", status, detail)

	trigger := github.Trigger{Command: "snapshot", Branches: s.in.Branches, Context: s.where, Event: s.event}
	if verdict := trigger.Judge(); !verdict.Act {
		add("branch", report.CheckInconclusive, "a failed run like this one would not be rolled back: "+verdict.Message)
	} else {
		add("branch", report.CheckPassed, "failed runs of this branch are rolled back")
	}
	return checks
}
