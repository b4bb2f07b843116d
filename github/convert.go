package github

import (
	"cmp"
	"strings"
	"time"

	gh "github.com/google/go-github/v62/github"

	"github.com/org/lambda-rollback-action/rollback/report"
)

// runFrom converts a run of repository.
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

// jobsFrom converts jobs. It returns nil for nil, which means that they were not read.
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
	// A waiting job has a started_at too: the time when it was created.
	if job.Status == "in_progress" || job.Status == "completed" {
		job.StartedAt = seconds(j.GetStartedAt())
	}
	// A job that never ran has an empty list of steps and no runner.
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

// seconds converts t to UTC and whole seconds, the precision of GitHub.
func seconds(t gh.Timestamp) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.UTC().Truncate(time.Second)
}

// title returns the first line of a commit message, truncated to 200 characters.
func title(message string) string {
	const most = 200
	first, _, _ := strings.Cut(strings.TrimSpace(message), "\n")
	first = strings.TrimSpace(first)
	if runes := []rune(first); len(runes) > most {
		return string(runes[:most]) + "…"
	}
	return first
}
