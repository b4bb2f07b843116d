package errorrate_test

import (
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/rollback/errorrate"
)

var (
	runs  = flag.Int("runs", 25, "simulated watches for each figure of the table of false alarms and misses")
	write = flag.Bool("write", false, "write the table into the decision record, see there")
)

const (
	record = "../../docs/decisions/0013-the-rule-for-error-rates.md"
	watch  = 5 // minutes
)

// scene is what the version under test is compared with, and its share of the
// traffic.
type scene struct {
	title   string
	against errorrate.Against
	share   float64
}

var scenes = []scene{
	{"A canary of 10 % for 5 minutes, looked at every minute", errorrate.Beside, 0.1},
	{"All of the traffic for 5 minutes after a move, looked at once", errorrate.Before, 1},
}

// situation is how both versions are called and how they fail.
type situation struct {
	scene    scene
	rate     float64 // calls a second
	base     float64 // share of errors of both
	rise     float64 // more of the version under test
	bursts   bool    // errors come in threes, within a minute
	incident bool    // from some minute of the watch on both have 10 points more
}

// observed is what was counted.
type observed struct {
	tested, other []errorrate.Minute // in the watch; other is of the hour before where there is no other
	before        errorrate.Count    // both, in as long a time before the deploy
}

type simulation struct{ *rand.Rand }

func (r simulation) poisson(mean float64) int {
	if mean > 500 {
		return max(0, int(math.Round(mean+math.Sqrt(mean)*r.NormFloat64())))
	}
	n := 0
	for at := r.ExpFloat64(); at < mean; at += r.ExpFloat64() {
		n++
	}
	return n
}

func (r simulation) binomial(n int, p float64) int {
	if p <= 0 {
		return 0
	}
	found := 0
	for at := 0.0; ; found++ {
		if at += 1 + math.Floor(math.Log(1-r.Float64())/math.Log1p(-p)); at > float64(n) {
			return found
		}
	}
}

func (r simulation) minute(number int, calls, rate float64, bursts bool) errorrate.Minute {
	m := errorrate.Minute{Start: began.Add(time.Duration(number) * time.Minute), Calls: r.poisson(60 * calls)}
	if bursts {
		m.Errors = min(m.Calls, 3*r.binomial(m.Calls, rate/3))
	} else {
		m.Errors = r.binomial(m.Calls, rate)
	}
	return m
}

func (r simulation) observe(s situation) observed {
	var o observed
	fails := watch
	if s.incident {
		fails = r.IntN(watch)
	}
	for n := range watch {
		base := s.base
		if n >= fails {
			base += 0.1
		}
		o.tested = append(o.tested, r.minute(n, s.rate*s.scene.share, base+s.rise, s.bursts))
		if s.scene.against == errorrate.Beside {
			o.other = append(o.other, r.minute(n, s.rate*(1-s.scene.share), base, s.bursts))
		}
		past := r.minute(-n-1, s.rate, s.base, s.bursts)
		o.before.Calls, o.before.Errors = o.before.Calls+past.Calls, o.before.Errors+past.Errors
		if s.scene.against == errorrate.Before {
			o.other = append(o.other, past)
		}
	}
	for n := watch; n < 60 && s.scene.against == errorrate.Before; n++ {
		o.other = append(o.other, r.minute(-n-1, s.rate, s.base, s.bursts))
	}
	return o
}

// rules are what is compared, by the heads of their columns.
var rules = []struct {
	name  string
	judge func(scene, observed) errorrate.Status
}{
	{"the rule", func(s scene, o observed) errorrate.Status {
		if s.against == errorrate.Before {
			return errorrate.Judge(errorrate.Evidence{Against: s.against, Steps: []errorrate.Step{{Tested: o.tested, Other: o.other}}}).Status
		}
		var status errorrate.Status
		for look := 1; look <= watch; look++ {
			status = errorrate.Judge(errorrate.Evidence{Looks: watch, Steps: []errorrate.Step{{Tested: o.tested[:look], Other: o.other[:look]}}}).Status
			if status == errorrate.Failed {
				break
			}
		}
		return status
	}},
	{"1 % and twice before", func(_ scene, o observed) errorrate.Status {
		var now errorrate.Count
		for _, m := range o.tested {
			now.Calls, now.Errors = now.Calls+m.Calls, now.Errors+m.Errors
		}
		switch {
		case now.Calls == 0:
			return errorrate.Inconclusive
		case now.Rate() > 0.01 && now.Rate() > 2*o.before.Rate():
			return errorrate.Failed
		}
		return errorrate.Passed
	}},
	{"an error in a minute", inAMinute(func(m errorrate.Minute) bool { return m.Errors >= 1 })},
	{"5 % in a minute", inAMinute(func(m errorrate.Minute) bool { return m.Errors > 0 && 20*m.Errors >= m.Calls })},
}

// inAMinute is an alarm on a metric of one version: it rings or it does not.
func inAMinute(rings func(errorrate.Minute) bool) func(scene, observed) errorrate.Status {
	return func(_ scene, o observed) errorrate.Status {
		if slices.ContainsFunc(o.tested, rings) {
			return errorrate.Failed
		}
		return errorrate.Passed
	}
}

// shares of the simulated watches by the status, for each rule.
type shares [][3]float64

func simulate(s situation, n int) shares {
	seed := fmt.Sprint(s.scene.share, s.rate, s.base, s.rise, s.bursts, s.incident)
	var key [32]byte
	copy(key[:], seed)
	random := simulation{rand.New(rand.NewChaCha8(key))}
	out := make(shares, len(rules))
	for range n {
		o := random.observe(s)
		for i, rule := range rules {
			out[i][rule.judge(s.scene, o)] += 1 / float64(n)
		}
	}
	return out
}

// row is one line of a table: which watches are behind it, and its cells.
type row struct {
	situations []situation
	cells      func(found []shares) []string
}

type table struct {
	title string
	heads []string
	rows  []row
}

func text(share float64) string {
	return strconv.FormatFloat(math.Round(1000*share)/10, 'g', -1, 64)
}

func tables() []table {
	var out []table
	names := func(first ...string) []string {
		for _, rule := range rules {
			first = append(first, rule.name)
		}
		return first
	}
	for _, scene := range scenes {
		plain := table{
			title: scene.title + ": healthy versions that fail / versions with 5 points more errors that pass / with 20 points more that pass, in %",
			heads: names("calls a second, base", "no verdict by the rule"),
		}
		hard := table{
			title: scene.title + ": healthy versions that fail where errors come in threes / where an incident hits both versions, in %",
			heads: names("calls a second, base"),
		}
		for _, base := range []float64{0, 0.001, 0.01} {
			for _, rate := range []float64{0.1, 1, 10, 100} {
				s := situation{scene: scene, rate: rate, base: base}
				name := fmt.Sprintf("%g, %g %%", rate, 100*base)
				five, twenty, bursts, incident := s, s, s, s
				five.rise, twenty.rise = 0.05, 0.2
				bursts.bursts, incident.incident = true, true
				plain.rows = append(plain.rows, row{[]situation{s, five, twenty}, func(found []shares) []string {
					none := errorrate.Inconclusive
					cells := []string{name, strings.Join([]string{text(found[0][0][none]), text(found[1][0][none]), text(found[2][0][none])}, " / ")}
					for i := range rules {
						cells = append(cells, strings.Join([]string{text(found[0][i][errorrate.Failed]), text(found[1][i][errorrate.Passed]), text(found[2][i][errorrate.Passed])}, " / "))
					}
					return cells
				}})
				hard.rows = append(hard.rows, row{[]situation{bursts, incident}, func(found []shares) []string {
					cells := []string{name}
					for i := range rules {
						cells = append(cells, text(found[0][i][errorrate.Failed])+" / "+text(found[1][i][errorrate.Failed]))
					}
					return cells
				}})
			}
		}
		out = append(out, plain, hard)
	}
	return out
}

// TestTheTableOfFalseAlarmsAndMisses simulates the watches of the decision record's
// tables anew, fewer of them, and compares: the record says what the code does.
// With -runs 2000 -write it writes them.
func TestTheTableOfFalseAlarmsAndMisses(t *testing.T) {
	t.Parallel()
	written, err := os.ReadFile(record)
	require.NoError(t, err)
	head, rest, found := strings.Cut(string(written), "## The tables\n")
	require.True(t, found)
	old, tail, found := strings.Cut(rest, "## Consequences\n")
	require.True(t, found)
	recorded := cellsOf(old)

	var lines strings.Builder
	for _, table := range tables() {
		fmt.Fprintf(&lines, "\n%s:\n\n| %s |\n|%s\n", table.title, strings.Join(table.heads, " | "), strings.Repeat(" --- |", len(table.heads)))
		for _, row := range table.rows {
			var found []shares
			for _, s := range row.situations {
				got := simulate(s, *runs)
				hold(t, s, got[0])
				found = append(found, got)
			}
			cells := row.cells(found)
			fmt.Fprintf(&lines, "| %s |\n", strings.Join(cells, " | "))
			if !*write {
				require.NotEmpty(t, recorded, "the record has fewer lines")
				near(t, recorded[0], cells)
				recorded = recorded[1:]
			}
		}
	}
	if *write {
		text := head + "## The tables\n" + lines.String() + "\n## Consequences\n" + tail
		require.NoError(t, os.WriteFile(record, []byte(text), 0o600))
		return
	}
	assert.Empty(t, recorded, "the record has more lines")
}

// hold is what the rule promises, as far as so many trials can tell.
func hold(t *testing.T, s situation, got [3]float64) {
	t.Helper()
	atMost := func(limit float64, status errorrate.Status) {
		assert.LessOrEqual(t, got[status], limit+noise(limit, *runs), "%+v", s)
	}
	if s.rise == 0 && !s.bursts && (!s.incident || s.scene.against == errorrate.Beside) {
		atMost(errorrate.FalseAlarms, errorrate.Failed)
	}
	if s.rise == 0.05 {
		atMost(1-errorrate.SeenWith, errorrate.Passed)
	}
	if s.rise == 0.2 && s.rate >= 10 {
		atMost(0, errorrate.Passed)
		assert.InDelta(t, 1, got[errorrate.Failed], 1e-9, "%+v", s)
	}
}

// noise is by how much a share in so many trials may be off: once in some ten
// thousand, and the trials are the same each time.
func noise(share float64, trials int) float64 {
	return 4*math.Sqrt(share*(1-share)/float64(trials)) + 4/float64(trials)
}

// cellsOf gives the lines of the tables in a text, without their heads.
func cellsOf(text string) [][]string {
	var out [][]string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); len(line) > 2 && line[0] == '|' && line[2] >= '0' && line[2] <= '9' {
			out = append(out, strings.Split(strings.Trim(line, "| "), " | "))
		}
	}
	return out
}

// near compares a line of the record with one of fewer trials.
func near(t *testing.T, recorded, got []string) {
	t.Helper()
	require.Len(t, got, len(recorded))
	assert.Equal(t, recorded[0], got[0])
	for i := 1; i < len(got); i++ {
		want, have := strings.Split(recorded[i], " / "), strings.Split(got[i], " / ")
		require.Len(t, have, len(want))
		for j := range want {
			a, err := strconv.ParseFloat(want[j], 64)
			require.NoError(t, err)
			b, err := strconv.ParseFloat(have[j], 64)
			require.NoError(t, err)
			assert.InDelta(t, a, b, 100*noise(a/100, *runs)+0.1, "%s: column %d", got[0], i+1)
		}
	}
}
