package owner

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/codedeploy/types"

	"github.com/org/lambda-rollback-action/rollback/aws"
	"github.com/org/lambda-rollback-action/rollback/report"
)

const (
	// lookLimit limits the first look at the owners, which runs concurrently with the
	// move.
	lookLimit = 15 * time.Second
	// patience is how long a decision waits for that look. The look starts together
	// with reading the versions, so it has usually ended by then. A second in an
	// incident costs less than two processes that move the alias at the same time. A
	// drill and a promotion wait until the look has ended.
	patience = time.Second
	// patienceWithWeights is used instead of patience if two versions share the
	// traffic, which is how CodeDeploy shifts traffic.
	patienceWithWeights = 5 * time.Second

	pollEvery = 5 * time.Second
	sayEvery  = 30 * time.Second
	// untold is how long to wait until a stopped deployment shows its rollback: before
	// that, two processes could move the alias.
	untold = 15 * time.Second
	// unreadLimit is how long the state of an operation may stay unreadable while a
	// move waits for it. Reading it is optional, so an outage of these services must
	// not keep production down.
	unreadLimit = time.Minute
)

// Alias is the alias to watch.
type Alias struct{ Function, Name, Region string }

// Watch finds the owners of one alias. Its methods are safe for concurrent use.
type Watch struct {
	alias   Alias
	reader  Reader
	options Options

	again bool // the alias was read again after the state of the stack was known

	mu   sync.Mutex // guards the fields below
	look *look
	past []string // what the action waited for
}

// look is one attempt to find the owners of the alias with an ARN, and its results so
// far.
type look struct {
	aliasARN string
	done     chan struct{} // closed when the owners that can move the alias are known
	tagged   chan struct{} // closed when the tags of the function are known as well; nil if not started
	facts    Facts
	missed   []string // what has not been reported yet
}

// NewWatch returns a watch that has not started to look.
func NewWatch(a Alias, r Reader, o Options) *Watch {
	o.Region = a.Region
	return &Watch{alias: a, reader: r, options: o, look: newLook("")}
}

func newLook(aliasARN string) *look {
	return &look{aliasARN: aliasARN, done: make(chan struct{}), missed: []string{
		"whether a stack owns the alias: AWS did not respond in time", "whether CodeDeploy is moving the alias: AWS did not respond in time", "",
	}}
}

// Look starts to find the owners of the alias with an ARN, and does not wait. It does
// nothing if a look for this ARN has started. A look for another ARN replaces it,
// because the first ARN can have been a guess. All requests end with ctx.
func (w *Watch) Look(ctx context.Context, aliasARN string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.look.aliasARN == aliasARN {
		return
	}
	l := newLook(aliasARN)
	w.look = l
	go func() {
		defer close(l.done)
		ctx, cancel := context.WithTimeout(ctx, lookLimit)
		defer cancel()
		var g sync.WaitGroup
		g.Go(func() {
			stack, unseen := w.reader.Stack(ctx, aliasARN)
			w.keep(l, 0, func(f *Facts) { f.Stack = stack }, unseen)
		})
		g.Go(func() {
			d, unseen := w.reader.Deployments.On(ctx, w.alias.Function, w.alias.Name)
			w.keep(l, 1, func(f *Facts) { f.Deployment = d }, unseen)
		})
		g.Wait()
	}()
}

// Tags starts to read the tags of the function if no stack owns the alias. The tags
// show only which tool deploys the function, and no move depends on them. The calls
// count against the same quota as moves, so they are made after the moves. Tags does
// not wait.
func (w *Watch) Tags(ctx context.Context) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.look.aliasARN != "" {
		w.readTags(ctx, w.look)
	}
}

func (w *Watch) readTags(ctx context.Context, l *look) {
	if l.tagged != nil {
		return
	}
	l.tagged, l.missed[2] = make(chan struct{}), "whether a stack owns the function: AWS did not respond in time"
	go func() {
		defer close(l.tagged)
		select {
		case <-l.done:
		case <-ctx.Done():
			return
		}
		w.mu.Lock()
		known := l.facts.Stack != nil
		w.mu.Unlock()
		if known {
			w.keep(l, 2, func(*Facts) {}, nil)
			return
		}
		stack, unseen := w.reader.StackByTags(ctx, l.aliasARN)
		w.keep(l, 2, func(f *Facts) { f.Stack = stack }, unseen)
	}()
}

// keep stores the result of one part of a look.
func (w *Watch) keep(l *look, question int, set func(*Facts), unseen []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	set(&l.facts)
	l.facts.Unseen = append(l.facts.Unseen, unseen...)
	l.missed[question] = ""
}

// Known returns what is known when the look has ended, or after limit at the latest.
// It also waits for the tags if they are being read.
func (w *Watch) Known(ctx context.Context, limit time.Duration) Facts {
	return w.known(ctx, limit, true)
}

func (w *Watch) known(ctx context.Context, limit time.Duration, tags bool) Facts {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	w.mu.Lock()
	l := w.look
	tagged := l.tagged
	w.mu.Unlock()
	await(ctx, l.done)
	if tags && tagged != nil {
		await(ctx, tagged)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	f := l.facts
	if f.Stack != nil {
		stack := *f.Stack
		f.Stack = &stack
	}
	f.Unseen = slices.Clone(f.Unseen)
	for _, text := range l.missed {
		if text != "" {
			f.Unseen = append(f.Unseen, text)
		}
	}
	return f
}

func await(ctx context.Context, done <-chan struct{}) {
	select {
	case <-done:
	case <-ctx.Done():
	}
}

// Told describes what is known about the owners, after waiting for limit at most. It
// returns nil if nothing is known.
func (w *Watch) Told(ctx context.Context, limit time.Duration) *report.Owner {
	told := Tell(w.Known(ctx, limit), w.options, w.alias.Region)
	w.mu.Lock()
	defer w.mu.Unlock()
	if told == nil && len(w.past) > 0 {
		told = &report.Owner{}
	}
	if told != nil {
		told.Past = slices.Clone(w.past)
	}
	return told
}

// Ahead returns the step before a rollback that would start now, based on what is
// known.
func (w *Watch) Ahead(ctx context.Context) Decision {
	return Decide(w.Known(ctx, 0), Proposal{Move: true, Chosen: true}, w.options)
}

// Verdict is the outcome for a proposal.
type Verdict struct {
	Again bool          // an operation ended that may have changed the alias: read it again
	Skip  report.Reason // do not move the alias; empty to continue
	Text  string        // the explanation for Skip, as part of a sentence
}

// Refusal is the error that says why an alias must not be moved now.
type Refusal struct {
	Reason report.Reason
	Text   string
	// Cause ended the wait; nil if there was no wait.
	Cause error
}

func (r *Refusal) Error() string { return r.Text }

// Unwrap returns the cause that ended the wait.
func (r *Refusal) Unwrap() error { return r.Cause }

// Allow returns the outcome for a proposal, after waiting for operations that must end
// first. shared says whether two versions share the traffic, and a promotion by this
// program did not cause that. The error is a
// *Refusal. Allow must not be called concurrently.
func (w *Watch) Allow(ctx context.Context, p Proposal, shared bool) (Verdict, error) {
	limit, share := patience, time.Duration(4)
	switch {
	case w.options.Unhurried:
		limit, share = lookLimit, 2
	case shared:
		limit = patienceWithWeights
	}
	if deadline, limited := ctx.Deadline(); limited { // a short time limit must not be used up by this
		limit = min(limit, max(0, deadline.Sub(w.reader.Retry.Clock.Now())/share))
	}
	known := w.known(ctx, limit, false)
	p.ReadAgain = w.again
	d := Decide(known, p, w.options)
	w.again = d.Step == Reread || d.Step == AwaitStack
	switch d.Step {
	case Reread:
		return Verdict{Again: true}, nil
	case Skip:
		return Verdict{Skip: d.Reason, Text: d.Text}, nil
	case Refuse:
		return Verdict{}, &Refusal{Reason: d.Reason, Text: d.Text}
	case AwaitStack:
		return Verdict{Again: true}, w.awaitStack(ctx, *known.Stack)
	case Stop:
		return Verdict{Again: true}, w.stop(ctx, *known.Deployment)
	case AwaitRoll:
		return Verdict{Again: true}, w.awaitDeployment(ctx, known.Deployment.ID)
	case GoOn:
	}
	return Verdict{}, nil
}

func (w *Watch) log() aws.Log { return w.reader.Retry.Log }

// patienceUnread is how long a state may stay unreadable in a wait that starts now: at
// most half of the time that is left, so that enough remains for the move.
func patienceUnread(ctx context.Context, now time.Time) time.Duration {
	if deadline, limited := ctx.Deadline(); limited {
		return min(unreadLimit, max(0, deadline.Sub(now)/2))
	}
	return unreadLimit
}

// awaitStack waits until the operation of the stack has ended, or until its state can
// no longer be read: a stack that cannot be read stops nothing.
func (w *Watch) awaitStack(ctx context.Context, s Stack) error {
	clock := w.reader.Retry.Clock
	began, said := clock.Now(), time.Time{}
	first, limit := s.Status, patienceUnread(ctx, began)
	var unread error // of the last read; nil: it succeeded
	for s.phase() == Working {
		now := clock.Now()
		if said.IsZero() || now.Sub(said) >= sayEvery {
			w.log().Infof("the stack %s is %s: waiting for it to end, %s so far (on-stack-in-progress: go-on does not wait)", s.Name, s.Status, wholeSeconds(now.Sub(began)))
			said = now
		}
		if clock.Sleep(ctx, pollEvery) != nil {
			return stillWorking(ctx, s, unread, began, clock.Now())
		}
		before := s.Status
		switch unread = w.reader.Refresh(ctx, &s); {
		case final(unread), unread != nil && ctx.Err() == nil && clock.Now().Sub(s.Read) >= limit:
			w.log().Infof("can no longer read the state of the stack %s, so the action does not wait for it any longer: %s", s.Name, why(unread, describeStacks))
			s.Status = ""
		case unread != nil:
			w.log().Infof("could not read the state of the stack %s: %s", s.Name, why(unread, describeStacks))
		case s.Status != before:
			w.log().Infof("the stack %s is %s now", s.Name, s.Status)
			said = clock.Now()
		}
	}
	now := fmt.Sprintf("it is %s now", s.Status)
	if s.Status == "" {
		now = "its state can no longer be read: " + why(unread, describeStacks)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.look.facts.Stack = &s
	w.past = append(w.past, fmt.Sprintf("the stack %s was %s: the action waited %s for it, and %s", s.Name, first, wholeSeconds(clock.Now().Sub(began)), now))
	return nil
}

// final reports whether AWS refused a read in a way that no retry changes, such as for
// a stack that no longer exists.
func final(err error) bool {
	kind := aws.Classify(err)
	return err != nil && !kind.Retryable() && kind != aws.GivenUp
}

// stillWorking explains why a wait that ended with ctx was for nothing. unread is why
// the last read of the state failed; nil: it succeeded.
func stillWorking(ctx context.Context, s Stack, unread error, began, now time.Time) *Refusal {
	r := &Refusal{Reason: report.StackInProgress, Cause: context.Cause(ctx), Text: fmt.Sprintf(
		"the stack %s that owns the alias was still %s after %s; run this again when it has ended, or set on-stack-in-progress: go-on to move the alias now", s.Name, s.Status, wholeSeconds(now.Sub(began)))}
	if unread != nil {
		r.Text = fmt.Sprintf("the stack %s that owns the alias was %s when its state was last read, %s ago, and could not be read since (%s); run this again when it has ended, or set on-stack-in-progress: go-on to move the alias now",
			s.Name, s.Status, wholeSeconds(now.Sub(s.Read)), why(unread, describeStacks))
	}
	return r
}

func wholeSeconds(d time.Duration) string { return report.DurationText(d.Round(time.Second)) }

// stop stops a CodeDeploy deployment, and waits for the rollback that CodeDeploy
// starts.
func (w *Watch) stop(ctx context.Context, d Deployment) error {
	w.log().Infof("stopping the CodeDeploy deployment %s with automatic rollback (stop-codedeploy)", d.ID)
	if err := w.reader.Deployments.Stop(ctx, d.ID); err != nil {
		return &Refusal{Reason: report.CodeDeployInProgress, Cause: err, Text: fmt.Sprintf(
			"the CodeDeploy deployment %s is moving the alias, and could not be stopped: %s; to stop it and roll it back, run: %s",
			d.ID, why(err, "codedeploy:StopDeployment"), stopCommand(d.ID, w.alias.Region))}
	}
	return w.awaitDeployment(ctx, d.ID)
}

const batchGetDeployments = "codedeploy:BatchGetDeployments"

// awaitDeployment waits until a deployment has ended, and the one that rolls it back,
// or until their state cannot be read any more.
func (w *Watch) awaitDeployment(ctx context.Context, id string) error {
	clock := w.reader.Retry.Clock
	began, waitingFor, said := clock.Now(), id, time.Time{}
	limit, read := patienceUnread(ctx, began), began // when the state was last read
	for {
		status, rollback, err := w.reader.Deployments.state(ctx, waitingFor)
		if err == nil {
			read = clock.Now()
		}
		switch {
		case final(err), err != nil && ctx.Err() == nil && clock.Now().Sub(read) >= limit:
			w.keepEnded(fmt.Sprintf("the CodeDeploy deployment %s was stopped or was rolling back, and after %s its state could not be read any more: %s",
				waitingFor, wholeSeconds(clock.Now().Sub(began)), why(err, batchGetDeployments)))
			return nil
		case err != nil:
			w.log().Infof("could not read the CodeDeploy deployment %s: %s", waitingFor, why(err, batchGetDeployments))
		case ended(status) && rollback != "" && rollback != waitingFor && waitingFor == id:
			w.log().Infof("the CodeDeploy deployment %s is %s, and %s rolls it back", id, status, rollback)
			waitingFor = rollback
			continue
		case status == types.DeploymentStatusStopped && waitingFor == id && clock.Now().Sub(began) < untold:
		case ended(status):
			w.keepEnded(fmt.Sprintf("the CodeDeploy deployment %s was stopped or was rolling back: the action waited %s for it, and it is %s now", waitingFor, wholeSeconds(clock.Now().Sub(began)), status))
			return nil
		}
		if now := clock.Now(); said.IsZero() || now.Sub(said) >= sayEvery {
			w.log().Infof("the CodeDeploy deployment %s is %s: waiting until it and its rollback have ended", waitingFor, status)
			said = now
		}
		if clock.Sleep(ctx, pollEvery) != nil {
			r := &Refusal{Reason: report.CodeDeployInProgress, Cause: context.Cause(ctx), Text: fmt.Sprintf(
				"the CodeDeploy deployment %s had not ended after %s; run this again when it has", waitingFor, wholeSeconds(clock.Now().Sub(began)))}
			if err != nil {
				r.Text = fmt.Sprintf("the state of the CodeDeploy deployment %s could not be read (%s); run this again when it has ended", waitingFor, why(err, batchGetDeployments))
			}
			return r
		}
	}
}

func (w *Watch) keepEnded(text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.look.facts.Deployment = nil
	w.past = append(w.past, text)
}
