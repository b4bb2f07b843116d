package docs_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"

	"github.com/org/lambda-rollback-action/github"
)

// pages are the documents for strangers, relative to the root.
func pages(t *testing.T) []string {
	t.Helper()
	found := []string{readme, "CHANGELOG.md", "CONTRIBUTING.md", ".github/SECURITY.md", ".github/pull_request_template.md"}
	err := filepath.WalkDir(filepath.Join(root, "docs"), func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && filepath.Ext(path) == ".md" {
			page, relErr := filepath.Rel(root, path)
			require.NoError(t, relErr)
			found = append(found, filepath.ToSlash(page))
		}
		return err
	})
	require.NoError(t, err)
	return found
}

// examples are the whole workflows to copy.
func examples(t *testing.T) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(root, "examples", "*.yml"))
	require.NoError(t, err)
	require.NotEmpty(t, found)
	for i, path := range found {
		found[i] = "examples/" + filepath.Base(path)
	}
	return found
}

// allPages are all documents with workflows in them.
func allPages(t *testing.T) []string {
	t.Helper()
	return slices.Concat(pages(t), examples(t))
}

// workflowsOf are the YAML texts of a page, or of an example.
func workflowsOf(t *testing.T, page string) []string {
	t.Helper()
	if filepath.Ext(page) == ".yml" {
		return []string{read(t, page)}
	}
	return fences(read(t, page), "yaml")
}

func read(t *testing.T, page string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, page))
	require.NoError(t, err)
	return string(content)
}

var fence = regexp.MustCompile("(?ms)^```(\\w*)\n(.*?)^```$")

// fences are the code blocks of a language.
func fences(text, language string) []string {
	var found []string
	for _, match := range fence.FindAllStringSubmatch(text, -1) {
		if match[1] == language {
			found = append(found, match[2])
		}
	}
	return found
}

func withoutFences(text string) string { return fence.ReplaceAllString(text, "") }

// anchors are what GitHub makes of the headings.
func anchors(text string) []string {
	var found []string
	dropped := regexp.MustCompile(`[^\p{L}\p{N} _-]`)
	for _, match := range regexp.MustCompile(`(?m)^#+ (.+)$`).FindAllStringSubmatch(withoutFences(text), -1) {
		found = append(found, strings.ReplaceAll(dropped.ReplaceAllString(strings.ToLower(match[1]), ""), " ", "-"))
	}
	return found
}

// between puts new text between the markers of that name.
func between(t *testing.T, text, name, fresh string) string {
	t.Helper()
	begin, end := "<!-- "+name+":begin -->", "<!-- "+name+":end -->"
	before, rest, found := strings.Cut(text, begin)
	require.True(t, found, "%s is missing", begin)
	_, after, found := strings.Cut(rest, end)
	require.True(t, found, "%s is missing", end)
	return before + begin + "\n\n" + fresh + "\n" + end + after
}

// keyInputs are those that most workflows set; the README has them.
var keyInputs = []string{
	"function-name", "alias", "aws-region", "role-to-assume", "needs",
	"deployed-version", "target-version", "health-url", "observe", "on-unhealthy",
}

func keyInputTable(t *testing.T) string {
	t.Helper()
	var text strings.Builder
	text.WriteString("| Input | Default | What it does |\n| --- | --- | --- |\n")
	all := github.InputDefinitions()
	for _, name := range keyInputs {
		at := slices.IndexFunc(all, func(d github.Definition) bool { return d.Name == name })
		require.GreaterOrEqual(t, at, 0, "no input %s", name)
		fmt.Fprintf(&text, "| `%s` | %s | %s |\n", name, defaultOf(all[at]), all[at].Purpose())
	}
	return text.String()
}

// inputTables has a table for each group of inputs.
func inputTables() string {
	var tables strings.Builder
	group := ""
	for _, input := range github.InputDefinitions() {
		if input.Group != group {
			group = input.Group
			fmt.Fprintf(&tables, "### %s\n\n| Input | Default | What it does |\n| --- | --- | --- |\n", group)
		}
		fmt.Fprintf(&tables, "| `%s` | %s | %s Takes %s. |\n", input.Name, defaultOf(input), input.Purpose(), input.Form)
		if last(input) {
			tables.WriteString("\n")
		}
	}
	return strings.TrimSuffix(tables.String(), "\n")
}

func defaultOf(input github.Definition) string {
	switch {
	case input.Required:
		return "required"
	case input.Default != "":
		return "`" + input.Default + "`"
	}
	return "–"
}

func last(input github.Definition) bool {
	all := github.InputDefinitions()
	at := slices.IndexFunc(all, func(d github.Definition) bool { return d.Name == input.Name })
	return at == len(all)-1 || all[at+1].Group != input.Group
}

func outputTable() string {
	var text strings.Builder
	text.WriteString("| Output | What it says |\n| --- | --- |\n")
	for _, output := range github.OutputDefinitions() {
		fmt.Fprintf(&text, "| `%s` | %s |\n", output.Name, output.Description)
	}
	return text.String()
}

// step is a step of a workflow.
type step struct {
	ID   string         `yaml:"id"`
	Uses string         `yaml:"uses"`
	With map[string]any `yaml:"with"`
}

// stepsIn finds the steps that use this action, in a whole workflow as in a
// part of one.
func stepsIn(t *testing.T, node *yaml.Node) []step {
	t.Helper()
	var found []step
	if node.Kind == yaml.MappingNode {
		for i := 0; i < len(node.Content); i += 2 {
			if node.Content[i].Value == "uses" && strings.HasPrefix(node.Content[i+1].Value, self) {
				var s step
				require.NoError(t, node.Decode(&s))
				found = append(found, s)
			}
		}
	}
	for _, child := range node.Content {
		found = append(found, stepsIn(t, child)...)
	}
	return found
}
