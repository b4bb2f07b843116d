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

// AlarmReader is CloudWatch as far as alarms go.
type AlarmReader interface {
	DescribeAlarms(context.Context, *cloudwatch.DescribeAlarmsInput, ...func(*cloudwatch.Options)) (*cloudwatch.DescribeAlarmsOutput, error)
}

const (
	alarmAction  = "cloudwatch:DescribeAlarms"
	alarmsAtOnce = 100 // names a call takes; it gives 50 alarms a page unless asked for more
	shortestPoll = 5 * time.Second
	reasonLimit  = 200
)

// alarmState is one alarm at one time.
type alarmState struct {
	value  types.StateValue
	reason string
}

// alarmWatch follows the alarms through the time to observe. What they were at
// its beginning does not count: the failed version's errors may still hold them.
type alarmWatch struct {
	run     *run
	names   []string
	regions []string
	where   string                // behind the names, where a user said the region
	last    map[string]alarmState // by region and name, as last read
	known   bool                  // last holds an answer for every region
	wasOK   map[string]bool
	logged  map[string]bool
}

// alarmChecks looks for the alarms of which no region is known in the region of
// every subject, and for the others where they are.
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
			last: map[string]alarmState{}, wasOK: map[string]bool{}, logged: map[string]bool{},
		}
		if region != "" {
			w.regions, w.where = []string{region}, " in "+region
		}
		checks = append(checks, w)
	}
	return checks
}

// title is the name of an alarm's check.
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
			break // a further poll would not mend it: the end says what it is
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
	for i := range out {
		out[i].Check.Kind = report.CheckAlarm
	}
	return out
}

// read asks every region for all names, and gives the first region that did
// not answer. What was known of that one stays known.
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
			// Left out, composite alarms would seem not to exist.
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
				out[sdk.ToString(a.AlarmName)] = alarmState{a.StateValue, sdk.ToString(a.StateReason)}
			}
			for i := range page.CompositeAlarms {
				a := &page.CompositeAlarms[i]
				out[sdk.ToString(a.AlarmName)] = alarmState{a.StateValue, sdk.ToString(a.StateReason)}
			}
			if in.NextToken = page.NextToken; sdk.ToString(in.NextToken) == "" {
				break
			}
		}
	}
	return out, nil
}

// logTransition logs the first time that an alarm goes off under our eyes.
func (w *alarmWatch) logTransition(region, name string, state alarmState) {
	k := key(region, name)
	if state.value == types.StateValueOk {
		w.wasOK[k] = true
	}
	if state.value == types.StateValueAlarm && w.wasOK[k] && !w.logged[k] {
		w.logged[k] = true
		w.run.log.Infof("alarm %s went into ALARM%s %s after the watch began: %s", w.run.sanitize(name, reasonLimit), w.inRegion(region),
			seconds(w.run.clock.Now().Sub(w.run.started)), w.run.sanitize(state.reason, reasonLimit))
	}
}

// alarmStatus is what a state says; any other says nothing.
var alarmStatus = map[types.StateValue]report.CheckStatus{
	types.StateValueAlarm: report.CheckFailed, types.StateValueOk: report.CheckPassed,
}

// conclude judges one alarm by its state at the end, the worst of all regions.
func (w *alarmWatch) conclude(name string) report.Check {
	c := report.Check{Name: w.title(name), Kind: report.CheckAlarm, Status: report.CheckInconclusive}
	when := fmt.Sprintf("at the end of %s", w.run.options.Observe)
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
		return c
	}
	if len(states) > 0 {
		c.Detail = fmt.Sprintf("CloudWatch gave a state that is not known here: %s", slices.Collect(maps.Keys(states)))
		return c
	}
	c.Detail = fmt.Sprintf("there is no metric or composite alarm of that name in %s: check the input alarms", strings.Join(w.regions, ", "))
	return c
}

// states are those of a name over all regions, each with one region it is in.
func (w *alarmWatch) states(name string) map[types.StateValue]string {
	out := map[types.StateValue]string{}
	for _, region := range w.regions {
		if s, found := w.last[key(region, name)]; found {
			out[s.value] = region
		}
	}
	return out
}

// cutShort is what is known where the end of the watch was not seen.
func (w *alarmWatch) cutShort(ctx context.Context, why string) result {
	if ctx.Err() == nil && !w.known {
		_, _ = w.read(ctx)
	}
	var out result
	for _, name := range w.names {
		out.checks = append(out.checks, report.Check{
			Name: w.title(name), Kind: report.CheckAlarm, Status: report.CheckInconclusive, Detail: why + w.lastKnown(name),
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

// inRegion is said only where there are several.
func (w *alarmWatch) inRegion(region string) string {
	if len(w.regions) == 1 {
		return ""
	}
	return " in " + region
}

func key(region, name string) string { return region + "\x00" + name }
