package runner_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/test/emulator"
)

// A step that is run again must not turn green because there is nothing left to
// move.
func TestARunTriedAgainSaysWhetherProductionIsWellNow(t *testing.T) {
	t.Parallel()
	const again = "skipped/already-rolled-back "
	for name, c := range map[string]struct {
		inputs map[string]string // of both attempts
		now    func(s *scene) map[string]string
		want   string
		code   int
		says   string
	}{
		"it is not well still": {nil, func(s *scene) map[string]string { return map[string]string{"health-url": s.answers(500)} },
			unwellEnd, 1, "production is NOT healthy"},
		"it has become well": {nil, func(s *scene) map[string]string { return map[string]string{"health-url": s.answers(200)} },
			again + "true", 0, "the check passed"},
		"what is asked for now cannot tell": {nil, func(*scene) map[string]string { return map[string]string{"health-url": "", "alarms": "gone"} },
			again + "unknown", 0, "could not confirm that production recovered"},
		"a check that cannot be made": {nil, func(*scene) map[string]string { return map[string]string{"health-status": "9xx"} },
			again + "unknown", 0, "input health-status has"},
		"nothing is asked for now": {nil, func(*scene) map[string]string { return map[string]string{"health-url": ""} },
			again + "unknown", 0, "already"},
		"it had gone further back": {map[string]string{"on-unhealthy": "step-back"}, func(s *scene) map[string]string { return map[string]string{"health-url": s.answers(500)} },
			unwellEnd, 1, "production is NOT healthy"},
		"a version that was chosen": {map[string]string{"target-version": "1"}, func(s *scene) map[string]string { return map[string]string{"health-url": s.answers(500)} },
			unwellEnd, 1, "production is NOT healthy"},
		"a dry run": {nil, func(s *scene) map[string]string {
			return map[string]string{"health-url": s.answers(500), "dry-run": "true"}
		}, again + "unknown", 0, "already"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			f := s.function("api", 3)
			first := s.step().quick().inputs(c.inputs).inputs(map[string]string{"health-url": s.answers(500)}).run()
			require.Equal(t, unwellEnd, first.end(), first.stdout)
			stands, moves := f.Serving("live"), len(s.mutations())

			o := s.step().set("GITHUB_RUN_ATTEMPT", "2").quick().inputs(c.inputs).inputs(c.now(s)).run()
			assert.Equal(t, c.want, o.end(), o.stdout)
			assert.Equal(t, c.code, o.code)
			assert.Contains(t, o.outputs["message"], c.says)
			assert.Equal(t, stands, f.Serving("live"))
			assert.Len(t, s.mutations(), moves, "nothing is moved or written")
			if c.code == 1 {
				assert.Equal(t, "true", o.outputs["rolled-back"])
				assert.Equal(t, stands, o.outputs["to-version"])
				assert.Equal(t, "3", o.outputs["from-version"])
				assert.NotEmpty(t, o.results(t)[0].MovedAt)
			}
		})
	}
}

// Step-back may have ended on an older version that was well then.
func TestARunTriedAgainStepsBackNoFurther(t *testing.T) {
	t.Parallel()
	s := newScene(t)
	f := s.function("api", 4)
	well := s.HealthURL(func(w http.ResponseWriter, _ *http.Request) {
		if f.Serving("live") != "2" {
			w.WriteHeader(http.StatusBadGateway)
		}
	})
	o := s.step().quick().inputs(map[string]string{"health-url": well, "on-unhealthy": "step-back"}).run()
	require.Equal(t, wellEnd, o.end(), o.stdout)
	require.Equal(t, "2", f.Serving("live"))
	o = s.step().set("GITHUB_RUN_ATTEMPT", "2").quick().inputs(map[string]string{"health-url": s.answers(500), "on-unhealthy": "step-back"}).run()
	assert.Equal(t, unwellEnd, o.end(), o.stdout)
	assert.Equal(t, "2", f.Serving("live"))
}

// Without a memory nobody knows whether the first attempt moved the alias. That the
// step is green then must not read as if production were healthy.
func TestARunTriedAgainWithoutAMemory(t *testing.T) {
	t.Parallel()
	const warning = "the checks after that move are not repeated; check whether production is healthy"
	for name, c := range map[string]struct {
		inputs map[string]string
		denied bool
		warns  bool
	}{
		"remember: false":           {inputs: map[string]string{"remember": "false"}, warns: true},
		"the memory cannot be read": {denied: true, warns: true},
		"the memory was written":    {},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newScene(t)
			f := s.function("api", 3)
			if c.denied {
				for _, operation := range []string{"GetAlias", "CreateAlias", "UpdateAlias"} {
					s.Fault(on(operation, "live-rollback"), emulator.Deny())
				}
			}
			step := func(attempt string) outcome {
				return s.step().set("GITHUB_RUN_ATTEMPT", attempt).quick().inputs(map[string]string{"health-url": s.answers(500)}).inputs(c.inputs).run()
			}
			first := step("1")
			require.Equal(t, unwellEnd, first.end(), first.stdout)
			require.Equal(t, "2", f.Serving("live"))
			again := step("2")
			assert.Equal(t, "2", f.Serving("live"))
			assert.Equal(t, c.warns, strings.Contains(again.stdout, warning), again.stdout)
			assert.Equal(t, c.warns, strings.Contains(again.summary, warning), again.summary)
			if c.warns {
				assert.Equal(t, "skipped/not-deployed", again.ended())
			}
		})
	}
}
