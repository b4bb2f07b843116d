package report_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/org/lambda-rollback-action/rollback/report"
)

func owned(change func(*report.Owner)) report.Function {
	f := api()
	f.Owner = &report.Owner{
		Tool: "AWS CDK", Name: "the stack checkout", State: "it is UPDATE_ROLLBACK_FAILED: Live failed",
		Command: "aws cloudformation continue-update-rollback --stack-name checkout",
		Next:    "the next deploy moves the alias on", Keep: "CDK deletes old versions", TargetDeleted: true,
	}
	change(f.Owner)
	return f
}

func TestTheOwnerIsTold(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*report.Owner)
		holds  []string
	}{
		"all of it": {func(*report.Owner) {}, []string{
			"### Who else moves this alias", "The alias belongs to AWS CDK, the stack checkout: it is UPDATE\\_ROLLBACK\\_FAILED: Live failed.",
			"aws cloudformation continue-update-rollback", "Next deploy: the next deploy moves the alias on.", "CDK deletes old versions.",
		}},
		"of the function alone": {func(o *report.Owner) { o.OnlyFunction = true }, []string{"The function belongs to AWS CDK"}},
		"what was waited for":   {func(o *report.Owner) { o.Past = []string{"the stack checkout was waited for"} }, []string{"The stack checkout was waited for."}},
		"CodeDeploy":            {func(o *report.Owner) { o.Deployment = "the CodeDeploy deployment d-1 is InProgress" }, []string{"The CodeDeploy deployment d-1 is InProgress."}},
		"what was not seen":     {func(o *report.Owner) { *o = report.Owner{Unseen: []string{"a: denied", "b: denied"}} }, []string{"Could not determine: a: denied; b: denied."}},
		"hostile words":         {func(o *report.Owner) { o.State = "<b>@all</b> [x](https://evil.example)" }, []string{"&lt;b&gt;"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, r := range []report.Result{result(owned(c.change)), result(owned(c.change), api())} {
				summary := report.Summary(r)
				for _, text := range c.holds {
					if len(r.Functions) > 1 && strings.HasPrefix(text, "###") {
						continue // several functions have no headings of their own
					}
					assert.Contains(t, summary, text)
				}
				assert.NotContains(t, summary, "](https://evil.example)")
			}
		})
	}
	assert.NotContains(t, report.Summary(rolledBack()), "Who else moves this alias")
}

func TestMessagesTellWhatTheNextDeployDoes(t *testing.T) {
	t.Parallel()
	facts := map[string]string{}
	for _, f := range report.NewAlert(result(owned(func(*report.Owner) {}))).Facts {
		facts[f.Name] = f.Text
	}
	assert.Equal(t, "AWS CDK, the stack checkout; it is UPDATE_ROLLBACK_FAILED: Live failed", facts["Deployed by"])
	assert.Equal(t, "aws cloudformation continue-update-rollback --stack-name checkout", facts["Recover the stack"])
	assert.Equal(t, "the next deploy moves the alias on", facts["Next deploy"])
}

func TestACheckSaysWhetherTheTargetOutlivesTheNextDeploy(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		owner report.Owner
		want  report.CheckStatus
	}{
		"versions are kept":   {report.Owner{Tool: "AWS SAM", Next: "n", Keep: "k"}, report.CheckPassed},
		"versions are gone":   {report.Owner{Tool: "AWS CDK", TargetDeleted: true}, report.CheckInconclusive},
		"CodeDeploy is there": {report.Owner{Deployment: "d"}, report.CheckInconclusive},
		"a stack is stuck":    {report.Owner{Command: "c"}, report.CheckInconclusive},
		"nothing was seen":    {report.Owner{Unseen: []string{"u"}}, report.CheckInconclusive},
	} {
		line := c.owner.Check()
		assert.Equal(t, c.want, line.Status, name)
		assert.Equal(t, "owner", line.Name)
		assert.NotEmpty(t, line.Detail)
	}
}
