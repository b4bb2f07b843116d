package verify

import "time"

// windows has the periods that are compared, in whole minutes. The minute in which
// the alias was moved has calls of both versions, and counts as failing.
type windows struct {
	before, failing, now span
	usual                span // the baseline: ends like before, and lasts at least usualTime
	judged               span // now without its first minute, which may belong to the failed version if the clocks differ
	target               span // now for metrics that are counted by version; may begin earlier
}

type span struct{ from, to time.Time }

func (w span) length() time.Duration { return max(0, w.to.Sub(w.from)) }

func (w span) has(minute time.Time) bool { return !minute.Before(w.from) && minute.Before(w.to) }

func (r *run) newWindows(s Subject) windows {
	// The metrics from after the observation period are not complete yet when they
	// are read.
	watched := r.started.Add(r.options.Observe)
	if now := r.clock.Now(); now.Before(watched.Add(skew)) {
		watched = now.Add(skew)
	}
	moved, end := s.MovedAt, ceil(watched)
	// With provisioned concurrency, the traffic follows the alias minutes later. The
	// checks begin once it has.
	if moved.Before(r.started) {
		moved = r.started
	}
	observed := (r.options.Observe + period - 1).Truncate(period)
	var w windows
	w.now = span{ceil(moved), end}
	w.judged = span{ceil(moved).Add(skew), end}
	w.target = w.now
	deployed := s.DeployedAt
	if deployed.IsZero() || !deployed.Before(moved) {
		w.failing = span{ceil(moved).Add(-observed), ceil(moved)}
		return w
	}
	begin := deployed.Truncate(period)
	w.before = span{begin.Add(-observed), begin}
	w.usual = span{begin.Add(-max(observed, usualTime)), begin}
	w.failing = span{begin, ceil(moved)}
	if w.failing.length() > longestFailing {
		w.failing.from = w.failing.to.Add(-longestFailing)
	}
	// The target did not serve between the deploy and the move, so its calls in the
	// minute of the move came after the move. This is not the case if it served until
	// that minute, or all the time.
	if !s.ServedBefore && begin.Before(moved.Truncate(period)) {
		w.target.from = moved.Truncate(period)
	}
	return w
}

func ceil(t time.Time) time.Time {
	if down := t.Truncate(period); down.Before(t) {
		return down.Add(period)
	}
	return t
}
