package verify_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/stretchr/testify/assert"

	"github.com/org/lambda-rollback-action/rollback/report"
)

func (logs) failing(err error) logs {
	return func(*cloudwatchlogs.FilterLogEventsInput) (*cloudwatchlogs.FilterLogEventsOutput, error) {
		return nil, err
	}
}

func (l logs) hanging() logs { return l.failing(errHang) }

// entry is a line in a log stream, at a time from the beginning of the test on.
type entry struct {
	stream string
	at     time.Duration
	text   string
}

func line(version string, at time.Duration, text string) entry {
	return entry{"2026/11/22/[" + version + "]0f3c", at, text}
}

// written makes a log group of its lines. The pattern is taken as "ERROR".
func written(lines ...entry) logs {
	began := time.Now()
	return func(in *cloudwatchlogs.FilterLogEventsInput) (*cloudwatchlogs.FilterLogEventsOutput, error) {
		out := &cloudwatchlogs.FilterLogEventsOutput{}
		for _, l := range lines {
			at := began.Add(l.at).UnixMilli()
			outside := at < aws.ToInt64(in.StartTime) || (in.EndTime != nil && at > *in.EndTime)
			if outside || began.Add(l.at).After(time.Now()) || (in.FilterPattern != nil && !strings.Contains(l.text, "ERROR")) {
				continue
			}
			out.Events = append(out.Events, types.FilteredLogEvent{LogStreamName: str(l.stream), Timestamp: &at, Message: str(l.text)})
		}
		return out, nil
	}
}

func TestLogs(t *testing.T) {
	t.Parallel()
	minute := time.Minute
	for name, c := range map[string]struct {
		lines  []entry
		change func(*setup)
		want   report.CheckStatus
		detail string
		note   string
	}{
		"the target writes":       {lines: []entry{line("41", minute, "INFO ok")}, want: report.CheckPassed, detail: "version 41 writes to /aws/lambda/api, with no error lines"},
		"nobody writes":           {want: report.CheckInconclusive, detail: "no version has written to /aws/lambda/api since the move, and missing data does not mean healthy"},
		"another version writes":  {lines: []entry{line("42", 10*time.Second, "INFO ok")}, want: report.CheckInconclusive, detail: "version 41 has written nothing"},
		"streams with odd names":  {lines: []entry{{"console", minute, "ok"}}, want: report.CheckInconclusive, detail: "the names of the log streams"},
		"a group that is shared":  {lines: []entry{{"2026/11/22/api[41][0f]", minute, "INFO ok"}, {"2026/11/22/shop[41][0f]", minute, "ERROR"}}, want: report.CheckPassed, detail: "no error lines"},
		"only others write in it": {lines: []entry{{"2026/11/22/shop[41][0f]", minute, "ok"}}, want: report.CheckInconclusive, detail: "no version has written"},
		"the failed version's errors just before the move do not count": {
			lines: []entry{line("42", -30*time.Second, "ERROR"), line("41", minute, "INFO ok")}, want: report.CheckPassed, detail: "no error lines"},
		"the failed version writes on": {lines: []entry{line("41", minute, "INFO ok"), line("42", 2*minute, "INFO ok")}, want: report.CheckPassed,
			note: "version 42, which was replaced, still wrote more than 1 min after the move"},
		"the failed version finishes its calls": {lines: []entry{line("41", minute, "INFO ok"), line("42", 50*time.Second, "INFO ok")}, want: report.CheckPassed},
		"the target wrote before the move alone, beside a canary": {lines: []entry{line("41", -10*time.Second, "INFO ok")},
			change: func(s *setup) { s.subject.ServedBefore = true }, want: report.CheckInconclusive, detail: "no version has written"},
		"the clocks differ": {lines: []entry{line("41", -10*time.Second, "INFO ok")}, want: report.CheckPassed, detail: "version 41 writes"},
		"new error lines": {lines: []entry{line("41", minute, "ERROR no hunter2"), line("41", minute, "INFO ok")}, want: report.CheckInconclusive,
			detail: "version 41 wrote 1 error line to /aws/lambda/api since the move; in the same amount of time before the deploy, 0 error lines were usual", note: "error line of version 41: ERROR no ***"},
		"no more error lines than usual": {lines: []entry{line("41", minute, "ERROR"), line("39", -13*minute, "ERROR")}, want: report.CheckPassed,
			detail: "no more than was usual before the deploy (1 error line)", note: "error line of version 41: ERROR\n"},
		"error lines, and nothing to compare them with": {lines: []entry{line("41", minute, "ERROR")}, change: func(s *setup) { s.subject.DeployedAt = time.Time{} },
			want: report.CheckInconclusive, detail: "could not determine how many are usual", note: "error line"},
		"a long error line": {lines: []entry{line("41", minute, "ERROR "+strings.Repeat("x", 200_000))}, want: report.CheckInconclusive, note: strings.Repeat("x", 190) + "xxx…"},
		"a log group of its own": {lines: []entry{line("41", minute, "INFO ok")}, change: func(s *setup) { s.subject.LogGroup = "/shop/logs" },
			want: report.CheckPassed, detail: "writes to /shop/logs"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newSetup()
				s.Options.Observe = 5 * time.Minute
				s.clients.Logs = written(c.lines...)
				if c.change != nil {
					c.change(s)
				}
				v := s.verify()
				got := find(t, v, "logs")
				assert.Equal(t, c.want, got.Status, got.Detail)
				assert.Contains(t, got.Detail, c.detail)
				assert.Contains(t, noteTexts(v), c.note)
				if c.note == "" {
					assert.Empty(t, v.Notes)
				}
				assert.LessOrEqual(t, len(v.Notes), 4)
			})
		})
	}
}

func TestLogsWithoutAGroup(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSetup()
		s.Options.Observe = time.Minute
		s.clients.Logs = logs(nil).failing(awsError(400, "ResourceNotFoundException"))
		got := find(t, s.verify(), "logs")
		assert.Equal(t, report.CheckInconclusive, got.Status)
		assert.Contains(t, got.Detail, "there is no log group /aws/lambda/api")
	})
}

func TestMoreLogsThanAreRead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSetup()
		s.Options.Observe = 5 * time.Minute
		asked := map[bool]int{}
		s.clients.Logs = logs(func(in *cloudwatchlogs.FilterLogEventsInput) (*cloudwatchlogs.FilterLogEventsOutput, error) {
			asked[in.FilterPattern != nil]++
			at, text := time.Now().UnixMilli(), "fine"
			if in.FilterPattern != nil {
				text = "ERROR"
			}
			return &cloudwatchlogs.FilterLogEventsOutput{NextToken: str("more"), Events: []types.FilteredLogEvent{
				{LogStreamName: str("2026/11/22/[41]0f"), Timestamp: &at, Message: &text},
			}}, nil
		})
		got := find(t, s.verify(), "logs")
		assert.Equal(t, map[bool]int{false: 5, true: 10}, asked, "all lines, the error lines among them, and those of before")
		assert.Contains(t, got.Detail, "at least 5 error lines")
	})
}

// So much is written that the reading ends before it comes to the target.
func TestLogsOfABusyFunction(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		after  string // the version that writes after the move
		want   report.CheckStatus
		detail string
	}{
		"the target writes":     {"41", report.CheckPassed, "version 41 writes"},
		"it is not to be found": {"42", report.CheckInconclusive, "/aws/lambda/api has too many lines to read all of them"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := newSetup()
				s.Options.Observe = 5 * time.Minute
				moved := s.subject.MovedAt
				// A line each millisecond, a thousand a page: AWS gives no more.
				s.clients.Logs = logs(func(in *cloudwatchlogs.FilterLogEventsInput) (*cloudwatchlogs.FilterLogEventsOutput, error) {
					if in.FilterPattern != nil {
						return &cloudwatchlogs.FilterLogEventsOutput{}, nil
					}
					at := aws.ToInt64(in.StartTime)
					if in.NextToken != nil {
						_, err := fmt.Sscan(*in.NextToken, &at)
						assert.NoError(t, err)
					}
					out := &cloudwatchlogs.FilterLogEventsOutput{NextToken: str(strconv.FormatInt(at+1000, 10))}
					for range 1000 {
						version := "42"
						if at > moved.UnixMilli() {
							version = c.after
						}
						out.Events = append(out.Events, types.FilteredLogEvent{
							LogStreamName: str("2026/11/22/[" + version + "]0f"), Timestamp: aws.Int64(at), Message: str("INFO served"),
						})
						at++
					}
					return out, nil
				})
				got := find(t, s.verify(), "logs")
				assert.Equal(t, c.want, got.Status, got.Detail)
				assert.Contains(t, got.Detail, c.detail)
			})
		})
	}
}

// Lines that were not read can hold errors.
func TestLogsThatAreLongerThanTheReading(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newSetup()
		s.Options.Observe = time.Minute
		s.clients.Logs = logs(func(*cloudwatchlogs.FilterLogEventsInput) (*cloudwatchlogs.FilterLogEventsOutput, error) {
			at, text := time.Now().UnixMilli(), "INFO no ERROR was found"
			return &cloudwatchlogs.FilterLogEventsOutput{NextToken: str("more"), Events: []types.FilteredLogEvent{
				{LogStreamName: str("2026/11/22/[41]0f"), Timestamp: &at, Message: &text},
			}}, nil
		})
		got := find(t, s.verify(), "logs")
		assert.Equal(t, report.CheckInconclusive, got.Status)
		assert.Equal(t, "/aws/lambda/api has too many lines to read all of them, and the lines that were read include no error lines of version 41", got.Detail)
	})
}
