package docs_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"

	"github.com/org/lambda-rollback-action/github"
)

const reusable = ".github/workflows/rollback-on-failure.yml"

// TestReusableWorkflowIsWhatTheDefinitionsSay holds the exact bytes; with
// -update they are written.
func TestReusableWorkflowIsWhatTheDefinitionsSay(t *testing.T) {
	want := reusableWorkflow()
	if *update {
		require.NoError(t, os.WriteFile(filepath.Join(root, reusable), []byte(want), 0o644))
	}
	assert.Equal(t, want, read(t, reusable), "behind the definitions: go test ./test/docs -update")
}

// What is declared must be what is passed on, by the types that GitHub has.
func TestReusableWorkflowPassesOnWhatItTakes(t *testing.T) {
	type parameter struct {
		Type, Description string
		Required          bool
		Default           any
	}
	var workflow struct {
		On struct {
			Call struct {
				Inputs, Secrets map[string]parameter
				Outputs         map[string]struct{ Value string }
			} `yaml:"workflow_call"`
		}
		Permissions map[string]string
		Jobs        map[string]struct {
			Outputs     map[string]string
			Permissions map[string]string
			Steps       []step
		}
	}
	require.NoError(t, yaml.Unmarshal([]byte(read(t, reusable)), &workflow))
	assert.Empty(t, workflow.Permissions)
	assert.Equal(t, map[string]string{"contents": "read", "id-token": "write", "actions": "read"}, workflow.Jobs["rollback"].Permissions)

	var passed map[string]any
	for _, step := range workflow.Jobs["rollback"].Steps {
		if step.ID == "rollback" {
			passed = step.With
		}
	}
	require.NotEmpty(t, passed)
	for name, value := range passed {
		from := "inputs"
		if _, secret := workflow.On.Call.Secrets[name]; secret {
			from = "secrets"
		}
		assert.Equal(t, "${{ "+from+"."+name+" }}", value)
		assert.Contains(t, inputNames(), name)
	}
	for name, input := range workflow.On.Call.Inputs {
		assert.Contains(t, []string{"string", "boolean", "number"}, input.Type, name)
		if name != "job-timeout-minutes" {
			assert.Contains(t, passed, name)
		}
	}
	for _, name := range outputNames() {
		assert.Equal(t, "${{ jobs.rollback.outputs."+name+" }}", workflow.On.Call.Outputs[name].Value)
		assert.Equal(t, "${{ steps.rollback.outputs."+name+" }}", workflow.Jobs["rollback"].Outputs[name])
	}
}

// Workflows that call it are held to it, as steps are held to action.yml.
func TestCallersGiveWhatTheReusableWorkflowTakes(t *testing.T) {
	var called struct {
		On struct {
			Call struct{ Inputs, Secrets map[string]any } `yaml:"workflow_call"`
		}
	}
	require.NoError(t, yaml.Unmarshal([]byte(read(t, reusable)), &called))
	calls := 0
	for _, page := range allPages(t) {
		for _, text := range workflowsOf(t, page) {
			var caller struct {
				Jobs map[string]struct {
					Uses          string
					With, Secrets map[string]any
					Permissions   map[string]string
				}
			}
			if err := yaml.Unmarshal([]byte(text), &caller); err != nil {
				continue
			}
			for name, job := range caller.Jobs {
				if !strings.HasPrefix(job.Uses, "org/lambda-rollback-action/"+reusable+"@") {
					continue
				}
				calls++
				for input := range job.With {
					assert.Contains(t, called.On.Call.Inputs, input, "%s, job %s", page, name)
				}
				for secret := range job.Secrets {
					assert.Contains(t, called.On.Call.Secrets, secret, "%s, job %s", page, name)
				}
				assert.Contains(t, job.With, "function-name", "%s, job %s", page, name)
				assert.Contains(t, job.With, "needs", "%s, job %s: it has no needs of its own", page, name)
				// GitHub refuses to start a call that grants less than it asks for.
				assert.Equal(t, map[string]string{"contents": "read", "id-token": "write", "actions": "read"}, job.Permissions, "%s, job %s", page, name)
			}
		}
	}
	assert.Positive(t, calls, "no example calls it")
}

// reusableInputs are those that fit a call: what acts after a failed deploy, and
// needs no permission that every caller would have to grant.
func reusableInputs() []github.Definition {
	var found []github.Definition
	for _, input := range github.InputDefinitions() {
		switch {
		case input.Group == "By hand and ahead of time", input.Group == "Follow-ups on GitHub":
		case input.Name == "command", input.Name == "github-token":
		default:
			found = append(found, input)
		}
	}
	return found
}

func reusableWorkflow() string {
	var text strings.Builder
	text.WriteString(`# The rollback job, for workflows that call it by
#   uses: org/lambda-rollback-action/.github/workflows/rollback-on-failure.yml@v1
# The caller has the needs:, the if: and the permissions; examples/reusable.yml.
# It needs github.com: elsewhere the job context does not name the workflow's own
# commit. Follow-ups on GitHub are not here: each would be one permission more that every
# caller has to grant.
#
# Written from the definitions in github/: change them there, then run
#   go test ./test/docs -update
name: Roll back on failure
on:
  workflow_call:
    inputs:
`)
	var secrets, with strings.Builder
	for _, input := range reusableInputs() {
		to, from := &text, "inputs"
		if input.Secret {
			to, from = &secrets, "secrets"
		}
		fmt.Fprintf(to, "      %s:\n        description: >-\n%s", input.Name, folded(input.Text()))
		if !input.Secret {
			fmt.Fprintf(to, "        type: %s\n", typeOf(input))
		}
		fmt.Fprintf(to, "        required: %t\n", input.Required)
		if input.Default != "" {
			fmt.Fprintf(to, "        default: %s\n", defaultLiteral(input))
		}
		fmt.Fprintf(&with, "          %s: ${{ %s.%s }}\n", input.Name, from, input.Name)
	}
	text.WriteString(`      job-timeout-minutes:
        description: >-
          After how many minutes GitHub cancels the job. It must be longer than the inputs
          timeout, health-timeout and observe together.
        type: number
        required: false
        default: 15
    secrets:
` + secrets.String() + `      aws-access-key-id:
        description: Only without OIDC. With role-to-assume no key is needed.
        required: false
      aws-secret-access-key:
        description: Requires aws-access-key-id.
        required: false
      aws-session-token:
        description: Requires aws-access-key-id. Only for temporary keys.
        required: false
    outputs:
`)
	var outputs strings.Builder
	for _, output := range github.OutputDefinitions() {
		fmt.Fprintf(&text, "      %s:\n        description: >-\n%s        value: ${{ jobs.rollback.outputs.%s }}\n", output.Name, folded(output.Description), output.Name)
		fmt.Fprintf(&outputs, "      %s: ${{ steps.rollback.outputs.%s }}\n", output.Name, output.Name)
	}
	text.WriteString(`permissions: {}

jobs:
  rollback:
    name: Roll back
    runs-on: ubuntu-latest
    timeout-minutes: ${{ inputs.job-timeout-minutes }}
    permissions:
      contents: read # to check out this action
      id-token: write # to assume the role
      actions: read # to see which version the run published
    outputs:
` + outputs.String() + `    steps:
      # This action at the very commit of this file, so that whoever pins the
      # workflow has pinned all of it. ` + "`$/`" + ` cannot name the root of a repository.
      - uses: actions/checkout@` + checkoutPin + `
        with:
          repository: ${{ job.workflow_repository }}
          ref: ${{ job.workflow_sha }}
          path: .lambda-rollback-action
          persist-credentials: false
      - id: rollback
        uses: ./.lambda-rollback-action # zizmor: ignore[self-repository] as said above
        env:
          AWS_ACCESS_KEY_ID: ${{ secrets.aws-access-key-id }}
          AWS_SECRET_ACCESS_KEY: ${{ secrets.aws-secret-access-key }}
          AWS_SESSION_TOKEN: ${{ secrets.aws-session-token }}
        with:
` + with.String())
	return text.String()
}

const checkoutPin = "3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1"

// typeOf is the type of a workflow_call input. What also takes words is a string.
func typeOf(input github.Definition) string {
	switch {
	case input.Boolean():
		return "boolean"
	case strings.HasPrefix(input.Form, "a whole number") && !strings.Contains(input.Form, "`"):
		return "number"
	}
	return "string"
}

func defaultLiteral(input github.Definition) string {
	if typeOf(input) == "string" {
		return `"` + input.Default + `"`
	}
	return input.Default
}

// folded breaks a text into the lines of a folded block.
func folded(text string) string {
	const indent, width = "          ", 92
	var lines strings.Builder
	line := indent
	for _, word := range regexp.MustCompile(` +`).Split(text, -1) {
		if len(line) > len(indent) && len(line)+1+len(word) > width {
			lines.WriteString(line + "\n")
			line = indent
		}
		if len(line) > len(indent) {
			line += " "
		}
		line += word
	}
	lines.WriteString(line + "\n")
	return lines.String()
}
