package report_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// aPromotion from 42 to 43 that ended with so much of the traffic on 43.
func aPromotion(name string, weight float64, minutes ...report.PromotionMinute) report.Function {
	f := aDrill(name)
	f.Target, f.Why = "43", ""
	f.Promotion = &report.Promotion{Version: "43", Stable: "42", Weight: weight}
	for i, m := range minutes {
		m.At = night().Add(time.Duration(i-20) * time.Minute)
		p := f.Promotion
		p.Minutes = append(p.Minutes, m)
		if m.StableCalls == 0 {
			p.BakeCalls, p.BakeErrors = p.BakeCalls+m.Calls, p.BakeErrors+m.Errors
			continue
		}
		p.Calls, p.Errors, p.StableCalls, p.StableErrors = p.Calls+m.Calls, p.Errors+m.Errors, p.StableCalls+m.StableCalls, p.StableErrors+m.StableErrors
	}
	return f
}

func shared(errors, stable int) report.PromotionMinute {
	return report.PromotionMinute{Calls: 60, Errors: errors, StableCalls: 540, StableErrors: stable}
}

func alone(errors int) report.PromotionMinute {
	return report.PromotionMinute{Calls: 600, Errors: errors}
}

func looks(f *report.Function, verdicts ...report.PromotionLook) {
	for i, l := range verdicts {
		l.At = night().Add(time.Duration(2*i-18) * time.Minute)
		f.Promotion.Looks = append(f.Promotion.Looks, l)
	}
}

func promoted() report.Result {
	f := aPromotion("api", 1, shared(0, 2), shared(1, 3), shared(0, 1), alone(4), alone(2))
	f.Status, f.Reason, f.To, f.Healthy = report.Promoted, "", "43", report.Healthy
	f.Message = "api:live in production is on version 43, from version 42; it was watched for 5m there and is healthy: a rise of 5 points would have been seen"
	looks(&f, report.PromotionLook{Weight: 0.1, Verdict: "version 43 had 1 errors in 180 calls, version 42 had 6 in 1620; step done", Passed: true},
		report.PromotionLook{Weight: 1, Verdict: "version 43 had 6 errors in 1200 calls with all of the traffic; done", Passed: true})
	f.Timeline = []report.Moment{
		{Event: report.TrafficShifted, At: night().Add(-20 * time.Minute), Detail: "10% to version 43"},
		{Event: report.Looked, At: night().Add(-12 * time.Minute), Detail: "10% after 8m: version 43 had 1 errors in 180 calls"},
		{Event: report.TrafficShifted, At: night().Add(-12 * time.Minute), Detail: "100% to version 43"},
	}
	return companion("promote", f)
}

func promotedUnseen() report.Result {
	f := aPromotion("api", 1, alone(0))
	f.Status, f.Reason, f.To, f.Healthy, f.Attention = report.Promoted, "", "43", report.HealthUnknown, true
	f.Message = "api:live in production is on version 43, from version 42; could not confirm that it is healthy: too few calls to tell"
	return companion("promote", f)
}

func promotionStopped() report.Result {
	f := aPromotion("api", 0, shared(0, 2), shared(12, 3))
	f.Status, f.Reason, f.To, f.MovedAt, f.Left, f.Healthy = report.Failed, report.Unhealthy, "42", "2026-03-07T03:13:59Z", "43", report.NotHealthy
	f.WeightsCleared, f.Rejected = true, []string{"43"}
	f.Message = "api:live in production is on version 42 again: the promotion to version 43 was stopped at 10% of the traffic, because version 43 had 12 errors in 120 calls, version 42 had 5 in 1080"
	looks(&f, report.PromotionLook{Weight: 0.1, Verdict: "version 43 had 12 errors in 120 calls, version 42 had 5 in 1080; going back"})
	return companion("promote", f)
}

func promotionStranded() report.Result {
	f := aPromotion("api", 0.1, shared(0, 2))
	f.Status, f.Reason, f.NotRestored = report.Failed, report.Cancelled, true
	f.Message = "api:live in production STILL sends 10% of the traffic to version 43: the run was cancelled; it could not be returned to version 42: AWS denied lambda:UpdateAlias"
	return companion("promote", f)
}

func promotionRefused() report.Result {
	f := aPromotion("api", 0)
	f.Promotion, f.Status, f.Reason = nil, report.Failed, report.Refused
	f.Message = "api:live in production was NOT promoted to version 43, and is on version 42: something else is shifting the traffic"
	return companion("promote", f)
}

func promotionOfSeveral() report.Result {
	r, still := promotionStopped(), promotionStranded().Functions[0]
	still.Function = "worker"
	third := promotionStopped().Functions[0]
	third.Function, third.Healthy, third.Rejected = "mail", report.HealthUnknown, nil
	r.Functions = append(r.Functions, still, third)
	report.Conclude(&r)
	return r
}

func promotions() map[string]report.Result {
	return map[string]report.Result{
		"promoted": promoted(), "promoted-unseen": promotedUnseen(), "promotion-stopped": promotionStopped(),
		"promotion-stranded": promotionStranded(), "promotion-refused": promotionRefused(), "promotion-several": promotionOfSeveral(),
	}
}

func TestPagesOfPromotions(t *testing.T) {
	t.Parallel()
	for name, r := range promotions() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			golden(t, filepath.Join("testdata", "summary", name+".md"), report.Summary(r))
			golden(t, filepath.Join("testdata", "text", name+".txt"), report.Text(r))
		})
	}
}

// Where the traffic is comes first, and how to return it.
func TestATrafficThatWasNotReturned(t *testing.T) {
	t.Parallel()
	r := promotionStranded()
	assert.Equal(t, "api STILL sends 10% of its traffic to version 43: the run was cancelled", report.Headline(r))
	assert.Contains(t, report.Text(r), "aws lambda update-alias --function-name api --name live --function-version 42 --routing-config AdditionalVersionWeights={}")
	assert.NotContains(t, report.Text(r), "drill")
	assert.Contains(t, promotionOfSeveral().Message, "traffic of worker STILL goes to the new version; ")
}

func TestHowUrgentAPromotionIs(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]report.Severity{
		"promoted": report.SeverityDone, "promoted-unseen": report.SeverityAttention, "promotion-stopped": report.SeverityFailure,
		"promotion-stranded": report.SeverityFailure, "promotion-refused": report.SeverityFailure, "promotion-several": report.SeverityFailure,
	} {
		assert.Equal(t, want, report.SeverityOf(promotions()[name]), name)
	}
	assert.True(t, promotionStopped().RolledBack())
	assert.False(t, promotionStranded().RolledBack())
	assert.False(t, promoted().RolledBack())
}
