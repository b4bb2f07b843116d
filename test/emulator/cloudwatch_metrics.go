package emulator

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// metric is everything that was measured under one name and set of dimensions.
type metric struct {
	samples []sample // in the order in which they came
}

// sample is a value measured at a time, and how often.
type sample struct {
	at    time.Time
	value float64
	count int
}

// PutMetric records a value in its minute, which is as fine as AWS keeps metrics
// unless asked for more: what was measured at 12:00:59 stands at 12:00:00, also
// for a query from 12:00:30 on, whose start is rounded down. Each set of
// dimensions is a metric of its own: one that was put for function and alias is
// not found by the function alone.
func (c *CloudWatch) PutMetric(namespace, name string, dimensions map[string]string, at time.Time, value float64) {
	c.e.mu.Lock()
	defer c.e.mu.Unlock()
	c.measure(namespace, name, dimensions, sample{at: at, value: value, count: 1})
}

// Lag lets values show only so long after their time. AWS needs a minute or two
// for Lambda's.
func (c *CloudWatch) Lag(d time.Duration) {
	c.e.mu.Lock()
	defer c.e.mu.Unlock()
	c.lag = d
}

func (c *CloudWatch) measure(namespace, name string, dimensions map[string]string, s sample) {
	if s.count <= 0 {
		return
	}
	s.at = s.at.Truncate(time.Minute)
	key := metricKey(namespace, name, dimensions)
	m := c.metrics[key]
	if m == nil {
		m = &metric{}
		c.metrics[key] = m
	}
	m.samples = append(m.samples, s)
}

func metricKey(namespace, name string, dimensions map[string]string) string {
	parts := []string{namespace, name}
	for _, dimension := range slices.Sorted(maps.Keys(dimensions)) {
		parts = append(parts, dimension, dimensions[dimension])
	}
	return strings.Join(parts, "\x00")
}

// point is one statistic over one period.
type point struct {
	at    time.Time // start of the period
	value float64
}

// points are the statistic over each period from start (inclusive) to end
// (exclusive) in which anything was measured, oldest first. Samples later than
// visible do not show yet.
func (m *metric) points(start, end, visible time.Time, period time.Duration, stat statistic) []point {
	if m == nil {
		return nil
	}
	periods := map[int64][]sample{}
	for _, s := range m.samples {
		if s.at.Before(start) || !s.at.Before(end) || s.at.After(visible) {
			continue
		}
		i := int64(s.at.Sub(start) / period)
		periods[i] = append(periods[i], s)
	}
	points := make([]point, 0, len(periods))
	for _, i := range slices.Sorted(maps.Keys(periods)) {
		points = append(points, point{at: start.Add(time.Duration(i) * period), value: stat(periods[i])})
	}
	return points
}

// statistic makes one number of the samples of a period, of which there is one
// at least.
type statistic func([]sample) float64

// statisticOf gives the statistic that a name stands for; nil for one that the
// emulator does not know.
func statisticOf(name string) statistic {
	switch name {
	case "SampleCount":
		return func(all []sample) float64 { return float64(counted(all)) }
	case "Sum":
		return sum
	case "Average":
		return func(all []sample) float64 { return sum(all) / float64(counted(all)) }
	case "Minimum":
		return func(all []sample) float64 { return slices.MinFunc(all, byValue).value }
	case "Maximum":
		return func(all []sample) float64 { return slices.MaxFunc(all, byValue).value }
	}
	if rank, ok := strings.CutPrefix(name, "p"); ok {
		if percent, err := strconv.ParseFloat(rank, 64); err == nil && percent >= 0 && percent <= 100 {
			return func(all []sample) float64 { return percentile(all, percent) }
		}
	}
	return nil
}

func byValue(a, b sample) int { return cmp.Compare(a.value, b.value) }

func counted(all []sample) int {
	n := 0
	for _, s := range all {
		n += s.count
	}
	return n
}

func sum(all []sample) float64 {
	total := 0.0
	for _, s := range all {
		total += s.value * float64(s.count)
	}
	return total
}

// percentile is the smallest value that so many percent do not exceed. AWS
// estimates between values; at the numbers of a test nobody could tell.
func percentile(all []sample, percent float64) float64 {
	sorted := slices.SortedFunc(slices.Values(all), byValue)
	due := int(math.Ceil(percent / 100 * float64(counted(all))))
	for _, s := range sorted {
		due -= s.count
		if due <= 0 {
			return s.value
		}
	}
	return sorted[len(sorted)-1].value
}
