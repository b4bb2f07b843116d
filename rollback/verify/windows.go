package verify

import "time"

// windows are the stretches of time that are compared, in whole minutes. The
// minute in which the alias moved has calls of both versions; it counts as
// failing.
type windows struct {
	before, failing, now span
	usual                span // what is judged against: before, and longer
	judged               span // now, without the minute that the clocks' difference may make the failed version's
	target               span // now, for what is counted by version
}

type span struct{ from, to time.Time }

func (w span) length() time.Duration { return max(0, w.to.Sub(w.from)) }

func (w span) has(minute time.Time) bool { return !minute.Before(w.from) && minute.Before(w.to) }

// newWindows are in AWS's time, which is ahead of this machine's by so much.
func (r *run) newWindows(s Subject, ahead time.Duration) windows {
	// What came after the watch is not counted whole yet when it is read.
	watched := r.started.Add(r.options.Observe)
	if now := r.clock.Now(); now.Before(watched.Add(skew)) {
		watched = now.Add(skew)
	}
	moved, end := s.MovedAt, ceil(watched.Add(ahead))
	// With provisioned concurrency the traffic follows the alias minutes later;
	// the checks begin when it has.
	if moved.Before(r.started) {
		moved = r.started
	}
	moved = moved.Add(ahead)
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
	// The target did not serve between deploy and move, so that its calls in
	// the minute of the move came after it. Not so where it served until that
	// very minute, or all along.
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
