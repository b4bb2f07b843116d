package rollback

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/org/lambda-rollback-action/github"
	"github.com/org/lambda-rollback-action/rollback/alias"
	"github.com/org/lambda-rollback-action/rollback/aws"
	"github.com/org/lambda-rollback-action/rollback/owner"
	"github.com/org/lambda-rollback-action/rollback/report"
)

// freshEvent is the maximum age of the end of a run, as reported by the event, for
// it to count as evidence.
const freshEvent = 24 * time.Hour

// action is one execution of a command: its inputs, its dependencies, and the result
// so far. Its methods are the steps that all commands share. The commands, and steps
// that only some of them need, are functions that take an action.
type action struct {
	deps     Deps
	lifetime Lifetime
	log      *github.Log
	redactor *github.Redactor // knows every secret, including issued credentials
	person   *person          // nil: runs as a step of a workflow

	started  time.Time
	workflow github.Context
	inputs   github.Inputs
	faults   github.InputErrors // problems of inputs that do not stop the command
	event    github.Event
	api      *github.API  // nil: GitHub's API cannot be called
	runs     alias.Runs   // about other runs
	run      *runEvidence // about the failed run
	clocks   clocks
	counted  []string // the failed jobs that caused the rollback
	failedBy report.FailureSource
	// onlyTargets reports that the chosen targets are the only reason to act.
	onlyTargets bool

	claims atomic.Pointer[aws.TokenClaims] // of the job's OIDC token; nil: none was requested

	owners []*owner.Watch // one per function, in the same order

	notifier *notifier
	result   report.Result
}

func newAction(l Lifetime, d Deps, log *github.Log, redactor *github.Redactor) *action {
	return &action{
		deps: d, lifetime: l, log: log, redactor: redactor,
		started: d.Clock.Now(), workflow: github.ReadContext(d.Getenv),
	}
}

// commands maps each command to the function that carries it out, once the command
// may act and AWS is reachable. Each of these functions fills in the results of the
// Lambda functions.
var commands = map[string]struct {
	purpose string
	run     func(context.Context, *action, *aws.Clients, []alias.Function)
}{
	"rollback": {"checking whether a rollback is needed", rollBack},
	"check":    {"checking", check},
	"snapshot": {"taking a snapshot", snapshot},
	"list":     {"listing versions", list},
	"drill":    {"running a drill", drill},
	"promote":  {"promoting", promote},
}

// execute runs everything: it reads the inputs and the event, decides whether to
// act, runs the command, and sends notifications. When it returns, the result is
// complete.
func (a *action) execute() {
	err := a.readInputs()
	if !a.outsideWorkflow() {
		a.readEvent()
	}
	switch {
	case err != nil:
		a.refuseInputs(err)
	case refuseUnconfirmed(a):
	default:
		a.act()
	}
	a.result.Timestamp = awsNow(a)
	a.notifier = newNotifier(a)
	a.notifier.notify(a.lifetime, &a.result)
}

// act runs the command, if it may act.
func (a *action) act() {
	ctx, cancel := a.limited()
	defer cancel()
	a.connectGitHub()
	if a.inputs.Command != "list" {
		a.run.start() // GitHub answers in the background
	}
	if !a.outsideWorkflow() && !a.mayAct(ctx) {
		return
	}
	clients, ok := a.connectAWS(ctx)
	if !ok {
		return
	}
	if needsConfirmation(a) {
		if !prompt(a, a.functions(clients)) {
			return
		}
		// The time for the answer does not count.
		ctx, cancel = a.limited()
		defer cancel()
	}
	if a.inputs.Reason != "" {
		a.log.Infof("reason: %s", a.inputs.Reason)
	}
	commands[a.inputs.Command].run(ctx, a, clients, a.functions(clients))
	addFaults(a)
	report.Conclude(&a.result)
}

// outsideWorkflow reports whether the program runs on the command line, outside a workflow.
func (a *action) outsideWorkflow() bool { return a.person != nil && a.workflow.RunID == 0 }

// limited returns a context that ends after the input timeout.
func (a *action) limited() (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(a.lifetime.work, a.inputs.Timeout, alias.ErrTimeout)
}

// readInputs reads the inputs and initializes the result.
func (a *action) readInputs() error {
	in, err := github.ParseInputs(a.deps.Getenv)
	if a.outsideWorkflow() {
		in.OnlyIfDeployed = false // there is no run to attribute a version to
	}
	a.inputs = in
	a.result = report.Result{
		Command: in.Command, Environment: in.Environment, DryRun: in.DryRun, RequestReason: in.Reason,
		Healthy: report.HealthUnknown, OwnURL: a.workflow.RunURL(), Started: a.started,
	}
	for _, text := range in.Warnings {
		a.note(report.Note{Warning: true, Text: text})
	}
	return takeFaults(a, err)
}

// longestProblems is the maximum length, in bytes, of a message that lists every
// problem of the inputs. A message that would be longer names only the inputs; the
// log has each problem on a line.
const longestProblems = 1500

func (a *action) refuseInputs(err error) {
	problems, several := errors.AsType[github.InputErrors](err)
	message := err.Error()
	if several && len(problems) > 1 {
		var names []string
		for _, p := range problems {
			a.note(report.Note{Warning: true, Text: faultText(a, p), InMessage: len(message) <= longestProblems})
			if !slices.Contains(names, p.Input) {
				names = append(names, p.Input)
			}
		}
		if len(message) > longestProblems {
			message = fmt.Sprintf("%d inputs are invalid: %s; the log lists what each of them takes", len(names), strings.Join(names, ", "))
		}
	}
	status := report.Failed
	if a.inputs.Command == "check" {
		status = report.NotReady
	}
	a.setAll(status, report.InvalidInput, message)
}

// readEvent reads the event that started the workflow. If it cannot be read, the
// missing facts count against acting, or come from GitHub's API.
func (a *action) readEvent() {
	event, err := github.ReadEvent(a.workflow.EventName, a.workflow.EventPath, a.deps.ReadFile)
	if err != nil {
		a.note(report.Note{Warning: true, Text: err.Error()})
	}
	a.event = event
	a.result.Run = event.Run(a.workflow)
	// If the event is old, because the run was delayed or rerun, later deploys may
	// have followed. Its end is then not an upper bound for the live version.
	if a.deps.Clock.Now().Sub(a.result.Run.EndedBy) > freshEvent {
		a.result.Run.EndedBy = time.Time{}
	}
}

// mayAct reports whether the command may act. If not, it sets the result, with the
// reason.
func (a *action) mayAct(ctx context.Context) bool {
	trigger := github.Trigger{
		Command: a.inputs.Command, Branches: a.inputs.Branches, Environment: a.inputs.Environment, AnyEnvironment: a.inputs.FaultyEnvironment,
		Needs: a.inputs.Needs, FailedResults: a.inputs.FailedResults, DeployJobs: a.inputs.DeployJobs, TargetGiven: a.targetGiven(),
		Context: a.workflow, Event: a.event,
	}
	verdict := a.judge(ctx, trigger)
	a.note(verdict.Notes...)
	if !verdict.Act {
		a.setAll(report.Skipped, verdict.Reason, verdict.Message)
		for i := range a.result.Functions {
			a.result.Functions[i].Attention = verdict.Attention
		}
		if verdict.Cancelled && a.inputs.Command == "rollback" {
			lookAtCancelled(ctx, a)
		}
		return false
	}
	a.counted, a.failedBy = verdict.FailedJobs, verdict.FailedBy
	a.log.Infof("%s: %s", commands[a.inputs.Command].purpose, verdict.Because)
	if verdict.FailedBy == report.FailedByPerson && a.targetGiven() && slices.ContainsFunc(a.inputs.Functions, withoutTarget) {
		trigger.TargetGiven = false
		rest := a.judge(ctx, trigger)
		a.note(rest.Notes...)
		// A person who names versions for some functions asks for those alone: the
		// others need a failure that something else shows.
		byHand := a.event.ByDispatch() && slices.Contains([]report.FailureSource{report.FailedByPerson, report.FailedByWorkflow}, rest.FailedBy)
		if a.onlyTargets = byHand || !rest.Act; a.onlyTargets {
			a.log.Infof("functions that target-version does not name are left alone: %s", cmp.Or(rest.Message, "nothing shows that a deploy failed"))
		}
	}
	return true
}

// judge evaluates the trigger. It requests from GitHub what the trigger needs to
// know, each fact at most once.
func (a *action) judge(ctx context.Context, trigger github.Trigger) github.Verdict {
	verdict := trigger.Judge()
	if verdict.AskRef != nil {
		answer := a.api.ResolveRef(ctx, *verdict.AskRef)
		trigger.Ref = &answer
		verdict = trigger.Judge()
	}
	if verdict.AskJobs {
		a.awaitRun(ctx)
		trigger.Jobs, trigger.JobsAsked = a.result.Run.Jobs, true
		verdict = trigger.Judge()
	}
	return verdict
}

// awaitRun waits until GitHub has returned the facts about the run, or until ctx
// ends. It adds the notes about failed requests once.
func (a *action) awaitRun(ctx context.Context) {
	run, notes := a.run.wait(ctx)
	a.result.Run = run
	a.note(notes...)
}

// completeTimelines adds the events of the run to the timeline of each function.
func completeTimelines(a *action) {
	run := a.result.Run
	if a.inputs.Command == "drill" { // a drill has no failed run
		run = report.Run{}
	}
	run = a.withFailure(run)
	a.result.Started = a.started.Add(a.clocks.awsAhead())
	for i := range a.result.Functions {
		report.CompleteTimeline(&a.result.Functions[i], run, a.result.Started)
	}
}

// setAll sets the same status, reason and message for every function and for the
// whole result.
func (a *action) setAll(status report.Status, reason report.Reason, message string) {
	for _, f := range a.inputs.Functions {
		a.result.Functions = append(a.result.Functions, report.Function{
			Function: f.Name, Region: f.Region, Alias: f.Alias,
			Status: status, Reason: reason, Message: message,
			Rejected: []string{}, Checks: []report.Check{}, Changes: []report.Change{}, Timeline: []report.Moment{},
			Healthy: report.HealthUnknown,
		})
	}
	a.result.Status, a.result.Reason, a.result.Message = status, reason, message
}

func (a *action) note(notes ...report.Note) {
	a.result.Notes = append(a.result.Notes, notes...)
}

func (a *action) targetGiven() bool {
	return slices.ContainsFunc(a.inputs.Functions, func(f github.Function) bool { return f.Target != 0 })
}

func withoutTarget(f github.Function) bool { return f.Target == 0 }

func (a *action) files() github.Files {
	return github.Files{Output: a.workflow.OutputPath, Summary: a.workflow.SummaryPath, Append: a.deps.Append, Random: a.deps.Random}
}
