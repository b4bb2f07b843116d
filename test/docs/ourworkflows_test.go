package docs_test

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"
)

const releases = "docs/decisions/0011-releases.md"

// ourWorkflows are those that run in this repository, and the one for callers.
func ourWorkflows(t *testing.T) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(root, ".github/workflows/*.yml"))
	require.NoError(t, err)
	require.NotEmpty(t, found)
	for i, path := range found {
		found[i] = ".github/workflows/" + filepath.Base(path)
	}
	return found
}

// What zizmor does not look at, or only in a part.
func TestOurWorkflowsKeepTheirRules(t *testing.T) {
	for _, page := range ourWorkflows(t) {
		var workflow struct {
			Permissions map[string]string
			Defaults    struct{ Run struct{ Shell string } }
			Jobs        map[string]struct {
				Uses        string
				Permissions map[string]string
				Timeout     any `yaml:"timeout-minutes"`
				Steps       []struct {
					Uses, Run string
					With      map[string]any
				}
			}
		}
		require.NoError(t, yaml.Unmarshal([]byte(read(t, page)), &workflow), page)
		assert.NotNil(t, workflow.Permissions, page)
		assert.Empty(t, workflow.Permissions, "%s: nothing by default", page)
		for name, job := range workflow.Jobs {
			assert.NotNil(t, job.Permissions, "%s, job %s: what it may do", page, name)
			assert.True(t, job.Timeout != nil || job.Uses != "", "%s, job %s: a time limit", page, name)
			writes := 0
			for permission, level := range job.Permissions {
				if level == "write" && permission != "id-token" {
					writes++
				}
			}
			for _, step := range job.Steps {
				assert.NotContains(t, step.Run, "${{", "%s, job %s: hand it over by env", page, name)
				if strings.Contains(step.Run, "|") {
					assert.Equal(t, "bash", workflow.Defaults.Run.Shell, "%s, job %s: a pipe needs pipefail", page, name)
				}
				if strings.HasPrefix(step.Uses, "actions/checkout@") {
					assert.Equal(t, false, step.With["persist-credentials"], "%s, job %s", page, name)
				}
				if strings.HasPrefix(step.Uses, "actions/setup-go@") {
					assert.Equal(t, false, step.With["cache"], "%s, job %s: no cache may reach a release", page, name)
				}
				if writes > 0 {
					assert.NotRegexp(t, `rootfs|\.ci/run|go (build|test|run)`, step.Run, "%s, job %s may write, and must not build", page, name)
				}
			}
		}
	}
}

// Every action is pinned by a commit that the decision says was looked up, and
// says its version.
func TestPinnedCommitsWereLookedUp(t *testing.T) {
	uses := regexp.MustCompile(`(?m)^\s*(?:- )?uses: ([\w.-]+/[\w.-]+)(?:/[\w./-]+)?@(\S+)(?: # (\S+))?`)
	looked := map[string][2]string{}
	for _, row := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\| (v[\\d.]+) \\| `([0-9a-f]{40})` \\|").FindAllStringSubmatch(read(t, releases), -1) {
		looked[row[1]] = [2]string{row[3], row[2]}
	}
	used := map[string]bool{}
	for _, page := range append(ourWorkflows(t), allPages(t)...) {
		for _, match := range uses.FindAllStringSubmatch(read(t, page), -1) {
			if match[1] == "org/lambda-rollback-action" {
				continue
			}
			used[match[1]] = true
			pinned := [2]string{match[2], match[3]}
			assert.Equal(t, looked[match[1]], pinned, "%s uses %s, and %s says otherwise", page, match[1], releases)
		}
	}
	for action := range looked {
		assert.True(t, used[action], "%s lists %s, and nothing uses it", releases, action)
	}
	assert.Len(t, used, 12)
}
