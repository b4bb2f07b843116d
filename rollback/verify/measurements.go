package verify

import (
	"fmt"
	"time"

	"github.com/org/lambda-rollback-action/rollback/errorrate"
	"github.com/org/lambda-rollback-action/rollback/report"
)

// series has the values of one metric, by the start of the minute in Unix time.
type series map[int64]float64

func (v series) in(w span) (sum float64, known bool) {
	for at, value := range v {
		if w.has(time.Unix(at, 0)) {
			sum, known = sum+value, true
		}
	}
	return sum, known
}

// measurements has everything that was read about one function or API.
type measurements struct {
	windows windows
	data    map[string]series // by the IDs of metricQueries
	// partial reports that CloudWatch did not return all of the data.
	partial bool
}

func newMeasurements(w windows) *measurements {
	return &measurements{windows: w, data: map[string]series{}}
}

// traffic has the numbers on which the verdict is based.
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

// targetTraffic returns the target version's own traffic since the move, if AWS
// counts by version.
func (m *measurements) targetTraffic() traffic {
	return m.traffic("tcalls", "terrors", m.windows.target)
}

func (m *measurements) aliasTraffic(w span) traffic { return m.traffic("calls", "errors", w) }

func (m *measurements) throttles() float64 { n, _ := m.data["throttles"].in(m.windows.now); return n }

func (m *measurements) noCalls() bool {
	return m.targetTraffic().calls == 0 && m.aliasTraffic(m.windows.now).calls == 0 && m.throttles() == 0
}

// countedByVersion reports whether AWS counted by version throughout the observation
// period. It does while two versions serve, and may stop when one has all of the
// traffic. Counts of one minute out of five say nothing about the other four.
func (m *measurements) countedByVersion() bool {
	all := m.aliasTraffic(m.windows.now).calls
	var apart float64
	for _, id := range []string{"tcalls", "fcalls"} {
		n, _ := m.data[id].in(m.windows.now)
		apart += n
	}
	return m.targetTraffic().calls > 0 && apart >= coveredShare*all
}

func (m *measurements) hadCalls() bool {
	return m.aliasTraffic(m.windows.usual).calls+m.aliasTraffic(m.windows.failing).calls > 0
}

// judge applies the rule of package errorrate, with at least the hour before the
// deploy as the baseline. It uses the target version's own numbers if AWS counts by
// version, and otherwise those of the alias. The first minute of the alias may belong
// to the failed version, so that minute alone cannot fail the check.
func (m *measurements) judge() (status report.CheckStatus, detail string) {
	now := m.targetTraffic()
	var verdict errorrate.Verdict
	mixed := false
	if m.countedByVersion() {
		verdict = m.against("tcalls", "terrors", m.windows.target)
	} else {
		now, verdict = m.aliasTraffic(m.windows.now), m.against("calls", "errors", m.windows.now)
		sure := m.against("calls", "errors", m.windows.judged)
		mixed = verdict.Rose() && !sure.Rose()
		if sure.Status == errorrate.Failed && verdict.Status != errorrate.Failed {
			now, verdict = m.aliasTraffic(m.windows.judged), sure
		}
	}
	switch {
	case now.calls == 0 && m.throttles() > 0:
		return report.CheckInconclusive, fmt.Sprintf("every call since the move was throttled (%.0f)", m.throttles())
	case now.calls == 0:
		return report.CheckInconclusive, "CloudWatch has counted no calls since the move, and missing data does not mean healthy"
	}
	detail = "error rate now " + now.String()
	if usual := m.aliasTraffic(m.windows.usual); usual.calls > 0 {
		detail += ", before the deploy " + usual.String()
	}
	if n := m.throttles(); n > 0 {
		detail += fmt.Sprintf("; %.0f calls throttled", n)
	}
	if mixed {
		return report.CheckInconclusive, detail + "; these may still be errors of the failed version: the minutes after the first one show no problem"
	}
	detail += "; " + verdict.Why()
	switch verdict.Status {
	case errorrate.Passed:
		return report.CheckPassed, detail
	case errorrate.Failed:
		return report.CheckFailed, detail
	case errorrate.Inconclusive:
	}
	return report.CheckInconclusive, detail
}

// against compares a span of time with the baseline, at least the hour before the
// deploy.
func (m *measurements) against(calls, errors string, w span) errorrate.Verdict {
	left := m.aliasTraffic(m.windows.failing)
	return errorrate.Judge(errorrate.Evidence{
		Against: errorrate.Before,
		Steps: []errorrate.Step{{
			Tested: m.counts(calls, errors, w),
			Other:  m.counts("calls", "errors", m.windows.usual),
		}},
		Left: errorrate.Count{Calls: int(left.calls), Errors: int(left.errors)},
	})
}

// counts returns the minutes of a span in which something was counted.
func (m *measurements) counts(calls, errors string, w span) []errorrate.Minute {
	var out []errorrate.Minute
	for t := w.from; t.Before(w.to); t = t.Add(period) {
		n, called := m.data[calls][t.Unix()]
		throttles, throttled := m.data["throttles"][t.Unix()]
		if called || throttled {
			out = append(out, errorrate.Minute{Start: t, Calls: int(n), Errors: int(m.data[errors][t.Unix()]), Throttles: int(throttles)})
		}
	}
	return out
}
