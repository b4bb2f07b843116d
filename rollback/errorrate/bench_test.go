package errorrate_test

import (
	"testing"

	"github.com/org/lambda-rollback-action/rollback/errorrate"
)

// How long a verdict takes, at the last of three steps.
func BenchmarkJudge(b *testing.B) {
	for name, perMinute := range map[string]int{"1 call a second": 60, "100 calls a second": 6000, "10,000 calls a second": 600_000} {
		e := errorrate.Evidence{Looks: 15}
		for i, share := range []int{10, 50, 90} {
			n := perMinute * share / 100
			o := perMinute - n
			e.Steps = append(e.Steps, errorrate.Step{
				Tested: minutes(6*i, n, n/100, n/100, n/100, n/100, n/100),
				Other:  minutes(6*i, o, o/100, o/100, o/100, o/100, o/100),
			})
		}
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				errorrate.Judge(e)
			}
		})
	}
	few := errorrate.Evidence{Looks: 15, Steps: []errorrate.Step{
		{Tested: minutes(0, 1, 0, 0, 0), Other: minutes(0, 9, 0, 0, 1)},
		{Tested: minutes(4, 5, 0, 0, 1), Other: minutes(4, 5, 0, 0, 0)},
	}}
	b.Run("too few calls", func(b *testing.B) {
		for b.Loop() {
			errorrate.Judge(few)
		}
	})
}
