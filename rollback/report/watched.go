package report

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// Watched is what was measured of a function: before the failed deploy, while
// it served, and now. The zero value has nothing to show.
type Watched struct {
	// Lengths of the stretches; 0: not known, and then nothing stands in them.
	Before, Failing, Now time.Duration

	Rows []WatchedRow
}

// WatchedRow is one metric.
type WatchedRow struct {
	Name                 string
	Unit                 WatchedUnit
	Before, Failing, Now Stretch
}

// WatchedUnit says how a number is written.
type WatchedUnit int

// The units.
const (
	Count        WatchedUnit = iota
	Percent                  // 1 is one in a hundred
	Milliseconds             // of a duration
)

// Stretch is one metric over one stretch of time.
type Stretch struct {
	Total   Amount   // one number for all of it
	Minutes []Amount // one for each minute, the oldest first
}

// Amount is a number, or the lack of one.
type Amount struct {
	Value float64
	Known bool
}

// Known is an amount that is there.
func Known(value float64) Amount { return Amount{Value: value, Known: true} }

const sparkWidth = 20 // characters a stretch has at most

// markdown is a table with a line for each metric, and its course in blocks;
// empty where there is nothing to show.
func (w Watched) markdown() string {
	if !slices.ContainsFunc(w.Rows, WatchedRow.known) {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "| | Before the deploy%s | Failing%s | Now%s | Minute by minute |\n", lengthText(w.Before), lengthText(w.Failing), lengthText(w.Now))
	b.WriteString("| --- | --: | --: | --: | --- |\n")
	for _, r := range w.Rows {
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", escapeMarkdown(r.Name, longestCell),
			r.Before.Total.inUnit(r.Unit), r.Failing.Total.inUnit(r.Unit), r.Now.Total.inUnit(r.Unit), r.Sparkline())
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// known: there is a number in it.
func (r WatchedRow) known() bool {
	return r.Before.Total.Known || r.Failing.Total.Known || r.Now.Total.Known
}

// Sparkline is the metric's course over the three stretches, parted by `┊`, on
// one scale that begins at 0. A minute without data is a `·`; where a stretch
// has too many minutes, the worst of neighbours stands for them.
func (r WatchedRow) Sparkline() string {
	var parts []string
	top := max(highest(r.Before.Minutes), highest(r.Failing.Minutes), highest(r.Now.Minutes))
	for _, s := range []Stretch{r.Before, r.Failing, r.Now} {
		if text := bars(downsample(s.Minutes, sparkWidth), top); text != "" {
			parts = append(parts, text)
		}
	}
	return strings.Join(parts, "┊")
}

func lengthText(d time.Duration) string {
	if d < time.Minute {
		return ""
	}
	return fmt.Sprintf(" (%d min)", int(d.Round(time.Minute)/time.Minute))
}

func (a Amount) inUnit(unit WatchedUnit) string {
	if !a.Known || !finite(a.Value) {
		return "–"
	}
	switch unit {
	case Percent:
		return PercentText(a.Value)
	case Milliseconds:
		return thousands(math.Round(a.Value)) + " ms"
	default:
		return thousands(math.Round(a.Value))
	}
}

// PercentText writes a share of 0 to 100 so that what is there is never shown
// as nothing.
func PercentText(share float64) string {
	switch {
	case share > 0 && share < 0.1:
		return "< 0.1 %"
	case share < 10:
		return fmt.Sprintf("%.1f %%", share)
	default:
		return fmt.Sprintf("%.0f %%", share)
	}
}

// thousands writes a whole number with thin gaps: 1 234 567.
func thousands(n float64) string {
	text := fmt.Sprintf("%.0f", math.Abs(n))
	var b strings.Builder
	if n < 0 {
		b.WriteByte('-')
	}
	for i, digit := range text {
		if i > 0 && (len(text)-i)%3 == 0 {
			b.WriteRune('\u202f')
		}
		b.WriteRune(digit)
	}
	return b.String()
}

var sparkLevels = []rune("▁▂▃▄▅▆▇█")

func bars(minutes []Amount, top float64) string {
	var b strings.Builder
	for _, m := range minutes {
		switch {
		case !m.Known || !finite(m.Value):
			b.WriteRune('·')
		case top <= 0 || m.Value <= 0:
			b.WriteRune(sparkLevels[0])
		default: // what is more than nothing is seen to be
			b.WriteRune(sparkLevels[max(1, int(math.Round(m.Value/top*float64(len(sparkLevels)-1))))])
		}
	}
	return b.String()
}

// downsample brings a series down to width values, each the highest of its share.
func downsample(minutes []Amount, width int) []Amount {
	if len(minutes) <= width {
		return minutes
	}
	out := make([]Amount, width)
	for i, m := range minutes {
		at := i * width / len(minutes)
		if m.Known && finite(m.Value) && (!out[at].Known || m.Value > out[at].Value) {
			out[at] = m
		}
	}
	return out
}

func highest(minutes []Amount) float64 {
	top := 0.0
	for _, m := range minutes {
		if m.Known && finite(m.Value) {
			top = max(top, m.Value)
		}
	}
	return top
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
