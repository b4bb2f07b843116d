package github_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/github"
)

func TestDeployedVersionAsDeployToolsWriteIt(t *testing.T) {
	for name, tt := range map[string]struct {
		functions, given string
		want             []int64
		warnings         int
	}{
		"in quotes":                          {"orders", `"42"`, []int64{42}, 0},
		"in single quotes":                   {"orders", `'42'`, []int64{42}, 0},
		"an entry in quotes":                 {"orders,billing", `"orders=42"` + "\n" + `billing="7"`, []int64{42, 7}, 0},
		"empty lines around it":              {"orders", "\n\n 42 \r\n\n", []int64{42}, 0},
		"the ARN of the version":             {"orders", ordersARN + ":42", []int64{42}, 0},
		"ARNs of several":                    {"orders,billing", ordersARN + ":42\n" + strings.Replace(ordersARN, "orders", "billing", 1) + ":7", []int64{42, 7}, 0},
		"an ARN behind the name":             {"orders,billing", "orders=" + ordersARN + ":42", []int64{42, 0}, 0},
		"an ARN in another partition":        {"orders", strings.Replace(ordersARN, "arn:aws:", "arn:aws-cn:", 1) + ":42", []int64{42}, 0},
		"Python's nothing":                   {"orders", "None", []int64{0}, 1},
		"JSON's nothing":                     {"orders", "null", []int64{0}, 1},
		"JavaScript's nothing":               {"orders", "undefined", []int64{0}, 1},
		"nothing in quotes":                  {"orders", `""`, []int64{0}, 0},
		"$LATEST":                            {"orders", "$LATEST", []int64{0}, 1},
		"the ARN of $LATEST":                 {"orders", ordersARN + ":$LATEST", []int64{0}, 1},
		"the ARN of the function":            {"orders", ordersARN, []int64{0}, 1},
		"another function's ARN":             {"orders", strings.Replace(ordersARN, "orders", "billing", 1) + ":7", []int64{0}, 1},
		"a letter":                           {"orders", "v42", []int64{0}, 1},
		"version 0":                          {"orders", "0", []int64{0}, 1},
		"one of several":                     {"orders,billing", "orders=None\nbilling=7", []int64{0, 7}, 1},
		"a number for which of several":      {"orders,billing", "42", []int64{0, 0}, 1},
		"two versions of one function":       {"orders", "42,43", []int64{0}, 1},
		"two of one, by its name":            {"orders,billing", "orders=42\nbilling=7\norders=41", []int64{0, 7}, 1},
		"the same version twice":             {"orders", "42\n42", []int64{42}, 0},
		"an object":                          {"orders", `{"Version":"42"}`, []int64{0}, 1},
		"an expression that is not expanded": {"orders", "${{ needs.deploy.outputs.version }}", []int64{0}, 1},
		"a decimal":                          {"orders", "42.0", []int64{0}, 1},
		"full-width digits":                  {"orders", "４２", []int64{0}, 1},
		"the ARN of the alias":               {"orders", ordersARN + ":live", []int64{0}, 1},
		"a number that is none of a version": {"orders", "99999999999999999999", []int64{0}, 1},
		"a function that is not rolled back": {"orders", "orders=42\nshipping=3", []int64{42}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			in := parse(t, values{"function-name": tt.functions, "deployed-version": tt.given})
			var got []int64
			for _, f := range in.Functions {
				got = append(got, f.Deployed)
			}
			assert.Equal(t, tt.want, got)
			require.Len(t, in.Warnings, tt.warnings)
			for _, w := range in.Warnings {
				assert.Regexp(t, "^The input deployed-version .*It is ignored", w)
			}
		})
	}
}

func TestHealthURLsWithCommas(t *testing.T) {
	for given, want := range map[string][]string{
		"https://a.example/?fields=id,name":                                {"https://a.example/?fields=id,name"},
		"https://a.example/?q=1,2,https://b.example/,http://c.example":     {"https://a.example/?q=1,2", "https://b.example/", "http://c.example"},
		"https://a.example/x, https://b.example/?a,b\nhttps://c.example/,": {"https://a.example/x", "https://b.example/?a,b", "https://c.example/"},
		"https://a.example/;https://b.example/?x=1;y=2":                    {"https://a.example/", "https://b.example/?x=1;y=2"},
		"https://a.example/?u=http://b.example/,http://[::1]/":             {"https://a.example/?u=http://b.example/", "http://[::1]/"},
		"HTTPS://a.example/?ids=1,2,":                                      {"https://a.example/?ids=1,2"},
		"https://a.example/,\n,https://a.example/":                         {"https://a.example/"},
	} {
		var got []string
		for _, u := range parse(t, values{"health-url": given}.with()).Health.URLs {
			got = append(got, u.String())
		}
		assert.Equal(t, want, got, given)
	}
	assert.Contains(t, problems(t, values{"health-url": "https://a.example/x, b.example/y"}.with())[0], "contains a space: write one URL per line")
}

func TestAlarmsByNameAndARN(t *testing.T) {
	const arn = "arn:aws:cloudwatch:us-east-1:123456789012:alarm:"
	for given, want := range map[string][]github.Alarm{
		"errors":                    {{Name: "errors"}},
		"errors, latency":           {{Name: "errors"}, {Name: "latency"}},
		"errors, 5xx\nlatency":      {{Name: "errors, 5xx"}, {Name: "latency"}},
		"api: errors\napi: errors":  {{Name: "api: errors"}},
		arn + "errors":              {{Name: "errors", Region: "us-east-1"}},
		arn + "errors, 5xx":         {{Name: "errors, 5xx", Region: "us-east-1"}},
		arn + "a:b," + arn + "c\nd": {{Name: "a:b", Region: "us-east-1"}, {Name: "c", Region: "us-east-1"}, {Name: "d"}},
		strings.Replace(arn, "aws", "aws-us-gov", 1) + "x": {{Name: "x", Region: "us-east-1"}},
	} {
		assert.Equal(t, want, parse(t, values{"alarms": given}.with()).Watch.Alarms, given)
	}
}

// A secret in a health URL is hidden whatever else stands beside it.
func TestAPasswordBesideACommaIsHidden(t *testing.T) {
	given := values{"health-url": "https://me:hunter2,3@a.example/?a=1,2"}
	assert.NotContains(t, github.RedactorFor(given.getenv).Redact("it was hunter2,3"), "hunter2")
}
