package alias

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// updater is what it takes to move an alias.
type updater interface {
	UpdateAlias(context.Context, *lambda.UpdateAliasInput, ...func(*lambda.Options)) (*lambda.UpdateAliasOutput, error)
}

// errChanged: somebody else has changed the alias since it was read.
var errChanged = errors.New("the alias was changed by somebody else in the meantime")

// errTheirs is errChanged where somebody else has brought the alias to where it
// was to go.
var errTheirs = fmt.Errorf("%w, to the same version", errChanged)

const (
	// maxDecisions is how often a decision is made anew because the alias had
	// changed under it.
	maxDecisions = 3
	// maxConflicts is how often another operation in progress (409) is
	// waited out.
	maxConflicts = 6
	// readBackLimit bounds the reading that finds out whether an unanswered
	// move happened, when there is no time left for more.
	readBackLimit = 3 * time.Second
	// lingerLimit is how long a try may go on after the time limit.
	lingerLimit = 2 * time.Second
	// lastLookLimit is the same where the process is about to be killed.
	lastLookLimit = 400 * time.Millisecond
)

// update moves the alias in one step, however many tries that takes, and says
// which state it is in then. A try that is under way is never cut off by ctx:
// it is finished within the time that `finish` leaves, or read back, so that
// what is reported is true. The alias's own Description is not in the request,
// and so stays.
func (t *task) update(ctx context.Context, from Alias, version string, weights map[string]float64) (Alias, error) {
	if weights == nil {
		weights = map[string]float64{} // empty clears a canary's weight; left out, it would stay
	}
	input := &lambda.UpdateAliasInput{
		FunctionName: &t.function, Name: &t.alias,
		FunctionVersion: &version,
		RevisionId:      aws.String(from.RevisionID),
		RoutingConfig:   &types.AliasRoutingConfiguration{AdditionalVersionWeights: weights},
	}
	there := func(a Alias) bool {
		if a.primary() != version {
			return false
		}
		_, kept := weights[number(a.Weighted)]
		return kept || (a.Weighted == 0 && len(weights) == 0)
	}
	unsure := false // a try got no answer: it may have been carried out
	for try := 1; ; try++ {
		if ctx.Err() != nil {
			return t.stopped(ctx, from, unsure, nil, there)
		}
		attempt, stop := t.lingering(ctx)
		out, err := once(attempt, func(ctx context.Context) (*lambda.UpdateAliasOutput, error) {
			return t.Lambda.UpdateAlias(ctx, input, unretried)
		})
		stop()
		if err == nil {
			a, err := aliasFrom(out.FunctionVersion, out.RoutingConfig)
			if err != nil { // it was accepted all the same
				a = t.o.Alias
			}
			a.ARN, a.RevisionID = aws.ToString(out.AliasArn), aws.ToString(out.RevisionId)
			return a, nil
		}
		unsure = unsure || ambiguous(err)
		status := httpStatus(err)
		switch {
		case status == http.StatusPreconditionFailed:
			return t.afterConflict(ctx, err, unsure, there)
		case status == http.StatusConflict && try < maxConflicts:
		case status == http.StatusNotFound && !unsure:
			return from, t.gone(ctx, version, err)
		case !retryable(err):
			if unsure {
				return t.stopped(ctx, from, unsure, err, there)
			}
			return from, t.still(from, explain(err, "UpdateAlias", t.resource()))
		}
		if ctx.Err() != nil || t.Finish.Err() != nil {
			return t.stopped(ctx, from, unsure, err, there)
		}
		wait := pause(t.clock.Now(), try, err)
		t.log.Infof("UpdateAlias: %s; trying again in %s (try %d)", brief(err), wait.Round(10*time.Millisecond), try+1)
		if t.clock.Sleep(ctx, wait) != nil {
			return t.stopped(ctx, from, unsure, err, there)
		}
	}
}

// lingering is the context of one try: it outlives ctx, so that a move is not cut
// off, but by not more than lingerLimit where the time limit is over.
func (t *task) lingering(ctx context.Context) (context.Context, func()) {
	attempt, cancel := context.WithCancelCause(t.Finish)
	stop := context.AfterFunc(ctx, func() {
		if errors.Is(context.Cause(ctx), ErrTimeout) {
			_ = t.clock.Sleep(attempt, lingerLimit)
			cancel(ErrTimeout)
		}
	})
	return attempt, func() { stop(); cancel(nil) }
}

// afterConflict reads the alias after a 412. It is where it should be when the
// answer to an earlier try was lost; else somebody else changed it. Where no try
// can have worked, a drill must not take somebody else's rollback for its own.
func (t *task) afterConflict(ctx context.Context, conflict error, unsure bool, there func(Alias) bool) (Alias, error) {
	now, err := t.readBack(ctx)
	switch {
	case err != nil:
		p := explain(err, "GetAlias", t.resource())
		p.Text = fmt.Sprintf("the alias changed while it was being moved (%s), and could not be read again: %s; look where it points now", brief(conflict), p.Text)
		p.Unknown = true
		return Alias{}, p
	case there(now) && t.drill.going && !unsure:
		return now, errTheirs
	case there(now):
		t.log.Infof("the alias is on version %d already: an earlier try had worked, only its answer was lost", now.Version)
		return now, nil
	}
	return now, errChanged
}

// stopped says what is true when no further try may be made.
func (t *task) stopped(ctx context.Context, from Alias, unsure bool, last error, there func(Alias) bool) (Alias, error) {
	var p *Problem
	if ctx.Err() != nil {
		p = explainStop(&Stopped{Cause: context.Cause(ctx), Last: last}, "UpdateAlias")
	} else {
		p = explain(last, "UpdateAlias", t.resource())
	}
	if !unsure {
		return from, t.still(from, p)
	}
	now, err := t.readBack(ctx)
	switch {
	case err != nil:
		p.Text += fmt.Sprintf("; the alias could not be read back either (%s): look where it points now", brief(err))
		p.Unknown = true
		return Alias{}, p
	case there(now):
		t.log.Infof("the alias was read back: it is on version %d, the last try had worked", now.Version)
		return now, nil
	}
	p.Text += "; the alias was read back and serves " + serving(now)
	return now, p
}

// gone finds out what it was that UpdateAlias did not find.
func (t *task) gone(ctx context.Context, version string, err error) error {
	if now, readErr := t.readBack(ctx); readErr == nil {
		return t.still(now, &Problem{Reason: report.VersionNotFound, Err: err, Text: fmt.Sprintf(
			"version %s does not exist any more: somebody deleted it after it was chosen; run this again", version)})
	} else if httpStatus(readErr) == http.StatusNotFound {
		return t.missing(ctx, readErr)
	}
	return explain(err, "UpdateAlias", t.resource())
}

// still adds to a problem that nothing happened.
func (t *task) still(at Alias, p *Problem) *Problem {
	p.Text += "; the alias was not changed and serves " + serving(at)
	return p
}

// readBack reads the alias even where ctx has ended.
func (t *task) readBack(ctx context.Context) (Alias, error) {
	switch {
	case t.Finish.Err() != nil:
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(context.WithoutCancel(t.Finish), lastLookLimit)
		defer cancel()
	case ctx.Err() != nil:
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(t.Finish, readBackLimit)
		defer cancel()
	}
	return t.readAlias(ctx)
}

// settle reads the alias until the target serves alone: with provisioned
// concurrency AWS shifts the traffic by temporary weights, for minutes. Its error
// says that the move did not hold.
func (t *task) settle(ctx context.Context, target int64) error {
	began := t.clock.Now()
	var most Alias // what served beside the target meanwhile
	for wait := time.Second; ; wait = min(2*wait, 10*time.Second) {
		now, err := t.readAlias(ctx)
		switch {
		case err != nil && ctx.Err() != nil:
			t.warnf("whether version %d serves alone was not read to the end: %s", target, context.Cause(ctx))
			return nil //nolint:nilerr // the move itself holds
		case err != nil:
			t.warnf("whether version %d serves alone could not be read: %s", target, explain(err, "GetAlias", t.resource()).Text)
			return nil
		case now.Only(target):
			t.log.Infof("the alias was read back: version %d serves alone", target)
			t.trafficMoved(target, most, t.clock.Now().Sub(began))
			return nil
		case now.Version != target && now.primary() == t.o.Alias.primary():
			return &Problem{Reason: report.AliasChanged, Text: "AWS accepted the move, but read back the alias serves " + serving(now) +
				" as before: somebody moved it back, or AWS did not move it; run this again"}
		case now.Version != target:
			t.elsewhere(now)
			t.result.Message += fmt.Sprintf("; somebody else changed it after that, and it serves %s now", serving(now))
			return nil
		}
		if most.Weighted == 0 {
			most = now
		}
		t.log.Infof("version %d does not serve alone yet: %.3g%% of the traffic still go to version %d, as with provisioned concurrency; looking again in %s",
			target, 100*now.Weight, now.Weighted, wait)
		if t.clock.Sleep(ctx, wait) != nil {
			t.warnf("the traffic is still shifting: %.3g%% went to version %d when the time was over; AWS goes on by itself, look at the alias in a few minutes", 100*now.Weight, now.Weighted)
			return nil //nolint:nilerr // the move itself holds
		}
	}
}

// trafficMoved puts the moment in the result, and what served until then.
func (t *task) trafficMoved(target int64, most Alias, took time.Duration) {
	detail := fmt.Sprintf("version %d serves alone", target)
	if most.Weighted != 0 {
		detail += fmt.Sprintf("; it took %s, at first %.3g%% still went to version %d", took.Round(time.Second), 100*most.Weight, most.Weighted)
	}
	t.result.Timeline = append(t.result.Timeline, report.Moment{Event: report.TrafficMoved, At: t.clock.Now(), Detail: detail})
}

// serving is where an alias points, for people.
func serving(a Alias) string {
	switch {
	case a.Latest:
		return "$LATEST"
	case a.Weighted != 0:
		return fmt.Sprintf("version %d, and version %d with %.3g%% of the traffic", a.Version, a.Weighted, 100*a.Weight)
	}
	return fmt.Sprintf("version %d", a.Version)
}

// resource names the alias in errors.
func (t *task) resource() string {
	if t.o.Alias.ARN != "" {
		return t.o.Alias.ARN
	}
	return t.function + ":" + t.alias
}

// reasonOfProblem is the code for the outputs.
func reasonOfProblem(err error) (report.Reason, string) {
	if p, found := errors.AsType[*Problem](err); found {
		return p.Reason, p.Text
	}
	if stopped, found := errors.AsType[*Stopped](err); found {
		p := explainStop(stopped, "the call")
		return p.Reason, p.Text
	}
	return report.AWSError, err.Error()
}
