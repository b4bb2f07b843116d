package report

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Promotion is the course of a promotion, with its counts.
type Promotion struct {
	Version string // the new version
	Stable  string // the version that was live before; empty if unknown
	// Weight is the new version's share of the traffic at the end, from 0 to 1.
	Weight float64
	// The calls and errors of both versions while they shared the traffic, and of the
	// new one since it has all of it.
	Calls, Errors             int
	StableCalls, StableErrors int
	BakeCalls, BakeErrors     int
	Looks                     []PromotionLook
	Minutes                   []PromotionMinute
}

// PromotionLook is the result of one look.
type PromotionLook struct {
	At      time.Time
	Weight  float64
	Verdict string // part of a sentence
	Passed  bool
}

// PromotionMinute contains the counts of both versions in one minute.
type PromotionMinute struct {
	At                        time.Time
	Calls, Errors             int
	StableCalls, StableErrors int
}

// NewVersion returns the counts of the new version: while it shared the traffic or, if
// it never did, while it had all of it.
func (p Promotion) NewVersion() (calls, errors int) {
	if p.Calls == 0 && p.StableCalls == 0 {
		return p.BakeCalls, p.BakeErrors
	}
	return p.Calls, p.Errors
}

// percent formats a share of the traffic.
func percent(weight float64) string { return fmt.Sprintf("%.4g%%", 100*weight) }

// promotionSection is the section of a page about a promotion.
func promotionSection(f Function) string {
	p := f.Promotion
	if p == nil || len(p.Looks) == 0 && len(p.Minutes) == 0 {
		return ""
	}
	var b strings.Builder
	if len(p.Minutes) > 0 {
		b.WriteString("| Version | Errors by minute | Calls | Errors |\n| --- | --- | --: | --: |\n")
		row := func(version, line string, calls, errors int) {
			fmt.Fprintf(&b, "| %s | %s | %d | %d (%s) |\n", version, line, calls, errors, rateText(calls, errors))
		}
		row(versionOrUnknown(p.Version)+" (new)", sparkline(p.Minutes, func(m PromotionMinute) (int, int) { return m.Calls, m.Errors }), p.Calls+p.BakeCalls, p.Errors+p.BakeErrors)
		if p.StableCalls > 0 {
			row(versionOrUnknown(p.Stable)+" (stable)", sparkline(p.Minutes, func(m PromotionMinute) (int, int) { return m.StableCalls, m.StableErrors }), p.StableCalls, p.StableErrors)
		}
		b.WriteString("\n")
	}
	if len(p.Looks) == 0 {
		return strings.TrimSuffix(b.String(), "\n\n")
	}
	b.WriteString("| UTC | Traffic | Verdict |\n| --- | --: | --- |\n")
	looks, left := p.Looks, 0
	if len(looks) > maxLines {
		left = len(looks) - maxLines
		looks = looks[left:]
	}
	for _, l := range looks {
		fmt.Fprintf(&b, "| %s | %s | %s |\n", l.At.UTC().Format("15:04:05"), percent(l.Weight), escapeMarkdown(l.Verdict, longestCell))
	}
	return strings.TrimSuffix(b.String(), "\n") + leftOut(left)
}

func rateText(calls, errors int) string {
	if calls == 0 {
		return "–"
	}
	return PercentText(100 * float64(errors) / float64(calls))
}

// sparkBars go from no errors to the most errors of any minute; a minute without calls
// is a dot.
var sparkBars = []rune("▁▂▃▄▅▆▇█")

// sparkline draws the error rate of each minute, in proportion to the highest rate of
// both versions.
func sparkline(minutes []PromotionMinute, of func(PromotionMinute) (calls, errors int)) string {
	rate := func(calls, errors int) float64 { return float64(errors) / float64(max(calls, 1)) }
	highest := 0.0
	for _, m := range minutes {
		highest = max(highest, rate(m.Calls, m.Errors), rate(m.StableCalls, m.StableErrors))
	}
	shown := minutes[max(0, len(minutes)-maxLines):]
	return string(slices.Collect(func(yield func(rune) bool) {
		for _, m := range shown {
			calls, errors := of(m)
			bar := '·'
			if calls > 0 {
				bar = sparkBars[0]
				if highest > 0 {
					bar = sparkBars[int(rate(calls, errors)/highest*float64(len(sparkBars)-1)+0.5)]
				}
			}
			if !yield(bar) {
				return
			}
		}
	}))
}

// promotionHeadline says how a promotion ended.
func (m medium) promotionHeadline(r Result) string {
	what := m.text(reasonHeadingFor(r.Command, r.Reason), longestCell)
	all := len(r.Functions)
	switch {
	case all == 0 && r.Status == Skipped:
		return "Nothing promoted: " + what
	case all == 0:
		return "Promotion failed: " + what
	case all > 1:
		n := count(r.Functions, hasStatus(r.Status))
		still := count(r.Functions, isNotRestored)
		switch {
		case still > 0:
			return outOf(still, all) + " STILL sends traffic to the new version: " + what
		case r.Status == Promoted:
			return "Promoted: " + outOf(n, all)
		case r.Status == Planned:
			return fmt.Sprintf("Dry run: %s would be promoted", functionCount(n))
		default:
			return fmt.Sprintf("%s NOT promoted: %s", outOf(n, all), what)
		}
	}
	f := r.Functions[0]
	name, version := orFunction(m.name(f.Function, longestName)), "?"
	if f.Promotion != nil {
		version = m.text(f.Promotion.Version, longestName)
	}
	switch {
	case r.Status == Promoted:
		return fmt.Sprintf("Promoted: %s is on version %s", name, version)
	case r.Status == Planned:
		return fmt.Sprintf("Dry run: %s would be promoted to version %s", name, version)
	case f.NotRestored:
		return fmt.Sprintf("%s STILL sends %s of its traffic to version %s: %s", name, percent(f.Promotion.Weight), version, what)
	case f.MovedAt != "":
		return fmt.Sprintf("Promotion stopped: %s is on version %s again, %s", name, m.text(versionOrUnknown(f.To), longestName), what)
	case f.From != "":
		return fmt.Sprintf("%s was NOT promoted and is on version %s: %s", name, m.text(versionOrUnknown(f.From), longestName), what)
	default:
		return fmt.Sprintf("%s was NOT promoted: %s", name, what)
	}
}
