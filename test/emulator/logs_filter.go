package emulator

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	eventLimit  = 10000 // events in one answer, also the default
	streamLimit = 100   // names in LogStreamNames
)

// newestFirstSince is how early the span of a search from its end may begin.
var newestFirstSince = time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)

// filterQuery is what FilterLogEvents takes.
type filterQuery struct {
	LogGroupName, LogGroupIdentifier string
	LogStreamNames                   []string
	LogStreamNamePrefix              string
	StartTime, EndTime               *int64 // milliseconds since 1970, both inclusive
	FilterPattern                    string
	Limit                            *int
	NextToken                        string
	StartFromHead                    *bool
}

// check refuses what AWS refuses.
func (q *filterQuery) check() *refusal {
	switch {
	case q.LogGroupName == "" && q.LogGroupIdentifier == "":
		return badLogs("Exactly one of logGroupName and logGroupIdentifier must be given")
	case q.LogGroupName != "" && q.LogGroupIdentifier != "":
		return badLogs("LogGroup name and LogGroup ARN are mutually exclusive parameters.")
	case len(q.LogStreamNames) > 0 && q.LogStreamNamePrefix != "":
		return badLogs("logStreamNames and logStreamNamePrefix cannot be specified together")
	case len(q.LogStreamNames) > streamLimit:
		return badLogs("1 validation error detected: Value at 'logStreamNames' failed to satisfy constraint: Member must have length less than or equal to %d", streamLimit)
	case q.Limit != nil && (*q.Limit < 1 || *q.Limit > eventLimit):
		return badLogs("1 validation error detected: Value '%d' at 'limit' failed to satisfy constraint: Member must have value between 1 and %d", *q.Limit, eventLimit)
	case q.backwards() && (q.StartTime == nil || *q.StartTime < newestFirstSince.UnixMilli()):
		return badLogs("startFromHead=false needs a startTime on or after 2024-01-01")
	}
	return nil
}

func (q *filterQuery) backwards() bool { return q.StartFromHead != nil && !*q.StartFromHead }

// within reports whether the event stands in the span and streams asked for.
func (q *filterQuery) within(s storedEvent) bool {
	return (q.StartTime == nil || s.millis() >= *q.StartTime) && (q.EndTime == nil || s.millis() <= *q.EndTime) &&
		(len(q.LogStreamNames) == 0 || slices.Contains(q.LogStreamNames, s.stream)) &&
		strings.HasPrefix(s.stream, q.LogStreamNamePrefix)
}

// eventBody is a FilteredLogEvent on the wire.
type eventBody struct {
	EventID       string `json:"eventId"`
	IngestionTime int64  `json:"ingestionTime"`
	LogStreamName string `json:"logStreamName"`
	Message       string `json:"message"`
	Timestamp     int64  `json:"timestamp"`
}

// filterLogEvents gives a page of the events of all streams, by time.
func (x *exchange) filterLogEvents(l *Logs) answer {
	var query filterQuery
	if r := x.decode(&query); r != nil {
		return x.refuse(r)
	}
	if r := query.check(); r != nil {
		return x.refuse(r)
	}
	matches, err := parsePattern(query.FilterPattern)
	if err != nil {
		return x.refuse(badLogs("Invalid filter pattern: %s", err))
	}
	group := l.groups[x.call.Function]
	if group == nil {
		return x.refuse(missingLogs("The specified log group does not exist."))
	}
	for _, stream := range query.LogStreamNames {
		if !group.streams[stream] {
			return x.refuse(missingLogs("The specified log stream does not exist."))
		}
	}
	from := cursor{backwards: query.backwards()}
	if query.NextToken != "" {
		var r *refusal
		if from, r = parseCursor(query.NextToken); r != nil {
			return x.refuse(r)
		}
	}
	limit := eventLimit
	if query.Limit != nil {
		limit = *query.Limit
	}
	body := struct {
		Events             []eventBody `json:"events"`
		NextToken          string      `json:"nextToken,omitempty"`
		SearchedLogStreams []string    `json:"searchedLogStreams"` // always empty since 2020
	}{Events: []eventBody{}, SearchedLogStreams: []string{}}
	looked := 0
	for _, event := range from.rest(group.events) {
		if !query.within(event) {
			continue
		}
		if len(body.Events) == limit || l.scan > 0 && looked == l.scan {
			body.NextToken = from.token()
			break
		}
		looked++
		from.millis, from.number = event.millis(), event.number
		if matches(event.Message) {
			body.Events = append(body.Events, event.body())
		}
	}
	return x.okLogs(http.StatusOK, body)
}

func (s storedEvent) body() eventBody {
	return eventBody{
		// AWS's ids are of 56 digits, too.
		EventID:       fmt.Sprintf("%056d", s.number),
		IngestionTime: s.ingested.UnixMilli(), LogStreamName: s.stream, Message: s.Message, Timestamp: s.millis(),
	}
}

// cursor stands behind the last event that a page looked at, so that events that
// come in between pages are neither lost nor shown twice.
type cursor struct {
	backwards bool
	millis    int64
	number    int64 // 0: before the first event
}

// rest are the events that the cursor has before it, in its direction.
func (c cursor) rest(events []storedEvent) []storedEvent {
	last := storedEvent{LogEvent: LogEvent{At: time.UnixMilli(c.millis)}, number: c.number}
	i, found := slices.BinarySearchFunc(events, last, inOrder)
	if !c.backwards {
		switch {
		case c.number == 0:
			i = 0
		case found:
			i++
		}
		return events[i:]
	}
	if c.number == 0 {
		i = len(events)
	}
	rest := slices.Clone(events[:i])
	slices.Reverse(rest)
	return rest
}

// token holds the direction too: startFromHead counts on the first page alone.
func (c cursor) token() string {
	return sealToken(fmt.Sprintf("%t,%d,%d", c.backwards, c.millis, c.number))
}

func parseCursor(token string) (cursor, *refusal) {
	invalid := badLogs("The specified nextToken is invalid.")
	position, r := openToken(token)
	parts := strings.Split(position, ",")
	if r != nil || len(parts) != 3 {
		return cursor{}, invalid
	}
	backwards, err := strconv.ParseBool(parts[0])
	if err != nil {
		return cursor{}, invalid
	}
	millis, err := strconv.ParseInt(parts[1], 10, 64)
	if err != nil {
		return cursor{}, invalid
	}
	number, err := strconv.ParseInt(parts[2], 10, 64)
	if err != nil {
		return cursor{}, invalid
	}
	return cursor{backwards: backwards, millis: millis, number: number}, nil
}

func badLogs(format string, args ...any) *refusal {
	return &refusal{status: http.StatusBadRequest, code: "InvalidParameterException", message: fmt.Sprintf(format, args...)}
}

func missingLogs(message string) *refusal {
	return &refusal{status: http.StatusBadRequest, code: codeNotFound, message: message}
}
