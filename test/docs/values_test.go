package docs_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"

	"github.com/org/lambda-rollback-action/github"
)

// What GitHub puts in the place of an expression.
var expressions = map[string]string{
	"toJSON(needs)":                 `{"deploy-production":{"result":"failure","outputs":{}}}`,
	"github.run_id":                 "9001",
	"matrix.region":                 "eu-west-1",
	"inputs.function":               "checkout-api",
	"inputs.version":                "41",
	"inputs.reason":                 "totals are wrong",
	"inputs.dry-run":                "true",
	"inputs.unlock || false":        "false",
	"github.token":                  "a token",
	"secrets.SLACK_BOT_TOKEN":       "xoxb-0-example",
	"secrets.SMTP_PASSWORD":         "a password",
	"steps.publish.outputs.version": "42", "steps.deploy.outputs.version": "42",
	// A deploy job that died early has no outputs.
	"needs.canary.outputs.version":             "",
	"needs.deploy-production.outputs.version":  "42",
	"needs.deploy-production.outputs.checkout": "42",
	"needs.deploy-production.outputs.worker":   "",
}

// TestDocumentedValuesAreTaken: not only the names, what is given for them must
// be what the program takes.
func TestDocumentedValuesAreTaken(t *testing.T) {
	steps := 0
	for _, page := range allPages(t) {
		for i, text := range workflowsOf(t, page) {
			var parsed yaml.Node
			require.NoError(t, yaml.Unmarshal([]byte(text), &parsed))
			for _, step := range stepsIn(t, &parsed) {
				steps++
				given := map[string]string{"AWS_REGION": "eu-west-1"}
				for _, input := range github.InputDefinitions() {
					given[input.Variable()] = input.Default
				}
				for name, value := range step.With {
					given[github.Definition{Name: name}.Variable()] = evaluated(t, fmt.Sprint(value))
				}
				_, err := github.ParseInputs(func(variable string) string { return given[variable] })
				assert.NoError(t, err, "%s, example %d", page, i+1)
			}
		}
	}
	assert.Greater(t, steps, 10)
}

var expression = regexp.MustCompile(`\$\{\{ (.*?) \}\}`)

func evaluated(t *testing.T, value string) string {
	t.Helper()
	return strings.TrimSpace(expression.ReplaceAllStringFunc(value, func(found string) string {
		name := expression.FindStringSubmatch(found)[1]
		replacement, known := expressions[name]
		assert.True(t, known, "say in the table what GitHub puts in the place of %s", found)
		return replacement
	}))
}
