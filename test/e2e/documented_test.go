package e2e_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// self is how a workflow names this action, up to the version.
const self = "org/lambda-rollback-action@"

var fence = regexp.MustCompile("(?ms)^```yaml\n(.*?)^```$")

// documented is the workflow of that name, as the README or a page of docs/ has it.
func documented(t *testing.T, name string) string {
	t.Helper()
	pages, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	require.NoError(t, err)
	for _, page := range append([]string{filepath.Join(root, "README.md")}, pages...) {
		text, err := os.ReadFile(page)
		require.NoError(t, err)
		for _, match := range fence.FindAllStringSubmatch(string(text), -1) {
			if strings.HasPrefix(match[1], "name: "+name+"\n") {
				return match[1]
			}
		}
	}
	require.Fail(t, "neither the README nor a page of docs/ has a workflow named "+name)
	return ""
}

// example is a workflow of examples/, as it is there.
func example(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "examples", name))
	require.NoError(t, err)
	return string(text)
}

// fromCheckout uses the action from the workspace instead of by its name.
func fromCheckout(t *testing.T, workflow string) string {
	t.Helper()
	uses := regexp.MustCompile(`(?m)^( +(?:- )?uses: )` + self + `v1\b.*$`)
	require.Len(t, uses.FindAllString(workflow, -1), 1)
	return uses.ReplaceAllString(workflow, "${1}./")
}
