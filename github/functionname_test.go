package github_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/github"
)

const ordersARN = "arn:aws:lambda:eu-west-1:123456789012:function:orders"

func TestParseFunction(t *testing.T) {
	for name, tt := range map[string]struct {
		entry string
		want  github.Function
	}{
		"a name":           {"orders", github.Function{Name: "orders", Alias: "live"}},
		"a name and alias": {"orders_v2:blue-1", github.Function{Name: "orders_v2", Alias: "blue-1"}},
		"an ARN":           {ordersARN, github.Function{Name: "orders", ARN: ordersARN, Region: "eu-west-1", Account: "123456789012", Alias: "live"}},
		"an ARN and alias": {ordersARN + ":blue", github.Function{Name: "orders", ARN: ordersARN, Region: "eu-west-1", Account: "123456789012", Alias: "blue"}},
		"China": {"arn:aws-cn:lambda:cn-north-1:123456789012:function:orders:live", github.Function{
			Name: "orders", ARN: "arn:aws-cn:lambda:cn-north-1:123456789012:function:orders", Region: "cn-north-1", Account: "123456789012", Alias: "live"}},
		"GovCloud": {"arn:aws-us-gov:lambda:us-gov-west-1:123456789012:function:orders", github.Function{
			Name: "orders", ARN: "arn:aws-us-gov:lambda:us-gov-west-1:123456789012:function:orders", Region: "us-gov-west-1", Account: "123456789012", Alias: "live"}},
		"the European cloud": {"arn:aws-eusc:lambda:eusc-de-east-1:123456789012:function:orders", github.Function{
			Name: "orders", ARN: "arn:aws-eusc:lambda:eusc-de-east-1:123456789012:function:orders", Region: "eusc-de-east-1", Account: "123456789012", Alias: "live"}},
		"the longest name and alias": {strings.Repeat("n", 64) + ":" + strings.Repeat("a", 119), github.Function{Name: strings.Repeat("n", 64), Alias: strings.Repeat("a", 119)}},
		"a function named arn":       {"arn:blue", github.Function{Name: "arn", Alias: "blue"}},
		"a function named function":  {"function", github.Function{Name: "function", Alias: "live"}},
	} {
		t.Run(name, func(t *testing.T) {
			tt.want.Given = tt.entry
			got, err := github.ParseFunction(tt.entry, "live")
			require.NoError(t, err)
			assert.Equal(t, tt.want, got)
		})
	}
}

func TestParseFunctionRefuses(t *testing.T) {
	for name, tt := range map[string]struct{ entry, want string }{
		"a version":               {"orders:42", `names a version, not an alias ("42")`},
		"$LATEST":                 {"orders:$LATEST", `names a version, not an alias ("$LATEST")`},
		"the ARN of a version":    {ordersARN + ":42", "names a version, not an alias"},
		"nothing behind a colon":  {"orders:", "has no alias after the colon"},
		"an ARN with a colon":     {ordersARN + ":", "has no alias after the colon"},
		"two aliases":             {"orders:live:blue", `names the alias "live:blue"`},
		"an alias with a dot":     {"orders:v1.2", "an alias has letters, digits, - and _ only"},
		"an alias without room":   {"orders:" + strings.Repeat("a", 120), "at most 119 leave room for the memory alias <alias>-rollback"},
		"a partial ARN":           {"123456789012:function:orders", "write the full one, arn:aws:lambda:<region>:<account>:function:<name>"},
		"a partial ARN and alias": {"123456789012:function:orders:live", "write the full one"},
		"a layer":                 {"arn:aws:lambda:eu-west-1:123456789012:layer:orders:1", "is not the ARN of a Lambda function"},
		"a queue":                 {"arn:aws:sqs:eu-west-1:123456789012:orders", "is not the ARN of a Lambda function"},
		"an ARN without region":   {"arn:aws:lambda::123456789012:function:orders", "is not the ARN of a Lambda function"},
		"a short account":         {"arn:aws:lambda:eu-west-1:1234:function:orders", "is not the ARN of a Lambda function"},
		"a name with a blank":     {"orders billing", "does not name a function"},
		"a name too long":         {strings.Repeat("n", 65), "does not name a function"},
		"no name":                 {":live", "does not name a function"},
		"an ARN without name":     {"arn:aws:lambda:eu-west-1:123456789012:function:", "does not name a function"},
		"a workflow command":      {"\x1b[31m::error::x", `"\x1b[31m::error::x"`},
		"an endless entry":        {strings.Repeat("é", 1000), `"` + strings.Repeat("é", 80) + `"…, which`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := github.ParseFunction(tt.entry, "live")
			assert.ErrorContains(t, err, tt.want)
		})
	}
}

func FuzzFunctionName(f *testing.F) {
	for _, seed := range []string{"orders", "orders:live", ordersARN, ordersARN + ":live", "123456789012:function:x", "arn:aws:lambda:", "a:$LATEST", "arn"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, entry string) {
		function, err := github.ParseFunction(entry, "live")
		if err != nil {
			assert.NotContains(t, err.Error(), "\n")
			return
		}
		again, err := github.ParseFunction(function.String(), "other")
		require.NoError(t, err)
		again.Given = function.Given
		assert.Equal(t, function, again, "what was understood can be written and read again")
		assert.LessOrEqual(t, len(function.Alias+"-rollback"), 128)
		assert.Regexp(t, `^[A-Za-z0-9_-]{1,64}$`, function.Name)
		assert.NotRegexp(t, `^[0-9]+$`, function.Alias)
	})
}
