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
	// lookLimit bounds the first look at the owners, which goes on beside the move.
	lookLimit = 15 * time.Second
	// patience is how long a decision that is ready waits for that look. It began
	// beside the reads of the versions, so that it has most often ended by then; a
	// second lost in an incident is less than what two movers at once cost.
	patience = time.Second
	// patienceWithWeights is the same where two versions share the traffic, which
	// is what CodeDeploy does.
	patienceWithWeights = 5 * time.Second

	pollEvery = 5 * time.Second
	sayEvery  = 30 * time.Second
	// untold is how long a deployment that was stopped may tell nothing of its
	// rollback: until it does, two could move the alias.
	untold = 15 * time.Second
)

// Alias is the alias that is watched.
type Alias struct{ Function, Name, Region string }

// Watch knows the owners of one alias. Its methods may be called from several
// goroutines.
type Watch struct {
	alias   Alias
	reader  Reader
	options Options

	again bool // the alias was read again since the stack's state is known

	mu   sync.Mutex // guards what follows
	look *look
	past []string // what was waited for
}

// look is one attempt to find out who owns the alias with an ARN, and what it has
// found so far.
type look struct {
	aliasARN string
	done     chan struct{} // closed when the owners that can move the alias are known
	tagged   chan struct{} // closed when the function's tags are known, too; nil: not begun
	facts    Facts
	missed   []string // what has not been told yet
}

// NewWatch makes a watch that has not looked yet.
func NewWatch(a Alias, r Reader, o Options) *Watch {
	o.Region = a.Region
	return &Watch{alias: a, reader: r, options: o, look: newLook("")}
}

func newLook(aliasARN string) *look {
	return &look{aliasARN: aliasARN, done: make(chan struct{}), missed: []string{
		"whether a stack owns the alias: AWS did not answer in time", "whether CodeDeploy is moving the alias: AWS did not answer in time", "",
	}}
}

// Look begins to find out who owns the alias with an ARN, and does not wait. An ARN
// that was looked for already is not looked for again; another one takes its place,
// as the first one can have been a guess. What is asked ends with ctx.
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

// Tags begins to read the tags of the function where no stack owns the alias. They
// tell which tool deploys the function and nothing that a move depends on, and they
// are calls of the same limit as moves: they come after them. It does not wait.
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
	l.tagged, l.missed[2] = make(chan struct{}), "whether a stack owns the function: AWS did not answer in time"
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

// keep takes the answer to one question of a look.
func (w *Watch) keep(l *look, question int, set func(*Facts), unseen []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	set(&l.facts)
	l.facts.Unseen = append(l.facts.Unseen, unseen...)
	l.missed[question] = ""
}

// Known gives what is known when the look has ended, or after limit at the latest.
// It waits for the tags where they are being read.
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

// Told words what is known for people, waiting for it for limit at most; nil:
// there is nothing to tell.
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

// Ahead says what would come before a rollback that was made now, by what is known.
func (w *Watch) Ahead(ctx context.Context) Decision {
	return Decide(w.Known(ctx, 0), Proposal{Move: true, Chosen: true}, w.options)
}

// Verdict is what is to come of a proposal.
type Verdict struct {
	Again bool          // something ended that can have changed the alias: read it anew
	Skip  report.Reason // leave it alone; empty: go on
	Text  string        // of Skip, half a sentence
}

// Refusal is why an alias must not be moved now.
type Refusal struct {
	Reason report.Reason
	Text   string
	// Cause ended the waiting; nil: nothing was waited for.
	Cause error
}

func (r *Refusal) Error() string { return r.Text }

// Unwrap gives what ended the waiting.
func (r *Refusal) Unwrap() error { return r.Cause }

// Allow says what is to come of a proposal, after waiting for what must end before
// it. weighted: two versions share the traffic. Its error is a *Refusal. It is to
// be called by one goroutine at a time.
func (w *Watch) Allow(ctx context.Context, p Proposal, weighted bool) (Verdict, error) {
	limit := patience
	if weighted {
		limit = patienceWithWeights
	}
	if deadline, limited := ctx.Deadline(); limited { // a short time limit is not used up by this
		limit = min(limit, max(0, deadline.Sub(w.reader.Retry.Clock.Now())/4))
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

// awaitStack waits until the stack's operation has ended.
func (w *Watch) awaitStack(ctx context.Context, s Stack) error {
	clock := w.reader.Retry.Clock
	began, said := clock.Now(), time.Time{}
	first := s.Status
	for s.phase() == Working {
		now := clock.Now()
		if said.IsZero() || now.Sub(said) >= sayEvery {
			w.log().Infof("the stack %s is %s: waiting for it to end, %s so far (on-stack-in-progress: go-on does not wait)", s.Name, s.Status, now.Sub(began).Round(time.Second))
			said = now
		}
		if clock.Sleep(ctx, pollEvery) != nil {
			return &Refusal{Reason: report.StackInProgress, Cause: context.Cause(ctx), Text: fmt.Sprintf(
				"the stack %s that owns the alias was still %s after %s; run this again when it has ended, or set on-stack-in-progress: go-on to move the alias now", s.Name, s.Status, clock.Now().Sub(began).Round(time.Second))}
		}
		before := s.Status
		switch err := w.reader.Refresh(ctx, &s); {
		case err != nil && aws.Classify(err) == aws.Denied:
			w.log().Infof("can no longer read the state of the stack %s: %s", s.Name, why(err, "cloudformation:DescribeStacks"))
			s.Status = ""
		case err != nil:
			w.log().Infof("could not read the state of the stack %s: %s", s.Name, why(err, "cloudformation:DescribeStacks"))
		case s.Status != before:
			w.log().Infof("the stack %s is %s now", s.Name, s.Status)
			said = clock.Now()
		}
	}
	now := fmt.Sprintf("it is %s now", s.Status)
	if s.Status == "" {
		now = "its state cannot be read any more"
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.look.facts.Stack = &s
	w.past = append(w.past, fmt.Sprintf("the stack %s was %s: the action waited %s for it, and %s", s.Name, first, clock.Now().Sub(began).Round(time.Second), now))
	return nil
}

// stop stops a deployment of CodeDeploy, and waits for the rollback that
// CodeDeploy makes then.
func (w *Watch) stop(ctx context.Context, d Deployment) error {
	w.log().Infof("stopping the CodeDeploy deployment %s with automatic rollback (stop-codedeploy)", d.ID)
	if err := w.reader.Deployments.Stop(ctx, d.ID); err != nil {
		return &Refusal{Reason: report.CodeDeployInProgress, Cause: err, Text: fmt.Sprintf(
			"the CodeDeploy deployment %s is moving the alias, and could not be stopped: %s; to stop it and roll it back, run: %s",
			d.ID, why(err, "codedeploy:StopDeployment"), stopCommand(d.ID, w.alias.Region))}
	}
	return w.awaitDeployment(ctx, d.ID)
}

// awaitDeployment waits until a deployment has ended, and with it the one that
// rolls it back.
func (w *Watch) awaitDeployment(ctx context.Context, id string) error {
	clock := w.reader.Retry.Clock
	began, waitingFor, said := clock.Now(), id, time.Time{}
	for {
		status, rollback, err := w.reader.Deployments.state(ctx, waitingFor)
		switch {
		case err != nil:
			w.log().Infof("could not read the CodeDeploy deployment %s: %s", waitingFor, why(err, "codedeploy:BatchGetDeployments"))
		case ended(status) && rollback != "" && rollback != waitingFor && waitingFor == id:
			w.log().Infof("the CodeDeploy deployment %s is %s, and %s rolls it back", id, status, rollback)
			waitingFor = rollback
			continue
		case status == types.DeploymentStatusStopped && waitingFor == id && clock.Now().Sub(began) < untold:
		case ended(status):
			w.keepEnded(fmt.Sprintf("the CodeDeploy deployment %s was stopped or was rolling back: the action waited %s for it, and it is %s now", waitingFor, clock.Now().Sub(began).Round(time.Second), status))
			return nil
		}
		if now := clock.Now(); said.IsZero() || now.Sub(said) >= sayEvery {
			w.log().Infof("the CodeDeploy deployment %s is %s: waiting until it and its rollback have ended", waitingFor, status)
			said = now
		}
		if clock.Sleep(ctx, pollEvery) != nil {
			return &Refusal{Reason: report.CodeDeployInProgress, Cause: context.Cause(ctx), Text: fmt.Sprintf(
				"the CodeDeploy deployment %s had not ended after %s; run this again when it has", waitingFor, clock.Now().Sub(began).Round(time.Second))}
		}
	}
}

func (w *Watch) keepEnded(text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.look.facts.Deployment = nil
	w.past = append(w.past, text)
}
