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

// LogReader is CloudWatch Logs as far as it takes to read.
type LogReader interface {
	FilterLogEvents(context.Context, *cloudwatchlogs.FilterLogEventsInput, ...func(*cloudwatchlogs.Options)) (*cloudwatchlogs.FilterLogEventsOutput, error)
}

const (
	logAction    = "logs:FilterLogEvents"
	logPages     = 5
	logBytes     = 8 << 20 // of messages, after which no further page is asked for
	sampleLines  = 3
	sampleLength = 200
	messageBytes = 64 << 10 // what is looked at of one message
	// drainTime is how long calls that were under way may still write.
	drainTime = time.Minute
)

// logCheck reads what the versions of one function write.
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

// verify says which versions wrote, and how many error lines the target did.
// Lines alone make nothing fail: some functions always write such lines. More
// of them than before the deploy keep the verdict from being "healthy".
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
	if err == nil && more { // have the errors picked out of all that there is
		now.errors, now.samples = 0, nil
		now.more, err = c.read(ctx, moved.Add(-skew), time.Time{}, errorPattern, now.addErrorOfTarget)
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

// readLatterHalf looks for the target's lines in the latter half of the watch, where
// so much was written around the move that the reading ended there.
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
		res = newResult("logs", report.CheckInconclusive, "no version has written to %s since the move, and no data is not health", group)
	case now.lines[version] == 0 && now.unnamed > 0:
		res = newResult("logs", report.CheckInconclusive, "the names of the log streams of %s do not show which version writes to them", group)
	case now.lines[version] == 0 && now.unread:
		res = newResult("logs", report.CheckInconclusive, "too much is written to %s to read all of it, and what was read has no line of version %s", group, version)
	case now.lines[version] == 0:
		res = newResult("logs", report.CheckInconclusive, "version %s has written nothing to %s since the move", version, group)
	case now.errors == 0 && now.levelled == 0 && now.unlevelled > 0:
		res = newResult("logs", report.CheckInconclusive,
			"version %s writes to %s, but no level (such as INFO or ERROR) could be read in its lines, so that it is not known whether they report errors", version, group)
	case now.errors == 0:
		res = newResult("logs", report.CheckPassed, "version %s writes to %s, and no error lines", version, group)
	default:
		res = c.compare(ctx, now, observed)
	}
	for _, sample := range now.samples {
		note := warning("error line of version %s: %s", version, sample)
		note.Warning = res.checks[0].Status != report.CheckPassed // else it is one of the usual ones
		res.notes = append(res.notes, note)
	}
	if now.late > 0 {
		res.notes = append(res.notes, warning("version %s, which was left, still wrote more than %s after the move: long calls of before, or somebody calls it by its number",
			c.subject.FailedVersion, drainTime))
	}
	return res
}

// errorGrowth times the usual error lines is more than usual.
const errorGrowth = 2

// compare sets the error lines against those in as much time before the deploy.
func (c logCheck) compare(ctx context.Context, now *logScan, observed time.Duration) result {
	text := fmt.Sprintf("version %s wrote %s to %s since the move", c.subject.Version, now.errorCount(), c.subject.logGroup())
	if c.subject.DeployedAt.IsZero() {
		return newResult("logs", report.CheckInconclusive, "%s; how many were usual is not known", text)
	}
	before := c.newScan(time.Time{})
	to := c.subject.DeployedAt.Add(-skew)
	var err error
	before.more, err = c.read(ctx, to.Add(-observed-skew), to, errorPattern, before.addError)
	switch {
	case err != nil:
		return newResult("logs", report.CheckInconclusive, "%s; how many were usual is not known: %s", text, c.explain(ctx, err))
	case now.errors > errorGrowth*before.errors:
		return newResult("logs", report.CheckInconclusive, "%s, in as much time before the deploy %s were usual: read them", text, before.errorCount())
	}
	return newResult("logs", report.CheckPassed, "%s, no more than was usual before the deploy (%s)", text, before.errorCount())
}

// logScan counts the lines of one reading.
type logScan struct {
	sanitize func(text string, limit int) string
	subject  Subject
	moved    time.Time
	lines    map[string]int // by version
	unnamed  int            // lines in streams that name no version
	// levelled and unlevelled are the target's lines with a level that can be
	// read, and without.
	levelled, unlevelled int
	errors               int
	samples              []string
	late                 int  // lines of the failed version long after the move
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

// add takes one event of those since the move.
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
	// What the target writes is of after the move, unless it served before, too.
	// Of the other versions, what the margin of time lets in does not count.
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

// read reads what was written from a time on, and to a time unless that is
// zero, in a bounded number of pages, and reports whether there is more.
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
		return fmt.Sprintf("there is no log group %s: the function has written nothing yet, or its role may not", c.subject.logGroup())
	}
	return c.run.explain(ctx, err, logAction)
}
