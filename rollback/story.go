package rollback

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/org/lambda-rollback-action/github"
	"github.com/org/lambda-rollback-action/notify"
	"github.com/org/lambda-rollback-action/rollback/alias"
	"github.com/org/lambda-rollback-action/rollback/aws"
	"github.com/org/lambda-rollback-action/rollback/report"
)

// evidenceLimit is how long GitHub's API may take to tell about the run. A
// rollback does not wait longer for it: what the event says is used then.
const evidenceLimit = 5 * time.Second

// freshEvent is how old what an event tells may be for its end to count.
const freshEvent = 24 * time.Hour

// secretVariables hold secrets that are no inputs.
var secretVariables = []string{
	"AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_TOKEN", "ACTIONS_RUNTIME_TOKEN", "GITHUB_TOKEN",
}

func redactorOf(getenv func(string) string) *github.Redactor {
	secrets := github.SecretsFrom(getenv)
	for _, name := range secretVariables {
		secrets = append(secrets, getenv(name))
	}
	return github.NewRedactor(secrets)
}

// story is one command on its way from the inputs to the result.
type story struct {
	Lifetime
	Deps

	started time.Time
	where   github.Context
	log     *github.Log
	// redactor knows every secret, also those that are issued on the way.
	redactor *github.Redactor
	person   *person // nil: a step of a workflow

	in     github.Inputs
	event  github.Event
	api    *github.API
	failed *evidence // the run that failed, by GitHub's API
	// evidenceTold: what went wrong in asking for it is noted already.
	evidenceTold bool
	told         *notify.Crier // nil: nobody was told yet
	counted      []string      // the failed jobs for which it acts
	result       report.Result
}

func newStory(l Lifetime, w Deps, log *github.Log, redactor *github.Redactor) *story {
	return &story{Lifetime: l, Deps: w, started: w.Clock.Now(), where: github.ReadContext(w.Getenv), log: log, redactor: redactor}
}

func (s *story) files() github.Files {
	return github.Files{Output: s.where.OutputPath, Summary: s.where.SummaryPath, Append: s.Append, Random: s.Random}
}

// alone: a person asked for it, and no workflow run is behind it.
func (s *story) alone() bool { return s.person != nil && s.where.RunID == 0 }

// limited is the time that the input timeout gives.
func (s *story) limited() (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(s.work, s.in.Timeout, alias.ErrTimeout)
}

// tell fills in the result.
func (s *story) tell() {
	in, err := github.ParseInputs(s.Getenv)
	if s.alone() {
		in.OnlyIfDeployed = false // there is no run that could have deployed
	}
	s.in = in
	s.result = report.Result{
		Command: in.Command, Environment: in.Environment, DryRun: in.DryRun, RequestReason: in.Reason,
		Healthy: report.HealthUnknown, OwnURL: s.where.RunURL(), Started: s.started,
	}
	for _, text := range in.Warnings {
		s.note(report.Note{Warning: true, Text: text})
	}
	if !s.alone() {
		s.readEvent()
	}
	switch {
	case err != nil:
		s.refuseInputs(err)
	case s.refuseUnasked():
	default:
		s.act()
	}
}

// act does what the command says, if it may.
func (s *story) act() {
	ctx, cancel := s.limited()
	defer cancel()
	s.meetGitHub()
	if !s.alone() && !s.mayAct(ctx) {
		return
	}
	clients, ok := s.prepare(ctx)
	if !ok {
		return
	}
	if s.mustBeAsked() {
		if !s.consult(s.functions(clients)) {
			return
		}
		// An answer may take its time.
		ctx, cancel = s.limited()
		defer cancel()
	}
	s.carryOut(ctx, clients, s.functions(clients))
}

// longestProblems is how long a message with all problems of the inputs may be;
// above that it only names the inputs. The log has each problem on a line.
const longestProblems = 1500

func (s *story) refuseInputs(err error) {
	problems, several := errors.AsType[github.InputErrors](err)
	message := err.Error()
	if several && len(problems) > 1 {
		var names []string
		for _, p := range problems {
			s.note(report.Note{Warning: true, Text: p.Error()})
			if !slices.Contains(names, p.Input) {
				names = append(names, p.Input)
			}
		}
		if len(message) > longestProblems {
			message = fmt.Sprintf("%d inputs are wrong: %s; the log says of each what it takes", len(names), strings.Join(names, ", "))
		}
	}
	s.everywhere(report.Failed, report.InvalidInput, message)
}

// readEvent reads what started the workflow. Where it cannot be read, what is
// missing counts against acting, or is asked of GitHub.
func (s *story) readEvent() {
	event, err := github.ReadEvent(s.where.EventName, s.where.EventPath, s.ReadFile)
	if err != nil {
		s.note(report.Note{Warning: true, Text: fmt.Sprintf("the event's payload is of no use: %s", err)})
	}
	s.event = event
	s.result.Run = event.Run(s.where)
	// An event that is handled much later, or again, says nothing about when what
	// serves now can have been deployed at the latest.
	if s.Clock.Now().Sub(s.result.Run.EndedBy) > freshEvent {
		s.result.Run.EndedBy = time.Time{}
	}
}

// meetGitHub makes ready what GitHub's API can be asked.
func (s *story) meetGitHub() {
	if s.alone() {
		s.failed = newEvidence(report.Run{}, func() (report.Run, []report.Note) { return report.Run{}, nil })
		return
	}
	api, err := github.NewAPI(nil, s.where.APIURL, s.in.GitHubToken, s.where.Repository)
	if err != nil {
		s.note(report.Note{Warning: true, Text: fmt.Sprintf("GitHub's API is not asked: %s", err)})
	}
	s.api = api
	s.failed = newEvidence(s.result.Run, func() (report.Run, []report.Note) {
		if api == nil {
			return s.result.Run, nil
		}
		ctx, cancel := context.WithTimeout(s.work, evidenceLimit)
		defer cancel()
		return api.Evidence(ctx, s.where, s.result.Run, s.event.TimesByAPI())
	})
}

// mayAct is the contract's section 3.
func (s *story) mayAct(ctx context.Context) bool {
	trigger := github.Trigger{
		Command: s.in.Command, Branches: s.in.Branches, Environment: s.in.Environment,
		Needs: s.in.Needs, DeployJobs: s.in.DeployJobs, TargetGiven: s.targetGiven(),
		Context: s.where, Event: s.event,
	}
	verdict := trigger.Judge()
	if verdict.AskJobs {
		run, notes := s.failed.wait(ctx)
		s.result.Run, s.evidenceTold = run, true
		s.note(notes...)
		trigger.Jobs, trigger.JobsAsked = run.Jobs, true
		verdict = trigger.Judge()
	}
	s.note(verdict.Notes...)
	if !verdict.Act {
		s.everywhere(report.Skipped, verdict.Reason, verdict.Message)
		return false
	}
	s.counted = verdict.FailedJobs
	s.log.Infof("%s: %s", purposes[s.in.Command], verdict.Because)
	return true
}

var purposes = map[string]string{
	"rollback": "looking whether to roll back", "check": "checking", "snapshot": "taking a snapshot", "list": "listing", "drill": "drilling",
}

// prepare opens AWS. Where it cannot, the result says so.
func (s *story) prepare(ctx context.Context) (*aws.Clients, bool) {
	if s.in.Command != "list" {
		s.failed.start() // GitHub answers while the credentials are fetched
	}
	clients, err := s.open(ctx)
	if err != nil && s.in.Command == "check" {
		s.notReady()
	}
	return clients, err == nil
}

// carryOut does what the command says.
func (s *story) carryOut(ctx context.Context, clients *aws.Clients, functions []alias.Function) {
	if s.in.Reason != "" {
		s.log.Infof("reason given: %s", s.in.Reason)
	}
	switch s.in.Command {
	case "check":
		s.check(ctx, clients, functions)
	case "snapshot":
		s.snapshot(ctx, functions)
	case "list":
		s.list(ctx, functions)
	case "drill":
		s.drill(ctx, clients, functions)
	default:
		s.rollBack(ctx, clients, functions)
	}
	report.Conclude(&s.result)
}

// rollBack rolls every function back and proves that production recovered.
func (s *story) rollBack(ctx context.Context, clients *aws.Clients, functions []alias.Function) {
	s.log.Group("Rolling back")
	fleet := alias.NewFleet(functions)
	fleet.RollBack(ctx, s.in.AllOrNothing)
	s.log.EndGroup()

	s.tellRun(ctx)
	s.tellEarly(fleet.Results())
	s.result.Functions = s.prove(clients, fleet)
	s.completeTimelines()
}

// tellRun takes what GitHub said about the run, as far as it has answered.
func (s *story) tellRun(ctx context.Context) {
	run, notes := s.failed.wait(ctx)
	if s.result.Run = run; !s.evidenceTold {
		s.note(notes...)
	}
}

func (s *story) completeTimelines() {
	run := s.result.Run
	if s.in.Command == "drill" { // it practises for a failed run, and there was none
		run = report.Run{}
	}
	run.Counted = s.counted
	for i := range s.result.Functions {
		report.CompleteTimeline(&s.result.Functions[i], run, s.result.Started)
	}
}

// everywhere gives every function the same result, and the whole its message.
func (s *story) everywhere(status report.Status, reason report.Reason, message string) {
	for _, f := range s.in.Functions {
		s.result.Functions = append(s.result.Functions, report.Function{
			Function: f.Name, Region: f.Region, Alias: f.Alias,
			Status: status, Reason: reason, Message: message,
			Rejected: []string{}, Checks: []report.Check{}, Changes: []report.Change{}, Timeline: []report.Moment{},
			Healthy: report.HealthUnknown,
		})
	}
	s.result.Status, s.result.Reason, s.result.Message = status, reason, message
}

func (s *story) note(notes ...report.Note) {
	s.result.Notes = append(s.result.Notes, notes...)
}

func (s *story) targetGiven() bool {
	for _, f := range s.in.Functions {
		if f.Target != 0 {
			return true
		}
	}
	return false
}

func (s *story) byDispatch() bool {
	return s.where.EventName == "workflow_dispatch" || s.where.EventName == "repository_dispatch"
}
