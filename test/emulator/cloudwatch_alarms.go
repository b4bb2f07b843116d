package emulator

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/aws/smithy-go/encoding/cbor"
)

// The states of an alarm.
const (
	AlarmOK               = "OK"
	AlarmInAlarm          = "ALARM"
	AlarmInsufficientData = "INSUFFICIENT_DATA"
)

const (
	alarmPage  = 50  // alarms on a page unless MaxRecords says otherwise
	alarmLimit = 100 // the most that MaxRecords and AlarmNames may ask for
)

// Alarm is one CloudWatch alarm.
type Alarm struct {
	e         *Emulator
	name      string
	composite bool
	state     string
	updated   time.Time
	planned   []alarmChange
}

// alarmChange is a state to come, and for how many reads it is still to come.
type alarmChange struct {
	reads int
	state string
}

// SetAlarm puts a metric alarm into a state (AlarmOK …) and forgets the changes
// that were planned for it. One that does not exist is created.
func (c *CloudWatch) SetAlarm(name, state string) *Alarm {
	return c.setAlarm(name, state, false)
}

// SetCompositeAlarm is SetAlarm for an alarm that is made of others.
// DescribeAlarms shows those only to a caller that asks for them.
func (c *CloudWatch) SetCompositeAlarm(name, state string) *Alarm {
	return c.setAlarm(name, state, true)
}

func (c *CloudWatch) setAlarm(name, state string, composite bool) *Alarm {
	c.e.mu.Lock()
	defer c.e.mu.Unlock()
	a := c.alarms[name]
	if a == nil {
		a = &Alarm{e: c.e, name: name}
		c.alarms[name] = a
	}
	a.composite, a.state, a.updated, a.planned = composite, state, c.e.now(), nil
	return a
}

// DeleteAlarm deletes an alarm.
func (c *CloudWatch) DeleteAlarm(name string) {
	c.e.mu.Lock()
	defer c.e.mu.Unlock()
	delete(c.alarms, name)
}

// AlarmAfter plans a change: so many further answers of DescribeAlarms show the
// alarm as it is, the next shows it in the new state. Further plans follow on:
// AlarmAfter(2, AlarmInAlarm).AlarmAfter(1, AlarmOK) is in alarm once.
func (a *Alarm) AlarmAfter(reads int, state string) *Alarm {
	a.e.mu.Lock()
	defer a.e.mu.Unlock()
	a.planned = append(a.planned, alarmChange{reads: reads, state: state})
	return a
}

// State is the alarm's state as the next read will show it.
func (a *Alarm) State() string {
	a.e.mu.Lock()
	defer a.e.mu.Unlock()
	a.settle()
	return a.state
}

// settle carries out the changes that are due.
func (a *Alarm) settle() {
	for len(a.planned) > 0 && a.planned[0].reads <= 0 {
		a.state, a.updated = a.planned[0].state, a.e.now()
		a.planned = a.planned[1:]
	}
}

// read notes that an answer shows the alarm.
func (a *Alarm) read() {
	if len(a.planned) > 0 {
		a.planned[0].reads--
	}
}

// kind is the alarm's type as DescribeAlarms names it.
func (a *Alarm) kind() string {
	if a.composite {
		return "CompositeAlarm"
	}
	return "MetricAlarm"
}

// alarmQuery is what DescribeAlarms takes.
type alarmQuery struct {
	AlarmNames      []string
	AlarmNamePrefix string
	AlarmTypes      []string
	StateValue      string
	MaxRecords      *int
	NextToken       string

	// What the emulator does not answer, and says so.
	ActionPrefix, ChildrenOfAlarmName, ParentsOfAlarmName string
}

// check refuses what AWS refuses.
func (q *alarmQuery) check() *refusal {
	switch {
	case q.ActionPrefix+q.ChildrenOfAlarmName+q.ParentsOfAlarmName != "":
		return badWatch("the emulator selects alarms by AlarmNames, AlarmNamePrefix, AlarmTypes and StateValue alone")
	case len(q.AlarmNames) > 0 && q.AlarmNamePrefix != "":
		return badWatch("AlarmNamePrefix and AlarmNames cannot be specified together")
	case len(q.AlarmNames) > alarmLimit:
		return badWatch("1 validation error detected: Value at 'alarmNames' failed to satisfy constraint: Member must have length less than or equal to %d", alarmLimit)
	case q.MaxRecords != nil && (*q.MaxRecords < 1 || *q.MaxRecords > alarmLimit):
		return badWatch("1 validation error detected: Value '%d' at 'maxRecords' failed to satisfy constraint: Member must have value between 1 and %d", *q.MaxRecords, alarmLimit)
	}
	for _, kind := range q.AlarmTypes {
		if !slices.Contains([]string{"MetricAlarm", "CompositeAlarm", "LogAlarm"}, kind) {
			return badWatch("1 validation error detected: Value '[%s]' at 'alarmTypes' failed to satisfy constraint: Member must satisfy enum value set: [CompositeAlarm, MetricAlarm, LogAlarm]", kind)
		}
	}
	return nil
}

// selects reports whether the query asks for the alarm. Without AlarmTypes it
// asks for metric alarms alone, even where it names a composite one.
func (q *alarmQuery) selects(a *Alarm) bool {
	kinds := q.AlarmTypes
	if len(kinds) == 0 {
		kinds = []string{"MetricAlarm"}
	}
	return slices.Contains(kinds, a.kind()) &&
		(len(q.AlarmNames) == 0 || slices.Contains(q.AlarmNames, a.name)) &&
		strings.HasPrefix(a.name, q.AlarmNamePrefix) && fits(q.StateValue, a.state)
}

// describeAlarms gives a page of the alarms, by name. A name that no alarm has
// is no error: it is missing in the answer.
func (x *exchange) describeAlarms(c *CloudWatch) answer {
	var query alarmQuery
	if r := x.decodeWatch(&query); r != nil {
		return x.refuse(r)
	}
	if r := query.check(); r != nil {
		return x.refuse(r)
	}
	after, r := openToken(query.NextToken)
	if r != nil {
		return x.refuse(r)
	}
	size := alarmPage
	if query.MaxRecords != nil {
		size = *query.MaxRecords
	}
	metric, composite := cbor.List{}, cbor.List{}
	body := cbor.Map{"LogAlarms": cbor.List{}}
	last, shown := "", 0
	for _, name := range slices.Sorted(maps.Keys(c.alarms)) {
		a := c.alarms[name]
		a.settle()
		if query.NextToken != "" && name <= after || !query.selects(a) {
			continue
		}
		if shown == size {
			body["NextToken"] = cbor.String(sealToken(last))
			break
		}
		last, shown = name, shown+1
		if a.composite {
			composite = append(composite, a.body(c.region))
		} else {
			metric = append(metric, a.body(c.region))
		}
		a.read()
	}
	body["MetricAlarms"], body["CompositeAlarms"] = metric, composite
	return okCBOR(http.StatusOK, body)
}

// body is the alarm on the wire. What it watches is of no consequence here: its
// state is set, not computed.
func (a *Alarm) body(region string) cbor.Map {
	body := cbor.Map{
		"AlarmName":                          cbor.String(a.name),
		"AlarmArn":                           cbor.String(alarmARN(region, a.name)),
		"ActionsEnabled":                     cbor.Bool(true),
		"OKActions":                          cbor.List{},
		"AlarmActions":                       cbor.List{},
		"InsufficientDataActions":            cbor.List{},
		"StateValue":                         cbor.String(a.state),
		"StateReason":                        cbor.String("The emulator was told so."),
		"StateUpdatedTimestamp":              cborTime(a.updated),
		"StateTransitionedTimestamp":         cborTime(a.updated),
		"AlarmConfigurationUpdatedTimestamp": cborTime(a.updated),
	}
	if a.composite {
		body["AlarmRule"] = cbor.String(`ALARM("errors") OR ALARM("latency")`)
		return body
	}
	maps.Copy(body, cbor.Map{
		"Namespace":          cbor.String(lambdaNamespace),
		"MetricName":         cbor.String("Errors"),
		"Dimensions":         cbor.List{},
		"Statistic":          cbor.String("Sum"),
		"Period":             cbor.Uint(60),
		"EvaluationPeriods":  cbor.Uint(1),
		"Threshold":          cbor.Float64(0),
		"ComparisonOperator": cbor.String("GreaterThanThreshold"),
		"TreatMissingData":   cbor.String("missing"),
	})
	return body
}

func alarmARN(region, name string) string {
	return strings.Join([]string{"arn:aws:cloudwatch", region, Account, "alarm", name}, ":")
}

// badWatch is how CloudWatch refuses a request that breaks its rules.
func badWatch(format string, args ...any) *refusal {
	return &refusal{status: http.StatusBadRequest, code: codeValidation, message: fmt.Sprintf(format, args...)}
}
