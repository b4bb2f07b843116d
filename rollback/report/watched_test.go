package report_test

import (
	"math"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/org/lambda-rollback-action/rollback/report"
)

func stretch(total report.Amount, minutes ...float64) report.Stretch {
	s := report.Stretch{Total: total}
	for _, m := range minutes {
		s.Minutes = append(s.Minutes, report.Amount{Value: m, Known: m >= 0})
	}
	return s
}

func TestWatchedMarkdown(t *testing.T) {
	t.Parallel()
	var none report.Amount
	w := report.Watched{
		Before: 5 * time.Minute, Failing: 12 * time.Minute, Now: 5 * time.Minute,
		Rows: []report.WatchedRow{
			{Name: "Calls", Before: stretch(report.Known(1_234_567), 90, 100, 95), Failing: stretch(report.Known(812), 100, 60), Now: stretch(report.Known(480), 80, 100)},
			{Name: "Error rate", Unit: report.Percent, Before: stretch(report.Known(0.02), 0, 0.1, 0), Failing: stretch(report.Known(43.7), 30, 60), Now: stretch(report.Known(1.25), 2.5, 0)},
			{Name: "Duration, average", Unit: report.Milliseconds, Before: stretch(none, -1, -1, -1), Failing: stretch(report.Known(1_204.4), 1_204, -1), Now: stretch(none)},
			{Name: "A | hostile `name`", Before: stretch(none), Failing: stretch(none), Now: stretch(report.Known(0), 0)},
		},
	}
	golden(t, filepath.Join("testdata", "watched.md"), w.Markdown()+"\n")
}

func TestWatchedNothing(t *testing.T) {
	t.Parallel()
	var none report.Amount
	assert.Empty(t, report.Watched{}.Markdown())
	assert.Empty(t, report.Watched{Before: time.Minute, Rows: []report.WatchedRow{
		{Name: "Calls", Before: stretch(none, -1), Failing: stretch(none, -1, -1), Now: stretch(none)},
	}}.Markdown(), "a table of dashes tells nobody anything")
}

func TestSparkline(t *testing.T) {
	t.Parallel()
	hour := make([]float64, 60)
	hour[30] = 9
	for name, c := range map[string]struct {
		row  report.WatchedRow
		want string
	}{
		"nothing":                    {report.WatchedRow{}, ""},
		"one scale for all":          {report.WatchedRow{Before: stretch(report.Amount{}, 0, 7), Now: stretch(report.Amount{}, 14)}, "▁▅┊█"},
		"a little is not nothing":    {report.WatchedRow{Now: stretch(report.Amount{}, 0, 1, 10_000)}, "▁▂█"},
		"all zero":                   {report.WatchedRow{Now: stretch(report.Amount{}, 0, 0)}, "▁▁"},
		"minutes without data":       {report.WatchedRow{Now: stretch(report.Amount{}, -1, 5, -1)}, "·█·"},
		"not a number":               {report.WatchedRow{Now: report.Stretch{Minutes: []report.Amount{report.Known(math.NaN()), report.Known(math.Inf(1)), report.Known(1)}}}, "··█"},
		"an hour keeps its one peak": {report.WatchedRow{Now: stretch(report.Amount{}, hour...)}, strings.Repeat("▁", 10) + "█" + strings.Repeat("▁", 9)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, c.want, c.row.Sparkline())
		})
	}
}
