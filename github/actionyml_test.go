package github_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"

	"github.com/org/lambda-rollback-action/github"
)

var updateAction = flag.Bool("update-action", false, "rewrite action.yml from the definitions")

const actionFile = "../action.yml"

// TestActionFileIsWhatTheDefinitionsSay holds the exact bytes of action.yml;
// `go test ./github -run ActionFile -update-action` writes them.
func TestActionFileIsWhatTheDefinitionsSay(t *testing.T) {
	want := renderAction()
	if *updateAction {
		require.NoError(t, os.WriteFile(actionFile, []byte(want), 0o644))
	}
	got, err := os.ReadFile(actionFile)
	require.NoError(t, err)
	assert.Equal(t, want, string(got), "action.yml is behind the definitions: run the test with -update-action")
}

// TestActionFileAsGitHubReadsIt parses the file, so that a fault of its
// rendering cannot hide.
func TestActionFileAsGitHubReadsIt(t *testing.T) {
	content, err := os.ReadFile(actionFile)
	require.NoError(t, err)
	var action struct {
		Name, Description, Author string
		Branding                  struct{ Icon, Color string }
		Inputs, Outputs           yaml.Node
		Runs                      struct{ Using, Image string }
	}
	require.NoError(t, yaml.Unmarshal(content, &action))
	assert.NotEmpty(t, action.Name)
	assert.NotEmpty(t, action.Author)
	assert.NotEmpty(t, action.Description)
	assert.Less(t, len(action.Description), 125, "the Marketplace cuts longer descriptions")
	assert.NotEmpty(t, action.Branding.Icon)
	assert.Contains(t, []string{"white", "black", "yellow", "blue", "green", "orange", "red", "purple", "gray-dark"}, action.Branding.Color)
	assert.Equal(t, "docker", action.Runs.Using)

	type field struct {
		Name, Description, Default string
		Required                   bool
	}
	read := func(node yaml.Node) []field {
		var fields []field
		require.Equal(t, yaml.MappingNode, node.Kind)
		for i := 0; i < len(node.Content); i += 2 {
			found := field{Name: node.Content[i].Value}
			require.NoError(t, node.Content[i+1].Decode(&found))
			fields = append(fields, found)
		}
		return fields
	}
	var inputs, outputs []field
	for _, input := range github.InputDefinitions() {
		inputs = append(inputs, field{input.Name, input.Text(), input.Default, input.Required})
	}
	for _, output := range github.OutputDefinitions() {
		outputs = append(outputs, field{Name: output.Name, Description: output.Description})
	}
	for _, input := range inputs {
		assert.NotContains(t, input.Description, "${{", "a runner refuses an expression in the description of %s", input.Name)
	}
	assert.Equal(t, inputs, read(action.Inputs))
	assert.Equal(t, outputs, read(action.Outputs))
}

func renderAction() string {
	var text strings.Builder
	text.WriteString(`# Written from the definitions in github/: change them there, then run
#   go test ./github -run ActionFile -update-action
name: Lambda rollback
description: Moves an AWS Lambda alias back to the last good version when a production deploy failed
author: The authors of lambda-rollback-action

branding:
  icon: rotate-ccw
  color: orange

inputs:
`)
	group := ""
	for _, input := range github.InputDefinitions() {
		if input.Group != group {
			if group != "" {
				text.WriteString("\n")
			}
			group = input.Group
			fmt.Fprintf(&text, "  # %s\n", group)
		}
		fmt.Fprintf(&text, "  %s:\n    description: >-\n%s    required: %t\n", input.Name, folded(input.Text()), input.Required)
		if input.Default != "" {
			fmt.Fprintf(&text, "    default: %q\n", input.Default)
		}
	}
	text.WriteString("\noutputs:\n")
	for _, output := range github.OutputDefinitions() {
		fmt.Fprintf(&text, "  %s:\n    description: >-\n%s", output.Name, folded(output.Description))
	}
	text.WriteString("\nruns:\n  using: docker\n  image: Dockerfile\n")
	return text.String()
}

// folded breaks a description at blanks into lines of a folded YAML scalar.
func folded(description string) string {
	const indent, width = "      ", 94
	var text strings.Builder
	line := ""
	for word := range strings.FieldsSeq(description) {
		if line != "" && len(line)+1+len(word) > width-len(indent) {
			text.WriteString(indent + line + "\n")
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return text.String() + indent + line + "\n"
}
