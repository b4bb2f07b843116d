package github

import (
	"cmp"
	"strings"
	"time"

	gh "github.com/google/go-github/v62/github"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// runFrom takes over what GitHub says of a run of repository.
func runFrom(r *gh.WorkflowRun, repository string) report.Run {
	return report.Run{
		ID:         r.GetID(),
		Attempt:    r.GetRunAttempt(),
		Number:     r.GetRunNumber(),
		WorkflowID: r.GetWorkflowID(),
		Workflow:   r.GetName(),
		Repository: cmp.Or(repository, r.GetRepository().GetFullName()),
		Branch:     r.GetHeadBranch(),
		SHA:        r.GetHeadSHA(),
		Commit:     title(r.GetHeadCommit().GetMessage()),
		Actor:      cmp.Or(r.GetActor().GetLogin(), r.GetTriggeringActor().GetLogin()),
		Event:      r.GetEvent(),
		URL:        r.GetHTMLURL(),
		Status:     r.GetStatus(),
		Conclusion: r.GetConclusion(),
		CreatedAt:  seconds(r.GetCreatedAt()),
	}
}

// jobsFrom keeps nil nil: not read.
func jobsFrom(jobs []*gh.WorkflowJob) []report.Job {
	if jobs == nil {
		return nil
	}
	taken := make([]report.Job, len(jobs))
	for i, job := range jobs {
		taken[i] = jobFrom(job)
	}
	return taken
}

func jobFrom(j *gh.WorkflowJob) report.Job {
	job := report.Job{
		ID:          j.GetID(),
		Name:        j.GetName(),
		Status:      j.GetStatus(),
		Conclusion:  j.GetConclusion(),
		CompletedAt: seconds(j.GetCompletedAt()),
		URL:         j.GetHTMLURL(),
	}
	// A job that waits has a started_at too: when it was created.
	if job.Status == "in_progress" || job.Status == "completed" {
		job.StartedAt = seconds(j.GetStartedAt())
	}
	// GitHub gives an empty list of steps then, and no runner.
	job.NeverRan = j.Steps != nil && len(j.Steps) == 0 && j.GetRunnerID() == 0 && j.GetRunnerName() == "" &&
		(job.Conclusion == resultFailure || job.Conclusion == resultCancelled)
	for _, step := range j.Steps {
		if step.GetConclusion() == "failure" {
			job.FailedStep = step.GetName()
			break
		}
	}
	return job
}

// seconds is t as GitHub means it: UTC, no parts of a second.
func seconds(t gh.Timestamp) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.UTC().Truncate(time.Second)
}

// title is the first line of a commit message, in 200 characters at most.
func title(message string) string {
	const most = 200
	first, _, _ := strings.Cut(strings.TrimSpace(message), "\n")
	first = strings.TrimSpace(first)
	if runes := []rune(first); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return first
}
