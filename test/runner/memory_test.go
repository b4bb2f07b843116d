package runner_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/test/emulator"
)

// A memory that cannot be read, in whatever way, stops no move, and check finds it
// ahead of time where somebody must act.
func TestAMemoryThatCannotBeRead(t *testing.T) {
	t.Parallel()
	answers := func(effect emulator.Effect) func(*scene, *emulator.Function) {
		return func(s *scene, _ *emulator.Function) { s.Fault(on("GetAlias", "live-rollback"), effect) }
	}
	describes := func(text string) func(*scene, *emulator.Function) {
		return func(s *scene, f *emulator.Function) {
			require.NoError(s.tb, f.SetAlias("live-rollback", 1, nil))
			require.NoError(s.tb, f.DescribeAlias("live-rollback", text))
		}
	}
	for name, c := range map[string]struct {
		put   func(*scene, *emulator.Function)
		warns string
		check string // empty: ready
	}{
		"denied":                        {answers(emulator.Deny()), "lambda:GetAlias on api:live-rollback", "not-ready/access-denied"},
		"denied without a message":      {answers(emulator.DenyWithoutMessage()), "lambda:GetAlias on api:live-rollback", "not-ready/access-denied"},
		"a 400":                         {answers(emulator.Status(400, "ValidationException", "no")), "ValidationException", "not-ready/aws-error"},
		"a 404 of something else":       {answers(emulator.Status(404, "NoSuchRoute", "no")), "NoSuchRoute", "not-ready/aws-error"},
		"a 409":                         {answers(emulator.Status(409, "ResourceConflictException", "no")), "ResourceConflictException", "not-ready/aws-error"},
		"a word where a number belongs": {describes("rejected=two@77 run=77/1 at=2026-01-01T00:00:00Z by=rollback"), "is not readable", ""},
		"a row without end":             {describes("rejected=1-9000000000000000000 run=77/1 at=2026-01-01T00:00:00Z by=rollback"), "is not readable", ""},
		"a time that is none":           {describes("rejected=2@77 run=77/1 at=yesterday by=rollback"), "is not readable", ""},
		"another tool's description":    {describes("blue-green of team X"), "is not this action's memory", "not-ready/invalid-input"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			f := s.function("api", 3)
			c.put(s, f)
			check := s.step().input("command", "check").run()
			want := c.check
			if want == "" {
				want = "ready/"
			}
			assert.Equal(t, want, check.ended(), check.outputs["message"])
			o := s.step().run()
			require.Equal(t, "rolled-back/previous-version", o.ended(), o.outputs["message"])
			assert.Equal(t, "2", f.Serving("live"))
			assert.Contains(t, strings.Join(o.warnings(), "\n"), c.warns)
		})
	}
}
