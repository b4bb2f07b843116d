package docs_test

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// The top level is the first thing that a visitor sees: nothing gets there by accident.
func TestTheTopLevel(t *testing.T) {
	t.Parallel()
	allowed := []string{
		"action.yml", "Dockerfile", "main.go", "rollback", "notify", "github", "test", "go.mod", "go.sum", "README.md",
		"docs", "examples", "LICENSE", "CHANGELOG.md", "CONTRIBUTING.md",
	}
	git := exec.CommandContext(t.Context(), "git", "ls-files")
	git.Dir = root
	files, err := git.Output()
	if err != nil {
		t.Skip("there is no git here, or no repository")
	}
	for path := range strings.FieldsSeq(string(files)) {
		top, _, _ := strings.Cut(path, "/")
		if !strings.HasPrefix(top, ".") {
			assert.Contains(t, allowed, top, path)
		}
	}
}
