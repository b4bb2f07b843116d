package verify

import (
	"time"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// table returns the measurements as a table for people.
func (m *measurements) table() *report.Watched {
	w := &report.Watched{Before: m.windows.before.length(), Failing: m.windows.failing.length(), Now: m.windows.now.length() - skew}
	row := func(name string, unit report.WatchedUnit, stretch func(span) report.Stretch) {
		w.Rows = append(w.Rows, report.WatchedRow{
			Name: name, Unit: unit, Before: stretch(m.windows.before), Failing: stretch(m.windows.failing), Now: stretch(m.windows.now),
		})
	}
	sum := func(id string) func(span) report.Stretch {
		return func(w span) report.Stretch {
			total, known := m.data[id].in(w)
			return report.Stretch{Total: report.Amount{Value: total, Known: known}, Minutes: m.minutes(w, id)}
		}
	}
	row("Calls", report.Count, sum("calls"))
	row("Errors", report.Count, sum("errors"))
	row("Error rate", report.Percent, func(w span) report.Stretch {
		t := m.aliasTraffic(w)
		return report.Stretch{Total: report.Amount{Value: 100 * t.share(), Known: t.calls > 0}, Minutes: m.shares(w)}
	})
	row("Throttled", report.Count, sum("throttles"))
	row("Duration, average", report.Milliseconds, func(w span) report.Stretch {
		return report.Stretch{Total: m.average(w), Minutes: m.minutes(w, "average")}
	})
	row("Duration, p99 of the worst minute", report.Milliseconds, func(w span) report.Stretch {
		return report.Stretch{Total: m.worst(w), Minutes: m.minutes(w, "p99")}
	})
	return w
}

// perMinute returns the values of each minute of w. For the current period, it leaves
// out the minutes at the end whose metrics are still to come.
func (m *measurements) perMinute(w span, value func(at int64) report.Amount) []report.Amount {
	var out []report.Amount
	for t := w.from; t.Before(w.to); t = t.Add(period) {
		out = append(out, value(t.Unix()))
	}
	if w == m.windows.now {
		for len(out) > 0 && !out[len(out)-1].Known {
			out = out[:len(out)-1]
		}
	}
	return out
}

func (m *measurements) minutes(w span, id string) []report.Amount {
	return m.perMinute(w, func(at int64) report.Amount {
		v, known := m.data[id][at]
		return report.Amount{Value: v, Known: known}
	})
}

func (m *measurements) shares(w span) []report.Amount {
	return m.perMinute(w, func(at int64) report.Amount {
		t := traffic{calls: m.data["calls"][at], errors: m.data["errors"][at]}
		return report.Amount{Value: 100 * t.share(), Known: t.calls > 0}
	})
}

// average returns the average duration, weighting each minute by its calls.
func (m *measurements) average(w span) report.Amount {
	var time, calls float64
	for _, at := range m.spanned(w, "average") {
		n := max(m.data["calls"][at], 1)
		time, calls = time+n*m.data["average"][at], calls+n
	}
	if calls == 0 {
		return report.Amount{}
	}
	return report.Known(time / calls)
}

func (m *measurements) worst(w span) report.Amount {
	out := report.Amount{}
	for _, at := range m.spanned(w, "p99") {
		out = report.Known(max(out.Value, m.data["p99"][at]))
	}
	return out
}

func (m *measurements) spanned(w span, id string) []int64 {
	var out []int64
	for at := range m.data[id] {
		if w.has(time.Unix(at, 0)) {
			out = append(out, at)
		}
	}
	return out
}
