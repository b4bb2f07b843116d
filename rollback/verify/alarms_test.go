package verify_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/stretchr/testify/assert"

	"github.com/org/lambda-rollback-action/rollback/report"
	"github.com/org/lambda-rollback-action/rollback/verify"
)

func (alarms) failing(err error) alarms {
	return func(*cloudwatch.DescribeAlarmsInput) (*cloudwatch.DescribeAlarmsOutput, error) { return nil, err }
}

func (a alarms) hanging() alarms { return a.failing(errHang) }

func (alarms) counting(n *int, err error) alarms {
	return func(*cloudwatch.DescribeAlarmsInput) (*cloudwatch.DescribeAlarmsOutput, error) {
		*n++
		return nil, err
	}
}

const (
	inOK    = types.StateValueOk
	inAlarm = types.StateValueAlarm
	noData  = types.StateValueInsufficientData
)

func inStates(states map[string]types.StateValue) alarms {
	return func(in *cloudwatch.DescribeAlarmsInput) (*cloudwatch.DescribeAlarmsOutput, error) {
		out := &cloudwatch.DescribeAlarmsOutput{}
		for _, name := range in.AlarmNames {
			state, found := states[name]
			switch {
			case !found:
			case strings.HasPrefix(name, "composite"):
				out.CompositeAlarms = append(out.CompositeAlarms, types.CompositeAlarm{AlarmName: &name, StateValue: state})
			default:
				out.MetricAlarms = append(out.MetricAlarms, types.MetricAlarm{AlarmName: &name, StateValue: state, StateReason: str("5 datapoints, hunter2")})
			}
		}
		return out, nil
	}
}

// course gives the states of the alarm `errors` from a time on.
type course []struct {
	from  time.Duration
	state types.StateValue
}

func (c course) alarms() alarms {
	began := time.Now()
	return func(in *cloudwatch.DescribeAlarmsInput) (*cloudwatch.DescribeAlarmsOutput, error) {
		var now types.StateValue
		for _, step := range c {
			if time.Since(began) >= step.from {
				now = step.state
			}
		}
		return inStates(map[string]types.StateValue{"errors": now})(in)
	}
}

func TestAlarmsCountByTheirStateAtTheEnd(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		course course
		want   report.CheckStatus
		detail string
		logged bool // that it went off
	}{
		"fine all along":                     {course{{0, inOK}}, report.CheckPassed, "it was in the state OK at the end of 5 min", false},
		"in ALARM all along":                 {course{{0, inAlarm}}, report.CheckFailed, "it was in the state ALARM at the end of 5 min: 5 datapoints, ***", false},
		"in ALARM at first, clears":          {course{{0, inAlarm}, {3 * time.Minute, inOK}}, report.CheckPassed, "OK", false},
		"goes off and stays":                 {course{{0, inOK}, {2 * time.Minute, inAlarm}}, report.CheckFailed, "ALARM", true},
		"goes off and clears":                {course{{0, inOK}, {time.Minute, inAlarm}, {2 * time.Minute, inOK}}, report.CheckPassed, "OK", true},
		"goes off in the last second":        {course{{0, inOK}, {5*time.Minute - time.Second, inAlarm}}, report.CheckFailed, "ALARM", true},
		"missing data does not mean healthy": {course{{0, noData}}, report.CheckInconclusive, "INSUFFICIENT_DATA at the end of 5 min", false},
		"a state that nobody has heard":      {course{{0, "MUTED"}}, report.CheckInconclusive, "unknown state: [MUTED]", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := everything(t)
				s.clients.Alarms = c.course.alarms()
				v := s.verify()
				got := find(t, v, "alarm errors")
				assert.Equal(t, c.want, got.Status, got.Detail)
				assert.Contains(t, got.Detail, c.detail)
				assert.Equal(t, c.logged, strings.Contains(s.log.String(), "alarm errors went into ALARM"))
			})
		})
	}
}

func TestAlarmsWithoutObserveAreLookedAtOnce(t *testing.T) {
	t.Parallel()
	s := newSetup()
	s.Options.Alarms = []verify.Alarm{{Name: "errors"}, {Name: "composite-all"}, {Name: "gone"}, {Name: "silent"}}
	calls := 0
	states := inStates(map[string]types.StateValue{"errors": inAlarm, "composite-all": inOK, "silent": noData})
	s.clients.Alarms = alarms(func(in *cloudwatch.DescribeAlarmsInput) (*cloudwatch.DescribeAlarmsOutput, error) {
		calls++
		assert.Equal(t, []types.AlarmType{"MetricAlarm", "CompositeAlarm"}, in.AlarmTypes)
		return states(in)
	})
	v := s.verify()
	assert.Equal(t, 1, calls)
	assert.Equal(t, []report.Check{
		{Name: "alarm errors", Kind: report.CheckOldAlarm, Status: report.CheckFailed, Detail: "it was in the state ALARM right after the move (observe is 0s): 5 datapoints, ***"},
		{Name: "alarm composite-all", Status: report.CheckPassed, Detail: "it was in the state OK right after the move (observe is 0s)"},
		{Name: "alarm gone", Status: report.CheckInconclusive, Detail: "there is no metric or composite alarm with that name in eu-west-1: check the input alarms"},
		{Name: "alarm silent", Status: report.CheckInconclusive, Detail: "it was in the state INSUFFICIENT_DATA right after the move (observe is 0s): 5 datapoints, ***"},
	}, v.Checks)
}

func TestMoreAlarmsThanOneCallTakes(t *testing.T) {
	t.Parallel()
	s := newSetup()
	states := map[string]types.StateValue{}
	for i := range 250 {
		name := fmt.Sprintf("alarm-%d", i)
		s.Options.Alarms = append(s.Options.Alarms, verify.Alarm{Name: name})
		states[name] = inOK
	}
	var sizes []int
	all := inStates(states)
	s.clients.Alarms = alarms(func(in *cloudwatch.DescribeAlarmsInput) (*cloudwatch.DescribeAlarmsOutput, error) {
		assert.LessOrEqual(t, len(in.AlarmNames), 100)
		out, _ := all(in)
		if in.NextToken == nil { // AWS gives less than it could
			sizes = append(sizes, len(in.AlarmNames))
			out.MetricAlarms, out.NextToken = out.MetricAlarms[:10], str("more")
			return out, nil
		}
		out.MetricAlarms = out.MetricAlarms[10:]
		return out, nil
	})
	v := s.verify()
	assert.Equal(t, []int{100, 100, 50}, sizes)
	assert.Equal(t, report.Healthy, v.Healthy)
	assert.Len(t, v.Checks, 250)
}

func TestAlarmsOfSeveralRegions(t *testing.T) {
	t.Parallel()
	denied := alarms(nil).failing(awsError(403, "AccessDenied"))
	for name, c := range map[string]struct {
		near, far alarms
		want      report.CheckStatus
		detail    string
	}{
		"found in one of them":        {inStates(map[string]types.StateValue{"errors": inOK}), inStates(nil), report.CheckPassed, "OK in eu-west-1"},
		"the worst of both counts":    {inStates(map[string]types.StateValue{"errors": inOK}), inStates(map[string]types.StateValue{"errors": inAlarm}), report.CheckFailed, "ALARM in us-east-1"},
		"one of them may not be read": {inStates(map[string]types.StateValue{"errors": inOK}), denied, report.CheckInconclusive, "allow that action for the role that this job uses (AccessDenied: in AWS's words) in us-east-1; its last known state was OK"},
		"ALARM counts all the same":   {inStates(map[string]types.StateValue{"errors": inAlarm}), denied, report.CheckFailed, "ALARM in eu-west-1"},
		"found nowhere":               {inStates(nil), inStates(nil), report.CheckInconclusive, "in eu-west-1, us-east-1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSetup()
			s.Options.Alarms = []verify.Alarm{{Name: "errors"}}
			s.AWS = func(region string) verify.Clients {
				return verify.Clients{Alarms: map[string]verify.AlarmReader{"eu-west-1": c.near, "us-east-1": c.far}[region]}
			}
			far := s.subject
			far.Region = "us-east-1"
			v, _ := s.Verify(context.Background(), []verify.Subject{s.subject, far})
			assert.Equal(t, c.want, v.Checks[0].Status, v.Checks[0].Detail)
			assert.Contains(t, v.Checks[0].Detail, c.detail)
		})
	}
}

// An alarm of a CloudFront site is in us-east-1, wherever its function is.
func TestAnAlarmInAnotherRegionThanItsFunction(t *testing.T) {
	t.Parallel()
	s := newSetup()
	s.Options.Alarms = []verify.Alarm{{Name: "site", Region: "us-east-1"}, {Name: "site"}}
	near, far := inStates(map[string]types.StateValue{"site": inOK}), inStates(map[string]types.StateValue{"site": inAlarm})
	s.AWS = func(region string) verify.Clients {
		return verify.Clients{Alarms: map[string]verify.AlarmReader{"eu-west-1": near, "us-east-1": far}[region]}
	}
	v, _ := s.Verify(context.Background(), []verify.Subject{s.subject})
	found := map[string]report.CheckStatus{}
	for _, c := range v.Checks {
		found[c.Name] = c.Status
	}
	assert.Equal(t, map[string]report.CheckStatus{"alarm site": report.CheckPassed, "alarm site in us-east-1": report.CheckFailed}, found)
}

func TestAlarmsThatCannotBeReadAtTheEnd(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := everything(t)
		began, good := time.Now(), s.clients.Alarms
		s.clients.Alarms = alarms(func(in *cloudwatch.DescribeAlarmsInput) (*cloudwatch.DescribeAlarmsOutput, error) {
			if time.Since(began) > 3*time.Minute {
				return nil, awsError(503, "ServiceUnavailable")
			}
			return good.DescribeAlarms(t.Context(), in)
		})
		got := find(t, s.verify(), "alarm")
		assert.Equal(t, report.CheckInconclusive, got.Status)
		assert.Equal(t, "cloudwatch:DescribeAlarms failed: ServiceUnavailable: in AWS's words; its last known state was OK", got.Detail)
	})
}

// An alarm that evaluates a longer time than was watched still shows what the failed
// version did: that is no reason to leave the version that was restored.
func TestAnAlarmThatEvaluatesTheTimeBeforeTheMove(t *testing.T) {
	t.Parallel()
	metric := func(period, periods int32) types.MetricAlarm {
		return types.MetricAlarm{Period: &period, EvaluationPeriods: &periods}
	}
	expression, period, five := types.MetricAlarm{EvaluationPeriods: sdk.Int32(3)}, int32(300), int32(60)
	expression.Metrics = []types.MetricDataQuery{{Expression: str("a/b")}, {MetricStat: &types.MetricStat{Period: &five}}, {MetricStat: &types.MetricStat{Period: &period}}}
	for name, c := range map[string]struct {
		alarm  types.MetricAlarm
		since  time.Duration // after the move
		course course
		old    bool
	}{
		"3 periods of 5 minutes":                      {metric(300, 3), -time.Minute, course{{0, inAlarm}}, true},
		"metric math over 15 minutes":                 {expression, -time.Minute, course{{0, inAlarm}}, true},
		"5 periods of a minute":                       {metric(60, 5), -time.Minute, course{{0, inAlarm}}, false},
		"one period of a minute":                      {metric(60, 1), -time.Minute, course{{0, inAlarm}}, false},
		"15 minutes, and it went off after the move":  {metric(300, 3), time.Minute, course{{0, inAlarm}}, false},
		"15 minutes, and it was OK in between":        {metric(300, 3), 0, course{{0, inAlarm}, {time.Minute, inOK}, {2 * time.Minute, inAlarm}}, false},
		"15 minutes, and it had no data in between":   {metric(300, 3), 0, course{{0, inAlarm}, {time.Minute, noData}, {2 * time.Minute, inAlarm}}, false},
		"AWS does not say how much time it evaluates": {types.MetricAlarm{}, -time.Minute, course{{0, inAlarm}}, false},
		"15 minutes, and AWS does not say since when": {metric(300, 3), 1, course{{0, inAlarm}}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := everything(t)
				began, states := time.Now(), c.course.alarms()
				s.clients.Alarms = alarms(func(in *cloudwatch.DescribeAlarmsInput) (*cloudwatch.DescribeAlarmsOutput, error) {
					out, err := states(in)
					for i := range out.MetricAlarms {
						a := &out.MetricAlarms[i]
						a.Period, a.EvaluationPeriods, a.Metrics = c.alarm.Period, c.alarm.EvaluationPeriods, c.alarm.Metrics
						if c.since != 1 {
							a.StateTransitionedTimestamp = sdk.Time(began.Add(c.since))
						}
					}
					return out, err
				})
				got := find(t, s.verify(), "alarm errors")
				assert.Equal(t, report.CheckFailed, got.Status)
				assert.Equal(t, c.old, got.Kind == report.CheckOldAlarm)
				assert.Equal(t, c.old, strings.Contains(got.Detail, "it evaluates the last 15 min, so it may still show the time before the move: set observe to a longer time"), got.Detail)
			})
		})
	}
}

// An alarm that goes off is noticed within a twentieth of the watch, and a short
// watch does not ask more often than every five seconds.
func TestHowOftenAlarmsAreRead(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		observe time.Duration
		at      []time.Duration // the first readings
		reads   int             // with the one at the end
	}{
		"an hour":                {time.Hour, []time.Duration{0, 3 * time.Minute, 6 * time.Minute}, 21},
		"five minutes":           {5 * time.Minute, []time.Duration{0, 15 * time.Second, 30 * time.Second}, 21},
		"less than 100 s":        {40 * time.Second, []time.Duration{0, 5 * time.Second, 10 * time.Second}, 9},
		"no multiple of a pause": {12 * time.Second, []time.Duration{0, 5 * time.Second, 10 * time.Second, 12 * time.Second}, 4},
		"less than a pause":      {3 * time.Second, []time.Duration{0, 3 * time.Second}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newSetup()
				s.Options.Alarms, s.Options.Observe = []verify.Alarm{{Name: "errors"}}, c.observe
				began, good := time.Now(), inStates(map[string]types.StateValue{"errors": inOK})
				var reads []time.Duration
				s.clients.Alarms = alarms(func(in *cloudwatch.DescribeAlarmsInput) (*cloudwatch.DescribeAlarmsOutput, error) {
					reads = append(reads, time.Since(began))
					return good(in)
				})
				assert.Equal(t, report.CheckPassed, find(t, s.verify(), "alarm errors").Status)
				assert.Len(t, reads, c.reads)
				assert.Equal(t, c.at, reads[:len(c.at)])
				assert.Equal(t, c.observe, reads[len(reads)-1])
			})
		})
	}
}
