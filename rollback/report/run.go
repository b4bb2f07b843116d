package report

import (
	"slices"
	"strings"
	"time"
)

// Run is what is known about a workflow run: for `workflow_run` the run in the
// payload, else the own one. Zero values mean "not known".
type Run struct {
	ID         int64
	Attempt    int // counted from 1; 0: not known
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
	Status     string // queued, in_progress, completed …
	Conclusion string // success, failure … ; empty while it runs

	// CreatedAt is when the run was created. A re-run keeps it. No version
	// that is older was published by this run.
	CreatedAt time.Time
	// CreatedBound is true where CreatedAt is not the run's own time but some
	// other moment that was certainly not after the run's first publishing
	// (a push, a deployment's creation).
	CreatedBound bool

	// NotBefore is a lower bound of CreatedAt that the event's payload proves; zero:
	// it proves none.
	NotBefore time.Time

	// EndedBy is a moment by which what failed had ended, where the event tells
	// one; zero: not known.
	EndedBy time.Time

	// DeployJobs are the jobs that can have deployed, by their ids in the workflow
	// file or by the names that GitHub shows; empty: nobody said.
	DeployJobs []string
	// Jobs are the jobs of the attempt; nil where they could not be read.
	Jobs []Job
	// Counted are the failed jobs because of which it was acted, by their ids or
	// display names; empty: all that failed.
	Counted []string
	// FailedBy is what showed that the deploy failed; empty: nothing was asked.
	FailedBy FailureSource
	// CancelledCounts is true where a job that was cancelled is a failed deploy, too.
	CancelledCounts bool
	// Earlier are the jobs of earlier attempts. A version of an earlier attempt
	// is this run's too.
	Earlier []Job
	// Newer are later runs of the same workflow on the same branch, with
	// their jobs, as far as they began while this run was running.
	Newer []Run
	// NewerKnown is false where it could not be found out whether there are
	// newer runs.
	NewerKnown bool
	// Older are earlier runs of the same workflow on the same branch that
	// were still at work when this one began, with their jobs. They are read
	// only where it matters.
	Older      []Run
	OlderKnown bool
}

// FailureSource is what showed that a deploy failed.
type FailureSource string

// The sources, the most certain one first. A job that is red in the API alone, or
// a run that failed as a whole, can have deployed well: a job of it may have
// `continue-on-error`, or stand beside the one that deployed.
const (
	FailedByNeeds      FailureSource = "needs"
	FailedByPerson     FailureSource = "person" // who asked; no failure is needed
	FailedByDeployment FailureSource = "deployment"
	FailedByDeployJob  FailureSource = "deploy-job" // a job that the input names, by the API
	FailedByJobs       FailureSource = "jobs"       // any job, by the API
	FailedByRun        FailureSource = "run"        // its conclusion
	FailedByWorkflow   FailureSource = "workflow"   // its own `if:` is trusted
)

// SaysWhichJob is false where nobody said which job's failure counts.
func (s FailureSource) SaysWhichJob() bool { return s != FailedByJobs && s != FailedByRun }

// Job is one job of a run. Its name is the display name, not the job's id.
type Job struct {
	ID          int64
	Name        string
	Status      string // completed, in_progress, queued …
	Conclusion  string // success, failure …; empty while it runs
	StartedAt   time.Time
	CompletedAt time.Time // zero while it runs
	FailedStep  string    // the first step that failed
	URL         string
	// NeverRan: it ended before a runner had taken it, because its approval was
	// refused, or it was cancelled while it waited. Its times are those of the waiting.
	NeverRan bool
	// Own marks the job in which this program runs.
	Own bool
}

// Failed reports whether the job has failed, or ran into its time limit.
func (j Job) Failed() bool { return j.Conclusion == "failure" || j.Conclusion == "timed_out" }

// counts reports whether the job is one of those that were counted.
func (j Job) counts(counted []string) bool { return slices.ContainsFunc(counted, j.IsNamed) }

// IsNamed reports whether the job goes by a name: its display name, or the id that
// it is made of. A matrix adds ` (…)` to it, and a job of a called workflow is
// `caller / callee`, where either name means it.
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

// BaseName is the name without the values of a matrix: "deploy" of "deploy (eu)".
func (j Job) BaseName() string {
	if at := strings.LastIndex(j.Name, " ("); at > 0 && strings.HasSuffix(j.Name, ")") {
		return j.Name[:at]
	}
	return j.Name
}
