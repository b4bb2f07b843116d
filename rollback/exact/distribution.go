package exact

import (
	"math"
	"slices"
)

// distribution has the probabilities of first, first+1 and so on. Values at both ends
// are left out if they are less likely than the most likely value by a given factor.
type distribution struct {
	first int
	p     []float64
}

// The factors for leaving out values: precise for a p-value, and rough for the power,
// for which a difference of a thousandth does not matter.
const (
	precise = 1e-50
	rough   = 1e-12
)

// nothing returns the distribution that is always 0.
func nothing() distribution { return distribution{0, []float64{1}} }

// outward builds a distribution starting from its most likely value, from the ratio
// of p(x+1) to p(x). Every factor is close to 1, and the sum is scaled to 1 at the
// end. So nothing overflows, and no logarithms of factorials, which lose digits with
// millions of calls, are subtracted from each other.
func outward(low, mode, high int, negligible float64, ratio func(x int) float64) distribution {
	mode = min(max(mode, low), high)
	var down []float64
	for x, p := mode, 1.0; x > low; x-- {
		if p /= ratio(x - 1); p < negligible {
			break
		}
		down = append(down, p)
	}
	d := distribution{first: mode - len(down), p: make([]float64, 0, 2*len(down)+1)}
	slices.Reverse(down)
	d.p = append(d.p, down...)
	d.p = append(d.p, 1)
	for x, p := mode, 1.0; x < high; x++ {
		if p *= ratio(x); p < negligible {
			break
		}
		d.p = append(d.p, p)
	}
	sum := 0.0
	for _, p := range d.p {
		sum += p
	}
	for i := range d.p {
		d.p[i] /= sum
	}
	return d
}

// hypergeometric returns the distribution of how many errors of the table belong to
// the version under test, if every call is equally likely to fail.
func hypergeometric(t Table, negligible float64) distribution {
	errors, others := t.Errors+t.OtherErrors, t.OtherCalls
	low, high := max(0, errors-others), min(errors, t.Calls)
	mode := int(float64(t.Calls+1) * (float64(errors+1) / float64(t.Calls+others+2)))
	return outward(low, mode, high, negligible, func(x int) float64 {
		return float64(errors-x) / float64(x+1) * (float64(t.Calls-x) / float64(others-errors+x+1))
	})
}

// binomial returns the distribution of how many calls fail, if each fails with this
// probability.
func binomial(calls int, probability float64) distribution {
	switch {
	case probability <= 0:
		return nothing()
	case probability >= 1:
		return distribution{calls, []float64{1}}
	}
	odds := probability / (1 - probability)
	return outward(0, int(float64(calls+1)*probability), calls, rough, func(x int) float64 {
		return float64(calls-x) / float64(x+1) * odds
	})
}

// plus returns the distribution of the sum of two independent numbers.
func (d distribution) plus(e distribution) distribution {
	sum := distribution{d.first + e.first, make([]float64, len(d.p)+len(e.p)-1)}
	for i, p := range d.p {
		if p == 0 {
			continue
		}
		into := sum.p[i : i+len(e.p)]
		for j, q := range e.p {
			into[j] += p * q
		}
	}
	return sum
}

// tails returns the probabilities of at least first, at least first+1 and so on.
func (d distribution) tails() []float64 {
	out, sum := make([]float64, len(d.p)), 0.0
	for i := len(d.p) - 1; i >= 0; i-- {
		sum += d.p[i]
		out[i] = math.Min(sum, 1)
	}
	return out
}

// quantile returns the smallest number such that the probability of at most that
// number is at least probability.
func (d distribution) quantile(probability float64) int {
	sum := 0.0
	for i, p := range d.p {
		if sum += p; sum >= probability {
			return d.first + i
		}
	}
	return d.first + len(d.p) - 1
}

// atLeast returns the probability of x or more. It adds the small numbers first.
func (d distribution) atLeast(x int) float64 {
	sum := 0.0
	for i := len(d.p) - 1; i >= max(0, x-d.first); i-- {
		sum += d.p[i]
	}
	return math.Min(sum, 1)
}
