package emulator_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/org/lambda-rollback-action/test/emulator"
)

const group = "/aws/lambda/api"

var older, newer = emulator.LogStream(day, 41, "aaaa"), emulator.LogStream(day, 42, "bbbb")

func startLogs(t *testing.T) (*emulator.Emulator, *cloudwatchlogs.Client) {
	t.Helper()
	e := emulator.StartFor(t)
	return e, logsClient(e, region, plainHTTP(t))
}

func event(after time.Duration, message string) emulator.LogEvent {
	return emulator.LogEvent{At: day.Add(after), Message: message}
}

// messages are what a search finds, page by page.
func messages(t *testing.T, api *cloudwatchlogs.Client, in *cloudwatchlogs.FilterLogEventsInput) (found []string, pages int) {
	t.Helper()
	found = []string{}
	p := cloudwatchlogs.NewFilterLogEventsPaginator(api, in)
	for p.HasMorePages() {
		out, err := p.NextPage(t.Context())
		require.NoError(t, err)
		pages++
		for _, e := range out.Events {
			found = append(found, *e.Message)
		}
	}
	return found, pages
}

func TestLogStreamsAreNamedAsLambdaNamesThem(t *testing.T) {
	t.Parallel()
	late := time.Date(2026, 1, 2, 23, 30, 0, 0, time.FixedZone("", -3600))
	assert.Equal(t, "2026/01/03/[42]0a1b", emulator.LogStream(late, 42, "0a1b"), "the day is UTC's")
	assert.Equal(t, "2026/01/02/[$LATEST]0a1b", emulator.LogStream(day, 0, "0a1b"))
}

func TestEventsOfAllStreamsAreInterleaved(t *testing.T) {
	t.Parallel()
	e, api := startLogs(t)
	e.Logs(region).PutEvents(group, older, event(0, "one"), event(2*time.Second, "three"))
	e.Logs(region).PutEvents(group, newer, event(time.Second, "two"), event(2*time.Second, "four"))
	e.Logs("us-east-1").PutEvents(group, newer, event(0, "elsewhere"))
	e.Logs(region).PutEvents("/aws/lambda/api-other", newer, event(0, "of another function"))

	out, err := api.FilterLogEvents(t.Context(), &cloudwatchlogs.FilterLogEventsInput{LogGroupName: aws.String(group)})
	require.NoError(t, err)
	require.Len(t, out.Events, 4)
	assert.Nil(t, out.NextToken)
	second := out.Events[1]
	assert.Equal(t, "two", *second.Message)
	assert.Equal(t, newer, *second.LogStreamName)
	assert.Equal(t, day.Add(time.Second).UnixMilli(), *second.Timestamp)
	assert.Positive(t, *second.IngestionTime)
	ids := map[string]bool{}
	for _, e := range out.Events {
		ids[*e.EventId] = true
	}
	assert.Len(t, ids, 4)
	assert.Equal(t, group, e.Calls(emulator.Match{Service: emulator.ServiceLogs})[0].Function)
}

func TestEventsAreSelected(t *testing.T) {
	t.Parallel()
	e, api := startLogs(t)
	e.Logs(region).PutEvents(group, older, event(0, "one"), event(10*time.Second, "two"))
	e.Logs(region).PutEvents(group, newer, event(20*time.Second, "three"), event(30*time.Second, "four"))
	at := func(d time.Duration) *int64 { return aws.Int64(day.Add(d).UnixMilli()) }
	for name, test := range map[string]struct {
		in   cloudwatchlogs.FilterLogEventsInput
		want []string
	}{
		"start and end are inclusive":  {cloudwatchlogs.FilterLogEventsInput{StartTime: at(10 * time.Second), EndTime: at(20 * time.Second)}, []string{"two", "three"}},
		"a millisecond off":            {cloudwatchlogs.FilterLogEventsInput{StartTime: at(10*time.Second + time.Millisecond), EndTime: at(20*time.Second - time.Millisecond)}, []string{}},
		"by stream":                    {cloudwatchlogs.FilterLogEventsInput{LogStreamNames: []string{newer}}, []string{"three", "four"}},
		"by prefix of the stream":      {cloudwatchlogs.FilterLogEventsInput{LogStreamNamePrefix: aws.String("2026/01/02/[41]")}, []string{"one", "two"}},
		"newest first":                 {cloudwatchlogs.FilterLogEventsInput{StartFromHead: aws.Bool(false), StartTime: at(5 * time.Second)}, []string{"four", "three", "two"}},
		"newest first in pages of one": {cloudwatchlogs.FilterLogEventsInput{StartFromHead: aws.Bool(false), StartTime: at(5 * time.Second), Limit: aws.Int32(1)}, []string{"four", "three", "two"}},
		"in pages of one":              {cloudwatchlogs.FilterLogEventsInput{Limit: aws.Int32(1)}, []string{"one", "two", "three", "four"}},
		"in pages that do not divide":  {cloudwatchlogs.FilterLogEventsInput{Limit: aws.Int32(3)}, []string{"one", "two", "three", "four"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test.in.LogGroupName = aws.String(group)
			found, _ := messages(t, api, &test.in)
			assert.Equal(t, test.want, found)
		})
	}
	byARN, _ := messages(t, api, &cloudwatchlogs.FilterLogEventsInput{
		LogGroupIdentifier: aws.String("arn:aws:logs:eu-west-1:111111111111:log-group:" + group),
	})
	assert.Len(t, byARN, 4)
}

func TestPatterns(t *testing.T) {
	t.Parallel()
	e, api := startLogs(t)
	lines := []string{"ERROR timeout", "error in lower case", "Task timed out after 3.00 seconds", "ERROR: [41] broke", `said "no" twice`}
	for i, line := range lines {
		e.Logs(region).PutEvents(group, older, event(time.Duration(i)*time.Second, line))
	}
	for pattern, want := range map[string][]int{
		``:                    {0, 1, 2, 3, 4},
		`ERROR`:               {0, 3},
		`ERROR timeout`:       {0},
		`"timed out"`:         {2},
		`?ERROR ?"timed out"`: {0, 2, 3},
		`ERROR -timeout`:      {3},
		`-ERROR`:              {1, 2, 4},
		`"[41]"`:              {3},
		`"\"no\""`:            {4},
		`nothing`:             {},
	} {
		t.Run(pattern, func(t *testing.T) {
			t.Parallel()
			expected := []string{}
			for _, i := range want {
				expected = append(expected, lines[i])
			}
			found, _ := messages(t, api, &cloudwatchlogs.FilterLogEventsInput{LogGroupName: aws.String(group), FilterPattern: aws.String(pattern)})
			assert.Equal(t, expected, found)
		})
	}
}

func TestPagesMayBeEmpty(t *testing.T) {
	t.Parallel()
	e, api := startLogs(t)
	for i := range 10 {
		e.Logs(region).PutEvents(group, older, event(time.Duration(i)*time.Second, fmt.Sprintf("line %d", i)))
	}
	e.Logs(region).ScanAtMost(3)
	in := &cloudwatchlogs.FilterLogEventsInput{LogGroupName: aws.String(group), FilterPattern: aws.String("9")}
	out, err := api.FilterLogEvents(t.Context(), in)
	require.NoError(t, err)
	assert.Empty(t, out.Events)
	assert.NotNil(t, out.NextToken, "nothing on this page is not nothing at all")
	found, pages := messages(t, api, in)
	assert.Equal(t, []string{"line 9"}, found)
	assert.Equal(t, 4, pages)
}

func TestEventsThatComeInBetweenPages(t *testing.T) {
	t.Parallel()
	e, api := startLogs(t)
	e.Logs(region).PutEvents(group, older, event(0, "one"), event(10*time.Second, "three"))
	in := &cloudwatchlogs.FilterLogEventsInput{LogGroupName: aws.String(group), Limit: aws.Int32(1)}
	out, err := api.FilterLogEvents(t.Context(), in)
	require.NoError(t, err)
	require.NotNil(t, out.NextToken)
	e.Logs(region).PutEvents(group, newer, event(-time.Second, "too late to be seen"), event(5*time.Second, "two"))
	in.NextToken, in.Limit = out.NextToken, nil
	rest, _ := messages(t, api, in)
	assert.Equal(t, []string{"two", "three"}, rest)
}

func TestGroupsWithoutEvents(t *testing.T) {
	t.Parallel()
	e, api := startLogs(t)
	in := &cloudwatchlogs.FilterLogEventsInput{LogGroupName: aws.String(group)}
	_, err := api.FilterLogEvents(t.Context(), in)
	assert.Equal(t, "ResourceNotFoundException", code(err), "the function never ran")
	e.Logs(region).CreateGroup(group)
	found, pages := messages(t, api, in)
	assert.Empty(t, found)
	assert.Equal(t, 1, pages)
	e.Logs(region).DeleteGroup(group)
	_, err = api.FilterLogEvents(t.Context(), in)
	assert.Equal(t, "ResourceNotFoundException", code(err))
}

func TestSearchesThatAWSRefuses(t *testing.T) {
	t.Parallel()
	e, api := startLogs(t)
	e.Logs(region).PutEvents(group, older, event(0, "one"))
	named := aws.String(group)
	for name, test := range map[string]struct {
		in   cloudwatchlogs.FilterLogEventsInput
		code string
	}{
		"no group":                    {cloudwatchlogs.FilterLogEventsInput{}, "InvalidParameterException"},
		"group named twice":           {cloudwatchlogs.FilterLogEventsInput{LogGroupName: named, LogGroupIdentifier: named}, "InvalidParameterException"},
		"streams named twice":         {cloudwatchlogs.FilterLogEventsInput{LogGroupName: named, LogStreamNames: []string{older}, LogStreamNamePrefix: aws.String("2026")}, "InvalidParameterException"},
		"missing stream":              {cloudwatchlogs.FilterLogEventsInput{LogGroupName: named, LogStreamNames: []string{newer}}, "ResourceNotFoundException"},
		"page too large":              {cloudwatchlogs.FilterLogEventsInput{LogGroupName: named, Limit: aws.Int32(10001)}, "InvalidParameterException"},
		"token from elsewhere":        {cloudwatchlogs.FilterLogEventsInput{LogGroupName: named, NextToken: aws.String("AAAA")}, "InvalidParameterException"},
		"newest first without a time": {cloudwatchlogs.FilterLogEventsInput{LogGroupName: named, StartFromHead: aws.Bool(false)}, "InvalidParameterException"},
		"brackets without quotes":     {cloudwatchlogs.FilterLogEventsInput{LogGroupName: named, FilterPattern: aws.String("[41]")}, "InvalidParameterException"},
		"quotes that do not end":      {cloudwatchlogs.FilterLogEventsInput{LogGroupName: named, FilterPattern: aws.String(`"timed out`)}, "InvalidParameterException"},
		"either beside both":          {cloudwatchlogs.FilterLogEventsInput{LogGroupName: named, FilterPattern: aws.String("?ERROR timeout")}, "InvalidParameterException"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := api.FilterLogEvents(t.Context(), &test.in)
			assert.Equal(t, test.code, code(err))
		})
	}
}
