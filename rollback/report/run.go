package report

import (
	"slices"
	"strings"
	"time"
)

// Run is what is known about a workflow run: for `workflow_run`, the run in the
// payload; otherwise, the action's own run. Zero values mean "not known".
type Run struct {
	ID         int64
	Attempt    int // counted from 1; 0 if unknown
	Number     int // run_number of the workflow
	WorkflowID int64
	Workflow   string // its name
	Repository string // owner/name
	Branch     string
	SHA        string
	Commit     string // first line of the commit message
	Actor      string // who triggered it
	Event      string
	URL        string
	Status     string // queued, in_progress, completed and so on
	Conclusion string // success, failure and so on; empty while the run is in progress

	// CreatedAt is when the run was created. A re-run keeps it. This run did not
	// publish any older version.
	CreatedAt time.Time
	// CreatedBound reports that CreatedAt is not the time of the run itself, but
	// another time that was certainly not after the first version that the run
	// published (a push, or the creation of a deployment).
	CreatedBound bool

	// NotBefore is a lower bound of CreatedAt that the event payload proves; zero if
	// there is none.
	NotBefore time.Time

	// EndedBy is a time by which the failed jobs had ended, if the event contains one;
	// zero if unknown.
	EndedBy time.Time

	// DeployJobs are the jobs that can have deployed, by their IDs in the workflow
	// file or by the names that GitHub shows; empty if they are not set.
	DeployJobs []string
	// Jobs are the jobs of the attempt; nil if they could not be read.
	Jobs []Job
	// Counted are the failed jobs that caused the action to act, by their IDs or
	// display names; empty for all failed jobs.
	Counted []string
	// FailedBy is what showed that the deploy failed; empty if that was not checked.
	FailedBy FailureSource
	// CancelledCounts reports that a cancelled job also counts as a failed deploy.
	CancelledCounts bool
	// Earlier are the jobs of earlier attempts. A version of an earlier attempt also
	// belongs to this run.
	Earlier []Job
	// Newer are later runs of the same workflow and branch that started while this run
	// was in progress, with their jobs.
	Newer []Run
	// NewerKnown is false if it could not be determined whether there are newer runs.
	NewerKnown bool
	// Older are earlier runs of the same workflow and branch that were still in
	// progress when this one started, with their jobs. They are read only if they
	// matter.
	Older      []Run
	OlderKnown bool
}

// FailureSource is what showed that a deploy failed.
type FailureSource string

// The sources, the most certain one first. Even if a job failed according to the API,
// or a run failed as a whole, the deploy can have succeeded: the job may have
// `continue-on-error`, or be another one than the deploy job.
const (
	FailedByNeeds      FailureSource = "needs"
	FailedByPerson     FailureSource = "person" // it was started manually; no failure is required
	FailedByDeployment FailureSource = "deployment"
	FailedByDeployJob  FailureSource = "deploy-job" // a job that the input lists, according to the API
	FailedByJobs       FailureSource = "jobs"       // any job, according to the API
	FailedByRun        FailureSource = "run"        // the conclusion of the run
	FailedByWorkflow   FailureSource = "workflow"   // the `if:` condition of the workflow is trusted
)

// SaysWhichJob reports whether it is set which job's failure counts.
func (s FailureSource) SaysWhichJob() bool { return s != FailedByJobs && s != FailedByRun }

// Job is one job of a run. Its name is the display name, not the job ID.
type Job struct {
	ID          int64
	Name        string
	Status      string // completed, in_progress, queued and so on
	Conclusion  string // success, failure and so on; empty while the job is in progress
	StartedAt   time.Time
	CompletedAt time.Time // zero while the job is in progress
	FailedStep  string    // the first step that failed
	URL         string
	// NeverRan reports that the job ended before a runner picked it up, because its
	// approval was rejected, or because it was cancelled while it waited. Its times
	// are then those of the wait.
	NeverRan bool
	// Own marks the job in which this program runs.
	Own bool
}

// Failed reports whether the job has failed, or reached its time limit.
func (j Job) Failed() bool { return j.Conclusion == "failure" || j.Conclusion == "timed_out" }

// counts reports whether the job is one of the counted ones.
func (j Job) counts(counted []string) bool { return slices.ContainsFunc(counted, j.IsNamed) }

// IsNamed reports whether a name refers to the job: its display name, or the ID from
// which the display name is made. A matrix adds ` (…)` to it, and a job of a called
// workflow is `caller / callee`, where either name refers to it.
func (j Job) IsNamed(name string) bool {
	if j.Name == name || strings.HasPrefix(j.Name, name+" (") || strings.HasPrefix(j.Name, name+" / ") {
		return true
	}
	for part := range strings.SplitSeq(j.Name, " / ") {
		if base, _, _ := strings.Cut(part, " ("); part == name || base == name {
			return true
		}
	}
	return false
}

// BaseName returns the name without the values of a matrix: "deploy" for "deploy
// (eu)".
func (j Job) BaseName() string {
	if at := strings.LastIndex(j.Name, " ("); at > 0 && strings.HasSuffix(j.Name, ")") {
		return j.Name[:at]
	}
	return j.Name
}
