// Package docs_test holds what a stranger reads to what the program does: the
// tables, the examples, the policy, the messages and the links.
package docs_test

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"

	"github.com/org/lambda-rollback-action/github"
	"github.com/org/lambda-rollback-action/rollback/alias"
)

var (
	update = flag.Bool("update", false, "write the generated tables anew")
	// The examples can be handed to actionlint this way.
	workflows = flag.String("workflows", "", "a directory to write the documented workflows to")
)

const (
	root            = "../.."
	readme          = "README.md"
	reference       = "docs/reference.md"
	iamPage         = "docs/iam.md"
	troubleshooting = "docs/troubleshooting.md"
	self            = "org/lambda-rollback-action@"
)

func TestTablesAreWhatTheDefinitionsSay(t *testing.T) {
	generated := func(page string, tables map[string]string) {
		text := read(t, page)
		want := text
		for name, table := range tables {
			want = between(t, want, name, table)
		}
		if *update {
			require.NoError(t, os.WriteFile(filepath.Join(root, page), []byte(want), 0o644))
			text = want
		}
		assert.Equal(t, want, text, "the tables of %s do not match the definitions: go test ./test/docs -update", page)
	}
	generated(readme, map[string]string{"inputs": keyInputTable(t)})
	generated(reference, map[string]string{"inputs": inputTables(), "outputs": outputTable()})
}

func TestEveryLinkLeadsSomewhere(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)\s]+)\)`)
	for _, page := range pages(t) {
		for _, match := range link.FindAllStringSubmatch(withoutFences(read(t, page)), -1) {
			target := match[1]
			if strings.Contains(target, "://") {
				continue
			}
			file, anchor, _ := strings.Cut(target, "#")
			if file = filepath.Join(filepath.Dir(page), file); strings.HasPrefix(target, "#") {
				file = page
			}
			if _, err := os.Stat(filepath.Join(root, file)); !assert.NoError(t, err, "%s links to %s", page, target) {
				continue
			}
			if anchor != "" {
				assert.Contains(t, anchors(read(t, file)), anchor, "%s links to %s", page, target)
			}
		}
	}
}

func TestWorkflowsUseWhatThereIs(t *testing.T) {
	inputs, outputs := inputNames(), outputNames()
	output := regexp.MustCompile(`steps\.([\w-]+)\.outputs\.([\w-]+)`)
	uses := 0
	for _, page := range allPages(t) {
		for i, text := range workflowsOf(t, page) {
			var parsed yaml.Node
			require.NoError(t, yaml.Unmarshal([]byte(text), &parsed), "%s, example %d", page, i+1)
			ids := map[string]bool{}
			for _, step := range stepsIn(t, &parsed) {
				uses++
				ids[step.ID] = true
				for name := range step.With {
					assert.Contains(t, inputs, name, "%s, example %d: no input that this version can do", page, i+1)
				}
				assert.Contains(t, step.With, "function-name", "%s, example %d", page, i+1)
			}
			for _, match := range output.FindAllStringSubmatch(text, -1) {
				if ids[match[1]] {
					assert.Contains(t, outputs, match[2], "%s, example %d: no such output", page, i+1)
				}
			}
		}
	}
	assert.Positive(t, uses, "no example uses the action")
}

// TestWorkflowsAreWhole: an example that is to be copied has a trigger,
// permissions and a runner. With -workflows each is written to a file, for
// actionlint.
func TestWorkflowsAreWhole(t *testing.T) {
	whole := 0
	for _, page := range allPages(t) {
		for _, text := range workflowsOf(t, page) {
			var workflow struct {
				On          any               `yaml:"on"`
				Permissions map[string]string `yaml:"permissions"`
				Jobs        map[string]struct {
					RunsOn      string            `yaml:"runs-on"`
					Uses        string            `yaml:"uses"`
					Permissions map[string]string `yaml:"permissions"`
					Steps       []step            `yaml:"steps"`
				} `yaml:"jobs"`
			}
			if err := yaml.Unmarshal([]byte(text), &workflow); err != nil || workflow.Jobs == nil {
				continue
			}
			whole++
			assert.NotNil(t, workflow.On)
			assert.NotNil(t, workflow.Permissions, "nothing by default: %s", text)
			for name, job := range workflow.Jobs {
				if job.Uses == "" {
					assert.Equal(t, "ubuntu-latest", job.RunsOn, "a container action runs on Linux")
				}
				for _, step := range job.Steps {
					if !strings.HasPrefix(step.Uses, self) {
						continue
					}
					assert.Equal(t, "read", job.Permissions["actions"], "job %s must be able to read the run", name)
					if step.With["role-to-assume"] != nil {
						assert.Equal(t, "write", job.Permissions["id-token"], "job %s must be able to get its token", name)
					}
				}
			}
			if *workflows != "" {
				name := strings.ReplaceAll(page, "/", "-") + "-" + strconv.Itoa(whole) + ".yml"
				require.NoError(t, os.WriteFile(filepath.Join(*workflows, name), []byte(text), 0o644))
			}
		}
	}
	assert.GreaterOrEqual(t, whole, 4)
}

func TestPolicyNamesTheCallsThatAreMade(t *testing.T) {
	var want []string
	for call := range reflect.TypeFor[alias.Lambda]().Methods() {
		want = append(want, "lambda:"+call.Name)
	}
	slices.Sort(want)
	for _, page := range []string{readme, iamPage} {
		got := policyActions(t, page)
		assert.Equal(t, want, got, page)
		for _, action := range want {
			if page == iamPage {
				assert.Contains(t, withoutFences(read(t, page)), "`"+action+"`", "why it is needed")
			}
		}
	}
}

func TestTrustPolicyBindsAudienceAndSubject(t *testing.T) {
	found := 0
	for _, text := range fences(read(t, iamPage), "json") {
		if !strings.Contains(text, `"Statement"`) {
			continue
		}
		for _, statement := range statements(t, text) {
			if statement.Action != "sts:AssumeRoleWithWebIdentity" {
				continue
			}
			found++
			assert.Contains(t, statement.Condition["StringEquals"], "token.actions.githubusercontent.com:aud")
			assert.Contains(t, statement.Condition["StringEquals"], "token.actions.githubusercontent.com:sub")
		}
	}
	assert.Positive(t, found, "no trust policy")
}

func TestEveryReasonIsExplained(t *testing.T) {
	page := read(t, troubleshooting)
	var explained []string
	for _, match := range regexp.MustCompile("(?m)^### `([a-z-]+)`$").FindAllStringSubmatch(page, -1) {
		explained = append(explained, match[1])
	}
	assert.ElementsMatch(t, reasons(t), explained, "headings of "+troubleshooting)
}

// TestEveryReasonThatEndsARunIsArgued holds the decision record that lists all places
// that can end a run before a move.
func TestEveryReasonThatEndsARunIsArgued(t *testing.T) {
	record := read(t, "docs/decisions/0017-what-can-stop-a-move.md")
	moved := []string{"previous-version", "canary-stopped", "snapshot", "chosen", "nothing-changed"}
	for _, reason := range reasons(t) {
		if !slices.Contains(moved, reason) {
			assert.Regexp(t, "[`/]"+reason+"`", record)
		}
	}
}

// TestQuotedMessagesAreTheProgramsOwn: what people search for must be what they
// saw. In a quoted message `…` stands for what differs from case to case.
func TestQuotedMessagesAreTheProgramsOwn(t *testing.T) {
	said := literals(t)
	quoted := 0
	for _, text := range fences(read(t, troubleshooting), "text") {
		for line := range strings.Lines(text) {
			line = strings.TrimSpace(line)
			quoted++
			assert.True(t, slices.ContainsFunc(said, func(s string) bool { return strings.Contains(s, line) }),
				"no message of the program: %s", line)
		}
	}
	assert.Greater(t, quoted, 20)
}

func TestNothingIsLeftToDo(t *testing.T) {
	comment := regexp.MustCompile(`(?s)<!--.*?-->`)
	for _, page := range pages(t) {
		text := comment.ReplaceAllString(read(t, page), "")
		for _, word := range []string{"TODO", "FIXME", "TBD", "XXX"} {
			assert.NotContains(t, text, word, page)
		}
	}
}

func TestDecisionRecordsHaveTheirParts(t *testing.T) {
	records, err := filepath.Glob(filepath.Join(root, "docs/decisions/*.md"))
	require.NoError(t, err)
	require.NotEmpty(t, records)
	for _, path := range records {
		name := filepath.Base(path)
		assert.Regexp(t, `^\d{4}-[a-z0-9-]+\.md$`, name)
		text := read(t, "docs/decisions/"+name)
		assert.Regexp(t, `(?m)\A# `+name[:4]+`: .+\n\n- Date: \d{4}-\d\d-\d\d\n- Status: (accepted|proposed|superseded.*)\n`, text, name)
		for _, part := range []string{"## Context", "## Decision", "## Consequences"} {
			assert.Contains(t, text, "\n"+part+"\n", name)
		}
	}
}

func inputNames() []string {
	var names []string
	for _, input := range github.InputDefinitions() {
		names = append(names, input.Name)
	}
	return names
}

func outputNames() []string {
	var names []string
	for _, output := range github.OutputDefinitions() {
		names = append(names, output.Name)
	}
	return names
}

// policyActions are those of the whole policy, which every rollback needs. What
// single checks need beside it is held to the calls by test/runner.
func policyActions(t *testing.T, page string) []string {
	t.Helper()
	var found []string
	for _, text := range fences(read(t, page), "json") {
		if !strings.Contains(text, `"Statement"`) {
			continue
		}
		for _, statement := range statements(t, text) {
			list, _ := statement.Action.([]any)
			for _, action := range list {
				found = append(found, action.(string))
			}
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// statement is one of an IAM policy.
type statement struct {
	Action    any                       `json:"Action"` // one, or a list
	Condition map[string]map[string]any `json:"Condition"`
}

func statements(t *testing.T, policy string) []statement {
	t.Helper()
	var parsed struct {
		Statement []statement `json:"Statement"`
	}
	require.NoError(t, json.Unmarshal([]byte(policy), &parsed), policy)
	require.NotEmpty(t, parsed.Statement, policy)
	return parsed.Statement
}
