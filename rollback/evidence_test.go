package rollback

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// What GitHub has answered is not forgotten because the time is over since: the
// message about a rollback that failed needs it most.
func TestEvidenceThatHasComeCountsAfterTheTimeToo(t *testing.T) {
	t.Parallel()
	e := newEvidence(report.Run{}, func() (report.Run, []report.Note) { return report.Run{ID: 7001}, nil })
	e.wait(t.Context())
	over, cancel := context.WithCancel(t.Context())
	cancel()
	for range 100 {
		run, _ := e.wait(over)
		assert.Equal(t, int64(7001), run.ID)
	}
}
