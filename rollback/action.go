package rollback

import (
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

// freshEvent is how old what an event tells may be for its end to count.
const freshEvent = 24 * time.Hour

// action is one execution of a command: what was asked for, what it works with,
// and the result as it grows. Its methods are what every command goes through; the
// commands, and what only some of them need, are functions that take an action.
type action struct {
	deps     Deps
	lifetime Lifetime
	log      *github.Log
	redactor *github.Redactor // knows every secret, also those issued on the way
	person   *person          // nil: a step of a workflow

	started  time.Time
	workflow github.Context
	inputs   github.Inputs
	faults   github.InputErrors // of inputs that the command goes on without
	event    github.Event
	api      *github.API  // nil: GitHub's API cannot be asked
	run      *runEvidence // about the run that failed
	clocks   clocks
	counted  []string // the failed jobs for which it acts
	failedBy report.FailureSource

	claims atomic.Pointer[aws.TokenClaims] // of the job's OIDC token; nil: there was none

	owners []*owner.Watch // of the functions, in their order; of rollback and check

	notifier *notifier
	result   report.Result
}

func newAction(l Lifetime, d Deps, log *github.Log, redactor *github.Redactor) *action {
	return &action{
		deps: d, lifetime: l, log: log, redactor: redactor,
		started: d.Clock.Now(), workflow: github.ReadContext(d.Getenv),
	}
}

// commands are what each command does once it may act and AWS is reachable. Each
// fills in the results of its functions.
var commands = map[string]struct {
	purpose string
	run     func(context.Context, *action, *aws.Clients, []alias.Function)
}{
	"rollback": {"checking whether a rollback is needed", rollBack},
	"check":    {"checking", check},
	"snapshot": {"taking a snapshot", snapshot},
	"list":     {"listing", list},
	"drill":    {"drilling", drill},
	"promote":  {"promoting", promote},
}

// execute goes the whole way: inputs and event, may it act, the command, and who
// is notified of it. The result is complete then.
func (a *action) execute() {
	err := a.readInputs()
	if !a.alone() {
		a.readEvent()
	}
	switch {
	case err != nil:
		a.refuseInputs(err)
	case refuseUnconfirmed(a):
	default:
		a.act()
	}
	a.result.Timestamp = a.deps.Clock.Now()
	a.notifier = newNotifier(a)
	a.notifier.notify(a.lifetime, &a.result)
}

// act does what the command says, if it may.
func (a *action) act() {
	ctx, cancel := a.limited()
	defer cancel()
	a.connectGitHub()
	if a.inputs.Command != "list" {
		a.run.start() // GitHub answers while everything else goes on
	}
	if !a.alone() && !a.mayAct(ctx) {
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
		// An answer may take its time.
		ctx, cancel = a.limited()
		defer cancel()
	}
	if a.inputs.Reason != "" {
		a.log.Infof("reason given: %s", a.inputs.Reason)
	}
	commands[a.inputs.Command].run(ctx, a, clients, a.functions(clients))
	addFaults(a)
	report.Conclude(&a.result)
}

// alone: a person asked for it, and no workflow run is behind it.
func (a *action) alone() bool { return a.person != nil && a.workflow.RunID == 0 }

// limited is the time that the input timeout gives.
func (a *action) limited() (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(a.lifetime.work, a.inputs.Timeout, alias.ErrTimeout)
}

// readInputs reads the inputs and begins the result.
func (a *action) readInputs() error {
	in, err := github.ParseInputs(a.deps.Getenv)
	if a.alone() {
		in.OnlyIfDeployed = false // there is no run that could have deployed
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

// longestProblems is how long a message with all problems of the inputs may be;
// above that it only names the inputs. The log has each problem on a line.
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
			message = fmt.Sprintf("%d inputs are wrong: %s; the log says of each what it takes", len(names), strings.Join(names, ", "))
		}
	}
	status := report.Failed
	if a.inputs.Command == "check" {
		status = report.NotReady
	}
	a.setAll(status, report.InvalidInput, message)
}

// readEvent reads what started the workflow. Where it cannot be read, what is
// missing counts against acting, or is asked of GitHub.
func (a *action) readEvent() {
	event, err := github.ReadEvent(a.workflow.EventName, a.workflow.EventPath, a.deps.ReadFile)
	if err != nil {
		a.note(report.Note{Warning: true, Text: fmt.Sprintf("could not read the event payload: %s", err)})
	}
	a.event = event
	a.result.Run = event.Run(a.workflow)
	// An event that is handled much later, or again, says nothing about when what
	// serves now can have been deployed at the latest.
	if a.deps.Clock.Now().Sub(a.result.Run.EndedBy) > freshEvent {
		a.result.Run.EndedBy = time.Time{}
	}
}

// mayAct is the contract's section 3. Where it refuses, the result says why.
func (a *action) mayAct(ctx context.Context) bool {
	trigger := github.Trigger{
		Command: a.inputs.Command, Branches: a.inputs.Branches, Environment: a.inputs.Environment,
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
	return true
}

// judge asks GitHub what the trigger wants to know, each at most once.
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

// awaitRun takes what GitHub says about the run, as far as it answers before ctx
// ends. What went wrong in asking is noted once.
func (a *action) awaitRun(ctx context.Context) {
	run, notes := a.run.wait(ctx)
	a.result.Run = run
	a.note(notes...)
}

// completeTimelines puts what is known of the run before the moments of each
// function.
func completeTimelines(a *action) {
	run := a.result.Run
	if a.inputs.Command == "drill" { // it practises for a failed run, and there was none
		run = report.Run{}
	}
	run = a.withFailure(run)
	for i := range a.result.Functions {
		report.CompleteTimeline(&a.result.Functions[i], run, a.result.Started)
	}
}

// setAll gives every function the same result, and the whole its message.
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

func (a *action) files() github.Files {
	return github.Files{Output: a.workflow.OutputPath, Summary: a.workflow.SummaryPath, Append: a.deps.Append, Random: a.deps.Random}
}
