package alias

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// Inspector is AWS Lambda's API as far as a check looks at more than a rollback
// does.
type Inspector interface {
	GetProvisionedConcurrencyConfig(context.Context, *lambda.GetProvisionedConcurrencyConfigInput, ...func(*lambda.Options)) (*lambda.GetProvisionedConcurrencyConfigOutput, error)
}

// Check tells for every function whether a rollback would work now. It changes
// nothing.
func Check(ctx context.Context, functions []Function) []report.Function {
	f := NewFleet(functions)
	each(f.tasks, func(t *task) { t.check(ctx) })
	return f.Results()
}

// The statuses of a check's lines.
const (
	passed       = report.CheckPassed
	failed       = report.CheckFailed
	inconclusive = report.CheckInconclusive // a rollback works without it
)

func (t *task) check(ctx context.Context) {
	err := t.readAliases(ctx)
	if !t.line(checkCredentials(err)) {
		t.concludeCheck()
		return
	}
	found := t.line(t.checkAlias(err))
	t.line(t.checkListing(ctx))
	t.line(t.checkMoving(ctx, found))
	if t.Request.Remember {
		t.line(t.checkMemory(ctx, found))
	}
	if found {
		t.line(t.checkTarget(ctx))
		t.line(t.checkProvisioned(ctx))
	}
	t.concludeCheck()
}

// finding is one line of a check.
type finding struct {
	name   string
	status report.CheckStatus
	detail string
	reason report.Reason // of what failed
}

// line keeps a finding, and tells whether nothing was wrong with it.
func (t *task) line(f finding) bool {
	if f.name == "" {
		return true
	}
	t.result.Checks = append(t.result.Checks, report.Check{Name: f.name, Status: f.status, Detail: f.detail})
	t.log.Infof("check %s: %s: %s", f.name, f.status, f.detail)
	if f.status == failed && t.result.Reason == "" {
		t.result.Reason = f.reason
	}
	return f.status != failed
}

func problem(name string, err error) finding {
	reason, text := reasonOfProblem(err)
	return finding{name, failed, text, reason}
}

// checkCredentials tells what the first answer of AWS says about them. Where
// there was none, it says nothing.
func checkCredentials(err error) finding {
	const name = "credentials"
	reason := report.Reason("")
	if err != nil {
		reason, _ = reasonOfProblem(err)
	}
	if reason == report.NoCredentials {
		return problem(name, err)
	}
	if answered := []report.Reason{"", report.AccessDenied, report.FunctionNotFound, report.AliasNotFound}; slices.Contains(answered, reason) {
		return finding{name: name, status: passed, detail: "AWS accepts them"}
	}
	return finding{}
}

// checkAlias tells what was read of the alias, or why it could not be: err.
func (t *task) checkAlias(err error) finding {
	const name = "alias"
	if err != nil {
		return problem(name, err)
	}
	t.seen()
	a := t.o.Alias
	detail := "it serves " + serving(a)
	if a.Weighted != 0 {
		detail += "; a rollback now would stop that canary"
	}
	return finding{name: name, status: passed, detail: detail}
}

func (t *task) checkListing(ctx context.Context) finding {
	const call, name = "ListVersionsByFunction", "permission lambda:ListVersionsByFunction"
	_, err := do(ctx, t.caller, call, func(ctx context.Context) (*lambda.ListVersionsByFunctionOutput, error) {
		return t.Lambda.ListVersionsByFunction(ctx, &lambda.ListVersionsByFunctionInput{FunctionName: &t.function, MaxItems: aws.Int32(1)}, unretried)
	})
	if err != nil {
		return problem(name, explain(err, call, t.function))
	}
	return finding{name: name, status: passed, detail: "allowed"}
}

// checkMoving asks for an update of the alias that AWS must refuse after it has
// looked at the permission: under a revision that the alias cannot have, and to
// where it points already.
func (t *task) checkMoving(ctx context.Context, found bool) finding {
	const name = "permission lambda:UpdateAlias"
	if !found || t.o.Alias.Latest {
		return finding{}
	}
	if err := t.tryUpdating(ctx, t.alias); !refusedForAnotherReason(err) {
		return problem(name, explain(err, "UpdateAlias", t.resource()))
	}
	return finding{name: name, status: passed, detail: "allowed (tried under a revision that the alias does not have, so that nothing changes)"}
}

// tryUpdating asks for an update of an alias in a way that cannot succeed.
func (t *task) tryUpdating(ctx context.Context, alias string) error {
	version := t.o.Alias.primary()
	_, err := do(ctx, t.caller, "UpdateAlias", func(ctx context.Context) (*lambda.UpdateAliasOutput, error) {
		return t.Lambda.UpdateAlias(ctx, &lambda.UpdateAliasInput{
			FunctionName: &t.function, Name: &alias, FunctionVersion: &version, RevisionId: aws.String(noRevision()),
		}, unretried)
	})
	return err
}

// refusedForAnotherReason: AWS looks at the permission before it looks at the
// revision (412), or at what else is being changed (409).
func refusedForAnotherReason(err error) bool {
	return err == nil || httpStatus(err) == http.StatusPreconditionFailed || httpStatus(err) == http.StatusConflict
}

// noRevision has the form of a revision, and is none.
func noRevision() string {
	text := hex.EncodeToString([]byte(rand.Text()))
	return fmt.Sprintf("%s-%s-4%s-8%s-%s", text[:8], text[8:12], text[13:16], text[17:20], text[20:32])
}

// noVersion is a number that no function has got to.
const noVersion = "999999999"

// checkMemory asks for what writes or creates the memory alias, in a way that
// cannot succeed: under a revision that it cannot have, or under the name of an
// alias that exists, on a version that does not.
func (t *task) checkMemory(ctx context.Context, found bool) finding {
	const call, name = "CreateAlias", "memory"
	switch {
	case !found || t.o.Alias.Latest:
		return finding{}
	case t.o.Memory.Exists:
		return t.checkMemoryThere(ctx, name)
	}
	_, err := do(ctx, t.caller, call, func(ctx context.Context) (*lambda.CreateAliasOutput, error) {
		return t.Lambda.CreateAlias(ctx, &lambda.CreateAliasInput{
			FunctionName: &t.function, Name: &t.alias, FunctionVersion: aws.String(noVersion),
		}, unretried)
	})
	switch httpStatus(err) {
	case http.StatusConflict, http.StatusNotFound, http.StatusBadRequest:
		return finding{name: name, status: passed, detail: t.memoryName() + " does not exist yet, and the first rollback may create it (tried with a name that exists already, so that nothing changes)"}
	}
	p := explain(err, call, t.memoryResource())
	return finding{name: name, status: inconclusive, detail: p.Text + "; a rollback works without, but forgets which versions were bad", reason: p.Reason}
}

// checkMemoryThere is checkMemory where there is one.
func (t *task) checkMemoryThere(ctx context.Context, name string) finding {
	m := t.o.Memory
	if err := t.tryUpdating(ctx, t.memoryName()); !refusedForAnotherReason(err) {
		p := explain(err, "UpdateAlias", t.memoryResource())
		return finding{name: name, status: inconclusive, reason: p.Reason, detail: p.Text + "; a rollback works without, but the next one may choose the version that this one left"}
	}
	if m.Unreadable != "" {
		return finding{name: name, status: inconclusive, detail: fmt.Sprintf(
			"the Description of %s is not readable and counts as empty (%s): which versions were bad is not known; the next rollback writes it anew", t.memoryName(), m.Unreadable)}
	}
	return finding{name: name, status: passed, detail: fmt.Sprintf("%s remembers: %s", t.memoryName(), m.Description())}
}

// checkTarget finds where a rollback would go now.
func (t *task) checkTarget(ctx context.Context) finding {
	const name = "target"
	if !t.o.Alias.Latest {
		if err := t.readVersions(ctx, t.o.prefetch()); err != nil {
			return problem(name, err)
		}
	}
	d, err := t.decideBy(ctx, decidePreview)
	if err != nil {
		return problem(name, err)
	}
	if d.Reason == report.NoPreviousVersion {
		d.Why += "; deploy good code once more, and keep older versions when you clean up, so that there is one to go back to"
	}
	if d.Action != Move {
		return finding{name, failed, d.Why, d.Reason}
	}
	t.result.Target, t.result.Why = versionText(d.Target), d.Why
	details := []string{fmt.Sprintf("a rollback now would go to version %d: %s", d.Target, d.Why)}
	for _, n := range d.Notes {
		details = append(details, n.Text)
	}
	if left := t.o.Versions[t.o.Alias.Version]; left.Read {
		t.result.Changes = append(t.result.Changes, changes(left.Settings, t.o.Versions[d.Target].Settings)...)
	}
	return finding{name: name, status: passed, detail: strings.Join(details, "; ")}
}

// checkProvisioned tells whether traffic will take minutes to follow the alias.
func (t *task) checkProvisioned(ctx context.Context) finding {
	const call, name = "GetProvisionedConcurrencyConfig", "provisioned concurrency"
	inspector, can := t.Lambda.(Inspector)
	if !can || t.o.Alias.Latest {
		return finding{}
	}
	out, err := do(ctx, t.caller, call, func(ctx context.Context) (*lambda.GetProvisionedConcurrencyConfigOutput, error) {
		return inspector.GetProvisionedConcurrencyConfig(ctx, &lambda.GetProvisionedConcurrencyConfigInput{
			FunctionName: &t.function, Qualifier: &t.alias,
		}, unretried)
	})
	switch {
	case httpStatus(err) == http.StatusNotFound:
		return finding{name: name, status: passed, detail: "none: the traffic follows the alias at once"}
	case err != nil:
		return finding{name: name, status: inconclusive, detail: explain(err, call, t.resource()).Text}
	}
	return finding{name: name, status: passed, detail: fmt.Sprintf(
		"%d instances (%s): after a move AWS shifts the traffic for minutes; give timeout and timeout-minutes room for it",
		aws.ToInt32(out.RequestedProvisionedConcurrentExecutions), out.Status)}
}

// concludeCheck words the whole.
func (t *task) concludeCheck() {
	r := &t.result
	var wrong []string
	for _, c := range r.Checks {
		if c.Status == failed {
			wrong = append(wrong, c.Name+": "+c.Detail)
		}
	}
	r.Status = report.Ready
	r.Message = fmt.Sprintf("%s in %s is ready: a rollback now would go from %s to version %s", t.label(), t.Environment, serving(t.o.Alias), r.Target)
	if len(wrong) > 0 {
		r.Status = report.NotReady
		r.Message = fmt.Sprintf("%s in %s is NOT ready for a rollback: %s", t.label(), t.Environment, strings.Join(wrong, "; "))
	}
}
