package verify

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
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
	// stragglers is how long calls that were under way may still write.
	stragglers = time.Minute
)

func (r *run) logCheck(s Subject) []check {
	if r.Observe <= 0 {
		return nil
	}
	return []check{func(ctx context.Context) findings { return r.logs(ctx, s) }}
}

// logs says which versions wrote, and how many error lines the target did.
// Lines alone make nothing fail: some functions always write such lines. More
// of them than before the deploy keep the verdict from being "healthy".
func (r *run) logs(ctx context.Context, s Subject) findings {
	cut := r.untilObserved()
	if ctx.Err() != nil {
		return one("logs", Inconclusive, "%s", cut)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, readLimit, errReadLimit)
	defer cancel()
	moved := s.MovedAt
	if moved.IsZero() {
		moved = r.started
	}
	now := r.newSight(s, moved)
	more, err := r.readLogs(ctx, s, moved.Add(-skew), time.Time{}, "", now.see)
	if err == nil && more && now.lines[s.Version] == 0 {
		err = r.lookLater(ctx, s, now)
	}
	if err == nil && more { // have the errors picked out of all that there is
		now.errors, now.samples = 0, nil
		now.more, err = r.readLogs(ctx, s, moved.Add(-skew), time.Time{}, errorPattern, now.seeError)
	}
	if err != nil {
		return one("logs", Inconclusive, "%s", r.explainLogs(ctx, s, err))
	}
	f := r.concludeLogs(ctx, s, now, r.Clock.Now().Sub(moved))
	if cut != "" {
		if f.checks[0].Status == Passed {
			f.checks[0].Status = Inconclusive
		}
		f.checks[0].Detail += "; " + cut
	}
	return f
}

// lookLater looks for the target's lines in the latter half of the watch, where so
// much was written around the move that the reading ended there.
func (r *run) lookLater(ctx context.Context, s Subject, now *sight) error {
	later := r.newSight(s, now.moved)
	_, err := r.readLogs(ctx, s, now.moved.Add(r.Clock.Now().Sub(now.moved)/2), time.Time{}, "", later.see)
	for version, n := range later.lines {
		now.lines[version] += n
	}
	now.unnamed, now.late, now.unread = now.unnamed+later.unnamed, now.late+later.late, true
	return err
}

func (r *run) concludeLogs(ctx context.Context, s Subject, now *sight, observed time.Duration) findings {
	group := s.logGroup()
	var f findings
	switch {
	case now.lines[s.Version] == 0 && len(now.lines) == 0:
		f = one("logs", Inconclusive, "no version has written to %s since the move, and no data is not health", group)
	case now.lines[s.Version] == 0 && now.unnamed > 0:
		f = one("logs", Inconclusive, "which version writes cannot be told from the names of the log streams of %s", group)
	case now.lines[s.Version] == 0 && now.unread:
		f = one("logs", Inconclusive, "too much is written to %s to read all of it, and what was read has no line of version %s", group, s.Version)
	case now.lines[s.Version] == 0:
		f = one("logs", Inconclusive, "version %s has written nothing to %s since the move", s.Version, group)
	case now.errors == 0:
		f = one("logs", Passed, "version %s writes to %s, and no error lines", s.Version, group)
	default:
		f = r.compareLogs(ctx, s, now, observed)
	}
	for _, sample := range now.samples {
		note := warning("error line of version %s: %s", s.Version, sample)
		note.Warning = f.checks[0].Status != Passed // else it is one of the usual ones
		f.notes = append(f.notes, note)
	}
	if now.late > 0 {
		f.notes = append(f.notes, warning("version %s, which was left, still wrote more than %s after the move: long calls of before, or somebody calls it by its number", s.FailedVersion, stragglers))
	}
	return f
}

// errorGrowth times the usual error lines is more than usual.
const errorGrowth = 2

// compareLogs sets the error lines against those in as much time before the
// deploy.
func (r *run) compareLogs(ctx context.Context, s Subject, now *sight, observed time.Duration) findings {
	text := fmt.Sprintf("version %s wrote %s to %s since the move", s.Version, now.howMany(), s.logGroup())
	if s.DeployedAt.IsZero() {
		return one("logs", Inconclusive, "%s; how many were usual is not known", text)
	}
	before := r.newSight(s, time.Time{})
	to := s.DeployedAt.Add(-skew)
	var err error
	before.more, err = r.readLogs(ctx, s, to.Add(-observed-skew), to, errorPattern, before.seeAnyError)
	switch {
	case err != nil:
		return one("logs", Inconclusive, "%s; how many were usual is not known: %s", text, r.explainLogs(ctx, s, err))
	case now.errors > errorGrowth*before.errors:
		return one("logs", Inconclusive, "%s, in as much time before the deploy %s were usual: read them", text, before.howMany())
	}
	return one("logs", Passed, "%s, no more than was usual before the deploy (%s)", text, before.howMany())
}

// sight is what was seen in the logs.
type sight struct {
	*run

	subject Subject
	moved   time.Time
	lines   map[string]int // by version
	unnamed int            // lines in streams that name no version
	errors  int
	samples []string
	late    int  // lines of the failed version long after the move
	more    bool // there are more error lines than were read
	unread  bool // there are more lines than were read
}

func (r *run) newSight(s Subject, moved time.Time) *sight {
	return &sight{run: r, subject: s, moved: moved, lines: map[string]int{}}
}

func (v *sight) howMany() string {
	many := ""
	if v.more {
		many = "at least "
	}
	if v.errors == 1 {
		return many + "1 error line"
	}
	return fmt.Sprintf("%s%d error lines", many, v.errors)
}

// see takes one event of those since the move.
func (v *sight) see(e types.FilteredLogEvent) {
	version, ours := streamVersion(aws.ToString(e.LogStreamName), v.subject.name())
	at := time.UnixMilli(aws.ToInt64(e.Timestamp))
	switch {
	case !ours:
		return
	case version == "":
		if !at.Before(v.moved) {
			v.unnamed++
			v.lines[""]++
		}
		return
	case version == v.subject.FailedVersion && at.After(v.moved.Add(stragglers)):
		v.late++
	}
	// What the target writes is of after the move, unless it served before, too.
	// Of the other versions, what the margin of time lets in does not count.
	target := version == v.subject.Version
	if at.Before(v.moved) && (!target || v.subject.ServedBefore) {
		return
	}
	v.lines[version]++
	if target {
		v.noteError(e)
	}
}

func (v *sight) seeError(e types.FilteredLogEvent) {
	if version, ours := streamVersion(aws.ToString(e.LogStreamName), v.subject.name()); ours && version == v.subject.Version {
		v.lines[version]++
		v.noteError(e)
	}
}

func (v *sight) seeAnyError(e types.FilteredLogEvent) {
	if _, ours := streamVersion(aws.ToString(e.LogStreamName), v.subject.name()); ours {
		v.noteError(e)
	}
}

func (v *sight) noteError(e types.FilteredLogEvent) {
	text := aws.ToString(e.Message)
	text = text[:min(len(text), messageBytes)]
	if !isError(text) {
		return
	}
	v.errors++
	if len(v.samples) < sampleLines {
		v.samples = append(v.samples, v.outside(strings.TrimSpace(text), sampleLength))
	}
}

// readLogs reads what was written from a time on, and to a time unless that is
// zero, in a bounded number of pages, and tells whether there is more.
func (r *run) readLogs(ctx context.Context, s Subject, from, to time.Time, pattern string, see func(types.FilteredLogEvent)) (more bool, err error) {
	in := &cloudwatchlogs.FilterLogEventsInput{LogGroupName: aws.String(s.logGroup()), StartTime: aws.Int64(from.UnixMilli())}
	if !to.IsZero() {
		in.EndTime = aws.Int64(to.UnixMilli())
	}
	if pattern != "" {
		in.FilterPattern = aws.String(pattern)
	}
	bytes := 0
	for range logPages {
		out, err := do(ctx, r.calls, "FilterLogEvents", func(ctx context.Context) (*cloudwatchlogs.FilterLogEventsOutput, error) {
			return r.regions[s.Region].Logs.FilterLogEvents(ctx, in, unretriedLogs)
		})
		if err != nil {
			return true, err
		}
		for i := range out.Events {
			bytes += len(aws.ToString(out.Events[i].Message))
			see(out.Events[i])
		}
		if in.NextToken = out.NextToken; aws.ToString(in.NextToken) == "" {
			return false, nil
		}
		if bytes > logBytes {
			break
		}
	}
	return true, nil
}

func (r *run) explainLogs(ctx context.Context, s Subject, err error) string {
	if ctx.Err() == nil && (errorCode(err) == "ResourceNotFoundException" || httpStatus(err) == http.StatusNotFound) {
		return fmt.Sprintf("there is no log group %s: the function has written nothing yet, or its role may not", s.logGroup())
	}
	return r.explain(ctx, err, logAction)
}

func (s Subject) logGroup() string {
	if s.LogGroup != "" {
		return s.LogGroup
	}
	return "/aws/lambda/" + s.name()
}

// unretriedLogs turns the SDK's own retries off.
func unretriedLogs(o *cloudwatchlogs.Options) { o.Retryer = aws.NopRetryer{} }
