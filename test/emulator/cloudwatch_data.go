package emulator

import (
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/aws/smithy-go/encoding/cbor"
)

const (
	queryLimit = 500    // queries in one GetMetricData
	pointLimit = 100800 // data points in one answer
)

// dataQuery is what GetMetricData takes.
type dataQuery struct {
	StartTime, EndTime *time.Time
	MetricDataQueries  []metricQuery
	MaxDatapoints      *int
	NextToken          string
	ScanBy             string
}

type metricQuery struct {
	Id, Label  string
	Expression string // refused
	ReturnData *bool
	MetricStat *struct {
		Metric struct {
			Namespace, MetricName string
			Dimensions            []struct{ Name, Value string }
		}
		Period int
		Stat   string
	}
}

var queryID = regexp.MustCompile(`^[a-z][a-zA-Z0-9_]*$`)

// check refuses what AWS refuses, and math expressions, which the emulator does
// not compute.
func (q *dataQuery) check() *refusal {
	switch {
	case q.StartTime == nil || q.EndTime == nil:
		return missingParameter("The parameters StartTime and EndTime are required.")
	case !q.StartTime.Before(*q.EndTime):
		return badWatch("The parameter StartTime must be less than the parameter EndTime.")
	case len(q.MetricDataQueries) == 0:
		return missingParameter("The parameter MetricDataQueries is required.")
	case len(q.MetricDataQueries) > queryLimit:
		return badWatch("The collection MetricDataQueries must not have a size greater than %d.", queryLimit)
	case q.MaxDatapoints != nil && (*q.MaxDatapoints < 1 || *q.MaxDatapoints > pointLimit):
		return badWatch("The value %d for parameter MaxDatapoints must be between 1 and %d.", *q.MaxDatapoints, pointLimit)
	case !slices.Contains([]string{"", "TimestampAscending", "TimestampDescending"}, q.ScanBy):
		return badWatch("The value %s for parameter ScanBy is not supported.", q.ScanBy)
	}
	seen := map[string]bool{}
	for _, query := range q.MetricDataQueries {
		if r := query.check(); r != nil {
			return r
		}
		if seen[query.Id] {
			return badWatch("The values for parameter id in MetricDataQueries are not unique.")
		}
		seen[query.Id] = true
	}
	return nil
}

func (q *metricQuery) check() *refusal {
	switch {
	case !queryID.MatchString(q.Id):
		return badWatch("The value %s for parameter id is not matching the expected pattern ^[a-z][a-zA-Z0-9_]*$.", q.Id)
	case q.Expression != "":
		return badWatch("The emulator computes no expressions: %s.", q.Expression)
	case q.MetricStat == nil:
		return badWatch("Either Expression or MetricStat is required for the query %s.", q.Id)
	case !validPeriod(q.MetricStat.Period):
		return badWatch("Period must be 1, 5, 10, 20, 30, or a multiple of 60.")
	case statisticOf(q.MetricStat.Stat) == nil:
		return badWatch("The value %s for parameter Stat is not supported.", q.MetricStat.Stat)
	}
	return nil
}

func validPeriod(seconds int) bool {
	return seconds > 0 && (seconds%60 == 0 || slices.Contains([]int{1, 5, 10, 20, 30}, seconds))
}

// points computes the query, oldest first. AWS rounds the start down to a whole
// minute, or to a shorter period; that it rounds further after 15 days, and
// forgets short periods, is left out.
func (q *metricQuery) points(c *CloudWatch, start, end time.Time) []point {
	wanted := q.MetricStat
	period := time.Duration(wanted.Period) * time.Second
	dimensions := map[string]string{}
	for _, d := range wanted.Metric.Dimensions {
		dimensions[d.Name] = d.Value
	}
	visible := end
	if c.lag > 0 {
		visible = c.e.now().Add(-c.lag)
	}
	m := c.metrics[metricKey(wanted.Metric.Namespace, wanted.Metric.MetricName, dimensions)]
	return m.points(start.Truncate(min(period, time.Minute)), end, visible, period, statisticOf(wanted.Stat))
}

// getMetricData computes all queries and gives a page of the points. Every page
// holds every query: PartialData tells that more of its points follow.
func (x *exchange) getMetricData(c *CloudWatch) answer {
	var query dataQuery
	if r := x.decodeWatch(&query); r != nil {
		return x.refuse(r)
	}
	if r := query.check(); r != nil {
		return x.refuse(r)
	}
	skip, r := pointsBefore(query.NextToken)
	if r != nil {
		return x.refuse(r)
	}
	left := pointLimit
	if query.MaxDatapoints != nil {
		left = *query.MaxDatapoints
	}
	next, more := skip, false
	results := cbor.List{}
	for _, q := range query.MetricDataQueries {
		if q.ReturnData != nil && !*q.ReturnData {
			continue
		}
		points := q.points(c, *query.StartTime, *query.EndTime)
		if query.ScanBy != "TimestampAscending" {
			slices.Reverse(points)
		}
		passed := min(skip, len(points))
		skip -= passed
		points = points[passed:]
		shown := points[:min(left, len(points))]
		left -= len(shown)
		next += len(shown)
		more = more || len(shown) < len(points)
		results = append(results, q.result(shown, len(shown) == len(points)))
	}
	body := cbor.Map{"MetricDataResults": results, "Messages": cbor.List{}}
	if more {
		body["NextToken"] = cbor.String(sealToken(strconv.Itoa(next)))
	}
	return okCBOR(http.StatusOK, body)
}

func (q *metricQuery) result(points []point, complete bool) cbor.Map {
	status, label := "Complete", q.Label
	if !complete {
		status = "PartialData"
	}
	if label == "" {
		label = q.MetricStat.Metric.MetricName
	}
	return cbor.Map{
		"Id":         cbor.String(q.Id),
		"Label":      cbor.String(label),
		"StatusCode": cbor.String(status),
		"Timestamps": listOf(points, func(p point) cbor.Value { return cborTime(p.at) }),
		"Values":     listOf(points, func(p point) cbor.Value { return cbor.Float64(p.value) }),
	}
}

// pointsBefore is how many points the pages before a token held.
func pointsBefore(token string) (int, *refusal) {
	position, r := openToken(token)
	if r != nil || position == "" {
		return 0, r
	}
	n, err := strconv.Atoi(position)
	if err != nil || n < 0 {
		return 0, invalidToken()
	}
	return n, nil
}

func missingParameter(message string) *refusal {
	return &refusal{status: http.StatusBadRequest, code: "MissingRequiredParameterException", message: message}
}
