package report_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// constants are the values of the constants of a type in result.go, so that a
// new one cannot be forgotten here.
func constants(t *testing.T, typeName string) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "result.go", nil, 0)
	require.NoError(t, err)
	var values []string
	ast.Inspect(file, func(node ast.Node) bool {
		spec, ok := node.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if name, ok := spec.Type.(*ast.Ident); ok && name.Name == typeName {
			value, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			require.NoError(t, err)
			values = append(values, value)
		}
		return true
	})
	require.NotEmpty(t, values)
	return values
}

func TestEveryReasonHasItsWords(t *testing.T) {
	t.Parallel()
	moved := []report.Reason{report.PreviousVersion, report.CanaryStopped, report.Snapshot, report.Chosen}
	for _, value := range constants(t, "Reason") {
		reason := report.Reason(value)
		t.Run(value, func(t *testing.T) {
			t.Parallel()
			assert.NotContains(t, report.ReasonHeading(reason), "-", "no heading of its own")
			assert.Less(t, len(report.ReasonHeading(reason)), 60)

			status := report.Failed
			for _, m := range moved {
				if m == reason {
					status = report.RolledBack
				}
			}
			for _, r := range []report.Result{{}, rolledBack()} {
				f := report.Function{Function: "api", Alias: "live", Region: "eu-west-1", Status: status, Reason: reason, From: "42", To: "41"}
				if len(r.Functions) == 0 {
					f = report.Function{Status: status, Reason: reason}
				}
				r.Functions = []report.Function{f}
				if f.Function == "" {
					r.Status, r.Reason, r.Functions = status, reason, nil
				}
				steps := report.NextSteps(r)
				require.NotEmpty(t, steps)
				for _, step := range steps {
					assert.NotRegexp(t, `\{[A-Za-z]+\}`, step, "a value was not filled in")
					assert.NotContains(t, step, "`", "plain text has no marks for code")
					assert.NotContains(t, step, "  ")
				}
			}
		})
	}
}

func TestEveryStatusHasItsWords(t *testing.T) {
	t.Parallel()
	for _, value := range constants(t, "Status") {
		status := report.Status(value)
		assert.NotEqual(t, "▪️", report.NewAlert(report.Result{Status: status}).Mark, value)
		assert.NotEmpty(t, report.StatusText(status), value)
		for _, functions := range [][]report.Function{nil, {{Function: "api", Status: status}}, {{Status: status}, {Status: status}}} {
			r := report.Result{Status: status, Functions: functions}
			assert.NotEqual(t, "Done", report.Headline(r), value)
			assert.NotEmpty(t, report.MessageOf("", []report.Function{{Function: "api", Status: status}}, ""), value)
		}
	}
}

func TestHeadline(t *testing.T) {
	t.Parallel()
	chosen := rolledBack()
	chosen.Functions[0].Reason = report.Chosen
	for want, r := range map[string]report.Result{
		"Rolled back: api is on version 41 again":                                                            rolledBack(),
		"Rolled back: api is on version 41, as chosen":                                                       chosen,
		"Canary stopped: all of api is on version 41":                                                        canary(),
		"Dry run: api would go back to version 41":                                                           planned(),
		"api was not rolled back: the deploy failed before it changed production":                            skipped(),
		"Production is STILL on failing version 42. api was not rolled back: no older version to go back to": noPrevious(),
		"Nothing rolled back: runs of this branch are not rolled back":                                       refused(),
		"Production is STILL on failing version 42. Rollback of api failed: AWS denied access":               failed(),
		"Production is NOT healthy: api was rolled back to version 41":                                       unhealthy(),
		"Rollback failed: invalid input":                                                                     invalidInput(),
		"Production is NOT rolled back for 1 of 4 functions; 2 rolled back":                                  several(),
		"Promotion failed: invalid input":                                                                    {Command: "promote", Status: report.Failed, Reason: report.InvalidInput},
		"Nothing promoted: runs of this branch may not promote":                                              {Command: "promote", Status: report.Skipped, Reason: report.BranchNotAllowed},
		"Check failed: AWS denied access":                                                                    {Command: "check", Status: report.Failed, Reason: report.AccessDenied},
		"Rolled back: 2 functions are on an earlier version again":                                           result(api(), api()),
		"Rolled back: 1 of 2 functions is on an earlier version again":                                       result(api(), skipped().Functions[0]),
		"Nothing rolled back: 2 functions not changed":                                                       result(skipped().Functions[0], skipped().Functions[0]),
	} {
		assert.Equal(t, want, report.Headline(r))
	}
}

func TestNextStepsNameTheFunctionsThatTheyAreFor(t *testing.T) {
	t.Parallel()
	steps := report.NextSteps(several())
	require.Len(t, steps, 5)
	assert.Equal(t, "Move live of billing to version 18 now: aws lambda update-alias --function-name billing --name live --function-version 18"+
		" --routing-config AdditionalVersionWeights={} --region eu-west-1", steps[0])
	assert.Regexp(t, `^billing: Grant the role the action`, steps[1])
	assert.Regexp(t, `^api, worker: Production is on the earlier version`, steps[2])
	assert.Regexp(t, `^mail: No action is needed`, steps[4])
}

func TestNextStepsOfAStoppedCanaryNameTheCanary(t *testing.T) {
	t.Parallel()
	assert.Contains(t, strings.Join(report.NextSteps(canary()), " "), "Version 42 will not be selected automatically again")
}

func TestTheCommandToCopyHoldsNothingForAShell(t *testing.T) {
	t.Parallel()
	f := failed().Functions[0]
	f.Function, f.Alias, f.To, f.Region = "a;rm -rf /", "$(id)", "1`id`", "x\ny"
	steps := report.NextSteps(result(f))
	assert.NotContains(t, strings.Join(steps, "\n"), "aws lambda", "a command that is not whole is of no help at night")
}

// Nobody is told that there is no hurry, or that the target serves, where that is
// not known.
func TestNextStepsOfWhatIsNotProven(t *testing.T) {
	t.Parallel()
	elsewhere, chosen := inconclusive(), inconclusive()
	elsewhere.Functions[0].ChangedByOthers = true
	chosen.Functions[0].Reason = report.Chosen
	for name, c := range map[string]struct {
		r     report.Result
		first string
	}{
		"the checks could not tell":         {inconclusive(), "Production is on version 41. Check now whether it is healthy"},
		"nor could they for a chosen one":   {chosen, "Check now whether production is healthy"},
		"somebody else has moved the alias": {elsewhere, "Check which version live points at now"},
		"production recovered":              {rolledBack(), "Production is on version 41."},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			steps := report.NextSteps(c.r)
			assert.True(t, strings.HasPrefix(steps[0], c.first), steps[0])
			if name != "production recovered" {
				assert.NotContains(t, strings.Join(steps, " "), "not urgent")
			}
		})
	}
}

// The inputs of one function can be wrong where AWS was asked, and another one moved.
func TestAWrongInputOfOneFunctionSaysNothingFalse(t *testing.T) {
	t.Parallel()
	r := report.Result{Command: "rollback", Environment: "production", Functions: []report.Function{
		{Function: "api", Alias: "live", Status: report.RolledBack, Reason: report.PreviousVersion, From: "3", To: "2"},
		{Function: "shop", Alias: "live", Region: "us-east-99", Status: report.Failed, Reason: report.InvalidInput, Message: "the host does not exist"},
	}}
	report.Conclude(&r)
	said := strings.Join(report.NextSteps(r), " ")
	assert.Contains(t, said, "Correct the inputs or settings that the message names, in the workflow file.")
	assert.NotContains(t, said, "AWS was not called")
	assert.NotContains(t, said, "nothing has changed")
}
