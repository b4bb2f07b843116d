package verify

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"

	"github.com/org/lambda-rollback-action/rollback/aws"
	"github.com/org/lambda-rollback-action/rollback/report"
)

// AlarmReader is the part of the CloudWatch API that reads alarms.
type AlarmReader interface {
	DescribeAlarms(context.Context, *cloudwatch.DescribeAlarmsInput, ...func(*cloudwatch.Options)) (*cloudwatch.DescribeAlarmsOutput, error)
}

const (
	alarmAction  = "cloudwatch:DescribeAlarms"
	alarmsAtOnce = 100 // names per call; a page has 50 alarms unless more are requested
	shortestPoll = 5 * time.Second
	reasonLimit  = 200
)

// alarmState is the state of one alarm at one time.
type alarmState struct {
	value  types.StateValue
	reason string
	since  time.Time     // when it changed to this state; zero if AWS does not say
	window time.Duration // the time that the alarm evaluates; 0 if unknown
}

// alarmWatch reads the alarms during the observation period. Their states at its
// beginning do not count, because the errors of the failed version may still keep
// them in ALARM.
type alarmWatch struct {
	run      *run
	names    []string
	regions  []string
	where    string                // follows the names in the report, if the user gave the region
	last     map[string]alarmState // latest states, by region and name
	known    bool                  // the latest read succeeded in every region
	wasOK    map[string]bool
	wasOther map[string]bool // not in ALARM when it was read
	logged   map[string]bool
}

// alarmChecks returns the checks of the alarms. An alarm with a region is read in
// that region, and an alarm without one in the region of every subject.
func (r *run) alarmChecks(subjects []Subject) []check {
	if len(subjects) == 0 {
		return nil
	}
	var regions []string
	for _, s := range subjects {
		if !slices.Contains(regions, s.Region) {
			regions = append(regions, s.Region)
		}
	}
	byRegion := map[string][]string{}
	for _, a := range r.options.Alarms {
		byRegion[a.Region] = append(byRegion[a.Region], a.Name)
	}
	var checks []check
	for _, region := range slices.Sorted(maps.Keys(byRegion)) {
		w := &alarmWatch{
			run: r, names: byRegion[region], regions: regions,
			last: map[string]alarmState{}, wasOK: map[string]bool{}, wasOther: map[string]bool{}, logged: map[string]bool{},
		}
		if region != "" {
			w.regions, w.where = []string{region}, " in "+region
		}
		checks = append(checks, w)
	}
	return checks
}

// title returns the name of an alarm's check.
func (w *alarmWatch) title(name string) string {
	return "alarm " + w.run.sanitize(name, reasonLimit) + w.where
}

func (w *alarmWatch) verify(ctx context.Context) result {
	observe := w.run.options.Observe
	poll := max(shortestPoll, observe/20)
	for {
		left := observe - w.run.clock.Now().Sub(w.run.started)
		if left <= 0 {
			break
		}
		if _, err := w.read(ctx); err != nil && !aws.Classify(err).Retryable() {
			break // another poll would not help; the read at the end reports the error
		}
		if cut := w.run.sleepWatching(min(poll, left)); cut != "" {
			return w.cutShort(ctx, cut)
		}
	}
	if cut := w.run.sleepUntilObserved(); cut != "" {
		return w.cutShort(ctx, cut)
	}
	unread, err := w.read(ctx)
	var out result
	for _, name := range w.names {
		c := w.conclude(name)
		if err != nil && c.Status != report.CheckFailed {
			c.Status, c.Detail = report.CheckInconclusive, w.run.explain(ctx, err, alarmAction)+w.inRegion(unread)+w.lastKnown(name)
		}
		out.checks = append(out.checks, c)
	}
	return out
}

// preflight reads every alarm once.
func (w *alarmWatch) preflight(ctx context.Context) []Preflight {
	unread, err := w.read(ctx)
	var out []Preflight
	for _, name := range w.names {
		states := w.states(name)
		switch {
		case err != nil:
			c := w.run.refused(ctx, w.title(name), err, alarmAction)
			c[0].Check.Detail += w.inRegion(unread)
			out = append(out, c...)
		case len(states) == 0:
			c := Preflight{Check: w.conclude(name), Reason: report.InvalidInput}
			c.Check.Status = report.CheckFailed
			out = append(out, c)
		default:
			status := report.CheckPassed
			for state := range states {
				if alarmStatus[state] != report.CheckPassed {
					status = report.CheckInconclusive
				}
			}
			out = append(out, newPreflight(w.title(name), status, "readable%s", w.lastKnown(name))...)
		}
	}
	return out
}

// read reads all alarms in every region. A region that cannot be read keeps its
// previous states; unread is the first such region, and err its error.
func (w *alarmWatch) read(ctx context.Context) (unread string, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, readLimit, errReadLimit)
	defer cancel()
	w.known = true
	for _, region := range w.regions {
		states, readErr := w.describe(ctx, w.run.regions[region].Alarms)
		if readErr != nil {
			if w.known = false; err == nil {
				unread, err = region, readErr
			}
			continue
		}
		for _, name := range w.names {
			delete(w.last, key(region, name))
		}
		for name, state := range states {
			w.last[key(region, name)] = state
			w.logTransition(region, name, state)
		}
	}
	return unread, err
}

func (w *alarmWatch) describe(ctx context.Context, api AlarmReader) (map[string]alarmState, error) {
	out := map[string]alarmState{}
	for names := range slices.Chunk(w.names, alarmsAtOnce) {
		in := &cloudwatch.DescribeAlarmsInput{
			AlarmNames: names, MaxRecords: sdk.Int32(alarmsAtOnce),
			// Without AlarmTypes, composite alarms would seem not to exist.
			AlarmTypes: []types.AlarmType{types.AlarmTypeMetricAlarm, types.AlarmTypeCompositeAlarm},
		}
		for pages := 0; pages <= len(names); pages++ {
			page, err := aws.Do(ctx, w.run.retry, "DescribeAlarms", func(ctx context.Context) (*cloudwatch.DescribeAlarmsOutput, error) {
				return api.DescribeAlarms(ctx, in)
			})
			if err != nil {
				return nil, err
			}
			for i := range page.MetricAlarms {
				a := &page.MetricAlarms[i]
				out[sdk.ToString(a.AlarmName)] = alarmState{a.StateValue, sdk.ToString(a.StateReason), sdk.ToTime(a.StateTransitionedTimestamp), windowOf(a)}
			}
			for i := range page.CompositeAlarms {
				a := &page.CompositeAlarms[i]
				out[sdk.ToString(a.AlarmName)] = alarmState{value: a.StateValue, reason: sdk.ToString(a.StateReason), since: sdk.ToTime(a.StateTransitionedTimestamp)}
			}
			if in.NextToken = page.NextToken; sdk.ToString(in.NextToken) == "" {
				break
			}
		}
	}
	return out, nil
}

// windowOf returns the time that a metric alarm evaluates: its longest period, times the
// number of periods.
func windowOf(a *types.MetricAlarm) time.Duration {
	period := sdk.ToInt32(a.Period)
	for _, m := range a.Metrics {
		period = max(period, sdk.ToInt32(m.Period))
		if m.MetricStat != nil {
			period = max(period, sdk.ToInt32(m.MetricStat.Period))
		}
	}
	return time.Duration(period) * time.Duration(sdk.ToInt32(a.EvaluationPeriods)) * time.Second
}

// old reports whether an alarm that is in ALARM may still show the time before the
// move, because it was not watched, or because it evaluates a longer time than has
// passed and was never in another state since. One period of a minute is short enough.
func (w *alarmWatch) old(name string) bool {
	for _, region := range w.regions {
		k := key(region, name)
		s, found := w.last[k]
		if !found || s.value != types.StateValueAlarm || w.run.options.Observe == 0 {
			continue
		}
		passed := max(w.run.clock.Now().Sub(w.run.started), time.Minute)
		if w.wasOther[k] || s.since.After(w.run.started) || s.window <= passed {
			return false
		}
	}
	return true
}

// logTransition logs the first time that an alarm is in ALARM after it was seen in
// OK.
func (w *alarmWatch) logTransition(region, name string, state alarmState) {
	k := key(region, name)
	if state.value == types.StateValueOk {
		w.wasOK[k] = true
	}
	if state.value != types.StateValueAlarm {
		w.wasOther[k] = true
	}
	if state.value == types.StateValueAlarm && w.wasOK[k] && !w.logged[k] {
		w.logged[k] = true
		w.run.log.Infof("alarm %s went into ALARM%s %s after the watch began: %s", w.run.sanitize(name, reasonLimit), w.inRegion(region),
			report.DurationText(seconds(w.run.clock.Now().Sub(w.run.started))), w.run.sanitize(state.reason, reasonLimit))
	}
}

// alarmStatus maps the state of an alarm to the status of its check. Any other state
// is inconclusive.
var alarmStatus = map[types.StateValue]report.CheckStatus{
	types.StateValueAlarm: report.CheckFailed, types.StateValueOk: report.CheckPassed,
}

// conclude judges one alarm by its latest state. With several regions, the worst
// state counts.
func (w *alarmWatch) conclude(name string) report.Check {
	c := report.Check{Name: w.title(name), Status: report.CheckInconclusive}
	when := "at the end of " + report.DurationText(w.run.options.Observe)
	if w.run.options.Observe == 0 {
		when = "right after the move (observe is 0s)"
	}
	states := w.states(name)
	for _, worst := range []types.StateValue{types.StateValueAlarm, types.StateValueInsufficientData, types.StateValueOk} {
		region, found := states[worst]
		if !found {
			continue
		}
		if status, tells := alarmStatus[worst]; tells {
			c.Status = status
		}
		c.Detail = fmt.Sprintf("it was in the state %s%s %s", worst, w.inRegion(region), when)
		if reason := w.last[key(region, name)].reason; reason != "" && worst != types.StateValueOk {
			c.Detail += ": " + w.run.sanitize(reason, reasonLimit)
		}
		if worst == types.StateValueAlarm && w.old(name) {
			c.Kind = report.CheckOldAlarm
			if window := w.last[key(region, name)].window; w.run.options.Observe > 0 {
				c.Detail += fmt.Sprintf("; it evaluates the last %s, so it may still show the time before the move: set observe to a longer time", report.DurationText(window))
			}
		}
		return c
	}
	if len(states) > 0 {
		c.Detail = fmt.Sprintf("CloudWatch returned an unknown state: %s", slices.Collect(maps.Keys(states)))
		return c
	}
	c.Detail = fmt.Sprintf("there is no metric or composite alarm with that name in %s: check the input alarms", strings.Join(w.regions, ", "))
	return c
}

// states returns the states of an alarm over all regions, each with a region in which
// the alarm has that state.
func (w *alarmWatch) states(name string) map[types.StateValue]string {
	out := map[types.StateValue]string{}
	for _, region := range w.regions {
		if s, found := w.last[key(region, name)]; found {
			out[s.value] = region
		}
	}
	return out
}

// cutShort returns the checks if the observation period ended early: each is
// inconclusive and has the last known state.
func (w *alarmWatch) cutShort(ctx context.Context, why string) result {
	if ctx.Err() == nil && !w.known {
		_, _ = w.read(ctx)
	}
	var out result
	for _, name := range w.names {
		out.checks = append(out.checks, report.Check{
			Name: w.title(name), Status: report.CheckInconclusive, Detail: why + w.lastKnown(name),
		})
	}
	return out
}

func (w *alarmWatch) lastKnown(name string) string {
	states := slices.Sorted(maps.Keys(w.states(name)))
	if len(states) == 0 {
		return ""
	}
	text := make([]string, len(states))
	for i, s := range states {
		text[i] = string(s)
	}
	return "; its last known state was " + strings.Join(text, ", ")
}

// inRegion returns the region for a message, or nothing if there is only one.
func (w *alarmWatch) inRegion(region string) string {
	if len(w.regions) == 1 {
		return ""
	}
	return " in " + region
}

func key(region, name string) string { return region + "\x00" + name }
