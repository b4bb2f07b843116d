package alias_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/stretchr/testify/assert"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// reads are the numbers whose configuration was read, each as often as it was; 0:
// without a number.
func (s *scene) reads() []int {
	var out []int
	for _, call := range s.lambda.calls {
		if number, read := strings.CutPrefix(call, "GetFunctionConfiguration"); read {
			n, _ := strconv.Atoi(strings.TrimSpace(number))
			out = append(out, n)
		}
	}
	slices.Sort(out)
	return out
}

// exist makes versions that are older than the run, beside the one that it deployed.
func (s *scene) exist(deployed int64, others ...int64) {
	own := s.lambda.versions[42]
	s.lambda.versions = map[int64]fakeVersion{deployed: own}
	for _, v := range others {
		s.lambda.versions[v] = fakeVersion{modified: clockAt(0, 0).Add(time.Duration(v-3000) * time.Hour), state: types.StateActive}
	}
	s.lambda.set("live", deployed, nil, "serves production")
}

func from(first, last int) []int64 {
	var out []int64
	for v := first; v <= last; v++ {
		out = append(out, int64(v))
	}
	return out
}

// Which numbers are read on the way to the version before.
func TestWhichNumbersAreReadBelow(t *testing.T) {
	t.Parallel()
	many := make([]int, 0, 30)
	for v := 1974; v <= 2000; v++ { // 24 beside the listing, and those that were read at first
		many = append(many, v)
	}
	for name, c := range map[string]struct {
		given func(*scene)
		to    string
		reads []int
	}{
		"right below":                       {func(*scene) {}, "41", []int{40, 41, 42}},
		"over a gap: two beside the page":   {func(s *scene) { s.exist(42, 30) }, "30", []int{30, 38, 39, 40, 41, 42}},
		"none below version 1":              {func(s *scene) { s.exist(4) }, "", []int{1, 2, 3, 4}},
		"none of a row that was rejected":   {func(s *scene) { s.exist(42, 10); s.remembers(10, "rejected=20-38") }, "10", []int{10, 19, 39, 40, 41, 42}},
		"one that was rejected after a run": {func(s *scene) { s.exist(42, 30); s.remembers(30, "rejected=39@7001") }, "30", []int{30, 38, 39, 40, 41, 42}},
		"none above a canary": {func(s *scene) {
			s.exist(42, 30, 38)
			s.lambda.versions[38] = fakeVersion{modified: clockAt(0, -60), state: types.StateFailed}
			s.lambda.set("live", 38, map[string]float64{"42": 0.1}, "serves production")
		}, "30", []int{30, 36, 37, 38, 40, 41, 42}},
		"over a gap of thousands": {func(s *scene) { s.exist(2000, from(1, 650)...) }, "650", append([]int{650}, many...)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			play(t, func(t *testing.T, s *scene) {
				c.given(s)
				r := s.run(t)
				assert.Equal(t, c.to, r.To, r.Message)
				assert.Equal(t, c.reads, s.reads())
			})
		})
	}
}

// Which numbers are read above an alias that this run did not move, and what of them
// is rejected.
func TestWhichNumbersAreReadAbove(t *testing.T) {
	t.Parallel()
	all := func(parts ...[]int64) []int {
		var out []int
		for _, part := range parts {
			for _, v := range part {
				out = append(out, int(v))
			}
		}
		slices.Sort(out)
		return out
	}
	own := func(s *scene, versions ...int64) {
		for _, v := range versions {
			s.lambda.versions[v] = fakeVersion{modified: clockAt(1, 30), state: types.StateActive}
		}
	}
	for name, c := range map[string]struct {
		given    func(*scene)
		rejected []string
		reads    []int
	}{
		"none exists":                {func(*scene) {}, []string{}, all(from(39, 45))},
		"one exists":                 {func(s *scene) { own(s, 42) }, []string{"42"}, all(from(39, 49))},
		"one in each four":           {func(s *scene) { own(s, 43, 47) }, []string{"47", "43"}, all(from(39, 53))},
		"twenty: no further":         {func(s *scene) { own(s, from(42, 61)...) }, nil, all(from(39, 61))},
		"one was rejected, close by": {func(s *scene) { s.remembers(41, "rejected=43") }, []string{"43"}, all(from(39, 45))},
		"one was rejected far above, and another came after it": {func(s *scene) { s.remembers(41, "rejected=60"); own(s, 61) },
			[]string{"61", "60"}, all(from(39, 45), from(61, 68))},
		"the next four were rejected and deleted, and another came after them": {func(s *scene) { s.remembers(41, "rejected=42-45"); own(s, 46) },
			[]string{"46", "42-45"}, all(from(39, 45), from(46, 53))},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			play(t, func(t *testing.T, s *scene) {
				delete(s.lambda.versions, 42)
				s.lambda.set("live", 41, nil, "serves production")
				c.given(s)
				r := s.run(t)
				assert.Equal(t, report.NotDeployed, r.Reason, r.Message)
				if c.rejected != nil {
					assert.Equal(t, c.rejected, r.Rejected)
				}
				assert.Equal(t, c.reads, s.reads())
			})
		})
	}
}
