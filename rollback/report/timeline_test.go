package report_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// Of a very long way the beginning and the end are shown: how it ended is what
// people look for.
func TestSummaryShowsHowALongWayEnded(t *testing.T) {
	t.Parallel()
	r := unhealthy()
	began := time.Date(2026, 3, 7, 3, 0, 0, 0, time.UTC)
	var all []report.Moment
	for i := range 70 {
		all = append(all, report.Moment{Event: report.AliasMoved, At: began.Add(time.Duration(i) * time.Minute), Detail: fmt.Sprintf("move no. %d of 69", i)})
	}
	r.Functions[0].Timeline = all
	text := report.Summary(r)
	assert.Contains(t, text, "move no. 0 of")
	assert.Contains(t, text, "move no. 69 of")
	assert.Contains(t, text, "| | | 21 more are not shown here | |")
	assert.Equal(t, 49, strings.Count(text, "| Alias moved |"))
}
