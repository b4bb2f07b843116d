package github_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/github"
)

func TestNewAPIRefuses(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ address, repository, want string }{
		"an address without a scheme": {"api.github.com", "o/r", `failed to read API address "api.github.com"`},
		"an address of another kind":  {"file:///etc", "o/r", "failed to read API address"},
		"an address that is none":     {"http://\x7f", "o/r", `"http://\x7f"`},
		"no repository":               {"", "", "want owner/name"},
		"a repository without owner":  {"", "/r", "want owner/name"},
		"a repository without name":   {"", "o/", "want owner/name"},
		"a repository of three parts": {"", "o/r/s", "want owner/name"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := github.NewAPI(nil, wallClock{}, tt.address, testToken, tt.repository)
			require.ErrorContains(t, err, tt.want)
		})
	}
}

func TestAPIOfAnEnterpriseServer(t *testing.T) {
	t.Parallel()
	for _, end := range []string{"/api/v3", "/api/v3/"} {
		server := fakeGitHub(t, "/api/v3", answers{runURI: says(200, runBody)})
		api, err := github.NewAPI(server.Client(), wallClock{}, server.URL+end, testToken, "octo-org/octo-repo")
		require.NoError(t, err)
		got, err := api.Outcome(within(t, enough), 100)
		require.NoError(t, err)
		assert.Equal(t, "in_progress", got.Status)
		assert.Contains(t, server.calls(""), "/api/v3"+runURI)
	}
}

// What GitHub does not take it says in the list of errors, and not in its message.
func TestAPISaysWhichFieldIsNotTaken(t *testing.T) {
	t.Parallel()
	server := fakeGitHub(t, "", answers{runURI: says(422, `{"message": "Validation Failed", "errors": [{"resource": "Run", "field": "id", "code": "custom", "message": "id is odd"}]}`)})
	_, err := server.api(t).Outcome(within(t, enough), 100)
	require.ErrorContains(t, err, `it answered 422 "Validation Failed": the field "id" was not accepted ("id is odd")`)
}
