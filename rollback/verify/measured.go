package verify

import (
	"fmt"
	"time"

	"github.com/org/lambda-rollback-action/rollback/errorrate"
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

// measured is everything that was read about one function.
type measured struct {
	windows

	data map[string]series // by the ids of metricQueries
	// partial: CloudWatch did not give everything.
	partial bool
	// ahead is how far CloudWatch's clock is before this machine's.
	ahead time.Duration
}

func newMeasured(w windows) *measured { return &measured{windows: w, data: map[string]series{}} }

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

func (m *measured) traffic(calls, errors string, w span) traffic {
	var t traffic
	t.calls, _ = m.data[calls].in(w)
	t.errors, _ = m.data[errors].in(w)
	return t
}

// byVersion is the target's own traffic since the move, where AWS counts by
// version.
func (m *measured) byVersion() traffic { return m.traffic("tcalls", "terrors", m.target) }

func (m *measured) byAlias(w span) traffic { return m.traffic("calls", "errors", w) }

func (m *measured) throttles() float64 { n, _ := m.data["throttles"].in(m.now); return n }

func (m *measured) quiet() bool {
	return m.byVersion().calls == 0 && m.byAlias(m.now).calls == 0 && m.throttles() == 0
}

// counted tells whether AWS counts by version all through the watch: it does
// while two versions serve, and may stop when one serves alone. What it counts of
// one minute of five is no verdict on the other four.
func (m *measured) counted() bool {
	all := m.byAlias(m.now).calls
	var apart float64
	for _, id := range []string{"tcalls", "fcalls"} {
		n, _ := m.data[id].in(m.now)
		apart += n
	}
	return m.byVersion().calls > 0 && apart >= coveredShare*all
}

func (m *measured) busyBefore() bool {
	return m.byAlias(m.usual).calls+m.byAlias(m.failing).calls > 0
}

// judge applies the rule of package errorrate against the hour before the deploy.
// It takes the target's own numbers where AWS counts by version; else those of the
// alias, of which the first minute may be the failed version's and can make nothing
// fail by itself.
func (m *measured) judge() (status report.CheckStatus, detail string) {
	now := m.byVersion()
	var verdict errorrate.Verdict
	mixed := false
	if m.counted() {
		verdict = m.against("tcalls", "terrors", m.target)
	} else {
		now, verdict = m.byAlias(m.now), m.against("calls", "errors", m.now)
		sure := m.against("calls", "errors", m.judged)
		mixed = verdict.Rose() && !sure.Rose()
		if sure.Status == errorrate.Failed && verdict.Status != errorrate.Failed {
			now, verdict = m.byAlias(m.judged), sure
		}
	}
	switch {
	case now.calls == 0 && m.throttles() > 0:
		return Inconclusive, fmt.Sprintf("every call since the move was throttled (%.0f)", m.throttles())
	case now.calls == 0:
		return Inconclusive, "CloudWatch has counted no calls since the move, and no data is not health"
	}
	detail = "error rate now " + now.String()
	if usual := m.byAlias(m.usual); usual.calls > 0 {
		detail += ", before the deploy " + usual.String()
	}
	if n := m.throttles(); n > 0 {
		detail += fmt.Sprintf("; %.0f calls throttled", n)
	}
	if mixed {
		return Inconclusive, detail + "; it may still be the failed version's errors, the minutes after the first are not bad"
	}
	detail += "; " + verdict.Why()
	switch verdict.Status {
	case errorrate.Passed:
		return Passed, detail
	case errorrate.Failed:
		return Failed, detail
	case errorrate.Inconclusive:
	}
	return Inconclusive, detail
}

// against compares a stretch of time with the hour before the deploy.
func (m *measured) against(calls, errors string, w span) errorrate.Verdict {
	left := m.byAlias(m.failing)
	return errorrate.Judge(errorrate.Evidence{
		Against: errorrate.Before,
		Steps: []errorrate.Step{{
			Tested: m.counts(calls, errors, w),
			Other:  m.counts("calls", "errors", m.usual),
		}},
		Left: errorrate.Count{Calls: int(left.calls), Errors: int(left.errors)},
	})
}

// counts are the minutes of a stretch in which something was counted.
func (m *measured) counts(calls, errors string, w span) []errorrate.Minute {
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
