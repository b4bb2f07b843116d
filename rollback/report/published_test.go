package report_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// Workflows rely on these fields and on no others.
func TestWhatIsPublishedOfAFunction(t *testing.T) {
	t.Parallel()
	f := told()
	f.RecoveryMS = new(int64(74_000))
	f.Checks, f.Changes, f.Timeline = f.Checks[:1], f.Changes[1:2], f.Timeline[4:5]
	data, err := json.Marshal(f.Publish())
	require.NoError(t, err)
	assert.JSONEq(t, `{"function":"api","arn":"arn:aws:lambda:eu-west-1:123456789012:function:api:live","region":"eu-west-1","alias":"live",
		"status":"rolled-back","reason":"previous-version","message":"api in production was rolled back from version 42 to 41.",
		"from":"42","to":"41","weights-cleared":false,"rejected":["42"],
		"proof":"Version 42 was published at 03:11:40 UTC, while the job “deploy / production” of this run was running (03:09:02 to 03:12:55 UTC).",
		"healthy":"true","checks":[{"name":"health https://shop.example.com/health","status":"passed","detail":"200 three times in a row, 41 ms"}],
		"changes":[{"what":"memory","from":"512 MB","to":"256 MB"}],"moved-at":"2026-03-07T03:14:05Z","duration-ms":812,
		"timeline":[{"event":"traffic-moved","at":"2026-03-07T03:14:05Z","detail":""}],"time-to-recovery-ms":74000}`, string(data))
}

func TestNothingPublishedIsNull(t *testing.T) {
	t.Parallel()
	for _, published := range []any{report.Function{}.Publish(), report.Version{}.Publish()} {
		data, err := json.Marshal(published)
		require.NoError(t, err)
		assert.NotContains(t, string(data), "null")
		assert.NotContains(t, string(data), "0001-01-01")
	}
	assert.Equal(t, report.HealthUnknown, report.Function{}.Publish().Healthy)
}

// jq's dates know no fractions.
func TestMomentsArePublishedInWholeSeconds(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 7, 4, 14, 7, 999, time.FixedZone("CET", 3600))
	f := report.Function{Timeline: []report.Moment{{Event: report.AliasMoved, At: at}}}
	assert.Equal(t, "2026-03-07T03:14:07Z", f.Publish().Timeline[0].At)
}
