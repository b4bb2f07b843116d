package runner_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/test/emulator"
)

// BenchmarkRollback is the whole process, from start to exit, with calls to AWS
// that take 60 ms each. What counts are the calls; the time is theirs.
func BenchmarkRollback(b *testing.B) {
	for _, c := range []struct {
		name string
		put  func(*scene, *step)
	}{
		{"3 versions", func(s *scene, _ *step) { s.function("api", 3) }},
		{"3000 versions", func(s *scene, _ *step) { s.function("api", 3_000) }},
		{"gap of 1197 above 2", func(s *scene, _ *step) { s.gap(2, 1_197) }},
		{"gap of 1197 above 3000", func(s *scene, _ *step) { s.gap(3_000, 1_197) }},
		{"20 functions", func(s *scene, st *step) { st.input("function-name", strings.Join(s.many(20), "\n")) }},
	} {
		b.Run(c.name, func(b *testing.B) {
			var calls, row, moved float64
			for range b.N {
				b.StopTimer()
				s := newScene(b)
				s.distant(60 * time.Millisecond)
				st := s.step()
				c.put(s, st)
				b.StartTimer()
				p := st.start()
				o := p.wait()
				b.StopTimer()
				require.Equal(b, "rolled-back", o.status(), o.outputs["message"])
				asked := s.asked(emulator.ServiceLambda)
				moves := s.Calls(on("UpdateAlias", "live"))
				calls += float64(len(asked))
				if len(moves) == 1 { // of several functions, none has a row of its own
					row += float64(rounds(asked, moves[0]))
				}
				moved += float64(moves[len(moves)-1].End.Sub(p.started).Milliseconds())
				b.StartTimer()
			}
			n := float64(b.N)
			b.ReportMetric(calls/n, "calls")
			if row > 0 {
				b.ReportMetric(row/n, "calls-in-a-row")
			}
			b.ReportMetric(moved/n, "ms-to-move")
		})
	}
}

// BenchmarkStart is from the start of the process to its first call to AWS.
func BenchmarkStart(b *testing.B) {
	var first float64
	for range b.N {
		b.StopTimer()
		s := newScene(b)
		s.function("api", 3)
		st := s.step()
		b.StartTimer()
		p := st.start()
		o := p.wait()
		b.StopTimer()
		require.Equal(b, "rolled-back", o.status(), fmt.Sprint(o.outputs))
		first += float64(s.asked(emulator.ServiceLambda)[0].Start.Sub(p.started).Microseconds()) / 1000
		b.StartTimer()
	}
	b.ReportMetric(first/float64(b.N), "ms-to-first-call")
}
