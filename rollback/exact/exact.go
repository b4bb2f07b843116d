// Package exact tests whether one version fails more of its calls than another. It
// has Fisher's exact test, one-sided, and its form over several strata, with the
// power of both. It does only arithmetic.
//
// The test over strata keeps the margins of every stratum and adds the errors of the
// version under test (one hypergeometric distribution per stratum, convolved). Tables
// are never pooled: if the share of the traffic and the error rate both change from
// one stratum to the next, a pooled table shows a difference that no stratum has
// (Simpson's paradox).
package exact

import (
	"fmt"
	"math"
	"slices"
	"sort"
)

// Table is one stratum: the calls of the version under test and of the other version
// in the same period, and how many of them failed. Errors are at most the calls, and
// no number is negative.
type Table struct {
	Calls, Errors           int
	OtherCalls, OtherErrors int
}

// PValue returns the probability of at least this many errors of the version under
// test over all strata, if both versions have the same error rate within each
// stratum, and given the total errors of each. With one stratum, this is Fisher's
// exact test. PValue returns 1 if nothing was counted. Relative errors are below
// 1e-9; values below 1e-40 may be returned as 0.
func PValue(strata ...Table) float64 {
	sum, errors := nothing(), 0
	for _, t := range strata {
		sum, errors = sum.plus(hypergeometric(t, precise)), errors+t.Errors
	}
	return sum.atLeast(errors)
}

// Test defines what counts as a rise: a p-value of at most Alpha, and at least Least
// errors of the version under test.
type Test struct {
	Alpha float64
	Least int
}

// Rejects reports whether the tables show a rise.
func (t Test) Rejects(strata ...Table) bool {
	errors := 0
	for _, s := range strata {
		errors += s.Errors
	}
	return errors >= t.Least && PValue(strata...) <= t.Alpha
}

// Power returns the probability that the test shows a rise if there is one: each call
// of the version under test fails with the other version's rate in the stratum plus
// rise (0.05: five points). The calls of both versions and the errors of the other
// one are those in the tables; the errors of the version under test are ignored. The
// result is exact for one stratum, and accurate to about one point for several.
func (t Test) Power(rise float64, strata ...Table) float64 {
	if len(strata) == 0 {
		return 0
	}
	failing := make([]distribution, len(strata)) // errors of the version under test
	widest := 0
	for i, s := range strata {
		rate := rise
		if s.OtherCalls > 0 {
			rate += float64(s.OtherErrors) / float64(s.OtherCalls)
		}
		failing[i] = binomial(s.Calls, math.Min(rate, 1))
		if len(failing[i].p) > len(failing[widest].p) {
			widest = i
		}
	}
	// Try combinations of the errors of all strata except the widest. For the widest,
	// the sum is exact.
	last, its := strata[widest], failing[widest]
	others, theirs := slices.Delete(slices.Clone(strata), widest, widest+1), slices.Delete(failing, widest, widest+1)
	tried := points(len(others), len(its.p))
	known, sum := map[string]float64{}, 0.0
	for n, at := range tried {
		if n == fewest && (sum > 0.9999*fewest || sum < 0.0001*fewest) {
			return sum / fewest // the result is already clear
		}
		for i := range others {
			others[i].Errors = theirs[i].quantile(at[i])
		}
		key := fmt.Sprint(others)
		if _, again := known[key]; !again {
			known[key] = its.atLeast(t.takes(others, last, its))
		}
		sum += known[key]
	}
	return sum / float64(len(tried))
}

// takes returns how many errors the last stratum must have, in addition to those of
// the others, for the test to show a rise. It tries only the numbers of errors in
// likely.
func (t Test) takes(others []Table, last Table, likely distribution) int {
	sum, errors := nothing(), 0
	for _, s := range others {
		sum, errors = sum.plus(hypergeometric(s, rough)), errors+s.Errors
	}
	tails := sum.tails()
	return likely.first + sort.Search(len(likely.p), func(more int) bool {
		x := likely.first + more
		last.Errors = x
		if errors+x < t.Least {
			return false
		}
		p, own := 0.0, hypergeometric(last, rough)
		for i, probability := range own.p {
			if rest := errors + x - own.first - i - sum.first; rest < 0 {
				p += probability
			} else if rest < len(tails) {
				p += probability * tails[rest]
			}
		}
		return p <= t.Alpha
	})
}

// fewest is the minimum number of points. They already give most of the information.
const fewest = 16

// points returns points that are spread evenly over the unit cube, the same ones each
// time. A wide distribution is also smooth, so few points are enough for it.
func points(dimensions, width int) [][]float64 {
	if dimensions == 0 {
		return [][]float64{nil}
	}
	out := make([][]float64, min(256, max(fewest, 1<<17/width)))
	for n := range out {
		out[n] = make([]float64, dimensions)
		for d := range dimensions {
			// Multiples of the square roots of primes: no two dimensions repeat each
			// other.
			_, out[n][d] = math.Modf(0.5 + float64(n)*math.Sqrt(float64(primes[d%len(primes)])))
		}
	}
	return out
}

var primes = []int{2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37}

// mostCalls limits the search for the number of calls that are needed.
const mostCalls = 1 << 27

// Needed returns approximately how many calls of the version under test are required
// in total to reach the power, if further calls fall into the last stratum. With
// beside, the other version continues to receive calls, and to fail, as in that
// stratum; otherwise its calls stay as they are. If the power is already reached,
// Needed returns the number that would have been enough. known is false if no number
// is enough.
func (t Test) Needed(rise, power float64, beside bool, strata ...Table) (calls int, known bool) {
	if len(strata) == 0 {
		return 0, false
	}
	earlier, last := strata[:len(strata)-1], strata[len(strata)-1]
	if beside && last.Calls == 0 {
		return 0, false
	}
	enough := func(calls int) bool {
		s := last
		s.Calls, s.Errors = calls, 0
		if beside {
			factor := float64(calls) / float64(last.Calls)
			s.OtherCalls = int(math.Round(factor * float64(last.OtherCalls)))
			s.OtherErrors = int(math.Round(factor * float64(last.OtherErrors)))
		}
		return t.Power(rise, slices.Concat(earlier, []Table{s})...) >= power
	}
	// More calls are not always better: one more error of the other version can
	// require one more error here. So if the present number of calls is too few,
	// smaller numbers that might have been enough are not considered.
	low, step := 0, 1
	if !enough(last.Calls) {
		low = last.Calls
	}
	for ; !enough(low + step); step *= 2 {
		if low+step >= mostCalls || !beside && step > 1000*(last.OtherCalls+1) {
			return 0, false
		}
	}
	low += step / 2
	calls = low + 1 + sort.Search(step-step/2-1, func(n int) bool { return enough(low + 1 + n) })
	for _, s := range earlier {
		calls += s.Calls
	}
	return calls, true
}
