package history

import "slices"

// Rule is one way of choosing where to go back to, with its name.
type Rule struct {
	Name string
	Roll Roller
}

// Rules are the program, and the four shortest rules that people write
// instead of it.
func Rules() []Rule {
	return []Rule{
		{"second-to-last of the list", naive(func(l *Lambda) int64 {
			numbers := l.numbers()
			if len(numbers) < 2 {
				return 0
			}
			return numbers[len(numbers)-2]
		})},
		{"alias minus one", naive(func(l *Lambda) int64 { return l.serving().Version - 1 })},
		{"next lower existing", naive(func(l *Lambda) int64 {
			return l.below(l.serving().Version, func(*version) bool { return true })
		})},
		{"recorded in a tag before the deploy", naive(func(l *Lambda) int64 { return l.tag })},
		{"this action", Ours},
	}
}

// naive moves every function's alias whenever a run has failed. As in the
// scripts that are meant, a canary's weight is left where it is, and what AWS
// refuses is not done.
func naive(choose func(*Lambda) int64) Roller {
	return func(w *World, r *Run, a *Attempt) {
		if a.Ends == Succeeds { // the scripts stand under if: failure()
			for _, l := range w.functions {
				w.note(l, r, a, l.snapshotOf(r))
			}
			return
		}
		for range 1 + min(1, int(r.Twice)) { // the step run again moves again
			for _, l := range w.functions {
				to := Serving{Version: choose(l), Weighted: l.serving().Weighted}
				if l.versions[to.Version] != nil && to.Version != to.Weighted {
					l.point(to)
				}
			}
		}
		for _, l := range w.functions {
			w.note(l, r, a, l.snapshotOf(r))
		}
		for _, l := range w.functions {
			w.depart(l, r)
		}
	}
}

// note says whether a function ended where it belongs.
func (w *World) note(l *Lambda, r *Run, a *Attempt, snapshot int64) (Truth, bool) {
	truth := w.truth(l, r, a, snapshot)
	now, top := l.serving(), w.top(l).Serving
	right := now == top || truth.Restored && now.Weighted == 0 && l.versions[now.Version] != nil && !w.bad(l, now.Version)
	if !truth.Stays {
		right = now.Weighted == 0 && slices.Contains(truth.Accept, now.Version)
	}
	w.Judged = append(w.Judged, Verdict{
		Run: r.Number, Function: l.name, Right: right, Was: top, Now: now, Truth: truth,
		Bad: now != top && l.versions[now.Version] != nil && w.bad(l, now.Version),
	})
	return truth, right
}

// Mended plays each step by a rule, after which a person puts right what it got
// wrong: one mistake then counts once, and not for all that comes after it.
func Mended(roll Roller) Roller {
	return func(w *World, r *Run, a *Attempt) {
		before := len(w.Judged)
		roll(w, r, a)
		for _, v := range w.Judged[before:] {
			if v.Right {
				continue
			}
			for _, l := range w.functions {
				if l.name == v.Function {
					w.mend(l, r, v)
				}
			}
		}
	}
}

func (w *World) mend(l *Lambda, r *Run, v Verdict) {
	to := v.Was
	if !v.Truth.Stays {
		to = Serving{Version: v.Truth.Accept[0]}
	}
	if l.serving() != to {
		l.point(to)
		w.settle(l, r)
	}
}
