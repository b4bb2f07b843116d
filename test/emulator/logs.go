package emulator

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// logsTarget leads the name of every operation of CloudWatch Logs in
// X-Amz-Target.
const logsTarget = "Logs_20140328."

// Logs is CloudWatch Logs in one region.
type Logs struct {
	e       *Emulator
	region  string
	groups  map[string]*logGroup
	counted int64 // events ever put
	scan    int   // events that one call looks at; 0: all
}

// LogEvent is one message in a log stream.
type LogEvent struct {
	At      time.Time
	Message string
}

// logGroup is a log group with the events of all its streams.
type logGroup struct {
	streams map[string]bool
	events  []storedEvent // by time, then in the order in which they came
}

type storedEvent struct {
	LogEvent

	number   int64 // unique in the region, rising
	stream   string
	ingested time.Time
}

// millis is the event's time as Logs keeps it.
func (s storedEvent) millis() int64 { return s.At.UnixMilli() }

func inOrder(a, b storedEvent) int {
	return cmp.Or(cmp.Compare(a.millis(), b.millis()), cmp.Compare(a.number, b.number))
}

// Logs gives a region's CloudWatch Logs, the region named as AWS names it.
func (e *Emulator) Logs(region string) *Logs {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.logs(region)
}

// logs is CloudWatch Logs for those who hold the lock.
func (e *Emulator) logs(region string) *Logs {
	l, ok := e.logsOf[region]
	if !ok {
		l = &Logs{e: e, region: region, groups: map[string]*logGroup{}}
		e.logsOf[region] = l
	}
	return l
}

// LogStream is the name that Lambda gives to a stream: YYYY/MM/DD/[version]id,
// the day in UTC. Version 0 stands for $LATEST.
func LogStream(at time.Time, version int64, id string) string {
	name := (&Version{Number: version}).name()
	return fmt.Sprintf("%s/[%s]%s", at.UTC().Format("2006/01/02"), name, id)
}

// CreateGroup creates a log group without events. Lambda creates a function's
// group when the function first runs: until then it is missing.
func (l *Logs) CreateGroup(group string) {
	l.e.mu.Lock()
	defer l.e.mu.Unlock()
	l.group(group)
}

// DeleteGroup deletes a log group with all its events.
func (l *Logs) DeleteGroup(group string) {
	l.e.mu.Lock()
	defer l.e.mu.Unlock()
	delete(l.groups, group)
}

// PutEvents adds events to a stream. Group and stream are created if need be.
func (l *Logs) PutEvents(group, stream string, events ...LogEvent) {
	l.e.mu.Lock()
	defer l.e.mu.Unlock()
	g := l.group(group)
	g.streams[stream] = true
	for _, event := range events {
		l.counted++
		g.events = append(g.events, storedEvent{LogEvent: event, number: l.counted, stream: stream, ingested: l.e.now()})
	}
	slices.SortFunc(g.events, inOrder)
}

// ScanAtMost lets one call look at so many events only, matching or not. AWS
// does so on large groups: a page may then be empty although a NextToken says
// that there is more.
func (l *Logs) ScanAtMost(events int) {
	l.e.mu.Lock()
	defer l.e.mu.Unlock()
	l.scan = events
}

func (l *Logs) group(name string) *logGroup {
	g, ok := l.groups[name]
	if !ok {
		g = &logGroup{streams: map[string]bool{}}
		l.groups[name] = g
	}
	return g
}

// identifyLogs names the operation and the log group, and reports whether the
// call is one of CloudWatch Logs.
func (x *exchange) identifyLogs() bool {
	operation, ok := strings.CutPrefix(x.request.Header.Get("X-Amz-Target"), logsTarget)
	if !ok {
		return false
	}
	x.call.Service, x.call.Operation = ServiceLogs, operation
	var body struct {
		LogGroupName       string `json:"logGroupName"`
		LogGroupIdentifier string `json:"logGroupIdentifier"`
	}
	_ = json.Unmarshal(x.body, &body) // A bad body is refused later.
	x.call.Function = logGroupName(cmp.Or(body.LogGroupName, body.LogGroupIdentifier))
	return true
}

// logsAPI answers a call of CloudWatch Logs.
func (x *exchange) logsAPI() answer {
	if a := x.needSignature(); a != nil {
		return *a
	}
	if x.call.Operation != "FilterLogEvents" {
		return x.fail(http.StatusBadRequest, "UnknownOperationException", "the emulator's Logs has no "+x.call.Operation)
	}
	x.e.mu.Lock()
	defer x.e.mu.Unlock()
	return x.filterLogEvents(x.e.logs(x.call.Region))
}

// okLogs is an answer of CloudWatch Logs.
func (x *exchange) okLogs(status int, body any) answer {
	a := x.ok(status, body)
	a.header.Set("Content-Type", "application/x-amz-json-1.1")
	return a
}

func logGroupARN(region, group string) string {
	return strings.Join([]string{"arn:aws:logs", region, Account, "log-group", group}, ":")
}

// logGroupName is the group that an identifier means: a name or an ARN.
func logGroupName(identifier string) string {
	if parts := strings.SplitN(identifier, ":", 7); len(parts) == 7 && parts[0] == "arn" && parts[2] == "logs" {
		return parts[6]
	}
	return identifier
}
