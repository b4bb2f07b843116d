package verify

import (
	"context"
	"fmt"
	"strings"
	"time"

	sdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"github.com/org/lambda-rollback-action/rollback/aws"
	"github.com/org/lambda-rollback-action/rollback/report"
)

// LogReader is the part of the CloudWatch Logs API that reads log events.
type LogReader interface {
	FilterLogEvents(context.Context, *cloudwatchlogs.FilterLogEventsInput, ...func(*cloudwatchlogs.Options)) (*cloudwatchlogs.FilterLogEventsOutput, error)
}

const (
	logAction    = "logs:FilterLogEvents"
	logPages     = 5
	logBytes     = 8 << 20 // bytes of messages after which no further page is read
	sampleLines  = 3
	sampleLength = 200
	messageBytes = 64 << 10 // bytes of one message that are examined
	// drainTime is how long after the move earlier invocations may still write.
	drainTime = time.Minute
)

// logCheck reads the logs of the versions of one function.
type logCheck struct {
	run     *run
	subject Subject
}

func (r *run) logChecks(s Subject) []check {
	if r.options.Observe <= 0 {
		return nil
	}
	return []check{logCheck{r, s}}
}

// verify reports whether the target version writes logs, and how many error lines.
// Error lines alone never fail the check, because some functions always write such
// lines. If there are more than usual (see errorGrowth), the result is inconclusive,
// so that the verdict is not "healthy".
func (c logCheck) verify(ctx context.Context) result {
	cut := c.run.sleepUntilObserved()
	if ctx.Err() != nil {
		return newResult("logs", report.CheckInconclusive, "%s", cut)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, readLimit, errReadLimit)
	defer cancel()
	moved := c.subject.MovedAt
	if moved.IsZero() {
		moved = c.run.started
	}
	now := c.newScan(moved)
	more, err := c.read(ctx, moved.Add(-skew), time.Time{}, "", now.add)
	if err == nil && more && now.lines[c.subject.Version] == 0 {
		err = c.readLatterHalf(ctx, now)
	}
	if err == nil && more { // let CloudWatch Logs select the errors from all lines
		errors, samples := now.errors, now.samples
		now.errors, now.samples = 0, nil
		now.more, err = c.read(ctx, moved.Add(-skew), time.Time{}, errorPattern, now.addErrorOfTarget)
		if errors > now.errors { // the pattern cannot match all error lines
			now.errors, now.samples = errors, samples
		}
	}
	if err != nil {
		return newResult("logs", report.CheckInconclusive, "%s", c.explain(ctx, err))
	}
	res := c.conclude(ctx, now, c.run.clock.Now().Sub(moved))
	res.cutShort(cut)
	return res
}

// preflight reads the log of the last minutes.
func (c logCheck) preflight(ctx context.Context) []Preflight {
	limited, cancel := context.WithTimeoutCause(ctx, readLimit, errReadLimit)
	defer cancel()
	_, err := c.read(limited, c.run.clock.Now().Add(-preflightWindow), time.Time{}, errorPattern, func(types.FilteredLogEvent) {})
	if err != nil {
		out := c.run.refused(limited, "logs", err, logAction)
		out[0].Check.Detail = c.explain(limited, err)
		return out
	}
	return newPreflight("logs", report.CheckPassed, "%s is readable", c.subject.logGroup())
}

// readLatterHalf looks for the target's lines in the latter half of the time since
// the move. It is used if so much was written around the move that the first read
// ended there.
func (c logCheck) readLatterHalf(ctx context.Context, now *logScan) error {
	later := c.newScan(now.moved)
	_, err := c.read(ctx, now.moved.Add(c.run.clock.Now().Sub(now.moved)/2), time.Time{}, "", later.add)
	for version, n := range later.lines {
		now.lines[version] += n
	}
	now.levelled, now.unlevelled = now.levelled+later.levelled, now.unlevelled+later.unlevelled
	now.unnamed, now.late, now.unread = now.unnamed+later.unnamed, now.late+later.late, true
	return err
}

func (c logCheck) conclude(ctx context.Context, now *logScan, observed time.Duration) result {
	version, group := c.subject.Version, c.subject.logGroup()
	var res result
	switch {
	case now.lines[version] == 0 && len(now.lines) == 0:
		res = newResult("logs", report.CheckInconclusive, "no version has written to %s since the move, and missing data does not mean healthy", group)
	case now.lines[version] == 0 && now.unnamed > 0:
		res = newResult("logs", report.CheckInconclusive, "the names of the log streams of %s do not show which version writes to them", group)
	case now.lines[version] == 0 && now.unread:
		res = newResult("logs", report.CheckInconclusive, "%s has too many lines to read all of them, and the lines that were read include none from version %s", group, version)
	case now.lines[version] == 0:
		res = newResult("logs", report.CheckInconclusive, "version %s has written nothing to %s since the move", version, group)
	case now.errors == 0 && now.levelled == 0 && now.unlevelled > 0:
		res = newResult("logs", report.CheckInconclusive,
			"version %s writes to %s, but no log level (such as INFO or ERROR) was found in its lines, so the check cannot tell whether they report errors", version, group)
	case now.errors == 0 && now.more:
		res = newResult("logs", report.CheckInconclusive, "%s has too many lines to read all of them, and the lines that were read include no error lines of version %s", group, version)
	case now.errors == 0:
		res = newResult("logs", report.CheckPassed, "version %s writes to %s, with no error lines", version, group)
	default:
		res = c.compare(ctx, now, observed)
	}
	for _, sample := range now.samples {
		note := warning("error line of version %s: %s", version, sample)
		note.Warning = res.checks[0].Status != report.CheckPassed // otherwise it is one of the usual ones
		res.notes = append(res.notes, note)
	}
	if now.late > 0 {
		res.notes = append(res.notes, warning("version %s, which was replaced, still wrote more than %s after the move: earlier invocations are still running, or the version is invoked by its number",
			c.subject.FailedVersion, report.DurationText(drainTime)))
	}
	return res
}

// errorGrowth is the factor by which the number of error lines may exceed the
// baseline and still count as usual.
const errorGrowth = 2

// compare compares the error lines with those in the same amount of time before the
// deploy.
func (c logCheck) compare(ctx context.Context, now *logScan, observed time.Duration) result {
	text := fmt.Sprintf("version %s wrote %s to %s since the move", c.subject.Version, now.errorCount(), c.subject.logGroup())
	if c.subject.DeployedAt.IsZero() {
		return newResult("logs", report.CheckInconclusive, "%s; could not determine how many are usual", text)
	}
	before := c.newScan(time.Time{})
	to := c.subject.DeployedAt.Add(-skew)
	var err error
	before.more, err = c.read(ctx, to.Add(-observed-skew), to, errorPattern, before.addError)
	switch {
	case err != nil:
		return newResult("logs", report.CheckInconclusive, "%s; could not determine how many are usual: %s", text, c.explain(ctx, err))
	case now.errors > errorGrowth*before.errors:
		return newResult("logs", report.CheckInconclusive, "%s; in the same amount of time before the deploy, %s were usual: read them", text, before.errorCount())
	}
	return newResult("logs", report.CheckPassed, "%s, no more than was usual before the deploy (%s)", text, before.errorCount())
}

// logScan counts the lines of one read.
type logScan struct {
	sanitize func(text string, limit int) string
	subject  Subject
	moved    time.Time
	lines    map[string]int // by version
	unnamed  int            // lines in log streams whose name has no version
	// levelled and unlevelled are the target's lines with and without a known level.
	levelled, unlevelled int
	errors               int
	samples              []string
	late                 int  // lines of the failed version more than drainTime after the move
	more                 bool // there are more error lines than were read
	unread               bool // there are more lines than were read
}

func (c logCheck) newScan(moved time.Time) *logScan {
	return &logScan{sanitize: c.run.sanitize, subject: c.subject, moved: moved, lines: map[string]int{}}
}

func (l *logScan) errorCount() string {
	many := ""
	if l.more {
		many = "at least "
	}
	if l.errors == 1 {
		return many + "1 error line"
	}
	return fmt.Sprintf("%s%d error lines", many, l.errors)
}

// add counts one event from the time since the move.
func (l *logScan) add(e types.FilteredLogEvent) {
	version, ours := streamVersion(sdk.ToString(e.LogStreamName), l.subject.name())
	at := time.UnixMilli(sdk.ToInt64(e.Timestamp))
	switch {
	case !ours:
		return
	case version == "":
		if !at.Before(l.moved) {
			l.unnamed++
			l.lines[""]++
		}
		return
	case version == l.subject.FailedVersion && at.After(l.moved.Add(drainTime)):
		l.late++
	}
	// The target's lines are from after the move, unless it also served before. Lines
	// of other versions do not count if only the margin of time includes them.
	target := version == l.subject.Version
	if at.Before(l.moved) && (!target || l.subject.ServedBefore) {
		return
	}
	l.lines[version]++
	if target {
		l.count(e)
	}
}

func (l *logScan) addErrorOfTarget(e types.FilteredLogEvent) {
	if version, ours := streamVersion(sdk.ToString(e.LogStreamName), l.subject.name()); ours && version == l.subject.Version {
		l.lines[version]++
		l.count(e)
	}
}

func (l *logScan) addError(e types.FilteredLogEvent) {
	if _, ours := streamVersion(sdk.ToString(e.LogStreamName), l.subject.name()); ours {
		l.count(e)
	}
}

func (l *logScan) count(e types.FilteredLogEvent) {
	text := sdk.ToString(e.Message)
	text = text[:min(len(text), messageBytes)]
	switch classifyLine(text) {
	case unknownLine:
		l.unlevelled++
	case neutralLine:
	case normalLine:
		l.levelled++
	case errorLine:
		l.levelled++
		l.errors++
		if len(l.samples) < sampleLines {
			l.samples = append(l.samples, l.sanitize(strings.TrimSpace(text), sampleLength))
		}
	}
}

// read reads the log events from one time to another, or without an end if to is
// zero. It reads a limited number of pages and reports whether there are more.
func (c logCheck) read(ctx context.Context, from, to time.Time, pattern string, add func(types.FilteredLogEvent)) (more bool, err error) {
	in := &cloudwatchlogs.FilterLogEventsInput{LogGroupName: sdk.String(c.subject.logGroup()), StartTime: sdk.Int64(from.UnixMilli())}
	if !to.IsZero() {
		in.EndTime = sdk.Int64(to.UnixMilli())
	}
	if pattern != "" {
		in.FilterPattern = sdk.String(pattern)
	}
	bytes := 0
	for range logPages {
		out, err := aws.Do(ctx, c.run.retry, "FilterLogEvents", func(ctx context.Context) (*cloudwatchlogs.FilterLogEventsOutput, error) {
			return c.run.regions[c.subject.Region].Logs.FilterLogEvents(ctx, in)
		})
		if err != nil {
			return true, err
		}
		for i := range out.Events {
			bytes += len(sdk.ToString(out.Events[i].Message))
			add(out.Events[i])
		}
		if in.NextToken = out.NextToken; sdk.ToString(in.NextToken) == "" {
			return false, nil
		}
		if bytes > logBytes {
			break
		}
	}
	return true, nil
}

func (c logCheck) explain(ctx context.Context, err error) string {
	if ctx.Err() == nil && aws.Classify(err) == aws.NotFound {
		return fmt.Sprintf("there is no log group %s: the function has not written any logs yet, or its role does not allow it", c.subject.logGroup())
	}
	return c.run.explain(ctx, err, logAction)
}
