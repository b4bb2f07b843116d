package runner_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// runnersOwn are the variables of each step that do not depend on the scene.
// Empty ones are there, too.
var runnersOwn = map[string]string{
	"CI":                         "true",
	"GITHUB_ACTIONS":             "true",
	"GITHUB_ACTION":              "__org_lambda-rollback-action",
	"GITHUB_ACTION_REF":          "main",
	"GITHUB_ACTION_REPOSITORY":   "org/lambda-rollback-action",
	"GITHUB_ACTOR_ID":            "583231",
	"GITHUB_BASE_REF":            "",
	"GITHUB_GRAPHQL_URL":         "https://api.github.com/graphql",
	"GITHUB_HEAD_REF":            "",
	"GITHUB_REF_PROTECTED":       "true",
	"GITHUB_REF_TYPE":            "branch",
	"GITHUB_REPOSITORY_OWNER":    "octo-org",
	"GITHUB_REPOSITORY_OWNER_ID": "6811672",
	"GITHUB_RETENTION_DAYS":      "90",
	"GITHUB_SERVER_URL":          "https://github.com",
	"GITHUB_TRIGGERING_ACTOR":    "octocat",
	"GITHUB_WORKFLOW_REF":        "octo-org/octo-repo/.github/workflows/deploy.yml@refs/heads/main",
	"GITHUB_WORKFLOW_SHA":        "f00df00df00df00df00df00df00df00df00df00d",
	"RUNNER_ARCH":                "X64",
	"RUNNER_ENVIRONMENT":         "github-hosted",
	"RUNNER_OS":                  "Linux",
	"RUNNER_TOOL_CACHE":          "/opt/hostedtoolcache",
	"RUNNER_WORKSPACE":           "/home/runner/_work/octo-repo",
	"ACTIONS_CACHE_URL":          "https://acghubeus1.actions.example/canary-of-the-cache/",
	"ACTIONS_RESULTS_URL":        "https://results-receiver.actions.example/",
	"ACTIONS_RUNTIME_TOKEN":      "canary-of-the-runtime",
	"ACTIONS_RUNTIME_URL":        "https://pipelines.actions.example/canary-of-the-runtime-url/",
}

// contextVariables are what the runner makes variables of, out of all of the
// context github (GitHubContext.cs of actions/runner). The token is not there.
var contextVariables = []string{
	"action", "action_ref", "action_repository", "actor", "actor_id", "api_url", "base_ref", "env", "event_name", "event_path",
	"graphql_url", "head_ref", "job", "output", "path", "ref", "ref_name", "ref_protected", "ref_type", "repository",
	"repository_id", "repository_owner", "repository_owner_id", "retention_days", "run_attempt", "run_id", "run_number",
	"server_url", "sha", "state", "step_summary", "triggering_actor", "workflow", "workflow_ref", "workflow_sha", "workspace",
}

// The tests of this package start the program with the variables that the
// runner would give it, and with no other.
func TestAStepHasTheEnvironmentOfTheRunner(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	st := s.step()
	want := []string{"CI", "GITHUB_ACTIONS", "HOME", "PATH"}
	for _, name := range contextVariables {
		want = append(want, "GITHUB_"+strings.ToUpper(name))
	}
	for name := range manifest.Inputs {
		// Blanks become underlines, dashes stay.
		want = append(want, "INPUT_"+strings.ToUpper(strings.ReplaceAll(name, " ", "_")))
	}
	var got []string
	for name := range st.env {
		if strings.HasPrefix(name, "RUNNER_") || strings.HasPrefix(name, "ACTIONS_") || strings.HasPrefix(name, "AWS_") {
			continue // what the runner has beside the context, and what the workflow gives
		}
		got = append(got, name)
	}
	assert.ElementsMatch(t, want, got)
}

// A step writes to the files that it was given, and nowhere else: not into the
// workspace, not into HOME, and not into the files that change later steps.
func TestAStepLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	s.function("api", 3)
	st := s.step()
	before := st.tree()
	o := st.run()
	require.Equal(t, "rolled-back/previous-version", o.ended())
	assert.Equal(t, before, st.tree())
	for _, file := range []string{"env", "state", "path"} {
		assert.Empty(t, st.read(file), file)
	}
	silent(t, o)
}

// tree are the names below the directory of the step.
func (s *step) tree() []string {
	s.tb.Helper()
	var names []string
	require.NoError(s.tb, filepath.WalkDir(s.dir, func(path string, _ os.DirEntry, err error) error {
		names = append(names, path)
		return err
	}))
	slices.Sort(names)
	return names
}
