package github

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	gh "github.com/google/go-github/v62/github"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// Trigger is everything that the question "may it act?" depends on.
type Trigger struct {
	// Command is the input of that name. check and list change nothing and
	// are never refused; snapshot and drill are by the branch alone.
	Command     string
	Branches    []string // patterns of the branches that may act
	Environment string
	Needs       Needs // empty: not given
	DeployJobs  []string
	// TargetGiven is true where a person chose the version to go back to.
	TargetGiven bool
	Context     Context
	Event       Event
	// Jobs are the jobs of the run; nil where the API did not give them.
	Jobs []report.Job
	// JobsAsked is true once the API was asked for Jobs.
	JobsAsked bool
}

// Verdict is the answer: either Act, or AskJobs, or a refusal.
type Verdict struct {
	Act bool
	// AskJobs asks to read the run's jobs and to judge again.
	AskJobs bool
	Reason  report.Reason // of a refusal
	Message string        // of a refusal: what was seen, and what would be needed
	Because string        // why it acts
	// FailedJobs are the jobs that failed: ids where `needs` told them,
	// display names where the API did.
	FailedJobs []string
	Notes      []report.Note
}

// Judge decides whether the program may act. It knows nothing but t. What is
// missing in a payload counts against acting.
func (t Trigger) Judge() Verdict {
	if t.Command == "check" || t.Command == "list" {
		return actBecause("the command %s changes nothing", t.Command)
	}
	for _, rule := range []func() *Verdict{t.checkPayload, t.checkFork, t.checkBranch} {
		if refusal := rule(); refusal != nil {
			return *refusal
		}
	}
	if t.Command == "snapshot" || t.Command == "drill" {
		return actBecause("the branch is allowed, and the command %s needs no failure", t.Command)
	}
	if refusal := t.checkEnvironment(); refusal != nil {
		return *refusal
	}
	return t.failure()
}

// checkPayload refuses where only the payload could tell which branch failed.
func (t Trigger) checkPayload() *Verdict {
	if t.Event.readable() {
		return nil
	}
	return refuse(report.BranchNotAllowed,
		"The payload of the event %s could not be read, so the branch that failed is not known and cannot be shown to be one that the input branch allows (%s); start the rollback by workflow_dispatch if it is needed.",
		t.Event.Name, quoteList(t.Branches))
}

// checkFork refuses a workflow_run whose commit is not from this repository: it is
// started with secrets for a fork's run too, and a fork can call its branch
// main. Whatever is known about the two repositories must agree.
func (t Trigger) checkFork() *Verdict {
	if t.Event.Name != eventWorkflowRun {
		return nil
	}
	p := t.Event.workflowRun()
	head := p.GetWorkflowRun().HeadRepository
	if head == nil {
		return refuse(report.UntrustedFork,
			"The payload does not say from which repository the failed run's commit came (a deleted fork looks like this), and only a run of this repository may start a rollback.")
	}
	id := t.Context.RepositoryID
	if p.GetRepo().GetID() != 0 {
		id = p.GetRepo().GetID()
	}
	name := cmp.Or(t.Context.Repository, p.GetRepo().GetFullName())
	byID := id != 0 && head.GetID() != 0
	byName := name != "" && head.GetFullName() != ""
	same := (byID || byName) &&
		(!byID || id == head.GetID()) &&
		(!byName || strings.EqualFold(name, head.GetFullName()))
	if same {
		return nil
	}
	return refuse(report.UntrustedFork,
		"The failed run's commit is from the repository %s, and only a run of this repository (%s) may start a rollback.",
		quoteValue(head.GetFullName()), quoteValue(name))
}

func (t Trigger) checkBranch() *Verdict {
	branch := t.Event.branch(t.Context)
	if branch == "" {
		// MatchBranch judges branches; this is a tag, a pull request or nothing.
		if slices.Contains(t.Branches, "*") {
			return nil
		}
		return refuse(report.BranchNotAllowed,
			"What failed is not on a branch (ref %s), and the input branch allows %s.",
			quoteValue(t.ref()), quoteList(t.Branches))
	}
	if MatchBranch(t.Branches, branch) {
		return nil
	}
	return refuse(report.BranchNotAllowed,
		"The branch %s is not one that the input branch allows (%s).", quoteValue(branch), quoteList(t.Branches))
}

// ref is what stands where a branch was looked for.
func (t Trigger) ref() string {
	switch t.Event.Name {
	case eventWorkflowRun:
		return ""
	case eventDeploymentStatus:
		return t.Event.deploymentStatus().GetDeployment().GetRef()
	default:
		return t.Context.Ref
	}
}

// checkEnvironment refuses the status of a deployment to another environment.
// GitHub takes environment names without regard to case.
func (t Trigger) checkEnvironment() *Verdict {
	if t.Event.Name != eventDeploymentStatus {
		return nil
	}
	p := t.Event.deploymentStatus()
	seen := cmp.Or(p.GetDeploymentStatus().GetEnvironment(), p.GetDeployment().GetEnvironment())
	if strings.EqualFold(seen, t.Environment) {
		return nil
	}
	return refuse(report.EnvironmentMismatch,
		"The deployment was to the environment %s, and the input environment is %s.", quoteValue(seen), quoteValue(t.Environment))
}

// failure looks for a failure in the first place that can tell of one.
func (t Trigger) failure() Verdict {
	switch {
	case len(t.Needs) > 0:
		return t.byNeeds()
	case t.Event.Name == eventWorkflowRun:
		return byWorkflowRun(t.Event.workflowRun())
	case t.Event.Name == eventDeploymentStatus:
		return byDeployment(t.Event.deploymentStatus())
	case t.Event.Name == eventWorkflowDispatch, t.Event.Name == eventRepositoryDispatch:
		return actBecause("a person asked for it (event %s)", t.Event.Name)
	case t.TargetGiven:
		return actBecause("a person chose the version (input target-version)")
	case !t.JobsAsked:
		return Verdict{AskJobs: true}
	case t.Jobs == nil:
		v := actBecause("the workflow's own if: let this step run")
		v.Notes = []report.Note{{Text: "Neither the input needs nor GitHub's API tells whether a job of this run failed, so the workflow's own if: is trusted. Give needs: ${{ toJSON(needs) }}, or the permission actions: read, to have it checked."}}
		return v
	default:
		return t.byJobs()
	}
}

func (t Trigger) byNeeds() Verdict {
	failed := t.Needs.Failed(t.DeployJobs)
	if len(failed) == 0 {
		return *refuse(report.NoFailure,
			"No job that counts has the result failure in the input needs (%s), so there is nothing to roll back.", t.needsResults())
	}
	return actFailed(failed)
}

// needsResults words the results of the jobs that count.
func (t Trigger) needsResults() string {
	var results []string
	for job, state := range t.Needs {
		if len(t.DeployJobs) == 0 || slices.Contains(t.DeployJobs, job) {
			results = append(results, quoteValue(job)+" "+quoteValue(state.Result))
		}
	}
	slices.Sort(results)
	return joinFirst(results)
}

func byWorkflowRun(p *gh.WorkflowRunEvent) Verdict {
	run := p.GetWorkflowRun()
	workflow := quoteValue(cmp.Or(run.GetName(), p.GetWorkflow().GetName()))
	if action := p.GetAction(); action != "" && action != "completed" {
		return *refuse(report.NoFailure,
			"The workflow_run event says %s, and only a completed run can have failed; start this workflow on types: [completed].", quoteValue(action))
	}
	switch conclusion := run.GetConclusion(); conclusion {
	case "failure", "timed_out":
		return actBecause("the run %d of the workflow %s ended with %s", run.GetID(), workflow, conclusion)
	default:
		return *refuse(report.NoFailure,
			"The run %d of the workflow %s ended with %s, and a rollback needs failure or timed_out.",
			run.GetID(), workflow, quoteValue(conclusion))
	}
}

func byDeployment(p *gh.DeploymentStatusEvent) Verdict {
	switch state := p.GetDeploymentStatus().GetState(); state {
	case "failure", "error":
		return actBecause("the deployment %d is in state %s", p.GetDeployment().GetID(), state)
	default:
		return *refuse(report.NoFailure,
			"The deployment %d is in state %s, and a rollback needs failure or error.", p.GetDeployment().GetID(), quoteValue(state))
	}
}

// byJobs judges by the run's jobs. Unfinished jobs say nothing, the own one
// included, unless the own one has a failed step: then this step is its
// `if: failure()`.
func (t Trigger) byJobs() Verdict {
	var failed []string
	for _, job := range t.Jobs {
		switch {
		case job.Own:
			if job.FailedStep != "" {
				failed = append(failed, job.Name)
			}
		case job.Conclusion == "failure", job.Conclusion == "timed_out":
			failed = append(failed, job.Name)
		}
	}
	if len(failed) == 0 {
		return *refuse(report.NoFailure,
			"No finished job of this run has failed (GitHub's API lists %d jobs), so there is nothing to roll back.", len(t.Jobs))
	}
	return actFailed(failed)
}

func actFailed(jobs []string) Verdict {
	noun := "job"
	if len(jobs) > 1 {
		noun = "jobs"
	}
	v := actBecause("%s %s failed", noun, quoteList(jobs))
	v.FailedJobs = jobs
	return v
}

func actBecause(format string, args ...any) Verdict {
	return Verdict{Act: true, Because: fmt.Sprintf(format, args...)}
}

func refuse(reason report.Reason, format string, args ...any) *Verdict {
	return &Verdict{Reason: reason, Message: fmt.Sprintf(format, args...)}
}
