package alias

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/org/lambda-rollback-action/rollback/aws"
	"github.com/org/lambda-rollback-action/rollback/report"
)

// Inspector is the part of the Lambda API that a check needs in addition to a
// rollback.
type Inspector interface {
	GetProvisionedConcurrencyConfig(context.Context, *lambda.GetProvisionedConcurrencyConfigInput, ...func(*lambda.Options)) (*lambda.GetProvisionedConcurrencyConfigOutput, error)
}

// Check finds out for every function whether a rollback would work now, and whether a
// promotion would start; it does not check promotions if that is nil. It changes
// nothing.
func Check(ctx context.Context, functions []Function, promotion *PromoteOptions) []report.Function {
	f := NewFleet(functions)
	each(f.all, func(r *rollback) { (&checker{r: r, promotion: promotion}).check(ctx) })
	return f.Results()
}

// checker finds out whether a rollback of one function would work.
type checker struct {
	r      *rollback
	reason report.Reason // the reason of the first failure; empty if nothing failed

	promotion   *PromoteOptions // nil if no promotion is intended
	provisioned bool            // the alias has provisioned concurrency
}

// The statuses of a line.
const (
	passed       = report.CheckPassed
	failed       = report.CheckFailed
	inconclusive = report.CheckInconclusive // a rollback works without it
)

func (c *checker) check(ctx context.Context) {
	defer c.conclude()
	err := c.r.observer.readAliases(ctx)
	if !c.add(checkCredentials(err)) {
		return
	}
	found := c.add(c.checkAlias(err))
	c.add(c.checkListing(ctx))
	if found && !c.r.now().Alias.Latest {
		c.add(c.checkMoving(ctx))
		if c.r.now().Request.Remember {
			c.add(c.checkMemory(ctx))
		}
	}
	if found {
		c.readOtherAliases(ctx)
		c.add(c.checkTarget(ctx))
		c.add(c.checkProvisioned(ctx))
		c.add(c.checkPromotion(ctx, c.promotion))
	}
}

// checkLine is one line of a check. A line without a name is not shown.
type checkLine struct {
	name   string
	status report.CheckStatus
	detail string
	reason report.Reason // the reason of the failure
}

// add stores a line, and reports whether it found no problem.
func (c *checker) add(line checkLine) bool {
	if line.name == "" {
		return true
	}
	c.r.state.checks = append(c.r.state.checks, report.Check{Name: line.name, Status: line.status, Detail: line.detail})
	c.r.log.Infof("check %s: %s: %s", line.name, line.status, line.detail)
	if line.status == failed && c.reason == "" {
		c.reason = line.reason
	}
	return line.status != failed
}

func problem(name string, err error) checkLine {
	reason, text := reasonOfProblem(err)
	return checkLine{name, failed, text, reason}
}

// checkCredentials reports what the first response from AWS shows about the
// credentials. Without a response, it reports nothing.
func checkCredentials(err error) checkLine {
	const name = "credentials"
	reason := report.Reason("")
	if err != nil {
		reason, _ = reasonOfProblem(err)
	}
	if reason == report.NoCredentials {
		return problem(name, err)
	}
	if answered := []report.Reason{"", report.AccessDenied, report.FunctionNotFound, report.AliasNotFound}; slices.Contains(answered, reason) {
		return checkLine{name: name, status: passed, detail: "AWS accepts them"}
	}
	return checkLine{}
}

// checkAlias reports what was read about the alias, or the error err that prevented
// it.
func (c *checker) checkAlias(err error) checkLine {
	const name = "alias"
	if err != nil {
		return problem(name, err)
	}
	c.r.keepObserved()
	a := c.r.now().Alias
	detail := "it serves " + serving(a)
	switch m := c.r.now().Memory; {
	case m.promoting(a):
		detail += fmt.Sprintf("; run %d is promoting version %d, or was stopped while it did; a rollback now would stop that", m.Run, a.Weighted)
	case a.stuck():
		detail += fmt.Sprintf("; AWS has not shifted the traffic since the alias was moved to version %d, as happens if provisioned concurrency does not start; a rollback now would clear the weight", a.Version)
	case a.Weighted != 0:
		detail += "; a rollback now would stop that canary"
	}
	return checkLine{name: name, status: passed, detail: detail}
}

func (c *checker) checkListing(ctx context.Context) checkLine {
	const name = "permission lambda:ListVersionsByFunction"
	if _, err := c.r.client.listVersions(ctx, nil, 1); err != nil {
		return problem(name, err)
	}
	return checkLine{name: name, status: passed, detail: "allowed"}
}

// checkMoving requests an update of the alias that AWS must refuse after it has
// checked the permission: with a revision that the alias cannot have, and to the
// version that it already points at.
func (c *checker) checkMoving(ctx context.Context) checkLine {
	const name = "permission lambda:UpdateAlias"
	if err := c.tryUpdating(ctx, c.r.client.alias); !refusedForAnotherReason(err) {
		return problem(name, explain(err, "UpdateAlias", c.r.client.resource(c.r.now().Alias)))
	}
	return checkLine{name: name, status: passed, detail: "allowed (tested with a revision that the alias does not have, so nothing changes)"}
}

// tryUpdating requests an update of an alias in a way that cannot succeed.
func (c *checker) tryUpdating(ctx context.Context, alias string) error {
	version := c.r.now().Alias.primary()
	_, err := do(ctx, c.r.client.caller, "UpdateAlias", func(ctx context.Context) (*lambda.UpdateAliasOutput, error) {
		return c.r.client.lambda.UpdateAlias(ctx, &lambda.UpdateAliasInput{
			FunctionName: &c.r.client.function, Name: &alias, FunctionVersion: &version, RevisionId: sdk.String(noRevision()),
		}, unretried)
	})
	return err
}

// refusedForAnotherReason reports whether AWS refused the update for a reason other
// than the permission: it checks the permission before the revision (412) and before
// concurrent changes (409).
func refusedForAnotherReason(err error) bool {
	return err == nil || conflict(err)
}

// noRevision has the format of a revision, but is never one.
func noRevision() string {
	text := hex.EncodeToString([]byte(rand.Text()))
	return fmt.Sprintf("%s-%s-4%s-8%s-%s", text[:8], text[8:12], text[13:16], text[17:20], text[20:32])
}

// noVersion is a version number that no function reaches.
const noVersion = "999999999"

// checkMemory requests what updates or creates the memory alias, in a way that cannot
// succeed: with a revision that it cannot have, or with the name of an existing alias
// and a version that does not exist.
func (c *checker) checkMemory(ctx context.Context) checkLine {
	const call, name = "CreateAlias", "memory"
	switch m := c.r.now().Memory; {
	case m.Unread != nil:
		return checkLine{name: name, status: failed, reason: m.Unread.Reason,
			detail: m.Unread.Text + "; a rollback works without it, but does not know which versions were bad"}
	case m.Foreign != "":
		return checkLine{name: name, status: failed, reason: report.InvalidInput, detail: c.r.client.foreignMemory(m)}
	case m.Exists:
		return c.checkExistingMemory(ctx, name)
	}
	_, err := do(ctx, c.r.client.caller, call, func(ctx context.Context) (*lambda.CreateAliasOutput, error) {
		return c.r.client.lambda.CreateAlias(ctx, &lambda.CreateAliasInput{
			FunctionName: &c.r.client.function, Name: &c.r.client.alias, FunctionVersion: sdk.String(noVersion),
		}, unretried)
	})
	if kind := classify(err); kind == inProgress || kind == notFound || aws.Code(err) == "InvalidParameterValueException" {
		return checkLine{name: name, status: passed, detail: c.r.client.memoryAlias() + " does not exist yet, and the first rollback is allowed to create it (tested with a name that already exists, so nothing changes)"}
	}
	p := explain(err, call, c.r.client.memoryResource())
	return checkLine{name: name, status: inconclusive, detail: p.Text + "; a rollback works without it, but does not store which versions were bad", reason: p.Reason}
}

// checkExistingMemory is checkMemory for a memory alias that exists.
func (c *checker) checkExistingMemory(ctx context.Context, name string) checkLine {
	m := c.r.now().Memory
	if err := c.tryUpdating(ctx, c.r.client.memoryAlias()); !refusedForAnotherReason(err) {
		p := explain(err, "UpdateAlias", c.r.client.memoryResource())
		return checkLine{name: name, status: inconclusive, reason: p.Reason, detail: p.Text + "; a rollback works without it, but the next one may choose the version that this one left"}
	}
	if m.Unreadable != "" {
		return checkLine{name: name, status: inconclusive, detail: fmt.Sprintf(
			"the Description of %s is not readable and is treated as empty (%s): could not read which versions were bad; the next rollback overwrites it", c.r.client.memoryAlias(), m.Unreadable)}
	}
	return checkLine{name: name, status: passed, detail: fmt.Sprintf("%s stores: %s", c.r.client.memoryAlias(), m.Description())}
}

// readOtherAliases reads the other aliases of the function. A rollback of one function
// does not take the time for this, but a version below the live one may have served
// only another alias. If the call is not allowed, the other aliases are unknown.
func (c *checker) readOtherAliases(ctx context.Context) {
	if _, _, others, found := (&listing{}).read(ctx, c.r.client); found {
		c.r.now().OtherAliases = others
	}
}

// checkTarget finds the version that a rollback would choose now.
func (c *checker) checkTarget(ctx context.Context) checkLine {
	const name = "target"
	d, err := c.r.observer.preview(ctx)
	if err != nil {
		return problem(name, err)
	}
	if d.Reason == report.NoPreviousVersion {
		c.r.state.decision.NoPrevious = d.NoPrevious
		d.Why += "; deploy good code once more, and keep older versions when you clean up, so that there is a version to go back to"
	}
	if d.Action != Move {
		return checkLine{name, failed, d.Why, d.Reason}
	}
	c.r.state.target, c.r.state.why = d.Target, d.Why
	details := []string{fmt.Sprintf("a rollback now would go to version %d: %s", d.Target, d.Why)}
	for _, n := range d.Notes {
		details = append(details, n.Text)
	}
	c.r.compare(c.r.now().Alias.Version, d.Target)
	return checkLine{name: name, status: passed, detail: strings.Join(details, "; ")}
}

// noProvisioned is AWS's error code for an alias without provisioned concurrency. Any
// other 404 has another cause.
const noProvisioned = "ProvisionedConcurrencyConfigNotFoundException"

// checkProvisioned reports whether the traffic takes minutes to shift after a move.
func (c *checker) checkProvisioned(ctx context.Context) checkLine {
	const call, name = "GetProvisionedConcurrencyConfig", "provisioned concurrency"
	inspector, can := c.r.client.lambda.(Inspector)
	if !can || c.r.now().Alias.Latest {
		return checkLine{}
	}
	out, err := do(ctx, c.r.client.caller, call, func(ctx context.Context) (*lambda.GetProvisionedConcurrencyConfigOutput, error) {
		return inspector.GetProvisionedConcurrencyConfig(ctx, &lambda.GetProvisionedConcurrencyConfigInput{
			FunctionName: &c.r.client.function, Qualifier: &c.r.client.alias,
		}, unretried)
	})
	switch {
	case aws.Code(err) == noProvisioned:
		return checkLine{name: name, status: passed, detail: "none: the traffic shifts at once"}
	case err != nil:
		return checkLine{name: name, status: inconclusive, detail: explain(err, call, c.r.client.resource(c.r.now().Alias)).Text}
	}
	c.provisioned = true
	return checkLine{name: name, status: passed, detail: fmt.Sprintf(
		"%d instances (%s): after a move, AWS takes minutes to shift the traffic; set timeout and timeout-minutes high enough",
		sdk.ToInt32(out.RequestedProvisionedConcurrentExecutions), out.Status)}
}

// conclude writes the message.
func (c *checker) conclude() {
	s, place := &c.r.state, c.r.subject.place()
	var wrong []string
	for _, line := range s.checks {
		if line.Status == failed {
			wrong = append(wrong, line.Name+": "+line.Detail)
		}
	}
	if len(wrong) > 0 {
		s.end(report.NotReady, c.reason, fmt.Sprintf("%s is NOT ready for a rollback: %s", place, strings.Join(wrong, "; ")))
		return
	}
	s.end(report.Ready, c.reason, fmt.Sprintf("%s is ready: a rollback now would go from %s to version %d", place, serving(c.r.now().Alias), s.target))
}
