package emulator

import (
	"math"
	"strconv"
	"time"
)

// lambdaNamespace is where Lambda keeps its metrics.
const lambdaNamespace = "AWS/Lambda"

// How long the invokes of Traffic take, in milliseconds: one in fifty is slow.
const (
	usualDuration = 20
	slowDuration  = 200
	slowOneIn     = 50
)

// Traffic records what Lambda measures when an alias is invoked so often a
// minute, from a moment (inclusive) to another (exclusive), while a share of the
// invokes fails: Invocations, Errors, Throttles and Duration, for the function
// and for the alias. Invokes and failures are spread evenly, without chance.
func (f *Function) Traffic(alias string, from, to time.Time, perMinute int, errorRate float64) {
	f.traffic(alias, 0, from, to, perMinute, errorRate)
}

// TrafficOn is Traffic that is recorded for the executed version too, as AWS
// does for an alias that has weights.
func (f *Function) TrafficOn(alias string, version int64, from, to time.Time, perMinute int, errorRate float64) {
	f.traffic(alias, version, from, to, perMinute, errorRate)
}

func (f *Function) traffic(alias string, version int64, from, to time.Time, perMinute int, errorRate float64) {
	f.e.mu.Lock()
	defer f.e.mu.Unlock()
	dimensions := []map[string]string{
		{"FunctionName": f.name},
		{"FunctionName": f.name, "Resource": f.name + ":" + alias},
	}
	if version != 0 {
		dimensions = append(dimensions, map[string]string{
			"FunctionName": f.name, "Resource": f.name + ":" + alias, "ExecutedVersion": strconv.FormatInt(version, 10),
		})
	}
	watch := f.e.cloudwatch(f.region)
	var before, after load
	for at := from; at.Before(to); {
		until := at.Truncate(time.Minute).Add(time.Minute)
		if until.After(to) {
			until = to
		}
		before, after = after, loadAfter(until.Sub(from), perMinute, errorRate)
		for _, d := range dimensions {
			watch.measureLoad(d, at, after.minus(before))
		}
		at = until
	}
}

// load is how many invokes there were, and of which kind.
type load struct{ invokes, errors, slow int }

// loadAfter is the load of all the time since the traffic began. Counting from
// there keeps the sums exact where a minute's share is no whole number.
func loadAfter(elapsed time.Duration, perMinute int, errorRate float64) load {
	invokes := int(math.Round(float64(perMinute) * elapsed.Minutes()))
	return load{
		invokes: invokes,
		errors:  int(math.Round(float64(invokes) * errorRate)),
		slow:    invokes / slowOneIn,
	}
}

func (l load) minus(m load) load {
	return load{invokes: l.invokes - m.invokes, errors: l.errors - m.errors, slow: l.slow - m.slow}
}

// measureLoad records one value an invoke, as Lambda does: that is why the
// average of Errors is the error rate.
func (c *CloudWatch) measureLoad(dimensions map[string]string, at time.Time, l load) {
	for _, m := range []struct {
		name  string
		value float64
		count int
	}{
		{"Invocations", 1, l.invokes},
		{"Errors", 1, l.errors},
		{"Errors", 0, l.invokes - l.errors},
		{"Throttles", 0, l.invokes},
		{"Duration", slowDuration, l.slow},
		{"Duration", usualDuration, l.invokes - l.slow},
	} {
		c.measure(lambdaNamespace, m.name, dimensions, sample{at: at, value: m.value, count: m.count})
	}
}
