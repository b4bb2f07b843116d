package runner_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A self-hosted runner's clock can be wrong. Everything that is compared with times
// of AWS, or read beside them, has AWS's time: the memory, the result, the timeline,
// and what the checks count.
func TestTheRunnersClockIsWrong(t *testing.T) {
	t.Parallel()
	for name, ahead := range map[string]time.Duration{
		"right": 0, "a minute and a half behind": 90 * time.Second, "two hours behind": 2 * time.Hour,
		"a day ahead": -24 * time.Hour, "ten minutes ahead": -10 * time.Minute,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSceneAhead(t, ahead)
			f := s.function("api", 3)
			s.production(f, 0)
			o := s.step().input("observe", "2s").run()
			p := o.proven(t)
			require.Equal(t, "rolled-back/previous-version", o.ended(), o.outputs["message"])

			near := func(what, text string) {
				at, err := time.Parse(time.RFC3339, text)
				require.NoError(t, err, what)
				assert.WithinDuration(t, s.now, at, time.Minute, what)
			}
			near("timestamp", o.outputs["timestamp"])
			var moved []struct {
				At string `json:"moved-at"`
			}
			require.NoError(t, json.Unmarshal([]byte(o.outputs["results"]), &moved))
			near("moved-at", moved[0].At)
			for _, m := range p.Timeline {
				if m.Event != "run-created" && m.Event != "deploy-failed" { // GitHub's
					near(m.Event, m.At)
				}
			}
			memory, exists := f.Alias("live-rollback")
			require.True(t, exists)
			assert.Regexp(t, `at=`+s.now.Format("2006-01-02T"), memory.Description)
			for _, check := range []string{"metrics", "logs"} {
				status, detail := p.check(t, check)
				assert.Equal(t, "passed", status, detail)
			}
		})
	}
}
