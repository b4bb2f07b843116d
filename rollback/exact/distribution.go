package exact

import (
	"math"
	"slices"
)

// distribution gives the probability of first, first+1 and so on. What is less
// likely than the likeliest by a factor is left out at the ends.
type distribution struct {
	first int
	p     []float64
}

// The factors: for a p-value, and for the power, which a thousandth more or less
// does not change.
const (
	precise = 1e-50
	rough   = 1e-12
)

// nothing is 0 for certain.
func nothing() distribution { return distribution{0, []float64{1}} }

// outward builds a distribution from its likeliest value by the ratio of
// p(x+1) to p(x). Every factor is near 1 and the sum is made 1 at the end, so
// that nothing overflows and no logarithms of factorials, which lose digits where
// there are millions of calls, are subtracted from each other.
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

// hypergeometric is how many of the errors of the table fall on the version under
// test where an error is as likely on any call.
func hypergeometric(t Table, negligible float64) distribution {
	errors, others := t.Errors+t.OtherErrors, t.OtherCalls
	low, high := max(0, errors-others), min(errors, t.Calls)
	mode := int(float64(t.Calls+1) * (float64(errors+1) / float64(t.Calls+others+2)))
	return outward(low, mode, high, negligible, func(x int) float64 {
		return float64(errors-x) / float64(x+1) * (float64(t.Calls-x) / float64(others-errors+x+1))
	})
}

// binomial is how many of the calls fail where each fails with this probability.
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

// plus is the distribution of the sum of two independent numbers.
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

// tails gives the probability of at least first, first+1 and so on.
func (d distribution) tails() []float64 {
	out, sum := make([]float64, len(d.p)), 0.0
	for i := len(d.p) - 1; i >= 0; i-- {
		sum += d.p[i]
		out[i] = math.Min(sum, 1)
	}
	return out
}

// quantile is the least number that is reached with this probability.
func (d distribution) quantile(probability float64) int {
	sum := 0.0
	for i, p := range d.p {
		if sum += p; sum >= probability {
			return d.first + i
		}
	}
	return d.first + len(d.p) - 1
}

// atLeast is the probability of x or more. The small numbers are added first.
func (d distribution) atLeast(x int) float64 {
	sum := 0.0
	for i := len(d.p) - 1; i >= max(0, x-d.first); i-- {
		sum += d.p[i]
	}
	return math.Min(sum, 1)
}
