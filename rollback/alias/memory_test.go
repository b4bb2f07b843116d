package alias_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/org/lambda-rollback-action/rollback/alias"
)

var at = time.Date(2026, 11, 22, 3, 4, 5, 0, time.UTC)

func TestDescription(t *testing.T) {
	t.Parallel()
	many := func(first, step int64, n int, run int64) (r alias.Rejections) {
		for i := range int64(n) {
			r = r.Add(first+i*step, run)
		}
		return r
	}
	for name, test := range map[string]struct {
		memory alias.Memory
		want   string
	}{
		"as the contract shows it": {
			alias.Memory{Rejected: alias.Rejections{}.Add(40, 7001).Add(42, 7002), Run: 7002, Attempt: 1, At: at, By: "rollback"},
			"rejected=42@7002,40@7001 run=7002/1 at=2026-11-22T03:04:05Z by=rollback",
		},
		"nothing rejected yet": {
			alias.Memory{Run: 7002, Attempt: 3, At: at, By: "snapshot"},
			"rejected= run=7002/3 at=2026-11-22T03:04:05Z by=snapshot",
		},
		"no run caused it": {
			alias.Memory{Rejected: alias.Rejections{}.Add(42, 0), At: at},
			"rejected=42 at=2026-11-22T03:04:05Z",
		},
		"when space runs out the lowest neighbours are joined first": {
			alias.Memory{Rejected: many(31, 1, 14, 12345678901), Run: 12345678901, Attempt: 1, At: at, By: "rollback"},
			"rejected=44@12345678901,43@12345678901,42@12345678901,41@12345678901,40@12345678901,39@12345678901,38@12345678901,37@12345678901,36@12345678901,35@12345678901,34@12345678901,33@12345678901,31-32 run=12345678901/1 at=2026-11-22T03:04:05Z by=rollback",
		},
		"and where nothing can be joined the lowest is dropped": {
			alias.Memory{Rejected: many(31, 2, 14, 12345678901), Run: 12345678901, Attempt: 1, At: at, By: "rollback"},
			"rejected=57@12345678901,55@12345678901,53@12345678901,51@12345678901,49@12345678901,47@12345678901,45@12345678901,43@12345678901,41@12345678901,39@12345678901,37@12345678901,35@12345678901 run=12345678901/1 at=2026-11-22T03:04:05Z by=rollback",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := test.memory.Description()
			assert.Equal(t, test.want, got)
			assert.LessOrEqual(t, len(got), 256)
			parsed, err := alias.ParseDescription(got)
			require.NoError(t, err)
			assert.Equal(t, got, parsed.Description())
		})
	}
}

func TestParseDescriptionRefuses(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"somebody's own words":   "the alias for the blue fleet",
		"empty":                  "",
		"a key twice":            "rejected=42 rejected=41",
		"no number":              "rejected=v42",
		"leading zero":           "rejected=042",
		"minus":                  "rejected=-42",
		"zero":                   "rejected=0",
		"nineteen digits":        "rejected=1000000000000000000",
		"a row upside down":      "rejected=40-31",
		"overlapping":            "rejected=35,31-40",
		"the same twice":         "rejected=35,35",
		"a run that is no id":    "rejected=42@abc",
		"a time that is none":    "rejected=42 at=yesterday",
		"written by a stranger":  "rejected=42 by=me",
		"an attempt that is not": "rejected=42 run=1/x",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := alias.ParseDescription(text)
			assert.ErrorContains(t, err, "failed to parse description")
		})
	}
}

// The highest number that is taken, and how much of a wrong field is repeated.
func TestParseDescriptionAtItsLimits(t *testing.T) {
	t.Parallel()
	m, err := alias.ParseDescription("rejected=999999999999999999")
	require.NoError(t, err)
	assert.Equal(t, []string{"999999999999999999"}, m.Rejected.Strings())
	_, err = alias.ParseDescription(strings.Repeat("ä", 60))
	require.ErrorContains(t, err, `"`+strings.Repeat("ä", 60)+`"`)
	_, err = alias.ParseDescription(strings.Repeat("ä", 61))
	require.ErrorContains(t, err, `"`+strings.Repeat("ä", 60)+`…"`)
}

func TestRejectionsRemoveSplitsARow(t *testing.T) {
	t.Parallel()
	m, err := alias.ParseDescription("rejected=42@7,31-40")
	require.NoError(t, err)
	assert.Equal(t, []string{"42", "36-40", "31-34"}, m.Rejected.Remove(35).Strings())
	assert.Equal(t, []string{"42", "31-39"}, m.Rejected.Remove(40).Strings())
	assert.Equal(t, []string{"31-40"}, m.Rejected.Remove(42).Strings())
}

// Whatever is rejected in whatever order: the Description fits, reads back, and
// never rejects a version that was not, and loses the lowest ones first.
func TestDescriptionProperties(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		versions := rapid.SliceOfN(rapid.Int64Range(1, 120), 0, 60).Draw(t, "versions")
		run := rapid.Int64Range(0, 99_999_999_999).Draw(t, "run")
		m := alias.Memory{Run: run, Attempt: 1, At: at, By: alias.ByRollback}
		if rapid.Bool().Draw(t, "promotes") {
			m.By, m.Promotes = alias.BySnapshot, rapid.Int64Range(1, 999_999_999).Draw(t, "version")
		}
		rejected := map[int64]bool{}
		for _, v := range versions {
			if rapid.Bool().Draw(t, "add") {
				m.Rejected, rejected[v] = m.Rejected.Add(v, run), true
			} else {
				m.Rejected, rejected[v] = m.Rejected.Remove(v), false
			}
		}
		text := m.Description()
		if len(text) > 256 || strings.ContainsAny(text, "\n\r") {
			t.Fatalf("description of %d bytes: %s", len(text), text)
		}
		back, err := alias.ParseDescription(text)
		if err != nil {
			t.Fatal(err)
		}
		if back.Promotes != m.Promotes || back.By != m.By {
			t.Fatalf("it reads back as %+v: %s", back, text)
		}
		lost := false // from here down everything may be gone
		for v := int64(120); v > 0; v-- {
			_, found := back.Rejected.Find(v)
			switch {
			case found && !rejected[v]:
				t.Fatalf("%d is rejected, nobody did that: %s", v, text)
			case found && lost:
				t.Fatalf("%d is kept, a higher one was lost: %s", v, text)
			case !found && rejected[v]:
				lost = true
			}
		}
	})
}

func FuzzParseDescription(f *testing.F) {
	f.Add("rejected=42@7002,40@7001 run=7002/1 at=2026-11-22T03:04:05Z by=rollback")
	f.Add("rejected=31-40 later=key")
	f.Add("rejected= run=7002/1 at=2026-11-22T03:04:05Z by=snapshot promotes=43")
	f.Fuzz(func(t *testing.T, text string) {
		m, err := alias.ParseDescription(text)
		if err != nil {
			return
		}
		again, err := alias.ParseDescription(m.Description())
		require.NoError(t, err)
		assert.Equal(t, m.Description(), again.Description())
	})
}
