package github

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// failure looks for a failure in the first source that can show one. The jobs in
// `needs` belong to this run: if another run or a deployment failed, or a person
// chose a version, their success says nothing.
func (t Trigger) failure() Verdict {
	byNeeds := t.byNeeds()
	switch {
	case len(t.Needs) > 0 && byNeeds.Act:
		return byNeeds
	case t.TargetGiven && t.Event.ByDispatch():
		return actBecause(report.FailedByPerson, "the version was chosen manually (event %s, input target-version)", t.Event.Name)
	case len(t.Needs) > 0 && (len(t.DeployJobs) > 0 || t.Event.Name != eventWorkflowRun && t.Event.Name != eventDeploymentStatus):
		return byNeeds
	case t.Event.Name == eventWorkflowRun:
		return t.byWorkflowRun()
	case t.Event.Name == eventDeploymentStatus:
		return t.byDeployment()
	case t.TargetGiven:
		return actBecause(report.FailedByPerson, "the version was chosen manually (input target-version)")
	case !t.JobsAsked:
		return Verdict{AskJobs: true}
	case t.Jobs == nil && t.Event.ByDispatch():
		return t.trustWorkflow("it was started manually (event %s)", t.Event.Name)
	case t.Jobs == nil:
		return t.trustWorkflow("the `if:` condition in the workflow let this step run")
	case t.Event.ByDispatch() && t.deployedNothing():
		return actBecause(report.FailedByPerson, "it was started manually (event %s)", t.Event.Name)
	default:
		return t.byJobs()
	}
}

func (t Trigger) trustWorkflow(because string, args ...any) Verdict {
	v := actBecause(report.FailedByWorkflow, because, args...)
	v.Notes = []report.Note{{Text: "Neither the input needs nor GitHub's API shows whether a job of this run failed, so the `if:` condition in the workflow is trusted. To have the failure checked, set needs: ${{ toJSON(needs) }}, or grant the permission actions: read."}}
	return v
}

// failedResults returns the results that count as a failed deploy.
func (t Trigger) failedResults() []string {
	if len(t.FailedResults) == 0 {
		return []string{resultFailure}
	}
	return t.FailedResults
}

// counts reports whether a result or conclusion counts as a failed deploy.
func (t Trigger) counts(result string) bool {
	return slices.Contains(t.failedResults(), result) ||
		result == resultTimedOut && slices.Contains(t.failedResults(), resultFailure)
}

// cancelledNote is added to a message if something was cancelled and that does not
// count as failed.
const cancelledNote = " A deploy that was stopped by the time limit of its job also ends as cancelled, and may have moved the alias: set failed-results: failure,cancelled to count it as failed."

// noFailure returns a refusal, which says so if something was cancelled.
func noFailure(cancelled bool, format string, args ...any) Verdict {
	v := *refuse(report.NoFailure, format, args...)
	if v.Cancelled = cancelled; cancelled {
		v.Message += cancelledNote
	}
	return v
}

func (t Trigger) byNeeds() Verdict {
	failed := t.Needs.With(t.failedResults(), t.DeployJobs)
	if len(failed) == 0 {
		return noFailure(len(t.Needs.With([]string{resultCancelled}, t.DeployJobs)) > 0,
			"None of the counted jobs in the input needs has the result %s (%s), so there is nothing to roll back.",
			strings.Join(t.failedResults(), " or "), t.needsResults())
	}
	return actFailed(report.FailedByNeeds, failed)
}

// needsResults lists the results of the jobs that count, for a message.
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

// byWorkflowRun judges by the run in the payload: by its conclusion, and if
// deploy-job lists jobs of it, by those.
func (t Trigger) byWorkflowRun() Verdict {
	p, run := t.Event.fields(eventWorkflowRun), t.Event.workflowRun()
	workflow := quoteValue(cmp.Or(run.Name, p.Workflow.Name))
	if action := p.Action; action != "" && action != "completed" {
		return *refuse(report.NoFailure,
			"The workflow_run event has the action %s, but only a completed run can have failed; start this workflow on types: [completed].", quoteValue(action))
	}
	conclusion := run.Conclusion
	switch {
	case !t.counts(conclusion):
		wanted := strings.Join(t.failedResults(), " or ")
		if slices.Contains(t.failedResults(), resultFailure) {
			wanted += " or timed_out"
		}
		return noFailure(conclusion == resultCancelled, "Run %d of the workflow %s ended with %s; a rollback requires %s.",
			run.ID, workflow, quoteValue(conclusion), wanted)
	case len(t.DeployJobs) > 0 && !t.JobsAsked:
		return Verdict{AskJobs: true}
	case len(t.DeployJobs) > 0 && t.Jobs != nil:
		return t.byJobs()
	default:
		return actBecause(report.FailedByRun, "run %d of the workflow %s ended with %s", run.ID, workflow, conclusion)
	}
}

func (t Trigger) byDeployment() Verdict {
	id := t.Event.deployment().ID
	switch state := t.Event.deploymentStatus().State; state {
	case "failure", "error":
		return actBecause(report.FailedByDeployment, "deployment %d is in state %s", id, state)
	default:
		return *refuse(report.NoFailure,
			"Deployment %d is in state %s; a rollback requires failure or error.", id, quoteValue(state))
	}
}

// named reports whether deploy-job lists the job.
func (t Trigger) named(j report.Job) bool { return slices.ContainsFunc(t.DeployJobs, j.IsNamed) }

// deployedNothing reports whether no other job of the run can have deployed. Names in
// deploy-job that match no job prove nothing.
func (t Trigger) deployedNothing() bool {
	possible := t.possibleDeploys()
	return len(possible) == 0 || slices.ContainsFunc(t.Jobs, t.named) && !slices.ContainsFunc(possible, t.named)
}

// possibleDeploys returns the jobs of the run that have ended and so may have
// deployed, without this program's job and the rest of its matrix. If a step of this
// program's job failed, that job is itself the deploy.
func (t Trigger) possibleDeploys() []report.Job {
	own := slices.IndexFunc(t.Jobs, func(j report.Job) bool { return j.Own })
	return slices.DeleteFunc(slices.Clone(t.Jobs), func(j report.Job) bool {
		switch {
		case j.Own:
			return j.FailedStep == ""
		case own >= 0 && t.Jobs[own].FailedStep == "" && sameMatrix(j.Name, t.Jobs[own].Name):
			return true
		default:
			return j.Conclusion == "" || j.Conclusion == resultSkipped
		}
	})
}

// sameMatrix reports whether the names of two jobs are the same without what a matrix
// adds to them.
func sameMatrix(a, b string) bool {
	base := func(name string) string { base, _, _ := strings.Cut(name, " ("); return base }
	return base(a) == base(b)
}

// byJobs judges by the jobs of the run. Only deploy-job says which of them deploy;
// FailedBy says whether it was given.
func (t Trigger) byJobs() Verdict {
	var failed, unstarted []string
	cancelled := false
	for _, job := range t.possibleDeploys() {
		if len(t.DeployJobs) > 0 && !t.named(job) {
			continue
		}
		switch {
		case job.NeverRan && len(t.DeployJobs) == 0:
			unstarted = append(unstarted, job.Name)
		case job.Own || t.counts(job.Conclusion):
			failed = append(failed, job.Name)
		}
		cancelled = cancelled || job.Conclusion == resultCancelled
	}
	switch {
	case len(failed) > 0 && len(t.DeployJobs) > 0:
		return actFailed(report.FailedByDeployJob, failed)
	case len(failed) > 0:
		return actFailed(report.FailedByJobs, failed)
	case len(t.DeployJobs) > 0 && !slices.ContainsFunc(t.Jobs, t.named):
		var names []string
		for _, job := range t.Jobs {
			names = append(names, job.Name)
		}
		v := *refuse(report.NoFailure, "No job of the run has a name from the input deploy-job (%s), so the action could not determine whether the deploy failed; GitHub's API lists %s.",
			quoteList(t.DeployJobs), quoteList(names))
		v.Attention = slices.ContainsFunc(t.Jobs, func(j report.Job) bool { return t.counts(j.Conclusion) })
		return v
	case len(unstarted) > 0:
		return noFailure(cancelled,
			"No job that started in this run has failed; %s never started, because an approval was rejected or no runner picked up the job, so nothing was deployed or tested there. If this should count as a failure, list the job in deploy-job or set needs.", quoteList(unstarted))
	case t.Event.ByDispatch():
		return noFailure(cancelled,
			"No finished job of this run has failed, and one of them may have deployed (GitHub's API lists %d jobs), so there is nothing to roll back; to roll back by hand anyway, set target-version, or list the jobs that deploy in deploy-job.", len(t.Jobs))
	default:
		return noFailure(cancelled,
			"No finished job of this run has failed (GitHub's API lists %d jobs), so there is nothing to roll back.", len(t.Jobs))
	}
}

func actFailed(by report.FailureSource, jobs []string) Verdict {
	noun := "job"
	if len(jobs) > 1 {
		noun = "jobs"
	}
	v := actBecause(by, "%s %s failed", noun, quoteList(jobs))
	v.FailedJobs = jobs
	return v
}

func actBecause(by report.FailureSource, format string, args ...any) Verdict {
	return Verdict{Act: true, FailedBy: by, Because: fmt.Sprintf(format, args...)}
}
