package rollback

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/org/lambda-rollback-action/github"
	"github.com/org/lambda-rollback-action/rollback/alias"
	"github.com/org/lambda-rollback-action/rollback/aws"
	"github.com/org/lambda-rollback-action/rollback/report"
	"github.com/org/lambda-rollback-action/rollback/verify"
)

// check reports whether a rollback would work now, including the checks after the
// move. It changes nothing.
func check(ctx context.Context, a *action, clients *aws.Clients, functions []alias.Function) {
	a.log.Group("Checking whether a rollback would work")
	defer a.log.EndGroup()
	defer watchOwners(a, clients, functions)()
	promotion := promotionToCome(a)
	a.result.Functions = withOwners(a, alias.Check(ctx, functions, promotion))
	addOwnerChecks(a)
	checkVerification(ctx, a, clients)
	if promotion != nil {
		checkPromotion(ctx, a, clients)
	}
	checkSite(ctx, a, clients)
	common := append(checkToken(a), checkWorkflow(ctx, a)...)
	checkFreeze(ctx, a)
	for i := range a.result.Functions {
		f := &a.result.Functions[i]
		f.Checks = append(f.Checks, common...)
	}
}

// notReady turns a failure to reach AWS into the result of a check.
func notReady(a *action) {
	a.result.Status = report.NotReady
	for i := range a.result.Functions {
		f := &a.result.Functions[i]
		f.Status = report.NotReady
		f.Checks = append(f.Checks, report.Check{Name: "credentials", Status: report.CheckFailed, Detail: f.Message})
		f.Checks = append(f.Checks, checkToken(a)...)
	}
}

// subjectForms describes the forms of the claim sub, which the condition in a trust
// policy must match.
var subjectForms = map[aws.SubjectForm]string{
	aws.SubjectNames: "names only, as repo:ORG/REPO:…",
	aws.SubjectIDs:   "names with IDs, as repo:ORG@ORG_ID/REPO@REPO_ID:…",
	aws.SubjectOther: "a custom template, which begins with neither repo:ORG/REPO: nor repo:ORG@ORG_ID/REPO@REPO_ID:",
}

// checkToken reports the claims of the job's OIDC token that the role's trust policy
// compares. It returns nil if no token was requested.
func checkToken(a *action) []report.Check {
	claims := a.claims.Load()
	if claims == nil {
		return nil
	}
	line := report.Check{Name: "OIDC token", Status: report.CheckPassed}
	line.Detail = fmt.Sprintf("sub %q (%s), aud %q", claims.Subject, subjectForms[claims.Form()], claims.Audience)
	if claims.Subject == "" {
		line.Status, line.Detail = report.CheckInconclusive, "could not read the claims sub and aud of the job's OIDC token"
	}
	a.log.Infof("check %s: %s: %s", line.Name, line.Status, line.Detail)
	return []report.Check{line}
}

// checkVerification reports whether the checks after the move would work.
func checkVerification(ctx context.Context, a *action, clients *aws.Clients) {
	if !a.inputs.AsksForChecks() {
		return
	}
	subjects := make([]verify.Subject, len(a.result.Functions))
	for i, f := range a.result.Functions {
		subjects[i] = verify.Subject{
			Function: f.Function, ARN: a.inputs.Functions[i].ARN, Alias: f.Alias, Region: f.Region,
			Version: f.From, LogGroup: f.LogGroup,
		}
	}
	common, own := verifier(a, clients).Preflight(ctx, subjects)
	for i := range a.result.Functions {
		all := slices.Concat(common, own[i])
		for _, o := range all {
			a.log.Infof("check %s: %s: %s", o.Check.Name, o.Check.Status, o.Check.Detail)
		}
		addPreflight(&a.result.Functions[i], all, "the checks after the move would not work")
	}
}

// promotionToCome returns the options of the promotion that the inputs of a check
// describe; nil: none.
func promotionToCome(a *action) *alias.PromoteOptions {
	if !a.inputs.Promote.Asked {
		return nil
	}
	return promoteOptions(a.inputs)
}

// checkPromotion reports whether a promotion could read the metrics and invoke the
// version that it needs. If the new version is not known yet, the live one is used.
func checkPromotion(ctx context.Context, a *action, clients *aws.Clients) {
	v := verifier(a, clients)
	for i := range a.result.Functions {
		f, given := &a.result.Functions[i], a.inputs.Functions[i]
		s := verify.Subject{Function: f.Function, ARN: given.ARN, Alias: f.Alias, Region: f.Region, Version: f.From, LogGroup: f.LogGroup}
		if given.Deployed != 0 {
			s.Version = strconv.FormatInt(given.Deployed, 10)
		}
		if s.Version == "" || s.Region == "" { // the alias could not be read
			continue
		}
		all := v.PreflightPromotion(ctx, s)
		for _, o := range all {
			a.log.Infof("check %s: %s: %s", o.Check.Name, o.Check.Status, o.Check.Detail)
		}
		addPreflight(f, all, "a promotion could not evaluate the new version")
	}
}

// addPreflight adds preflight checks to a function's result. If one of them failed,
// the function is not ready. but is the part of the message that says what would not
// work, although a rollback would.
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

// checkWorkflow reports whether the workflow's permissions and branch allow an
// automatic rollback. A rollback started by hand needs neither.
func checkWorkflow(ctx context.Context, a *action) []report.Check {
	if a.workflow.RunID == 0 {
		return nil
	}
	jobs := report.Check{Name: "permissions actions: read", Status: report.CheckPassed, Detail: "the run and its jobs can be read"}
	_, notes := a.run.wait(ctx)
	if at := slices.IndexFunc(notes, func(n report.Note) bool { return n.Warning }); at >= 0 {
		jobs.Status, jobs.Detail = report.CheckInconclusive, notes[at].Text
	}
	branch := report.Check{Name: "branch", Status: report.CheckPassed, Detail: "failed runs of this branch are rolled back"}
	trigger := github.Trigger{Command: "snapshot", Branches: a.inputs.Branches, Context: a.workflow, Event: a.event}
	if verdict := a.judge(ctx, trigger); !verdict.Act {
		branch.Status, branch.Detail = report.CheckInconclusive, "a failed run like this one would not be rolled back: "+verdict.Message
	}
	checks := []report.Check{jobs, branch}
	for _, c := range checks {
		a.log.Infof("check %s: %s: %s", c.Name, c.Status, c.Detail)
	}
	return checks
}
