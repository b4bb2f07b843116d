package alias

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// errChanged: somebody else has changed the alias since it was read.
var errChanged = errors.New("the alias was changed by somebody else in the meantime")

// errMovedByOthers is errChanged where somebody else has brought the alias to
// where it was to go.
var errMovedByOthers = fmt.Errorf("%w, to the same version", errChanged)

const (
	// readBackLimit bounds the reading that finds out whether an unanswered
	// move happened, when there is no time left for more.
	readBackLimit = 3 * time.Second
	// overtimeLimit is how long a try may go on after the time limit.
	overtimeLimit = 2 * time.Second
	// lastLookLimit is the same where the process is about to be killed.
	lastLookLimit = 400 * time.Millisecond
	// staleWait is how long to wait before a reading that shows the alias as it was
	// before a change is made again: a read may lag behind a write.
	staleWait = time.Second
)

// mover updates the alias of one function.
type mover struct {
	client *client
	// finish outlives the context that a signal or the time limit ends.
	finish context.Context
}

// change is what UpdateAlias is to do.
type change struct {
	from    Alias              // as it was read; its revision guards the change
	version string             // what it is to point at, as AWS writes it
	weights map[string]float64 // the routing config it is to have; empty clears it
	// ours: somebody else's move to the same version must not be taken for this
	// one, as a drill would move it back.
	ours bool
}

// made reports whether an alias is as it is to be.
func (c change) made(a Alias) bool {
	if a.primary() != c.version {
		return false
	}
	weight, kept := c.weights[versionText(a.Weighted)]
	return kept && near(weight, a.Weight) || a.Weighted == 0 && len(c.weights) == 0
}

// update moves the alias in one step, however many tries that takes, and says
// which state it is in then. A try that is under way is never cut off by ctx:
// it is finished within the time that `finish` leaves, or read back, so that
// what is reported is true. The alias's own Description is not in the request,
// and so stays.
func (m *mover) update(ctx context.Context, c change) (Alias, error) {
	weights := c.weights
	if weights == nil {
		weights = map[string]float64{} // empty clears a canary's weight; left out, it would stay
	}
	input := &lambda.UpdateAliasInput{
		FunctionName: &m.client.function, Name: &m.client.alias,
		FunctionVersion: &c.version,
		RevisionId:      aws.String(c.from.RevisionID),
		RoutingConfig:   &types.AliasRoutingConfiguration{AdditionalVersionWeights: weights},
	}
	calls := m.client.caller
	unsure := false // a try got no answer: it may have been carried out
	for try := 1; ; try++ {
		if ctx.Err() != nil {
			return m.stopped(ctx, c, unsure, nil)
		}
		attempt, stop := m.attempt(ctx)
		out, err := once(attempt, func(ctx context.Context) (*lambda.UpdateAliasOutput, error) {
			return m.client.lambda.UpdateAlias(ctx, input, unretried)
		})
		stop()
		if err == nil {
			a, err := aliasFrom(out.FunctionVersion, out.RoutingConfig)
			if err != nil { // it was accepted all the same
				a = c.from
			}
			a.ARN, a.RevisionID = aws.ToString(out.AliasArn), aws.ToString(out.RevisionId)
			return a, nil
		}
		unsure = unsure || ambiguous(err)
		switch kind := classify(err); {
		case kind == preconditionFailed:
			return m.afterConflict(ctx, c, unsure, err)
		case kind == inProgress: // another operation on the function: it ends
		case kind == notFound && !unsure:
			return c.from, m.explainNotFound(ctx, c, err)
		case !kind.Retryable():
			if unsure {
				return m.stopped(ctx, c, unsure, err)
			}
			return c.from, notChanged(c.from, explain(err, "UpdateAlias", m.client.resource(c.from)))
		}
		if ctx.Err() != nil || m.finish.Err() != nil {
			return m.stopped(ctx, c, unsure, err)
		}
		wait := pause(calls.clock.Now(), try, err)
		calls.log.Infof("UpdateAlias: %s; trying again in %s (try %d)", brief(err), wait.Round(10*time.Millisecond), try+1)
		if calls.clock.Sleep(ctx, wait) != nil {
			return m.stopped(ctx, c, unsure, err)
		}
	}
}

// attempt is the context of one try: it outlives ctx, so that a move is not cut
// off, but by not more than overtimeLimit where the time limit is over.
func (m *mover) attempt(ctx context.Context) (context.Context, func()) {
	attempt, cancel := context.WithCancelCause(m.finish)
	stop := context.AfterFunc(ctx, func() {
		if errors.Is(context.Cause(ctx), ErrTimeout) {
			_ = m.client.caller.clock.Sleep(attempt, overtimeLimit)
			cancel(ErrTimeout)
		}
	})
	return attempt, func() { stop(); cancel(nil) }
}

// afterConflict reads the alias after a 412. It is where it should be when the
// answer to an earlier try was lost; else somebody else changed it.
func (m *mover) afterConflict(ctx context.Context, c change, unsure bool, conflict error) (Alias, error) {
	now, err := m.readChanged(ctx, c)
	switch {
	case err != nil:
		p := explain(err, "GetAlias", m.client.resource(c.from))
		p.Text = fmt.Sprintf("the alias changed while it was being moved (%s), and could not be read again: %s; look where it points now", brief(conflict), p.Text)
		p.Unknown = true
		return Alias{}, p
	case c.made(now) && c.ours && !unsure: // no try of ours can have worked
		return now, errMovedByOthers
	case c.made(now):
		m.client.caller.log.Infof("the alias is on version %d already: an earlier try had worked, only its answer was lost", now.Version)
		return now, nil
	}
	return now, errChanged
}

// stopped says what is true when no further try may be made.
func (m *mover) stopped(ctx context.Context, c change, unsure bool, last error) (Alias, error) {
	var p *Problem
	if ctx.Err() != nil {
		p = explainStop(&Stopped{Cause: context.Cause(ctx), Last: last}, "UpdateAlias")
	} else {
		p = explain(last, "UpdateAlias", m.client.resource(c.from))
	}
	if !unsure {
		return c.from, notChanged(c.from, p)
	}
	now, err := m.readChanged(ctx, c)
	switch {
	case err != nil:
		p.Text += fmt.Sprintf("; the alias could not be read back either (%s): look where it points now", brief(err))
		p.Unknown = true
		return Alias{}, p
	case c.made(now):
		m.client.caller.log.Infof("the alias was read back: it is on version %d, the last try had worked", now.Version)
		return now, nil
	}
	p.Text += "; the alias was read back and serves " + serving(now)
	return now, p
}

// explainNotFound finds out what it was that UpdateAlias did not find.
func (m *mover) explainNotFound(ctx context.Context, c change, err error) error {
	now, readErr := m.readBack(ctx)
	switch {
	case readErr == nil:
		return notChanged(now, &Problem{Reason: report.VersionNotFound, Err: err, Text: fmt.Sprintf(
			"version %s does not exist any more: somebody deleted it after it was chosen; run this again", c.version)})
	case classify(readErr) == notFound:
		return m.client.explainMissing(ctx, readErr)
	}
	return explain(err, "UpdateAlias", m.client.resource(c.from))
}

// readBack reads the alias even where ctx has ended.
func (m *mover) readBack(ctx context.Context) (Alias, error) {
	ctx, cancel := m.lookingBack(ctx)
	defer cancel()
	return m.client.readAlias(ctx)
}

// readChanged is readBack for an alias that may have changed: a reading that shows
// it unchanged may be stale, and is made once more.
func (m *mover) readChanged(ctx context.Context, c change) (Alias, error) {
	ctx, cancel := m.lookingBack(ctx)
	defer cancel()
	now, err := m.client.readAlias(ctx)
	if err != nil || now.RevisionID != c.from.RevisionID || m.client.caller.clock.Sleep(ctx, staleWait) != nil {
		return now, err
	}
	again, err := m.client.readAlias(ctx)
	if err != nil {
		return now, nil
	}
	return again, nil
}

// lookingBack is the time for reading the alias, which there is also where ctx has
// ended.
func (m *mover) lookingBack(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	switch {
	case m.finish.Err() != nil:
		cancel()
		ctx, cancel = context.WithTimeout(context.WithoutCancel(m.finish), lastLookLimit)
	case ctx.Err() != nil:
		cancel()
		ctx, cancel = context.WithTimeout(m.finish, readBackLimit)
	}
	return ctx, cancel
}

// notChanged adds to a problem that nothing happened.
func notChanged(at Alias, p *Problem) *Problem {
	p.Text += "; the alias was not changed and serves " + serving(at)
	return p
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

// conflict reports whether an update was refused because somebody else made one.
func conflict(err error) bool {
	kind := classify(err)
	return kind == preconditionFailed || kind == inProgress
}

// reasonOfProblem is the code for the outputs, and the text for people.
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
