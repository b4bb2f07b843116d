package runner_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/test/emulator"
)

// After a rollback of a push, a check in front of the deploy of a later commit.
func TestDeploysAreFrozenAfterARollback(t *testing.T) {
	t.Parallel()
	const fix = "beefbeefbeefbeefbeefbeefbeefbeefbeefbeef"
	message := func(text string) func(*scene, *step) {
		return func(s *scene, _ *step) { s.GitHub.SetMessage(repository, fix, text) }
	}
	frozen := "not-ready/deploys-frozen"
	for name, c := range map[string]struct {
		given func(*scene, *step)
		want  string
		text  string // part of the summary
	}{
		"a later commit":  {message("Sell even more shoes"), frozen, "no later commit reverts it"},
		"the same commit": {func(s *scene, st *step) { st.set("GITHUB_SHA", s.run.SHA) }, frozen, "set unlock-deploys: true"},
		"a revert":        {message("Revert \"Sell more shoes\"\n\nThis reverts commit f00df00df00df00df00df00df00df00df00df00d."), "ready/", "commit beefbee reverts commit f00df00"},
		"unlocked":        {func(_ *scene, st *step) { st.input("unlock-deploys", "true").input("reason", "the fix") }, "ready/", "unlocked by unlock-deploys"},
		"a commit of another branch": {func(s *scene, st *step) {
			s.GitHub.AddRef(repository, "refs/heads/old", "0123456789012345678901234567890123456789", "1123456789012345678901234567890123456789")
			st.set("GITHUB_SHA", "1123456789012345678901234567890123456789")
		}, "ready/", "does not contain commit f00df00"},
		"not asked for":               {func(_ *scene, st *step) { st.input("freeze-after-rollback", "false") }, "ready/", ""},
		"somebody has deployed since": {func(s *scene, _ *step) { require.NoError(s.tb, s.moved()) }, "ready/", "not where a rollback moved it"},
		"GitHub may not be read":      {func(s *scene, _ *step) { s.GitHub.GrantOnly("actions") }, "ready/", "contents: read"},
		"GitHub does not answer": {func(s *scene, _ *step) {
			s.Fault(emulator.Match{Operation: "CompareCommits"}, emulator.Status(http.StatusBadGateway, "", ""))
		}, "ready/", "could not determine whether"},
		"no token": {func(_ *scene, st *step) { st.input("github-token", "") }, "ready/", "could not determine whether"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			s.function("api", 4)
			s.GitHub.AddRef(repository, "refs/heads/main", s.run.SHA, fix)
			require.Equal(t, "rolled-back/previous-version", s.step().run().ended())
			next := s.step().set("GITHUB_SHA", fix).set("GITHUB_RUN_ID", "7002").inputs(map[string]string{
				"command": "check", "needs": "", "freeze-after-rollback": "true",
			})
			c.given(s, next)
			o := next.run()
			assert.Equal(t, c.want, o.ended(), o.outputs["message"])
			assert.Contains(t, o.summary, c.text)
			assert.Equal(t, c.want == frozen, o.code == 1)
		})
	}
}

// moved is a later deploy of the function api.
func (s *scene) moved() error {
	f := s.Lambda(region).Function("api")
	f.Publish(s.now)
	return f.SetAlias("live", 5, nil)
}
