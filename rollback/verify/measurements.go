package verify

import (
	"fmt"
	"time"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// series are the values of one metric, by minute.
type series map[int64]float64

func (v series) in(w span) (sum float64, known bool) {
	for at, value := range v {
		if w.has(time.Unix(at, 0)) {
			sum, known = sum+value, true
		}
	}
	return sum, known
}

// measurements are everything that was read about one function.
type measurements struct {
	windows windows
	data    map[string]series // by the ids of metricQueries
	// partial: CloudWatch did not give everything.
	partial bool
	// ahead is how far CloudWatch's clock is before this machine's.
	ahead time.Duration
}

func newMeasurements(w windows) *measurements {
	return &measurements{windows: w, data: map[string]series{}}
}

// traffic is what the verdict stands on.
type traffic struct{ calls, errors float64 }

func (t traffic) share() float64 {
	if t.calls <= 0 {
		return 0
	}
	return t.errors / t.calls
}

func (t traffic) String() string {
	return fmt.Sprintf("%s (%.0f errors in %.0f calls)", report.PercentText(100*t.share()), t.errors, t.calls)
}

func (m *measurements) traffic(calls, errors string, w span) traffic {
	var t traffic
	t.calls, _ = m.data[calls].in(w)
	t.errors, _ = m.data[errors].in(w)
	return t
}

// targetTraffic is the target's own traffic since the move, where AWS counts by
// version.
func (m *measurements) targetTraffic() traffic {
	return m.traffic("tcalls", "terrors", m.windows.target)
}

func (m *measurements) aliasTraffic(w span) traffic { return m.traffic("calls", "errors", w) }

func (m *measurements) throttles() float64 { n, _ := m.data["throttles"].in(m.windows.now); return n }

func (m *measurements) noCalls() bool {
	return m.targetTraffic().calls == 0 && m.aliasTraffic(m.windows.now).calls == 0 && m.throttles() == 0
}

// countedByVersion tells whether AWS counts by version all through the watch: it does
// while two versions serve, and may stop when one serves alone. What it counts of
// one minute of five is no verdict on the other four.
func (m *measurements) countedByVersion() bool {
	all := m.aliasTraffic(m.windows.now).calls
	var apart float64
	for _, id := range []string{"tcalls", "fcalls"} {
		n, _ := m.data[id].in(m.windows.now)
		apart += n
	}
	return m.targetTraffic().calls > 0 && apart >= coveredShare*all
}

// moreThrottled tells whether more calls are throttled than was usual, by the rule
// for errors.
func (m *measurements) moreThrottled() bool {
	share := func(w span) float64 {
		n, _ := m.data["throttles"].in(w)
		return traffic{calls: n + m.aliasTraffic(w).calls, errors: n}.share()
	}
	return share(m.windows.now) > errorShare && share(m.windows.now) > errorGrowth*share(m.windows.before)
}

func (m *measurements) hadCalls() bool {
	return m.aliasTraffic(m.windows.before).calls+m.aliasTraffic(m.windows.failing).calls > 0
}

// judge is the rule. It takes the target's own numbers where AWS counts by
// version; else those of the alias, of which the first minute may be the failed
// version's and can make nothing fail by itself.
func (m *measurements) judge() (status report.CheckStatus, detail string) {
	before := m.aliasTraffic(m.windows.before)
	now, sure, certain := m.targetTraffic(), m.targetTraffic(), true
	if !m.countedByVersion() {
		now, sure = m.aliasTraffic(m.windows.now), m.aliasTraffic(m.windows.judged)
		certain = false
	}
	was := "nothing is known of the time before the deploy"
	if before.calls > 0 {
		was = "before the deploy " + before.String()
	}
	detail = fmt.Sprintf("error rate now %s, %s; it fails above %.0f %% and %d times what it was before", now, was, 100*errorShare, errorGrowth)
	if n := m.throttles(); n > 0 {
		detail += fmt.Sprintf("; %.0f calls throttled", n)
	}
	bad := func(t traffic) bool { return t.share() > errorShare && t.share() > errorGrowth*before.share() }
	switch {
	case now.calls == 0 && m.throttles() > 0:
		return report.CheckFailed, fmt.Sprintf("every call since the move was throttled (%.0f)", m.throttles())
	case now.calls == 0:
		return report.CheckInconclusive, "CloudWatch has counted no calls since the move, and no data is not health"
	case bad(sure):
		return report.CheckFailed, detail
	case bad(now) && !certain:
		return report.CheckInconclusive, detail + "; it may still be the failed version's errors, the minutes after the first are not bad"
	case m.moreThrottled():
		return report.CheckInconclusive, detail + ", more than usual: who was throttled was not served"
	}
	return report.CheckPassed, detail
}
