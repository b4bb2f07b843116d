package emulator_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/test/emulator"
)

// states are the alarms of an answer by name.
func states(out *cloudwatch.DescribeAlarmsOutput) map[string]types.StateValue {
	all := map[string]types.StateValue{}
	for _, a := range out.MetricAlarms {
		all[*a.AlarmName] = a.StateValue
	}
	for _, a := range out.CompositeAlarms {
		all[*a.AlarmName+" (composite)"] = a.StateValue
	}
	return all
}

func TestAlarmsAreSelected(t *testing.T) {
	t.Parallel()
	e, api := startWatch(t)
	watch := e.CloudWatch(region)
	watch.SetAlarm("api-errors", emulator.AlarmOK)
	watch.SetAlarm("api-latency", emulator.AlarmInAlarm)
	watch.SetAlarm("shop-errors", emulator.AlarmInsufficientData)
	watch.SetCompositeAlarm("api-all", emulator.AlarmInAlarm)
	watch.SetAlarm("gone", emulator.AlarmInAlarm)
	watch.DeleteAlarm("gone")
	e.CloudWatch("us-east-1").SetAlarm("elsewhere", emulator.AlarmOK)
	both := []types.AlarmType{types.AlarmTypeMetricAlarm, types.AlarmTypeCompositeAlarm}

	for name, test := range map[string]struct {
		in   cloudwatch.DescribeAlarmsInput
		want map[string]types.StateValue
	}{
		"without a filter all metric alarms and no composite one": {
			want: map[string]types.StateValue{"api-errors": "OK", "api-latency": "ALARM", "shop-errors": "INSUFFICIENT_DATA"},
		},
		"by name": {
			in:   cloudwatch.DescribeAlarmsInput{AlarmNames: []string{"shop-errors", "api-errors"}},
			want: map[string]types.StateValue{"api-errors": "OK", "shop-errors": "INSUFFICIENT_DATA"},
		},
		"a composite alarm named without its type is not found": {
			in:   cloudwatch.DescribeAlarmsInput{AlarmNames: []string{"api-all"}},
			want: map[string]types.StateValue{},
		},
		"both types by name": {
			in:   cloudwatch.DescribeAlarmsInput{AlarmNames: []string{"api-all", "api-errors"}, AlarmTypes: both},
			want: map[string]types.StateValue{"api-errors": "OK", "api-all (composite)": "ALARM"},
		},
		"names that no alarm has are missing": {
			in:   cloudwatch.DescribeAlarmsInput{AlarmNames: []string{"gone", "elsewhere", "API-ERRORS"}, AlarmTypes: both},
			want: map[string]types.StateValue{},
		},
		"by prefix and state": {
			in:   cloudwatch.DescribeAlarmsInput{AlarmNamePrefix: aws.String("api-"), StateValue: types.StateValueAlarm, AlarmTypes: both},
			want: map[string]types.StateValue{"api-latency": "ALARM", "api-all (composite)": "ALARM"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out, err := api.DescribeAlarms(t.Context(), &test.in)
			require.NoError(t, err)
			assert.Equal(t, test.want, states(out))
			assert.Nil(t, out.NextToken)
		})
	}
}

func TestAlarmAsAWSShowsIt(t *testing.T) {
	t.Parallel()
	e := emulator.StartFor(t)
	w := newWire(t)
	e.CloudWatch(region).SetAlarm("api-errors", emulator.AlarmInAlarm)
	out, err := watchClient(e, region, w).DescribeAlarms(t.Context(), &cloudwatch.DescribeAlarmsInput{})
	require.NoError(t, err)
	require.Len(t, out.MetricAlarms, 1)
	alarm := out.MetricAlarms[0]
	assert.Equal(t, "arn:aws:cloudwatch:eu-west-1:111111111111:alarm:api-errors", *alarm.AlarmArn)
	assert.NotEmpty(t, *alarm.StateReason)
	assert.False(t, alarm.StateUpdatedTimestamp.IsZero())
	assert.Equal(t, "application/cbor", w.header.Get("Content-Type"))
	assert.Equal(t, "rpc-v2-cbor", w.header.Get("Smithy-Protocol"))
	calls := e.Calls(emulator.Match{Service: emulator.ServiceCloudWatch, Operation: "DescribeAlarms", Region: region})
	require.Len(t, calls, 1)
	assert.Equal(t, w.header.Get("X-Amzn-Requestid"), calls[0].RequestID)
	assert.False(t, calls[0].Mutates())
}

func TestAlarmThatChangesWhileItIsWatched(t *testing.T) {
	t.Parallel()
	e, api := startWatch(t)
	alarm := e.CloudWatch(region).SetAlarm("api", emulator.AlarmOK).
		AlarmAfter(2, emulator.AlarmInAlarm).AlarmAfter(1, emulator.AlarmOK)
	e.CloudWatch(region).SetAlarm("other", emulator.AlarmOK)
	read := func(name string) []types.MetricAlarm {
		out, err := api.DescribeAlarms(t.Context(), &cloudwatch.DescribeAlarmsInput{AlarmNames: []string{name}})
		require.NoError(t, err)
		return out.MetricAlarms
	}
	var seen []types.StateValue
	for range 5 {
		read("other") // does not count
		seen = append(seen, read("api")[0].StateValue)
	}
	assert.Equal(t, []types.StateValue{"OK", "OK", "ALARM", "OK", "OK"}, seen)
	assert.Equal(t, emulator.AlarmOK, alarm.State())

	alarm.AlarmAfter(0, emulator.AlarmInsufficientData)
	assert.Equal(t, emulator.AlarmInsufficientData, alarm.State())
	alarm.AlarmAfter(1, emulator.AlarmInAlarm)
	e.CloudWatch(region).SetAlarm("api", emulator.AlarmOK)
	read("api")
	assert.Equal(t, emulator.AlarmOK, alarm.State(), "setting an alarm forgets the plan")
}

func TestAlarmsComeInPages(t *testing.T) {
	t.Parallel()
	e, api := startWatch(t)
	for i := range 130 {
		if i%2 == 0 {
			e.CloudWatch(region).SetAlarm(fmt.Sprintf("alarm-%03d", i), emulator.AlarmOK)
		} else {
			e.CloudWatch(region).SetCompositeAlarm(fmt.Sprintf("alarm-%03d", i), emulator.AlarmOK)
		}
	}
	for _, test := range []struct {
		size  *int32
		pages []int
	}{
		{nil, []int{50, 50, 30}},
		{aws.Int32(100), []int{100, 30}},
		{aws.Int32(65), []int{65, 65}},
	} {
		pages := cloudwatch.NewDescribeAlarmsPaginator(api, &cloudwatch.DescribeAlarmsInput{
			MaxRecords: test.size, AlarmTypes: types.AlarmType("").Values(),
		})
		var sizes []int
		all := map[string]bool{}
		for pages.HasMorePages() {
			out, err := pages.NextPage(t.Context())
			require.NoError(t, err)
			page := states(out)
			sizes = append(sizes, len(page))
			for name := range page {
				all[name] = true
			}
		}
		assert.Equal(t, test.pages, sizes)
		assert.Len(t, all, 130)
	}
}

func TestRequestsForAlarmsThatAWSRefuses(t *testing.T) {
	t.Parallel()
	_, api := startWatch(t)
	for name, test := range map[string]struct {
		in   cloudwatch.DescribeAlarmsInput
		code string
	}{
		"page too large":       {cloudwatch.DescribeAlarmsInput{MaxRecords: aws.Int32(101)}, "ValidationError"},
		"page of none":         {cloudwatch.DescribeAlarmsInput{MaxRecords: aws.Int32(0)}, "ValidationError"},
		"too many names":       {cloudwatch.DescribeAlarmsInput{AlarmNames: strings.Split(strings.Repeat("a ", 101), " ")[:101]}, "ValidationError"},
		"names and prefix":     {cloudwatch.DescribeAlarmsInput{AlarmNames: []string{"a"}, AlarmNamePrefix: aws.String("a")}, "ValidationError"},
		"unknown type":         {cloudwatch.DescribeAlarmsInput{AlarmTypes: []types.AlarmType{"Alarm"}}, "ValidationError"},
		"token from elsewhere": {cloudwatch.DescribeAlarmsInput{NextToken: aws.String("AAAA")}, "InvalidNextToken"},
		"by parents":           {cloudwatch.DescribeAlarmsInput{ParentsOfAlarmName: aws.String("a")}, "ValidationError"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := api.DescribeAlarms(t.Context(), &test.in)
			assert.Equal(t, test.code, code(err))
		})
	}
}
