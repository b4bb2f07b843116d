package github

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// failure looks for a failure in the first place that can show one. The jobs
// that `needs` lists are of the own run: where another run or a deployment failed,
// or a person chose a version, their success says nothing.
func (t Trigger) failure() Verdict {
	byNeeds := t.byNeeds()
	switch {
	case len(t.Needs) > 0 && byNeeds.Act:
		return byNeeds
	case t.TargetGiven && t.Event.ByDispatch():
		return actBecause(report.FailedByPerson, "requested by a person who chose the version (event %s, input target-version)", t.Event.Name)
	case len(t.Needs) > 0 && (len(t.DeployJobs) > 0 || t.Event.Name != eventWorkflowRun && t.Event.Name != eventDeploymentStatus):
		return byNeeds
	case t.Event.Name == eventWorkflowRun:
		return t.byWorkflowRun()
	case t.Event.Name == eventDeploymentStatus:
		return t.byDeployment()
	case t.TargetGiven:
		return actBecause(report.FailedByPerson, "a person chose the version (input target-version)")
	case !t.JobsAsked:
		return Verdict{AskJobs: true}
	case t.Jobs == nil && t.Event.ByDispatch():
		return t.trustWorkflow("a person asked for it (event %s)", t.Event.Name)
	case t.Jobs == nil:
		return t.trustWorkflow("the workflow's own if: let this step run")
	case t.Event.ByDispatch() && t.deployedNothing():
		return actBecause(report.FailedByPerson, "a person asked for it (event %s)", t.Event.Name)
	default:
		return t.byJobs()
	}
}

func (t Trigger) trustWorkflow(because string, args ...any) Verdict {
	v := actBecause(report.FailedByWorkflow, because, args...)
	v.Notes = []report.Note{{Text: "Neither the input needs nor GitHub's API shows whether a job of this run failed, so the workflow's own if: is trusted. Set needs: ${{ toJSON(needs) }}, or grant the permission actions: read, to have it checked."}}
	return v
}

// failedResults are those that count.
func (t Trigger) failedResults() []string {
	if len(t.FailedResults) == 0 {
		return []string{resultFailure}
	}
	return t.FailedResults
}

// counts reports whether a result or conclusion is that of a failed deploy.
func (t Trigger) counts(result string) bool {
	return slices.Contains(t.failedResults(), result) ||
		result == resultTimedOut && slices.Contains(t.failedResults(), resultFailure)
}

// cancelledNote is said where something was cancelled and that does not count.
const cancelledNote = " A deploy that its job's time limit cut off can look like this, and can have moved the alias: with failed-results: failure,cancelled it counts."

// noFailure refuses, and says so where something was cancelled.
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
			"No job that counts has the result %s in the input needs (%s), so there is nothing to roll back.",
			strings.Join(t.failedResults(), " or "), t.needsResults())
	}
	return actFailed(report.FailedByNeeds, failed)
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

// byWorkflowRun judges by the run in the payload: by its conclusion, and where
// deploy-job names jobs of it, by those.
func (t Trigger) byWorkflowRun() Verdict {
	p := t.Event.workflowRun()
	run := p.GetWorkflowRun()
	workflow := quoteValue(cmp.Or(run.GetName(), p.GetWorkflow().GetName()))
	if action := p.GetAction(); action != "" && action != "completed" {
		return *refuse(report.NoFailure,
			"The workflow_run event says %s, and only a completed run can have failed; start this workflow on types: [completed].", quoteValue(action))
	}
	conclusion := run.GetConclusion()
	switch {
	case !t.counts(conclusion):
		wanted := strings.Join(t.failedResults(), " or ")
		if slices.Contains(t.failedResults(), resultFailure) {
			wanted += " or timed_out"
		}
		return noFailure(conclusion == resultCancelled, "The run %d of the workflow %s ended with %s, and a rollback needs %s.",
			run.GetID(), workflow, quoteValue(conclusion), wanted)
	case len(t.DeployJobs) > 0 && !t.JobsAsked:
		return Verdict{AskJobs: true}
	case len(t.DeployJobs) > 0 && t.Jobs != nil:
		return t.byJobs()
	default:
		return actBecause(report.FailedByRun, "the run %d of the workflow %s ended with %s", run.GetID(), workflow, conclusion)
	}
}

func (t Trigger) byDeployment() Verdict {
	p := t.Event.deploymentStatus()
	switch state := p.GetDeploymentStatus().GetState(); state {
	case "failure", "error":
		return actBecause(report.FailedByDeployment, "the deployment %d is in state %s", p.GetDeployment().GetID(), state)
	default:
		return *refuse(report.NoFailure,
			"The deployment %d is in state %s, and a rollback needs failure or error.", p.GetDeployment().GetID(), quoteValue(state))
	}
}

// named reports whether deploy-job names the job.
func (t Trigger) named(j report.Job) bool { return slices.ContainsFunc(t.DeployJobs, j.IsNamed) }

// deployedNothing is true where no other job of the run can have deployed. Names in
// deploy-job that no job has prove nothing.
func (t Trigger) deployedNothing() bool {
	possible := t.possibleDeploys()
	return len(possible) == 0 || slices.ContainsFunc(t.Jobs, t.named) && !slices.ContainsFunc(possible, t.named)
}

// possibleDeploys are the jobs of the run that have ended, and so can have
// deployed, but not the own one with the rest of its matrix. Where a step of the
// own job failed, it is itself the deploy.
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

// sameMatrix compares the names of two jobs without what a matrix adds to them.
func sameMatrix(a, b string) bool {
	base := func(name string) string { base, _, _ := strings.Cut(name, " ("); return base }
	return base(a) == base(b)
}

// byJobs judges by the jobs of the run. Which of them deployed is known by
// deploy-job alone; FailedBy says whether it was given.
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
		v := *refuse(report.NoFailure, "No job of the run goes by a name in the input deploy-job (%s), so it is not known whether the deploy failed; GitHub's API lists %s.",
			quoteList(t.DeployJobs), quoteList(names))
		v.Attention = slices.ContainsFunc(t.Jobs, func(j report.Job) bool { return t.counts(j.Conclusion) })
		return v
	case len(unstarted) > 0:
		return noFailure(cancelled,
			"No job of this run that started has failed; %s never started, because an approval was refused or no runner took the job, so it neither deployed nor tested anything. If its failure should count, name it in deploy-job or set needs.", quoteList(unstarted))
	case t.Event.ByDispatch():
		return noFailure(cancelled,
			"No finished job of this run has failed, and one of them can have deployed (GitHub's API lists %d jobs), so there is nothing to roll back; to roll back by hand all the same, give target-version, or name the jobs that deploy in deploy-job.", len(t.Jobs))
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
