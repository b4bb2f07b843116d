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

// errChanged is returned if somebody else has changed the alias since it was read.
var errChanged = errors.New("the alias was changed by somebody else in the meantime")

// errMovedByOthers is errChanged if somebody else has moved the alias to the intended
// version.
var errMovedByOthers = fmt.Errorf("%w, to the same version", errChanged)

const (
	// readBackLimit limits the read that finds out whether a move without a response
	// happened, if there is no time left.
	readBackLimit = 3 * time.Second
	// overtimeLimit is how long a try may continue after the time limit.
	overtimeLimit = 2 * time.Second
	// lastLookLimit is the same limit if the process is about to be killed.
	lastLookLimit = 400 * time.Millisecond
	// staleWait is how long to wait before the alias is read again after a read that
	// shows its state before a change: a read may return older data than the last
	// write.
	staleWait = time.Second
)

// mover updates the alias of one function.
type mover struct {
	client *client
	// finish outlives the context that a signal or the time limit ends.
	finish context.Context
}

// change is the change for UpdateAlias.
type change struct {
	from    Alias              // the alias as it was read; its revision guards the change
	version string             // the version to point at, as AWS writes it
	weights map[string]float64 // the new routing config; empty clears it
	// ours requires that this program makes the move: a move to the same version by
	// somebody else does not count, because a drill would move it back.
	ours bool
}

// made reports whether an alias has the intended state.
func (c change) made(a Alias) bool {
	if a.primary() != c.version {
		return false
	}
	weight, kept := c.weights[versionText(a.Weighted)]
	return kept && near(weight, a.Weight) || a.Weighted == 0 && len(c.weights) == 0
}

// update moves the alias in one step, with as many tries as necessary, and returns its
// state afterwards. ctx never cancels a try in progress: the try is finished within
// the time of finish, or the alias is read back, so that the result is correct. The
// request does not contain the Description of the alias, so it does not change.
func (m *mover) update(ctx context.Context, c change) (Alias, error) {
	weights := c.weights
	if weights == nil {
		weights = map[string]float64{} // empty clears the weight of a canary; without it, the weight would stay
	}
	input := &lambda.UpdateAliasInput{
		FunctionName: &m.client.function, Name: &m.client.alias,
		FunctionVersion: &c.version,
		RevisionId:      aws.String(c.from.RevisionID),
		RoutingConfig:   &types.AliasRoutingConfiguration{AdditionalVersionWeights: weights},
	}
	calls := m.client.caller
	unsure := false // a try got no response: it may have been carried out
	for try := 1; ; try++ {
		if ctx.Err() != nil {
			return m.stopped(ctx, c, unsure, nil)
		}
		attempt, stop := m.attempt(ctx)
		out, err := once(attempt, func(ctx context.Context) (*lambda.UpdateAliasOutput, error) {
			out, err := m.client.lambda.UpdateAlias(ctx, input, unretried)
			if err == nil {
				err = complete(out.FunctionVersion, out.RevisionId)
			}
			return out, err
		})
		stop()
		if err == nil {
			a, err := aliasFrom(out.FunctionVersion, out.RoutingConfig)
			if err != nil { // it was accepted after all
				a = c.from
			}
			a.ARN, a.RevisionID = aws.ToString(out.AliasArn), aws.ToString(out.RevisionId)
			return a, nil
		}
		unsure = unsure || ambiguous(err)
		switch kind := classify(err); {
		case kind == preconditionFailed:
			return m.afterConflict(ctx, c, unsure, err)
		case kind == inProgress: // another operation on the function is in progress, and will end
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
		if calls.sleep(ctx, wait) != nil {
			return m.stopped(ctx, c, unsure, err)
		}
	}
}

// attempt returns the context of one try: it outlives ctx, so that a move is not
// interrupted, but by at most overtimeLimit after the time limit.
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

// afterConflict reads the alias after a 412. If the alias has the intended state, the
// response to an earlier try was lost; otherwise somebody else changed it.
func (m *mover) afterConflict(ctx context.Context, c change, unsure bool, conflict error) (Alias, error) {
	now, err := m.readChanged(ctx, c)
	switch {
	case err != nil:
		p := explain(err, "GetAlias", m.client.resource(c.from))
		p.Text = fmt.Sprintf("the alias changed while it was being moved (%s), and could not be read again: %s; check where it points now", brief(conflict), p.Text)
		p.Unknown = true
		return Alias{}, p
	case c.made(now) && c.ours && !unsure: // none of this program's tries can have succeeded
		return now, errMovedByOthers
	case c.made(now):
		how := "an earlier attempt succeeded, but its response was lost"
		if !unsure {
			how = "something else moved it there at the same time"
		}
		m.client.caller.log.Infof("the alias is already on version %d: %s", now.Version, how)
		return now, nil
	}
	return now, errChanged
}

// stopped returns what is certain when no further try is allowed.
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
		p.Text += fmt.Sprintf("; the alias could not be read back (%s): check where it points now", brief(err))
		p.Unknown = true
		return Alias{}, p
	case c.made(now):
		m.client.caller.log.Infof("the alias was read back: it is on version %d, the last attempt succeeded", now.Version)
		return now, nil
	}
	p.Text += "; the alias was read again and serves " + serving(now)
	return now, p
}

// explainNotFound finds out what UpdateAlias could not find.
func (m *mover) explainNotFound(ctx context.Context, c change, err error) error {
	now, readErr := m.readBack(ctx)
	switch {
	case readErr == nil:
		return notChanged(now, &Problem{Reason: report.VersionNotFound, Err: err, Text: fmt.Sprintf(
			"version %s no longer exists: somebody deleted it after it was chosen; run this again", c.version)})
	case classify(readErr) == notFound:
		return m.client.explainMissing(ctx, readErr)
	}
	return explain(err, "UpdateAlias", m.client.resource(c.from))
}

// readBack reads the alias even if ctx has ended.
func (m *mover) readBack(ctx context.Context) (Alias, error) {
	ctx, cancel := m.lookingBack(ctx)
	defer cancel()
	return m.client.readAlias(ctx)
}

// readChanged is readBack for an alias that may have changed: a read that shows no
// change may be stale, so it is repeated once.
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

// lookingBack returns a context for reading the alias, even if ctx has ended.
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

// notChanged adds to a problem that the alias was not changed.
func notChanged(at Alias, p *Problem) *Problem {
	p.Text += "; the alias was not changed and serves " + serving(at)
	return p
}

// serving describes where an alias points.
func serving(a Alias) string {
	switch {
	case a.Latest:
		return "$LATEST"
	case a.Weighted != 0:
		return fmt.Sprintf("version %d, and version %d with %.3g%% of the traffic", a.Version, a.Weighted, 100*a.Weight)
	}
	return fmt.Sprintf("version %d", a.Version)
}

// conflict reports whether an update was refused because of another change.
func conflict(err error) bool {
	kind := classify(err)
	return kind == preconditionFailed || kind == inProgress
}

// reasonOfProblem returns the code for the outputs, and the text for messages.
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
