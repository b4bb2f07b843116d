// Package exact tests whether one version fails more of its calls than another:
// Fisher's exact test, one-sided, and its form over several strata, with the
// power of both. It is arithmetic alone.
//
// The test over strata keeps the margins of every stratum and adds up the errors
// of the version under test (one hypergeometric distribution a stratum, convolved).
// Tables are never pooled: where the share of the traffic and the rate of errors
// both change from one stratum to the next, a pooled table shows a difference that
// no stratum has (Simpson's paradox).
package exact

import (
	"fmt"
	"math"
	"slices"
	"sort"
)

// Table is one stratum: the calls of the version under test and of the other one
// in the same stretch of time, and how many of them failed. Errors are at most the
// calls; none is negative.
type Table struct {
	Calls, Errors           int
	OtherCalls, OtherErrors int
}

// PValue is the probability of at least so many errors of the version under test
// over all strata, where both versions fail alike in each and the errors of each
// are given. One stratum makes it Fisher's exact test. It is 1 where nothing was
// counted. Relative errors are below 1e-9; what is less than 1e-40 may be given
// as 0.
func PValue(strata ...Table) float64 {
	sum, errors := nothing(), 0
	for _, t := range strata {
		sum, errors = sum.plus(hypergeometric(t, precise)), errors+t.Errors
	}
	return sum.atLeast(errors)
}

// Test is what counts as a rise: a p-value of at most Alpha, and at least Least
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

// Power is the probability that the test shows a rise where there is one: each
// call of the version under test fails with the other's rate of the stratum plus
// rise (0.05: five points). The calls of both and the errors of the other are
// taken as they stand in the tables; the errors of the version under test are not
// looked at. For one stratum it is exact, for several true to about one point.
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
	// The errors of all strata but the widest are tried, and for those of the
	// widest the sum is exact.
	last, its := strata[widest], failing[widest]
	others, theirs := slices.Delete(slices.Clone(strata), widest, widest+1), slices.Delete(failing, widest, widest+1)
	tried := points(len(others), len(its.p))
	known, sum := map[string]float64{}, 0.0
	for n, at := range tried {
		if n == fewest && (sum > 0.9999*fewest || sum < 0.0001*fewest) {
			return sum / fewest // there is no doubt
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

// takes is how many errors the last stratum must have, beside the errors of the
// others, for the test to show a rise. Those that it will not have are not tried.
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

// fewest points tell most of what there is to know.
const fewest = 16

// points are spread evenly over the unit cube, the same each time. Where a
// distribution is wide it is smooth, too, and few are enough.
func points(dimensions, width int) [][]float64 {
	if dimensions == 0 {
		return [][]float64{nil}
	}
	out := make([][]float64, min(256, max(fewest, 1<<17/width)))
	for n := range out {
		out[n] = make([]float64, dimensions)
		for d := range dimensions {
			// Multiples of the square roots of primes: no two of them repeat
			// each other.
			_, out[n][d] = math.Modf(0.5 + float64(n)*math.Sqrt(float64(primes[d%len(primes)])))
		}
	}
	return out
}

var primes = []int{2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37}

// mostCalls ends the search for the calls that are needed.
const mostCalls = 1 << 27

// Needed is about how many calls of the version under test it takes in all for
// the power to be reached, where further calls fall into the last stratum. Beside:
// the other version goes on getting calls, and failing, as it does in that stratum;
// else its calls stay as they are. Where the power is reached already it is the
// number that would have been enough. Not known where no number is.
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
	// More calls are not always better by themselves: one error more of the
	// other version can ask for one more here. So what is too few now is not
	// compared with what might have been enough before.
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
