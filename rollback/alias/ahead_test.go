package alias_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// Where the version is named, it and the likely targets are read at the same time as
// the aliases, and once only.
func TestWhichVersionsAreReadAhead(t *testing.T) {
	t.Parallel()
	const latency = time.Second
	for name, c := range map[string]struct {
		given func(*scene)
		reads []int
		moved time.Duration // when the move was asked for
		to    string
	}{
		"nobody named the version": {func(*scene) {}, []int{40, 41, 42}, 2 * latency, "41"},
		"it is live":               {func(s *scene) { s.function.Request.Deployed = 42 }, []int{40, 41, 42}, latency, "41"},
		"it is the second version": {func(s *scene) {
			s.exist(2, 1)
			s.function.Request.Deployed = 2
		}, []int{1, 2}, latency, "1"},
		"a target was chosen": {func(s *scene) {
			s.function.Request.Deployed, s.function.Request.Target = 42, 40
		}, []int{40, 42}, 2 * latency, "40"},
		"one could not be read: it is read again": {func(s *scene) {
			s.function.Request.Deployed = 42
			s.lambda.faults = only("GetFunctionConfiguration 41", 1, fault{err: answer(403, "AccessDeniedException", "")})
		}, []int{40, 41, 41, 42}, 2 * latency, "41"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			play(t, func(t *testing.T, s *scene) {
				s.lambda.latency = latency
				c.given(s)
				began := time.Now()
				r := s.run(t)
				assert.Equal(t, report.RolledBack, r.Status, r.Message)
				assert.Equal(t, c.to, r.To)
				assert.Equal(t, c.reads, s.reads())
				assert.Equal(t, c.moved, s.lambda.firstUp.Sub(began))
			})
		})
	}
}
