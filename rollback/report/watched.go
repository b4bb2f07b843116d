package report

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// Watched contains the metrics of a function: before the failed deploy, while it was
// live, and now. The zero value shows nothing.
type Watched struct {
	// The lengths of the periods; 0 if unknown, and then the period has no values.
	Before, Failing, Now time.Duration

	Rows []WatchedRow
}

// WatchedRow is one metric.
type WatchedRow struct {
	Name                 string
	Unit                 WatchedUnit
	Before, Failing, Now Stretch
}

// WatchedUnit is how a number is formatted.
type WatchedUnit int

// The units.
const (
	Count        WatchedUnit = iota
	Percent                  // 1 is one in a hundred
	Milliseconds             // for a duration
)

// Stretch is one metric in one period.
type Stretch struct {
	Total   Amount   // one number for the whole period
	Minutes []Amount // one number per minute, oldest first
}

// Amount is a number that may be absent.
type Amount struct {
	Value float64
	Known bool
}

// Known returns a number that is present.
func Known(value float64) Amount { return Amount{Value: value, Known: true} }

const sparkWidth = 20 // the maximum number of characters of a period

// markdown returns a table with one row per metric, and its values over time as
// blocks, or an empty string if there is nothing to show.
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

// known reports whether the period contains a number.
func (r WatchedRow) known() bool {
	return r.Before.Total.Known || r.Failing.Total.Known || r.Now.Total.Known
}

// Sparkline shows the metric over the three periods, separated by `┊`, on one scale
// that starts at 0. A minute without data is a `·`. If a period has too many minutes,
// each block shows the highest value of several minutes.
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

// PercentText formats a percentage from 0 to 100, so that a small value is never shown
// as zero.
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

// thousands formats a whole number with narrow spaces: 1 234 567.
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
		default: // a value above zero is always visible
			b.WriteRune(sparkLevels[max(1, int(math.Round(m.Value/top*float64(len(sparkLevels)-1))))])
		}
	}
	return b.String()
}

// downsample reduces a series to width values, each the highest of its part.
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
