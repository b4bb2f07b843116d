package report_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/org/lambda-rollback-action/rollback/report"
)

func TestConsolePages(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		f           report.Function
		alias, logs string
	}{
		"a function": {
			report.Function{Function: "api", Alias: "live", Region: "eu-west-1"},
			"https://eu-west-1.console.aws.amazon.com/lambda/home?region=eu-west-1#/functions/api/aliases/live",
			"https://eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1#logsV2:log-groups/log-group/$252Faws$252Flambda$252Fapi",
		},
		"in China, by the region": {
			report.Function{Function: "api", Alias: "live", Region: "cn-north-1"},
			"https://cn-north-1.console.amazonaws.cn/lambda/home?region=cn-north-1#/functions/api/aliases/live",
			"https://cn-north-1.console.amazonaws.cn/cloudwatch/home?region=cn-north-1#logsV2:log-groups/log-group/$252Faws$252Flambda$252Fapi",
		},
		"for the US government, by the ARN alone": {
			report.Function{Function: "api", Alias: "live", ARN: "arn:aws-us-gov:lambda:us-gov-west-1:123456789012:function:api:live"},
			"https://us-gov-west-1.console.amazonaws-us-gov.com/lambda/home?region=us-gov-west-1#/functions/api/aliases/live",
			"https://us-gov-west-1.console.amazonaws-us-gov.com/cloudwatch/home?region=us-gov-west-1#logsV2:log-groups/log-group/$252Faws$252Flambda$252Fapi",
		},
		"with a log group of its own": {
			report.Function{Function: "api", Alias: "live", Region: "eu-west-1", LogGroup: "shop logs#1"},
			"https://eu-west-1.console.aws.amazon.com/lambda/home?region=eu-west-1#/functions/api/aliases/live",
			"https://eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1#logsV2:log-groups/log-group/shop$2520logs$25231",
		},
		"named by its ARN": {
			report.Function{Function: "arn:aws:lambda:eu-west-1:123456789012:function:api", Alias: "live", Region: "eu-west-1"},
			"https://eu-west-1.console.aws.amazon.com/lambda/home?region=eu-west-1#/functions/api/aliases/live",
			"https://eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1#logsV2:log-groups/log-group/$252Faws$252Flambda$252Fapi",
		},
		"isolated, by the ARN":        {report.Function{Function: "api", Alias: "live", Region: "us-iso-east-1", ARN: "arn:aws-iso:lambda:us-iso-east-1:123456789012:function:api:live"}, "", ""},
		"isolated, by the region":     {report.Function{Function: "api", Alias: "live", Region: "us-isob-east-1"}, "", ""},
		"isolated in Europe":          {report.Function{Function: "api", Alias: "live", Region: "eu-isoe-west-1"}, "", ""},
		"Europe's own, by the region": {report.Function{Function: "api", Alias: "live", Region: "eusc-de-east-1"}, "", ""},
		"a partition of the future":   {report.Function{Function: "api", Alias: "live", Region: "eu-west-1", ARN: "arn:aws-moon:lambda:eu-west-1:123456789012:function:api:live"}, "", ""},
		"a region of the future":      {report.Function{Function: "api", Alias: "live", Region: "moon-base-1"}, "", ""},
		"Mexico": {
			report.Function{Function: "api", Alias: "live", Region: "mx-central-1"},
			"https://mx-central-1.console.aws.amazon.com/lambda/home?region=mx-central-1#/functions/api/aliases/live",
			"https://mx-central-1.console.aws.amazon.com/cloudwatch/home?region=mx-central-1#logsV2:log-groups/log-group/$252Faws$252Flambda$252Fapi",
		},
		"without a region":                {report.Function{Function: "api", Alias: "live"}, "", ""},
		"a region that is another's host": {report.Function{Function: "api", Alias: "live", Region: "evil.example/"}, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, c.alias, report.AliasURL(c.f))
			assert.Equal(t, c.logs, report.LogsURL(c.f))
		})
	}
}

func TestCommitURL(t *testing.T) {
	t.Parallel()
	run := report.Run{URL: "https://ghes.example/a/b/actions/runs/7", SHA: "1a2b3c4d"}
	assert.Equal(t, "https://ghes.example/a/b/commit/1a2b3c4d", report.CommitURL(run))
	run.SHA = "main/../x"
	assert.Empty(t, report.CommitURL(run))
	assert.Empty(t, report.CommitURL(report.Run{SHA: "1a2b3c4d"}))
}
