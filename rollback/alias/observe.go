package alias

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"golang.org/x/sync/errgroup"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// reader is what it takes to observe a function.
type reader interface {
	GetAlias(context.Context, *lambda.GetAliasInput, ...func(*lambda.Options)) (*lambda.GetAliasOutput, error)
	GetFunctionConfiguration(context.Context, *lambda.GetFunctionConfigurationInput, ...func(*lambda.Options)) (*lambda.GetFunctionConfigurationOutput, error)
	ListVersionsByFunction(context.Context, *lambda.ListVersionsByFunctionInput, ...func(*lambda.Options)) (*lambda.ListVersionsByFunctionOutput, error)
}

// Runs answers what only GitHub knows, and is asked only where it matters.
type Runs interface {
	// Outcome is a run as it stands now, with the jobs of all its attempts. Its
	// conclusion is success, failure …; empty while it runs.
	Outcome(ctx context.Context, runID int64) (report.Run, error)
	// AtWork are the earlier runs of the same workflow on the same branch that
	// were at work at some time from one moment to another, with their jobs.
	AtWork(ctx context.Context, run report.Run, from, to time.Time) ([]report.Run, error)
}

const (
	pendingPoll   = 2 * time.Second
	pageSize      = 50 // the most that Lambda lists at once
	probesPerPage = 2  // numbers tried while a page is listed …
	maxProbes     = 24 // … until so many were tried: then only the listing goes on
	stepAbove     = 4
	maxAbove      = 20
)

// observer reads one function and keeps what it has learnt.
type observer struct {
	caller

	api      reader
	function string // name or ARN, as the API takes it
	alias    string
	runs     Runs
	evidence func(context.Context) report.Run

	mu     sync.Mutex // guards o and notes while calls run side by side
	o      Observation
	notes  []report.Note
	marker *string // where the listing goes on
	probed int
}

// look reads the alias and the memory alias at once, then everything that will
// be needed in all likelihood, and the evidence about the run beside it.
func (ob *observer) look(ctx context.Context) error {
	if err := ob.readAliases(ctx); err != nil || ob.o.Alias.Latest {
		return err
	}
	g, gctx := errgroup.WithContext(ctx)
	if versions := ob.o.prefetch(); len(versions) > 0 {
		g.Go(func() error { return ob.readVersions(gctx, versions) })
		if ob.o.Request.Target == 0 {
			g.Go(func() error {
				run := ob.evidence(gctx)
				ob.mu.Lock()
				defer ob.mu.Unlock()
				if seen := ob.o.Run; seen.OlderKnown { // learnt at an earlier look
					run.Older, run.OlderKnown = seen.Older, true
				}
				ob.o.Run = run
				return nil
			})
		}
	}
	return g.Wait()
}

// readAliases reads the alias and the memory alias at once.
func (ob *observer) readAliases(ctx context.Context) error {
	g, gctx := errgroup.WithContext(ctx)
	var alias Alias
	var memory Memory
	g.Go(func() (err error) { alias, err = ob.readAlias(gctx); return err })
	g.Go(func() (err error) { memory, err = ob.readMemory(gctx); return err })
	if err := g.Wait(); err != nil {
		return ob.missing(ctx, err)
	}
	if seen := ob.o.Alias; seen.RevisionID != "" && ob.o.First == nil {
		ob.o.First = &seen
	}
	ob.o.Alias, ob.o.Memory = alias, memory
	return nil
}

// learn reads what a decision still wants to know.
func (ob *observer) learn(ctx context.Context, want Query) error {
	switch {
	case len(want.Versions) > 0:
		return ob.readVersions(ctx, want.Versions)
	case want.Wait != 0:
		return ob.awaitVersion(ctx, want.Wait)
	case want.Below != 0:
		return ob.searchBelow(ctx, want.Below)
	case want.Above != 0:
		return ob.searchAbove(ctx, want.Above)
	case want.OlderRuns:
		ob.askOlder(ctx)
	case !want.RunsSince.IsZero():
		ob.askSince(ctx, want.RunsSince)
	case want.RunsAtWork != 0:
		ob.askAtWork(ctx, want.RunsAtWork)
	default:
		ob.askOutcomes(ctx, want.Outcomes)
	}
	if ctx.Err() != nil {
		return &Stopped{Cause: context.Cause(ctx)}
	}
	return nil
}

func (ob *observer) readAlias(ctx context.Context) (Alias, error) {
	out, err := do(ctx, ob.caller, "GetAlias of "+ob.alias, func(ctx context.Context) (*lambda.GetAliasOutput, error) {
		return ob.api.GetAlias(ctx, &lambda.GetAliasInput{FunctionName: &ob.function, Name: &ob.alias}, unretried)
	})
	if err != nil {
		return Alias{}, err
	}
	a, err := aliasFrom(out.FunctionVersion, out.RoutingConfig)
	if err != nil {
		return Alias{}, &Problem{Reason: report.AWSError, Err: err, Text: fmt.Sprintf("the alias %s was not understood: %s", ob.alias, err)}
	}
	a.ARN, a.RevisionID = aws.ToString(out.AliasArn), aws.ToString(out.RevisionId)
	return a, nil
}

// aliasFrom reads where an alias points. Lambda allows one further version.
func aliasFrom(version *string, routing *types.AliasRoutingConfiguration) (Alias, error) {
	a := Alias{Latest: isLatest(aws.ToString(version))}
	var err error
	if !a.Latest {
		if a.Version, err = parseNumber(aws.ToString(version)); err != nil {
			return Alias{}, fmt.Errorf("failed to read its version: %w", err)
		}
	}
	if routing == nil {
		return a, nil
	}
	if len(routing.AdditionalVersionWeights) > 1 {
		return Alias{}, fmt.Errorf("failed to read its routing config: it names %d further versions, one is the most Lambda has", len(routing.AdditionalVersionWeights))
	}
	for v, weight := range routing.AdditionalVersionWeights {
		if a.Weighted, err = parseNumber(v); err != nil {
			return Alias{}, fmt.Errorf("failed to read its routing config: %w", err)
		}
		a.Weight = weight
	}
	return a, nil
}

// isLatest: $LATEST.PUBLISHED moves with every version that is published, and is
// as little a version as $LATEST.
func isLatest(version string) bool { return version == "$LATEST" || version == "$LATEST.PUBLISHED" }

// readMemory reads the memory alias. That there is none is no error.
func (ob *observer) readMemory(ctx context.Context) (Memory, error) {
	name := ob.alias + MemorySuffix
	out, err := do(ctx, ob.caller, "GetAlias of "+name, func(ctx context.Context) (*lambda.GetAliasOutput, error) {
		return ob.api.GetAlias(ctx, &lambda.GetAliasInput{FunctionName: &ob.function, Name: &name}, unretried)
	})
	if httpStatus(err) == http.StatusNotFound {
		return Memory{}, nil
	}
	if err != nil {
		return Memory{}, explain(err, "GetAlias", ob.function+":"+name)
	}
	var m Memory
	if text := aws.ToString(out.Description); text != "" { // empty: somebody made the alias decidePreview of time
		if m, err = ParseDescription(text); err != nil {
			m = Memory{Unreadable: err.Error()}
		}
	}
	at, err := aliasFrom(out.FunctionVersion, out.RoutingConfig)
	if err != nil {
		m.Unreadable = err.Error()
	}
	m.Exists, m.RevisionID, m.Version, m.Weighted = true, aws.ToString(out.RevisionId), at.Version, at.Weighted != 0
	return m, nil
}

// missing finds out, for a 404, whether it is the function that does not exist
// or the alias. AWS answers both alike but for its texts.
func (ob *observer) missing(ctx context.Context, err error) error {
	if httpStatus(err) != http.StatusNotFound {
		return explain(err, "GetAlias", ob.function+":"+ob.alias)
	}
	_, functionErr := do(ctx, ob.caller, "GetFunctionConfiguration", func(ctx context.Context) (*lambda.GetFunctionConfigurationOutput, error) {
		return ob.api.GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: &ob.function}, unretried)
	})
	if httpStatus(functionErr) == http.StatusNotFound {
		return &Problem{Reason: report.FunctionNotFound, Err: err, Text: fmt.Sprintf(
			"the function %s does not exist in this account and region: check function-name, aws-region and which account the credentials belong to", ob.function)}
	}
	return &Problem{Reason: report.AliasNotFound, Err: err, Text: fmt.Sprintf(
		"the function %s has no alias %q: check the input alias; this action never creates the alias that serves production", ob.function, ob.alias)}
}

func (ob *observer) readVersions(ctx context.Context, versions []int64) error {
	g, ctx := errgroup.WithContext(ctx)
	for _, v := range versions {
		g.Go(func() error {
			read, err := ob.readVersion(ctx, v)
			if err != nil {
				return err
			}
			ob.keep(v, read)
			return nil
		})
	}
	return g.Wait()
}

func (ob *observer) keep(number int64, v Version) {
	ob.mu.Lock()
	defer ob.mu.Unlock()
	if ob.o.Versions == nil {
		ob.o.Versions = map[int64]Version{}
	}
	ob.o.Versions[number] = v
}

func (ob *observer) readVersion(ctx context.Context, version int64) (Version, error) {
	qualifier := versionText(version)
	out, err := do(ctx, ob.caller, "GetFunctionConfiguration of version "+qualifier, func(ctx context.Context) (*lambda.GetFunctionConfigurationOutput, error) {
		return ob.api.GetFunctionConfiguration(ctx, &lambda.GetFunctionConfigurationInput{FunctionName: &ob.function, Qualifier: &qualifier}, unretried)
	})
	if httpStatus(err) == http.StatusNotFound {
		return Version{}, nil
	}
	if err != nil {
		return Version{}, explain(err, "GetFunctionConfiguration", ob.function+":"+qualifier)
	}
	return Version{
		Exists: true, Read: true,
		LastModified: parseModified(out.LastModified),
		State:        string(out.State),
		StateReason:  aws.ToString(out.StateReason),
		ReasonCode:   string(out.StateReasonCode),
		Settings:     settingsOf(out),
	}, nil
}

// parseModified reads a version's LastModified, such as
// 2026-11-22T03:04:05.678+0000. What does not parse is not known.
func parseModified(text *string) time.Time {
	for _, layout := range []string{"2006-01-02T15:04:05.999999999-0700", time.RFC3339Nano} {
		if t, err := time.Parse(layout, aws.ToString(text)); err == nil {
			return t.UTC()
		}
	}
	return time.Time{}
}

// timeForOlder is what waiting for a Pending version leaves of the time limit, so
// that an older one can still be taken.
const timeForOlder = 30 * time.Second

// awaitVersion reads a Pending version until it is something else. The first time
// it gives up while there is time for an older one; asked again, there is none, and
// it waits to the end.
func (ob *observer) awaitVersion(ctx context.Context, version int64) error {
	ob.log.Infof("version %d is Pending: waiting until Lambda has made it ready", version)
	patient := ob.o.PendingTooLong[version] || ob.o.Request.Target == version
	for {
		if deadline, limited := ctx.Deadline(); limited && !patient {
			left := deadline.Sub(ob.clock.Now())
			if left-pendingPoll < timeForOlder {
				ob.log.Infof("version %d is still Pending, and %s are left: looking for an older version", version, left.Round(time.Second))
				ob.giveUpWaiting(version)
				return nil
			}
		}
		if err := ob.clock.Sleep(ctx, pendingPoll); err != nil {
			stopped := explainStop(&Stopped{Cause: context.Cause(ctx)}, "waiting for version "+versionText(version))
			stopped.Text = fmt.Sprintf("version %d was still Pending when %s", version, context.Cause(ctx))
			return stopped
		}
		v, err := ob.readVersion(ctx, version)
		if err != nil {
			return err
		}
		ob.keep(version, v)
		if v.State != statePending {
			return nil
		}
	}
}

func (ob *observer) giveUpWaiting(version int64) {
	ob.mu.Lock()
	defer ob.mu.Unlock()
	if ob.o.PendingTooLong == nil {
		ob.o.PendingTooLong = map[int64]bool{}
	}
	ob.o.PendingTooLong[version] = true
}

func (ob *observer) askOutcomes(ctx context.Context, runs []int64) {
	if ob.o.Outcomes == nil {
		ob.o.Outcomes = map[int64]report.Run{}
	}
	for _, run := range runs {
		outcome, err := ob.runs.Outcome(ctx, run)
		if err != nil {
			ob.warnf("how run %d ended could not be asked of GitHub, so the version that it rejected stays rejected: %s", run, err)
		}
		ob.o.Outcomes[run] = outcome
	}
}

func (ob *observer) askOlder(ctx context.Context) {
	ob.o.OlderAsked = true
	older, err := ob.runs.AtWork(ctx, ob.o.Run, ob.o.Run.CreatedAt, ob.o.Run.CreatedAt)
	if err != nil {
		ob.warnf("whether an older run was still deploying could not be asked of GitHub: %s", err)
		return
	}
	ob.o.Run.Older, ob.o.Run.OlderKnown = older, true
}

// askSince learns which older runs were at work since the memory was written.
func (ob *observer) askSince(ctx context.Context, since time.Time) {
	ob.o.SinceAsked = true
	runs, err := ob.runs.AtWork(ctx, ob.o.Run, since, ob.clock.Now())
	if err != nil {
		ob.warnf("which runs deployed since %s could not be asked of GitHub: %s", utc(since), err)
		return
	}
	ob.o.Since, ob.o.SinceKnown = runs, true
}

// askAtWork learns which runs were at work when an earlier version was made.
func (ob *observer) askAtWork(ctx context.Context, version int64) {
	made := ob.o.Versions[version].LastModified
	runs, err := ob.runs.AtWork(ctx, ob.o.Run, made, made)
	if err != nil {
		ob.o.AtWorkAsked = append(ob.o.AtWorkAsked, 0) // asked, and nothing learnt
		ob.warnf("which run made version %d could not be asked of GitHub: %s", version, err)
		return
	}
	for _, run := range runs {
		if !slices.ContainsFunc(ob.o.Run.Older, func(r report.Run) bool { return r.ID == run.ID }) {
			ob.o.Run.Older = append(slices.Clone(ob.o.Run.Older), run)
		}
	}
	ob.o.AtWorkAsked = append(ob.o.AtWorkAsked, version)
}

func (ob *observer) warnf(format string, args ...any) {
	note := report.Note{Warning: true, Text: fmt.Sprintf(format, args...)}
	if !slices.Contains(ob.notes, note) { // each step further back finds it again
		ob.notes = append(ob.notes, note)
	}
}

// decide learns until a decision can be made. Every round learns something
// new, so that the number of rounds is bounded by what there is to know; the
// bound here only keeps a mistake from going on for ever.
func (ob *observer) decide(ctx context.Context) (Decision, error) {
	return ob.decideBy(ctx, Decide)
}

func (ob *observer) decideBy(ctx context.Context, decide func(Observation) Decision) (Decision, error) {
	for range 10_000 {
		d := decide(ob.o)
		if d.Action != NeedMore {
			return d, nil
		}
		if err := ob.learn(ctx, d.Query); err != nil {
			return Decision{}, err
		}
	}
	return Decision{}, errors.New("failed to decide: the same question came up again and again; this is a mistake of this program, please report it (searching " + strconv.Quote(ob.function) + ")")
}
