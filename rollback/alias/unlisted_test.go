package alias_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// A role that may read versions and not list them still finds the one before a gap,
// unless that is very long: then the missing action is named, and nothing is moved.
func TestVersionsThatMayNotBeListed(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		old    []int64 // what exists below 242
		reason report.Reason
		to     string
	}{
		"right below":            {[]int64{241}, report.PreviousVersion, "241"},
		"a short gap":            {[]int64{240}, report.PreviousVersion, "240"},
		"a gap of ten":           {[]int64{231, 230}, report.PreviousVersion, "231"},
		"a gap of ninety":        {[]int64{3, 151}, report.PreviousVersion, "151"},
		"a gap that is too long": {[]int64{3}, report.AccessDenied, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			play(t, func(t *testing.T, s *scene) {
				s.lambda.versions = map[int64]fakeVersion{242: s.lambda.versions[42]}
				for _, v := range c.old {
					known := s.lambda.versions[242]
					known.modified = clockAt(0, 0).Add(time.Duration(v-300) * 24 * time.Hour)
					s.lambda.versions[v] = known
				}
				s.lambda.set("live", 242, nil, "serves production")
				s.lambda.faults = func(call string, _ int) *fault {
					if strings.HasPrefix(call, "ListVersionsByFunction") {
						return &fault{err: answer(403, "AccessDeniedException", "not authorized to perform lambda:ListVersionsByFunction")}
					}
					return nil
				}
				r := s.run(t)
				assert.Equal(t, c.reason, r.Reason, r.Message)
				assert.Equal(t, c.to, r.To)
				assert.LessOrEqual(t, s.lambda.count("ListVersionsByFunction"), 1)
				if c.reason == report.AccessDenied {
					assert.Contains(t, r.Message, "lambda:ListVersionsByFunction")
				}
			})
		})
	}
}
