package github_test

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/github"
	"github.com/org/lambda-rollback-action/rollback/report"
)

// Each value of each payload takes an unexpected type in turn. Only those that the
// trigger needs may prevent a rollback, and those must.
func TestOddFieldDecidesOnlyWhereItIsNeeded(t *testing.T) {
	t.Parallel()
	failed := func(state string) map[string]any {
		return map[string]any{
			"deployment.ref": "main", "deployment_status.state": state,
			"deployment.environment": "production", "deployment_status.environment": "production",
		}
	}
	for file, tt := range map[string]struct {
		changes map[string]any
		needed  []string
	}{
		"push": {}, "push_tag": {}, "workflow_dispatch": {}, "repository_dispatch": {}, "schedule": {},
		"workflow_run": {
			map[string]any{"workflow_run.conclusion": "failure", "workflow_run.head_branch": "main"},
			[]string{
				"action", "repository", "repository.id", "repository.full_name", "workflow_run", "workflow_run.id",
				"workflow_run.head_branch", "workflow_run.head_sha", "workflow_run.event", "workflow_run.conclusion",
				"workflow_run.head_repository", "workflow_run.head_repository.id", "workflow_run.head_repository.full_name",
			},
		},
		"deployment_status":        {failed("failure"), neededOfDeployment},
		"deployment_status_of_run": {failed("error"), neededOfDeployment},
		"pull_request": {
			map[string]any{"repository": ownRepository, "sender": map[string]any{"id": 1}, "pull_request": map[string]any{
				"merged": true, "merged_at": "2026-11-20T08:32:47Z", "number": 7, "labels": []any{}, "user": map[string]any{"id": 1},
				"head": map[string]any{"ref": "feature", "repo": ownRepository}, "base": map[string]any{"ref": "main", "repo": ownRepository},
			}},
			[]string{
				"repository", "repository.id", "repository.full_name", "pull_request", "pull_request.merged", "pull_request.head",
				"pull_request.head.repo", "pull_request.head.repo.id", "pull_request.head.repo.full_name",
			},
		},
	} {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			source, name := file, strings.TrimSuffix(strings.TrimSuffix(file, "_of_run"), "_tag")
			if name == "pull_request" {
				source = "schedule"
			}
			var document any
			raw := payload(t, source, tt.changes)
			require.NoError(t, json.Unmarshal(raw, &document))
			require.True(t, actsOn(t, name, raw, "main"), "unchanged")
			seen := map[string]bool{}
			for path, value := range leaves("", document) {
				for _, odd := range []any{map[string]any{}, []any{}, "odd", 1.5, true} {
					if value != nil && reflect.TypeOf(value) == reflect.TypeOf(odd) && odd != 1.5 {
						continue // the expected type
					}
					seen[path] = true
					with := replaced(t, raw, strings.Split(path, "."), odd)
					for _, branches := range []string{"main", "*"} {
						assert.Equal(t, !slices.Contains(tt.needed, path), actsOn(t, name, with, branches), "%s: %v", path, odd)
					}
				}
			}
			for _, path := range tt.needed {
				assert.True(t, seen[path] || file == "deployment_status" && strings.HasPrefix(path, "workflow_run"), "%s is not in the example", path)
			}
		})
	}
}

var (
	ownRepository      = map[string]any{"full_name": "octo-org/octo-repo", "id": 300029405}
	neededOfDeployment = []string{
		"deployment", "deployment.ref", "deployment.sha", "deployment.environment",
		"deployment_status", "deployment_status.state", "deployment_status.environment", "workflow_run", "workflow_run.id",
	}
)

// actsOn reports whether a failed deploy is rolled back after an event.
func actsOn(t *testing.T, name string, raw []byte, branches string) bool {
	t.Helper()
	e, err := github.ReadEvent(name, "event.json", fileWith(raw))
	trigger := github.Trigger{
		Command: "rollback", Branches: []string{branches}, Environment: "production", Event: e,
		Context: github.Context{Repository: "octo-org/octo-repo", Ref: "refs/heads/main", RunID: 1},
	}
	if name != "workflow_run" && name != "deployment_status" {
		trigger.Needs = needs("deploy=failure")
	}
	verdict := trigger.Judge()
	usable := err == nil || strings.Contains(err.Error(), "has an unexpected type and is treated as missing")
	assert.Equal(t, usable, verdict.Act, "%v %s", err, verdict.Message)
	if !usable {
		assert.Equal(t, report.BranchNotAllowed, verdict.Reason)
		assert.Contains(t, err.Error(), "cannot unmarshal")
	}
	return verdict.Act
}

// leaves returns every value in a document by its path, objects as well.
func leaves(path string, value any) map[string]any {
	all := map[string]any{}
	if path != "" {
		all[path] = value
	}
	object, _ := value.(map[string]any)
	for key, inner := range object {
		maps.Copy(all, leaves(strings.TrimPrefix(path+"."+key, "."), inner))
	}
	return all
}

// replaced returns a document with another value at a path.
func replaced(t *testing.T, raw []byte, path []string, value any) []byte {
	t.Helper()
	if len(path) == 0 {
		raw, err := json.Marshal(value)
		require.NoError(t, err)
		return raw
	}
	var object map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(raw, &object))
	object[path[0]] = replaced(t, object[path[0]], path[1:], value)
	raw, err := json.Marshal(object)
	require.NoError(t, err)
	return raw
}

func TestOddFieldOfTheRunIsMissing(t *testing.T) {
	t.Parallel()
	want := deployRun(t, map[string]any{"workflow_run.created_at": absent, "workflow_run.run_attempt": absent, "workflow_run.actor": absent, "workflow_run.updated_at": absent})
	got, err := github.ReadEvent("workflow_run", "event.json", fileWith(payload(t, "workflow_run", map[string]any{
		"workflow_run.conclusion": "failure", "workflow_run.head_branch": "main",
		"workflow_run.created_at": "never", "workflow_run.run_attempt": "x", "workflow_run.actor": []any{}, "workflow_run.updated_at": map[string]any{},
	})))
	require.ErrorContains(t, err, `event payload "event.json" of "workflow_run": the field "workflow_run.`)
	assert.Equal(t, want.Run(github.Context{}), got.Run(github.Context{}))
	assert.Equal(t, int64(289782451), got.Run(github.Context{}).ID)

	pushed := event(t, "push", "push", map[string]any{"repository.pushed_at": "never", "head_commit.id": 7, "commits": "x"})
	assert.Equal(t, "Initial commit", pushed.Run(github.Context{}).Commit)
	assert.Zero(t, pushed.Run(github.Context{}).CreatedAt)
}
