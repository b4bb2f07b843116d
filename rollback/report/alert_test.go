package report_test

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// dated is a result whose versions have dates and commits.
func dated(r report.Result) report.Result {
	for i := range r.Functions {
		r.Functions[i].Published = map[string]time.Time{
			"42": night().Add(-3 * time.Minute), "41": night().Add(-26 * time.Hour),
		}
		r.Functions[i].Commits = map[string]string{
			"42": "1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d", "41": "0f9e8d7c6b5a49382716050403020100ffeeddcc",
		}
	}
	return r
}

func inconclusive() report.Result {
	f := api()
	f.Healthy = report.HealthUnknown
	f.Checks[1] = report.Check{Name: "invoke", Status: "inconclusive", Detail: "AWS denied lambda:InvokeFunction on api:live: allow that action for the role that this job uses"}
	return result(f)
}

func TestAlerts(t *testing.T) {
	t.Parallel()
	for name, a := range map[string]report.Alert{
		"rolled-back":         report.NewAlert(dated(rolledBack())),
		"preliminary":         report.NewAlert(dated(rolledBack())).AsPreliminary(),
		"inconclusive":        report.NewAlert(dated(inconclusive())),
		"unhealthy":           report.NewAlert(dated(unhealthy())),
		"canary-stopped":      report.NewAlert(dated(canary())),
		"failed":              report.NewAlert(dated(failed())),
		"no-previous-version": report.NewAlert(noPrevious()),
		"invalid-input":       report.NewAlert(invalidInput()),
		"several":             report.NewAlert(dated(several())),
		"planned":             report.NewAlert(planned()),
		"skipped":             report.NewAlert(skipped()),
		"not-ready":           report.NewAlert(ready(report.NotReady)),
		"trial":               report.NewAlert(ready(report.Ready)).AsTrial(),
		"drilled":             report.NewAlert(drilled()),
		"hostile":             report.NewAlert(hostile()),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var b bytes.Buffer
			encoder := json.NewEncoder(&b)
			encoder.SetEscapeHTML(false)
			encoder.SetIndent("", "  ")
			require.NoError(t, encoder.Encode(a))
			golden(t, filepath.Join("testdata", "alert", name+".json"), b.String())
		})
	}
}

func TestSeverities(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		result report.Result
		want   report.Severity
	}{
		"rolled back and healthy":                {rolledBack(), report.SeverityDone},
		"rolled back, nothing checked":           {canary(), report.SeverityDone},
		"rolled back, the checks could not tell": {inconclusive(), report.SeverityAttention},
		"rolled back and not healthy":            {unhealthy(), report.SeverityFailure},
		"failed":                                 {failed(), report.SeverityFailure},
		"one of several failed":                  {several(), report.SeverityFailure},
		"inputs wrong":                           {invalidInput(), report.SeverityFailure},
		"nothing to go back to":                  {noPrevious(), report.SeverityAttention},
		"not ready":                              {ready(report.NotReady), report.SeverityAttention},
		"ready":                                  {ready(report.Ready), report.SeverityDone},
		"drilled":                                {drilled(), report.SeverityDone},
		"skipped":                                {skipped(), report.SeverityQuiet},
		"refused":                                {refused(), report.SeverityQuiet},
		"planned":                                {planned(), report.SeverityQuiet},
		"listed":                                 {listed(), report.SeverityQuiet},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, test.want, report.SeverityOf(test.result))
		})
	}
}

// Whatever the texts are, an alert stays short enough to be sent.
func TestAlertsAreBounded(t *testing.T) {
	t.Parallel()
	for name, r := range map[string]report.Result{
		"endless texts":         crowd(1, 100_000, "@"),
		"three hundred of them": crowd(300, 300, "x"),
		"broken UTF-8":          crowd(20, 500, "\xff"),
		"control characters":    crowd(20, 500, "\x1b"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := report.NewAlert(r)
			data, err := json.Marshal(a)
			require.NoError(t, err)
			assert.Less(t, len(data), 200_000)
			assert.LessOrEqual(t, utf8.RuneCountInString(a.Headline), 150)
			assert.NotContains(t, a.Title(), "\n")
			assert.Equal(t, len(r.Functions), len(a.Functions)+a.Left+btoi(len(r.Functions) == 1))
		})
	}
	assert.NotPanics(t, func() { report.NewAlert(report.Result{}) })
	assert.NotPanics(t, func() { report.NewAlert(report.Result{Functions: make([]report.Function, 3)}) })
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

func TestATrialCannotBeTakenForAnAlert(t *testing.T) {
	t.Parallel()
	a := report.NewAlert(failed()).AsTrial()
	assert.True(t, strings.HasPrefix(a.Title(), "🔔 Test message, nothing has happened."))
	assert.Contains(t, a.Message, "This is a test of this channel")
}
